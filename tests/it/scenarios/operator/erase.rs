//! An erased candidate is removed, and does not return.

use std::path::Path;

use stagecall_tests::harness::{Harness, until};

use super::{operate, story};

/// The lines and rows with this text in what a host leaves: the database, its journal, and the log.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("stagecall.db") && !name.ends_with(".log") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if bytes
            .windows(text.len())
            .any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
        {
            found.push(name);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_candidate_is_nowhere_but_on_the_tombstone() {
    let (mut harness, acme) = Harness::with_one(204).await;
    let [done, nowhere, _] = story(&mut harness, &acme).await;
    let judged = acme.judged(done).await;
    let candidate = judged.application.candidate.to_string();
    let reference = judged.participants[0].key.clone();
    // So that the audit log has something to erase, too.
    operate(&harness, &["resync", "acme", &done.to_string(), "--yes"]).ok();
    assert!(!files_with(harness.folder(), &reference).is_empty());

    let asked = operate(&harness, &["erase", "acme", "--candidate", &candidate]);
    assert_eq!(asked.code, Some(2), "there is no terminal");
    let erase = [
        "erase",
        "acme",
        "--candidate",
        &candidate,
        "--yes",
        "--reason",
        "ticket 118",
        "--json",
    ];
    let erased = operate(&harness, &erase).json();
    assert_eq!(erased["removed"]["invitations"], 1);
    assert_eq!(erased["removed"]["references"], 1);
    assert!(erased["removed"]["deliveries"].as_u64().unwrap() >= 1);
    assert_eq!(erased["removed"]["mentions_in_audit_records"], 1);
    let elsewhere = erased["elsewhere"].to_string();
    let removed = format!("{reference} was removed there");
    assert!(elsewhere.contains(&removed), "{elsewhere}");
    let there = acme.judged(done).await.participants;
    assert!(there[0].removed, "Willo has it no more");
    assert!(elsewhere.contains("action"), "{elsewhere}");

    // The host ran all the time. Now everything it leaves is searched.
    acme.polled().await;
    assert_eq!(harness.stop().await.code(), Some(0));
    let in_store = |text: &str| {
        let files = files_with(harness.folder(), text);
        files
            .into_iter()
            .any(|name| name.starts_with("stagecall.db"))
    };
    for gone in [
        reference.as_str(),
        &done.to_string(),
        "app.willotalent.com/show",
    ] {
        assert!(!in_store(gone), "{gone} is in the store");
    }
    assert!(in_store(&candidate), "the tombstone has the id");
    assert!(in_store(&nowhere.to_string()), "others are there");
    for person in harness.player.people().await.unwrap() {
        for text in [&person.email, &person.surname, &person.mobile] {
            assert_eq!(
                files_with(harness.folder(), text),
                Vec::<String>::new(),
                "{text}"
            );
        }
    }

    // Whatever the recruiter does, the candidate is not invited again, for this application or another.
    harness.start().await;
    acme.leave(&[done]).await;
    acme.polled().await;
    acme.enter(&[done]).await;
    let other = acme.invitee().await.application.id;
    acme.polled().await;
    assert_eq!(acme.judged(done).await.invitations.len(), 1);
    assert_eq!(acme.judged(other).await.invitations.len(), 1);
    let plan = operate(&harness, &["plan", "acme", "--all"]);
    assert!(
        plan.ok().contains("the candidate was erased"),
        "{}",
        plan.out
    );
    let explained = operate(&harness, &["explain", "acme", &done.to_string()]);
    assert!(
        explained.ok().contains("the candidate was erased"),
        "{}",
        explained.out
    );
    let again = operate(&harness, &erase).json();
    assert_eq!(again["removed"]["invitations"], 0);
    until("nothing of it is recorded", async || {
        let listed = operate(
            &harness,
            &["invitations", "acme", "--candidate", &candidate, "--json"],
        );
        (listed.json() == serde_json::json!([])).then_some(())
    })
    .await;
}
