//! The control API, under `/control/`: sets up simulators, acts as the people who use them, injects faults and reads the
//! records. JSON over HTTP, without authentication: the sandbox listens on the loopback only.

mod eploy;
mod judgement;
mod messages;
mod player;
#[cfg(test)]
mod tests;
mod wecp;
mod willo;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::record::Records;
use crate::state::Shared;
use crate::{eploy as eploy_stand_in, gateway, wecp as wecp_stand_in, willo as willo_stand_in};

pub use self::messages::*;
pub use self::player::{ClientError, PlayerError, SandboxClient};
pub use crate::eploy::{
    AboveMax, AnswerType, Asked, Dates, EmptySearch, ErrorBody, HistoryDateRoute, IdType, Key,
    Notes, OptionsIndex, PatchReply, PropertyCase, Quirks as EploySwitches, Role, SearchOrder,
    StageKind, StageRoute, StageWrite, Transition, Trigger, Unknown,
};
pub use crate::faults::{Fault, Profile, Rule, When};
pub use crate::people::MadeUp;
pub use crate::record::{
    By, CallRecord, CallbackRecord, InvitationRecord, Part, Platform, WebhookRecord, Write,
    WriteRecord,
};
pub use crate::wecp::{
    CallbackBody as WecpCallbackBody, Check, Duplicate as WecpDuplicate, EmptyList,
    ErrorBody as WecpErrorBody, FormLabels, InviteAnswer, InviteBody, KeyRefusedBody, Metadata,
    Proctoring, Quirks as WecpSwitches, Scheduling, TestDuration,
};
pub use crate::willo::{
    Authorization, CallbackBody, Duplicate, ExternalId, Order, Quirks as WilloSwitches, StagePatch,
    StageShape,
};

/// The router of the whole sandbox.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/eploy/{system}/{*path}", any(gateway::eploy))
        .route("/willo/{account}/{*path}", any(gateway::willo))
        .route("/wecp/{account}/{*path}", any(gateway::wecp))
        .route("/hrms/{name}/{*path}", any(gateway::hrms))
        .merge(eploy::router())
        .merge(wecp::router())
        .merge(willo::router())
        .route("/control/hrms/{name}", get(hrms))
        .route("/control/people", get(people))
        .route(
            "/control/faults",
            get(faults).put(arm_faults).delete(disarm_faults),
        )
        .route("/control/records/calls", get(calls))
        .route("/control/records/invitations", get(invitations))
        .route("/control/records/callbacks", get(callbacks))
        .route("/control/records/writes", get(writes))
        .route("/control/records/webhooks", get(webhooks))
        .route("/control/callbacks", get(pending))
        .route("/control/judgement", get(judgement::judge))
        .with_state(shared)
}

/// Why the control API failed; the response is `{"error": "…"}`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The body is invalid.
    #[error("{0}")]
    Body(#[from] JsonRejection),
    /// A switch does not exist, or does not have this value.
    #[error("a switch cannot be set: {0}")]
    Switch(#[from] serde_json::Error),
    /// Eploy does not have it, or does not allow it.
    #[error("{0}")]
    Eploy(#[from] eploy_stand_in::Refused),
    /// Willo does not have it, or does not allow it.
    #[error("{0}")]
    Willo(#[from] willo_stand_in::Refused),
    /// WeCP does not have it, or does not allow it.
    #[error("{0}")]
    Wecp(#[from] wecp_stand_in::Refused),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Body(_) | Self::Switch(_) => StatusCode::BAD_REQUEST,
            Self::Eploy(_) | Self::Willo(_) | Self::Wecp(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, axum::Json(json!({"error": self.to_string()}))).into_response()
    }
}

/// A JSON body whose rejection is JSON as well.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(body) = axum::Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

pub(crate) type Answered<T> = Result<axum::Json<T>, Problem>;

/// The switches, with some of them changed by name.
pub(crate) fn switched<S: Serialize + DeserializeOwned>(
    quirks: &S,
    changes: BTreeMap<String, Value>,
) -> Result<S, serde_json::Error> {
    let mut all = serde_json::to_value(quirks)?;
    if let Value::Object(all) = &mut all {
        all.extend(changes);
    }
    serde_json::from_value(all)
}

async fn people(State(shared): State<Shared>) -> axum::Json<Vec<MadeUp>> {
    axum::Json(shared.lock().people.all.clone())
}

fn fault_state(shared: &Shared) -> axum::Json<FaultState> {
    let world = shared.lock();
    axum::Json(FaultState {
        rules: world.faults.rules(),
        injected: world.faults.injected.clone(),
    })
}

async fn faults(State(shared): State<Shared>) -> axum::Json<FaultState> {
    fault_state(&shared)
}

async fn arm_faults(
    State(shared): State<Shared>,
    Body(profile): Body<Profile>,
) -> axum::Json<FaultState> {
    shared.lock().faults.arm(profile);
    fault_state(&shared)
}

async fn disarm_faults(State(shared): State<Shared>) -> axum::Json<FaultState> {
    shared.lock().faults.arm(Profile::default());
    fault_state(&shared)
}

/// The selected participants.
#[derive(Deserialize)]
struct Whose {
    /// Only those with this address.
    email: Option<String>,
}

/// The selected records.
#[derive(Deserialize)]
struct Since {
    /// Skips this number of records.
    #[serde(default)]
    since: usize,
}

fn part<T: Clone>(
    shared: &Shared,
    since: &Since,
    of: impl Fn(&Records) -> &Vec<T>,
) -> axum::Json<Part<T>> {
    axum::Json(Part::of(of(&shared.lock().records), since.since))
}

async fn calls(
    State(shared): State<Shared>,
    Query(since): Query<Since>,
) -> axum::Json<Part<CallRecord>> {
    part(&shared, &since, |records| &records.calls)
}

async fn invitations(
    State(shared): State<Shared>,
    Query(since): Query<Since>,
) -> axum::Json<Part<InvitationRecord>> {
    part(&shared, &since, |records| &records.invitations)
}

async fn callbacks(
    State(shared): State<Shared>,
    Query(since): Query<Since>,
) -> axum::Json<Part<CallbackRecord>> {
    part(&shared, &since, |records| &records.callbacks)
}

async fn writes(
    State(shared): State<Shared>,
    Query(since): Query<Since>,
) -> axum::Json<Part<WriteRecord>> {
    part(&shared, &since, |records| &records.writes)
}

async fn webhooks(
    State(shared): State<Shared>,
    Query(since): Query<Since>,
) -> axum::Json<Part<WebhookRecord>> {
    part(&shared, &since, |records| &records.webhooks)
}

async fn hrms(State(shared): State<Shared>, Path(name): Path<String>) -> axum::Json<HrmsInfo> {
    let url = shared.lock().hrms(&name);
    axum::Json(HrmsInfo { url })
}

async fn pending(State(shared): State<Shared>) -> axum::Json<Pending> {
    let pending = shared.lock().outbox.pending;
    axum::Json(Pending { pending })
}
