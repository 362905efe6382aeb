//! A client of the control API, for the demo and the tests.

mod wecp;

use std::time::Duration;

use hyper::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    AccountInfo, AccountSettings, Acts, ApplicationView, Applications, ByHand, CallRecord,
    CallbackRecord, CandidateAct, Created, EditCandidate, FaultState, HrmsInfo, Id,
    InvitationRecord, Judged, MadeUp, Move, NewAnswer, NewApplications, NewInterview, NewOption,
    NewQuestion, NewVacancy, Part, ParticipantView, Pending, Profile, ReviewerAct, SystemInfo,
    SystemSettings, WebhookRecord, WriteRecord,
};
use crate::client::Client;

pub use crate::client::ClientError;

/// The timeout of a call. The sandbox answers at once; this is for a busy machine.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Why a call to the control API failed.
#[derive(Debug, thiserror::Error)]
pub enum PlayerError {
    /// No response.
    #[error("the sandbox did not answer: {0}")]
    Client(#[from] ClientError),
    /// It rejected the call.
    #[error("the sandbox refused ({status}): {error}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason.
        error: String,
    },
    /// An unexpected response: the sandbox may be of another version.
    #[error("invalid response of the sandbox: {0}")]
    Unreadable(#[from] serde_json::Error),
}

type Played<T> = Result<T, PlayerError>;

/// Acts as the people around the simulators, over HTTP.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    client: Client,
    base: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

fn participants_path(platform: &str, account: &str, email: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(email) = email {
        query.append_pair("email", email);
    }
    format!("{platform}/{account}/participants?{}", query.finish())
}

impl SandboxClient {
    /// A client of the sandbox at this address (`http://127.0.0.1:8900`). Must be called within a Tokio runtime.
    pub fn new(base: &str) -> Self {
        Self {
            client: Client::new(CALL_TIMEOUT),
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Played<T> {
        let url = format!("{}/control/{path}", self.base);
        let body = body
            .map(serde_json::to_vec)
            .transpose()?
            .unwrap_or_default();
        let headers = [("content-type", "application/json")];
        let reply = self.client.send(method, &url, &headers, body).await?;
        if (200..300).contains(&reply.status) {
            return Ok(serde_json::from_slice(&reply.body)?);
        }
        let error = match serde_json::from_slice::<Refusal>(&reply.body) {
            Ok(refusal) => refusal.error,
            Err(_) => String::from_utf8_lossy(&reply.body).into_owned(),
        };
        Err(PlayerError::Refused {
            status: reply.status,
            error,
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Played<T> {
        self.call(Method::GET, path, None::<&()>).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Played<T> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// An Eploy system, created on first use.
    pub async fn eploy(&self, system: &str) -> Played<SystemInfo> {
        self.get(&format!("eploy/{system}")).await
    }

    /// Changes an Eploy system.
    pub async fn set_eploy(&self, system: &str, settings: &SystemSettings) -> Played<SystemInfo> {
        self.call(Method::PATCH, &format!("eploy/{system}"), Some(settings))
            .await
    }

    /// Sets switches of an Eploy system, given as a JSON object.
    pub async fn switch_eploy(&self, system: &str, quirks: Value) -> Played<SystemInfo> {
        let settings = json!({"switches": quirks});
        self.call(Method::PATCH, &format!("eploy/{system}"), Some(&settings))
            .await
    }

    /// Creates a vacancy.
    pub async fn vacancy(&self, system: &str, new: &NewVacancy) -> Played<u64> {
        let made: Id<u64> = self.post(&format!("eploy/{system}/vacancies"), new).await?;
        Ok(made.id)
    }

    /// Creates applications.
    pub async fn apply(&self, system: &str, new: &NewApplications) -> Played<Vec<Created>> {
        self.post(&format!("eploy/{system}/applications"), new)
            .await
    }

    /// An application as a recruiter sees it.
    pub async fn application(&self, system: &str, id: u64) -> Played<ApplicationView> {
        self.get(&format!("eploy/{system}/applications/{id}")).await
    }

    /// A recruiter moves applications to a stage and status, given by name or id.
    pub async fn move_to(
        &self,
        system: &str,
        applications: &[u64],
        stage: &str,
        status: Option<&str>,
    ) -> Played<()> {
        let wanted = Move {
            applications: applications.to_vec(),
            stage: stage.to_owned(),
            status: status.map(str::to_owned),
        };
        self.post(&format!("eploy/{system}/move"), &wanted).await
    }

    async fn with_applications(
        &self,
        system: &str,
        what: &str,
        applications: &[u64],
    ) -> Played<()> {
        let which = Applications {
            applications: applications.to_vec(),
        };
        self.post(&format!("eploy/{system}/{what}"), &which).await
    }

    /// Candidates withdraw.
    pub async fn withdraw(&self, system: &str, applications: &[u64]) -> Played<()> {
        self.with_applications(system, "withdraw", applications)
            .await
    }

    /// Candidates are hired.
    pub async fn hire(&self, system: &str, applications: &[u64]) -> Played<()> {
        self.with_applications(system, "hire", applications).await
    }

    /// Applications are deleted.
    pub async fn remove(&self, system: &str, applications: &[u64]) -> Played<()> {
        self.with_applications(system, "remove", applications).await
    }

    /// A candidate is edited.
    pub async fn edit_candidate(
        &self,
        system: &str,
        candidate: u64,
        edit: &EditCandidate,
    ) -> Played<()> {
        let path = format!("eploy/{system}/candidates/{candidate}");
        self.call(Method::PATCH, &path, Some(edit)).await
    }

    /// A recruiter answers a custom question.
    pub async fn answer(&self, system: &str, new: &NewAnswer) -> Played<()> {
        self.post(&format!("eploy/{system}/answers"), new).await
    }

    /// Adds a custom question.
    pub async fn question(&self, system: &str, new: &NewQuestion) -> Played<u64> {
        let made: Id<u64> = self.post(&format!("eploy/{system}/questions"), new).await?;
        Ok(made.id)
    }

    /// Adds an option to a list, or renames or archives one.
    pub async fn option(&self, system: &str, new: &NewOption) -> Played<()> {
        self.post(&format!("eploy/{system}/options"), new).await
    }

    /// A Willo account, created on first use.
    pub async fn willo(&self, account: &str) -> Played<AccountInfo> {
        self.get(&format!("willo/{account}")).await
    }

    /// Changes a Willo account.
    pub async fn set_willo(
        &self,
        account: &str,
        settings: &AccountSettings,
    ) -> Played<AccountInfo> {
        self.call(Method::PATCH, &format!("willo/{account}"), Some(settings))
            .await
    }

    /// Sets switches of a Willo account, given as a JSON object.
    pub async fn switch_willo(&self, account: &str, quirks: Value) -> Played<AccountInfo> {
        let settings = json!({"switches": quirks});
        self.call(Method::PATCH, &format!("willo/{account}"), Some(&settings))
            .await
    }

    /// Creates an interview, and returns its key.
    pub async fn interview(&self, account: &str, title: &str) -> Played<String> {
        let new = NewInterview {
            title: title.to_owned(),
        };
        let made: Id<String> = self
            .post(&format!("willo/{account}/interviews"), &new)
            .await?;
        Ok(made.id)
    }

    /// Somebody invites a candidate in Willo itself; returns the participant's key.
    pub async fn invite_by_hand(&self, account: &str, guest: &ByHand) -> Played<String> {
        let made: Id<String> = self
            .post(&format!("willo/{account}/participants"), guest)
            .await?;
        Ok(made.id)
    }

    /// All participants of an account, or those with an address.
    pub async fn participants(
        &self,
        account: &str,
        email: Option<&str>,
    ) -> Played<Vec<ParticipantView>> {
        self.get(&participants_path("willo", account, email)).await
    }

    /// Candidates act.
    pub async fn candidate(
        &self,
        account: &str,
        participants: &[String],
        act: CandidateAct,
    ) -> Played<()> {
        let acts = Acts {
            participants: participants.to_vec(),
            act,
        };
        self.post(&format!("willo/{account}/candidate"), &acts)
            .await
    }

    /// A reviewer acts.
    pub async fn reviewer(
        &self,
        account: &str,
        participants: &[String],
        act: ReviewerAct,
    ) -> Played<()> {
        let acts = Acts {
            participants: participants.to_vec(),
            act,
        };
        self.post(&format!("willo/{account}/reviewer"), &acts).await
    }

    /// An HRMS, created on first use, and its webhook URL.
    pub async fn hrms(&self, name: &str) -> Played<HrmsInfo> {
        self.get(&format!("hrms/{name}")).await
    }

    /// The webhooks that an HRMS received, without the first `since`.
    pub async fn webhooks(&self, since: usize) -> Played<Part<WebhookRecord>> {
        self.records("webhooks", since).await
    }

    /// All people that the sandbox has generated.
    pub async fn people(&self) -> Played<Vec<MadeUp>> {
        self.get("people").await
    }

    /// The active faults, and the counts of injected ones.
    pub async fn faults(&self) -> Played<FaultState> {
        self.get("faults").await
    }

    /// Replaces the active faults; an empty profile ends them.
    pub async fn set_faults(&self, profile: &Profile) -> Played<FaultState> {
        self.call(Method::PUT, "faults", Some(profile)).await
    }

    async fn records<T: DeserializeOwned>(&self, of: &str, since: usize) -> Played<Part<T>> {
        self.get(&format!("records/{of}?since={since}")).await
    }

    /// The calls that the simulators received, without the first `since`.
    pub async fn calls(&self, since: usize) -> Played<Part<CallRecord>> {
        self.records("calls", since).await
    }

    /// The invitations that were sent, without the first `since`.
    pub async fn invitations(&self, since: usize) -> Played<Part<InvitationRecord>> {
        self.records("invitations", since).await
    }

    /// The attempts to deliver callbacks, without the first `since`.
    pub async fn callbacks(&self, since: usize) -> Played<Part<CallbackRecord>> {
        self.records("callbacks", since).await
    }

    /// The writes to applications, without the first `since`.
    pub async fn writes(&self, since: usize) -> Played<Part<WriteRecord>> {
        self.records("writes", since).await
    }

    /// The number of callbacks that are neither delivered nor given up.
    pub async fn pending_callbacks(&self) -> Played<usize> {
        let state: Pending = self.get("callbacks").await?;
        Ok(state.pending)
    }

    /// The judgement of every application of a system.
    pub async fn judgement(&self, system: &str) -> Played<Vec<Judged>> {
        self.get(&format!("judgement?system={system}")).await
    }
}
