//! The story: customers join, recruiters move candidates, candidates answer; and everything fails that can. Strangers
//! call, functions are killed, others are suspended past their leases, messages are doubled, a platform and an Eploy are
//! unreachable, AWS is restarted, becomes unreachable and loses a queue, results wait because their function is off, and
//! one tenant's work fails until it is fixed. One customer's HRMS accepts its webhook, another's does not.

use aws_sdk_dynamodb::types::AttributeValue;
use stagecall_core::ports::OperatorStore as _;
use stagecall_core::work::Work;
use stagecall_emulator::{Emulator, Function, Line, Metric, Queue, Taken};
use stagecall_sandbox::control::CandidateAct;
use stagecall_tests::harness::State;

use crate::cast::Cast;
use crate::member::Member;
use crate::scene::Scene;
use crate::{callbacks, data_residue, outage, strangers, suspended, until, verdict};

/// The visibility timeout, in seconds: after it, work of a dead or suspended function is delivered again. It is longer than
/// a lease and everything before it. Work that a function returns comes sooner.
const VISIBILITY_SECONDS: u32 = 18;

/// Plays the first round of the schedule, and what can go wrong before the next: customers join, and those of their
/// candidates are invited who are to be from the beginning.
pub async fn begins(scene: &Scene<'_>) -> Cast {
    let stack = scene.stack;
    for queue in Queue::ALL {
        stack
            .shorten_visibility(queue, VISIBILITY_SECONDS)
            .await
            .unwrap();
    }
    let cast = Cast::new(scene.player).await;
    for member in cast.members() {
        member.join(stack).await;
    }
    garble(scene, &cast.poisoned).await;
    stack.serve(Queue::Invite, false).await.unwrap();
    scene.tell("the tenants are there; waiting for the schedule");
    strangers::call(scene, &cast.attacked, &cast.attacked_with).await;

    let waiting: usize = cast
        .invited_first()
        .map(|one| one.invitees.len())
        .iter()
        .sum();
    until("the first invitations are in their queue", async || {
        (stack.depth(Queue::Invite).await.unwrap() >= waiting).then_some(())
    })
    .await;
    let mut taken = stack.take(Queue::Invite).await.unwrap();
    let count = taken.len();
    assert!(count >= waiting, "{count} of {waiting} messages");
    let needles = data_residue::needles(stack, scene.player, &cast.members()).await;
    data_residue::nobody_in_messages(&taken, &needles);
    scene.tell(&format!("{count} messages of the invite queue come twice"));
    twice(scene, &mut taken, &cast.wecp).await;
    stack.serve(Queue::Invite, true).await.unwrap();
    until("those of WeCP are invited", async || {
        cast.wecp.all_show("Invited").await
    })
    .await;
    stack.serve(Queue::Invite, false).await.unwrap();
    let (sending, reading) = (&cast.sending, &cast.reading);
    scene
        .slow(&suspended::slow_invitations(sending, reading))
        .await;
    // In this order, so that all who take messages have somebody to read, and nobody is idle when they fall asleep.
    twice(scene, &mut taken, sending).await;
    twice(scene, &mut taken, reading).await;
    stack.serve(Queue::Invite, true).await.unwrap();
    let sleepers = suspended::with_invitations(scene, sending, reading).await;
    kills(scene, &cast.killed, &mut taken).await;
    // A platform that takes requests and does not answer, and an Eploy that is not there.
    cast.to_platform.set(State::Silent);
    cast.to_eploy.set(State::Down);
    twice(scene, &mut taken, &cast.unsent).await;
    twice(scene, &mut taken, &cast.unread).await;

    // Between the schedule's rounds, the queues alone.
    let participants = cast.wecp.participants(scene.player).await;
    scene
        .player
        .wecp_candidate(
            &cast.wecp.customer.name,
            &participants,
            CandidateAct::Answer,
        )
        .await
        .unwrap();
    let sleep = async {
        suspended::others_invite(scene, sleepers, sending, reading).await;
        suspended::with_reports(scene, sending).await;
    };
    tokio::join!(
        sleep,
        poisoned(scene, &cast.poisoned),
        is_cut_off(scene, &cast.unsent),
        is_cut_off(scene, &cast.unread),
    );
    cast
}

/// Plays the rest: AWS fails and recovers repeatedly, and everything completes nevertheless.
pub async fn goes_on(scene: &Scene<'_>, emulator: &mut Emulator, cast: &mut Cast) {
    for member in [&cast.unsent, &cast.unread] {
        assert_eq!(member.invited().await, 0, "a line was not cut");
    }
    let sent_back = async || {
        let letters = scene.stack.dead_letters(Queue::Poll).unwrap();
        let poisoned = &cast.poisoned.tenant;
        scene.stack.store().put_tenant(poisoned).await.unwrap();
        assert!(letters.redrive(100).await.unwrap() > 0);
    };
    outage::restarted_at_work(scene, emulator, cast, sent_back).await;

    // The next round brings the entries, the sweeps, what was under way, and what the cut lines held up.
    cast.to_platform.set(State::Up);
    cast.to_eploy.set(State::Up);
    for member in [&cast.acme, &cast.bravo] {
        turned_on(scene, member).await;
    }
    outage::slow_calls(scene, cast).await;
    for (member, count) in [(&mut cast.acme, 10), (&mut cast.bravo, 4)] {
        member.enter(count).await;
    }
    cast.bravo.hire(scene.player).await;
    poll_dies(scene, &cast.bravo).await;
    outage::unreachable(scene, emulator, cast).await;
    until("what could not be finished was taken up", async || {
        (scene.stack.depth(Queue::Invite).await.unwrap() == 0).then_some(())
    })
    .await;
    // Not before: a worker that dies between recording a failed webhook and logging it leaves it unlogged.
    cast.acme.hire(scene.player).await;
    let some = [&cast.poisoned, &cast.acme, &cast.bravo];
    callbacks::without_write_back(scene, &cast.killed, &some).await;
    outage::restarted_without_results(scene, emulator).await;

    let done = async || {
        let sums = verdict::judge(&cast.members()).await;
        (sums.wrong.is_empty() && scene.idle().await).then_some(())
    };
    if stagecall_tests::harness::within(crate::SCHEDULE_TIMEOUT, done)
        .await
        .is_none()
    {
        panic!(
            "the story does not end well: {:#?}",
            verdict::judge(&cast.members()).await
        );
    }
    scene.tell("everything is reported");
    hires_are_announced(scene).await;
}

/// Makes a tenant's configuration one that cannot be read, as a release of another version might.
async fn garble(scene: &Scene<'_>, member: &Member) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    aws_sdk_dynamodb::Client::new(scene.stack.aws())
        .update_item()
        .table_name(scene.stack.table().unwrap())
        .key("pk", text(member.tenant.id.as_str()))
        .key("sk", text("config"))
        .update_expression("SET doc = :doc")
        .expression_attribute_values(":doc", text("{\"from\": \"the future\"}"))
        .send()
        .await
        .unwrap();
}

/// Puts a customer's messages back into the invite queue, twice.
async fn twice(scene: &Scene<'_>, taken: &mut Vec<Taken>, member: &Member) {
    let (theirs, others) = std::mem::take(taken)
        .into_iter()
        .partition(|message| message.tenant() == Some(member.tenant.id.as_str()));
    *taken = others;
    scene
        .stack
        .put_back_twice(Queue::Invite, theirs)
        .await
        .unwrap();
}

/// The invite function is killed with a customer's invitations under way.
async fn kills(scene: &Scene<'_>, killed: &Member, taken: &mut Vec<Taken>) {
    let invite = "willo.participants.create";
    scene.slow(&[(killed, invite)]).await;
    twice(scene, taken, killed).await;
    until("an invitation is under way", async || {
        (scene.arrived(killed, invite).await > 0).then_some(())
    })
    .await;
    let processes = scene.stack.kill(Function::Invite).await.unwrap();
    assert!(processes > 0, "no process was there to be killed");
    assert_eq!(killed.invited().await, 0, "it was killed too late");
    scene.slow(&[]).await;
    scene.tell(&format!(
        "killed {processes} processes of the invite function in mid-batch"
    ));
}

/// The poll function is killed with a customer's page on its way: what it had read by then is read again.
async fn poll_dies(scene: &Scene<'_>, polled: &Member) {
    until("a poll is under way", async || {
        (scene.arrived(polled, outage::POLL).await > 0).then_some(())
    })
    .await;
    let processes = scene.stack.kill(Function::Poll).await.unwrap();
    assert!(processes > 0, "no process was there to be killed");
    assert_eq!(polled.invited().await, 0, "it was killed too late");
    scene.tell(&format!(
        "killed {processes} processes of the poll function in the middle of a page"
    ));
}

/// All its invitations are recorded as not sent, or as unknown.
async fn is_cut_off(scene: &Scene<'_>, member: &Member) {
    let what = format!("it is on record that {} is cut off", member.customer.name);
    until(&what, async || {
        let rows = member.recorded(scene.stack).await;
        let troubled = rows.iter().filter(|row| row.failure.is_some()).count();
        (troubled >= member.invitees.len()).then_some(())
    })
    .await;
}

/// Waits until the baseline is recorded: from then on, entries count.
async fn turned_on(scene: &Scene<'_>, member: &Member) {
    use stagecall_core::ports::{MappingStatus, TenantStates as _};
    until("the mapping is on", async || {
        let states = scene.stack.store().load_state(&member.tenant.id);
        let state = states.await.unwrap()?;
        let on = |status: &MappingStatus| *status == MappingStatus::Active;
        let all = !state.mappings.is_empty() && state.mappings.values().all(|one| on(&one.status));
        (all && state.hires.is_some_and(|hires| hires.baseline.is_none())).then_some(())
    })
    .await;
}

/// Only the message that failed repeatedly is among the dead letters.
async fn poisoned(scene: &Scene<'_>, poisoned: &Member) {
    let letters = scene.stack.dead_letters(Queue::Poll).unwrap();
    until("the poisoned message is a dead letter", async || {
        (letters.count().await.unwrap() > 0).then_some(())
    })
    .await;
    let poll = Work::Poll {
        tenant: poisoned.tenant.id.clone(),
    };
    for letter in letters.sample().await.unwrap() {
        assert_eq!(letter.work, Some(poll.clone()));
    }
    assert_eq!(poisoned.invited().await, 0);
    scene.tell("the poisoned message is among the dead letters, alone");
}

/// The one HRMS has accepted its webhook once. The other got it once, and its refusal is counted.
async fn hires_are_announced(scene: &Scene<'_>) {
    until("a webhook was refused", async || {
        let log = scene.stack.log_of(Function::WriteBack).await.unwrap();
        let counted = |one: &Metric| one.name == "HiresUndelivered";
        let mut metrics = log.iter().flat_map(Line::metrics);
        metrics.any(|one| counted(&one)).then_some(())
    })
    .await;
    until("a hire was announced", async || {
        (scene.player.webhooks(0).await.unwrap().next > 0).then_some(())
    })
    .await;
}
