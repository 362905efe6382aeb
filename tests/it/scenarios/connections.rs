//! A broken connection is reported with its reason and its fix, resumes once it is fixed, and affects no other tenant.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, Key, NewOption, Role, SystemSettings};
use stagecall_tests::harness::{Customer, Harness, completed, free_port};

/// The log line of a suspended tenant.
async fn suspended(harness: &Harness, tenant: &str, code: &str, fix: &[&str]) {
    let tenant = format!("tenant={tenant} ");
    let line = harness.logged(&["tenant suspended", &tenant]).await;
    for word in [&[code], fix].concat() {
        assert!(line.contains(word), "\"{word}\" is not in: {line}");
    }
}

/// The whole process for one candidate.
async fn works(customer: &Customer) {
    let judged = customer.invitee().await;
    let id = judged.application.id;
    customer.shows(id, "Invited").await;
    customer
        .act(&judged.participants, CandidateAct::Answer)
        .await;
    customer.shows(id, "Completed").await;
    assert!(completed(&customer.judged(id).await));
}

async fn set(harness: &Harness, system: &str, settings: SystemSettings) {
    harness.player.set_eploy(system, &settings).await.unwrap();
}

/// The system's key with some of its scopes.
fn keys(key: &Key, without: &str) -> Vec<Key> {
    let mut key = key.clone();
    key.scopes.remove(without);
    vec![key]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_eploy_permissions_are_reported_and_fixed_while_others_continue() {
    let mut harness = Harness::new(121).await;
    let good = harness.customer("good").await;
    let secret = harness.customer("secret").await;
    let permission = harness.customer("permission").await;
    let ip = harness.customer("ip").await;
    let role = harness.customer("role").await;
    harness.secret("secret-client-secret", "not the secret");
    let key = harness.player.eploy("permission").await.unwrap().keys[0].clone();
    let roles = harness.player.eploy("role").await.unwrap().roles;
    let second = Role {
        name: "Recruiter".to_owned(),
        scopes: roles[0].scopes.clone(),
    };
    let settings = SystemSettings {
        keys: Some(keys(&key, "applications.read")),
        ..SystemSettings::default()
    };
    set(&harness, "permission", settings).await;
    let settings = SystemSettings {
        ip_ranges: Some(vec!["203.0.113.7/32".to_owned()]),
        ..SystemSettings::default()
    };
    set(&harness, "ip", settings).await;
    let settings = SystemSettings {
        roles: Some([roles.clone(), vec![second]].concat()),
        ..SystemSettings::default()
    };
    set(&harness, "role", settings).await;
    harness.start_for(&[&good]).await;

    let keys_screen = "Admin > Security Settings > API Keys";
    suspended(
        &harness,
        "secret",
        "eploy.credentials",
        &[keys_screen, "Client Secret again"],
    )
    .await;
    let missing = "Applications: View is missing";
    suspended(
        &harness,
        "permission",
        "eploy.permission",
        &[missing, keys_screen],
    )
    .await;
    suspended(
        &harness,
        "ip",
        "eploy.ip_forbidden",
        &["Restricted IP Access"],
    )
    .await;
    suspended(&harness, "role", "eploy.role", &["exactly one Role"]).await;
    works(&good).await;

    harness.secret(
        "secret-client-secret",
        &harness.player.eploy("secret").await.unwrap().keys[0].client_secret,
    );
    let settings = SystemSettings {
        keys: Some(vec![key]),
        end_tokens: true,
        ..SystemSettings::default()
    };
    set(&harness, "permission", settings).await;
    let settings = SystemSettings {
        ip_ranges: Some(vec!["127.0.0.*".to_owned()]),
        ..SystemSettings::default()
    };
    set(&harness, "ip", settings).await;
    let settings = SystemSettings {
        roles: Some(roles),
        ..SystemSettings::default()
    };
    set(&harness, "role", settings).await;
    let mended = [&secret, &permission, &ip, &role];
    harness.mappings_on(&mended).await;
    for customer in mended {
        let tenant = format!("tenant={}", customer.name);
        harness.logged(&["tenant resumed", &tenant]).await;
        works(customer).await;
    }
}

/// An address without a listener, and one that is not Eploy's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_is_reported_while_others_continue() {
    let mut harness = Harness::new(122).await;
    let good = harness.customer("good").await;
    harness.customer("silent").await;
    harness.customer("elsewhere").await;
    harness.tenant("silent")["eploy"]["base_url"] = json!(format!("http://{}/", free_port()));
    harness.tenant("elsewhere")["eploy"]["base_url"] = json!(format!(
        "{}/eploy/nobody/of/this/name/",
        harness.sandbox.url()
    ));
    harness.start_for(&[&good]).await;
    let line = harness.logged(&["poll failed", "tenant=silent "]).await;
    assert!(
        line.contains("eploy.unreachable") && line.contains("check base_url"),
        "{line}"
    );
    let fix = [
        "the address at which you log in to Eploy",
        "Account Manager",
    ];
    suspended(&harness, "elsewhere", "eploy.no_api", &fix).await;
    works(&good).await;
}

/// A permission that only some calls need: the log names it, and the report succeeds once it is granted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_report_permission_is_reported_and_nothing_is_lost() {
    let (mut harness, acme) = Harness::with_one(123).await;
    let key = harness.player.eploy("acme").await.unwrap().keys[0].clone();
    let settings = SystemSettings {
        keys: Some(keys(&key, "actions.insert")),
        ..SystemSettings::default()
    };
    set(&harness, "acme", settings).await;
    harness.start_for(&[&acme]).await;
    let judged = acme.invitee().await;
    let line = harness
        .logged(&["report deferred", "eploy.permission"])
        .await;
    assert!(line.contains("Actions: Insert is missing"), "{line}");
    let settings = SystemSettings {
        keys: Some(vec![key]),
        end_tokens: true,
        ..SystemSettings::default()
    };
    set(&harness, "acme", settings).await;
    acme.shows(judged.application.id, "Invited").await;
    let judged = acme.judged(judged.application.id).await;
    assert_eq!(
        (judged.invitations.len(), judged.application.actions.len()),
        (1, 1)
    );
}

/// Willo's key is wrong: the log has the problem and its fix, and the invitation is sent once the key is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_platform_key_is_reported_and_fixed() {
    let (mut harness, acme) = Harness::with_one(124).await;
    harness.secret("acme-api-key", "not the key");
    harness.start_for(&[&acme]).await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    let line = harness
        .logged(&["invitation deferred", "platform.unauthorized"])
        .await;
    assert!(
        line.contains("Make a new key in the platform account"),
        "{line}"
    );
    let key = harness.player.willo("acme").await.unwrap().api_key;
    harness.secret("acme-api-key", &key);
    let judged = acme.invited(id).await;
    acme.shows(id, "Invited").await;
    assert_eq!(judged.invitations.len(), 1);
}

/// A stage that vanishes is reported for its mapping. Once it is back, the applications there are not invited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_vanishes_breaks_its_mapping_loudly() {
    let (mut harness, acme) = Harness::with_one(125).await;
    harness.config["timing"]["recheck_seconds"] = json!(0.5);
    let acme_config = harness.tenant("acme");
    acme_config["eploy"]["dialect"]["options_index_path"] = json!("options/dropdown");
    acme_config["mappings"][0]["triggers"] =
        json!([{"stage_name": "Video Interview", "status_names": ["To Be Completed"]}]);
    harness.start_for(&[&acme]).await;
    let stage = |archived| NewOption {
        list: 60,
        id: 12,
        name: "Video Interview".to_owned(),
        archived,
    };
    let ids: Vec<u64> = acme
        .apply(2)
        .await
        .iter()
        .map(|one| one.application)
        .collect();
    harness.player.option("acme", &stage(true)).await.unwrap();
    let line = harness.logged(&["mapping is broken, no invitations"]).await;
    assert!(
        line.contains("archived") && line.contains("Choose another stage"),
        "{line}"
    );
    harness.player.option("acme", &stage(false)).await.unwrap();
    acme.enter(&ids[..1]).await;
    acme.invited(ids[0]).await;
    assert_eq!(harness.player.invitations(0).await.unwrap().next, 1);
}
