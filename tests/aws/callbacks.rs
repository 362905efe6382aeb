//! Candidates and reviewers act while nobody takes results from their queue: the callbacks are accepted nevertheless.

use stagecall_emulator::Queue;
use stagecall_sandbox::control::{CandidateAct, ParticipantView};
use stagecall_tests::harness::PLATFORM;

use crate::member::Member;
use crate::scene::Scene;
use crate::until;

/// Turns the write-back off and lets candidates act whose invitation Eploy shows: of `all`, once everybody's is; of
/// `some`, those of whom it shows it by then.
pub async fn without_write_back(scene: &Scene<'_>, all: &Member, some: &[&Member]) {
    until("Eploy shows that all are invited", async || {
        all.all_show("Invited").await
    })
    .await;
    scene.stack.serve(Queue::Result, false).await.unwrap();
    let before = scene.player.callbacks(0).await.unwrap().next;
    let invited = all.showing("Invited").await;
    let (answering, rest) = invited.split_at(invited.len() - 2);
    answers(all, answering).await;
    let mut finished = answering.len();
    // Of this no callback tells, only a sweep; and those are swept whose first report is on record.
    all.customer.act(&rest[..1], CandidateAct::Decline).await;
    for member in some {
        let invited = member.showing("Invited").await;
        let answering = &invited[..invited.len().saturating_sub(1)];
        answers(member, answering).await;
        finished += answering.len();
    }
    until("all callbacks are delivered", async || {
        (scene.player.pending_callbacks().await.unwrap() == 0).then_some(())
    })
    .await;
    let callbacks = scene.player.callbacks(before).await.unwrap().records;
    let refused: Vec<_> = callbacks
        .iter()
        .filter(|one| one.status != Some(200))
        .collect();
    assert!(refused.is_empty(), "{PLATFORM} was refused: {refused:?}");
    assert!(callbacks.len() >= finished);
    let waiting = scene.stack.depth(Queue::Result).await.unwrap();
    assert!(waiting > 0, "nothing waits although nobody takes it");
    for member in [&[all], some].concat() {
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
    scene.tell(&format!(
        "{} callbacks were accepted while the write-back is down",
        callbacks.len()
    ));
}

/// Candidates answer, and are scored.
async fn answers(member: &Member, answering: &[ParticipantView]) {
    member.customer.act(answering, CandidateAct::Answer).await;
    member.customer.score(answering, 7).await;
}
