//! The control API, `POST /control`: sets up simulators, acts as the people who use them, injects faults and reads the
//! records. Without authentication: the sandbox listens on the loopback only.

#![expect(
    clippy::unnecessary_wraps,
    reason = "all handlers have one shape, also those of commands that cannot be rejected"
)]

mod client;
mod commands;
mod eploy;
mod judgement;
mod records;
#[cfg(test)]
mod tests;
mod wecp;
mod willo;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::commands::Command;
use crate::eploy::Refused as EployRefused;
use crate::register::Refused;
use crate::state::Shared;

pub use self::client::{PlayerError, SandboxClient};
pub use self::judgement::{Entry, Judged, Sent};
pub use crate::client::ClientError;
pub use crate::eploy::{
    AboveMax, ActionView, AnswerType, AnswerView, ApplicationView, Asked, Created, Dates,
    EditCandidate, EmptySearch, ErrorBody, HistoryDateRoute, HistoryView, IdType, Key, NewAnswer,
    NewApplications, NewOption, NewQuestion, NewVacancy, NoteView, Notes, OptionsIndex, PatchReply,
    PositionView, PropertyCase, Quirks as EploySwitches, Role, SearchOrder, StageKind, StageRoute,
    StageWrite, SystemInfo, SystemSettings, Transition, Trigger, Unknown,
};
pub use crate::faults::{Fault, FaultState, Profile, Rule, When};
pub use crate::hrms::HrmsInfo;
pub use crate::participant::{ByHand, CandidateAct, Meeting, ParticipantView, Standing};
pub use crate::people::MadeUp;
pub use crate::record::{
    By, CallRecord, CallbackRecord, InvitationRecord, Part, Platform, WebhookRecord, Write,
    WriteRecord,
};
pub use crate::wecp::{
    CallbackBody as WecpCallbackBody, Check, Duplicate as WecpDuplicate, EmptyList,
    ErrorBody as WecpErrorBody, FormLabels, InviteAnswer, InviteBody, KeyRefusedBody, LineKind,
    Metadata, NewTest, NewWecpInterview, Proctoring, Quirks as WecpSwitches, Scheduling,
    ScorecardLine, TestDuration, TestQuestion, WecpInfo, WecpInterviewView, WecpReviewerAct,
    WecpSettings,
};
pub use crate::willo::{
    AccountInfo, AccountSettings, Authorization, CallbackBody, Duplicate, ExternalId, Order,
    Quirks as WilloSwitches, ReviewerAct, StagePatch, StageShape,
};

/// The route of the control API.
pub(crate) fn router() -> Router<Shared> {
    Router::new().route("/control", post(control))
}

async fn control(
    State(shared): State<Shared>,
    command: Result<Json<Command>, JsonRejection>,
) -> Handled<Json<Value>> {
    let Json(command) = command?;
    shared.lock().handle(command).map(Json)
}

/// Why the control API failed; the response is `{"error": "…"}`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The body is not a command.
    #[error("{0}")]
    Body(#[from] JsonRejection),
    /// A switch does not exist, or does not have this value.
    #[error("a switch cannot be set: {0}")]
    Switch(#[from] serde_json::Error),
    /// Eploy does not have it, or does not allow it.
    #[error("{0}")]
    Eploy(#[from] EployRefused),
    /// The platform does not have it, or does not allow it.
    #[error("{0}")]
    Platform(#[from] Refused),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Body(_) | Self::Switch(_) => StatusCode::BAD_REQUEST,
            Self::Eploy(_) | Self::Platform(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}

/// What a command leads to.
type Handled<T> = Result<T, Problem>;

/// The switches, with some of them changed by name.
fn switched<S: Serialize + DeserializeOwned>(
    quirks: &S,
    changes: &BTreeMap<String, Value>,
) -> Result<S, serde_json::Error> {
    let mut all = serde_json::to_value(quirks)?;
    if let Value::Object(all) = &mut all {
        all.extend(changes.clone());
    }
    serde_json::from_value(all)
}
