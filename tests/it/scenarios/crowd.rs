//! A crowd of candidates who enter gradually and act, and what must hold for all of them in the end, checked in the
//! sandbox's records.

use std::collections::BTreeSet;

use stagecall_sandbox::control::{CandidateAct, Fault, Judged, Rule, Standing};
use stagecall_tests::harness::{Customer, Harness, completed, percent, soon};

use super::privacy::nobody_is_left;

/// The injected faults.
pub fn mild_faults() -> Vec<Rule> {
    let rule = Rule::now_and_then;
    vec![
        rule("eploy", 0.02, Fault::Latency { ms: 30 }),
        rule("willo.participants", 0.05, Fault::Latency { ms: 50 }),
        rule("willo.participants", 0.03, Fault::DropAfter),
        rule("willo.participants", 0.02, Fault::DropBefore),
        rule("eploy.actions", 0.03, Fault::ErrorAfter { status: 502 }),
        rule("eploy.questions", 0.02, Fault::ErrorBefore { status: 503 }),
        rule("willo.callback", 0.10, Fault::CallbackLost),
        rule("willo.callback", 0.10, Fault::CallbackTwice),
    ]
}

/// The candidates of a customer.
pub struct Crowd<'a> {
    acme: &'a Customer,
    all: Vec<u64>,
    coming: Vec<u64>,
}

impl<'a> Crowd<'a> {
    /// Adds `count` candidates at the stage before the trigger.
    pub async fn new(acme: &'a Customer, count: u32) -> Self {
        let all: Vec<u64> = acme
            .apply(count)
            .await
            .iter()
            .map(|one| one.application)
            .collect();
        let coming = all.clone();
        Self { acme, all, coming }
    }

    /// The next ones enter the trigger stage.
    pub async fn enter(&mut self, count: usize) {
        let rest = self.coming.split_off(self.coming.len().min(count));
        let entering = std::mem::replace(&mut self.coming, rest);
        if !entering.is_empty() {
            self.acme.enter(&entering).await;
        }
    }

    /// Candidates with something to do act. A reviewer scores.
    pub async fn go_on(&self) {
        let acme = self.acme;
        let all = acme.all().await;
        let (mut declining, mut starting, mut answering, mut scored) =
            (vec![], vec![], vec![], vec![]);
        for judged in &all {
            for one in &judged.participants {
                match one.standing {
                    Standing::Invited if declines(judged) => declining.push(one.clone()),
                    Standing::Invited => starting.push(one.clone()),
                    Standing::Started => answering.push(one.clone()),
                    Standing::Completed if one.scores.is_empty() => scored.push(one.clone()),
                    _ => {}
                }
            }
        }
        acme.act(&declining, CandidateAct::Decline).await;
        acme.act(&starting, CandidateAct::Start).await;
        acme.act(&answering, CandidateAct::Answer).await;
        acme.score(&scored, 7).await;
    }

    /// All candidates enter, complete and are reported. In the end each was invited once, and none is in the files or the
    /// log.
    pub async fn ends_well(mut self, harness: &Harness) {
        self.enter(usize::MAX).await;
        let ended = soon(async || {
            self.go_on().await;
            self.acme.all().await.iter().all(has_ended).then_some(())
        });
        if ended.await.is_none() {
            let mut all = self.acme.all().await;
            all.retain(|one| !has_ended(one));
            panic!("these stories have not ended: {all:#?}");
        }
        self.acme.polled().await;
        let all = self.acme.all().await;
        let there: BTreeSet<u64> = all.iter().map(|one| one.application.id).collect();
        assert_eq!(there, self.all.into_iter().collect());
        for judged in &all {
            assert_eq!(judged.invitations.len(), 1, "{judged:#?}");
            assert_eq!(judged.participants.len(), 1, "{judged:#?}");
            assert_eq!(judged.application.actions.len(), 1, "{judged:#?}");
            assert!(has_ended(judged), "{judged:#?}");
        }
        let sent = harness.player.invitations(0).await.unwrap().records;
        assert_eq!(sent.len(), all.len(), "others were invited, too");
        assert!(!harness.log().contains("has a second invitation"));
        nobody_is_left(harness, self.acme).await;
    }
}

fn declines(judged: &Judged) -> bool {
    judged.application.id.is_multiple_of(5)
}

/// Whether an application has reached its final state.
fn has_ended(judged: &Judged) -> bool {
    let shown = judged
        .application
        .actions
        .last()
        .and_then(|action| action.outcome.as_deref());
    if declines(judged) {
        shown == Some("Declined")
    } else {
        completed(judged) && percent(judged) == Some(70.0)
    }
}
