//! The path of a call: faults, the simulator, faults again, and the record.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use hyper::body::Bytes;
use jiff::Timestamp;
use url::form_urlencoded;

use crate::call::{Answer, Call};
use crate::faults::{Fault, Plan, Target};
use crate::record::CallRecord;
use crate::server::{Peer, broken};
use crate::state::{SandboxState, Shared};
use crate::{eploy, hrms, willo};

const MAX_BODY_BYTES: usize = 8 << 20;

/// A simulator.
#[derive(Clone, Copy)]
enum System {
    Eploy,
    Willo,
    Wecp,
    Hrms,
}

impl System {
    fn exists(self, world: &SandboxState, name: &str) -> bool {
        match self {
            Self::Eploy => world.systems.contains_key(name),
            Self::Willo => world.willo.contains_key(name),
            Self::Wecp => world.wecp.contains_key(name),
            Self::Hrms => world.hrms.contains(name),
        }
    }

    fn operation(self, world: &mut SandboxState, name: &str, call: &Call) -> &'static str {
        match self {
            Self::Eploy => eploy::operation(call),
            Self::Willo => willo::operation(call),
            // The paths depend on switches.
            Self::Wecp => world.wecp_account(name).0.operation(call),
            Self::Hrms => hrms::OPERATION,
        }
    }

    fn answer(self, world: &mut SandboxState, name: &str, call: &Call) -> Answer {
        match self {
            Self::Eploy => {
                let (system, _, around) = world.system_with_all(name);
                system.answer(call, around)
            }
            Self::Willo => {
                let (account, around) = world.willo_account(name);
                account.answer(call, around)
            }
            Self::Wecp => {
                let (account, around) = world.wecp_account(name);
                account.answer(call, around)
            }
            Self::Hrms => hrms::answer(&mut world.context.records, name, call),
        }
    }

    fn too_many(self, world: &mut SandboxState, name: &str) -> Answer {
        match self {
            Self::Eploy => world.system(name).error(429, "Too many requests"),
            Self::Willo => willo::detail(429, "Request was throttled."),
            Self::Wecp => world.wecp_account(name).0.error(429, "Too many requests"),
            Self::Hrms => Answer::text(429, "Too many requests"),
        }
    }
}

/// The router of all simulators.
pub(crate) fn router() -> Router<Shared> {
    let answered = |system| {
        any(move |State(shared): State<Shared>, request: Request| {
            in_any_case(system, shared, request)
        })
    };
    Router::new()
        .route("/eploy/{system}/{*path}", answered(System::Eploy))
        .route("/willo/{account}/{*path}", answered(System::Willo))
        .route("/wecp/{account}/{*path}", answered(System::Wecp))
        .route("/hrms/{name}/{*path}", answered(System::Hrms))
}

/// Completes a call even if the caller does not wait for the response, as a server behind a proxy does: a call that timed
/// out may have an effect.
async fn in_any_case(side: System, shared: Shared, request: Request) -> Response {
    match tokio::spawn(meet(side, shared, request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "call failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn meet(side: System, shared: Shared, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    // The router guarantees a name.
    let name = path.split('/').nth(2).unwrap_or_default().to_owned();
    let Some(call) = read(request).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (operation, plan) = {
        let mut world = shared.lock();
        if !side.exists(&world, &name) {
            return (StatusCode::NOT_FOUND, "nothing of this name was set up").into_response();
        }
        let operation = side.operation(&mut world, &name, &call);
        let plan = world.context.faults.of_call(&Target {
            system: &name,
            operation,
            method: call.method.as_str(),
            path: &path,
        });
        if let (System::Eploy, Some(Fault::AllowanceSpent)) = (side, &plan.fault) {
            world.system(&name).spend_allowance(call.now);
        }
        (operation, plan)
    };
    let at = call.now;
    let method = call.method.to_string();
    let fault = match &plan {
        Plan {
            fault: Some(fault), ..
        } => Some(fault.name().into()),
        Plan { latency, .. } if !latency.is_zero() => Some("latency".into()),
        Plan { .. } => None,
    };
    let answer = execute(side, &shared, &name, call, plan).await;
    shared.lock().context.records.calls.push(CallRecord {
        at,
        system: name,
        operation: operation.into(),
        method,
        path,
        status: answer.as_ref().map(|answer| answer.status),
        fault,
    });
    answer.map_or_else(broken, Answer::into_response)
}

/// `None`: the connection is to be closed.
async fn execute(
    side: System,
    shared: &Shared,
    name: &str,
    mut call: Call,
    plan: Plan,
) -> Option<Answer> {
    if !plan.latency.is_zero() {
        tokio::time::sleep(plan.latency).await;
        call.now = Timestamp::now();
    }
    let mut world = shared.lock();
    match plan.fault {
        Some(Fault::DropBefore) => None,
        Some(Fault::ErrorBefore { status }) => {
            Some(Answer::html(status, "The service is unavailable."))
        }
        Some(Fault::TooMany { retry_after }) => {
            Some(side.too_many(&mut world, name).retry_after(retry_after))
        }
        Some(Fault::DropAfter) => {
            side.answer(&mut world, name, &call);
            None
        }
        Some(Fault::ErrorAfter { status }) => {
            side.answer(&mut world, name, &call);
            Some(Answer::html(status, "Something went wrong."))
        }
        _ => Some(side.answer(&mut world, name, &call)),
    }
}

async fn read(request: Request) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, MAX_BODY_BYTES).await.ok()?;
    let peer = parts.extensions.get::<Peer>()?.0;
    let path = parts.uri.path();
    Some(Call {
        segments: path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .skip(2)
            .map(str::to_owned)
            .collect(),
        slash: path.ends_with('/'),
        query: form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        method: parts.method,
        headers: parts.headers,
        body,
        peer,
        now: Timestamp::now(),
    })
}
