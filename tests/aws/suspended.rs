//! Functions that fall asleep with work in their hands and wake up when their leases have run out and others have done
//! the work: what they were about to do then is not done twice.

use stagecall_emulator::{Function, Paused, Queue};
use stagecall_sandbox::control::CandidateAct;

use crate::member::Member;
use crate::scene::Scene;
use crate::{until, verdict};

/// The call that invites.
const INVITE: &str = "willo.participants.create";
/// The call that comes before an invitation is claimed.
const READ: &str = "eploy.candidates.get";
/// The call that reports.
const REPORT: &str = "eploy.actions.update";

/// Lets the invite function fall asleep when `sending`'s invitations are at the platform and `reading`'s candidates are
/// being read. Nothing else may be under way: nobody can tell whether somebody who stands still between the last look at
/// the clock and the first byte of a call has made it.
pub async fn with_invitations(scene: &Scene<'_>, sending: &Member, reading: &Member) -> Paused {
    until("invitations are under way", async || {
        let sent = scene.arrived(sending, INVITE).await >= sending.invitees.len();
        let read = scene.arrived(reading, READ).await >= reading.invitees.len();
        (sent && read).then_some(())
    })
    .await;
    let asleep = scene.stack.pause(Function::Invite).await.unwrap();
    assert!(asleep.count() > 0, "nobody was there to fall asleep");
    assert_eq!(reading.invited().await, 0, "it fell asleep too late");
    scene.tell(&format!(
        "{} processes of the invite function have fallen asleep",
        asleep.count()
    ));
    asleep
}

/// The calls that are slow for [`with_invitations`].
pub fn slow_invitations<'a>(
    sending: &'a Member,
    reading: &'a Member,
) -> [(&'a Member, &'static str); 2] {
    [(sending, INVITE), (reading, READ)]
}

/// Others send and report what sleepers had in their hands; then these wake up.
pub async fn others_invite(scene: &Scene<'_>, asleep: Paused, sending: &Member, reading: &Member) {
    // Sleepers can have done neither: when they fell asleep, the one was not reported, the other not even invited.
    for member in [sending, reading] {
        let what = format!("others have invited {} and said so", member.customer.name);
        until(&what, async || member.all_show("Invited").await).await;
    }
    wakes_up(scene, asleep, Function::Invite).await;
    let sums = verdict::judge(&[sending, reading]).await;
    assert_eq!((sums.duplicates, sums.wrong), (0, Vec::new()));
}

/// Candidates answer, the write-back function falls asleep when its reports are at Eploy, others report, and it wakes up.
pub async fn with_reports(scene: &Scene<'_>, member: &Member) {
    scene.slow(&[(member, REPORT)]).await;
    // Idle processes are sent away: work would be handed out anew to those that stand still as to any other.
    until("the write-back is idle", async || {
        (scene.stack.depth(Queue::Result).await.unwrap() == 0).then_some(())
    })
    .await;
    // So that all reports are in the same hands.
    scene.stack.serve(Queue::Result, false).await.unwrap();
    scene.stack.kill(Function::WriteBack).await.unwrap();
    let answering = member.showing("Invited").await;
    let (_, answering) = answering.split_last().unwrap();
    member.customer.act(answering, CandidateAct::Answer).await;
    until("all callbacks are delivered", async || {
        (scene.player.pending_callbacks().await.unwrap() == 0).then_some(())
    })
    .await;
    scene.stack.serve(Queue::Result, true).await.unwrap();
    until("reports are under way", async || {
        (scene.arrived(member, REPORT).await >= answering.len()).then_some(())
    })
    .await;
    let asleep = scene.stack.pause(Function::WriteBack).await.unwrap();
    assert!(asleep.count() > 0, "nobody was there to fall asleep");
    let before = member.customer.count(REPORT).await;
    scene.slow(&[]).await;
    scene.tell(&format!(
        "{} processes of the write-back function have fallen asleep",
        asleep.count()
    ));
    // The sleepers' own reports are among them, because Eploy goes through with what has arrived.
    until("others have reported", async || {
        let reports = member.customer.count(REPORT).await - before;
        (reports >= 2 * answering.len()).then_some(())
    })
    .await;
    wakes_up(scene, asleep, Function::WriteBack).await;
}

/// Sleepers wake up, and go on until there is nothing left for them to do.
async fn wakes_up(scene: &Scene<'_>, asleep: Paused, function: Function) {
    let ended = async || {
        let log = scene.stack.log_of(function).await.unwrap();
        log.iter().filter(|line| line.begins()).count()
    };
    // An invocation's lines come with its end.
    let before = ended().await;
    let sleepers = asleep.count();
    assert_eq!(
        asleep.go_on().await,
        sleepers,
        "somebody died in their sleep"
    );
    until("those who woke up have ended their turns", async || {
        (ended().await >= before + sleepers).then_some(())
    })
    .await;
    scene.tell(&format!(
        "{sleepers} processes of the {function} function have woken up, and others had done their work"
    ));
}
