//! Eploy, as the core needs it. `shared/eploy` speaks its HTTP.

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

/// What a call is for: decides how much of the daily allowance it may use. Writes come first, then invitations, then
/// polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Looking for changes.
    Poll,
    /// Sending an invitation.
    Invite,
    /// Writing back.
    WriteBack,
}

/// An application as a search returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    /// Which.
    pub id: ApplicationId,
    /// Whose.
    pub candidate: CandidateId,
    /// For what.
    pub vacancy: VacancyId,
    /// Where it stands.
    pub position: Position,
    /// When Eploy last changed it, in Eploy's own time.
    pub modified: Option<Timestamp>,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnparsableRecord {
    /// Its id, if at least that could be read.
    pub id: Option<String>,
    /// What is wrong with it, without its content.
    pub reason: String,
}

/// A page of applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationPage {
    /// The readable ones.
    pub rows: Vec<ApplicationRow>,
    /// The others.
    pub set_aside: Vec<UnparsableRecord>,
    /// Whether there is another page.
    pub more: bool,
}

/// How changes of stage are noticed. Whether one moves its application's modification date is not established
/// (shared/eploy/REFERENCE.md §8), so this is a reading of the dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeFeed {
    /// By the modification date of applications.
    #[default]
    ModificationDate,
    /// By the dates of the status history's rows.
    StatusHistory,
    /// By reading, with every poll, who is at the trigger stages.
    StageRoute,
    /// By the modification date, and by reading all applications slowly, because nothing else shows every change.
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

/// The feed of changes that a tenant's Eploy is read by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Which.
    pub by: ChangeFeed,
    /// Whether it is certain that it shows every change of stage. Until it is, a stage scan looks for what it missed.
    pub settled: bool,
}

impl Feed {
    /// Whether a stage scan belongs to this feed: as a safety net, or as the feed itself.
    pub fn needs_scan(self) -> bool {
        !self.settled || matches!(self.by, ChangeFeed::StageRoute | ChangeFeed::SlowFull)
    }
}

/// A change of stage as the status history shows it. What is missing is read from the application if it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageChange {
    /// Whose.
    pub application: ApplicationId,
    /// For what.
    pub vacancy: Option<VacancyId>,
    /// Where it came to.
    pub position: Option<Position>,
    /// When, by the date that the feed filters by, in Eploy's own time.
    pub at: Option<Timestamp>,
}

/// A page of changes of stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageChangePage {
    /// The readable ones.
    pub changes: Vec<StageChange>,
    /// The others.
    pub set_aside: Vec<UnparsableRecord>,
    /// Whether there is another page.
    pub more: bool,
}

/// One of the searches that a reading of stages consists of, see [`Eploy::stage_searches`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageSearch {
    /// The triggers.
    pub triggers: Vec<Trigger>,
    /// The vacancies.
    pub vacancies: Vacancies,
}

/// A placement as a search returns it (shared/eploy/REFERENCE.md §17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementRow {
    /// Which.
    pub id: PlacementId,
    /// Whose.
    pub candidate: CandidateId,
    /// For what.
    pub vacancy: VacancyId,
    /// Its status, if it has one.
    pub status: Option<PlacementStatusId>,
    /// When Eploy last changed it, in Eploy's own time.
    pub modified: Option<Timestamp>,
}

/// A page of placements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementPage {
    /// The readable ones.
    pub rows: Vec<PlacementRow>,
    /// The others.
    pub set_aside: Vec<UnparsableRecord>,
    /// Whether there is another page.
    pub more: bool,
}

/// One row of an application's status history: from then on it stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Which.
    pub id: StatusHistoryId,
    /// Since when, in UTC as far as the dialect tells.
    pub at: Option<Timestamp>,
    /// Where.
    pub position: Position,
}

/// Where an application stands, and how it came there if Eploy tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageInfo {
    /// Its status history, oldest first. The last row is where it stands.
    History(Vec<HistoryRow>),
    /// Only where it stands: the history is not readable here.
    Position(Position),
    /// Eploy has no such application any more.
    Gone,
}

/// A vacancy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vacancy {
    /// Which.
    pub id: VacancyId,
    /// Its title.
    pub title: String,
    /// The company it belongs to, which an action has to name (shared/eploy/REFERENCE.md §14).
    pub company: Option<CompanyId>,
}

/// An option of a list, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedId {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether it may no longer be chosen.
    pub archived: bool,
}

/// The stages and statuses that the tenant has. `None`: this Eploy does not let us read the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// The stages.
    pub stages: Option<Vec<NamedId>>,
    /// The application statuses.
    pub statuses: Option<Vec<NamedId>>,
}

/// A record with custom questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionsOf {
    /// An application.
    Application(ApplicationId),
    /// A vacancy.
    Vacancy(VacancyId),
}

/// What a custom question is answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A day.
    Day(Date),
    /// A day with a time, in UTC as far as the dialect tells.
    At(Timestamp),
    /// A text, as it was entered.
    Text(String),
}

/// An action to be created. `started_at` is chosen once per invitation and sent the same on every try, so that an
/// action of unknown outcome can be found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAction {
    /// The application's candidate.
    pub candidate: CandidateId,
    /// The application's vacancy.
    pub vacancy: VacancyId,
    /// The vacancy's company.
    pub company: Option<CompanyId>,
    /// Its type.
    pub action_type: ActionTypeId,
    /// Its start.
    pub started_at: Timestamp,
    /// Everything that an update could set as well.
    pub content: ActionUpdate,
}

/// What an action shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionUpdate {
    /// The outcome; `None` leaves it as it is.
    pub outcome: Option<OutcomeId>,
    /// When it was completed; `None` leaves it as it is.
    pub completed_at: Option<Timestamp>,
    /// The comments, as HTML that is safe to show; `None` leaves them as they are.
    pub comments_html: Option<String>,
    /// The link to the platform; `None` leaves it as it is.
    pub link: Option<String>,
}

/// What an action of unknown outcome is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionLookUp {
    /// The candidate.
    pub candidate: CandidateId,
    /// The vacancy.
    pub vacancy: VacancyId,
    /// The type.
    pub action_type: ActionTypeId,
    /// The start that it was created with.
    pub started_at: Timestamp,
}

/// What is left of the day's allowance for one purpose.
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
    /// What is left of the day's allowance for this connection's purpose, by our own count. No call.
    async fn allowance_left(&self) -> Result<AllowanceLeft, CallError>;

    /// How long before `since` a reading of changes since then begins: changes of many records at once are seen late, and
    /// the zone of dates may not be known. No call.
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

    /// An application; `None` if there is none of this id any more. One call, seldom two.
    async fn application(
        &self,
        application: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, CallError>;

    /// How a reading of who is at these triggers is divided, so that as little as possible is read that is not asked for:
    /// one search per stage or per vacancy where the dialect has a route for it and no way to ask for several. At least
    /// one. No call.
    fn stage_searches(&self, triggers: &[Trigger], vacancies: &Vacancies) -> Vec<StageSearch>;

    /// Applications that may be at one of these triggers, page by page from 1: exactly those where the dialect knows
    /// a route for it, else more, and the caller compares.
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

    /// Placements that may have one of these statuses, page by page from 1: where there is no way to ask for exactly
    /// those, more, and the caller compares.
    async fn placements_with(
        &self,
        statuses: &BTreeSet<PlacementStatusId>,
        page: u32,
    ) -> Result<PlacementPage, CallError>;

    /// The application of this candidate for this vacancy, if Eploy has one. One call, seldom more.
    async fn application_of(
        &self,
        candidate: &CandidateId,
        vacancy: &VacancyId,
    ) -> Result<Option<ApplicationId>, CallError>;

    /// Where an application stands. One call.
    async fn standing(&self, application: &ApplicationId) -> Result<StageInfo, CallError>;

    /// Where an application stands by its own record, whatever its status history says; `None` if there is no such
    /// application any more. One call.
    async fn position(&self, application: &ApplicationId) -> Result<Option<Position>, CallError>;

    /// A candidate. One call.
    async fn candidate(&self, candidate: &CandidateId) -> Result<Person, CallError>;

    /// A vacancy. At most one call; answers from a cache where it can.
    async fn vacancy(&self, vacancy: &VacancyId) -> Result<Vacancy, CallError>;

    /// The tenant's stages and statuses.
    async fn directory(&self) -> Result<Directory, CallError>;

    /// Creates an action.
    async fn create_action(&self, action: &NewAction) -> Result<ActionId, CallError>;

    /// Brings an action up to date. Safe to repeat.
    async fn update_action(
        &self,
        action: &ActionId,
        update: &ActionUpdate,
    ) -> Result<(), CallError>;

    /// Finds an action whose creation had an unknown outcome.
    async fn find_action(&self, look_up: &ActionLookUp) -> Result<Option<ActionId>, CallError>;

    /// Writes a note, plain text, on an application. Not safe to repeat, and not to be looked up.
    async fn add_note(&self, application: &ApplicationId, text: &str) -> Result<(), CallError>;

    /// What a custom question of a record is answered with; `None` if it is not. One call.
    async fn answer(
        &self,
        of: &QuestionsOf,
        question: &QuestionId,
    ) -> Result<Option<Answer>, CallError>;

    /// Answers custom questions of an application, a time as the dialect writes times. Safe to repeat. A refusal has answered
    /// none of them.
    async fn answer_questions(
        &self,
        application: &ApplicationId,
        answers: &BTreeMap<QuestionId, Answer>,
    ) -> Result<(), CallError>;

    /// Moves an application. The caller has checked where it is.
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

/// Opens a tenant's Eploy.
#[async_trait]
pub trait EployConnections: Send + Sync {
    /// The tenant's Eploy, for one purpose. Cheap to call often: tokens and connections are shared behind it.
    async fn eploy(&self, tenant: &Tenant, purpose: Purpose) -> Result<Arc<dyn Eploy>, CallError>;
}
