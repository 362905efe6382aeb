//! What a case needs of a platform's stand-in, for every platform.

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

    /// Creates an assessment.
    async fn assessment(&self, title: &str) -> AssessmentId;

    /// Invites a candidate on the platform itself.
    async fn by_hand(&self, assessment: &AssessmentId, email: &str) -> Reference;

    /// The number of the platform's invitations of an address.
    async fn invitations(&self, email: &str) -> usize;

    /// Brings a new invitation to this status. Returns false if the stand-in cannot.
    async fn bring_to(&self, invitation: &Reference, status: Status) -> bool;

    /// Changes the score of a finished one.
    async fn score_again(&self, invitation: &Reference);

    /// The possible answers to a second invitation of one address, each as a quirk of the stand-in.
    fn duplicates(&self) -> Vec<Value>;

    /// The possible answers to a wrong key, each as a quirk of the stand-in.
    fn refusals(&self) -> Vec<Value>;

    /// The mapping's options that create a live interview, and what is created. `None` only where there are no live
    /// interviews.
    fn makes_interviews(&self) -> Option<(Value, AssessmentId)>;

    /// The operation that creates a live interview.
    fn makes(&self) -> &'static str;

    /// The operation that schedules one with a candidate.
    fn arranges(&self) -> &'static str;

    /// The operation that lists an interview's candidates.
    fn lists_met(&self) -> &'static str;

    /// When and by whom a candidate is met, and whether the platform wrote to them.
    async fn met(&self, invitation: &Reference) -> Option<(Timestamp, u32, Vec<String>, bool)>;

    /// The interviews that there are, by id.
    async fn interviews(&self) -> Vec<AssessmentId>;

    /// The possible talent pools. Empty only where there are no pools.
    async fn pools(&self) -> Vec<AssessmentId>;

    /// The tags that the platform has of a candidate in a pool.
    async fn tags(&self, place: &Reference) -> Vec<String>;

    /// Sets quirks.
    async fn switch(&self, quirks: Value);
}

/// The account of a platform. A platform without one fails every case.
pub async fn of(kind: &str, player: SandboxClient) -> Box<dyn PlatformFixture> {
    match kind {
        "wecp" => Box::new(wecp::Wecp::new(player).await),
        "willo" => Box::new(willo::Willo::new(player).await),
        other => panic!("no stand-in plays {other}: give it one here"),
    }
}
