//! Personal data stays where it is: neither the file nor the log of a host has any of it, nor a secret.

use std::path::Path;

use stagecall_sandbox::control::{CandidateAct, EditCandidate, Fault, MadeUp, ReviewerAct, Rule};
use stagecall_tests::harness::{Customer, Harness, request, until};
use stagecall_tests::privacy::{forms, found};

/// Everything that our own crates can log.
pub(super) const ALL_LOGS: &str = "info,stagecall=trace,stagecall_core=trace,stagecall_eploy=trace,stagecall_http=trace,stagecall_platforms=trace,stagecall_embedded=trace";

/// What a reviewer says.
const COMMENT: &str = "wears a remarkable turquoise pullover";

/// Everything that a customer's host must not store: its people in every form, and its secrets.
pub(super) async fn forbidden(harness: &Harness, customer: &Customer) -> Vec<String> {
    let people = harness.player.people().await.unwrap();
    assert!(!people.is_empty());
    let mut needles: Vec<String> = people.iter().flat_map(forms).collect();
    let system = harness.player.eploy(&customer.name).await.unwrap();
    let account = harness.player.willo(&customer.name).await.unwrap();
    if harness.config["host"]["public_url"].is_string() {
        needles.push(callback_token(harness, &account.api_key).await);
    }
    needles.extend([system.keys[0].client_secret.clone(), account.api_key]);
    needles
}

/// Nothing of a customer's people and secrets is in any file that hosts have left so far, or in their log.
pub(super) async fn nobody_is_left(harness: &Harness, customer: &Customer) {
    let needles = forbidden(harness, customer).await;
    for folder in harness.folders() {
        assert_eq!(left(&folder, &needles), Vec::new());
    }
    // The right files were looked at, and they can be read.
    let known = [customer.name.clone()];
    let folders = harness.folders();
    let files: Vec<_> = folders.iter().flat_map(|one| left(one, &known)).collect();
    for file in ["stagecall.db", "stderr.log"] {
        assert!(
            files.iter().any(|(one, _)| one.starts_with(file)),
            "{file} is not among {files:?}"
        );
    }
}

/// What of these a host has left in its folder, in which file. The secrets' own files do not count.
pub(super) fn left<'a>(folder: &Path, needles: &'a [String]) -> Vec<(String, &'a str)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("acme-") || path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        all.extend(
            found(&bytes, needles)
                .into_iter()
                .map(|needle| (name.clone(), needle)),
        );
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_in_the_file_or_in_the_log() {
    let (mut harness, acme) = Harness::with_one(101).await;
    harness.open_to_callbacks();
    harness.logs = ALL_LOGS;
    let quirks = serde_json::json!({"callback_body": "dump"});
    harness.player.switch_willo("acme", quirks).await.unwrap();
    harness.start_for(&[&acme]).await;
    // Failures are logged most.
    harness
        .faults(vec![
            Rule::next("willo.participants.create", 2, Fault::DropAfter),
            Rule::next(
                "willo.participants.get",
                2,
                Fault::ErrorAfter { status: 500 },
            ),
            Rule::next("eploy.candidates", 2, Fault::ErrorAfter { status: 500 }),
            Rule::next("eploy.actions", 3, Fault::ErrorAfter { status: 502 }),
        ])
        .await;
    let created = acme.apply(8).await;
    let ids: Vec<u64> = created.iter().map(|one| one.application).collect();
    let nowhere = EditCandidate {
        email: Some("not an address of anybody".to_owned()),
        ..EditCandidate::default()
    };
    harness
        .player
        .edit_candidate("acme", created[7].candidate, &nowhere)
        .await
        .unwrap();
    acme.enter(&ids).await;
    for id in &ids[..7] {
        acme.invited(*id).await;
        acme.shows(*id, "Invited").await;
    }
    acme.shows(ids[7], "Not Invited").await;
    let all = acme.all().await;
    let participants: Vec<_> = all
        .iter()
        .flat_map(|one| one.participants.clone())
        .collect();
    acme.act(&participants[..5], CandidateAct::Answer).await;
    acme.act(&participants[5..6], CandidateAct::Decline).await;
    acme.act(&participants[6..], CandidateAct::Bounce).await;
    acme.score(&participants[..5], 7).await;
    let text = COMMENT.to_owned();
    acme.review(&participants[..5], ReviewerAct::Comment { text })
        .await;
    for id in &ids[..5] {
        acme.scored(*id, 70.0).await;
        until("the comment is in Eploy", async || {
            let told = acme.shows(*id, "Completed").await.comments_html?;
            told.contains(COMMENT).then_some(())
        })
        .await;
    }
    until("all callbacks are delivered", async || {
        (harness.player.pending_callbacks().await.unwrap() == 0).then_some(())
    })
    .await;

    let mut needles = forbidden(&harness, &acme).await;
    needles.push(COMMENT.to_owned());

    // With what a running host has in its journal, and with what one leaves that ended.
    assert_eq!(left(harness.folder(), &needles), Vec::new());
    assert_eq!(harness.stop().await.code(), Some(0));
    assert_eq!(left(harness.folder(), &needles), Vec::new());

    // The right files were looked at, and they can be read.
    let known = vec![ids[0].to_string()];
    let files: Vec<_> = left(harness.folder(), &known)
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    for file in ["stagecall.db", "stderr.log"] {
        assert!(
            files.iter().any(|one| one == file),
            "{file} is not among {files:?}"
        );
    }
    assert!(
        harness.log().contains("DEBUG stagecall_http"),
        "nothing was logged in detail"
    );
}

/// Willo's callback token, which only Willo has.
async fn callback_token(harness: &Harness, api_key: &str) -> String {
    let path = "/willo/acme/api/integrations/v2/webhooks/";
    let headers = [("authorization", api_key)];
    let reply = request(harness.sandbox.addr(), "GET", path, &headers, b"").await;
    let (_, after) = reply.body.split_once("/callbacks/acme/willo/").unwrap();
    let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
    assert_eq!(end, 64);
    after[..end].to_owned()
}

/// The search finds what is there, however it is written.
#[test]
fn the_search_finds_what_is_sample() {
    let ada = MadeUp {
        first_name: "Ada".to_owned(),
        surname: "Example".to_owned(),
        email: "ada@example.com".to_owned(),
        mobile: "07700 900123".to_owned(),
    };
    let needles = forms(&ada);
    assert!(found(b"nothing of interest", &needles).is_empty());
    for sample in [
        "\0\x01{\"name\":\"ADA\"}",
        "to=ada%40example.com",
        "ada@EXAMPLE.com",
        "07700 900123",
        "07700900123",
        "+447700900123",
        "+44 7700 900123",
    ] {
        assert!(!found(sample.as_bytes(), &needles).is_empty(), "{sample}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("stagecall.db-wal"),
        b"\0\0 mr EXAMPLE \0",
    )
    .unwrap();
    std::fs::write(folder.path().join("acme-api-key"), "Example").unwrap();
    let all = left(folder.path(), &needles);
    assert_eq!(all, [("stagecall.db-wal".to_owned(), "Example")]);
}
