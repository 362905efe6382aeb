//! Mappings that are changed while they are on, and overlapping mappings.

use super::super::Polled;
use super::polling::{
    calls, changes, page, poll, poll_until, polled, row_of, seen, state, status, try_to_poll, wait,
};
use super::*;
use crate::clock::Deadline;
use crate::error::Phase;
use crate::fake_ports::{FakePorts, FakeState, at, at_trigger, failing, mapping, time};
use crate::invitation::State;
use crate::tenant::Vacancies;

fn only(vacancies: &[&str]) -> Vacancies {
    Vacancies::Only(vacancies.iter().map(|id| (*id).into()).collect())
}

/// An application of another vacancy than usual.
fn of(vacancy: &str, row: ApplicationRow) -> ApplicationRow {
    ApplicationRow {
        vacancy: vacancy.into(),
        ..row
    }
}

/// A setup whose mapping is on for vacancy 4101.
async fn on_for_one() -> FakePorts {
    let fake = FakePorts::new();
    fake.data().tenant.mappings[0].vacancies = only(&["4101"]);
    poll(&fake).await;
    wait(&fake);
    assert_eq!(status(&fake), MappingStatus::Active);
    calls(&fake);
    fake
}

/// The poll was suspended before it began, while another one processed an added mapping.
#[tokio::test]
async fn a_mapping_that_was_added_while_a_poll_slept_does_not_count_as_removed() {
    let fake = on_for_one().await;
    let added = |data: &mut FakeState| {
        let second = Mapping {
            id: "second".into(),
            ..data.tenant.mappings[0].clone()
        };
        let state = data.state.as_mut().unwrap();
        let known = state.mappings.values().next().unwrap().clone();
        state.mappings.insert(second.id.clone(), known);
        data.tenant.mappings.push(second);
    };
    fake.data().on_call.insert("load_state", Box::new(added));
    poll(&fake).await;
    let second = &state(&fake).mappings[&"second".into()];
    assert_eq!(second.status, MappingStatus::Active);
}

fn state_of(fake: &FakePorts, application: &str) -> Option<State> {
    row_of(fake, application).map(|row| row.state)
}

const BASELINE: State = State::Skipped(SkipReason::Baseline);

#[tokio::test]
async fn who_entered_before_a_vacancy_was_added_is_invited_and_who_was_there_for_that_one_is_not() {
    let fake = on_for_one().await;
    let entered = seen("1", at_trigger(), 10);
    let there = of("4102", seen("2", at_trigger(), 20));
    changes(&fake, vec![entered.clone(), there.clone()]);
    fake.data().tenant.mappings[0].vacancies = only(&["4101", "4102"]);
    fake.data().at_triggers = vec![page(vec![entered, there], false)];
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(state_of(&fake, "1"), Some(State::Detected));
    assert_eq!(state_of(&fake, "2"), Some(BASELINE));
    assert_eq!(status(&fake), MappingStatus::Active);
    // It is under the definition that it was detected by.
    let first = row_of(&fake, "1").unwrap().definition;
    assert_ne!(first, state(&fake).mappings[&"video".into()].definition);
    assert!(fake.data().definitions.len() == 2 && first.is_some());

    // From then on, both are the mapping's.
    wait(&fake);
    let later = [
        seen("3", at_trigger(), 500),
        of("4102", seen("4", at_trigger(), 500)),
    ];
    changes(&fake, later.to_vec());
    assert_eq!(poll(&fake).await, Polled::Done(2));
    // An application that predates its vacancy's addition is recognised by the time of each addition.
    let not_before = |application| {
        row_of(&fake, application)
            .unwrap()
            .entry
            .not_before
            .unwrap()
    };
    assert_eq!(not_before("3"), time(0));
    assert!(not_before("4") > time(0));
}

#[tokio::test]
async fn what_does_not_decide_who_is_taken_starts_no_baseline_even_after_an_outage() {
    let edits: [fn(&mut Mapping); 4] = [
        |one| one.reentry = Reentry::Again,
        |one| one.assessment.assessment = "a2".into(),
        |one| drop(one.options.insert("language".to_owned(), "fr".into())),
        |one| one.report.texts.note = Some("Hello".to_owned()),
    ];
    for edit in edits {
        let fake = polled().await;
        let down = CallError {
            scope: ErrorScope::Connection,
            ..failing(Phase::NotSent)
        };
        fake.data().eploy_fails = Some(down);
        for _ in 0..96 {
            assert_eq!(poll(&fake).await, Polled::Failed);
            wait(&fake);
        }
        fake.data().eploy_fails = None;
        edit(&mut fake.data().tenant.mappings[0]);
        let rows: Vec<_> = (1..=5)
            .map(|one| seen(&one.to_string(), at_trigger(), one * 3600))
            .collect();
        fake.data().at_triggers = vec![page(rows.clone(), false)];
        changes(&fake, rows);
        calls(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(5));
        assert!(!calls(&fake).contains(&"applications_at"));
        assert!(
            fake.data()
                .rows
                .values()
                .all(|row| row.state == State::Detected)
        );
    }
}

/// A poll without time reads additions later, and neither covered applications nor other mappings wait for it.
#[tokio::test]
async fn nobody_waits_while_what_was_added_is_read() {
    let fake = on_for_one().await;
    let mut second = mapping("second");
    second.triggers[0].stage = "13".into();
    fake.data().tenant.mappings.push(second);
    poll(&fake).await;
    wait(&fake);
    fake.data().tenant.mappings[0].vacancies = Vacancies::All;
    let there = |id: &str| page(vec![of("4102", seen(id, at_trigger(), 0))], true);
    fake.data().at_triggers = vec![there("7"), there("8"), page(vec![], false)];
    let now = fake.data().now;
    changes(&fake, vec![]);
    fake.data().calls_take = SignedDuration::from_secs(1);
    let deadline = |seconds| Deadline::at(now + SignedDuration::from_secs(seconds));
    assert_eq!(poll_until(&fake, deadline(2)).await, Polled::Unfinished);
    assert!(matches!(
        status(&fake),
        MappingStatus::Baseline { page: 2, .. }
    ));
    changes(
        &fake,
        vec![
            seen("1", at_trigger(), 100),
            seen("2", at("13", "34"), 110),
            of("4102", seen("3", at_trigger(), 120)),
        ],
    );
    assert_eq!(poll_until(&fake, deadline(6)).await, Polled::Unfinished);
    assert_eq!(state_of(&fake, "1"), Some(State::Detected));
    assert_eq!(state_of(&fake, "2"), Some(State::Detected));
    assert_eq!(
        state_of(&fake, "3"),
        None,
        "not before the baseline is saved"
    );
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(state_of(&fake, "3"), Some(State::Detected));
    assert_eq!(
        [state_of(&fake, "7"), state_of(&fake, "8")],
        [Some(BASELINE), Some(BASELINE)]
    );
}

#[tokio::test]
async fn what_is_removed_and_added_again_is_read_again() {
    let fake = on_for_one().await;
    fake.data().tenant.mappings[0].vacancies = only(&["4102"]);
    poll(&fake).await;
    wait(&fake);
    let there = seen("1", at_trigger(), 100);
    changes(&fake, vec![there.clone()]);
    poll(&fake).await;
    wait(&fake);
    assert_eq!(state_of(&fake, "1"), None);
    fake.data().tenant.mappings[0].vacancies = only(&["4101", "4102"]);
    fake.data().at_triggers = vec![page(vec![there], false)];
    poll(&fake).await;
    assert_eq!(state_of(&fake, "1"), Some(BASELINE));
}

/// When a poll last saw it, the mapping had another name.
#[tokio::test]
async fn an_entry_from_before_a_mapping_was_renamed_is_saved() {
    let fake = polled().await;
    let entered = seen("1", at_trigger(), 10);
    changes(&fake, vec![entered.clone()]);
    fake.data().at_triggers = vec![page(vec![entered], false)];
    fake.data().tenant.mappings[0].id = "video-2".into();
    assert_eq!(poll(&fake).await, Polled::Done(1));
    let data = fake.data();
    let states = data
        .rows
        .values()
        .map(|row| (row.key.mapping.as_str(), row.state.clone()));
    assert_eq!(
        states.collect::<Vec<_>>(),
        [("video", State::Detected), ("video-2", BASELINE)]
    );
    let known: Vec<_> = data.state.as_ref().unwrap().mappings.keys().collect();
    assert_eq!(known, [&"video-2".into()]);
}

#[tokio::test]
async fn of_mappings_that_want_the_same_the_first_invites() {
    let fake = FakePorts::new();
    let overlapping = vec![mapping("z-first"), mapping("a-second")];
    fake.data().tenant.mappings = overlapping;
    poll(&fake).await;
    wait(&fake);
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    let key = |mapping: &str| InvitationKey {
        tenant: "acme".into(),
        application: "1".into(),
        mapping: mapping.into(),
        round: 1,
    };
    assert_eq!(fake.row(&key("z-first")).state, State::Detected);
    let duplicate = SkipReason::Duplicate(Some(key("z-first")));
    assert_eq!(fake.row(&key("a-second")).state, State::Skipped(duplicate));

    // Another assessment is another invitation.
    let fake = FakePorts::new();
    let mut second = mapping("second");
    second.assessment.assessment = "a2".into();
    fake.data().tenant.mappings.push(second);
    poll(&fake).await;
    wait(&fake);
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    assert_eq!(poll(&fake).await, Polled::Done(2));
}

/// The first of two mappings invites once, the other at every entry.
#[tokio::test]
async fn an_entry_is_not_held_by_an_invitation_whose_application_has_left() {
    for (reentry, expected) in [(Reentry::Again, 1), (Reentry::Once, 0)] {
        let fake = FakePorts::new();
        fake.data().tenant.mappings.push(Mapping {
            reentry,
            ..mapping("second")
        });
        poll(&fake).await;
        let go_to = async |position, second| {
            wait(&fake);
            changes(&fake, vec![seen("1", position, second)]);
            poll(&fake).await
        };
        assert_eq!(go_to(at_trigger(), 10).await, Polled::Done(1));
        let first = row_of(&fake, "1").unwrap().key;
        let first = InvitationKey {
            mapping: "video".into(),
            ..first
        };
        fake.data().rows.get_mut(&first).unwrap().state = State::Invited;
        go_to(at("99", "1"), 500).await;
        let left = fake.row(&first).entry.left_at.is_some();
        assert_eq!(left, reentry == Reentry::Again);
        assert_eq!(go_to(at_trigger(), 900).await, Polled::Done(expected));
        let newest = InvitationKey {
            mapping: "second".into(),
            round: 2,
            ..first
        };
        let detected = fake.row(&newest).state == State::Detected;
        assert_eq!(detected, reentry == Reentry::Again);
    }
}

/// The candidate was invited by a mapping that was renamed since, and present applications are to be invited.
#[tokio::test]
async fn who_was_invited_for_an_entry_is_not_invited_for_it_by_another_mapping() {
    let fake = polled().await;
    let key = fake.invited("1", "video");
    fake.set(|data| {
        data.tenant.mappings[0].id = "video-2".into();
        data.tenant.mappings[0].include_current = true;
        data.at_triggers = vec![page(vec![seen("1", at_trigger(), 10)], false)];
    });
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let second = InvitationKey {
        mapping: "video-2".into(),
        ..key.clone()
    };
    let duplicate = SkipReason::Duplicate(Some(key));
    assert_eq!(fake.row(&second).state, State::Skipped(duplicate));
}

/// What an edit makes the next poll read is shown before the edit is made.
#[tokio::test]
async fn an_edit_reads_what_it_adds_and_one_that_adds_nothing_reads_nothing() {
    let fake = on_for_one().await;
    let state = fake.data().state.clone();
    let tenant = fake.data().tenant.clone();
    let engine = fake.engine();
    let reading = async |change: fn(&mut Mapping)| {
        let mut next = tenant.clone();
        change(&mut next.mappings[0]);
        engine.reading_of_edit(&next, state.clone()).await.unwrap()
    };
    let triggers = tenant.mappings[0].triggers.clone();
    assert_eq!(reading(|_| ()).await, None);
    assert_eq!(reading(|one| one.expires_after_days = Some(9)).await, None);
    let added = reading(|one| one.vacancies = only(&["4101", "4102"])).await;
    assert_eq!(added, Some((triggers.clone(), only(&["4102"]))));
    let all = reading(|one| one.vacancies = Vacancies::All).await;
    assert_eq!(all, Some((triggers.clone(), Vacancies::All)));
    // Nothing is saved of a new tenant.
    let new = engine.reading_of_edit(&tenant, None).await.unwrap();
    assert_eq!(new, Some((triggers, only(&["4101"]))));
    // As the poll does it.
    fake.data().tenant.mappings[0].vacancies = only(&["4101", "4102"]);
    poll(&fake).await;
    assert!(calls(&fake).contains(&"applications_at"));
}

#[tokio::test]
async fn a_reading_that_is_under_way_is_no_cost_of_an_edit() {
    let fake = on_for_one().await;
    let mut tenant = fake.data().tenant.clone();
    let mut state = state(&fake);
    tenant.mappings.push(mapping("second"));
    super::super::adopt(&tenant, &mut state, time(0));
    let mut edited = tenant.clone();
    edited.mappings[0].paused = true;
    let reading = fake.engine().reading_of_edit(&edited, Some(state)).await;
    assert_eq!(reading.unwrap(), None);
}

/// A poll switched to a definition and invited by it, and could not save its state.
#[tokio::test]
async fn by_the_definition_before_nobody_has_left_who_was_invited_by_the_present_one() {
    let fake = on_for_one().await;
    let before = state(&fake);
    let there = of("4102", seen("1", at_trigger(), 10));
    fake.set(|data| {
        data.tenant.mappings[0].vacancies = only(&["4101", "4102"]);
        data.tenant.mappings[0].include_current = true;
        data.at_triggers = vec![page(vec![there.clone()], false)];
    });
    changes(&fake, vec![there]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    fake.data().state = Some(before);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let row = row_of(&fake, "1").unwrap();
    assert_eq!((row.state, row.entry.left_at), (State::Detected, None));
    assert_eq!(fake.data().rows.len(), 1);
}

/// It read everything before the mapping was changed, and wakes up after another poll has invited by the change.
#[tokio::test]
async fn a_poll_that_slept_through_an_edit_notes_nobody_as_left() {
    let fake = on_for_one().await;
    let key = fake.enter("1", "video");
    let there = of("4102", seen("1", at_trigger(), 10));
    changes(&fake, vec![there]);
    let row = fake.data().rows.remove(&key).unwrap();
    let edited = |data: &mut FakeState| {
        data.tenant.mappings[0].vacancies = Vacancies::All;
        let definition = data.tenant.mappings[0].definition_id();
        data.state.as_mut().unwrap().version += 1;
        data.rows.insert(row.key.clone(), row.under(definition));
    };
    let meanwhile = Box::new(edited);
    fake.data()
        .on_call
        .insert("changed_applications", meanwhile);
    assert_eq!(poll(&fake).await, Polled::NotDue);
    let row = fake.row(&key);
    assert_eq!((row.state, row.entry.left_at), (State::Detected, None));
}

/// A poll that fails saves its state, too.
#[tokio::test]
async fn the_polls_switch_to_no_definition_that_is_not_saved() {
    let fake = on_for_one().await;
    let before = state(&fake).mappings[&"video".into()].definition.clone();
    {
        let mut data = fake.data();
        data.tenant.mappings[0].vacancies = only(&["4101", "4102"]);
        let error = StoreError::new("store", "save the definition", "it is not reached");
        data.definition_fails = Some(error);
    }
    assert!(try_to_poll(&fake, Deadline::NONE).await.is_err());
    let known = state(&fake).mappings[&"video".into()].definition.clone();
    assert_eq!(known, before);
    wait(&fake);
    poll(&fake).await;
    let known = state(&fake).mappings[&"video".into()].definition.clone();
    assert_ne!(known, before);
    let key = ("video".into(), known.unwrap());
    assert!(fake.data().definitions.contains_key(&key));
}
