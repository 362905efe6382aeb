//! What Eploy shows of an invitation, part by part. Each part has the revision that it shows, its own failure and its own
//! end, so that one that is refused holds up no other.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as NotAPart;
use serde::{Deserialize, Serialize};

use super::{Failure, Writer};
use crate::ids::{ActionId, StageId, StatusId};
use crate::report::Moment;
use crate::tenant::{Answerable, Mapping, Position};
use crate::timing::{Timing, seconds};

/// What Eploy shows of an invitation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Report {
    /// The revision up to which every part is shown or given up; 0: none yet.
    pub revision: u32,
    /// The action that stands for the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionRecord>,
    /// The parts of which there is more to know than `revision`: those that are written once and were, those that show
    /// another revision, and those that failed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<Part, PartState>,
    /// The positions that our own writes led the application to. Without a stage: the outcome that an action was given,
    /// which at an action stage is the application's status (shared/eploy/REFERENCE.md §5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<Position>,
    /// Why no part could be written, if none could: the connection, or that Eploy has no such application any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Until when somebody is at work on it: two writers at once could leave Eploy with the older of two revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Whether a writer from before may have written over what the one at work has written: then that one's end is not the
    /// end of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub doubted: bool,
}

/// The action in Eploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionRecord {
    /// Its creation was begun and its outcome may not be known: look it up before creating another.
    Creating,
    /// Eploy has it.
    Created(ActionId),
}

/// A part of a report. In stored rows it is a text such as `note_completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Part {
    /// What the platform says, which the other parts carry. It is on record only while it cannot be had; its revision is
    /// the first that the others show without it.
    Words,
    /// The action.
    Action,
    /// The note of a moment, written once.
    Note(Moment),
    /// The answer to a custom question.
    Answer(Answerable),
    /// The mark that the application was exported, made once.
    Export,
    /// The stage change of a moment, settled once: made, or left to the recruiter.
    Move(Moment),
}

impl Part {
    /// Whether every revision writes it anew.
    pub fn follows_revisions(self) -> bool {
        matches!(self, Self::Words | Self::Action | Self::Answer(_))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, of) = match self {
            Self::Words => ("words", None),
            Self::Action => ("action", None),
            Self::Export => ("export", None),
            Self::Note(moment) => ("note", serde_json::to_value(moment).ok()),
            Self::Move(moment) => ("move", serde_json::to_value(moment).ok()),
            Self::Answer(answer) => ("answer", serde_json::to_value(answer).ok()),
        };
        to.write_str(what)?;
        match of.as_ref().and_then(|of| of.as_str()) {
            Some(of) => write!(to, "_{of}"),
            None => Ok(()),
        }
    }
}

impl From<Part> for String {
    fn from(part: Part) -> Self {
        part.to_string()
    }
}

impl TryFrom<String> for Part {
    type Error = NotAPart;

    fn try_from(text: String) -> Result<Self, NotAPart> {
        let moment = |name: &str| Moment::deserialize(name.into_deserializer());
        Ok(match text.split_once('_') {
            None if text == "words" => Self::Words,
            None if text == "action" => Self::Action,
            None if text == "export" => Self::Export,
            Some(("note", name)) => Self::Note(moment(name)?),
            Some(("move", name)) => Self::Move(moment(name)?),
            Some(("answer", name)) => {
                Self::Answer(Answerable::deserialize(name.into_deserializer())?)
            }
            _ => return Err(serde::de::Error::custom("no part of a report")),
        })
    }
}

/// How a part stands. In stored rows it is only the revision where nothing failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPart", into = "StoredPart")]
pub struct PartState {
    /// The revision that Eploy shows in it; 0: none.
    pub revision: u32,
    /// Why it does not show the latest.
    pub failure: Option<PartFailure>,
}

/// Why a part could not be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFailure {
    /// What went wrong, since when and how often.
    #[serde(flatten)]
    pub failure: Failure,
    /// What comes next.
    pub next: NextTry,
    /// Whether the action says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
}

impl PartFailure {
    /// Whether it is not tried again for this revision.
    pub fn is_given_up(&self) -> bool {
        matches!(self.next, NextTry::GivenUp(_))
    }
}

/// What comes after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextTry {
    /// Another try at this time.
    At(Timestamp),
    /// None for this revision; the next one is tried once.
    GivenUp(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredPart {
    Shown(u32),
    Failed {
        #[serde(default)]
        revision: u32,
        failure: PartFailure,
    },
}

impl From<StoredPart> for PartState {
    fn from(stored: StoredPart) -> Self {
        match stored {
            StoredPart::Shown(revision) => Self::shown(revision),
            StoredPart::Failed { revision, failure } => Self {
                revision,
                failure: Some(failure),
            },
        }
    }
}

impl From<PartState> for StoredPart {
    fn from(state: PartState) -> Self {
        let revision = state.revision;
        match state.failure {
            None => Self::Shown(revision),
            Some(failure) => Self::Failed { revision, failure },
        }
    }
}

impl PartState {
    /// Of a part that shows this revision.
    pub fn shown(revision: u32) -> Self {
        Self {
            revision,
            failure: None,
        }
    }
}

/// A report as rows have it. The last four fields are those of rows from before parts had a state each.
#[derive(Deserialize)]
struct Stored {
    revision: u32,
    #[serde(default)]
    action: Option<ActionRecord>,
    #[serde(default)]
    parts: BTreeMap<Part, PartState>,
    #[serde(default)]
    positions: Vec<Position>,
    #[serde(default)]
    #[serde(alias = "trouble")]
    failure: Option<Failure>,
    #[serde(default)]
    lease_until: Option<Timestamp>,
    #[serde(default)]
    doubted: bool,
    #[serde(default)]
    outlined: u32,
    #[serde(default)]
    notes: Vec<Moment>,
    #[serde(default)]
    moves: Vec<Moment>,
    #[serde(default)]
    exported: bool,
}

impl From<Stored> for Report {
    fn from(stored: Stored) -> Self {
        let mut parts = stored.parts;
        let notes = stored.notes.into_iter().map(Part::Note);
        let moves = stored.moves.into_iter().map(Part::Move);
        let once = notes
            .chain(moves)
            .chain(stored.exported.then_some(Part::Export));
        for part in once {
            parts
                .entry(part)
                .or_insert_with(|| PartState::shown(stored.revision.max(1)));
        }
        if stored.outlined > 0 {
            parts
                .entry(Part::Words)
                .or_insert_with(|| PartState::shown(stored.outlined));
        }
        Self {
            revision: stored.revision,
            action: stored.action,
            parts,
            positions: stored.positions,
            failure: stored.failure,
            lease_until: stored.lease_until,
            doubted: stored.doubted,
        }
    }
}

impl Report {
    /// The revision that Eploy shows in a part; 0: none.
    pub fn shows(&self, part: Part) -> u32 {
        match self.parts.get(&part) {
            Some(state) => state.revision,
            None if part.follows_revisions() && part != Part::Words => self.revision,
            None => 0,
        }
    }

    /// Notes that Eploy shows this revision in a part.
    pub(crate) fn show(&mut self, part: Part, revision: u32) {
        self.parts.insert(part, PartState::shown(revision));
    }

    /// Notes that a part could not be written.
    pub(crate) fn fail(&mut self, part: Part, failure: PartFailure) {
        let revision = self.shows(part);
        let failure = Some(failure);
        self.parts.insert(part, PartState { revision, failure });
    }

    /// Why a part does not show the latest.
    pub fn failure(&self, part: Part) -> Option<&PartFailure> {
        self.parts.get(&part)?.failure.as_ref()
    }

    /// The parts that failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (Part, &PartFailure)> {
        let of = |(part, state): (&Part, _)| Some((*part, PartState::failure_of(state)?));
        self.parts.iter().filter_map(of)
    }

    /// Notes which failures the action tells of.
    pub(crate) fn note_told(&mut self, told: impl Fn(Part) -> bool) {
        for (part, state) in &mut self.parts {
            if let Some(failure) = &mut state.failure {
                failure.told = told(*part);
            }
        }
    }

    /// What keeps the report from being finished, or kept a part from being written until it was given up.
    pub fn problem(&self) -> Option<&Failure> {
        let of_a_part = || self.failures().next().map(|(_, failure)| &failure.failure);
        self.failure.as_ref().or_else(of_a_part)
    }

    /// When the first of the parts that failed is tried again.
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        let next = |failure: &PartFailure| match failure.next {
            NextTry::At(at) => Some(at),
            NextTry::GivenUp(_) => None,
        };
        self.failures()
            .filter_map(|(_, failure)| next(failure))
            .min()
    }

    /// Notes where a move of ours takes the application.
    pub(crate) fn note_move(&mut self, stage: &StageId, status: Option<&StatusId>) {
        self.note_position(Position {
            stage: Some(stage.clone()),
            status: status.cloned(),
        });
    }

    /// Notes an outcome that an action of ours has.
    pub(crate) fn note_outcome(&mut self, outcome: &str) {
        self.note_position(Position {
            stage: None,
            status: Some(outcome.into()),
        });
    }

    fn note_position(&mut self, position: Position) {
        if !self.positions.contains(&position) {
            self.positions.push(position);
        }
    }

    /// Whether a move of ours put the application where it stands.
    fn moved_to(&self, position: &Position) -> bool {
        self.positions.iter().any(|own| {
            own.stage.is_some()
                && own.stage == position.stage
                && (own.status.is_none() || own.status == position.status)
        })
    }

    /// Whether an outcome of ours is the status that the application has, at a stage of the mapping's or one that a move
    /// of ours led to.
    pub fn is_own_outcome(&self, mapping: &Mapping, position: &Position) -> bool {
        let at_a_stage = |stage: &StageId| {
            let triggers = mapping.triggers.iter().map(|trigger| &trigger.stage);
            let moves = self.positions.iter().filter_map(|own| own.stage.as_ref());
            triggers.chain(moves).any(|known| known == stage)
        };
        position.status.is_some()
            && position.stage.as_ref().is_some_and(at_a_stage)
            && self
                .positions
                .iter()
                .any(|own| own.stage.is_none() && own.status == position.status)
    }

    /// Whether the application stands where a write of ours put it: a move, or an outcome.
    pub fn led_to(&self, mapping: &Mapping, position: &Position) -> bool {
        self.moved_to(position) || self.is_own_outcome(mapping, position)
    }

    /// Leaves time in which nobody tried out of the age of every failure.
    pub(super) fn leave_out(&mut self, idle: SignedDuration, now: Timestamp) {
        let failures = self
            .parts
            .values_mut()
            .filter_map(|state| state.failure.as_mut());
        let failures = failures.map(|failure| &mut failure.failure);
        for failure in failures.chain(&mut self.failure) {
            failure.leave_out(idle, now);
        }
    }

    /// Gives the report to a writer.
    pub(super) fn begin(&mut self, writer: Writer) {
        self.lease(Some(writer.lease_until));
        if writer.creates_action && self.action.is_none() {
            self.action = Some(ActionRecord::Creating);
        }
    }

    /// Whoever is at work from now on writes after everybody who may have been in doubt.
    pub(super) fn lease(&mut self, until: Option<Timestamp>) {
        self.lease_until = until;
        self.doubted = false;
    }

    /// Whether somebody is at work on it.
    pub fn leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    /// Whatever failed is tried again, and counts as failing from then on only.
    pub(super) fn try_again(&mut self, known: u32) {
        if self.failures().next().is_some() {
            self.revision = self.revision.min(known.saturating_sub(1));
        }
        self.failure = None;
        for state in self.parts.values_mut() {
            state.failure = None;
        }
        self.parts
            .retain(|part, state| part.follows_revisions() || state.revision > 0);
    }

    /// Every part that follows revisions shows what `revision` says, as far as it shows anything.
    pub(super) fn settle(&mut self) {
        self.parts.retain(|part, state| match &state.failure {
            Some(failure) => failure.is_given_up(),
            None => !part.follows_revisions(),
        });
    }

    /// The other parts are written without the platform's words from this revision on.
    pub(crate) fn begin_without_words(&mut self, revision: u32) {
        if let Some(words) = self.parts.get_mut(&Part::Words)
            && words.revision == 0
        {
            words.revision = revision;
        }
    }

    /// The platform's words can be had: whatever was written without them is behind.
    pub(crate) fn has_words(&mut self) {
        let Some(words) = self.parts.remove(&Part::Words) else {
            return;
        };
        if words.revision == 0 {
            return;
        }
        self.parts.retain(|part, state| {
            !matches!(part, Part::Note(_)) || state.revision < words.revision
        });
        self.forget_revisions();
    }

    /// Drops the failures of other parts: they are not asked for any more.
    pub(crate) fn keep_failures_of(&mut self, wanted: impl Fn(Part) -> bool) {
        self.parts.retain(|part, state| {
            if !wanted(*part) {
                state.failure = None;
            }
            state.failure.is_some() || state.revision > 0
        });
    }

    /// What was written to the parts that follow revisions may have been written over.
    pub(super) fn forget_revisions(&mut self) {
        for (part, state) in &mut self.parts {
            if part.follows_revisions() {
                state.revision = 0;
            }
        }
    }
}

impl PartState {
    fn failure_of(state: &Self) -> Option<&PartFailure> {
        state.failure.as_ref()
    }
}

impl Failure {
    /// The fewest refusals before a part of a report is given up.
    const REFUSALS: u32 = 5;

    /// Whether a report has been tried for long enough, and often enough. What is refused waits for a person, and has
    /// until a long weekend is over; anything else may end by itself, and nothing may be lost by a connection that is
    /// down for days.
    pub(crate) fn ends_report(&self, refused: bool, now: Timestamp, timing: &Timing) -> bool {
        let (tries, time) = if refused {
            (Self::REFUSALS, timing.give_up_seconds)
        } else {
            (Self::TRIES, timing.follow_seconds)
        };
        self.attempts >= tries && self.lasts(now) >= seconds(time)
    }

    /// How long to wait before a report is tried again that was refused, or has been tried for days.
    pub(crate) fn rare_wait(&self, timing: &Timing) -> SignedDuration {
        seconds(timing.retry_max_seconds * f64::from(1_u32 << self.attempts.min(5)))
    }

    /// Whether a report that was not refused is tried only rarely by now.
    pub(crate) fn is_lasting(&self, now: Timestamp, timing: &Timing) -> bool {
        self.lasts(now) >= seconds(timing.give_up_seconds)
    }
}
