//! Willo on the sandbox.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::result::Status;
use stagecall_sandbox::control::{AccountInfo, ByHand, CandidateAct, ReviewerAct, SandboxClient};

use super::ACCOUNT;
use super::fixture::PlatformFixture;

/// An account.
pub struct Willo {
    player: SandboxClient,
    info: AccountInfo,
}

impl Willo {
    /// The account, created.
    pub async fn new(player: SandboxClient) -> Self {
        let info = player.willo(ACCOUNT).await.unwrap();
        Self { player, info }
    }
}

#[async_trait(?Send)]
impl PlatformFixture for Willo {
    fn base_url(&self) -> String {
        format!("{}/api/integrations/v2/", self.info.base_url)
    }

    fn settings(&self) -> Value {
        json!({})
    }

    fn secrets(&self) -> BTreeMap<String, SecretString> {
        BTreeMap::from([("api_key".to_owned(), self.info.api_key.as_str().into())])
    }

    fn invites(&self) -> &'static str {
        "willo.participants.create"
    }

    fn lists(&self) -> &'static str {
        "willo.participants.list"
    }

    fn reads(&self) -> &'static str {
        "willo.participants.get"
    }

    async fn assessment(&self, title: &str) -> AssessmentId {
        let key = self.player.interview(ACCOUNT, title).await.unwrap();
        AssessmentId::new(key)
    }

    async fn by_hand(&self, assessment: &AssessmentId, email: &str) -> Reference {
        let guest = ByHand {
            interview: assessment.to_string(),
            name: "Ada Example".to_owned(),
            email: email.to_owned(),
        };
        let key = self.player.invite_by_hand(ACCOUNT, &guest).await.unwrap();
        Reference::new(key)
    }

    async fn invitations(&self, email: &str) -> usize {
        let all = self.player.participants(ACCOUNT, Some(email)).await;
        all.unwrap().len()
    }

    async fn bring_to(&self, invitation: &Reference, status: Status) -> bool {
        let which = [invitation.to_string()];
        let act = match status {
            Status::Sent => return true,
            Status::Bounced => CandidateAct::Bounce,
            Status::Opened => CandidateAct::Open,
            Status::Started => CandidateAct::Start,
            Status::Completed => CandidateAct::Answer,
            Status::Expired => CandidateAct::Expire,
            Status::Declined => CandidateAct::Decline,
            Status::Cancelled => {
                let removed = self.player.reviewer(ACCOUNT, &which, &ReviewerAct::Remove);
                return removed.await.is_ok();
            }
            _ => return false,
        };
        self.player.candidate(ACCOUNT, &which, act).await.unwrap();
        true
    }

    async fn score_again(&self, invitation: &Reference) {
        let act = ReviewerAct::Score {
            title: "Clarity".to_owned(),
            value: 4.0,
            max: 5.0,
        };
        let which = [invitation.to_string()];
        self.player.reviewer(ACCOUNT, &which, &act).await.unwrap();
    }

    fn duplicates(&self) -> Vec<Value> {
        [
            "same_key",
            "same_key_sent_again",
            "new_key",
            "bad_request",
            "conflict",
        ]
        .map(|how| json!({"duplicate": how}))
        .to_vec()
    }

    fn refusals(&self) -> Vec<Value> {
        vec![json!({})]
    }

    fn makes_interviews(&self) -> Option<(Value, AssessmentId)> {
        None
    }

    fn makes(&self) -> &'static str {
        unreachable!("Willo has no live interviews")
    }

    fn arranges(&self) -> &'static str {
        self.makes()
    }

    fn lists_met(&self) -> &'static str {
        self.makes()
    }

    async fn met(&self, _: &Reference) -> Option<(Timestamp, u32, Vec<String>, bool)> {
        None
    }

    async fn interviews(&self) -> Vec<AssessmentId> {
        Vec::new()
    }

    async fn pools(&self) -> Vec<AssessmentId> {
        Vec::new()
    }

    async fn tags(&self, _: &Reference) -> Vec<String> {
        Vec::new()
    }

    async fn switch(&self, quirks: Value) {
        self.player.switch_willo(ACCOUNT, quirks).await.unwrap();
    }
}
