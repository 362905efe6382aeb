//! Records as Eploy shows them: PascalCase names, references wrapped, options as objects (shared/eploy/REFERENCE.md §4
//! and §9).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::System;
use super::model::{
    Action, AnswerType, Application, Asked, Candidate, HistoryRow, Placement, Position, Vacancy,
};
use super::quirks::{IdType, PropertyCase};
use super::route::Resource;
use super::setup::{
    ACTION_TYPES, OUTCOMES, PLACEMENT_STATUSES, STAGE_NAMES, STATUSES, VACANCY_STATUSES,
};

/// A record with these blocks; `null` if there is no such record, which callers have excluded.
pub(super) fn record(system: &System, of: Resource, id: u64, blocks: &[&str]) -> Value {
    let show = |block: &dyn Fn(&str) -> Value| {
        let fields = blocks
            .iter()
            .map(|name| (system.name_of(name), block(name)))
            .collect::<Map<_, _>>();
        Value::Object(fields)
    };
    let shown = match of {
        Resource::Applications => system
            .applications
            .get(&id)
            .map(|it| show(&|block| system.application_block(it, block))),
        Resource::Candidates => system
            .candidates
            .get(&id)
            .map(|it| show(&|block| system.candidate_block(it, block))),
        Resource::Vacancies => system
            .vacancies
            .get(&id)
            .map(|it| show(&|block| system.vacancy_block(it, block))),
        Resource::Placements => system
            .placements
            .get(&id)
            .map(|it| show(&|block| system.placement_block(it, block))),
        Resource::Companies => system.companies.get(&id).map(|it| {
            show(&|block| match block {
                "CompanyId" => system.id(it.id),
                "Name" => json!(it.name),
                "Import" => json!(it.import),
                "CreationDate" | "ModificationDate" => system.date(it.created),
                _ => Value::Null,
            })
        }),
        Resource::Workflows => system.workflows.iter().find(|it| it.id == id).map(|it| {
            show(&|block| match block {
                "WorkflowId" => system.id(it.id),
                "Title" | "Description" => json!(it.title),
                _ => json!([]),
            })
        }),
        Resource::Actions => system
            .actions
            .get(&id)
            .map(|it| show(&|block| system.action_block(it, block))),
        Resource::StatusHistory => system
            .history
            .get(&id)
            .map(|it| show(&|block| system.history_block(it, block))),
    };
    shown.unwrap_or_default()
}

impl System {
    fn name_of(&self, name: &str) -> String {
        match (self.quirks.property_case, name.strip_suffix("Id")) {
            (PropertyCase::Upper, Some(stem)) if !stem.is_empty() => format!("{stem}ID"),
            _ => name.to_owned(),
        }
    }

    /// The id of a record.
    pub(super) fn id(&self, id: u64) -> Value {
        written(id, self.quirks.ids)
    }

    fn reference(&self, records: &str, id: Option<u64>) -> Value {
        match id {
            Some(id) => json!({
                "Id": self.id(id),
                "Url": format!("{}/api/{records}/{id}", self.base_url),
            }),
            None => Value::Null,
        }
    }

    fn option(&self, list: u64, id: Option<u64>) -> Value {
        match id {
            Some(id) => json!({
                "Id": written(id, self.quirks.option_ids),
                "Description": self.option_name(list, id),
            }),
            None => Value::Null,
        }
    }

    fn optional_date(&self, at: Option<Timestamp>) -> Value {
        at.map_or(Value::Null, |at| self.date(at))
    }

    fn workflow(&self, position: Position) -> Value {
        json!({
            "Stage": self.option(STAGE_NAMES, Some(position.stage)),
            "Status": self.option(self.status_list(position.stage), position.status),
        })
    }

    /// The same address for everybody. It is an object with all its properties, however little is known of it
    /// (shared/eploy/REFERENCE.md §4).
    fn address(&self) -> Value {
        json!({
            "Address1": "1 Example Street",
            "Address2": null,
            "Address3": null,
            "Town": "Exampleton",
            "County": "Exampleshire",
            "Country": {"Id": written(1, self.quirks.option_ids), "Description": "United Kingdom"},
            "PostCode": "ZZ99 9ZZ",
            "AddressStartDate": null,
            "AddressEndDate": null,
        })
    }

    /// An object also where no salary is agreed (shared/eploy/REFERENCE.md §10).
    fn salary(&self) -> Value {
        json!({
            "Salary": null,
            "SalaryInterval": {"Id": written(1, self.quirks.option_ids), "Description": "Per annum"},
        })
    }

    fn application_block(&self, it: &Application, block: &str) -> Value {
        match block {
            "ApplicationId" => self.id(it.id),
            "ApplicationDate" | "CreationDate" => self.date(it.created),
            "ApplicationType" => json!({
                "Id": written(1, self.quirks.option_ids),
                "Description": "Web",
            }),
            "Workflow" => self.workflow(it.position),
            "Placement" => self.reference("placements", it.placement),
            "Candidate" => self.reference("candidates", Some(it.candidate)),
            "Vacancy" => self.reference("vacancies", Some(it.vacancy)),
            "Questions" => self.questions_of(Asked::Applications, it.id),
            "QuestionFields" => json!([]),
            "ModificationDate" => self.date(it.modified),
            _ => Value::Null,
        }
    }

    fn candidate_block(&self, it: &Candidate, block: &str) -> Value {
        match block {
            "CandidateId" => self.id(it.id),
            "FirstName" => json!(it.first_name),
            "Surname" => json!(it.surname),
            "Email" => json!(it.email),
            "Mobile" => json!(it.mobile),
            "Address" => self.address(),
            "IsEmployee" | "IsPreviousEmployee" | "CriminalRecord" | "WorkPermit" => json!(false),
            "Questions" => self.questions_of(Asked::Candidates, it.id),
            "QuestionFields" => json!([]),
            "CreationDate" => self.date(it.created),
            "ModificationDate" => self.date(it.modified),
            _ => Value::Null,
        }
    }

    fn vacancy_block(&self, it: &Vacancy, block: &str) -> Value {
        match block {
            "VacancyId" => self.id(it.id),
            "Title" => json!(it.title),
            "VacancyStatus" => self.option(VACANCY_STATUSES, Some(it.status)),
            "Address" => self.address(),
            "Salary" => self.salary(),
            "Company" => self.reference("companies", it.company),
            "IncludeOnSite" => json!(true),
            "AdvertiseInternally" => json!(false),
            "WebsiteURLs" | "QuestionFields" => json!([]),
            "Questions" => self.questions_of(Asked::Vacancies, it.id),
            "DatePosted" | "CreationDate" => self.date(it.created),
            "ModificationDate" => self.date(it.modified),
            _ => Value::Null,
        }
    }

    fn placement_block(&self, it: &Placement, block: &str) -> Value {
        match block {
            "PlacementId" => self.id(it.id),
            "PlacementStatus" => self.option(PLACEMENT_STATUSES, Some(it.status)),
            "Vacancy" => self.reference("vacancies", Some(it.vacancy)),
            "Candidate" => self.reference("candidates", Some(it.candidate)),
            "Application" => self.reference("applications", Some(it.application)),
            "Salary" => self.salary(),
            "CreationDate" => self.date(it.created),
            "ModificationDate" => self.date(it.modified),
            _ => Value::Null,
        }
    }

    fn action_block(&self, it: &Action, block: &str) -> Value {
        match block {
            "ActionId" => self.id(it.id),
            "ActionType" => self.option(ACTION_TYPES, Some(it.kind)),
            "StartDate" => self.optional_date(it.start),
            "EndDate" => self.optional_date(it.end),
            "CompletionDate" => self.optional_date(it.completion),
            "ActionOutcome" => self.option(OUTCOMES, it.outcome),
            "Vacancy" => self.reference("vacancies", Some(it.vacancy)),
            "Candidate" => self.reference("candidates", Some(it.candidate)),
            "Company" => self.reference("companies", it.company),
            "CommentsHTML" => json!(it.comments_html),
            "ExternalProviderURL" => json!(it.provider_url),
            "CreationDate" => self.date(it.created),
            "ModificationDate" => self.date(it.modified),
            _ => Value::Null,
        }
    }

    fn history_block(&self, it: &HistoryRow, block: &str) -> Value {
        let vacancy = || self.applications.get(&it.application).map(|of| of.vacancy);
        match block {
            "StatusHistoryId" => self.id(it.id),
            "Application" => self.reference("applications", Some(it.application)),
            "Vacancy" => self.reference("vacancies", vacancy()),
            "Action" => self.reference("actions", it.action),
            "Placement" => self.reference("placements", it.placement),
            "StatusDate" | "CreationDate" | "ModificationDate" => self.date(it.at),
            "Workflow" => self.workflow(it.position),
            _ => Value::Null,
        }
    }

    /// The custom questions of a record with their answers: a bare array (shared/eploy/REFERENCE.md §15).
    pub(super) fn questions_of(&self, of: Asked, id: u64) -> Value {
        let answers = self.answers.get(&(of, id));
        self.questions
            .iter()
            .filter(|question| question.of == of)
            .map(|question| {
                let given = answers.and_then(|answers| answers.get(&question.id));
                let (kind, answer) = match &question.kind {
                    AnswerType::Text => ("Text", given.cloned()),
                    AnswerType::Number => ("Number", given.cloned()),
                    AnswerType::Boolean => ("Boolean", given.cloned()),
                    AnswerType::Date => ("Date", given.cloned()),
                    AnswerType::Dropdown(options) => (
                        "DropDown",
                        given.and_then(Value::as_u64).map(|number| {
                            let option = usize::try_from(number)
                                .ok()
                                .and_then(|number| options.get(number.checked_sub(1)?));
                            json!({"Id": number.to_string(), "Description": option})
                        }),
                    ),
                };
                let mut shown = Map::new();
                shown.insert(self.name_of("QuestionId"), self.id(question.id));
                shown.insert("Title".to_owned(), json!(question.title));
                shown.insert("AnswerType".to_owned(), json!(kind));
                shown.insert("Answer".to_owned(), answer.unwrap_or_default());
                Value::Object(shown)
            })
            .collect()
    }

    /// The name of the list that the statuses of this stage are of: by its kind (shared/eploy/REFERENCE.md §5).
    pub(super) fn status_list(&self, stage: u64) -> u64 {
        use super::model::StageKind;
        match self.stage(stage).map(|stage| stage.kind) {
            Some(StageKind::Action) => OUTCOMES,
            Some(StageKind::Placement) => PLACEMENT_STATUSES,
            Some(StageKind::Application) | None => STATUSES,
        }
    }
}

fn written(id: u64, how: IdType) -> Value {
    match how {
        IdType::Numbers => json!(id),
        IdType::Strings => json!(id.to_string()),
    }
}
