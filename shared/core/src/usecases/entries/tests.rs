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
    let world = FakePorts::new();
    let second = Mapping {
        reentry: Reentry::Again,
        ..mapping("second")
    };
    world.holds().tenant.mappings.push(second);
    let keys = ["video", "second"].map(|mapping| world.enter("1", mapping));
    (world, keys)
}

async fn invite(world: &FakePorts, key: &InvitationKey) -> State {
    let inviter = world.ports().inviter();
    inviter.invite(key, Deadline::NONE).await.unwrap();
    world.row(key).state
}

fn gave_way(to: &InvitationKey) -> State {
    State::Skipped(SkipReason::Duplicate(Some(to.clone())))
}

fn remove_mapping(world: &FakePorts, id: &str) {
    let mut holds = world.holds();
    holds.tenant.mappings.retain(|one| one.id != id.into());
}

/// Puts the invitation into this state, as if by its events.
fn set_state(world: &FakePorts, key: &InvitationKey, state: State) {
    world.holds().rows.get_mut(key).unwrap().state = state;
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
        let (world, keys) = raced();
        let [first, second] = order.map(|at| &keys[at]);
        assert_eq!(invite(&world, first).await, State::Invited);
        assert_eq!(invite(&world, second).await, gave_way(first));
        assert_eq!(world.row(second).revision, 0);
        assert_eq!(world.holds().orders.len(), 1);
    }
}

/// Both senders have read that nothing is sent; the other one's slot is bound in between.
#[tokio::test]
async fn of_two_senders_at_once_only_one_gets_the_place() {
    let (world, [first, second]) = raced();
    let other = second.clone();
    let takes_the_place = move |holds: &mut FakeState| {
        let place = ("acc".into(), "entry/a1/1/1".into());
        holds.references.insert(place, other);
    };
    world
        .holds()
        .on_call
        .insert("candidate", Box::new(takes_the_place));
    assert_eq!(invite(&world, &first).await, gave_way(&second));
    assert!(world.holds().orders.is_empty());
    assert_eq!(invite(&world, &second).await, State::Invited);
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
        let (world, [first, second]) = raced();
        invite(&world, &first).await;
        match state.clone() {
            Some(state) => set_state(&world, &first, state),
            None => {
                world.holds().rows.remove(&first);
            }
        }
        let expected = if held {
            gave_way(&first)
        } else {
            State::Invited
        };
        assert_eq!(invite(&world, &second).await, expected, "behind {state:?}");
    }
}

#[tokio::test]
async fn who_left_and_came_to_another_trigger_is_invited_again() {
    let (world, [first, second]) = raced();
    invite(&world, &first).await;
    let elsewhere = crate::fake_ports::at("13", "1");
    world.set(|holds| {
        holds.tenant.mappings[1].triggers[0].stage = "13".into();
        holds.tenant.mappings[1].triggers[0].statuses.clear();
        holds.standing = StageInfo::Position(elsewhere);
    });
    let version = world.holds().tenant.mappings[1].definition_id();
    world.holds().rows.get_mut(&second).unwrap().definition = Some(version);
    assert_eq!(invite(&world, &second).await, State::Invited);
}

#[tokio::test]
async fn a_further_round_of_the_same_mapping_does_not_give_way_to_the_one_before() {
    let (world, [key, _]) = raced();
    assert_eq!(invite(&world, &key).await, State::Invited);
    let mut again = entered("1", &mapping("video"), time(60));
    again.key = next_round(&key);
    world.insert(&again).await.unwrap();
    assert_eq!(invite(&world, &again.key).await, State::Invited);
}

#[tokio::test]
async fn a_retried_row_gives_way_to_one_that_came_after_it() {
    let (world, [first, second]) = raced();
    world
        .holds()
        .invited
        .push_back(Err(failing(Phase::Refused)));
    assert!(matches!(invite(&world, &first).await, State::Failed(_)));
    assert_eq!(invite(&world, &second).await, State::Invited);
    world.happens(&first, Event::Retry);
    world.pass(60);
    assert_eq!(invite(&world, &first).await, gave_way(&second));
    assert_eq!(world.holds().orders.len(), 2);
}

#[tokio::test]
async fn an_entry_that_no_other_mapping_wants_costs_the_ledger_nothing() {
    let (world, [key, _]) = raced();
    world.holds().tenant.mappings[1].assessment.assessment = "a2".into();
    assert_eq!(invite(&world, &key).await, State::Invited);
    let holds = world.holds();
    let mut references = holds.references.keys();
    assert!(!references.any(|(_, of)| of.as_str().starts_with("entry/")));
}

/// The erasure comes between the sender's check for it and the slot.
#[tokio::test]
async fn an_entry_that_was_taken_after_an_erasure_is_given_back() {
    let (world, [key, second]) = raced();
    world.holds().rows.remove(&second);
    let erased = |holds: &mut FakeState| {
        holds.erased.insert("9001".into());
    };
    world.holds().on_call.insert("candidate", Box::new(erased));
    let inviter = world.ports().inviter();
    inviter.invite(&key, Deadline::NONE).await.unwrap();
    let holds = world.holds();
    assert!(holds.rows.is_empty() && holds.references.is_empty());
    assert!(holds.orders.is_empty());
}

#[tokio::test]
async fn who_gave_way_is_invited_when_the_holders_mapping_is_removed_before_it_was_sent() {
    let (world, [first, second]) = raced();
    set_state(&world, &second, gave_way(&first));
    remove_mapping(&world, "video");
    let removed = State::Skipped(SkipReason::MappingRemoved);
    assert_eq!(invite(&world, &first).await, removed);
    let next = next_round(&second);
    let row = world.row(&next);
    let retry = world
        .engine()
        .in_seconds(world.engine().timing.retry_seconds);
    assert_eq!(
        row.schedule,
        Schedule::At {
            at: retry,
            step: Step::Invite
        }
    );
    assert_eq!(row.definition, world.row(&second).definition);
    assert_eq!(
        world.holds().published[0],
        What::Detected {
            invitation: next.clone()
        }
    );
    world.holds().now = retry;
    assert_eq!(invite(&world, &next).await, State::Invited);
    assert_eq!(world.holds().orders.len(), 1);
}

/// The process stops before it is saved that the holder was given up.
#[tokio::test]
async fn who_gave_way_is_not_lost_if_the_holder_is_given_up_only_by_another_try() {
    let (world, [first, second]) = raced();
    set_state(&world, &second, gave_way(&first));
    remove_mapping(&world, "video");
    world.holds().conflicts = 1;
    assert_eq!(invite(&world, &first).await, State::Detected);
    let next = next_round(&second);
    world.pass(3600);
    assert_eq!(invite(&world, &next).await, State::Invited);
    assert!(matches!(invite(&world, &first).await, State::Skipped(_)));
    assert_eq!(world.holds().rows.len(), 3);
    assert_eq!(world.holds().orders.len(), 1);
}

#[tokio::test]
async fn who_left_or_gave_way_to_another_is_not_invited_for_a_removed_mapping() {
    for change in [
        (|row: &mut Invitation| row.entry.left_at = Some(time(1))) as fn(&mut Invitation),
        |row| row.state = State::Skipped(SkipReason::Cancelled),
        |row| row.state = State::Skipped(SkipReason::Duplicate(None)),
    ] {
        let (world, [first, second]) = raced();
        set_state(&world, &second, gave_way(&first));
        change(world.holds().rows.get_mut(&second).unwrap());
        remove_mapping(&world, "video");
        invite(&world, &first).await;
        assert_eq!(world.holds().rows.len(), 2);
    }
}

#[tokio::test]
async fn an_operator_who_takes_an_invitation_back_does_not_have_another_mapping_send_it() {
    let (world, [first, second]) = raced();
    set_state(&world, &second, gave_way(&first));
    world.happens(&first, Event::Cancel);
    assert!(matches!(invite(&world, &first).await, State::Skipped(_)));
    assert_eq!(world.holds().rows.len(), 2);
}
