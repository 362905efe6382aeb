//! Changing tenants and mappings.

use serde_json::json;
use stagecall_core::tenant::Tenant;
use stagecall_operations::mappings::change::{self as mapping, To};
use stagecall_operations::mappings::show::MappingState;
use stagecall_operations::tenants::{apply, pause, remove, set, show};
use stagecall_operations::{Change as _, Error};
use stagecall_tests::sample::{detected, key, sent};

use super::fixture::{Operated, acme, change, nothing};
use crate::conformance::Backend;

/// A tenant with the account that its mapping invites on.
fn connected() -> Tenant {
    let willo = serde_json::from_value(json!({"kind": "willo"})).unwrap();
    let mut tenant = acme();
    tenant.platforms.insert("willo".into(), willo);
    tenant
}

/// An installation with that tenant.
async fn operated(backend: &impl Backend) -> Operated {
    let operated = Operated::new(backend).await;
    backend.configure(&connected()).await;
    operated
}

fn setting(name: &str, value: &str) -> set::Question {
    set::Question {
        tenant: "acme".to_owned(),
        set: vec![(name.to_owned(), value.to_owned())],
        unset: Vec::new(),
    }
}

pub async fn a_setting_is_shown_before_it_is_saved(backend: impl Backend) {
    let operated = operated(&backend).await;
    let question = setting("eploy.poll_seconds", "120");
    let prepared = change(set::prepare(&operated.on, &question).await.unwrap());
    let shown = prepared.in_words();
    assert!(shown.contains("+poll_seconds = 120"), "{shown}");
    assert_eq!(operated.on.tenant("acme").await.unwrap(), connected());
    operated.apply(prepared).await.unwrap();
    let saved = operated.on.tenant("acme").await.unwrap();
    assert_eq!(saved.eploy.poll_seconds, 120);
    let again = set::prepare(&operated.on, &question).await.unwrap();
    assert_eq!(nothing(again), "nothing changes");
    let done = ("tenant set".to_owned(), "eploy.poll_seconds".to_owned());
    assert_eq!(operated.audited().await, [done]);
    let invalid = set::prepare(&operated.on, &setting("eploy.poll_seconds", "soon")).await;
    assert!(matches!(invalid, Err(Error::Invalid(_))));
}

pub async fn a_tenant_is_paused_and_resumed_once(backend: impl Backend) {
    let operated = operated(&backend).await;
    let on = &operated.on;
    let already = nothing(pause::prepare(on, "acme", false).await.unwrap());
    assert_eq!(already, "acme is already on");
    let prepared = change(pause::prepare(on, "acme", true).await.unwrap());
    operated.apply(prepared).await.unwrap();
    let shown = show::show(on, "acme").await.unwrap();
    assert!(shown.tenant.paused);
    assert_eq!(shown.audits.len(), 1);
    let prepared = change(pause::prepare(on, "acme", false).await.unwrap());
    operated.apply(prepared).await.unwrap();
    assert!(!on.tenant("acme").await.unwrap().paused);
}

pub async fn a_removed_tenant_is_not_found(backend: impl Backend) {
    let operated = operated(&backend).await;
    operated.save(&detected(key("acme", 1))).await;
    let removal = remove::prepare(&operated.on, "acme").await.unwrap();
    let shown = removal.in_words();
    assert!(
        shown.contains("1 of its invitations have not ended"),
        "{shown}"
    );
    operated.apply(removal).await.unwrap();
    let gone = remove::prepare(&operated.on, "acme").await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
}

pub async fn tenants_are_made_to_match_a_file(backend: impl Backend) {
    let operated = operated(&backend).await;
    let on = &operated.on;
    let mut changed = connected();
    changed.eploy.daily_calls = 77;
    let kept = apply::import(on, vec![changed.clone()]).await.unwrap();
    assert!(kept.changes.is_empty());
    assert_eq!(kept.kept, std::slice::from_ref(&changed.id));
    let application = apply::apply(on, vec![changed.clone()]).await.unwrap();
    assert!(application.in_words().contains("+daily_calls = 77"));
    for one in application.changes {
        operated.apply(one).await.unwrap();
    }
    assert_eq!(on.tenant("acme").await.unwrap(), changed);
    let missing = apply::missing_credentials(on, &changed).await.unwrap();
    assert!(missing.contains("its credentials are missing"), "{missing}");
}

pub async fn an_account_stays_while_its_invitations_are_open(backend: impl Backend) {
    let operated = operated(&backend).await;
    operated
        .save(&sent(&detected(key("acme", 1)), &"p1".into()))
        .await;
    let mut renamed = connected();
    let account = renamed.platforms.remove(&"willo".into()).unwrap();
    renamed.platforms.insert("interviews".into(), account);
    renamed.mappings[0].assessment.account = "interviews".into();
    let refused = apply::apply(&operated.on, vec![renamed]).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("has open invitations (1)"), "{refused}");
    assert_eq!(operated.on.tenant("acme").await.unwrap(), connected());
}

pub async fn a_mapping_is_paused_and_removed(backend: impl Backend) {
    let operated = operated(&backend).await;
    let on = &operated.on;
    operated
        .save(&sent(&detected(key("acme", 1)), &"p1".into()))
        .await;
    let prepare = async |to| mapping::prepare(on, "acme", "video", to).await.unwrap();
    operated
        .apply(change(prepare(To::Paused).await))
        .await
        .unwrap();
    let tenant = on.tenant("acme").await.unwrap();
    let state = MappingState::of(&tenant.mappings[0], None);
    assert_eq!(state, MappingState::Paused);
    let already = nothing(prepare(To::Paused).await);
    assert_eq!(already, "mapping video is already paused");
    let removal = change(prepare(To::Gone).await);
    let shown = removal.in_words();
    assert!(shown.ends_with("1 of its invitations are open."), "{shown}");
    operated.apply(removal).await.unwrap();
    assert!(on.tenant("acme").await.unwrap().mappings.is_empty());
    let gone = mapping::prepare(on, "acme", "video", To::On).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
    let of = |what: &str| (what.to_owned(), "video".to_owned());
    assert_eq!(
        operated.audited().await,
        [of("map pause"), of("map remove")]
    );
}
