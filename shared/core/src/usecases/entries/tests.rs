use super::*;
use crate::clock::Deadline;
use crate::error::Phase;
use crate::events::What;
use crate::fake_ports::{FakePorts, FakeState, entered, failing, mapping, time};
use crate::invitation::{FailReason, Failure, Schedule, Step};
use crate::ports::{Ledger as _, StageInfo};
use crate::tenant::Reentry;

/// Two overlapping mappings, with a row of each for the same entry, as two polls saved them that did not know each
/// other's.
fn raced() -> (FakePorts, [InvitationKey; 2]) {
    let fake = FakePorts::new();
    let second = Mapping {
        reentry: Reentry::Again,
        ..mapping("second")
    };
    fake.data().tenant.mappings.push(second);
    let keys = ["video", "second"].map(|mapping| fake.enter("1", mapping));
    (fake, keys)
}

async fn invite(fake: &FakePorts, key: &InvitationKey) -> State {
    let inviter = fake.ports().inviter();
    inviter.invite(key, Deadline::NONE).await.unwrap();
    fake.row(key).state
}

fn gave_way(to: &InvitationKey) -> State {
    State::Skipped(SkipReason::Duplicate(Some(to.clone())))
}

fn remove_mapping(fake: &FakePorts, id: &str) {
    let mut data = fake.data();
    data.tenant.mappings.retain(|one| one.id != id.into());
}

/// Puts the invitation into this state, as if by its events.
fn set_state(fake: &FakePorts, key: &InvitationKey, state: State) {
    fake.data().rows.get_mut(key).unwrap().state = state;
}

fn next_round(key: &InvitationKey) -> InvitationKey {
    InvitationKey {
        round: key.round + 1,
        ..key.clone()
    }
}

#[tokio::test]
async fn of_two_rows_for_one_entry_the_first_is_sent_and_the_other_silently_gives_way() {
    for order in [[0, 1], [1, 0]] {
        let (fake, keys) = raced();
        let [first, second] = order.map(|at| &keys[at]);
        assert_eq!(invite(&fake, first).await, State::Invited);
        assert_eq!(invite(&fake, second).await, gave_way(first));
        assert_eq!(fake.row(second).revision, 0);
        assert_eq!(fake.data().orders.len(), 1);
    }
}

/// Both senders have read that nothing is sent; the other one's slot is bound in between.
#[tokio::test]
async fn of_two_senders_at_once_only_one_gets_the_place() {
    let (fake, [first, second]) = raced();
    let other = second.clone();
    let takes_the_place = move |data: &mut FakeState| {
        let place = ("acc".into(), "entry/a1/1/1".into());
        data.references.insert(place, other);
    };
    fake.data()
        .on_call
        .insert("candidate", Box::new(takes_the_place));
    assert_eq!(invite(&fake, &first).await, gave_way(&second));
    assert!(fake.data().orders.is_empty());
    assert_eq!(invite(&fake, &second).await, State::Invited);
}

#[tokio::test]
async fn an_entry_is_held_by_whatever_is_or_may_be_sent_for_it() {
    let unknown = Failure::from_call(&failing(Phase::Unknown), None, time(0));
    for (state, held) in [
        (Some(State::Detected), true),
        (Some(State::Completed), true),
        (
            Some(State::Failed(FailReason::OutcomeUnknown(unknown))),
            true,
        ),
        (Some(State::Failed(FailReason::NoEmail)), false),
        (Some(State::Skipped(SkipReason::MappingRemoved)), false),
        (Some(State::Bounced), false),
        // Erased.
        (None, false),
    ] {
        let (fake, [first, second]) = raced();
        invite(&fake, &first).await;
        match state.clone() {
            Some(state) => set_state(&fake, &first, state),
            None => {
                fake.data().rows.remove(&first);
            }
        }
        let expected = if held {
            gave_way(&first)
        } else {
            State::Invited
        };
        assert_eq!(invite(&fake, &second).await, expected, "behind {state:?}");
    }
}

#[tokio::test]
async fn who_left_and_came_to_another_trigger_is_invited_again() {
    let (fake, [first, second]) = raced();
    invite(&fake, &first).await;
    let elsewhere = crate::fake_ports::at("13", "1");
    fake.set(|data| {
        data.tenant.mappings[1].triggers[0].stage = "13".into();
        data.tenant.mappings[1].triggers[0].statuses.clear();
        data.stage_info = StageInfo::Position(elsewhere);
    });
    let version = fake.data().tenant.mappings[1].definition_id();
    fake.data().rows.get_mut(&second).unwrap().definition = Some(version);
    assert_eq!(invite(&fake, &second).await, State::Invited);
}

#[tokio::test]
async fn a_further_round_of_the_same_mapping_does_not_give_way_to_the_one_before() {
    let (fake, [key, _]) = raced();
    assert_eq!(invite(&fake, &key).await, State::Invited);
    let mut again = entered("1", &mapping("video"), time(60));
    again.key = next_round(&key);
    fake.insert(&again).await.unwrap();
    assert_eq!(invite(&fake, &again.key).await, State::Invited);
}

#[tokio::test]
async fn a_retried_row_gives_way_to_one_that_came_after_it() {
    let (fake, [first, second]) = raced();
    fake.data().invited.push_back(Err(failing(Phase::Refused)));
    assert!(matches!(invite(&fake, &first).await, State::Failed(_)));
    assert_eq!(invite(&fake, &second).await, State::Invited);
    fake.happens(&first, Event::Retry);
    fake.pass(60);
    assert_eq!(invite(&fake, &first).await, gave_way(&second));
    assert_eq!(fake.data().orders.len(), 2);
}

/// The failed row is retried after the other sender has passed over its slot, and before it has the next.
#[tokio::test]
async fn of_a_retried_row_and_one_that_is_just_sent_only_one_is_sent() {
    let (fake, [first, second]) = raced();
    fake.data().invited.push_back(Err(failing(Phase::Refused)));
    assert!(matches!(invite(&fake, &first).await, State::Failed(_)));
    let retried = first.clone();
    let retry = move |holds: &mut FakeState| {
        let now = holds.now;
        holds.happens(&retried, Event::Retry, now);
    };
    fake.data()
        .on_later_call("bind_reference", 1, Box::new(retry));
    assert_eq!(invite(&fake, &second).await, State::Detected);
    fake.pass(60);
    assert_eq!(invite(&fake, &first).await, gave_way(&second));
    assert_eq!(invite(&fake, &second).await, State::Invited);
    assert_eq!(fake.data().orders.len(), 2);
}

#[tokio::test]
async fn an_entry_that_no_other_mapping_wants_costs_the_ledger_nothing() {
    let (fake, [key, _]) = raced();
    fake.data().tenant.mappings[1].assessment.assessment = "a2".into();
    assert_eq!(invite(&fake, &key).await, State::Invited);
    let data = fake.data();
    let mut references = data.references.keys();
    assert!(!references.any(|(_, of)| of.as_str().starts_with("entry/")));
}

/// The erasure comes between the sender's check for it and the slot.
#[tokio::test]
async fn an_entry_that_was_taken_after_an_erasure_is_given_back() {
    let (fake, [key, second]) = raced();
    fake.data().rows.remove(&second);
    let erased = |data: &mut FakeState| {
        data.erased.insert("9001".into());
    };
    fake.data().on_call.insert("candidate", Box::new(erased));
    let inviter = fake.ports().inviter();
    inviter.invite(&key, Deadline::NONE).await.unwrap();
    let data = fake.data();
    assert!(data.rows.is_empty() && data.references.is_empty());
    assert!(data.orders.is_empty());
}

#[tokio::test]
async fn who_gave_way_is_invited_when_the_holders_mapping_is_removed_before_it_was_sent() {
    let (fake, [first, second]) = raced();
    set_state(&fake, &second, gave_way(&first));
    remove_mapping(&fake, "video");
    let removed = State::Skipped(SkipReason::MappingRemoved);
    assert_eq!(invite(&fake, &first).await, removed);
    let next = next_round(&second);
    let row = fake.row(&next);
    let retry = fake.engine().in_seconds(fake.engine().timing.retry_seconds);
    assert_eq!(
        row.schedule,
        Schedule::At {
            at: retry,
            step: Step::Invite
        }
    );
    assert_eq!(row.definition, fake.row(&second).definition);
    assert_eq!(
        fake.data().published[0],
        What::Detected {
            invitation: next.clone()
        }
    );
    fake.data().now = retry;
    assert_eq!(invite(&fake, &next).await, State::Invited);
    assert_eq!(fake.data().orders.len(), 1);
}

/// The process stops before it is saved that the holder was given up.
#[tokio::test]
async fn who_gave_way_is_not_lost_if_the_holder_is_given_up_only_by_another_try() {
    let (fake, [first, second]) = raced();
    set_state(&fake, &second, gave_way(&first));
    remove_mapping(&fake, "video");
    fake.data().conflicts = 1;
    assert_eq!(invite(&fake, &first).await, State::Detected);
    let next = next_round(&second);
    fake.pass(3600);
    assert_eq!(invite(&fake, &next).await, State::Invited);
    assert!(matches!(invite(&fake, &first).await, State::Skipped(_)));
    assert_eq!(fake.data().rows.len(), 3);
    assert_eq!(fake.data().orders.len(), 1);
}

#[tokio::test]
async fn who_left_or_gave_way_to_another_is_not_invited_for_a_removed_mapping() {
    for change in [
        (|row: &mut Invitation| row.entry.left_at = Some(time(1))) as fn(&mut Invitation),
        |row| row.state = State::Skipped(SkipReason::Cancelled),
        |row| row.state = State::Skipped(SkipReason::Duplicate(None)),
    ] {
        let (fake, [first, second]) = raced();
        set_state(&fake, &second, gave_way(&first));
        change(fake.data().rows.get_mut(&second).unwrap());
        remove_mapping(&fake, "video");
        invite(&fake, &first).await;
        assert_eq!(fake.data().rows.len(), 2);
    }
}

#[tokio::test]
async fn an_operator_who_takes_an_invitation_back_does_not_have_another_mapping_send_it() {
    let (fake, [first, second]) = raced();
    set_state(&fake, &second, gave_way(&first));
    fake.happens(&first, Event::Cancel);
    assert!(matches!(invite(&fake, &first).await, State::Skipped(_)));
    assert_eq!(fake.data().rows.len(), 2);
}
