//! The operator's commands, against a store that a real story has filled.

mod change;
mod erase;
mod hired;
mod plan;
mod tenants;

use serde_json::{Value, json};
use stagecall_sandbox::control::{CandidateAct, EditCandidate};
use stagecall_tests::harness::{Customer, Harness, MAPPING, stagecall};

/// The outcome and the output of a command.
struct Said {
    code: Option<i32>,
    out: String,
    error: String,
}

impl Said {
    /// What it printed, having done what it was asked.
    fn ok(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.error);
        &self.out
    }

    /// The same, as JSON.
    fn json(&self) -> Value {
        serde_json::from_str(self.ok()).unwrap()
    }
}

/// Runs a command against the harness's installation, without a terminal.
fn operate(harness: &Harness, arguments: &[&str]) -> Said {
    let done = stagecall()
        .args(arguments)
        .arg("--config")
        .arg(harness.file("stagecall.toml"))
        .env("STAGECALL_BY", "ada")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said {
        code: done.status.code(),
        out: text(done.stdout),
        error: text(done.stderr),
    }
}

/// One who completed, one without an e-mail address, and one who was there before the mapping was turned on.
async fn story(harness: &mut Harness, acme: &Customer) -> [u64; 3] {
    let created = acme.apply(3).await;
    let [done, nowhere, early] = [0, 1, 2].map(|n| created[n].application);
    let edit = EditCandidate {
        email: Some(String::new()),
        ..EditCandidate::default()
    };
    harness
        .player
        .edit_candidate("acme", created[1].candidate, &edit)
        .await
        .unwrap();
    acme.enter(&[early]).await;
    harness.open_to_callbacks();
    harness.start_for(&[acme]).await;
    acme.enter(&[done, nowhere]).await;
    let judged = acme.invited(done).await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.score(&judged.participants, 8).await;
    acme.scored(done, 80.0).await;
    acme.shows(nowhere, "Not Invited").await;
    [done, nowhere, early]
}

/// Who was invited, who was not and why, and where to look on each side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_can_be_seen_from_above_and_in_full() {
    let (mut harness, acme) = Harness::with_one(201).await;
    let [done, nowhere, early] = story(&mut harness, &acme).await;

    let status = operate(&harness, &["status", "--json"]).json();
    let one = &status["tenants"][0];
    assert_eq!(one["tenant"], "acme");
    assert_eq!(one["standing"], "on");
    assert_eq!((&one["completed"], &one["failed"]), (&json!(1), &json!(1)));
    assert!(one["calls_today"].as_u64().unwrap() > 0);
    assert!(one["last_poll"].is_string());
    assert!(operate(&harness, &["status"]).ok().contains("acme"));

    let failed = operate(
        &harness,
        &["invitations", "acme", "--state", "failed", "--json"],
    )
    .json();
    assert_eq!(failed.as_array().unwrap().len(), 1);
    assert_eq!(failed[0]["key"]["application"], nowhere.to_string());
    let listed = operate(&harness, &["invitations"]);
    assert!(listed.ok().contains("no e-mail address"), "{}", listed.out);

    let explained = operate(&harness, &["explain", "acme", &done.to_string()]);
    let participant = acme.judged(done).await.participants[0].key.clone();
    let action = acme.judged(done).await.application.actions[0]
        .id
        .to_string();
    for part in [
        "entered the trigger stage",
        "sending began",
        "the platform called back",
        "Eploy shows it",
        &format!("reference {participant}"),
        &format!("action {action}"),
        "completed",
    ] {
        assert!(explained.ok().contains(part), "{part}: {}", explained.out);
    }
    // In order: seen before sent, sent before shown.
    let place = |what: &str| explained.out.find(what).unwrap();
    assert!(place("seen at the trigger stage") < place("the platform has it"));
    assert!(place("the platform has it") < place("Eploy shows it"));
    let why = operate(&harness, &["explain", "acme", &early.to_string()]);
    assert!(
        why.ok()
            .contains("at the trigger stage when the mapping was turned on"),
        "{}",
        why.out
    );

    // An application without a record: Eploy is asked.
    let stranger = acme.applicant().await.application.to_string();
    let why = operate(&harness, &["explain", "acme", &stranger]);
    assert!(why.ok().contains("it is not at a trigger"), "{}", why.out);
    let gone = operate(&harness, &["explain", "acme", "999999"]);
    assert!(gone.ok().contains("no such application"), "{}", gone.out);

    let tail = operate(
        &harness,
        &["tail", "acme", "--since", "1h", "--for", "0", "--json"],
    );
    let events: Vec<Value> = tail
        .ok()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of_done = format!("{done}.{MAPPING}.1");
    let sent = events
        .iter()
        .filter(|line| line["invitation"] == *of_done && line["what"] == "sent");
    assert_eq!(sent.count(), 1);

    for unknown in [
        &["status", "nobody"][..],
        &["explain", "nobody", "1"],
        &["plan", "nobody"],
        &["retry", "acme", "999999", "--yes"],
    ] {
        assert_eq!(operate(&harness, unknown).code, Some(4), "{unknown:?}");
    }
}
