//! Where the story plays: the stack, the sandbox around it, and the time.

use std::time::Instant;

use stagecall_emulator::{Queue, Stack};
use stagecall_sandbox::control::{Fault, Profile, Rule, SandboxClient, When};

use crate::cast::REFUSES_WEBHOOKS;
use crate::member::Member;

/// How long a slow call takes, in milliseconds. Nearly as long as a call may take.
const SLOW: u64 = 7000;

/// So many calls are slow: more than there are.
const MANY: u64 = 1000;

/// Where the story plays.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// Plays the people around it.
    pub player: &'a SandboxClient,
    /// When it began.
    pub began: Instant,
}

impl Scene<'_> {
    /// Tells how far the story is.
    pub fn tell(&self, what: &str) {
        crate::tell(self.began, what);
    }

    /// From now on these calls of the customers are slow; and what always goes wrong does: one customer's HRMS wants no
    /// webhooks.
    pub async fn slow(&self, calls: &[(&Member, &str)]) {
        let refused = Rule {
            system: Some(REFUSES_WEBHOOKS.to_owned()),
            ..Rule::now_and_then("hrms.webhook", 1.0, Fault::ErrorBefore { status: 410 })
        };
        let slow = calls.iter().map(|(member, operation)| Rule {
            system: Some(member.customer.name.clone()),
            ..Rule::next(operation, MANY, Fault::Latency { ms: SLOW })
        });
        let profile = Profile {
            seed: 1,
            rules: slow.chain([refused]).collect(),
        };
        self.player.set_faults(&profile).await.unwrap();
    }

    /// How many of these calls have arrived since they are slow.
    pub async fn arrived(&self, member: &Member, operation: &str) -> usize {
        let rules = self.player.faults().await.unwrap().rules;
        let wanted = rules.iter().find(|rule| {
            rule.target == operation && rule.system.as_ref() == Some(&member.customer.name)
        });
        match wanted.map(|rule| rule.when) {
            Some(When::Next(left)) => usize::try_from(MANY - left).unwrap(),
            other => panic!("{operation} is not slow: {other:?}"),
        }
    }

    /// Whether nothing waits in any queue.
    pub async fn idle(&self) -> bool {
        for queue in Queue::ALL {
            if self.stack.depth(queue).await.unwrap() > 0 {
                return false;
            }
        }
        true
    }
}
