//! The story's course: a recruiter moves candidates; candidates and reviewers act by their fates.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::acts::Acts;
use super::cast::{Role, by_email};
use super::customer::{Customer, Step, TENANT};
use super::script::Fate;
use super::stages::entrance;
use super::{StoryError, Watcher};
use crate::control::PlayerError;
use crate::record::Platform;

/// Plays until every candidate was moved and everybody has acted, or nothing has happened for `patience`.
pub async fn play(
    customer: &Customer,
    cast: &mut [Role],
    random: &mut fastrand::Rng,
    patience: Duration,
    watcher: &impl Watcher,
) -> Result<(), StoryError> {
    let mut acts = Acts::default();
    let began = Instant::now();
    // A few at a time, so that a person can watch; many at a time in a large demo, so that it ends.
    let lasts = Duration::from_millis((cast.len() as u64 * 150).clamp(1_500, 8_000));
    let mut moved = 0;
    let mut seen = 0;
    let mut invited = 0;
    // Expected invitations that were not sent yet.
    let mut waiting: HashSet<(usize, Step)> = HashSet::new();
    let by_email = by_email(customer, cast).await?;
    let mut progress = Instant::now();
    while moved < cast.len() || !waiting.is_empty() || !acts.is_empty() {
        let share = cast.len() as u128 * began.elapsed().as_millis() / lasts.as_millis();
        let until = usize::try_from(share + 1).map_or(cast.len(), |until| until.min(cast.len()));
        if until > moved {
            move_in(customer, &cast[moved..until]).await?;
            for (index, role) in cast.iter().enumerate().take(until).skip(moved) {
                if !matches!(role.fate, Fate::NoAddress | Fate::MovesOn) {
                    waiting.insert((index, Step::First));
                }
                if role.fate.meets() {
                    waiting.insert((index, Step::Meeting));
                }
            }
            moved = until;
            watcher.moved(moved);
            progress = Instant::now();
        }
        let sent = customer.player.invitations(seen).await?;
        seen = sent.next;
        for invitation in sent.records {
            let Some(index) = by_email.get(&invitation.email).copied() else {
                continue;
            };
            let step = customer.step(&invitation.interview);
            if !waiting.remove(&(index, step)) {
                continue;
            }
            progress = Instant::now();
            let role = &mut cast[index];
            if step == Step::Meeting {
                role.meeting = Some(invitation.participant);
                acts.plan_after_meeting(index, role, random);
            } else {
                role.key = Some(invitation.participant);
                role.last_act = Some(invitation.at);
                acts.plan(index, role, random);
                invited += 1;
            }
        }
        watcher.invited(invited);
        if acts.act(customer, cast).await? {
            progress = Instant::now();
        }
        watcher.ended(invited.saturating_sub(acts.len()));
        if progress.elapsed() > patience {
            // Candidates still waiting were not invited: the verdict reports that.
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The recruiter moves some candidates to the trigger stage; some of them move on at once.
async fn move_in(customer: &Customer, roles: &[Role]) -> Result<(), PlayerError> {
    let chosen = |which: &dyn Fn(&Role) -> bool| -> Vec<u64> {
        let chosen = roles.iter().filter(|role| which(role));
        chosen.map(|role| role.application).collect()
    };
    for platform in [Platform::Willo, Platform::Wecp] {
        let ids = chosen(&|role| role.platform == platform);
        if !ids.is_empty() {
            let at = entrance(platform);
            let player = &customer.player;
            player.move_to(TENANT, &ids, at.stage, at.status).await?;
        }
    }
    let on = chosen(&|role| role.fate == Fate::MovesOn);
    if !on.is_empty() {
        customer
            .player
            .move_to(TENANT, &on, "Unsuccessful", None)
            .await?;
    }
    Ok(())
}
