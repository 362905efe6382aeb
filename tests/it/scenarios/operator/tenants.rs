//! Tenants that live in the store, and what commands do to them while a host serves.

use serde_json::json;
use stagecall_tests::rig::{Rig, stagecall, until};

use super::operate;

/// A tenant goes from the file to the store: exported, imported, given its credentials, served without being in the
/// file, and changed while the host serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_lives_in_the_store_alone() {
    let (mut rig, acme) = Rig::with_one(211).await;
    rig.open_to_callbacks();
    rig.start_for(&[&acme]).await;
    let exported = operate(&rig, &["tenant", "export", "acme"]);
    let file = rig.file("tenants.toml");
    std::fs::write(&file, exported.ok()).unwrap();
    rig.stop().await;
    assert!(!exported.out.contains("client_secret"), "{}", exported.out);

    // A new installation, with nothing of the tenant in its configuration.
    let secret = |name: &str| std::fs::read_to_string(rig.file(name)).unwrap();
    let keys = format!(
        "[eploy]\nclient_id = \"{}\"\nclient_secret = \"{}\"\n[willo]\napi_key = \"{}\"\n",
        secret("acme-client-id"),
        secret("acme-client-secret"),
        secret("acme-api-key")
    );
    rig.config["tenants"] = json!({});
    rig.config["host"]["store"] = json!("second.db");
    rig.write_config();
    std::fs::write(rig.file("keys.toml"), keys).unwrap();
    let path = file.to_str().unwrap();
    let shown = operate(&rig, &["tenant", "apply", path, "--check"]);
    assert!(shown.ok().contains("+id = \"acme\""), "{}", shown.out);
    let imported = operate(&rig, &["tenant", "import", path, "--yes"]);
    assert!(
        imported.ok().contains("credentials are not there yet"),
        "{}",
        imported.out
    );
    let keys = rig.file("keys.toml");
    let keys = keys.to_str().unwrap();
    operate(
        &rig,
        &["tenant", "rotate", "acme", "--secrets", keys, "--yes"],
    )
    .ok();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |name: &str| {
            std::fs::metadata(rig.file(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode("second.db.secrets"), 0o700);
        assert_eq!(mode("second.db.secrets/acme.json"), 0o600);
    }

    rig.start().await;
    // The host that served before had turned the mapping on, too.
    until("the mapping is on", async || {
        let shown = operate(&rig, &["tenant", "show", "acme"]);
        shown.ok().contains("video: on since").then_some(())
    })
    .await;
    let id = acme.invitee().await.application.id;
    acme.shows(id, "Invited").await;

    // A rotated callback token is registered without a restart.
    let registered = || async {
        let log = rig.log();
        log.lines()
            .filter(|line| line.contains("callbacks registered"))
            .count()
    };
    let before = registered().await;
    operate(
        &rig,
        &["tenant", "rotate", "acme", "--callback", "willo", "--yes"],
    )
    .ok();
    until("the new token is registered", async || {
        (registered().await > before).then_some(())
    })
    .await;

    // So is a setting in use.
    let set = operate(
        &rig,
        &[
            "tenant",
            "set",
            "acme",
            "eploy.daily_calls=77",
            "--yes",
            "--reason",
            "agreed",
        ],
    );
    assert!(set.error.contains("+daily_calls = 77"), "{}", set.error);
    let status = operate(&rig, &["status", "acme", "--json"]).json();
    assert_eq!(status["tenants"][0]["calls_allowed"], 77);
    let shown = operate(&rig, &["tenant", "show", "acme"]);
    for part in [
        "tenant import",
        "tenant rotate",
        "eploy.daily_calls by ada: agreed",
    ] {
        assert!(shown.ok().contains(part), "{part}: {}", shown.out);
    }
    let wrong = operate(
        &rig,
        &["tenant", "set", "acme", "eploy.daily_calls=0", "--yes"],
    );
    assert_eq!(wrong.code, Some(2), "{}", wrong.error);
    let again = operate(
        &rig,
        &["tenant", "set", "acme", "eploy.daily_calls=77", "--yes"],
    );
    assert!(again.ok().contains("nothing changes"), "{}", again.out);

    // A restart does not pause it, and a removal ends it.
    rig.stop().await;
    rig.start().await;
    let listed = operate(&rig, &["tenant", "list", "--json"]).json();
    assert_eq!(listed[0]["paused"], false);
    operate(&rig, &["tenant", "remove", "acme", "--yes"]).ok();
    assert!(!rig.file("second.db.secrets/acme.json").exists());
    assert_eq!(operate(&rig, &["tenant", "show", "acme"]).code, Some(4));
    let kept = operate(&rig, &["explain", "acme", &id.to_string(), "--offline"]);
    assert!(
        kept.ok().contains("not configured any more"),
        "{}",
        kept.out
    );
}

/// Without a store, or with one that cannot be, the command says what to do.
#[test]
fn a_store_that_is_not_there_is_a_wrong_command_line() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, says) in [
        (&["status"][..], "stagecall tenant add"),
        (&["status", "--store", "sqlite:nowhere.db"], "nowhere.db"),
        (
            &["status", "--store", "nowhere"],
            "sqlite:PATH or aws:STACK",
        ),
        (&["serve"], "--config"),
        (&["serve", "--store", "aws:prod"], "serves itself"),
    ] {
        let done = stagecall()
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    assert!(!folder.path().join("nowhere.db").exists());
}
