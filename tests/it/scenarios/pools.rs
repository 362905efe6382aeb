//! Talent pools through the real host: each candidate once, with any number of applications.

use serde_json::{Value, json};
use stagecall_sandbox::control::{
    CandidateAct, Fault, Judged, NewApplications, NewTest, NewVacancy, ParticipantView, Rule,
    WecpInfo,
};
use stagecall_tests::harness::{Customer, Harness, until};

/// The `WeCP` account's name.
const ACCOUNT: &str = "acme-wecp";

/// A customer with a `WeCP` account.
async fn scene(seed: u64) -> (Harness, Customer, WecpInfo) {
    let (mut harness, acme) = Harness::with_one(seed).await;
    let info = harness.player.wecp(ACCOUNT).await.unwrap();
    harness.tenant("acme")["platforms"]["wecp"] = json!({
        "kind": "wecp",
        "base_url": format!("{}/", info.base_url),
        "secrets": {"api_key": harness.secret("wecp-api-key", &info.api_key)},
        "settings": {"calls_per_second": 100},
    });
    (harness, acme, info)
}

/// Where in a judgement the pool's participants are.
fn pooled(judged: &Judged, pool: &str) -> Vec<ParticipantView> {
    let all = judged.participants.iter();
    all.filter(|one| one.interview == pool).cloned().collect()
}

fn action(outcomes: &Value) -> Value {
    json!({"action": {"type": "43", "outcomes": outcomes}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_is_pooled_once_over_two_applications() {
    let (mut harness, acme, info) = scene(94).await;
    let pool = info.groups[1].0.clone();
    let mapping = harness.mapping("acme");
    mapping["assessment"] = json!({"platform": "wecp", "id": format!("group:{pool}")});
    mapping["pool"] = json!({"tags": ["care", "2026"]});
    mapping["vacancies"] = json!("all");
    harness
        .faults(vec![Rule::next("wecp.groups.add", 1, Fault::DropAfter)])
        .await;
    harness.start_for(&[&acme]).await;
    let first = acme.applicant().await;
    let vacancy = NewVacancy::called("Team Leader");
    let vacancy = harness.player.vacancy("acme", &vacancy).await.unwrap();
    let again = NewApplications {
        stage: Some("Shortlist".to_owned()),
        candidate: Some(first.candidate),
        ..NewApplications::new(vacancy, 1)
    };
    let second = harness.player.apply("acme", &again).await.unwrap()[0].application;
    let other = acme.applicant().await.application;
    acme.enter(&[first.application, other]).await;
    let action = acme.shows(first.application, "Invited").await;
    let comments = action.comments_html.unwrap();
    assert!(
        comments.contains("Added to the talent pool in WeCP."),
        "{comments}"
    );
    acme.enter(&[second]).await;
    let action = acme.shows(second, "Not Invited").await;
    let comments = action.comments_html.unwrap();
    assert!(
        comments.contains("in the WeCP talent pool already"),
        "{comments}"
    );
    acme.shows(other, "Invited").await;

    let places = pooled(&acme.judged(first.application).await, &pool);
    assert_eq!(places.len(), 1, "{places:#?}");
    assert_eq!(places[0].metadata["tags"], json!(["care", "2026"]));
    assert_eq!(
        places[0].metadata["candidateId"],
        first.candidate.to_string()
    );
    let sent = harness.player.invitations(0).await.unwrap();
    assert!(sent.records.iter().all(|record| !record.mailed));
    // Nothing is expected of pooled candidates, so no sweep checks them.
    acme.polled().await;
    let calls = harness.player.calls(0).await.unwrap().records;
    let looks = calls
        .iter()
        .filter(|call| call.operation == "wecp.groups.candidates");
    assert!(looks.count() <= 1, "only the lost answer was looked up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_did_well_is_pooled_by_what_came_of_the_test() {
    let (mut harness, acme, _) = scene(95).await;
    let test = |name: &str| NewTest {
        name: name.to_owned(),
        questions: Vec::new(),
    };
    let numeracy = harness
        .player
        .wecp_test(ACCOUNT, &test("Numeracy"))
        .await
        .unwrap();
    let pools = [
        harness
            .player
            .wecp_test(ACCOUNT, &test("Everybody"))
            .await
            .unwrap(),
        harness
            .player
            .wecp_test(ACCOUNT, &test("Nobody"))
            .await
            .unwrap(),
    ];
    harness.mapping("acme")["assessment"] = json!({"platform": "wecp", "id": numeracy});
    let pool = |id: &str, pool: &str, least: u8| {
        json!({
            "id": id,
            "vacancies": "all",
            "assessment": {"platform": "wecp", "id": pool},
            "pool": {"after": [{"mapping": "video", "on": "completed", "min_percent": least}]},
            "report": action(&json!({"invited": "101", "failed": "109"})),
        })
    };
    let mappings = &mut harness.tenant("acme")["mappings"];
    let mappings = mappings.as_array_mut().unwrap();
    mappings.push(pool("all-comers", &pools[0], 0));
    // More than anybody can have.
    mappings.push(pool("the-best", &pools[1], 100));
    harness.start_for(&[&acme]).await;

    let judged = acme.invitee().await;
    let id = judged.application.id;
    // Wherever the application is by then.
    acme.move_to(&[id], "Application Review", None).await;
    let keys = vec![judged.participants[0].key.clone()];
    assert_eq!(pooled(&acme.judged(id).await, &pools[0]).len(), 0);
    harness
        .player
        .wecp_candidate(ACCOUNT, &keys, CandidateAct::Answer)
        .await
        .unwrap();
    until("who finished is in the pool", async || {
        let judged = acme.judged(id).await;
        let reported = judged.application.actions.iter().any(|action| {
            let reported = action.comments_html.as_deref().unwrap_or_default();
            reported.contains("Added to the talent pool")
        });
        (reported && pooled(&judged, &pools[0]).len() == 1).then_some(())
    })
    .await;
    let judged = acme.judged(id).await;
    let all: f64 = judged
        .participants
        .iter()
        .filter(|one| one.interview == numeracy)
        .flat_map(|one| &one.scores)
        .map(|(_, points, _)| points)
        .sum();
    assert_eq!(pooled(&judged, &pools[1]).len(), usize::from(all >= 100.0));
}
