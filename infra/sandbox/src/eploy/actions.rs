//! Actions through the API (shared/eploy/REFERENCE.md §13).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::System;
use super::body::{number, property};
use super::dates::{self, kept};
use super::model::Action;
use super::route::Resource;
use super::setup::{ACTION_TYPES, OUTCOMES};
use crate::call::{Answer, Call};
use crate::record::{By, Records, Write};

const ACTION_PROPERTIES: [&str; 9] = [
    "ActionTypeId",
    "VacancyId",
    "CandidateId",
    "CompanyId",
    "ActionOutcomeId",
    "StartDate",
    "EndDate",
    "CompletionDate",
    "CommentsHTML",
];
const PROVIDER_URL: &str = "ExternalProviderURL";

impl System {
    pub(super) fn create_action(&mut self, call: &Call, records: &mut Records) -> Answer {
        match self.try_create_action(call, records) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn try_create_action(&mut self, call: &Call, records: &mut Records) -> Result<Answer, Answer> {
        let body = self.action_body(call)?;
        let need = |name: &str| {
            property(&body, name)
                .and_then(number)
                .ok_or_else(|| self.error(400, &format!("The {name} field is required")))
        };
        let (kind, candidate, vacancy) = (
            need("ActionTypeId")?,
            need("CandidateId")?,
            need("VacancyId")?,
        );
        let company = property(&body, "CompanyId").and_then(number);
        let valid = self.has_option(ACTION_TYPES, kind)
            && self.candidates.contains_key(&candidate)
            && self.vacancies.contains_key(&vacancy)
            && company.is_none_or(|id| self.companies.contains_key(&id))
            && (company.is_some() || !self.quirks.action_needs_company);
        if !valid {
            return Err(self.error(400, "The action names a type or record that does not exist"));
        }
        let now = kept(call.now);
        let action = Action {
            id: self.next_id.action(),
            kind,
            candidate,
            vacancy,
            company,
            application: self.application_of(candidate, vacancy),
            outcome: None,
            start: None,
            end: None,
            completion: None,
            comments_html: None,
            provider_url: None,
            created: now,
            modified: now,
        };
        let id = action.id;
        let action = self.filled(action, &body)?;
        if let Some(application) = action.application {
            if let Some(found) = self.applications.get_mut(&application) {
                found.actions.push(id);
            }
            self.wrote(
                application,
                Write::ActionCreated,
                By::Api,
                call.now,
                records,
            );
        }
        self.actions_of.entry(candidate).or_default().push(id);
        self.actions.insert(id, action);
        self.after_action(id, None, call.now, records);
        Ok(Answer::json(
            self.quirks.create_status,
            &json!({"Id": self.id(id)}),
        ))
    }

    pub(super) fn update_action(&mut self, id: u64, call: &Call, records: &mut Records) -> Answer {
        match self.try_update_action(id, call, records) {
            Ok(()) => self.patched(Resource::Actions, id),
            Err(answer) => answer,
        }
    }

    fn try_update_action(
        &mut self,
        id: u64,
        call: &Call,
        records: &mut Records,
    ) -> Result<(), Answer> {
        let action = self
            .actions
            .get(&id)
            .cloned()
            .ok_or_else(|| self.not_found())?;
        let body = self.action_body(call)?;
        let outcome_before = action.outcome;
        let mut action = self.filled(action, &body)?;
        action.modified = kept(call.now);
        if let Some(application) = action.application {
            self.wrote(
                application,
                Write::ActionUpdated,
                By::Api,
                call.now,
                records,
            );
        }
        self.actions.insert(id, action);
        self.after_action(id, outcome_before, call.now, records);
        Ok(())
    }

    fn after_action(
        &mut self,
        id: u64,
        outcome_before: Option<u64>,
        at: Timestamp,
        records: &mut Records,
    ) {
        let Some(action) = self.actions.get(&id) else {
            return;
        };
        let changed = action.outcome != outcome_before;
        if let Some(application) = action.application
            && self.quirks.actions_touch_application
        {
            self.touch(application, at);
        }
        if changed {
            self.follow_outcome(id, at, records);
        }
    }

    fn action_body(&self, call: &Call) -> Result<Value, Answer> {
        let body = self.object(call)?;
        self.check_properties(&body, |name| {
            name.eq_ignore_ascii_case(PROVIDER_URL)
                || ACTION_PROPERTIES
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name))
        })?;
        Ok(body)
    }

    /// The action with the body's changes; absent properties are unchanged.
    fn filled(&self, mut action: Action, body: &Value) -> Result<Action, Answer> {
        let date = |name: &str, before| match property(body, name) {
            None => Ok(before),
            Some(value) => value
                .as_str()
                .and_then(|text| dates::read(text, self.quirks.dates))
                .map(|at| Some(kept(at)))
                .ok_or_else(|| self.error(400, &format!("{name} is not a date"))),
        };
        let text = |name: &str, before: Option<String>| match property(body, name) {
            None => Ok(before),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.error(400, &format!("{name} is not text"))),
        };
        action.start = date("StartDate", action.start)?;
        action.end = date("EndDate", action.end)?;
        action.completion = date("CompletionDate", action.completion)?;
        action.comments_html = text("CommentsHTML", action.comments_html)?;
        action.provider_url = text(PROVIDER_URL, action.provider_url)?;
        if let Some(outcome) = property(body, "ActionOutcomeId") {
            action.outcome = number(outcome).filter(|id| self.has_option(OUTCOMES, *id));
            if action.outcome.is_none() {
                return Err(self.error(400, "ActionOutcomeId is not an action outcome"));
            }
        }
        Ok(action)
    }
}
