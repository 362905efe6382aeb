//! Invitations and references.

use std::collections::{BTreeSet, HashSet};

use futures::future::join_all;
use stagecall_core::ids::{AccountId, ApplicationId, AssessmentId, InvitationKey, Reference};
use stagecall_core::invitation::{Event, Invitation};
use stagecall_core::ports::{Bound, Inserted, Saved, WatchedInvitation};
use stagecall_tests::sample::{
    assessment, at, claimed, detected, key, reported, scored, sent, then, touched,
};

use super::Backend;

/// The second insert of a key reports that and changes nothing.
pub async fn an_invitation_is_inserted_once(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let first = detected(key("acme", 1));
    assert_eq!(ledger.insert(&first).await.unwrap(), Inserted::New);
    let mut second = first.clone();
    second.candidate = "another".into();
    assert_eq!(ledger.insert(&second).await.unwrap(), Inserted::Existed);
    assert_eq!(ledger.load(&first.key).await.unwrap(), Some(first.clone()));

    // Also after its state has changed.
    ledger.save(&claimed(&first)).await.unwrap();
    assert_eq!(ledger.insert(&first).await.unwrap(), Inserted::Existed);
    assert_eq!(
        ledger.load(&first.key).await.unwrap(),
        Some(claimed(&first))
    );
}

/// Fifty polls that see the same entry at once record it once.
pub async fn of_many_inserts_one_is_new(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let row = detected(key("acme", 1));
    let answers = join_all((0..50).map(|_| {
        let (ledger, row) = (ledger.clone(), row.clone());
        tokio::spawn(async move { ledger.insert(&row).await.unwrap() })
    }))
    .await;
    let new = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(Inserted::New)));
    assert_eq!(new.count(), 1);
}

/// Nothing of a row is lost or rounded, in any state.
pub async fn every_field_reads_back(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let first = detected(key("acme", 1));
    ledger.insert(&first).await.unwrap();
    let claim = claimed(&first);
    let sent = sent(&first, &"p1".into());
    let shown = reported(&sent);
    let scored = scored(&shown);
    for next in [claim, sent, shown, scored] {
        assert_eq!(ledger.save(&next).await.unwrap(), Saved::Saved);
        assert_eq!(ledger.load(&next.key).await.unwrap(), Some(next));
    }
}

/// Loading a missing row is no error.
pub async fn what_is_not_there_is_none(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    assert_eq!(ledger.load(&key("acme", 1)).await.unwrap(), None);
    let tenant = "acme".into();
    let bound = ledger
        .find_by_reference(&tenant, &"willo".into(), &"p1".into())
        .await;
    assert_eq!(bound.unwrap(), None);
    assert!(
        ledger
            .waiting(&tenant, &assessment())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        ledger
            .of_applications(&tenant, &[])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        ledger
            .of_applications(&tenant, &["1".into()])
            .await
            .unwrap()
            .is_empty()
    );
}

/// A change of an older version, of a future version, or of a missing row is a conflict and changes nothing.
pub async fn a_save_needs_the_version_before(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let first = detected(key("acme", 1));
    assert_eq!(
        ledger.save(&touched(&first, 1)).await.unwrap(),
        Saved::Conflict
    );
    assert_eq!(ledger.load(&first.key).await.unwrap(), None);

    ledger.insert(&first).await.unwrap();
    let second = touched(&first, 1);
    assert_eq!(ledger.save(&first).await.unwrap(), Saved::Conflict);
    assert_eq!(
        ledger.save(&touched(&first, 2)).await.unwrap(),
        Saved::Conflict
    );
    assert_eq!(ledger.save(&second).await.unwrap(), Saved::Saved);
    assert_eq!(ledger.save(&second).await.unwrap(), Saved::Conflict);
    assert_eq!(ledger.load(&first.key).await.unwrap(), Some(second));
}

/// Fifty senders claim at once: one succeeds, and the row has its claim.
pub async fn of_many_saves_of_one_version_one_wins(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let first = detected(key("acme", 1));
    ledger.insert(&first).await.unwrap();
    let answers = join_all((0..50_u32).map(|sender| {
        let ledger = ledger.clone();
        let claim = Event::Claim {
            lease_until: at(f64::from(sender)),
            entered_at: None,
            history: None,
            sent_to: None,
        };
        let mine = then(&first, claim, at(0.0));
        tokio::spawn(async move { (ledger.save(&mine).await.unwrap(), mine) })
    }))
    .await;
    let winners: Vec<Invitation> = answers
        .into_iter()
        .map(Result::unwrap)
        .filter_map(|(answer, mine)| (answer == Saved::Saved).then_some(mine))
        .collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(
        ledger.load(&first.key).await.unwrap().as_ref(),
        winners.first()
    );
}

/// Ten tasks change one row, each until it succeeded five times: fifty versions.
pub async fn no_change_is_lost_between_many(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let first = detected(key("acme", 1));
    ledger.insert(&first).await.unwrap();
    let tasks = (0..10).map(|_| {
        let (ledger, key) = (ledger.clone(), first.key.clone());
        tokio::spawn(async move {
            let mut heard = 0;
            while heard < 5 {
                let row = ledger.load(&key).await.unwrap().unwrap();
                if ledger.save(&touched(&row, 1)).await.unwrap() == Saved::Saved {
                    heard += 1;
                }
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    assert_eq!(ledger.load(&first.key).await.unwrap().unwrap().version, 50);
}

/// Rows whose keys differ in one part, or have the same concatenation, do not collide.
pub async fn keys_are_apart(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let parts = [
        ("acme", "1", "video", 1),
        ("acme", "1", "video", 11),
        ("acme", "11", "video", 1),
        ("acme", "1", "Video", 1),
        ("acme", "1.video", "1", 1),
        ("acme", "1#video", "1", 1),
        ("acme#1", "video", "1", 1),
        ("acme/1", "video", "1", 1),
        ("acme-2", "1", "video", 1),
        ("acme", "1", "vidéo ✓", 1),
        ("acme", "1", "%", 1),
        ("acme", "'1'", "v\"i\"d", 1),
    ];
    let keys = parts.map(|(tenant, application, mapping, round)| InvitationKey {
        tenant: tenant.into(),
        application: application.into(),
        mapping: mapping.into(),
        round,
    });
    for key in &keys {
        let inserted = ledger.insert(&detected(key.clone())).await.unwrap();
        assert_eq!(inserted, Inserted::New, "{key}");
    }
    ledger
        .save(&claimed(&detected(keys[0].clone())))
        .await
        .unwrap();
    for key in &keys[1..] {
        let row = ledger.load(key).await.unwrap().unwrap();
        assert_eq!((&row.key, row.version), (key, 0), "{key}");
    }
}

/// All rounds and mappings of the requested applications, of this tenant only, also for hundreds at once.
pub async fn the_invitations_of_applications(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let mut of_three = BTreeSet::new();
    for (mapping, round) in [("video", 1), ("video", 2), ("test", 1)] {
        let key = InvitationKey {
            mapping: mapping.into(),
            round,
            ..key("acme", 3)
        };
        ledger.insert(&detected(key.clone())).await.unwrap();
        of_three.insert(key);
    }
    ledger.insert(&detected(key("other", 3))).await.unwrap();
    ledger.insert(&detected(key("acme", 33))).await.unwrap();
    let found =
        |rows: Vec<Invitation>| rows.into_iter().map(|row| row.key).collect::<BTreeSet<_>>();
    let tenant = "acme".into();
    let some: [ApplicationId; 2] = ["3".into(), "4".into()];
    let rows = ledger.of_applications(&tenant, &some).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(found(rows), of_three);

    let many: Vec<_> = (0..250)
        .map(|n| ApplicationId::new((1000 + n).to_string()))
        .collect();
    let mut expected = BTreeSet::new();
    for application in many.iter().step_by(5) {
        let key = InvitationKey {
            application: application.clone(),
            ..key("acme", 0)
        };
        ledger.insert(&detected(key.clone())).await.unwrap();
        expected.insert(key);
    }
    let rows = ledger.of_applications(&tenant, &many).await.unwrap();
    assert_eq!(rows.len(), expected.len());
    assert_eq!(found(rows), expected);
}

/// The first invitation to bind a reference owns it. Binding it again succeeds; another invitation's attempt fails.
/// Tenants and accounts have separate references.
pub async fn a_reference_is_bound_for_good(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let (willo, wecp): (AccountId, AccountId) = ("willo".into(), "wecp".into());
    let reference: Reference = "p1".into();
    let owner = |tenant, application| detected(key(tenant, application));
    let (first, second, foreign) = (owner("acme", 1), owner("acme", 2), owner("other", 1));
    assert_eq!(
        ledger
            .bind_reference(&willo, &reference, &first)
            .await
            .unwrap(),
        Bound::Ours
    );
    assert_eq!(
        ledger
            .bind_reference(&willo, &reference, &first)
            .await
            .unwrap(),
        Bound::Ours
    );
    assert_eq!(
        ledger
            .bind_reference(&willo, &reference, &second)
            .await
            .unwrap(),
        Bound::Other(first.key.clone())
    );
    assert_eq!(
        ledger
            .bind_reference(&wecp, &reference, &second)
            .await
            .unwrap(),
        Bound::Ours
    );
    assert_eq!(
        ledger
            .bind_reference(&willo, &reference, &foreign)
            .await
            .unwrap(),
        Bound::Ours
    );
    for (tenant, account, owner) in [
        ("acme", &willo, &first),
        ("acme", &wecp, &second),
        ("other", &willo, &foreign),
    ] {
        let bound = ledger
            .find_by_reference(&tenant.into(), account, &reference)
            .await
            .unwrap();
        assert_eq!(bound.as_ref(), Some(&owner.key));
    }
    // An invitation may have several.
    assert_eq!(
        ledger
            .bind_reference(&willo, &"p2".into(), &first)
            .await
            .unwrap(),
        Bound::Ours
    );
}

/// Fifty invitations bind one reference at once: one succeeds, and all others get its owner.
pub async fn of_many_bindings_one_wins(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let answers = join_all((0..50).map(|application| {
        let ledger = ledger.clone();
        let key = key("acme", application);
        tokio::spawn(async move {
            match ledger
                .bind_reference(&"willo".into(), &"p1".into(), &detected(key.clone()))
                .await
                .unwrap()
            {
                Bound::Ours => (true, key),
                Bound::Other(owner) => (false, owner),
                Bound::Erased => panic!("nobody was erased"),
            }
        })
    }))
    .await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|(ours, _)| *ours).count(), 1);
    let owners: HashSet<_> = answers.into_iter().map(|(_, owner)| owner).collect();
    assert_eq!(owners.len(), 1);
    let bound = ledger
        .find_by_reference(&"acme".into(), &"willo".into(), &"p1".into())
        .await;
    assert_eq!(bound.unwrap(), owners.into_iter().next());
}

/// Those that the platform has and Eploy shows, with what a sweep compares. They leave and return with their schedule.
pub async fn waiting_are_the_watched_of_the_assessment(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let tenant = "acme".into();
    let watched =
        |key: InvitationKey, reference: &str| reported(&sent(&detected(key), &reference.into()));
    let first = watched(key("acme", 1), "p1");
    let mut elsewhere = watched(key("acme", 4), "p4");
    elsewhere.assessment.assessment = AssessmentId::from("interview-2");
    let other_account = {
        let mut row = watched(key("acme", 5), "p5");
        row.assessment.account = "willo-retail".into();
        row
    };
    for row in [
        first.clone(),
        detected(key("acme", 2)),
        sent(&detected(key("acme", 3)), &"p3".into()),
        elsewhere,
        other_account,
        watched(key("other", 1), "p1"),
    ] {
        ledger.insert(&row).await.unwrap();
    }
    let expected = WatchedInvitation {
        key: first.key.clone(),
        reference: "p1".into(),
        level: 2,
        change_token: None,
        invited_at: Some(at(1.0)),
        until: None,
    };
    assert_eq!(
        ledger.waiting(&tenant, &assessment()).await.unwrap(),
        std::slice::from_ref(&expected)
    );

    // A new result: due to be reported, so no sweep has to check it.
    let news = scored(&first);
    ledger.save(&news).await.unwrap();
    assert!(
        ledger
            .waiting(&tenant, &assessment())
            .await
            .unwrap()
            .is_empty()
    );

    // Reported: still watched for re-scores, until the follow-up ends.
    let done = reported(&news);
    ledger.save(&done).await.unwrap();
    let again = WatchedInvitation {
        level: 5,
        change_token: Some("mark 1".to_owned()),
        until: Some(at(4.0 + 30.0 * 86_400.0)),
        ..expected
    };
    assert_eq!(
        ledger.waiting(&tenant, &assessment()).await.unwrap(),
        [again]
    );

    ledger
        .save(&then(&done, Event::WatchExpired, at(31.0 * 86_400.0)))
        .await
        .unwrap();
    assert!(
        ledger
            .waiting(&tenant, &assessment())
            .await
            .unwrap()
            .is_empty()
    );
}

/// The first assessment recorded under a name stays. Tenants, accounts and names are separate.
pub async fn what_was_made_first_is_used(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let (tenant, account) = ("acme".into(), "wecp".into());
    assert_eq!(
        ledger
            .find_created_assessment(&tenant, &account, "live.1")
            .await
            .unwrap(),
        None
    );
    let (first, second) = ("interview:a".into(), "interview:b".into());
    for made in [&first, &second, &first] {
        let used = ledger
            .save_created_assessment(&tenant, &account, "live.1", made)
            .await
            .unwrap();
        assert_eq!(used, first);
    }
    let known = ledger
        .find_created_assessment(&tenant, &account, "live.1")
        .await
        .unwrap();
    assert_eq!(known, Some(first));
    for (tenant, account, name) in [
        ("acme", "wecp", "live.2"),
        ("acme", "wecp-2", "live.1"),
        ("globex", "wecp", "live.1"),
        ("acme", "wecp#live.1", ""),
    ] {
        let used = ledger
            .save_created_assessment(&tenant.into(), &account.into(), name, &second)
            .await
            .unwrap();
        assert_eq!(used, second, "{tenant}, {account}, {name}");
    }
}

/// Fifty functions create an interview at once: all use the same one.
pub async fn of_many_makers_one_wins(backend: impl Backend) {
    let ledger = backend.stores().ledger;
    let used = join_all((0..50).map(|maker| {
        let ledger = ledger.clone();
        let made = AssessmentId::new(format!("interview:{maker}"));
        tokio::spawn(async move {
            ledger
                .save_created_assessment(&"acme".into(), &"wecp".into(), "live", &made)
                .await
                .unwrap()
        })
    }))
    .await;
    let used: HashSet<AssessmentId> = used.into_iter().map(Result::unwrap).collect();
    assert_eq!(used.len(), 1);
}
