//! The demo's course: a recruiter moves candidates; candidates and reviewers act by their fates.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{MappingStatus, TenantState};
use stagecall_sandbox::control::{EditCandidate, NewApplications, Platform};

use super::arguments::Arguments;
use super::fixture::{Stage, Step, TENANT};
use super::script::{Fate, fates};
use super::show::Show;
use super::steps::Acts;
use super::tenant::entrance;

/// One candidate.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) application: u64,
    pub(crate) platform: Platform,
    pub(crate) fate: Fate,
    /// The participant of the video interview or the test.
    pub(crate) key: Option<String>,
    /// The participant of the live interview.
    pub(crate) meeting: Option<String>,
    /// The last act on the first of them that Eploy has to show.
    pub(crate) last_act: Option<Timestamp>,
}

/// Runs the demo until every candidate was moved, and everybody has acted.
pub(crate) async fn play(
    stage: &Stage,
    arguments: &Arguments,
    show: &Show,
) -> anyhow::Result<Vec<Role>> {
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    let mut cast = cast(stage, arguments.candidates as usize, &mut random).await?;
    turned_on(stage).await?;
    show.begins(cast.len());
    let mut acts = Acts::default();
    let began = Instant::now();
    // A few at a time, so that a person can watch; many at a time in a large demo, so that it ends.
    let lasts = Duration::from_millis((cast.len() as u64 * 150).clamp(1_500, 8_000));
    let mut moved = 0;
    let mut seen = 0;
    let mut invited = 0;
    // Expected invitations that were not sent yet.
    let mut waiting: HashSet<(usize, Step)> = HashSet::new();
    let by_email = by_email(stage, &cast).await?;
    let mut progress = Instant::now();
    while moved < cast.len() || !waiting.is_empty() || !acts.is_empty() {
        let share = cast.len() as u128 * began.elapsed().as_millis() / lasts.as_millis();
        let until = usize::try_from(share + 1).map_or(cast.len(), |until| until.min(cast.len()));
        if until > moved {
            move_in(stage, &cast[moved..until]).await?;
            for (index, role) in cast.iter().enumerate().take(until).skip(moved) {
                if !matches!(role.fate, Fate::NoAddress | Fate::MovesOn) {
                    waiting.insert((index, Step::First));
                }
                if role.fate.meets() {
                    waiting.insert((index, Step::Meeting));
                }
            }
            moved = until;
            show.moved(moved);
            progress = Instant::now();
        }
        let sent = stage.player.invitations(seen).await?;
        seen = sent.next;
        for invitation in sent.records {
            let Some(index) = by_email.get(&invitation.email).copied() else {
                continue;
            };
            let step = stage.step(&invitation.interview);
            if !waiting.remove(&(index, step)) {
                continue;
            }
            progress = Instant::now();
            let role = &mut cast[index];
            if step == Step::Meeting {
                role.meeting = Some(invitation.participant);
                acts.plan_after_meeting(index, role, &mut random);
            } else {
                role.key = Some(invitation.participant);
                role.last_act = Some(invitation.at);
                acts.plan(index, role, &mut random);
                invited += 1;
            }
        }
        show.invited(invited);
        if acts.act(stage, &mut cast).await? {
            progress = Instant::now();
        }
        show.ended(invited.saturating_sub(acts.len()));
        if progress.elapsed() > stage.host.patience() {
            // Candidates still waiting were not invited: the verdict reports that.
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(cast)
}

/// Creates the candidates: a third for vacancies with a test on `WeCP`, the others for those with an interview on
/// Willo.
async fn cast(
    stage: &Stage,
    candidates: usize,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Vec<Role>> {
    let tested = candidates / 3;
    let mut cast = Vec::new();
    for (platform, count) in [
        (Platform::Willo, candidates - tested),
        (Platform::Wecp, tested),
    ] {
        let vacancies: Vec<_> = stage
            .vacancies
            .iter()
            .filter(|vacancy| vacancy.platform == platform)
            .collect();
        let fates = fates(platform, count, random);
        let share = count.div_ceil(vacancies.len()).max(1);
        for (vacancy, fates) in vacancies.into_iter().zip(fates.chunks(share)) {
            apply(stage, vacancy.id, platform, fates, &mut cast).await?;
        }
    }
    random.shuffle(&mut cast);
    // Candidates with the longest fates go first.
    cast.sort_by_key(|role| !role.fate.meets());
    Ok(cast)
}

/// Candidates with these fates apply for a vacancy.
async fn apply(
    stage: &Stage,
    vacancy: u64,
    platform: Platform,
    fates: &[Fate],
    cast: &mut Vec<Role>,
) -> anyhow::Result<()> {
    let new = NewApplications {
        stage: Some("Shortlist".to_owned()),
        ..NewApplications::new(vacancy, u32::try_from(fates.len())?)
    };
    let created = stage.player.apply(TENANT, &new).await?;
    for (created, fate) in created.into_iter().zip(fates) {
        if *fate == Fate::NoAddress {
            let edit = EditCandidate {
                email: Some(String::new()),
                ..EditCandidate::default()
            };
            stage
                .player
                .edit_candidate(TENANT, created.candidate, &edit)
                .await?;
        }
        cast.push(Role {
            application: created.application,
            platform,
            fate: *fate,
            key: None,
            meeting: None,
            last_act: None,
        });
    }
    Ok(())
}

/// Candidates by address; the sandbox generated them in the order of creation.
async fn by_email(stage: &Stage, cast: &[Role]) -> anyhow::Result<HashMap<String, usize>> {
    let people = stage.player.people().await?;
    let mut order: Vec<usize> = (0..cast.len()).collect();
    order.sort_by_key(|index| cast[*index].application);
    let ours = people.into_iter().skip(stage.baseline);
    Ok(ours
        .zip(order)
        .map(|(person, index)| (person.email.to_lowercase(), index))
        .collect())
}

/// Waits until Stagecall has read the baseline: from then on, entries and hires count.
async fn turned_on(stage: &Stage) -> anyhow::Result<()> {
    let states = stage.host.states();
    let began = Instant::now();
    while began.elapsed() < stage.host.patience() {
        let remembered = states.load_state(&TenantId::new(TENANT)).await?;
        if remembered.is_some_and(|tenant| is_on(&tenant)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the mappings did not become active")
}

fn is_on(tenant: &TenantState) -> bool {
    let mut mappings = tenant.mappings.values();
    let hires = tenant.hires.as_ref();
    !tenant.mappings.is_empty()
        && mappings.all(|mapping| mapping.status == MappingStatus::Active)
        && hires.is_some_and(|hires| hires.baseline.is_none())
}

/// The recruiter moves some candidates to the trigger stage; some of them move on at once.
async fn move_in(stage: &Stage, roles: &[Role]) -> anyhow::Result<()> {
    let chosen = |which: &dyn Fn(&Role) -> bool| -> Vec<u64> {
        let chosen = roles.iter().filter(|role| which(role));
        chosen.map(|role| role.application).collect()
    };
    for platform in [Platform::Willo, Platform::Wecp] {
        let ids = chosen(&|role| role.platform == platform);
        if !ids.is_empty() {
            let at = entrance(platform);
            let player = &stage.player;
            player.move_to(TENANT, &ids, at.stage, at.status).await?;
        }
    }
    let on = chosen(&|role| role.fate == Fate::MovesOn);
    if !on.is_empty() {
        stage
            .player
            .move_to(TENANT, &on, "Unsuccessful", None)
            .await?;
    }
    Ok(())
}
