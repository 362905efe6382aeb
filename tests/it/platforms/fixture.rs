//! What a case needs of a platform's stand-in, whichever platform it is.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::result::Status;
use stagecall_sandbox::control::SandboxClient;

use super::{wecp, willo};

/// An account on the sandbox.
#[async_trait(?Send)]
pub trait PlatformFixture {
    /// The connection's base address.
    fn base_url(&self) -> String;

    /// The connection's settings, an object.
    fn settings(&self) -> Value;

    /// The account's secrets.
    fn secrets(&self) -> BTreeMap<String, SecretString>;

    /// The operation that invites, as the sandbox's faults name it.
    fn invites(&self) -> &'static str;

    /// The operation that lists an assessment's invitations.
    fn lists(&self) -> &'static str;

    /// The operation that reads one result.
    fn reads(&self) -> &'static str;

    /// Somebody creates an assessment.
    async fn assessment(&self, title: &str) -> AssessmentId;

    /// Somebody invites a candidate on the platform itself.
    async fn by_hand(&self, assessment: &AssessmentId, email: &str) -> Reference;

    /// How many invitations of an address the platform has.
    async fn invitations(&self, email: &str) -> usize;

    /// Brings an invitation from its beginning to where its status is this one; false if that cannot be played.
    async fn bring_to(&self, invitation: &Reference, status: Status) -> bool;

    /// Changes the score of a finished one.
    async fn score_again(&self, invitation: &Reference);

    /// How a second invitation of one address may be answered: a switch of the stand-in for each.
    fn duplicates(&self) -> Vec<Value>;

    /// How a wrong key may be answered: a switch of the stand-in for each.
    fn refusals(&self) -> Vec<Value>;

    /// What a mapping tells the platform so that it makes a live interview, as its options, and what is made; `None` only
    /// where there are no live interviews.
    fn makes_interviews(&self) -> Option<(Value, AssessmentId)>;

    /// The operation that makes a live interview.
    fn makes(&self) -> &'static str;

    /// The operation that arranges one with a candidate.
    fn arranges(&self) -> &'static str;

    /// The operation that lists an interview's candidates.
    fn lists_met(&self) -> &'static str;

    /// When and by whom a candidate is met, and whether the platform wrote to them.
    async fn met(&self, invitation: &Reference) -> Option<(Timestamp, u32, Vec<String>, bool)>;

    /// The interviews that there are, by id.
    async fn interviews(&self) -> Vec<AssessmentId>;

    /// What can serve as a talent pool; none only where there are no pools.
    async fn pools(&self) -> Vec<AssessmentId>;

    /// The tags that the platform keeps with somebody in a pool.
    async fn tags(&self, place: &Reference) -> Vec<String>;

    /// Sets switches.
    async fn switch(&self, quirks: Value);
}

/// The account of a platform. A platform in the table that has none fails every case.
pub async fn of(kind: &str, player: SandboxClient) -> Box<dyn PlatformFixture> {
    match kind {
        "wecp" => Box::new(wecp::Wecp::new(player).await),
        "willo" => Box::new(willo::Willo::new(player).await),
        other => panic!("no stand-in plays {other}: give it one here"),
    }
}
