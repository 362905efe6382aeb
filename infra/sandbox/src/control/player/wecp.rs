//! WeCP's part of the control API.

use hyper::Method;
use serde_json::{Value, json};

use super::{Played, SandboxClient, participants_path};
use crate::control::{
    Acts, ByHand, CandidateAct, Id, NewTest, NewWecpInterview, ParticipantView, WecpInfo,
    WecpInterviewView, WecpReviewerAct, WecpSettings,
};

impl SandboxClient {
    /// A WeCP account, created on first use.
    pub async fn wecp(&self, account: &str) -> Played<WecpInfo> {
        self.get(&format!("wecp/{account}")).await
    }

    /// Changes a WeCP account.
    pub async fn set_wecp(&self, account: &str, settings: &WecpSettings) -> Played<WecpInfo> {
        self.call(Method::PATCH, &format!("wecp/{account}"), Some(settings))
            .await
    }

    /// Sets switches of a WeCP account, given as a JSON object.
    pub async fn switch_wecp(&self, account: &str, quirks: Value) -> Played<WecpInfo> {
        let settings = json!({"switches": quirks});
        self.call(Method::PATCH, &format!("wecp/{account}"), Some(&settings))
            .await
    }

    /// Creates a test, and returns its id.
    pub async fn wecp_test(&self, account: &str, new: &NewTest) -> Played<String> {
        let made: Id<String> = self.post(&format!("wecp/{account}/tests"), new).await?;
        Ok(made.id)
    }

    /// Somebody creates an interview in WeCP itself; returns its id.
    pub async fn wecp_interview(&self, account: &str, new: &NewWecpInterview) -> Played<String> {
        let made: Id<String> = self
            .post(&format!("wecp/{account}/interviews"), new)
            .await?;
        Ok(made.id)
    }

    /// All interviews of an account.
    pub async fn wecp_interviews(&self, account: &str) -> Played<Vec<WecpInterviewView>> {
        self.get(&format!("wecp/{account}/interviews")).await
    }

    /// Somebody invites a candidate to a test in WeCP itself; returns the candidate's id.
    pub async fn wecp_invite_by_hand(&self, account: &str, guest: &ByHand) -> Played<String> {
        let made: Id<String> = self
            .post(&format!("wecp/{account}/participants"), guest)
            .await?;
        Ok(made.id)
    }

    /// All candidates of an account, of tests and interviews, or those with an address.
    pub async fn wecp_participants(
        &self,
        account: &str,
        email: Option<&str>,
    ) -> Played<Vec<ParticipantView>> {
        self.get(&participants_path("wecp", account, email)).await
    }

    /// Candidates act.
    pub async fn wecp_candidate(
        &self,
        account: &str,
        participants: &[String],
        act: CandidateAct,
    ) -> Played<()> {
        let acts = Acts {
            participants: participants.to_vec(),
            act,
        };
        self.post(&format!("wecp/{account}/candidate"), &acts).await
    }

    /// A reviewer or an interviewer acts.
    pub async fn wecp_reviewer(
        &self,
        account: &str,
        participants: &[String],
        act: WecpReviewerAct,
    ) -> Played<()> {
        let acts = Acts {
            participants: participants.to_vec(),
            act,
        };
        self.post(&format!("wecp/{account}/reviewer"), &acts).await
    }
}
