//! The lines of the log: each says whose it is, where a program finds that.

use serde_json::Value;
use stagecall_sandbox::control::{CandidateAct, Fault, Rule};
use stagecall_tests::harness::Harness;

/// Messages about the host itself, or about all tenants.
const OF_THE_HOST: [&str; 2] = ["database schema migrated", "host stopping"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_about_a_tenant_names_it_at_the_top_level() {
    let (mut harness, acme) = Harness::with_one(231).await;
    harness.log_json = true;
    harness.logs = "warn,stagecall=debug";
    harness.open_to_callbacks();
    harness.start().await;
    let acmes = r#""tenant":"acme""#;
    harness.logged(&["mapping turned on", acmes]).await;
    harness
        .faults(vec![
            Rule::next("willo.participants.create", 1, Fault::DropAfter),
            Rule::next("eploy.actions", 1, Fault::ErrorAfter { status: 502 }),
        ])
        .await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    acme.act(&judged.participants, CandidateAct::Start).await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.score(&judged.participants, 8).await;
    acme.scored(id, 80.0).await;
    assert_eq!(harness.stop().await.code(), Some(0));

    let name = format!("{id}.video.1");
    let (mut of_clients, mut of_invitation) = (0, 0);
    for line in harness.log().lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"));
        let message = line["message"].as_str().unwrap();
        if OF_THE_HOST.contains(&message) {
            continue;
        }
        assert_eq!(line["tenant"], "acme", "{line}");
        let work = line["work"].as_str().unwrap_or_default();
        if message.starts_with("invitation ") || work.contains(&name) {
            assert_eq!(line["invitation"], name.as_str(), "{line}");
            of_invitation += 1;
        }
        let target = line["target"].as_str().unwrap();
        of_clients += usize::from(target.starts_with("stagecall_http"));
    }
    assert!(of_clients > 10, "{of_clients} lines of calls");
    assert!(
        of_invitation > 10,
        "{of_invitation} lines of the invitation"
    );
}
