//! Sets WeCP accounts up, and acts as their candidates, reviewers and interviewers.

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;

use super::{
    Acts, Answered, Body, ByHand, CandidateAct, Id, NewTest, NewWecpInterview, ParticipantView,
    WecpInfo, WecpInterviewView, WecpReviewerAct, WecpSettings, Whose, switched,
};
use crate::state::Shared;
use crate::wecp::Account;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/control/wecp/{account}", get(read).patch(change))
        .route("/control/wecp/{account}/tests", post(add_test))
        .route(
            "/control/wecp/{account}/interviews",
            get(interviews).post(add_interview),
        )
        .route(
            "/control/wecp/{account}/participants",
            get(participants).post(by_hand),
        )
        .route("/control/wecp/{account}/candidate", post(candidate))
        .route("/control/wecp/{account}/reviewer", post(reviewer))
}

fn info(account: &Account) -> WecpInfo {
    WecpInfo {
        name: account.name.clone(),
        base_url: account.base_url.clone(),
        api_key: account.api_key.clone(),
        partner_key: account.partner_key.clone(),
        partner_secret: account.partner_secret.clone(),
        users: account.user_tokens(),
        org: account.org.clone(),
        groups: account.group_names(),
        links: account.links.clone(),
        tests: account.test_names(),
        callback_url: account.callback_url.clone(),
        quirks: account.quirks.clone(),
    }
}

async fn read(State(shared): State<Shared>, Path(name): Path<String>) -> Json<WecpInfo> {
    Json(info(shared.lock().wecp(&name).0))
}

async fn change(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(settings): Body<WecpSettings>,
) -> Answered<WecpInfo> {
    let mut world = shared.lock();
    let (account, around) = world.wecp(&name);
    account.quirks = switched(&account.quirks, settings.quirks)?;
    for (new, field) in [
        (settings.api_key, &mut account.api_key),
        (settings.partner_key, &mut account.partner_key),
        (settings.partner_secret, &mut account.partner_secret),
        (settings.links, &mut account.links),
    ] {
        if let Some(new) = new {
            *field = new;
        }
    }
    if let Some(users) = settings.users {
        account.set_users(users, around.random);
    }
    if let Some(url) = settings.callback_url {
        account.callback_url = Some(url).filter(|url| !url.is_empty());
    }
    Ok(Json(info(account)))
}

async fn add_test(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewTest>,
) -> Json<Id<String>> {
    let mut world = shared.lock();
    let (account, around) = world.wecp(&name);
    let id = account.add_test(&new, Timestamp::now(), around.random);
    Json(Id { id })
}

async fn interviews(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Json<Vec<WecpInterviewView>> {
    Json(shared.lock().wecp(&name).0.interview_views())
}

async fn add_interview(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(new): Body<NewWecpInterview>,
) -> Json<Id<String>> {
    let mut world = shared.lock();
    let (account, around) = world.wecp(&name);
    let id = account.add_interview(&new, Timestamp::now(), around.random);
    Json(Id { id })
}

async fn participants(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(whose): Query<Whose>,
) -> Json<Vec<ParticipantView>> {
    let mut world = shared.lock();
    let (account, _) = world.wecp(&name);
    Json(account.participant_views(whose.email.as_deref()))
}

async fn by_hand(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(guest): Body<ByHand>,
) -> Answered<Id<String>> {
    let mut world = shared.lock();
    let (account, mut around) = world.wecp(&name);
    let id = account.invite_by_hand(&guest, Timestamp::now(), &mut around)?;
    Ok(Json(Id { id }))
}

async fn candidate(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(acts): Body<Acts<CandidateAct>>,
) -> Answered<()> {
    let mut world = shared.lock();
    let (account, mut around) = world.wecp(&name);
    for id in &acts.participants {
        account.candidate_acts(id, acts.act, Timestamp::now(), &mut around)?;
    }
    Ok(Json(()))
}

async fn reviewer(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Body(acts): Body<Acts<WecpReviewerAct>>,
) -> Answered<()> {
    let mut world = shared.lock();
    let (account, mut around) = world.wecp(&name);
    for id in &acts.participants {
        account.reviewer_acts(id, &acts.act, Timestamp::now(), &mut around)?;
    }
    Ok(Json(()))
}
