//! A stack whose role lacks an action: its story fails, and its log says why.

use stagecall_emulator::{Emulator, Function, Plan};
use stagecall_sandbox::control::SandboxClient;

use crate::member::Member;
use crate::{until, verdict};

/// The action that the poll function's role is without.
const ACTION: &str = "                  - dynamodb:UpdateItem\n";

/// Deploys the stack without the action, and sees its story fail.
pub async fn fails_visibly(emulator: &Emulator, mut plan: Plan, player: &SandboxClient) {
    let (before, role) = plan.template.split_once("  PollRole:\n").unwrap();
    assert!(role.contains(ACTION));
    plan.template = format!("{before}  PollRole:\n{}", role.replacen(ACTION, "", 1));
    "lacking".clone_into(&mut plan.name);
    let lacking = Member::new(player, "lacking").await;
    let lacking = lacking.with_invitees(player, 1).await;
    let stack = emulator.deploy(&plan).await.unwrap();
    lacking.join(&stack).await;
    until("the log tells of the refusal", async || {
        let log = stack.log_of(Function::Poll).await.unwrap();
        let logged = |word: &str| log.iter().any(|line| line.text.contains(word));
        (logged("the role may not do this") && logged("AccessDenied")).then_some(())
    })
    .await;
    let sums = verdict::judge(&[&lacking]).await;
    assert_eq!((sums.invited, sums.lost), (0, 1), "{sums:?}");
}
