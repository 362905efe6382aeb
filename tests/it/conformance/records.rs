//! The operators' queries and changes.

use std::collections::BTreeSet;

use stagecall_core::announcement::{Announcement, Hire, HireKey, SkipReason, State};
use stagecall_core::ids::{AccountId, CandidateId, Reference, TenantId};
use stagecall_core::invitation::{
    Event, Failure, Invitation, SkipReason as InvitationSkip, State as InvitationState,
};
use stagecall_core::ports::{
    ApplicationRow, AuditRecord, Bound, DeliveryOutcome, DeliveryStatus, Erased, Inserted,
    InvitationFilter, RecheckQueue, Saved, StageScan, StateCount, SweepFailing, SweepReading,
    SweepState,
};
use stagecall_core::tenant::Position;
use stagecall_tests::sample::{
    at, claimed, delivery, detected, key, reported, residents, scored, sent, tenant, then,
};

use super::{Backend, Stores, quiet_tenant};

async fn all(stores: &Stores, id: &str, filter: InvitationFilter, limit: usize) -> Vec<Invitation> {
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let page = stores
            .records
            .invitations(&id.into(), &filter, limit, next.as_deref())
            .await
            .unwrap();
        found.extend(page.rows);
        next = page.next;
        if next.is_none() {
            return found;
        }
    }
}

fn names(of: &[Invitation]) -> BTreeSet<String> {
    of.iter().map(|one| one.key.name()).collect()
}

/// Each once, none of another tenant, with any page size.
pub async fn all_invitations_page_by_page(backend: impl Backend) {
    let stores = backend.stores();
    for application in 0..45 {
        let row = detected(key("acme", application));
        stores.ledger.insert(&row).await.unwrap();
    }
    stores
        .ledger
        .insert(&detected(key("other", 1)))
        .await
        .unwrap();
    for limit in [1, 7, 45, 1000] {
        let found = all(&stores, "acme", InvitationFilter::default(), limit).await;
        assert_eq!(found.len(), 45, "pages of {limit}");
        assert_eq!(names(&found).len(), 45, "pages of {limit}");
    }
    assert_eq!(
        all(&stores, "nobody", InvitationFilter::default(), 10).await,
        []
    );
}

pub async fn invitations_by_filter(backend: impl Backend) {
    let stores = backend.stores();
    let mut one = detected(key("acme", 1));
    one.candidate = "71".into();
    one.vacancy = "81".into();
    let mut again = detected(key("acme", 1));
    again.key.mapping = "test".into();
    let later = claimed(&detected(key("acme", 12)));
    let later = then(
        &later,
        Event::Sent {
            reference: "p1".into(),
            link: None,
            adopted: false,
            writer: None,
        },
        at(50.0),
    );
    for row in [&one, &again, &later] {
        stores.ledger.insert(row).await.unwrap();
    }
    let none = InvitationFilter::default;
    for (filter, expected) in [
        (
            InvitationFilter {
                state: Some("invited".to_owned()),
                ..none()
            },
            vec!["12.video.1"],
        ),
        (
            InvitationFilter {
                application: Some("1".into()),
                ..none()
            },
            vec!["1.test.1", "1.video.1"],
        ),
        (
            InvitationFilter {
                candidate: Some("71".into()),
                ..none()
            },
            vec!["1.video.1"],
        ),
        (
            InvitationFilter {
                vacancy: Some("81".into()),
                ..none()
            },
            vec!["1.video.1"],
        ),
        (
            InvitationFilter {
                mapping: Some("test".into()),
                ..none()
            },
            vec!["1.test.1"],
        ),
        (
            InvitationFilter {
                since: Some(at(50.0)),
                ..none()
            },
            vec!["12.video.1"],
        ),
        (
            InvitationFilter {
                application: Some("1".into()),
                mapping: Some("video".into()),
                state: Some("invited".to_owned()),
                ..none()
            },
            vec![],
        ),
    ] {
        let found = names(&all(&stores, "acme", filter.clone(), 2).await);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub async fn states_are_counted(backend: impl Backend) {
    let stores = backend.stores();
    for row in [
        claimed(&detected(key("acme", 1))),
        detected(key("acme", 2)),
        detected(key("other", 3)),
        detected(key("acme", 4)),
    ] {
        stores.ledger.insert(&row).await.unwrap();
    }
    let count = |state: &str, count| StateCount {
        state: state.to_owned(),
        count,
    };
    let of = async |id: &str| stores.records.counts(&id.into()).await.unwrap();
    assert_eq!(
        of("acme").await,
        [count("detected", 2), count("sending", 1)]
    );
    assert_eq!(of("other").await, [count("detected", 1)]);
    assert_eq!(of("nobody").await, []);
}

/// The longest due item. Tenants that wait for their first poll do not count.
pub async fn the_longest_due_is_counted(backend: impl Backend) {
    let stores = backend.stores();
    let oldest = async |now| stores.records.oldest_due(at(now)).await.unwrap();
    assert_eq!(oldest(100.0).await, None);
    for id in ["new", "newer"] {
        backend.configure(&tenant(id)).await;
    }
    quiet_tenant(&backend, "acme").await;
    assert_eq!(oldest(100.0).await, None);
    stores
        .ledger
        .insert(&detected(key("acme", 1)))
        .await
        .unwrap();
    stores
        .deliveries
        .store(&delivery("acme", "d1", at(20.0)), Some(at(20.0)))
        .await
        .unwrap();
    assert_eq!(oldest(-1.0).await, None);
    assert_eq!(oldest(100.0).await, Some(at(0.0)));
}

pub async fn deliveries_with_their_state(backend: impl Backend) {
    let stores = backend.stores();
    for (id, arrived, fate) in [
        ("d3", 3.0, Some(DeliveryOutcome::Unmatched)),
        ("d1", 1.0, Some(DeliveryOutcome::Handled)),
        ("d2", 2.0, None),
    ] {
        let one = delivery("acme", id, at(arrived));
        stores.deliveries.store(&one, Some(one.at)).await.unwrap();
        if let Some(fate) = fate {
            stores.deliveries.settle(&one, &fate).await.unwrap();
        }
    }
    stores
        .deliveries
        .store(&delivery("other", "d4", at(4.0)), Some(at(4.0)))
        .await
        .unwrap();
    let list = async |since| {
        let found = stores
            .records
            .deliveries(&"acme".into(), since)
            .await
            .unwrap();
        let shown = found.into_iter().map(|(one, standing)| (one.id, standing));
        shown.collect::<Vec<_>>()
    };
    let (handled, pending, parked) = (
        ("d1".to_owned(), DeliveryStatus::Handled),
        ("d2".to_owned(), DeliveryStatus::Pending),
        ("d3".to_owned(), DeliveryStatus::Unmatched),
    );
    assert_eq!(list(None).await, [handled, pending.clone(), parked.clone()]);
    assert_eq!(list(Some(at(2.0))).await, [pending, parked]);
}

fn act(tenant: Option<&str>, what: &str, target: &str, later: f64) -> AuditRecord {
    AuditRecord {
        at: at(later),
        who: "ada".to_owned(),
        what: what.to_owned(),
        tenant: tenant.map(TenantId::from),
        target: target.to_owned(),
        why: Some("asked to".to_owned()),
    }
}

/// Also actions of the same moment.
pub async fn what_was_done_is_kept_in_order(backend: impl Backend) {
    let stores = backend.stores();
    let first = act(Some("acme"), "retry", "1.video.1", 1.0);
    let second = act(Some("acme"), "cancel", "2.video.1", 1.0);
    let third = act(Some("acme"), "erase", "7", 3.0);
    let whole = act(None, "redrive", "poll", 2.0);
    for record in [&first, &second, &whole, &third] {
        stores.records.audit(record).await.unwrap();
    }
    let read = async |id: Option<&str>, since| {
        let id = id.map(TenantId::from);
        stores.records.audits(id.as_ref(), since).await.unwrap()
    };
    assert_eq!(
        read(Some("acme"), None).await,
        [first, second, third.clone()]
    );
    assert_eq!(read(Some("acme"), Some(at(1.5))).await, [third]);
    assert_eq!(read(None, None).await, [whole]);
    assert_eq!(read(Some("other"), None).await, []);
}

/// A hire of acme in this state.
fn hired(hire: Hire, candidate: &str, state: State) -> Announcement {
    let key = HireKey {
        tenant: "acme".into(),
        hire,
    };
    let mut row = Announcement::detected(key, candidate.into(), "9".into(), at(1.0), at(0.0));
    row.state = state;
    row
}

/// Everything of the candidate, and nothing of any other.
pub async fn an_erased_candidate_is_gone(backend: impl Backend) {
    let stores = backend.stores();
    quiet_tenant(&backend, "acme").await;
    let mut rows = Vec::new();
    for (application, candidate, reference) in [(1, "7", "p1"), (2, "7", "p2"), (3, "8", "p3")] {
        let mut row = detected(key("acme", application));
        row.candidate = candidate.into();
        stores.ledger.insert(&row).await.unwrap();
        let row = sent(&row, &reference.into());
        stores
            .ledger
            .bind_reference(&"willo".into(), &reference.into(), &row)
            .await
            .unwrap();
        rows.push(row);
    }
    let mut foreign = scored(&reported(&sent(&detected(key("other", 1)), &"p1".into())));
    foreign.version = 0;
    stores.ledger.insert(&foreign).await.unwrap();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|mut row| {
            row.version = 1;
            row
        })
        .collect();
    for row in &rows {
        stores.ledger.save(row).await.unwrap();
    }
    // One delivery of the candidate, one of another, one parked.
    for (id, references) in [
        ("d1", ["p1", "p9"]),
        ("d2", ["p3", "p9"]),
        ("d3", ["p2", "p9"]),
    ] {
        let mut one = delivery("acme", id, at(1.0));
        one.references = references.map(Into::into).to_vec();
        stores.deliveries.store(&one, Some(one.at)).await.unwrap();
        let fate = if id == "d3" {
            DeliveryOutcome::Unmatched
        } else {
            DeliveryOutcome::Handled
        };
        stores.deliveries.settle(&one, &fate).await.unwrap();
    }
    // A hire of each; the candidate's by a placement, and one of the baseline.
    for (hire, candidate, state) in [
        (Hire::Application("1".into()), "7", State::Delivered),
        (
            Hire::Placement("4".into()),
            "7",
            State::Skipped(SkipReason::Baseline),
        ),
        (Hire::Application("3".into()), "8", State::Delivered),
    ] {
        let announcement = hired(hire, candidate, state);
        let inserted = stores
            .announcements
            .insert_announcement(&announcement)
            .await;
        assert_eq!(inserted.unwrap(), Inserted::New);
    }
    for target in ["1.video.1", "3.video.1", "application.1", "application.3"] {
        let record = act(Some("acme"), "retry", target, 1.0);
        stores.records.audit(&record).await.unwrap();
    }

    let (acme, candidate) = (TenantId::from("acme"), CandidateId::from("7"));
    let erased = stores
        .records
        .erase(&acme, &candidate, at(9.0))
        .await
        .unwrap();
    assert_eq!(names(&erased.invitations), names(&rows[..2]));
    assert_eq!(
        (erased.references, erased.deliveries, erased.audits),
        (2, 2, 2)
    );
    assert_eq!(erased.announcements, 2);
    for (hire, there) in [
        (Hire::Application("1".into()), false),
        (Hire::Placement("4".into()), false),
        (Hire::Application("3".into()), true),
    ] {
        let tenant = acme.clone();
        let found = stores
            .announcements
            .load_announcement(&HireKey { tenant, hire })
            .await;
        assert_eq!(found.unwrap().is_some(), there);
    }
    let left = all(&stores, "acme", InvitationFilter::default(), 10).await;
    assert_eq!(names(&left), names(&rows[2..]));
    for (reference, there) in [("p1", false), ("p2", false), ("p3", true)] {
        let bound = stores
            .ledger
            .find_by_reference(&acme, &"willo".into(), &reference.into())
            .await;
        assert_eq!(bound.unwrap().is_some(), there, "{reference}");
    }
    let deliveries = stores.records.deliveries(&acme, None).await.unwrap();
    let ids: Vec<_> = deliveries.iter().map(|(one, _)| one.id.as_str()).collect();
    assert_eq!(ids, ["d2"]);
    assert_eq!(stores.deliveries.unmatched(&acme, 9).await.unwrap(), []);
    let audits = stores.records.audits(Some(&acme), None).await.unwrap();
    let targets: BTreeSet<_> = audits.iter().map(|one| one.target.as_str()).collect();
    assert_eq!(
        targets,
        BTreeSet::from([AuditRecord::ERASED, "3.video.1", "application.3"])
    );
    let waiting = stores
        .ledger
        .waiting(&acme, &rows[0].assessment)
        .await
        .unwrap();
    assert_eq!(waiting.len(), 0);
    assert_eq!(
        all(&stores, "other", InvitationFilter::default(), 10)
            .await
            .len(),
        1
    );

    // A repetition finds nothing, and keeps the first tombstone.
    let again = stores
        .records
        .erase(&acme, &candidate, at(99.0))
        .await
        .unwrap();
    assert_eq!(again, Erased::default());
    let tombstones = stores.records.tombstones(&acme).await.unwrap();
    let [tombstone] = tombstones.as_slice() else {
        panic!("{tombstones:?}");
    };
    assert_eq!((&tombstone.candidate, tombstone.at), (&candidate, at(9.0)));
}

/// One row of each kind that can name a candidate, as [`Erased`] lists them. Then the whole store is searched for the
/// candidate, not only that list.
pub async fn nothing_in_the_store_names_an_erased_candidate(backend: impl Backend) {
    let stores = backend.stores();
    quiet_tenant(&backend, "acme").await;
    let (acme, account) = (TenantId::from("acme"), AccountId::from("willo"));
    let candidate = CandidateId::from("candidate-90017");
    // An invitation whose sender died after it bound a reference, and which has a place in a talent pool.
    let mut row = detected(key("acme", 7_021_577));
    row.candidate = candidate.clone();
    stores.ledger.insert(&row).await.unwrap();
    let pool = Reference::from("pool/55/candidate-90017/1");
    for reference in [Reference::from("participant-4711"), pool] {
        let bound = stores
            .ledger
            .bind_reference(&account, &reference, &row)
            .await;
        assert_eq!(bound.unwrap(), Bound::Ours);
    }
    // Another candidate's, with the same address: it was passed over for this one.
    let mut passed_over =
        detected(key("acme", 8)).skipped(InvitationSkip::Duplicate(Some(row.key.clone())));
    passed_over.candidate = "another".into();
    stores.ledger.insert(&passed_over).await.unwrap();
    let mut one = delivery("acme", "d1", at(1.0));
    one.references = vec!["participant-4711".into()];
    stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    let hire = hired(
        Hire::Application("7021578".into()),
        candidate.as_str(),
        State::Delivered,
    );
    stores
        .announcements
        .insert_announcement(&hire)
        .await
        .unwrap();
    let record = act(Some("acme"), "retry", "7021577.video.1", 1.0);
    stores.records.audit(&record).await.unwrap();
    // A poll could not read the stage of the candidate's application.
    let mut state = stores.states.load_state(&acme).await.unwrap().unwrap();
    state.version += 1;
    state.poll.again = Some(RecheckQueue {
        rows: vec![ApplicationRow {
            id: "7021577".into(),
            candidate: candidate.clone(),
            vacancy: "8".into(),
            position: Position {
                stage: None,
                status: None,
            },
            modified: None,
        }],
        times: 1,
        at: at(1.0),
    });
    state.poll.scan = Some(StageScan {
        at: at(1.0),
        search: 0,
        page: 1,
        present: residents(&["7021577", "8"]),
        residents: residents(&["7021577", "7021578", "8"]),
        waiting: ["7021577".into()].into(),
        unconfirmed: ["7021577".into()].into(),
        missed: 0,
        missed_at: None,
        completed_at: None,
        failure: None,
    });
    stores.states.save_state(&acme, &state).await.unwrap();
    // A sweep stopped at a page that begins with the participant.
    stores
        .sweeps
        .schedule_sweep(&acme, &row.assessment, at(900.0))
        .await
        .unwrap();
    let armed = stores
        .sweeps
        .load_sweep(&acme, &row.assessment)
        .await
        .unwrap();
    let reading = SweepState {
        reading: Some(SweepReading {
            next: Some("from=participant-4711".to_owned()),
            pages: 1,
            began_at: at(1.0),
            set_aside: 0,
            news: 0,
        }),
        failing: Some(SweepFailing {
            failure: Failure {
                code: "willo.no_answer".to_owned(),
                problem: "no answer".to_owned(),
                remedy: "Wait".to_owned(),
                first_failed_at: at(1.0),
                attempts: 1,
            },
            at: Some(at(1.0)),
            open_after: Some("7021577.video.1".to_owned()),
            ended_after: None,
        }),
        ..armed.clone()
    };
    let saved = stores
        .sweeps
        .save_sweep(&acme, &row.assessment, &armed, &reading);
    assert_eq!(saved.await.unwrap(), Saved::Saved);

    let names = |row: &String| {
        let is_in = |name| row.contains(name);
        ["candidate-90017", "7021577", "7021578", "participant-4711"]
            .into_iter()
            .any(is_in)
    };
    let count = backend.rows().await.iter().filter(|row| names(row)).count();
    assert!(
        count >= 8,
        "{count} rows are not all that there are to find"
    );
    assert_eq!(stores.ledger.erased(&acme).await.unwrap(), [].into());
    let erased = stores
        .records
        .erase(&acme, &candidate, at(9.0))
        .await
        .unwrap();
    let Erased {
        invitations,
        references,
        deliveries,
        announcements,
        skipped: others,
        audits,
        poll_rows,
        readings,
    } = erased;
    assert_eq!(invitations, [row]);
    assert_eq!(
        (references, deliveries, announcements, others, audits),
        (2, 1, 1, 1, 1)
    );
    assert_eq!((poll_rows, readings), (2, 1));
    let left: Vec<_> = backend.rows().await.into_iter().filter(names).collect();
    let tombstones = stores.records.tombstones(&acme).await.unwrap();
    assert_eq!((left.len(), tombstones.len()), (1, 1), "{left:#?}");
    assert_eq!(tombstones[0].candidate, candidate);
    let other = stores.ledger.load(&passed_over.key).await.unwrap().unwrap();
    let nameless = InvitationSkip::Duplicate(None);
    assert_eq!(other.state, InvitationState::Skipped(nameless));
    assert_eq!(other.version, passed_over.version + 1);
    let erased = stores.ledger.erased(&acme).await.unwrap();
    assert_eq!(erased, [candidate].into());
    let other = TenantId::from("other");
    assert_eq!(stores.ledger.erased(&other).await.unwrap(), [].into());
    // A poll that had read its state before saves nothing of it.
    state.version += 1;
    let saved = stores.states.save_state(&acme, &state).await.unwrap();
    assert_eq!(saved, Saved::Conflict);
}

/// A sender that saw the invitation before the erasure binds nothing afterwards, whether it lives to notice or dies.
pub async fn nothing_is_bound_for_an_erased_candidate(backend: impl Backend) {
    let stores = backend.stores();
    let row = detected(key("acme", 7_021_577));
    stores.ledger.insert(&row).await.unwrap();
    let (account, acme) = (AccountId::from("willo"), TenantId::from("acme"));
    let bind = async |reference: &str, owner: &Invitation| {
        let reference = reference.into();
        let bound = stores.ledger.bind_reference(&account, &reference, owner);
        bound.await.unwrap()
    };
    assert!(!stores.ledger.purge_if_erased(&row).await.unwrap());
    assert!(stores.ledger.load(&row.key).await.unwrap().is_some());
    assert_eq!(bind("p1", &row).await, Bound::Ours);
    stores
        .records
        .erase(&acme, &row.candidate, at(1.0))
        .await
        .unwrap();
    for reference in ["p1", "p2"] {
        assert_eq!(bind(reference, &row).await, Bound::Erased);
    }
    let mut others = detected(key("acme", 2));
    others.candidate = "another".into();
    assert_eq!(bind("p1", &others).await, Bound::Ours);
    assert_eq!(bind("p1", &row).await, Bound::Erased);
    let rows = backend.rows().await;
    assert!(rows.iter().all(|row| !row.contains("7021577")), "{rows:#?}");
    assert!(stores.ledger.purge_if_erased(&row).await.unwrap());
    let hire = hired(
        Hire::Placement("4".into()),
        row.candidate.as_str(),
        State::Detected,
    );
    let purged = stores
        .announcements
        .purge_announcement_if_erased(&hire)
        .await;
    assert!(purged.unwrap());
}

/// Neither the same application nor another one can be inserted. The tenant's other candidates can, and so can other
/// tenants' candidates with that id.
pub async fn an_erased_candidate_does_not_come_back(backend: impl Backend) {
    let stores = backend.stores();
    let row = detected(key("acme", 1));
    assert_eq!(stores.ledger.insert(&row).await.unwrap(), Inserted::New);
    let id = row.candidate.clone();
    stores
        .records
        .erase(&"acme".into(), &id, at(1.0))
        .await
        .unwrap();
    for application in [1, 2] {
        let row = detected(key("acme", application));
        assert_eq!(stores.ledger.insert(&row).await.unwrap(), Inserted::Erased);
        assert_eq!(stores.ledger.load(&row.key).await.unwrap(), None);
    }
    for (candidate, expected) in [(id.as_str(), Inserted::Erased), ("70", Inserted::New)] {
        let hire = hired(
            Hire::Application(candidate.into()),
            candidate,
            State::Detected,
        );
        let inserted = stores.announcements.insert_announcement(&hire).await;
        assert_eq!(inserted.unwrap(), expected);
    }
    let mut another = detected(key("acme", 3));
    another.candidate = "70".into();
    for row in [another, detected(key("other", 1))] {
        assert_eq!(stores.ledger.insert(&row).await.unwrap(), Inserted::New);
    }
    // A worker that was about to save it finds it removed.
    assert_eq!(
        stores.ledger.save(&claimed(&row)).await.unwrap(),
        Saved::Conflict
    );
}
