//! What recruiters and administrators do in Eploy, through the control API.

use jiff::Timestamp;

use super::System;
use super::dates::kept;
use super::flow::{Cause, NoWay};
use super::messages::{
    Created, EditCandidate, NewAnswer, NewApplications, NewOption, NewQuestion, NewVacancy,
};
use super::model::{
    Application, Asked, Candidate, Company, Named, Placement, Position, Question, Vacancy,
};
use super::setup::{FIRST_STAGE, OFFERS, STAGE_NAMES, VACANCY_STATUSES, WITHDRAWN};
use super::write::answered;
use crate::people::{MadeUp, People};
use crate::record::{By, Records};

/// The status of an advertised vacancy, and the default workflow.
const LIVE: u64 = 3;
const STANDARD_WORKFLOW: u64 = 1;

/// Why an act is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no {0} {1}")]
    Missing(&'static str, u64),
    #[error("there is no {0} called '{1}'")]
    Nameless(&'static str, String),
    #[error("the answer does not fit the question")]
    Unfit,
    #[error("{0}")]
    NoWay(#[from] NoWay),
}

impl System {
    pub(crate) fn add_company(&mut self, name: &str) -> u64 {
        let id = self.next_id.company();
        let company = Company {
            id,
            name: name.to_owned(),
            import: format!("company-{id}"),
            created: kept(Timestamp::now()),
        };
        self.companies.insert(id, company);
        id
    }

    pub(crate) fn add_vacancy(&mut self, new: &NewVacancy, at: Timestamp) -> Result<u64, Refused> {
        let workflow = new.workflow.unwrap_or(STANDARD_WORKFLOW);
        if !self.workflows.iter().any(|known| known.id == workflow) {
            return Err(Refused::Missing("workflow", workflow));
        }
        let status = new.status.unwrap_or(LIVE);
        if !self.has_option(VACANCY_STATUSES, status) {
            return Err(Refused::Missing("vacancy status", status));
        }
        let id = self.next_id.vacancy();
        let at = kept(at);
        let vacancy = Vacancy {
            id,
            title: new.title.clone(),
            status,
            company: (!new.without_company)
                .then(|| self.companies.keys().next().copied())
                .flatten(),
            workflow,
            created: at,
            modified: at,
        };
        self.vacancies.insert(id, vacancy);
        Ok(id)
    }

    pub(crate) fn add_applications(
        &mut self,
        new: &NewApplications,
        people: &mut People,
        at: Timestamp,
        records: &mut Records,
    ) -> Result<Vec<Created>, Refused> {
        if !self.vacancies.contains_key(&new.vacancy) {
            return Err(Refused::Missing("vacancy", new.vacancy));
        }
        if let Some(candidate) = new.candidate
            && !self.candidates.contains_key(&candidate)
        {
            return Err(Refused::Missing("candidate", candidate));
        }
        let stage = match &new.stage {
            Some(stage) => self.stage_called(stage)?,
            None => FIRST_STAGE,
        };
        let mut created = Vec::new();
        for _ in 0..new.count {
            let candidate = match new.candidate {
                Some(candidate) => candidate,
                None => self.add_candidate(people.next(), at),
            };
            let application = self.add_application(candidate, new.vacancy, at);
            let status = self.status_called(stage, new.status.as_deref())?;
            let position = match self.position(application, stage, status) {
                Ok(position) => position,
                Err(problem) => {
                    self.remove(application);
                    return Err(problem.into());
                }
            };
            self.enter(
                application,
                position,
                Cause::default(),
                By::Recruiter,
                at,
                records,
            );
            created.push(Created {
                application,
                candidate,
            });
        }
        Ok(created)
    }

    fn add_candidate(&mut self, person: MadeUp, at: Timestamp) -> u64 {
        let id = self.next_id.candidate();
        let at = kept(at);
        let candidate = Candidate {
            id,
            first_name: person.first_name,
            surname: person.surname,
            email: Some(person.email),
            mobile: Some(person.mobile),
            contacts_before: Vec::new(),
            created: at,
            modified: at,
        };
        self.candidates.insert(id, candidate);
        id
    }

    fn add_application(&mut self, candidate: u64, vacancy: u64, at: Timestamp) -> u64 {
        let id = self.next_id.application();
        let at = kept(at);
        let application = Application {
            id,
            candidate,
            vacancy,
            position: Position {
                stage: FIRST_STAGE,
                status: None,
            },
            placement: None,
            created: at,
            modified: at,
            history: Vec::new(),
            actions: Vec::new(),
            notes: Vec::new(),
            exports: Vec::new(),
        };
        self.applications.insert(id, application);
        self.applications_of.entry(candidate).or_default().push(id);
        id
    }

    /// Moves an application to a stage and status, given by name or id.
    pub(crate) fn recruiter_moves(
        &mut self,
        application: u64,
        stage: &str,
        status: Option<&str>,
        at: Timestamp,
        records: &mut Records,
    ) -> Result<(), Refused> {
        let stage = self.stage_called(stage)?;
        let status = self.status_called(stage, status)?;
        let position = self.position(application, stage, status)?;
        self.enter(
            application,
            position,
            Cause::default(),
            By::Recruiter,
            at,
            records,
        );
        Ok(())
    }

    pub(crate) fn withdraw(
        &mut self,
        application: u64,
        at: Timestamp,
        records: &mut Records,
    ) -> Result<(), Refused> {
        let position = self.position(application, WITHDRAWN.0, Some(WITHDRAWN.1))?;
        self.enter(
            application,
            position,
            Cause::default(),
            By::Recruiter,
            at,
            records,
        );
        Ok(())
    }

    /// Hires the candidate of an application: a placement, and the stage of offers.
    pub(crate) fn hire(
        &mut self,
        application: u64,
        at: Timestamp,
        records: &mut Records,
    ) -> Result<(), Refused> {
        let position = self.position(application, OFFERS, None)?;
        let id = self.next_id.placement();
        let found = self
            .applications
            .get_mut(&application)
            .ok_or(NoWay::Application)?;
        found.placement = Some(id);
        let placement = Placement {
            id,
            application,
            candidate: found.candidate,
            vacancy: found.vacancy,
            status: position.status.unwrap_or_default(),
            created: kept(at),
            modified: kept(at),
        };
        self.placements.insert(id, placement);
        let cause = Cause {
            placement: Some(id),
            ..Cause::default()
        };
        self.enter(application, position, cause, By::Recruiter, at, records);
        Ok(())
    }

    /// Deletes an application.
    pub(crate) fn remove(&mut self, application: u64) {
        let Some(found) = self.applications.remove(&application) else {
            return;
        };
        self.modified.remove(&(found.modified, application));
        for row in found.history {
            self.history.remove(&row);
        }
        if let Some(others) = self.applications_of.get_mut(&found.candidate) {
            others.retain(|id| *id != application);
        }
    }

    pub(crate) fn edit_candidate(
        &mut self,
        id: u64,
        edit: &EditCandidate,
        at: Timestamp,
    ) -> Result<(), Refused> {
        let candidate = self
            .candidates
            .get_mut(&id)
            .ok_or(Refused::Missing("candidate", id))?;
        for (field, new) in [
            (&mut candidate.email, &edit.email),
            (&mut candidate.mobile, &edit.mobile),
        ] {
            if let Some(new) = new {
                candidate.contacts_before.extend(field.take());
                *field = Some(new.clone()).filter(|text| !text.is_empty());
            }
        }
        if let Some(name) = &edit.first_name {
            candidate.first_name.clone_from(name);
        }
        if let Some(name) = &edit.surname {
            candidate.surname.clone_from(name);
        }
        candidate.modified = kept(at);
        Ok(())
    }

    pub(crate) fn add_question(&mut self, new: &NewQuestion) -> u64 {
        let id = self.next_id.question();
        self.questions.push(Question {
            id,
            of: new.of,
            title: new.title.clone(),
            kind: new.answer_type.clone(),
        });
        id
    }

    /// A recruiter answers a custom question; this changes the application's modification date.
    pub(crate) fn answer_question(
        &mut self,
        new: &NewAnswer,
        at: Timestamp,
    ) -> Result<(), Refused> {
        if !self.is_asked(new.of, new.record) {
            return Err(Refused::Missing("record", new.record));
        }
        let question = self
            .questions
            .iter()
            .find(|question| question.of == new.of && question.id == new.question)
            .ok_or(Refused::Missing("question", new.question))?;
        let answer = answered(&question.kind, &new.answer, self).ok_or(Refused::Unfit)?;
        let answers = self.answers.entry((new.of, new.record)).or_default();
        answers.insert(new.question, answer);
        if new.of == Asked::Applications
            && let Some(application) = self.applications.get_mut(&new.record)
        {
            application.modified = kept(at);
        }
        Ok(())
    }

    /// Adds an option to a list, or renames or archives one.
    pub(crate) fn set_option(&mut self, new: &NewOption, at: Timestamp) -> Result<(), Refused> {
        let list = self
            .lists
            .iter_mut()
            .find(|list| list.id == new.list)
            .ok_or(Refused::Missing("list", new.list))?;
        let archived = new.archived.then(|| kept(at));
        match list.options.iter_mut().find(|option| option.id == new.id) {
            Some(option) => {
                option.name.clone_from(&new.name);
                option.archived = archived;
            }
            None => list.options.push(Named {
                id: new.id,
                name: new.name.clone(),
                archived,
            }),
        }
        Ok(())
    }

    fn called(&self, what: &'static str, list: u64, text: &str) -> Result<u64, Refused> {
        let id = text.parse::<u64>().ok();
        self.list(list)
            .into_iter()
            .flat_map(|list| &list.options)
            .find(|option| Some(option.id) == id || option.name.eq_ignore_ascii_case(text))
            .map(|option| option.id)
            .ok_or_else(|| Refused::Nameless(what, text.to_owned()))
    }

    fn stage_called(&self, text: &str) -> Result<u64, Refused> {
        self.called("stage", STAGE_NAMES, text)
    }

    fn status_called(&self, stage: u64, text: Option<&str>) -> Result<Option<u64>, Refused> {
        text.map(|text| self.called("status", self.status_list(stage), text))
            .transpose()
    }

    /// The ids of all applications.
    pub(crate) fn application_ids(&self) -> Vec<u64> {
        self.applications.keys().copied().collect()
    }

    pub(crate) fn candidate_of(&self, application: u64) -> Option<&Candidate> {
        self.candidates
            .get(&self.applications.get(&application)?.candidate)
    }
}
