//! Sets Willo accounts up, and acts as their candidates and reviewers.

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;

use super::{
    AccountInfo, AccountSettings, Acts, Answered, Body, ByHand, CandidateAct, Id, NewInterview,
    ParticipantView, ReviewerAct, Whose, switched,
};
use crate::state::Shared;
use crate::willo::Account;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/control/willo/{account}", get(read).patch(change))
        .route("/control/willo/{account}/interviews", post(add_interview))
        .route(
            "/control/willo/{account}/participants",
            get(participants).post(by_hand),
        )
        .route("/control/willo/{account}/candidate", post(candidate))
        .route("/control/willo/{account}/reviewer", post(reviewer))
}

fn info(account: &Account) -> AccountInfo {
    AccountInfo {
        name: account.name.clone(),
        base_url: account.base_url.clone(),
        api_key: account.api_key.clone(),
        links: account.links.clone(),
        interviews: account.interview_titles(),
        stages: account.stage_names(),
        quirks: account.quirks.clone(),
    }
}

async fn read(State(shared): State<Shared>, Path(name): Path<String>) -> Json<AccountInfo> {
    Json(info(shared.lock().willo(&name).0))
}

async fn change(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(settings): Body<AccountSettings>,
) -> Answered<AccountInfo> {
    let mut world = shared.lock();
    let (account, _) = world.willo(&name);
    account.quirks = switched(&account.quirks, settings.quirks)?;
    if let Some(key) = settings.api_key {
        account.api_key = key;
    }
    if let Some(links) = settings.links {
        account.links = links;
    }
    Ok(Json(info(account)))
}

async fn add_interview(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewInterview>,
) -> Json<Id<String>> {
    let mut world = shared.lock();
    let (account, around) = world.willo(&name);
    let id = account.add_interview(&new, Timestamp::now(), around.random);
    Json(Id { id })
}

async fn participants(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(whose): Query<Whose>,
) -> Json<Vec<ParticipantView>> {
    let mut world = shared.lock();
    let (account, _) = world.willo(&name);
    Json(account.participant_views(whose.email.as_deref()))
}

async fn by_hand(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(guest): Body<ByHand>,
) -> Answered<Id<String>> {
    let mut world = shared.lock();
    let (account, mut around) = world.willo(&name);
    let id = account.invite_by_hand(&guest, Timestamp::now(), &mut around)?;
    Ok(Json(Id { id }))
}

async fn candidate(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(acts): Body<Acts<CandidateAct>>,
) -> Answered<()> {
    let mut world = shared.lock();
    let (account, mut around) = world.willo(&name);
    for key in &acts.participants {
        account.candidate_acts(key, acts.act, Timestamp::now(), &mut around)?;
    }
    Ok(Json(()))
}

async fn reviewer(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(acts): Body<Acts<ReviewerAct>>,
) -> Answered<()> {
    let mut world = shared.lock();
    let (account, mut around) = world.willo(&name);
    for key in &acts.participants {
        account.reviewer_acts(key, &acts.act, Timestamp::now(), &mut around)?;
    }
    Ok(Json(()))
}
