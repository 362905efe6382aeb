//! Tenants that live in the store, and what commands do to them while a host serves.

use serde_json::json;
use stagecall_tests::harness::{Harness, stagecall, until};

use super::operate;

/// A tenant goes from the file to the store: exported, imported, given its credentials, served without being in the
/// file, and changed while the host serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_lives_in_the_store_alone() {
    let (mut harness, acme) = Harness::with_one(211).await;
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    let exported = operate(&harness, &["tenant", "export", "acme"]);
    let file = harness.file("tenants.toml");
    std::fs::write(&file, exported.ok()).unwrap();
    harness.stop().await;
    assert!(!exported.out.contains("client_secret"), "{}", exported.out);

    // A new installation, with nothing of the tenant in its configuration.
    let secret = |name: &str| std::fs::read_to_string(harness.file(name)).unwrap();
    let keys = format!(
        "[eploy]\nclient_id = \"{}\"\nclient_secret = \"{}\"\n[willo]\napi_key = \"{}\"\n",
        secret("acme-client-id"),
        secret("acme-client-secret"),
        secret("acme-api-key")
    );
    harness.config["tenants"] = json!({});
    harness.config["host"]["store"] = json!("second.db");
    harness.write_config();
    std::fs::write(harness.file("keys.toml"), keys).unwrap();
    let path = file.to_str().unwrap();
    let shown = operate(&harness, &["tenant", "apply", path, "--check"]);
    assert!(shown.ok().contains("+id = \"acme\""), "{}", shown.out);
    let imported = operate(&harness, &["tenant", "import", path, "--yes"]);
    assert!(
        imported.ok().contains("credentials are missing"),
        "{}",
        imported.out
    );
    let keys = harness.file("keys.toml");
    let keys = keys.to_str().unwrap();
    operate(
        &harness,
        &["tenant", "rotate", "acme", "--secrets", keys, "--yes"],
    )
    .ok();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |name: &str| {
            std::fs::metadata(harness.file(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode("second.db.secrets"), 0o700);
        assert_eq!(mode("second.db.secrets/acme.json"), 0o600);
    }

    harness.start().await;
    // The host that served before had turned the mapping on, too.
    until("the mapping is on", async || {
        let shown = operate(&harness, &["tenant", "show", "acme"]);
        shown.ok().contains("video: active since").then_some(())
    })
    .await;
    let id = acme.invitee().await.application.id;
    acme.shows(id, "Invited").await;

    // A rotated callback token is registered without a restart.
    let registered = || async {
        let log = harness.log();
        log.lines()
            .filter(|line| line.contains("callbacks registered"))
            .count()
    };
    let before = registered().await;
    operate(
        &harness,
        &["tenant", "rotate", "acme", "--callback", "willo", "--yes"],
    )
    .ok();
    until("the new token is registered", async || {
        (registered().await > before).then_some(())
    })
    .await;

    // So is a setting in use.
    let set = operate(
        &harness,
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
    let status = operate(&harness, &["status", "acme", "--json"]).json();
    assert_eq!(status["tenants"][0]["calls_allowed"], 77);
    let shown = operate(&harness, &["tenant", "show", "acme"]);
    for part in [
        "tenant import",
        "tenant rotate",
        "eploy.daily_calls by ada: agreed",
    ] {
        assert!(shown.ok().contains(part), "{part}: {}", shown.out);
    }
    let wrong = operate(
        &harness,
        &["tenant", "set", "acme", "eploy.daily_calls=0", "--yes"],
    );
    assert_eq!(wrong.code, Some(2), "{}", wrong.error);
    let again = operate(
        &harness,
        &["tenant", "set", "acme", "eploy.daily_calls=77", "--yes"],
    );
    assert!(again.ok().contains("nothing changes"), "{}", again.out);

    // A restart does not pause it, and a removal ends it.
    harness.stop().await;
    harness.start().await;
    let listed = operate(&harness, &["tenant", "list", "--json"]).json();
    assert_eq!(listed[0]["paused"], false);
    operate(&harness, &["tenant", "remove", "acme", "--yes"]).ok();
    assert!(!harness.file("second.db.secrets/acme.json").exists());
    assert_eq!(operate(&harness, &["tenant", "show", "acme"]).code, Some(4));
    let kept = operate(&harness, &["explain", "acme", &id.to_string(), "--offline"]);
    assert!(kept.ok().contains("no longer configured"), "{}", kept.out);
}

/// Without a store, or with an impossible one, the command prints the remedy.
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
        (&["serve", "--store", "aws:prod"], "does not need serve"),
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

/// Without a host, a command registers the callbacks, and changes nothing the second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_are_registered_by_a_command() {
    let (mut harness, acme) = Harness::with_one(212).await;
    harness.start_for(&[&acme]).await;
    let without = operate(&harness, &["register", "acme", "--yes"]);
    assert_eq!(without.code, Some(2), "{}", without.out);
    let register = [
        "register",
        "acme",
        "--public-url",
        "http://127.0.0.1:9/",
        "--yes",
    ];
    let first = operate(&harness, &register);
    assert!(
        first.ok().contains("callback registrations: "),
        "{}",
        first.out
    );
    assert!(!first.out.contains("registrations: 0 new"));
    let second = operate(&harness, &register);
    let nothing_new = "registrations: 0 new, 0 changed";
    assert!(second.ok().contains(nothing_new), "{}", second.out);
    let shown = operate(&harness, &["tenant", "show", "acme"]);
    assert!(shown.ok().contains("register acme by ada"), "{}", shown.out);
}

/// Shown, set and applied. A retention time that is not over removes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_of_keeping_is_set_and_applied() {
    let (mut harness, acme) = Harness::with_one(213).await;
    harness.start_for(&[&acme]).await;
    let retention = |more: &[&str]| {
        let arguments = [["retention", "acme"].as_slice(), more].concat();
        operate(&harness, &arguments)
    };
    let unset = retention(&[]);
    assert!(unset.ok().contains("are kept for ever"), "{}", unset.out);
    assert_eq!(retention(&["--apply", "--yes"]).code, Some(2));
    retention(&["--days", "365", "--yes"]).ok();
    let applied = retention(&["--apply", "--yes"]);
    assert!(applied.ok().contains("0 purged"), "{}", applied.out);
    let exported = operate(&harness, &["tenant", "export", "acme"]);
    assert!(
        exported.ok().contains("retention_days = 365"),
        "{}",
        exported.out
    );
}
