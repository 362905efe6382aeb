//! A dry run shows what would happen, without effects.

use stagecall_tests::harness::{Harness, until};

use super::operate;

/// The database's bytes, with what is in its journal.
fn ledger(harness: &Harness) -> Vec<(String, Vec<u8>)> {
    ["stagecall.db", "stagecall.db-wal"]
        .into_iter()
        .map(|name| {
            (
                name.to_owned(),
                std::fs::read(harness.file(name)).unwrap_or_default(),
            )
        })
        .collect()
}

/// A thousand applications, a decision for each. The ledger and both platforms stay unchanged, byte for byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_of_a_thousand_changes_nothing() {
    let (mut harness, acme) = Harness::with_one(202).await;
    harness.start_for(&[&acme]).await;
    let invited = acme.invitee().await.application.id;
    acme.shows(invited, "Invited").await;
    let left = acme.invitee().await.application.id;
    acme.shows(left, "Invited").await;
    harness.stop().await;
    let created = acme.apply(998).await;
    let ids: Vec<u64> = created.iter().map(|one| one.application).collect();
    acme.enter(&ids[..600]).await;
    acme.leave(&[left]).await;

    let before = ledger(&harness);
    let writes = harness.player.writes(0).await.unwrap().next;
    let (_, calls) = acme.calls(0).await;
    let plan = operate(&harness, &["plan", "acme", "--all", "--json"]).json();
    assert_eq!(ledger(&harness), before);
    assert_eq!(harness.player.writes(0).await.unwrap().next, writes);
    let (made, _) = acme.calls(calls).await;
    let reads_only = |operation: &str| operation == "eploy.token" || operation.ends_with(".search");
    assert!(
        made.iter().all(|call| reads_only(&call.operation)),
        "{made:#?}"
    );
    assert_eq!(plan["calls"]["this_plan"], made.len());

    assert_eq!(plan["applications"], 1000);
    let decisions = plan["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 1000);
    assert_eq!(plan["counts"]["invite"], 600);
    assert_eq!(plan["counts"]["nothing"], 400);
    let of = |id: u64| {
        let id = id.to_string();
        let mut of = decisions.iter().filter(|one| one["application"] == *id);
        (of.next().unwrap(), of.next())
    };
    let (known, None) = of(invited) else {
        panic!("two decisions");
    };
    assert_eq!(known["because"], "its invitation is invited");
    assert_eq!(of(ids[0]).0["decision"], "invite");
    assert_eq!(of(ids[700]).0["mapping"], serde_json::Value::Null);
    assert_eq!(plan["calls"]["inviting"], 1200);

    // The plan matches what happens.
    harness.start().await;
    until("all 600 are invited", async || {
        let all = acme.all().await;
        let invited = all.iter().filter(|one| !one.participants.is_empty());
        (invited.count() == 602).then_some(())
    })
    .await;
}

/// Checks that inviting would make are made on request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_plan_sees_who_cannot_be_invited() {
    let (mut harness, acme) = Harness::with_one(203).await;
    harness.start_for(&[&acme]).await;
    harness.stop().await;
    let created = acme.apply(2).await;
    let edit = stagecall_sandbox::control::EditCandidate {
        email: Some(String::new()),
        ..Default::default()
    };
    let nobody = harness
        .player
        .edit_candidate("acme", created[1].candidate, &edit);
    nobody.await.unwrap();
    let ids: Vec<u64> = created.iter().map(|one| one.application).collect();
    acme.enter(&ids).await;
    let plan = operate(&harness, &["plan", "acme", "--deep", "--json"]).json();
    assert_eq!(plan["counts"]["invite"], 1);
    let decisions = plan["decisions"].as_array().unwrap();
    let because = |id: u64| {
        let of = decisions
            .iter()
            .find(|one| one["application"] == *id.to_string());
        of.unwrap()["because"].as_str().unwrap().to_owned()
    };
    assert!(because(ids[1]).contains("no e-mail address"));
    assert_eq!(because(ids[0]), "it entered the trigger stage");
    // An explanation says the same.
    let explained = |id: u64| operate(&harness, &["explain", "acme", &id.to_string()]);
    let nobody = explained(ids[1]);
    assert!(
        nobody
            .ok()
            .contains("no invitation: the candidate has no e-mail"),
        "{}",
        nobody.out
    );
    let next = explained(ids[0]);
    assert!(
        next.ok()
            .contains("it entered the trigger stage; the next poll that sees it change invites it"),
        "{}",
        next.out
    );
    // And a paused mapping invites nobody.
    harness.mapping("acme")["paused"] = true.into();
    harness.start().await;
    acme.polled().await;
    let plan = operate(&harness, &["plan", "acme", "--all", "--json"]).json();
    assert_eq!(plan["counts"]["invite"], serde_json::Value::Null);
    let shown = operate(&harness, &["plan", "acme", "--all"]);
    assert!(
        shown.ok().contains("the mapping was paused"),
        "{}",
        shown.out
    );
}
