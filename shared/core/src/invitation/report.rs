//! What Eploy shows of an invitation, part by part. Each part has the revision that it shows, its own failure and its
//! own end, so that a refused one does not block the others.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as NotAPart;
use serde::{Deserialize, Serialize};

use super::Failure;
use crate::ids::{ActionId, StageId, StatusId};
use crate::report::Moment;
use crate::tenant::{Answerable, Mapping, Position};

/// A writer's claim on the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    pub lease_until: Timestamp,
    /// Whether it may create the action.
    pub creates_action: bool,
}
use crate::timing::{Timing, seconds};

/// What Eploy shows of an invitation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Report {
    /// The revision up to which every part is shown or given up; 0: none yet.
    pub revision: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionRecord>,
    /// The parts with more state than `revision`: those that are written once and were, those that show another
    /// revision, and those that failed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<Part, PartState>,
    /// The positions that our own writes led the application to. Without a stage: the outcome that an action was given,
    /// which at an action stage is the application's status (shared/eploy/REFERENCE.md §5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<Position>,
    /// Why no part could be written, if so: the connection failed, or the application does not exist in Eploy any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The end of the writer's lease: two writers at once could leave Eploy with the older of two revisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Whether an earlier writer may have overwritten what the present one wrote: then the report is not finished when
    /// that one ends.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub doubted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionRecord {
    /// Its creation was begun, and the outcome may be unknown: look it up before creating another.
    Creating,
    /// Eploy has it.
    Created(ActionId),
}

/// A part of a report. In stored rows it is a text such as `note_completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Part {
    /// The platform's text, which the other parts carry. It is saved only while it is unavailable; its revision is the
    /// first that the others show without it.
    Words,
    Action,
    /// The note of a moment, written once.
    Note(Moment),
    /// The answer to a custom question.
    Answer(Answerable),
    /// The mark that the application was exported, set once.
    Export,
    /// The stage change of a moment, decided once: made, or left to the recruiter.
    Move(Moment),
}

impl Part {
    /// Whether it is written again for every revision.
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

/// The state of a part. In stored rows it is only the revision if nothing failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPart", into = "StoredPart")]
pub struct PartState {
    /// The revision that Eploy shows in it; 0: none.
    pub revision: u32,
    /// Why it does not show the latest revision.
    pub failure: Option<PartFailure>,
}

/// Why a part could not be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFailure {
    /// The failure, with its first time and the number of attempts.
    #[serde(flatten)]
    pub failure: Failure,
    pub next: NextTry,
    /// Whether the action mentions it.
    #[serde(default, alias = "told", skip_serializing_if = "std::ops::Not::not")]
    pub mentioned: bool,
}

impl PartFailure {
    /// Whether it is not retried for this revision.
    pub fn is_given_up(&self) -> bool {
        matches!(self.next, NextTry::GivenUp(_))
    }
}

/// The next step after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextTry {
    /// Retry at this time.
    At(Timestamp),
    /// No retry for this revision; the next revision is tried once.
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
    /// The state of a part that shows this revision.
    pub fn shown(revision: u32) -> Self {
        Self {
            revision,
            failure: None,
        }
    }
}

/// A report in stored rows. The last four fields are those of rows from before parts had a state each.
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

    /// Records that Eploy shows this revision in a part.
    pub(crate) fn show(&mut self, part: Part, revision: u32) {
        self.parts.insert(part, PartState::shown(revision));
    }

    /// Records that a part could not be written.
    pub(crate) fn fail(&mut self, part: Part, failure: PartFailure) {
        let revision = self.shows(part);
        let failure = Some(failure);
        self.parts.insert(part, PartState { revision, failure });
    }

    /// Why a part does not show the latest revision.
    pub fn failure(&self, part: Part) -> Option<&PartFailure> {
        self.parts.get(&part)?.failure.as_ref()
    }

    /// The parts that failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (Part, &PartFailure)> {
        let of = |(part, state): (&Part, _)| Some((*part, PartState::failure_of(state)?));
        self.parts.iter().filter_map(of)
    }

    /// Records which failures the action mentions.
    pub(crate) fn note_mentioned(&mut self, mentioned: impl Fn(Part) -> bool) {
        for (part, state) in &mut self.parts {
            if let Some(failure) = &mut state.failure {
                failure.mentioned = mentioned(*part);
            }
        }
    }

    /// What prevents the report from being finished, or prevented a part until it was given up.
    pub fn problem(&self) -> Option<&Failure> {
        let of_a_part = || self.failures().next().map(|(_, failure)| &failure.failure);
        self.failure.as_ref().or_else(of_a_part)
    }

    /// When the first of the failed parts is retried.
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        let next = |failure: &PartFailure| match failure.next {
            NextTry::At(at) => Some(at),
            NextTry::GivenUp(_) => None,
        };
        self.failures()
            .filter_map(|(_, failure)| next(failure))
            .min()
    }

    /// Records where a move of ours takes the application.
    pub(crate) fn note_move(&mut self, stage: &StageId, status: Option<&StatusId>) {
        self.note_position(Position {
            stage: Some(stage.clone()),
            status: status.cloned(),
        });
    }

    /// Records an outcome that an action of ours has.
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

    /// Whether a move of ours put the application at this position.
    fn moved_to(&self, position: &Position) -> bool {
        self.positions.iter().any(|own| {
            own.stage.is_some()
                && own.stage == position.stage
                && (own.status.is_none() || own.status == position.status)
        })
    }

    /// Whether an outcome of ours is the application's status, at a stage of the mapping or one that a move of ours led
    /// to.
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

    /// Whether an application at this position is at the mapping's trigger, or where a write of ours put it.
    pub fn is_at_trigger(&self, mapping: &Mapping, position: &Position) -> bool {
        mapping.triggered_by(position) || self.led_to(mapping, position)
    }

    /// Whether a write of ours put the application at this position: a move, or an outcome.
    pub fn led_to(&self, mapping: &Mapping, position: &Position) -> bool {
        self.moved_to(position) || self.is_own_outcome(mapping, position)
    }

    /// Subtracts time without attempts from the age of every failure.
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

    /// Starts a writer's lease.
    pub(super) fn begin(&mut self, writer: Writer) {
        self.lease(Some(writer.lease_until));
        if writer.creates_action && self.action.is_none() {
            self.action = Some(ActionRecord::Creating);
        }
    }

    /// A writer that starts from now on writes after all writers that may have been stale.
    pub(super) fn lease(&mut self, until: Option<Timestamp>) {
        self.lease_until = until;
        self.doubted = false;
    }

    /// Whether a writer is at work.
    pub fn leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    /// Everything that failed is retried, and counts as failing only from then on.
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

    /// Every part that follows revisions shows `revision`, as far as it shows anything.
    pub(super) fn settle(&mut self) {
        self.parts.retain(|part, state| match &state.failure {
            Some(failure) => failure.is_given_up(),
            None => !part.follows_revisions(),
        });
    }

    /// The other parts are written without the platform's text from this revision on.
    pub(crate) fn begin_without_words(&mut self, revision: u32) {
        if let Some(words) = self.parts.get_mut(&Part::Words)
            && words.revision == 0
        {
            words.revision = revision;
        }
    }

    /// The platform's text is available: whatever was written without it is behind.
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

    /// Drops the failures of parts that are not needed any more.
    pub(crate) fn keep_failures_of(&mut self, wanted: impl Fn(Part) -> bool) {
        self.parts.retain(|part, state| {
            if !wanted(*part) {
                state.failure = None;
            }
            state.failure.is_some() || state.revision > 0
        });
    }

    /// The parts that follow revisions may have been overwritten.
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
    /// The minimum number of refusals before a part of a report is given up.
    const MIN_REFUSALS: u32 = 5;

    /// Whether a report has been tried for long enough, and often enough. A refusal needs a person, and gets until a
    /// long weekend is over. Anything else may end on its own, and nothing may be lost by a connection that is down for
    /// days.
    pub(crate) fn ends_report(&self, refused: bool, now: Timestamp, timing: &Timing) -> bool {
        let (tries, time) = if refused {
            (Self::MIN_REFUSALS, timing.give_up_seconds)
        } else {
            (Self::TRIES, timing.follow_seconds)
        };
        self.attempts >= tries && self.lasts(now) >= seconds(time)
    }

    /// How long to wait before the next attempt at a report that was refused, or has been tried for days.
    pub(crate) fn rare_wait(&self, timing: &Timing) -> SignedDuration {
        seconds(timing.retry_max_seconds * f64::from(1_u32 << self.attempts.min(5)))
    }

    /// Whether a report that was not refused is tried only rarely by now.
    pub(crate) fn is_lasting(&self, now: Timestamp, timing: &Timing) -> bool {
        self.lasts(now) >= seconds(timing.give_up_seconds)
    }
}
