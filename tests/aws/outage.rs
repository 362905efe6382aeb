//! AWS fails with work in flight, and recovers: it is restarted, loses a queue's messages, or is unreachable for longer
//! than a lease. Functions that are at work then cannot record what they did.

use std::time::{Duration, Instant};

use stagecall_emulator::{Emulator, Queue};
use stagecall_sandbox::control::CandidateAct;

use crate::cast::Cast;
use crate::scene::Scene;
use crate::{timing, until};

/// The call that invites.
const INVITE: &str = "willo.participants.create";
/// The call that polls.
pub const POLL: &str = "eploy.applications.search";
/// The call that reports.
const REPORT: &str = "eploy.actions.update";

/// AWS is restarted while invitations of one customer, which `set_off` sets off, are at the platform and reports of
/// another at Eploy.
pub async fn restarted_at_work(
    scene: &Scene<'_>,
    emulator: &mut Emulator,
    cast: &Cast,
    set_off: impl AsyncFnOnce(),
) {
    let (inviting, reporting) = (&cast.poisoned, &cast.reading);
    scene.slow(&[(inviting, INVITE), (reporting, REPORT)]).await;
    set_off().await;
    let answering = reporting.showing("Invited").await;
    reporting
        .customer
        .act(&answering, CandidateAct::Answer)
        .await;
    until("invitations and reports are under way", async || {
        let invitations = scene.arrived(inviting, INVITE).await;
        let reports = scene.arrived(reporting, REPORT).await;
        let all = invitations >= inviting.invitees.len() && reports >= answering.len();
        all.then_some(())
    })
    .await;
    emulator.restart().await.unwrap();
    scene.slow(&[]).await;
    scene.tell("AWS was restarted in the middle of invitations and reports");
}

/// Lets the invitations be slow that [`unreachable`] is about, and the polls in one of which the function is killed
/// before.
pub async fn slow_calls(scene: &Scene<'_>, cast: &Cast) {
    scene
        .slow(&[(&cast.acme, INVITE), (&cast.bravo, POLL)])
        .await;
}

/// AWS is unreachable for longer than a lease: calls get no answer. Meanwhile invitations arrive at the platform, and the
/// callback of a candidate's answer fails.
pub async fn unreachable(scene: &Scene<'_>, emulator: &Emulator, cast: &Cast) {
    until("invitations are under way", async || {
        (scene.arrived(&cast.acme, INVITE).await > 0).then_some(())
    })
    .await;
    let before = scene.player.callbacks(0).await.unwrap().next;
    let last = cast.sending.showing("Invited").await;
    emulator.pause().await.unwrap();
    let since = Instant::now();
    cast.sending.customer.act(&last, CandidateAct::Answer).await;
    until("a callback was not answered", async || {
        let callbacks = scene.player.callbacks(before).await.unwrap().records;
        let in_vain = callbacks.iter().filter(|one| one.status.is_none()).count();
        (in_vain >= last.len()).then_some(())
    })
    .await;
    let lease = Duration::from_secs_f64(timing().lease_seconds + 1.0);
    tokio::time::sleep(lease.saturating_sub(since.elapsed())).await;
    let invited = cast.acme.invited().await;
    assert!(invited > 0, "no candidate was invited meanwhile");
    emulator.go_on().await.unwrap();
    scene.slow(&[]).await;
    scene.tell(&format!(
        "AWS could not be reached for {} s, in which {invited} invitations went out",
        since.elapsed().as_secs()
    ));
}

/// AWS is restarted, and then loses what it has kept of a queue that nobody takes from.
pub async fn restarted_without_results(scene: &Scene<'_>, emulator: &mut Emulator) {
    emulator.restart().await.unwrap();
    let lost = scene.stack.lose(Queue::Result).await.unwrap();
    assert!(lost > 0, "nothing was there to be lost");
    scene.stack.serve(Queue::Result, true).await.unwrap();
    scene.tell(&format!(
        "AWS was restarted, and {lost} messages of the result queue are lost"
    ));
}
