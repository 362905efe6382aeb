//! What people outside do: recruiters, candidates, the customer, the operator; and the platforms' reactions.

use serde_json::json;

use super::World;
use crate::plan::{ELSEWHERE, HIRED, INTERVIEW, TEST};

/// An act of a person outside.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// A recruiter moves an application to a stage.
    Move,
    /// A recruiter moves an application away and back at once.
    Bounce,
    /// A recruiter hires a candidate, takes it back, and hires them after all.
    Waver,
    /// A recruiter moves this application of this tenant to this stage.
    MoveTo(usize, usize, u32),
    /// A recruiter moves all applications of a tenant at once, many new ones among them.
    Bulk,
    /// An application changes in a way that is irrelevant to us.
    Touch,
    /// A candidate applies.
    Apply,
    /// A candidate makes progress with an invitation.
    Progress,
    /// The same candidate makes progress again at once: the platform, and the participant.
    Again(usize, usize),
    /// The operator changes the configuration of this tenant.
    Configure(usize),
    /// The customer creates new credentials, and the operator stores them later.
    Rotate(usize),
    /// The operator stores them.
    Follow(usize),
    /// The operator creates a new callback token.
    Renew(usize),
    /// The customer invites a candidate on a platform by hand.
    InviteByHand,
    /// A stranger calls us.
    Forge,
    /// The operator erases a candidate of this tenant.
    Erase(usize),
    /// A recruiter merges two candidates.
    Merge,
    /// A recruiter deletes an application.
    Delete,
}

/// The caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The platform.
    Platform,
    /// A caller without the token: must be refused.
    Stranger,
    /// A caller who has the token and sends made-up content.
    Insider,
}

/// A call to our listener.
#[derive(Clone, Debug)]
pub struct Callback {
    /// The tenant whose address is called.
    pub tenant: usize,
    /// The token.
    pub token: String,
    /// The body.
    pub body: Vec<u8>,
    /// The number of retries left.
    pub tries: u32,
    /// The caller.
    pub from: From,
}

impl Act {
    /// Its name in the counts of faults. Most acts are no fault.
    pub fn fault(self) -> Option<&'static str> {
        match self {
            Self::Bounce => Some("moved away and back"),
            Self::Waver => Some("hired, taken back and hired"),
            Self::Bulk => Some("bulk move"),
            Self::Rotate(_) => Some("credentials rotated"),
            Self::Renew(_) => Some("callback token renewed"),
            Self::Configure(_) => Some("configuration changed"),
            Self::InviteByHand => Some("invited by hand"),
            Self::Erase(_) => Some("candidate erased"),
            Self::Merge => Some("candidate merged"),
            Self::Delete => Some("application deleted"),
            _ => None,
        }
    }
}

impl World {
    /// Does it at `now`, in milliseconds since 1970. Returns a description, and the callback that follows.
    pub fn act(
        &mut self,
        act: Act,
        now: i64,
        rng: &mut fastrand::Rng,
    ) -> (String, Option<Callback>) {
        let tenant = rng.usize(0..self.eploys.len());
        let eploy = &mut self.eploys[tenant];
        let at = rng.usize(0..eploy.applications.len().max(1));
        match act {
            Act::Apply => {
                let stage = if rng.bool() { INTERVIEW } else { ELSEWHERE };
                eploy.apply(now, stage, rng);
                (format!("a candidate applies at t{tenant}"), None)
            }
            Act::Move => {
                let stage = *rng
                    .choice(&[INTERVIEW, INTERVIEW, TEST, ELSEWHERE, HIRED])
                    .unwrap_or(&INTERVIEW);
                eploy.move_to(at, stage, now);
                let id = eploy.applications[at].id;
                (format!("a recruiter moves {id} to stage {stage}"), None)
            }
            Act::Bounce => {
                let stage = eploy.applications[at].stage;
                eploy.move_to(at, ELSEWHERE, now);
                // Not dated ahead: a poll could see the return before its time, and act on the future.
                eploy.move_to(at, stage, now);
                let id = eploy.applications[at].id;
                (format!("a recruiter moves {id} away and back"), None)
            }
            Act::MoveTo(tenant, at, stage) => {
                let eploy = &mut self.eploys[tenant];
                eploy.move_to(at, stage, now);
                let id = eploy.applications[at].id;
                (format!("a recruiter moves {id} to stage {stage}"), None)
            }
            Act::Bulk => {
                for _ in 0..rng.u32(5..12) {
                    eploy.apply(now, ELSEWHERE, rng);
                }
                let stage = if rng.bool() { INTERVIEW } else { TEST };
                let all = eploy.applications.len();
                for at in 0..all {
                    eploy.move_to(at, stage, now);
                }
                let what = format!("a recruiter moves all {all} of t{tenant} to stage {stage}");
                (what, None)
            }
            Act::Touch => {
                eploy.touch(at, now);
                let id = eploy.applications[at].id;
                (format!("{id} changes somehow"), None)
            }
            Act::Merge => {
                eploy.merge(at, now);
                let id = eploy.applications[at].id;
                (format!("a recruiter merges the candidate of {id}"), None)
            }
            Act::Delete => {
                eploy.delete(at);
                let id = eploy.applications[at].id;
                (format!("a recruiter deletes {id}"), None)
            }
            Act::Again(platform, at) => self.progress(platform, at, now, rng),
            Act::Rotate(tenant) => {
                self.vault.rotate(tenant);
                (format!("t{tenant} makes new credentials"), None)
            }
            Act::Follow(tenant) => {
                self.vault.follow(tenant);
                (
                    format!("the operator stores the new credentials of t{tenant}"),
                    None,
                )
            }
            Act::Renew(tenant) => {
                self.vault.renew_callback(tenant);
                (format!("t{tenant} has a new callback token"), None)
            }
            Act::InviteByHand => {
                let application = &eploy.applications[at];
                let platform = &mut self.platforms[rng.usize(0..2)];
                let address = eploy.email(application.candidate);
                platform.invite_by_hand(tenant, address, now);
                let description = format!(
                    "the customer invites the candidate of {} on {}",
                    application.id,
                    platform.account()
                );
                (description, None)
            }
            Act::Forge => self.forge(tenant, rng),
            Act::Configure(_) | Act::Progress | Act::Erase(_) | Act::Waver => (String::new(), None),
        }
    }

    /// A random application: its tenant and its place there.
    pub fn random_application(&self, rng: &mut fastrand::Rng) -> (usize, usize) {
        let tenant = rng.usize(0..self.eploys.len());
        let all = &self.eploys[tenant].applications;
        (tenant, rng.usize(0..all.len().max(1)))
    }

    /// A random participant of a platform, mostly one whom we invited; past the last if there is none.
    pub fn random_participant(&self, rng: &mut fastrand::Rng) -> (usize, usize) {
        let platform = rng.usize(0..self.platforms.len());
        let all = &self.platforms[platform].participants;
        let mut draw = || rng.usize(0..all.len().max(1));
        let first = draw();
        let by_hand = all.get(first).is_some_and(|one| one.by_hand.is_some());
        (platform, if by_hand { draw() } else { first })
    }

    fn progress(
        &mut self,
        platform: usize,
        at: usize,
        now: i64,
        rng: &mut fastrand::Rng,
    ) -> (String, Option<Callback>) {
        let platform = &mut self.platforms[platform];
        if at >= platform.participants.len() {
            return ("no candidate has anything to do".to_owned(), None);
        }
        let changed = platform.progress(at, now, rng);
        let one = &platform.participants[at];
        let callback = (changed && platform.calls_back()).then(|| Callback {
            tenant: one.tenant,
            token: self.vault.callback(one.tenant).0,
            body: json!({"participant": {"key": one.key}, "at": now})
                .to_string()
                .into_bytes(),
            tries: 2,
            from: From::Platform,
        });
        let description = format!(
            "{} is {:?} on {}",
            one.name(),
            one.progress,
            platform.account()
        );
        (description, callback)
    }

    fn forge(&self, tenant: usize, rng: &mut fastrand::Rng) -> (String, Option<Callback>) {
        let willo = &self.platforms[0];
        let key = match willo.ours().last() {
            Some(one) => one.key.clone(),
            None => format!("{:032x}", rng.u64(..)),
        };
        let other = (tenant + 1) % self.eploys.len();
        let (token, from) = match rng.u32(0..3) {
            0 => (format!("{:064x}", rng.u64(..)), From::Stranger),
            // Valid for another tenant.
            1 if other != tenant => (self.vault.callback(other).0, From::Stranger),
            _ => (self.vault.callback(tenant).0, From::Insider),
        };
        let callback = Callback {
            tenant,
            token,
            body: json!({"participant": {"key": key, "status": "completed", "score": 100}, "at": rng.u64(..)})
                .to_string()
                .into_bytes(),
            tries: 0,
            from,
        };
        ("a stranger calls us".to_owned(), Some(callback))
    }
}
