//! The story: customers join, recruiters move candidates, candidates answer; and a function is killed, messages come
//! twice, results wait because nobody takes them from their queue, and one tenant's work fails until it is mended. One
//! customer's HRMS takes the hire that it is told of, another's does not.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use stagecall_core::ports::Records as _;
use stagecall_core::work::Work;
use stagecall_emulator::{Function, Metric, Queue, Stack};
use stagecall_sandbox::control::{
    CandidateAct, Fault, ParticipantView, Player, Profile, Rule, When,
};
use stagecall_tests::rig::PLATFORM;

use crate::member::Member;
use crate::{tell, until, verdict};

/// After how many seconds failed work comes back, five times. The invite queue's is longer than the slow invitations
/// take that are killed.
const BACK: [(Queue, u32); 3] = [(Queue::Poll, 5), (Queue::Invite, 12), (Queue::Result, 15)];

/// What came of the story.
pub struct Told {
    /// Everybody in it.
    pub members: Vec<Member>,
}

/// Plays the story to its end.
pub async fn play(stack: &Stack, player: &Player, began: Instant) -> Told {
    for (queue, seconds) in BACK {
        stack.shorten_visibility(queue, seconds).await.unwrap();
    }
    let mut acme = Member::new(player, "acme").await.with_hrms(player).await;
    acme.already_there(player, 2).await;
    let mut bravo = Member::new(player, "bravo").await.with_hrms(player).await;
    bravo.already_there(player, 1).await;
    let wecp = Member::with_wecp(player, "charlie").await;
    let wecp = wecp.with_invitees(player, 3).await;
    let killed = Member::new(player, "delta").await;
    let killed = killed.with_invitees(player, 6).await;
    let poisoned = Member::new(player, "echo").await;
    let poisoned = poisoned.with_invitees(player, 2).await;
    let mut locked = Member::new(player, "foxtrot").await;
    locked.already_there(player, 1).await;
    locked.tenant.mappings[0].include_current = true;
    locked.credentials.eploy.1 = "not the secret".to_owned();
    for member in [&acme, &bravo, &wecp, &killed, &poisoned, &locked] {
        member.join(stack).await;
    }
    garble(stack, &poisoned).await;
    stack.serve(Queue::Invite, false).await.unwrap();
    slow_down(player, &killed).await;
    tell(began, "the tenants are there; waiting for the schedule");

    // The schedule's first round: baselines, and the first invitations.
    let waiting = wecp.invitees.len() + killed.invitees.len();
    until("the first invitations are in their queue", async || {
        (stack.depth(Queue::Invite).await.unwrap() >= waiting).then_some(())
    })
    .await;
    let taken = stack.take(Queue::Invite).await.unwrap();
    let doubled = taken.len();
    stack.put_back_twice(Queue::Invite, taken).await.unwrap();
    assert!(
        doubled >= waiting,
        "{doubled} of {waiting} messages were doubled"
    );
    tell(
        began,
        &format!("{doubled} messages of the invite queue come twice"),
    );
    stack.serve(Queue::Invite, true).await.unwrap();
    for (member, count) in [(&mut acme, 10), (&mut bravo, 4)] {
        turned_on(stack, member).await;
        member.enter(count).await;
        member.hire(player).await;
    }
    until(
        "an invitation is under way and the others are sent",
        async || {
            wecp.all_invited().await?;
            let injected = player.faults().await.unwrap().injected;
            injected.contains_key("latency").then_some(())
        },
    )
    .await;
    let processes = stack.kill(Function::Invite).await.unwrap();
    assert!(
        processes > 0,
        "no process of the invite function was there to be killed"
    );
    assert_eq!(killed.invited().await, 0, "it was killed too late");
    refuse_webhooks(player, &acme).await;
    tell(
        began,
        &format!("killed {processes} processes of the invite function in mid-batch"),
    );

    // Between the schedule's rounds, the queues alone.
    let participants = wecp.participants(player).await;
    player
        .wecp_candidate("charlie", &participants, CandidateAct::Answer)
        .await
        .unwrap();
    dead_letters_come_home(stack, &poisoned, began).await;

    // The second round: entries, sweeps, and what was under way when the function was killed.
    for member in [&acme, &bravo, &killed] {
        let what = format!("all of {} are invited", member.customer.name);
        until(&what, async || member.all_invited().await).await;
    }
    tell(began, "everybody is invited");
    hires_are_told(stack, player).await;
    callbacks_without_write_back(stack, player, &[&acme, &bravo, &killed, &poisoned], began).await;

    let members = vec![acme, bravo, wecp, killed, poisoned, locked];
    let done = async || {
        let sums = verdict::judge(&members).await;
        (sums.wrong.is_empty() && idle(stack).await).then_some(())
    };
    if stagecall_tests::rig::within(crate::PATIENCE, done)
        .await
        .is_none()
    {
        panic!(
            "the story does not end well: {:#?}",
            verdict::judge(&members).await
        );
    }
    tell(began, "everything is reported");
    Told { members }
}

/// Makes a tenant's configuration one that cannot be read, as a release of another version might.
async fn garble(stack: &Stack, member: &Member) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    aws_sdk_dynamodb::Client::new(stack.aws())
        .update_item()
        .table_name(stack.table().unwrap())
        .key("pk", text(member.tenant.id.as_str()))
        .key("sk", text("config"))
        .update_expression("SET doc = :doc")
        .expression_attribute_values(":doc", text("{\"from\": \"the future\"}"))
        .send()
        .await
        .unwrap();
}

/// Lets every invitation of a customer take so long that a process can be killed meanwhile.
async fn slow_down(player: &Player, member: &Member) {
    let slow = Rule {
        system: Some(member.customer.name.clone()),
        when: When::Next(1000),
        ..Rule::next("willo.participants.create", 0, Fault::Latency { ms: 7000 })
    };
    let profile = Profile {
        seed: 1,
        rules: vec![slow],
    };
    player.set_faults(&profile).await.unwrap();
}

/// Lets nothing go wrong any more but that a customer's HRMS wants no webhooks.
async fn refuse_webhooks(player: &Player, member: &Member) {
    let gone = Rule {
        system: Some(member.customer.name.clone()),
        ..Rule::now_and_then("hrms.webhook", 1.0, Fault::ErrorBefore { status: 410 })
    };
    let profile = Profile {
        seed: 1,
        rules: vec![gone],
    };
    player.set_faults(&profile).await.unwrap();
}

/// Waits until it is on record who is at the trigger stage already: from then on, entries count.
async fn turned_on(stack: &Stack, member: &Member) {
    use stagecall_core::ports::{MappingStatus, TenantStates as _};
    until("the mapping is on", async || {
        let state = stack.store().load_state(&member.tenant.id).await.unwrap()?;
        let on = |status: &MappingStatus| *status == MappingStatus::Active;
        let all = !state.mappings.is_empty() && state.mappings.values().all(|one| on(&one.status));
        (all && state.hires.is_some_and(|hires| hires.baseline.is_none())).then_some(())
    })
    .await;
}

/// What failed again and again is among the dead letters, and done once it is mended and sent back.
async fn dead_letters_come_home(stack: &Stack, poisoned: &Member, began: Instant) {
    let letters = stack.dead_letters(Queue::Poll).unwrap();
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
    tell(
        began,
        "the poisoned message is among the dead letters, alone",
    );
    stack.store().put_tenant(&poisoned.tenant).await.unwrap();
    let sent = letters.redrive(100).await.unwrap();
    assert!(sent > 0);
    until("the dead letter is home", async || {
        poisoned.all_invited().await
    })
    .await;
    assert_eq!(letters.count().await.unwrap(), 0);
    tell(began, &format!("{sent} sent back and done"));
}

/// The one HRMS has taken its webhook, once; the other was told once, and that it refused is counted.
async fn hires_are_told(stack: &Stack, player: &Player) {
    until("a hire was told in vain", async || {
        let log = stack.log_of(Function::WriteBack).await.unwrap();
        let counted = |one: &Metric| one.name == "HiresUndelivered";
        let mut metrics = log.iter().flat_map(|line| line.metrics());
        metrics.any(|one| counted(&one)).then_some(())
    })
    .await;
    until("a hire was told", async || {
        (player.webhooks(0).await.unwrap().next > 0).then_some(())
    })
    .await;
}

/// Candidates and reviewers act while nobody takes results from their queue: the callbacks are accepted nevertheless,
/// and nothing is lost.
async fn callbacks_without_write_back(
    stack: &Stack,
    player: &Player,
    members: &[&Member],
    began: Instant,
) {
    for member in members {
        let all = member.customer.all().await;
        for invited in all.iter().filter(|one| !one.participants.is_empty()) {
            member
                .customer
                .shows(invited.application.id, "Invited")
                .await;
        }
    }
    stack.serve(Queue::Result, false).await.unwrap();
    let before = player.callbacks(0).await.unwrap().next;
    let mut finished = Vec::new();
    for member in members {
        let all = member.customer.all().await;
        let willo: Vec<ParticipantView> = all
            .iter()
            .filter_map(|one| one.participants.first().cloned())
            .collect();
        let (some, rest) = willo.split_at(willo.len().saturating_sub(2));
        member.customer.act(some, CandidateAct::Answer).await;
        member.customer.score(some, 7).await;
        member.customer.act(&rest[..1], CandidateAct::Decline).await;
        finished.extend(some.iter().map(|one| one.key.clone()));
    }
    until("all callbacks are delivered", async || {
        (player.pending_callbacks().await.unwrap() == 0).then_some(())
    })
    .await;
    let callbacks = player.callbacks(before).await.unwrap().records;
    let refused: Vec<_> = callbacks
        .iter()
        .filter(|one| one.status != Some(200))
        .collect();
    assert!(refused.is_empty(), "{PLATFORM} was refused: {refused:?}");
    assert!(callbacks.len() >= finished.len());
    let waiting = stack.depth(Queue::Result).await.unwrap();
    assert!(waiting > 0, "nothing waits although nobody takes it");
    for member in members {
        for judged in member.customer.all().await {
            let shown = judged
                .application
                .actions
                .iter()
                .filter_map(|one| one.outcome.as_deref());
            assert!(
                shown.clone().all(|outcome| outcome == "Invited"),
                "{:?}",
                shown.collect::<Vec<_>>()
            );
        }
    }
    tell(
        began,
        &format!(
            "{} callbacks were accepted while the write-back is down",
            callbacks.len()
        ),
    );
    stack.serve(Queue::Result, true).await.unwrap();
}

/// Whether nothing waits in any queue.
async fn idle(stack: &Stack) -> bool {
    for queue in Queue::ALL {
        if stack.depth(queue).await.unwrap() > 0 {
            return false;
        }
    }
    true
}
