//! The story: a recruiter moves candidates, candidates and reviewers do what their fate says.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use stagecall_core::ports::MappingStatus;
use stagecall_sandbox::control::{CandidateAct, EditCandidate, NewApplications, ReviewerAct};

use super::fate::{Fate, deal};
use super::scene::{Stage, TENANT, TRIGGER, WILLO};
use super::show::Show;
use crate::cli::DemoArguments;

/// One candidate of the story.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) application: u64,
    pub(crate) fate: Fate,
    /// When something last happened that Eploy has to show.
    pub(crate) last_act: Option<Timestamp>,
}

/// Something that a person does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Open,
    Start,
    Answer,
    Decline,
    Bounce,
    Expire,
    Score(u8),
    Comment,
    Stage,
    MoveOut,
    MoveIn,
}

/// An act that is to come: when, by whom or with whom, what.
type Coming = Reverse<(Instant, usize, Act)>;

/// Plays the story to its end: every candidate was moved, and everybody did what they were going to do.
pub(crate) async fn play(
    stage: &Stage,
    arguments: &DemoArguments,
    show: &Show,
) -> anyhow::Result<Vec<Role>> {
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    let mut cast = cast(stage, arguments.candidates as usize, &mut random).await?;
    turned_on(stage).await?;
    show.begins(cast.len());
    let mut acts: BinaryHeap<Coming> = BinaryHeap::new();
    let began = Instant::now();
    // A few at a time, so that a person can watch; many at a time, so that a large story ends.
    let lasts = Duration::from_millis((cast.len() as u64 * 150).clamp(1_500, 8_000));
    let mut moved = 0;
    let mut seen = 0;
    let mut waiting: HashMap<u64, usize> = HashMap::new();
    let mut participants: HashMap<usize, String> = HashMap::new();
    let by_email = by_email(stage, &cast).await?;
    while moved < cast.len() || !waiting.is_empty() || !acts.is_empty() {
        let share = cast.len() as u128 * began.elapsed().as_millis() / lasts.as_millis();
        let until = usize::try_from(share + 1).map_or(cast.len(), |until| until.min(cast.len()));
        if until > moved {
            move_in(stage, &cast[moved..until]).await?;
            for (index, role) in cast.iter().enumerate().take(until).skip(moved) {
                if !matches!(role.fate, Fate::NoAddress | Fate::MovesOn) {
                    waiting.insert(role.application, index);
                }
            }
            moved = until;
            show.moved(moved);
        }
        let sent = stage.player.invitations(seen).await?;
        seen = sent.next;
        let mut invited = Vec::new();
        for invitation in sent.records {
            let Some(index) = by_email.get(&invitation.email).copied() else {
                continue;
            };
            let role = &cast[index];
            if waiting.remove(&role.application).is_some() {
                participants.insert(index, invitation.participant);
                invited.push((index, invitation.at));
                plan(index, role.fate, &mut random, &mut acts);
            }
        }
        for (index, at) in invited {
            cast[index].last_act = Some(at);
        }
        show.invited(participants.len());
        act(stage, &mut cast, &participants, &mut acts).await?;
        show.ended(participants.len().saturating_sub(acts.len()));
        if began.elapsed() > lasts + stage.host.patience() {
            // Whoever is still waiting was not invited: the verdict will say so.
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(cast)
}

/// Creates the candidates.
async fn cast(
    stage: &Stage,
    candidates: usize,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Vec<Role>> {
    let fates = deal(candidates, random);
    let mut cast = Vec::new();
    let share = candidates.div_ceil(stage.vacancies.len());
    let mut fates = fates.into_iter();
    for (id, _) in &stage.vacancies {
        let some: Vec<_> = fates.by_ref().take(share).collect();
        if some.is_empty() {
            break;
        }
        let new = NewApplications {
            stage: Some("Shortlist".to_owned()),
            ..NewApplications::new(*id, u32::try_from(some.len())?)
        };
        let created = stage.player.apply(TENANT, &new).await?;
        for (created, fate) in created.into_iter().zip(some) {
            if fate == Fate::NoAddress {
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
                fate,
                last_act: None,
            });
        }
    }
    random.shuffle(&mut cast);
    Ok(cast)
}

/// Who has which address; the sandbox made them up in the order of creation.
async fn by_email(stage: &Stage, cast: &[Role]) -> anyhow::Result<HashMap<String, usize>> {
    let people = stage.player.people().await?;
    let mut order: Vec<usize> = (0..cast.len()).collect();
    order.sort_by_key(|index| cast[*index].application);
    let ours = people.into_iter().skip(stage.baseline.len());
    Ok(ours
        .zip(order)
        .map(|(person, index)| (person.email.to_lowercase(), index))
        .collect())
}

/// Waits until Stagecall has recorded who is at the stage already: from then on, entries count.
async fn turned_on(stage: &Stage) -> anyhow::Result<()> {
    let states = stage.host.states();
    let began = Instant::now();
    while began.elapsed() < stage.host.patience() {
        let remembered = states
            .load_state(&stagecall_core::ids::TenantId::new(TENANT))
            .await?;
        if remembered.is_some_and(|tenant| {
            !tenant.mappings.is_empty()
                && tenant
                    .mappings
                    .values()
                    .all(|mapping| mapping.status == MappingStatus::Active)
        }) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the mappings were not turned on")
}

/// The recruiter moves some candidates to the trigger stage; some of them move on at once.
async fn move_in(stage: &Stage, roles: &[Role]) -> anyhow::Result<()> {
    let ids: Vec<u64> = roles.iter().map(|role| role.application).collect();
    stage
        .player
        .move_to(TENANT, &ids, TRIGGER.0, Some(TRIGGER.1))
        .await?;
    let on: Vec<u64> = roles
        .iter()
        .filter(|role| role.fate == Fate::MovesOn)
        .map(|role| role.application)
        .collect();
    if !on.is_empty() {
        stage
            .player
            .move_to(TENANT, &on, "Unsuccessful", None)
            .await?;
    }
    Ok(())
}

/// What will happen to a candidate who has just been invited.
fn plan(index: usize, fate: Fate, random: &mut fastrand::Rng, acts: &mut BinaryHeap<Coming>) {
    let mut at = Instant::now();
    let mut then = |act: Act, random: &mut fastrand::Rng| {
        at += Duration::from_millis(random.u64(150..900));
        acts.push(Reverse((at, index, act)));
    };
    let points = random.u8(3..=10);
    let all: &[Act] = match fate {
        Fate::Completes => &[Act::Open, Act::Start, Act::Answer],
        Fate::Scored => &[Act::Start, Act::Answer, Act::Score(points)],
        Fate::Rescored => &[
            Act::Open,
            Act::Start,
            Act::Answer,
            Act::Score(points),
            Act::Comment,
            Act::Stage,
            Act::Score(points - 1),
        ],
        Fate::Starts => &[Act::Open, Act::Start],
        Fate::Silent | Fate::NoAddress | Fate::MovesOn => &[],
        Fate::Declines => &[Act::Open, Act::Decline],
        Fate::Bounces => &[Act::Bounce],
        Fate::Expires => &[Act::Open, Act::Expire],
        Fate::ComesBack => &[Act::MoveOut, Act::MoveIn, Act::Start, Act::Answer],
    };
    for one in all {
        then(one.clone(), random);
    }
}

/// Does what is due, the same acts together.
async fn act(
    stage: &Stage,
    cast: &mut [Role],
    participants: &HashMap<usize, String>,
    acts: &mut BinaryHeap<Coming>,
) -> anyhow::Result<()> {
    let now = Instant::now();
    let mut due: Vec<(Act, Vec<usize>)> = Vec::new();
    while acts.peek().is_some_and(|Reverse((at, _, _))| *at <= now) {
        let Some(Reverse((_, index, act))) = acts.pop() else {
            break;
        };
        match due.iter_mut().find(|(same, _)| *same == act) {
            Some((_, who)) => who.push(index),
            None => due.push((act, vec![index])),
        }
    }
    due.sort();
    for (act, who) in due {
        let keys: Vec<String> = who
            .iter()
            .filter_map(|index| participants.get(index).cloned())
            .collect();
        let applications: Vec<u64> = who.iter().map(|index| cast[*index].application).collect();
        let player = &stage.player;
        if !matches!(act, Act::MoveOut | Act::MoveIn) {
            for index in &who {
                cast[*index].last_act = Some(Timestamp::now());
            }
        }
        match act {
            Act::Open => player.candidate(WILLO, &keys, CandidateAct::Open).await?,
            Act::Start => player.candidate(WILLO, &keys, CandidateAct::Start).await?,
            Act::Answer => player.candidate(WILLO, &keys, CandidateAct::Answer).await?,
            Act::Decline => {
                player
                    .candidate(WILLO, &keys, CandidateAct::Decline)
                    .await?;
            }
            Act::Bounce => player.candidate(WILLO, &keys, CandidateAct::Bounce).await?,
            Act::Expire => player.candidate(WILLO, &keys, CandidateAct::Expire).await?,
            Act::Score(points) => {
                let act = ReviewerAct::Score {
                    title: "Communication".to_owned(),
                    value: f64::from(points),
                    max: 10.0,
                };
                player.reviewer(WILLO, &keys, act).await?;
            }
            Act::Comment => {
                let text = "Clear answers; ask about <weekend shifts> & travel.".to_owned();
                player
                    .reviewer(WILLO, &keys, ReviewerAct::Comment { text })
                    .await?;
            }
            Act::Stage => {
                let name = "Accepted".to_owned();
                player
                    .reviewer(WILLO, &keys, ReviewerAct::Stage { name })
                    .await?;
            }
            Act::MoveOut => {
                player
                    .move_to(TENANT, &applications, "Shortlist", None)
                    .await?;
            }
            Act::MoveIn => {
                player
                    .move_to(TENANT, &applications, TRIGGER.0, Some(TRIGGER.1))
                    .await?;
            }
        }
    }
    Ok(())
}
