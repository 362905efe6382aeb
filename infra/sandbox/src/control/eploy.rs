//! Sets Eploy systems up, and acts as their recruiters.

use axum::extract::{Path, State};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use jiff::Timestamp;

use super::{
    Answered, ApplicationView, Applications, Body, Created, EditCandidate, Id, Move, NewAnswer,
    NewApplications, NewOption, NewQuestion, NewVacancy, SystemInfo, SystemSettings, switched,
};
use crate::eploy::{Refused, System};
use crate::record::Records;
use crate::state::Shared;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/control/eploy/{system}", get(read).patch(change))
        .route("/control/eploy/{system}/vacancies", post(add_vacancy))
        .route(
            "/control/eploy/{system}/applications",
            post(add_applications),
        )
        .route("/control/eploy/{system}/applications/{id}", get(view))
        .route("/control/eploy/{system}/move", post(move_applications))
        .route("/control/eploy/{system}/withdraw", post(withdraw))
        .route("/control/eploy/{system}/hire", post(hire))
        .route("/control/eploy/{system}/remove", post(remove))
        .route("/control/eploy/{system}/candidates/{id}", patch(edit))
        .route("/control/eploy/{system}/questions", post(add_question))
        .route("/control/eploy/{system}/answers", post(answer))
        .route("/control/eploy/{system}/options", post(set_option))
}

fn info(system: &System) -> SystemInfo {
    SystemInfo {
        name: system.name.clone(),
        base_url: system.base_url.clone(),
        keys: system.keys.clone(),
        roles: system.roles.clone(),
        ip_ranges: system.ip_ranges.clone(),
        allowance: system.allowance,
        calls_today: system.calls_today,
        transitions: system.transitions.clone(),
        quirks: system.quirks.clone(),
    }
}

async fn read(State(shared): State<Shared>, Path(name): Path<String>) -> Json<SystemInfo> {
    Json(info(shared.lock().system(&name)))
}

async fn change(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(settings): Body<SystemSettings>,
) -> Answered<SystemInfo> {
    let mut world = shared.lock();
    let system = world.system(&name);
    system.quirks = switched(&system.quirks, settings.quirks)?;
    if let Some(keys) = settings.keys {
        system.keys = keys;
    }
    if let Some(roles) = settings.roles {
        system.roles = roles;
    }
    if let Some(ranges) = settings.ip_ranges {
        system.ip_ranges = ranges;
    }
    if let Some(allowance) = settings.allowance {
        system.allowance = Some(allowance).filter(|most| *most > 0);
    }
    if let Some(calls) = settings.calls_today {
        system.calls_today = calls;
        system.allowance_spent = false;
    }
    if let Some(transitions) = settings.transitions {
        system.transitions = transitions;
    }
    if settings.end_tokens {
        system.end_tokens();
    }
    Ok(Json(info(system)))
}

async fn add_vacancy(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewVacancy>,
) -> Answered<Id<u64>> {
    let id = shared
        .lock()
        .system(&name)
        .add_vacancy(&new, Timestamp::now())?;
    Ok(Json(Id { id }))
}

async fn add_applications(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewApplications>,
) -> Answered<Vec<Created>> {
    let mut world = shared.lock();
    let at = new.at.unwrap_or_else(Timestamp::now);
    let (system, people, records) = world.system_with_all(&name);
    Ok(Json(system.add_applications(&new, people, at, records)?))
}

async fn view(
    State(shared): State<Shared>,
    Path((name, id)): Path<(String, u64)>,
) -> Answered<ApplicationView> {
    Ok(Json(shared.lock().system(&name).view(id)?))
}

/// Does something with applications until one is rejected.
fn each(
    shared: &Shared,
    name: &str,
    applications: &[u64],
    mut does: impl FnMut(&mut System, u64, Timestamp, &mut Records) -> Result<(), Refused>,
) -> Answered<()> {
    let mut world = shared.lock();
    let (system, _, records) = world.system_with_all(name);
    for id in applications {
        does(system, *id, Timestamp::now(), records)?;
    }
    Ok(Json(()))
}

async fn move_applications(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(wanted): Body<Move>,
) -> Answered<()> {
    each(
        &shared,
        &name,
        &wanted.applications,
        |system, id, at, records| {
            system.recruiter_moves(id, &wanted.stage, wanted.status.as_deref(), at, records)
        },
    )
}

async fn withdraw(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(which): Body<Applications>,
) -> Answered<()> {
    each(&shared, &name, &which.applications, System::withdraw)
}

async fn hire(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(which): Body<Applications>,
) -> Answered<()> {
    each(&shared, &name, &which.applications, System::hire)
}

async fn remove(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(which): Body<Applications>,
) -> Answered<()> {
    each(&shared, &name, &which.applications, |system, id, _, _| {
        system.remove(id);
        Ok(())
    })
}

async fn edit(
    State(shared): State<Shared>,
    Path((name, id)): Path<(String, u64)>,
    Body(edit): Body<EditCandidate>,
) -> Answered<()> {
    shared
        .lock()
        .system(&name)
        .edit_candidate(id, &edit, Timestamp::now())?;
    Ok(Json(()))
}

async fn add_question(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewQuestion>,
) -> Json<Id<u64>> {
    let id = shared
        .lock()
        .system(&name)
        .add_question(new.of, &new.title, new.answer_type);
    Json(Id { id })
}

async fn answer(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewAnswer>,
) -> Answered<()> {
    let mut world = shared.lock();
    world
        .system(&name)
        .answer_question(&new, Timestamp::now())?;
    Ok(Json(()))
}

async fn set_option(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewOption>,
) -> Answered<()> {
    shared
        .lock()
        .system(&name)
        .set_option(&new, Timestamp::now())?;
    Ok(Json(()))
}
