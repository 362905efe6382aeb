//! A second platform, without callbacks and with one list per test.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, NewTest, WecpReviewerAct};
use stagecall_tests::harness::{Harness, completed, percent, until};

/// The `WeCP` account's name.
const ACCOUNT: &str = "acme-wecp";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_is_invited_to_and_its_result_is_found_by_sweeping() {
    let (mut harness, acme) = Harness::with_one(91).await;
    let info = harness.player.wecp(ACCOUNT).await.unwrap();
    let new = NewTest {
        name: "Numeracy".to_owned(),
        questions: Vec::new(),
    };
    let test = harness.player.wecp_test(ACCOUNT, &new).await.unwrap();
    let account = json!({
        "kind": "wecp",
        "base_url": format!("{}/", info.base_url),
        "secrets": {"api_key": harness.secret("wecp-api-key", &info.api_key)},
        "settings": {"calls_per_second": 100},
    });
    harness.tenant("acme")["platforms"]["wecp"] = account;
    harness.mapping("acme")["assessment"] = json!({"platform": "wecp", "id": test});
    harness.start_for(&[&acme]).await;

    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    let keys: Vec<String> = judged
        .participants
        .iter()
        .map(|one| one.key.clone())
        .collect();
    assert_eq!(keys.len(), 1);
    let player = &harness.player;
    player
        .wecp_candidate(ACCOUNT, &keys, CandidateAct::Answer)
        .await
        .unwrap();
    acme.shows(id, "Completed").await;

    // A re-run with another score is a new revision of the same report.
    player
        .wecp_reviewer(ACCOUNT, &keys, &WecpReviewerAct::Rerun)
        .await
        .unwrap();
    let judged = until("Eploy shows the score that WeCP has", async || {
        let judged = acme.judged(id).await;
        let (points, possible) = judged.participants[0]
            .scores
            .iter()
            .fold((0.0, 0.0), |sum, (_, points, possible)| {
                (sum.0 + points, sum.1 + possible)
            });
        let has: f64 = points / possible * 100.0;
        let shown = percent(&judged)?;
        ((shown - has).abs() < 0.06).then_some(judged)
    })
    .await;
    assert!(completed(&judged), "{judged:#?}");
}
