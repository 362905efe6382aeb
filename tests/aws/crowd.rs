//! One tenant has a backlog of a thousand, and another's candidate is invited as if there were none.

use futures::{StreamExt as _, stream};
use stagecall_core::Timestamp;
use stagecall_core::ids::{ApplicationId, InvitationKey};
use stagecall_core::invitation::{Entry, Invitation};
use stagecall_core::ports::Ledger as _;
use stagecall_tests::harness::{MAPPING, State};

use crate::member::Member;
use crate::scene::Scene;
use crate::until;

/// So many invitations of one tenant are due, again and again: its Eploy cannot be reached.
const BACKLOG: usize = 1000;

/// Within two rounds of the schedule, which is how long the story waits for anything.
pub async fn delays_no_other_tenant(scene: &Scene<'_>) {
    let mut crowded = Member::new(scene.player, "mike").await;
    let line = crowded.line_to_eploy();
    line.set(State::Down);
    crowded.join(scene.stack).await;
    let now = Timestamp::now();
    let store = scene.stack.store();
    stream::iter(0..BACKLOG)
        .map(|application| {
            let row = detected(&crowded, application, now);
            async move { store.insert(&row).await.unwrap() }
        })
        .buffer_unordered(16)
        .collect::<Vec<_>>()
        .await;
    scene.tell(&format!("{BACKLOG} invitations of one tenant are due"));

    let other = Member::new(scene.player, "november").await;
    let other = other.with_invitees(scene.player, 1).await;
    other.join(scene.stack).await;
    until("another tenant's candidate is invited", async || {
        other.all_show("Invited").await
    })
    .await;
    assert_eq!(crowded.invited().await, 0, "there was no backlog any more");
    scene.tell("another tenant's candidate is invited all the same");
}

fn detected(of: &Member, application: usize, now: Timestamp) -> Invitation {
    let key = InvitationKey {
        tenant: of.tenant.id.clone(),
        application: ApplicationId::new(application.to_string()),
        mapping: MAPPING.into(),
        round: 1,
    };
    let entry = Entry::seen(now);
    let assessment = of.tenant.mappings[0].assessment.clone();
    let vacancy = of.customer.vacancy.to_string();
    Invitation::detected(key, "1".into(), vacancy.as_str().into(), assessment, entry)
}
