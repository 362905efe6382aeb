//! The outside systems: Eploy, a platform, the HRMS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{FakePorts, Wrote, time};
use crate::clock::Deadline;
use crate::error::{CallError, Phase};
use crate::ids::{
    AccountId, ActionId, ApplicationId, AssessmentId, CandidateId, ExportPackageId,
    PlacementStatusId, QuestionId, Reference, StageId, StatusId, VacancyId,
};
use crate::person::Person;
use crate::ports::*;
use crate::result::{AssessmentResult, Status};
use crate::tenant::{HrmsEndpoint, Position, Tenant, Trigger, Vacancies};

impl FakePorts {
    /// Makes a call to Eploy.
    fn eploy_call(&self, name: &'static str) -> Result<(), CallError> {
        self.call(name)?;
        self.data().eploy_fails.clone().map_or(Ok(()), Err)
    }

    /// Makes a writing call to Eploy. It takes effect unless it certainly failed.
    fn write(&self, name: &'static str, what: Wrote) -> Result<(), CallError> {
        let answer = self.eploy_call(name);
        if answer
            .as_ref()
            .map_or_else(|error| !error.without_effect(), |()| true)
        {
            self.data().wrote.push(what);
        }
        answer
    }
}

/// A page of the items, from 1; beyond the last it is empty.
fn page<T: Clone>(pages: &[T], number: u32) -> Option<T> {
    pages.get(number as usize - 1).cloned()
}

fn no_applications() -> ApplicationPage {
    ApplicationPage {
        rows: Vec::new(),
        set_aside: Vec::new(),
        more: false,
    }
}

/// A page of a hundred of the applications that changed after this time, in whole seconds.
fn changed_after(all: &[ApplicationRow], after: Timestamp, number: u32) -> ApplicationPage {
    let after = Timestamp::from_second(after.as_second()).unwrap();
    let mut found = all.iter().filter(|row| row.modified > Some(after)).cloned();
    let rows = found.by_ref().skip((number as usize - 1) * 100).take(100);
    ApplicationPage {
        rows: rows.collect(),
        set_aside: Vec::new(),
        more: found.next().is_some(),
    }
}

fn no_placements() -> PlacementPage {
    PlacementPage {
        rows: Vec::new(),
        set_aside: Vec::new(),
        more: false,
    }
}

#[async_trait]
impl EployConnections for FakePorts {
    async fn eploy(&self, _: &Tenant, _: Purpose) -> Result<Arc<dyn Eploy>, CallError> {
        let fails = self.data().fails.get("eploy").cloned();
        fails.map_or(Ok(()), Err)?;
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Eploy for FakePorts {
    async fn allowance_left(&self) -> Result<AllowanceLeft, CallError> {
        let data = self.data();
        Ok(AllowanceLeft {
            calls: data.allowance,
            resets_at: time(86_400),
        })
    }

    fn overlap(&self, _: Timestamp) -> SignedDuration {
        self.data().overlap
    }

    async fn changed_applications(
        &self,
        since: Option<Timestamp>,
        number: u32,
    ) -> Result<ApplicationPage, CallError> {
        self.eploy_call("changed_applications")?;
        let mut data = self.data();
        data.asked_since.push((since, number));
        if !data.applications.is_empty() {
            let after = since.map_or(Timestamp::MIN, |since| since - data.overlap);
            return Ok(changed_after(&data.applications, after, number));
        }
        Ok(page(&data.changed, number).unwrap_or_else(no_applications))
    }

    fn feed(&self) -> Feed {
        self.data().feed
    }

    async fn stage_changes(
        &self,
        since: Option<Timestamp>,
        number: u32,
    ) -> Result<StageChangePage, CallError> {
        self.eploy_call("stage_changes")?;
        let mut data = self.data();
        data.asked_since.push((since, number));
        Ok(page(&data.stage_changes, number).unwrap_or_default())
    }

    async fn application(
        &self,
        application: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, CallError> {
        self.eploy_call("application")?;
        Ok(self.data().records.get(application).cloned())
    }

    fn stage_searches(&self, triggers: &[Trigger], vacancies: &Vacancies) -> Vec<StageSearch> {
        let search = StageSearch {
            triggers: triggers.to_vec(),
            vacancies: vacancies.clone(),
        };
        vec![search; self.data().searches]
    }

    async fn applications_at(
        &self,
        _: &[Trigger],
        _: &Vacancies,
        number: u32,
    ) -> Result<ApplicationPage, CallError> {
        self.eploy_call("applications_at")?;
        let data = self.data();
        Ok(page(&data.at_triggers, number).unwrap_or_else(no_applications))
    }

    async fn changed_placements(
        &self,
        since: Option<Timestamp>,
        number: u32,
    ) -> Result<PlacementPage, CallError> {
        self.eploy_call("changed_placements")?;
        let mut data = self.data();
        data.asked_since.push((since, number));
        Ok(page(&data.placements, number).unwrap_or_else(no_placements))
    }

    async fn placements_with(
        &self,
        _: &BTreeSet<PlacementStatusId>,
        number: u32,
    ) -> Result<PlacementPage, CallError> {
        self.eploy_call("placements_with")?;
        let data = self.data();
        Ok(page(&data.placed, number).unwrap_or_else(no_placements))
    }

    async fn application_of(
        &self,
        _: &CandidateId,
        _: &VacancyId,
    ) -> Result<Option<ApplicationId>, CallError> {
        self.eploy_call("application_of")?;
        Ok(self.data().application.clone())
    }

    async fn stage_info(&self, _: &ApplicationId) -> Result<StageInfo, CallError> {
        self.eploy_call("stage_info")?;
        Ok(self.data().stage_info.clone())
    }

    async fn position(&self, _: &ApplicationId) -> Result<Option<Position>, CallError> {
        self.eploy_call("position")?;
        Ok(self.data().position.clone())
    }

    async fn candidate(&self, candidate: &CandidateId) -> Result<Person, CallError> {
        self.eploy_call("candidate")?;
        let data = self.data();
        if data.merged.contains(candidate) {
            let gone = super::failing(Phase::Refused);
            return Err(CallError {
                code: "eploy.not_found",
                ..gone
            });
        }
        Ok(data.person.clone())
    }

    async fn vacancy(&self, vacancy: &VacancyId) -> Result<Vacancy, CallError> {
        self.eploy_call("vacancy")?;
        Ok(Vacancy {
            id: vacancy.clone(),
            title: format!("Vacancy {vacancy}"),
            company: None,
        })
    }

    async fn directory(&self) -> Result<Directory, CallError> {
        self.eploy_call("directory")?;
        Ok(self.data().directory.clone())
    }

    async fn create_action(&self, action: &NewAction) -> Result<ActionId, CallError> {
        if self.data().merged.contains(&action.candidate) {
            return Err(CallError {
                code: "eploy.rejected",
                ..super::failing(Phase::Refused)
            });
        }
        self.write("create_action", Wrote::Action(action.clone()))?;
        let data = self.data();
        Ok(ActionId::new(format!(
            "action-{}",
            created(&data.wrote).count()
        )))
    }

    async fn update_action(
        &self,
        action: &ActionId,
        update: &ActionUpdate,
    ) -> Result<(), CallError> {
        let update = Wrote::Update(action.clone(), update.clone());
        self.write("update_action", update)
    }

    async fn find_action(&self, look_up: &ActionLookUp) -> Result<Option<ActionId>, CallError> {
        self.eploy_call("find_action")?;
        let data = self.data();
        let number = created(&data.wrote).position(|action| {
            action.candidate == look_up.candidate
                && action.vacancy == look_up.vacancy
                && action.action_type == look_up.action_type
                && action.started_at == look_up.started_at
        });
        Ok(number.map(|number| ActionId::new(format!("action-{}", number + 1))))
    }

    async fn add_note(&self, _: &ApplicationId, text: &str) -> Result<(), CallError> {
        self.write("add_note", Wrote::Note(text.to_owned()))
    }

    async fn answer(
        &self,
        of: &QuestionsOf,
        question: &QuestionId,
    ) -> Result<Option<Answer>, CallError> {
        self.eploy_call("answer")?;
        // The id's beginning tells whether a question is of applications or of vacancies.
        let kind = match of {
            QuestionsOf::Application(_) => "application",
            QuestionsOf::Vacancy(_) => "vacancy",
        };
        assert!(question.as_str().starts_with(kind), "{question} of {of:?}");
        Ok(self.data().answers.get(question).cloned())
    }

    async fn answer_questions(
        &self,
        _: &ApplicationId,
        answers: &BTreeMap<QuestionId, Answer>,
    ) -> Result<(), CallError> {
        self.write("answer_questions", Wrote::Answers(answers.clone()))
    }

    async fn move_application(
        &self,
        _: &ApplicationId,
        stage: &StageId,
        status: Option<&StatusId>,
    ) -> Result<(), CallError> {
        let moved = Wrote::Move(stage.clone(), status.cloned());
        self.write("move_application", moved)
    }

    async fn mark_exported(
        &self,
        _: &ApplicationId,
        package: &ExportPackageId,
    ) -> Result<(), CallError> {
        self.write("mark_exported", Wrote::Export(package.clone()))
    }
}

/// The actions that Eploy has, oldest first.
fn created(wrote: &[Wrote]) -> impl Iterator<Item = &NewAction> {
    wrote.iter().filter_map(|wrote| match wrote {
        Wrote::Action(action) => Some(action),
        _ => None,
    })
}

#[async_trait]
impl PlatformConnections for FakePorts {
    async fn platform(&self, _: &Tenant, _: &AccountId) -> Result<Arc<dyn Platform>, CallError> {
        let fails = self.data().fails.get("platform").cloned();
        fails.map_or(Ok(()), Err)?;
        Ok(Arc::new(self.clone()))
    }

    fn title(&self, _: &Tenant, _: &AccountId) -> String {
        "Willo".to_owned()
    }

    fn reader(&self, _: &Tenant, _: &AccountId) -> Option<Arc<dyn WebhookParser>> {
        let known = self.data().reads.is_some();
        known.then(|| Arc::new(self.clone()) as Arc<dyn WebhookParser>)
    }
}

impl WebhookParser for FakePorts {
    fn verify(&self, _: &IncomingCall<'_>) -> SignatureCheck {
        self.data().reads.as_ref().unwrap().0
    }

    fn read(&self, _: &IncomingCall<'_>) -> Result<WebhookHint, Unreadable> {
        self.data().reads.as_ref().unwrap().1.clone()
    }
}

#[async_trait]
impl Platform for FakePorts {
    fn capabilities(&self) -> Capabilities {
        self.data().capabilities.clone()
    }

    async fn assessments(&self) -> Result<Vec<Assessment>, CallError> {
        unimplemented!()
    }

    async fn invite(&self, order: &InviteOrder) -> Result<InviteAnswer, CallError> {
        self.data().orders.push(order.clone());
        self.call("invite")?;
        let mut data = self.data();
        data.invited.pop_front().unwrap_or_else(|| {
            Ok(InviteAnswer::Created {
                reference: Reference::new(format!("of-{}", order.client_ref)),
                link: None,
            })
        })
    }

    async fn ensure_assessment(&self, order: &AssessmentOrder) -> Result<AssessmentId, CallError> {
        let mut data = self.data();
        data.made.push(order.clone());
        if let Some(theirs) = data.made_elsewhere.take() {
            data.prepared.insert(order.client_ref.clone(), theirs);
        }
        Ok(AssessmentId::new(format!("made-{}", data.made.len())))
    }

    async fn withdraw(
        &self,
        _: &AssessmentId,
        reference: &Reference,
    ) -> Result<Withdrawn, CallError> {
        self.call("withdraw")?;
        self.data().withdrawn.push(reference.clone());
        Ok(Withdrawn::Done)
    }

    fn address_digest(&self, email: &str) -> Option<String> {
        Some(format!("digest of {}", email.len()))
    }

    async fn find(
        &self,
        _: &AssessmentId,
        _: &Person,
        _: &str,
        sent_to: Option<&str>,
        deadline: Deadline,
    ) -> Result<Vec<Found>, CallError> {
        self.call("find")?;
        self.data().found_until = Some(deadline);
        self.data().looked_up_by = sent_to.map(ToOwned::to_owned);
        Ok(self.data().found.clone())
    }

    async fn result(
        &self,
        _: &AssessmentId,
        reference: &Reference,
    ) -> Result<AssessmentResult, CallError> {
        // The answer is read when the call begins; when it arrives, it may be outdated.
        let known = self.data().results.get(reference).cloned();
        self.call("result")?;
        Ok(known.unwrap_or_else(|| AssessmentResult::bare(reference.clone(), Status::Sent)))
    }

    async fn list(&self, _: &AssessmentId, next: Option<&str>) -> Result<SweepPage, CallError> {
        self.call("list")?;
        let data = self.data();
        let number: usize = next.map_or(0, |next| next.parse().unwrap());
        Ok(data.list[number].clone())
    }

    async fn register_callbacks(
        &self,
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<Registration, CallError> {
        let mut data = self.data();
        data.registered
            .push((address.clone(), assessments.to_vec()));
        Ok(Registration {
            created: u32::try_from(assessments.len()).unwrap(),
            ..Registration::default()
        })
    }
}

#[async_trait]
impl Hrms for FakePorts {
    async fn deliver(
        &self,
        _: &Tenant,
        _: &HrmsEndpoint,
        notice: &Webhook,
    ) -> Result<HrmsAnswer, CallError> {
        let mut data = self.data();
        data.notices.push(notice.clone());
        data.hrms.pop_front().unwrap_or(Ok(HrmsAnswer {
            status: 204,
            retry_after: None,
        }))
    }
}
