//! `tenant add` names each problem exactly, exits with 3, and resumes from there.

use serde_json::{Value, json};
use stagecall_sandbox::control::{Role, SystemSettings};

use super::fixture::{CliFixture, Done};

/// The problems that a command found, by code.
fn problems(done: &Done) -> Vec<(String, String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let json = done.json();
    let findings = json["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|finding| finding["verdict"] == "problem")
        .map(|finding| {
            (
                text(finding, "code"),
                text(finding, "found"),
                text(finding, "fix"),
            )
        })
        .collect()
}

async fn set(fixture: &CliFixture, settings: SystemSettings) {
    fixture.player.set_eploy("acme", &settings).await.unwrap();
}

/// Each small mistake of an administrator is named, with its fix. Once it is fixed, the same command continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_eploy_problem_is_named_exactly_and_can_be_fixed() {
    let fixture = CliFixture::new(181).await;
    let system = fixture.player.eploy("acme").await.unwrap();
    let (key, roles) = (system.keys[0].clone(), system.roles.clone());
    let mut lacking = key.clone();
    lacking.scopes.remove("actions.insert");
    let second = Role {
        name: "Recruiter".to_owned(),
        scopes: roles[0].scopes.clone(),
    };
    let api_key = fixture.player.willo("acme").await.unwrap().api_key;
    let cases = [
        (
            SystemSettings {
                keys: Some(vec![lacking]),
                end_tokens: true,
                ..SystemSettings::default()
            },
            "eploy.permission",
            "Actions: Insert is missing",
            "tick Insert for Actions",
        ),
        (
            SystemSettings {
                keys: Some(vec![key.clone()]),
                roles: Some([roles.clone(), vec![second]].concat()),
                end_tokens: true,
                ..SystemSettings::default()
            },
            "eploy.role",
            "Role",
            "exactly one Role",
        ),
        (
            SystemSettings {
                roles: Some(roles),
                ip_ranges: Some(Vec::new()),
                ..SystemSettings::default()
            },
            "eploy.ip_forbidden",
            "our IP address",
            "Restricted IP Access",
        ),
    ];
    for (settings, code, found, fix) in cases {
        set(&fixture, settings).await;
        let done = fixture.add(&["--json"]);
        assert_eq!(done.code, Some(3), "{done:?}");
        let problems = problems(&done);
        let [(is, says, how)] = problems.as_slice() else {
            panic!("{code}: {problems:?}");
        };
        assert_eq!(is, code);
        assert!(says.contains(found) && how.contains(fix), "{says} → {how}");
    }
    let settings = SystemSettings {
        ip_ranges: Some(vec!["127.0.0.1/32".to_owned()]),
        ..SystemSettings::default()
    };
    set(&fixture, settings).await;

    fixture.keys(&key.client_id, "not the secret", &api_key);
    let done = fixture.add(&["--json"]);
    assert_eq!(done.code, Some(3));
    assert_eq!(problems(&done)[0].0, "eploy.credentials");
    assert!(!format!("{done:?}").contains("not the secret"));
    let paused = fixture.run(&["tenant", "list", "--json"]).well();
    assert!(paused.contains("\"paused\": true"), "{paused}");

    fixture.keys(&key.client_id, &key.client_secret, &api_key);
    let done = fixture.add(&[]);
    let out = done.well();
    assert!(out.contains("acme is connected"), "{out}");
    let on = fixture.run(&["tenant", "list", "--json"]).well();
    assert!(on.contains("\"paused\": false"), "{on}");
}

/// The platform's key is checked the same way, and earlier input is not requested again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platforms_key_is_checked_and_setup_resumes_where_it_stopped() {
    let fixture = CliFixture::new(182).await;
    let key = fixture.player.eploy("acme").await.unwrap().keys[0].clone();
    let api_key = fixture.player.willo("acme").await.unwrap().api_key;
    fixture.keys(&key.client_id, &key.client_secret, "not the key");
    let done = fixture.add(&["--json"]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let found = problems(&done);
    assert_eq!(found[0].0, "platform.unauthorized", "{found:?}");

    // Only the wrong value is given again, on standard input. The rest is stored.
    let input = format!("[willo]\napi_key = \"{api_key}\"\n");
    let arguments = [
        "tenant",
        "add",
        "acme",
        "--platform",
        "willo",
        "--secrets",
        "-",
    ];
    let out = fixture.run_with(&arguments, &input).well();
    assert!(out.contains("acme is connected"), "{out}");

    // A further check needs no input at all.
    let out = fixture.run(&["tenant", "add", "acme"]).well();
    assert!(out.contains("acme is connected"), "{out}");
    let kept = fixture.kept();
    for secret in [&key.client_secret, &api_key] {
        assert!(
            !kept.contains(secret.as_str()),
            "a secret is in the store itself"
        );
    }
}

/// Without a terminal, missing input is named by the flag that would have given it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_input_is_named_by_its_flag() {
    let fixture = CliFixture::new(183).await;
    let done = fixture.run(&["tenant", "add", "acme"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.err.contains("--eploy is missing"), "{done:?}");
    let done = fixture.run(&["tenant", "add", "acme", "--eploy", "acme"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.err.contains("STAGECALL_EPLOY_CLIENT_ID"), "{done:?}");
    std::fs::write(fixture.file("keys.toml"), "[eploy]\nclient_id = s3cr3t").unwrap();
    let done = fixture.run(&[
        "tenant",
        "add",
        "acme",
        "--eploy",
        "acme",
        "--secrets",
        "keys.toml",
    ]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(!done.err.contains("s3cr3t"), "{done:?}");
    let done = fixture.run(&["tenant", "add", "a/b", "--eploy", "acme"]);
    assert_eq!(done.code, Some(2), "{done:?}");
}

/// The probed dialect is saved with the tenant, and lists can be read with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probing_keeps_the_dialect() {
    let fixture = CliFixture::new(184).await;
    fixture
        .player
        .switch_eploy(
            "acme",
            json!({"stage_route": "Application.StageId", "status_history": false}),
        )
        .await
        .unwrap();
    fixture.apply("Shortlist", 3).await;
    fixture.add(&[]).well();
    let dry = fixture.run(&["probe", "acme", "--dry-run", "--json"]);
    assert_eq!(dry.json()["kept"], false);
    let kept = fixture.run(&["probe", "acme", "--json"]);
    assert_eq!(kept.json()["kept"], true);
    let dialect = &kept.json()["dialect"];
    assert_eq!(dialect["stage_route"], "Application.StageId");
    assert_eq!(dialect["history"], "unreadable");
    let again = fixture.run(&["probe", "acme"]).well();
    assert!(again.contains("is unchanged"), "{again}");
    let stages = fixture.run(&["stages", "acme", "--json"]);
    assert_eq!(stages.json()["complete"], true);
    let options = stages.json()["options"].clone();
    let mut names = options.as_array().unwrap().iter().map(|one| &one["name"]);
    assert!(names.any(|name| name == "Video Interview"));
    for (arguments, expected) in [
        (&["jobs", "acme"][..], "Support Worker"),
        (&["assessments", "acme"], "First interview"),
        (&["outcomes", "acme"], "Undeliverable"),
        (&["outcomes", "acme", "--types"], "Skills Test"),
        (&["stages", "acme", "--statuses"], "To Be Completed"),
        (&["questions", "acme"], "Assessment Score"),
    ] {
        let out = fixture.run(arguments).well();
        assert!(out.contains(expected), "{arguments:?}: {out}");
    }
    // Nothing is written unless requested.
    let refused = fixture.run(&["probe", "acme", "--on", "70001", "--action-type", "42"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("--yes"), "{refused:?}");
    let before = fixture.player.writes(0).await.unwrap().next;
    let done = fixture
        .run(&[
            "probe",
            "acme",
            "--on",
            "70001",
            "--action-type",
            "42",
            "--yes",
        ])
        .well();
    assert!(done.contains("Left behind: action"), "{done}");
    assert!(fixture.player.writes(0).await.unwrap().next > before);
}
