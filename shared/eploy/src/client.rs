//! The client: one tenant's Eploy, for one purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use stagecall_core::error::CallError;
use stagecall_core::ids::{
    ActionId, ApplicationId, CandidateId, ExportPackageId, PlacementStatusId, QuestionId, StageId,
    StatusId, VacancyId,
};
use stagecall_core::person::Person;
use stagecall_core::ports::{
    ActionLookUp, ActionUpdate, AllowanceLeft, Answer, ApplicationPage, ApplicationRow, Directory,
    Eploy, Feed, NewAction, PlacementPage, Purpose, QuestionsOf, StageChangePage, StageInfo,
    StageSearch, Vacancy,
};
use stagecall_core::tenant::{Position, Trigger, Vacancies};

use crate::connection::Connection;
use crate::errors::Problem;
use crate::position::Stages;
use crate::stage_searches::stage_searches;

/// The client. Each kind of record has its own file.
pub(crate) struct Client {
    pub(crate) connection: Arc<Connection>,
    pub(crate) purpose: Purpose,
    pub(crate) stages: Stages,
}

#[async_trait]
impl Eploy for Client {
    async fn allowance_left(&self) -> Result<AllowanceLeft, CallError> {
        self.connection
            .budget
            .left(self.purpose, self.connection.clock.now())
            .await
            .map_err(|error| Problem::AllowanceStore.error("count the calls", &error.to_string()))
    }

    fn overlap(&self, since: Timestamp) -> SignedDuration {
        self.connection.dialect.dates.overlap(since)
    }

    async fn changed_applications(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<ApplicationPage, CallError> {
        self.search_changed(since, page).await
    }

    fn feed(&self) -> Feed {
        Feed {
            by: self.connection.dialect.feed,
            settled: self.connection.dialect.feed_settled,
        }
    }

    async fn stage_changes(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<StageChangePage, CallError> {
        self.search_stage_changes(since, page).await
    }

    async fn application(
        &self,
        application: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, CallError> {
        self.read_application(application).await
    }

    fn stage_searches(&self, triggers: &[Trigger], vacancies: &Vacancies) -> Vec<StageSearch> {
        stage_searches(&self.connection.dialect, triggers, vacancies)
    }

    async fn applications_at(
        &self,
        triggers: &[Trigger],
        vacancies: &Vacancies,
        page: u32,
    ) -> Result<ApplicationPage, CallError> {
        self.search_at(triggers, vacancies, page).await
    }

    async fn changed_placements(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<PlacementPage, CallError> {
        self.search_changed_placements(since, page).await
    }

    async fn placements_with(
        &self,
        statuses: &BTreeSet<PlacementStatusId>,
        page: u32,
    ) -> Result<PlacementPage, CallError> {
        self.search_placements_with(statuses, page).await
    }

    async fn application_of(
        &self,
        candidate: &CandidateId,
        vacancy: &VacancyId,
    ) -> Result<Option<ApplicationId>, CallError> {
        self.search_application_of(candidate, vacancy).await
    }

    async fn stage_info(&self, application: &ApplicationId) -> Result<StageInfo, CallError> {
        self.read_stage_info(application).await
    }

    async fn position(&self, application: &ApplicationId) -> Result<Option<Position>, CallError> {
        self.read_position(application).await
    }

    async fn candidate(&self, candidate: &CandidateId) -> Result<Person, CallError> {
        self.read_candidate(candidate).await
    }

    async fn vacancy(&self, vacancy: &VacancyId) -> Result<Vacancy, CallError> {
        self.read_vacancy(vacancy).await
    }

    async fn directory(&self) -> Result<Directory, CallError> {
        self.read_directory().await
    }

    async fn create_action(&self, action: &NewAction) -> Result<ActionId, CallError> {
        self.post_action(action).await
    }

    async fn update_action(
        &self,
        action: &ActionId,
        update: &ActionUpdate,
    ) -> Result<(), CallError> {
        self.patch_action(action, update).await
    }

    async fn find_action(&self, look_up: &ActionLookUp) -> Result<Option<ActionId>, CallError> {
        self.search_action(look_up).await
    }

    async fn add_note(&self, application: &ApplicationId, text: &str) -> Result<(), CallError> {
        self.post_note(application, text).await
    }

    async fn answer(
        &self,
        of: &QuestionsOf,
        question: &QuestionId,
    ) -> Result<Option<Answer>, CallError> {
        self.read_answer(of, question).await
    }

    async fn answer_questions(
        &self,
        application: &ApplicationId,
        answers: &BTreeMap<QuestionId, Answer>,
    ) -> Result<(), CallError> {
        self.patch_questions(application, answers).await
    }

    async fn move_application(
        &self,
        application: &ApplicationId,
        stage: &StageId,
        status: Option<&StatusId>,
    ) -> Result<(), CallError> {
        self.patch_position(application, stage, status).await
    }

    async fn mark_exported(
        &self,
        application: &ApplicationId,
        package: &ExportPackageId,
    ) -> Result<(), CallError> {
        self.post_export(application, package).await
    }
}
