//! The systems of others: Eploy, a platform, the HRMS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::World;
use crate::error::CallError;
use crate::ids::{
    AccountId, ActionId, ApplicationId, AssessmentId, CandidateId, ExportPackageId,
    PlacementStatusId, QuestionId, Reference, StageId, StatusId, VacancyId,
};
use crate::person::Person;
use crate::ports::*;
use crate::result::AssessmentResult;
use crate::tenant::{HrmsEndpoint, Position, Tenant, Trigger, Vacancies};

impl World {
    fn eploy_answers(&self) -> Result<(), CallError> {
        self.holds().eploy_fails.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl EployConnections for World {
    async fn eploy(&self, _: &Tenant, _: Purpose) -> Result<Arc<dyn Eploy>, CallError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Eploy for World {
    async fn allowance_left(&self) -> Result<AllowanceLeft, CallError> {
        unimplemented!()
    }

    async fn changed_applications(
        &self,
        _: Option<Timestamp>,
        _: u32,
    ) -> Result<ApplicationPage, CallError> {
        unimplemented!()
    }

    async fn applications_at(
        &self,
        _: &[Trigger],
        _: &Vacancies,
        _: u32,
    ) -> Result<ApplicationPage, CallError> {
        unimplemented!()
    }

    async fn changed_placements(
        &self,
        _: Option<Timestamp>,
        _: u32,
    ) -> Result<PlacementPage, CallError> {
        unimplemented!()
    }

    async fn placements_with(
        &self,
        _: &BTreeSet<PlacementStatusId>,
        _: u32,
    ) -> Result<PlacementPage, CallError> {
        unimplemented!()
    }

    async fn application_of(
        &self,
        _: &CandidateId,
        _: &VacancyId,
    ) -> Result<Option<ApplicationId>, CallError> {
        self.eploy_answers()?;
        Ok(self.holds().application.clone())
    }

    async fn standing(&self, _: &ApplicationId) -> Result<Standing, CallError> {
        self.eploy_answers()?;
        Ok(self.holds().standing.clone())
    }

    async fn position(&self, _: &ApplicationId) -> Result<Option<Position>, CallError> {
        self.eploy_answers()?;
        Ok(self.holds().position.clone())
    }

    async fn candidate(&self, _: &CandidateId) -> Result<Person, CallError> {
        self.eploy_answers()?;
        Ok(self.holds().person.clone())
    }

    async fn vacancy(&self, vacancy: &VacancyId) -> Result<Vacancy, CallError> {
        self.eploy_answers()?;
        Ok(Vacancy {
            id: vacancy.clone(),
            title: format!("Vacancy {vacancy}"),
            company: None,
        })
    }

    async fn directory(&self) -> Result<Directory, CallError> {
        unimplemented!()
    }

    async fn create_action(&self, _: &NewAction) -> Result<ActionId, CallError> {
        unimplemented!()
    }

    async fn update_action(&self, _: &ActionId, _: &ActionUpdate) -> Result<(), CallError> {
        unimplemented!()
    }

    async fn find_action(&self, _: &ActionLookUp) -> Result<Option<ActionId>, CallError> {
        unimplemented!()
    }

    async fn add_note(&self, _: &ApplicationId, _: &str) -> Result<(), CallError> {
        unimplemented!()
    }

    async fn answer(
        &self,
        of: &QuestionsOf,
        question: &QuestionId,
    ) -> Result<Option<Answer>, CallError> {
        self.eploy_answers()?;
        // A question is one of applications or of vacancies, as its id begins.
        let kind = match of {
            QuestionsOf::Application(_) => "application",
            QuestionsOf::Vacancy(_) => "vacancy",
        };
        assert!(question.as_str().starts_with(kind), "{question} of {of:?}");
        Ok(self.holds().answers.get(question).cloned())
    }

    async fn answer_questions(
        &self,
        _: &ApplicationId,
        _: &BTreeMap<QuestionId, String>,
    ) -> Result<(), CallError> {
        unimplemented!()
    }

    async fn move_application(
        &self,
        _: &ApplicationId,
        _: &StageId,
        _: Option<&StatusId>,
    ) -> Result<(), CallError> {
        unimplemented!()
    }

    async fn mark_exported(&self, _: &ApplicationId, _: &ExportPackageId) -> Result<(), CallError> {
        unimplemented!()
    }
}

#[async_trait]
impl PlatformConnections for World {
    async fn platform(&self, _: &Tenant, _: &AccountId) -> Result<Arc<dyn Platform>, CallError> {
        Ok(Arc::new(self.clone()))
    }

    fn reader(&self, _: &Tenant, _: &AccountId) -> Option<Arc<dyn DeliveryReader>> {
        None
    }
}

#[async_trait]
impl Platform for World {
    fn capabilities(&self) -> Capabilities {
        self.holds().capabilities.clone()
    }

    async fn assessments(&self) -> Result<Vec<Assessment>, CallError> {
        unimplemented!()
    }

    async fn invite(&self, order: &InviteOrder) -> Result<InviteAnswer, CallError> {
        let mut holds = self.holds();
        holds.orders.push(order.clone());
        holds.invited.pop_front().unwrap_or_else(|| {
            Ok(InviteAnswer::Created {
                reference: Reference::new(format!("of-{}", order.client_ref)),
                link: None,
            })
        })
    }

    async fn prepare(&self, order: &PrepareOrder) -> Result<AssessmentId, CallError> {
        let mut holds = self.holds();
        holds.made.push(order.clone());
        if let Some(theirs) = holds.made_elsewhere.take() {
            holds.prepared.insert(order.client_ref.clone(), theirs);
        }
        Ok(AssessmentId::new(format!("made-{}", holds.made.len())))
    }

    async fn withdraw(&self, _: &AssessmentId, _: &Reference) -> Result<Withdrawn, CallError> {
        unimplemented!()
    }

    async fn find(&self, _: &AssessmentId, _: &Person, _: &str) -> Result<Vec<Found>, CallError> {
        unimplemented!()
    }

    async fn result(&self, _: &AssessmentId, _: &Reference) -> Result<AssessmentResult, CallError> {
        unimplemented!()
    }

    async fn list(
        &self,
        _: &AssessmentId,
        _: Option<Timestamp>,
        _: Option<&str>,
    ) -> Result<SweepPage, CallError> {
        unimplemented!()
    }

    async fn register_callbacks(
        &self,
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<Registration, CallError> {
        let mut holds = self.holds();
        holds
            .registered
            .push((address.clone(), assessments.to_vec()));
        Ok(Registration {
            created: u32::try_from(assessments.len()).unwrap(),
            ..Registration::default()
        })
    }
}

#[async_trait]
impl Hrms for World {
    async fn deliver(
        &self,
        _: &Tenant,
        _: &HrmsEndpoint,
        notice: &Notice,
    ) -> Result<HrmsAnswer, CallError> {
        let mut holds = self.holds();
        holds.notices.push(notice.clone());
        holds.hrms.pop_front().unwrap_or(Ok(HrmsAnswer {
            status: 204,
            retry_after: None,
        }))
    }
}
