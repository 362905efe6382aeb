//! A connection that does not work says why and what mends it, goes on by itself once it is mended, and is nobody
//! else's problem.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, Key, NewOption, Role, SystemSettings};
use stagecall_tests::rig::{Customer, Rig, completed, free_port};

/// What the log says of a tenant that is suspended.
async fn suspended(rig: &Rig, tenant: &str, code: &str, mend: &[&str]) {
    let tenant = format!("tenant={tenant} ");
    let line = rig.logged(&["the tenant is suspended", &tenant]).await;
    for word in [&[code], mend].concat() {
        assert!(line.contains(word), "\"{word}\" is not in: {line}");
    }
}

/// The whole way for one candidate.
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

async fn set(rig: &Rig, system: &str, settings: SystemSettings) {
    rig.player.set_eploy(system, &settings).await.unwrap();
}

/// The system's key with some of its scopes.
fn keys(key: &Key, without: &str) -> Vec<Key> {
    let mut key = key.clone();
    key.scopes.remove(without);
    vec![key]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_eploy_does_not_allow_is_told_and_mended_while_others_go_on() {
    let mut rig = Rig::new(121).await;
    let good = rig.customer("good").await;
    let secret = rig.customer("secret").await;
    let permission = rig.customer("permission").await;
    let ip = rig.customer("ip").await;
    let role = rig.customer("role").await;
    rig.secret("secret-client-secret", "not the secret");
    let key = rig.player.eploy("permission").await.unwrap().keys[0].clone();
    let roles = rig.player.eploy("role").await.unwrap().roles;
    let second = Role {
        name: "Recruiter".to_owned(),
        scopes: roles[0].scopes.clone(),
    };
    let settings = SystemSettings {
        keys: Some(keys(&key, "applications.read")),
        ..SystemSettings::default()
    };
    set(&rig, "permission", settings).await;
    let settings = SystemSettings {
        ip_ranges: Some(vec!["203.0.113.7/32".to_owned()]),
        ..SystemSettings::default()
    };
    set(&rig, "ip", settings).await;
    let settings = SystemSettings {
        roles: Some([roles.clone(), vec![second]].concat()),
        ..SystemSettings::default()
    };
    set(&rig, "role", settings).await;
    rig.start_for(&[&good]).await;

    let keys_screen = "Admin > Security Settings > API Keys";
    suspended(
        &rig,
        "secret",
        "eploy.credentials",
        &[keys_screen, "Client Secret again"],
    )
    .await;
    let missing = "Applications: View is missing";
    suspended(
        &rig,
        "permission",
        "eploy.permission",
        &[missing, keys_screen],
    )
    .await;
    suspended(&rig, "ip", "eploy.ip_forbidden", &["Restricted IP Access"]).await;
    suspended(&rig, "role", "eploy.role", &["exactly one Role"]).await;
    works(&good).await;

    rig.secret(
        "secret-client-secret",
        &rig.player.eploy("secret").await.unwrap().keys[0].client_secret,
    );
    let settings = SystemSettings {
        keys: Some(vec![key]),
        end_tokens: true,
        ..SystemSettings::default()
    };
    set(&rig, "permission", settings).await;
    let settings = SystemSettings {
        ip_ranges: Some(vec!["127.0.0.*".to_owned()]),
        ..SystemSettings::default()
    };
    set(&rig, "ip", settings).await;
    let settings = SystemSettings {
        roles: Some(roles),
        ..SystemSettings::default()
    };
    set(&rig, "role", settings).await;
    let mended = [&secret, &permission, &ip, &role];
    rig.mappings_on(&mended).await;
    for customer in mended {
        let tenant = format!("tenant={}", customer.name);
        rig.logged(&["the tenant works again", &tenant]).await;
        works(customer).await;
    }
}

/// An address where nobody listens, and one where there is no Eploy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_is_told_while_others_go_on() {
    let mut rig = Rig::new(122).await;
    let good = rig.customer("good").await;
    rig.customer("silent").await;
    rig.customer("elsewhere").await;
    rig.tenant("silent")["eploy"]["base_url"] = json!(format!("http://{}/", free_port()));
    rig.tenant("elsewhere")["eploy"]["base_url"] =
        json!(format!("{}/eploy/nobody/of/this/name/", rig.sandbox.url()));
    rig.start_for(&[&good]).await;
    let line = rig.logged(&["the poll failed", "tenant=silent "]).await;
    assert!(
        line.contains("eploy.unreachable") && line.contains("check base_url"),
        "{line}"
    );
    let mend = [
        "the address at which you log in to Eploy",
        "Account Manager",
    ];
    suspended(&rig, "elsewhere", "eploy.no_api", &mend).await;
    works(&good).await;
}

/// A permission that only some calls need: the log names it, and the report gets through once it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_reporting_lacks_is_told_and_nothing_is_lost() {
    let (mut rig, acme) = Rig::with_one(123).await;
    let key = rig.player.eploy("acme").await.unwrap().keys[0].clone();
    let settings = SystemSettings {
        keys: Some(keys(&key, "actions.insert")),
        ..SystemSettings::default()
    };
    set(&rig, "acme", settings).await;
    rig.start_for(&[&acme]).await;
    let judged = acme.invitee().await;
    let line = rig
        .logged(&["the report was put off", "eploy.permission"])
        .await;
    assert!(line.contains("Actions: Insert is missing"), "{line}");
    let settings = SystemSettings {
        keys: Some(vec![key]),
        end_tokens: true,
        ..SystemSettings::default()
    };
    set(&rig, "acme", settings).await;
    acme.shows(judged.application.id, "Invited").await;
    let judged = acme.judged(judged.application.id).await;
    assert_eq!(
        (judged.invitations.len(), judged.application.actions.len()),
        (1, 1)
    );
}

/// Willo's key is wrong: the log says so and what mends it, and the invitation goes out once it is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_platform_key_is_told_and_mended() {
    let (mut rig, acme) = Rig::with_one(124).await;
    rig.secret("acme-api-key", "not the key");
    rig.start_for(&[&acme]).await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    let line = rig
        .logged(&["the invitation was put off", "platform.unauthorized"])
        .await;
    assert!(
        line.contains("Make a new key in the platform account"),
        "{line}"
    );
    let key = rig.player.willo("acme").await.unwrap().api_key;
    rig.secret("acme-api-key", &key);
    let judged = acme.invited(id).await;
    acme.shows(id, "Invited").await;
    assert_eq!(judged.invitations.len(), 1);
}

/// A stage that vanishes breaks its mapping loudly; once it is back, whoever is there by then is not invited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_vanishes_breaks_its_mapping_loudly() {
    let (mut rig, acme) = Rig::with_one(125).await;
    rig.config["timing"]["recheck_seconds"] = json!(0.5);
    let acme_config = rig.tenant("acme");
    acme_config["eploy"]["dialect"]["options_index_path"] = json!("options/dropdown");
    acme_config["mappings"][0]["triggers"] =
        json!([{"stage_name": "Video Interview", "status_names": ["To Be Completed"]}]);
    rig.start_for(&[&acme]).await;
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
    rig.player.option("acme", &stage(true)).await.unwrap();
    let line = rig
        .logged(&["a mapping is broken and invites nobody"])
        .await;
    assert!(
        line.contains("archived") && line.contains("Choose another stage"),
        "{line}"
    );
    rig.player.option("acme", &stage(false)).await.unwrap();
    acme.enter(&ids[..1]).await;
    acme.invited(ids[0]).await;
    assert_eq!(rig.player.invitations(0).await.unwrap().next, 1);
}
