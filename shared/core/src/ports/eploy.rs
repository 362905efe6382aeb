//! Eploy, as the core needs it. `shared/eploy` implements it over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::CallError;
use crate::ids::{
    ActionId, ActionTypeId, ApplicationId, CandidateId, CompanyId, ExportPackageId, OutcomeId,
    PlacementId, PlacementStatusId, QuestionId, StageId, StatusHistoryId, StatusId, VacancyId,
};
use crate::person::Person;
use crate::tenant::{Position, Tenant, Trigger, Vacancies};

/// What a call is for. It decides how much of the daily allowance the call may use: writes come first, then
/// invitations, then polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Reading changes.
    Poll,
    /// Sending an invitation.
    Invite,
    /// Writing a report.
    WriteBack,
}

/// An application as a search returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    pub id: ApplicationId,
    pub candidate: CandidateId,
    pub vacancy: VacancyId,
    /// Its stage and status.
    pub position: Position,
    /// When Eploy last changed it, in Eploy's own time.
    pub modified: Option<Timestamp>,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnparsableRecord {
    /// Its id, if that much could be read.
    pub id: Option<String>,
    /// What is wrong with it, without its content.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationPage {
    pub rows: Vec<ApplicationRow>,
    /// The unreadable ones.
    pub set_aside: Vec<UnparsableRecord>,
    /// Whether there is another page.
    pub more: bool,
}

/// How changes of stage are noticed. Whether one moves its application's modification date is not established
/// (shared/eploy/REFERENCE.md §8), so this is a reading of the dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeFeed {
    #[default]
    ModificationDate,
    /// By the dates of the status history's rows.
    StatusHistory,
    /// By reading the applications at the trigger stages with every poll.
    StageRoute,
    /// By the modification date, and by a slow reading of all applications, because nothing else shows every change.
    SlowFull,
}

impl fmt::Display for ChangeFeed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::ModificationDate => "modification dates",
            Self::StatusHistory => "the status history",
            Self::StageRoute => "who is at the trigger stages",
            Self::SlowFull => "modification dates and a slow reading of all applications",
        })
    }
}

/// The feed of changes that a tenant's Eploy is polled by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    pub by: ChangeFeed,
    /// Whether it certainly shows every change of stage. Until then, a stage scan looks for missed ones.
    pub settled: bool,
}

impl Feed {
    /// Whether this feed needs a stage scan: as a safety net, or as the feed itself.
    pub fn needs_scan(self) -> bool {
        !self.settled || matches!(self.by, ChangeFeed::StageRoute | ChangeFeed::SlowFull)
    }
}

/// A change of stage as the status history shows it. Missing parts are read from the application if needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageChange {
    pub application: ApplicationId,
    pub vacancy: Option<VacancyId>,
    /// The new stage and status.
    pub position: Option<Position>,
    /// When it happened, by the date that the feed filters by, in Eploy's own time.
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageChangePage {
    pub changes: Vec<StageChange>,
    /// The unreadable ones.
    pub set_aside: Vec<UnparsableRecord>,
    /// Whether there is another page.
    pub more: bool,
}

/// One search of a reading of stages, see [`Eploy::stage_searches`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageSearch {
    pub triggers: Vec<Trigger>,
    pub vacancies: Vacancies,
}

/// A placement as a search returns it (shared/eploy/REFERENCE.md §17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementRow {
    pub id: PlacementId,
    pub candidate: CandidateId,
    pub vacancy: VacancyId,
    /// Its status, if it has one.
    pub status: Option<PlacementStatusId>,
    /// When Eploy last changed it, in Eploy's own time.
    pub modified: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementPage {
    pub rows: Vec<PlacementRow>,
    /// The unreadable ones.
    pub set_aside: Vec<UnparsableRecord>,
    /// Whether there is another page.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    pub id: StatusHistoryId,
    /// When the application came there, in UTC as far as the dialect tells.
    pub at: Option<Timestamp>,
    /// The stage and status.
    pub position: Position,
}

/// The stage of an application, with its history if Eploy gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageInfo {
    /// Its status history, oldest first. The last row is the present one.
    History(Vec<HistoryRow>),
    /// Only the present stage and status: the history is not readable here.
    Position(Position),
    /// The application does not exist in Eploy any more.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vacancy {
    pub id: VacancyId,
    pub title: String,
    /// The company it belongs to, which an action has to name (shared/eploy/REFERENCE.md §14).
    pub company: Option<CompanyId>,
}

/// An option of a list, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedId {
    pub id: String,
    pub name: String,
    /// Whether it can no longer be chosen.
    pub archived: bool,
}

/// The tenant's stages and statuses. `None`: this Eploy does not let us read the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    pub stages: Option<Vec<NamedId>>,
    pub statuses: Option<Vec<NamedId>>,
}

/// A record with custom questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionsOf {
    Application(ApplicationId),
    Vacancy(VacancyId),
}

/// The answer to a custom question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Day(Date),
    /// A day with a time, in UTC as far as the dialect tells.
    At(Timestamp),
    /// A text, as it was entered.
    Text(String),
}

/// An action to be created. `started_at` is chosen once per invitation and sent unchanged on every attempt, so that an
/// action of unknown outcome can be found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAction {
    pub candidate: CandidateId,
    pub vacancy: VacancyId,
    pub company: Option<CompanyId>,
    pub action_type: ActionTypeId,
    pub started_at: Timestamp,
    /// Everything that an update can also set.
    pub content: ActionUpdate,
}

/// What an action shows. `None` leaves a field unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionUpdate {
    /// The outcome.
    pub outcome: Option<OutcomeId>,
    pub completed_at: Option<Timestamp>,
    /// The comments, as HTML that is safe to show.
    pub comments_html: Option<String>,
    pub link: Option<String>,
}

/// The search key for an action of unknown outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionLookUp {
    pub candidate: CandidateId,
    pub vacancy: VacancyId,
    pub action_type: ActionTypeId,
    /// The start that it was created with.
    pub started_at: Timestamp,
}

/// The rest of the day's allowance for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowanceLeft {
    /// Calls that may still be made for this purpose.
    pub calls: u32,
    /// When the day ends.
    pub resets_at: Timestamp,
}

/// A tenant's Eploy, for one purpose. Every call is counted against the allowance before it is made.
#[async_trait]
pub trait Eploy: Send + Sync {
    /// The rest of the day's allowance for this connection's purpose, by our own count. No call.
    async fn allowance_left(&self) -> Result<AllowanceLeft, CallError>;

    /// How long before `since` a reading of changes since then begins: changes of many records at once are seen late,
    /// and the zone of dates may be unknown. No call.
    fn overlap(&self, since: Timestamp) -> SignedDuration;

    /// Applications that changed after `since` (in Eploy's own time; the dialect's overlap is taken off by the
    /// client), or all, page by page from 1.
    async fn changed_applications(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<ApplicationPage, CallError>;

    /// The feed of changes that the dialect names. No call.
    fn feed(&self) -> Feed;

    /// Changes of stage after `since`, by the status history, page by page from 1; as
    /// [`changed_applications`](Self::changed_applications).
    async fn stage_changes(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<StageChangePage, CallError>;

    /// An application; `None` if it does not exist any more. One call, rarely two.
    async fn application(
        &self,
        application: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, CallError>;

    /// How a reading of the applications at these triggers is divided, so that as little as possible is read in excess:
    /// one search per stage or per vacancy where the dialect has a route for it and cannot ask for several. At least
    /// one. No call.
    fn stage_searches(&self, triggers: &[Trigger], vacancies: &Vacancies) -> Vec<StageSearch>;

    /// Applications that may be at one of these triggers, page by page from 1: exactly those where the dialect knows a
    /// route for it; otherwise more, which the caller filters.
    async fn applications_at(
        &self,
        triggers: &[Trigger],
        vacancies: &Vacancies,
        page: u32,
    ) -> Result<ApplicationPage, CallError>;

    /// Placements that changed after `since`, or all, page by page from 1; as
    /// [`changed_applications`](Self::changed_applications).
    async fn changed_placements(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<PlacementPage, CallError>;

    /// Placements that may have one of these statuses, page by page from 1: exactly those where the dialect can ask for
    /// them; otherwise more, which the caller filters.
    async fn placements_with(
        &self,
        statuses: &BTreeSet<PlacementStatusId>,
        page: u32,
    ) -> Result<PlacementPage, CallError>;

    /// The application of this candidate for this vacancy, if Eploy has one. One call, rarely more.
    async fn application_of(
        &self,
        candidate: &CandidateId,
        vacancy: &VacancyId,
    ) -> Result<Option<ApplicationId>, CallError>;

    /// The stage of an application. One call.
    async fn stage_info(&self, application: &ApplicationId) -> Result<StageInfo, CallError>;

    /// The stage and status in an application's own record, regardless of its status history; `None` if the application
    /// does not exist any more. One call.
    async fn position(&self, application: &ApplicationId) -> Result<Option<Position>, CallError>;

    /// A candidate. One call.
    async fn candidate(&self, candidate: &CandidateId) -> Result<Person, CallError>;

    /// A vacancy. At most one call; cached where possible.
    async fn vacancy(&self, vacancy: &VacancyId) -> Result<Vacancy, CallError>;

    /// The tenant's stages and statuses.
    async fn directory(&self) -> Result<Directory, CallError>;

    async fn create_action(&self, action: &NewAction) -> Result<ActionId, CallError>;

    /// Updates an action. Safe to repeat.
    async fn update_action(
        &self,
        action: &ActionId,
        update: &ActionUpdate,
    ) -> Result<(), CallError>;

    /// Finds an action whose creation had an unknown outcome.
    async fn find_action(&self, look_up: &ActionLookUp) -> Result<Option<ActionId>, CallError>;

    /// Adds a note, plain text, to an application. Not safe to repeat, and cannot be looked up.
    async fn add_note(&self, application: &ApplicationId, text: &str) -> Result<(), CallError>;

    /// The answer to a custom question of a record; `None` if it has none. One call.
    async fn answer(
        &self,
        of: &QuestionsOf,
        question: &QuestionId,
    ) -> Result<Option<Answer>, CallError>;

    /// Answers custom questions of an application; times are written as the dialect writes them. Safe to repeat. A
    /// refusal has answered none of them.
    async fn answer_questions(
        &self,
        application: &ApplicationId,
        answers: &BTreeMap<QuestionId, Answer>,
    ) -> Result<(), CallError>;

    /// Moves an application. The caller has checked its present stage.
    async fn move_application(
        &self,
        application: &ApplicationId,
        stage: &StageId,
        status: Option<&StatusId>,
    ) -> Result<(), CallError>;

    /// Marks an application as exported. Safe to repeat.
    async fn mark_exported(
        &self,
        application: &ApplicationId,
        package: &ExportPackageId,
    ) -> Result<(), CallError>;
}

/// Opens connections to tenants' Eploy systems.
#[async_trait]
pub trait EployConnections: Send + Sync {
    /// The tenant's Eploy, for one purpose. Cheap to call often: tokens and connections are shared.
    async fn eploy(&self, tenant: &Tenant, purpose: Purpose) -> Result<Arc<dyn Eploy>, CallError>;
}
