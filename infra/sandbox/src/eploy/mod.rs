//! The stand-in of Eploy (shared/eploy/REFERENCE.md §20). One [`System`] is one customer's Eploy.

mod access;
mod actions;
mod blocks;
mod body;
mod dates;
mod field;
mod filter;
mod flow;
mod messages;
mod model;
mod quirks;
mod recruiter;
mod route;
mod search;
mod seen;
mod setup;
#[cfg(test)]
mod tests;
mod views;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use self::access::Token;
use self::model::{
    Action, Answered, Application, Candidate, Company, HistoryRow, Named, Placement, Question,
    Stage, Vacancy, Workflow,
};
use self::route::{Operation, Resource};
use self::setup::List;
use crate::call::{Answer, Call};
use crate::context::Context;

pub use self::access::{Key, Role};
pub use self::messages::*;
pub use self::model::{AnswerType, Asked, StageKind, Transition, Trigger};
pub use self::quirks::{
    AboveMax, Dates, EmptySearch, ErrorBody, HistoryDateRoute, IdType, Notes, OptionsIndex,
    PatchReply, PropertyCase, Quirks, SearchOrder, StageRoute, StageWrite, Unknown,
};
pub(crate) use self::recruiter::Refused;

/// A customer's Eploy.
pub(crate) struct System {
    pub(crate) name: String,
    /// Without `/api` and without a slash at the end.
    pub(crate) base_url: String,
    pub(crate) quirks: Quirks,
    pub(crate) keys: Vec<Key>,
    pub(crate) roles: Vec<Role>,
    pub(crate) ip_ranges: Vec<String>,
    /// Calls a day, by all keys together; `None`: no limit.
    pub(crate) allowance: Option<u64>,
    pub(crate) calls_today: u64,
    /// Whether the rest of today's allowance is used up, whatever the count.
    pub(crate) allowance_spent: bool,
    pub(crate) transitions: Vec<Transition>,
    allowance_day: i64,
    tokens: HashMap<String, Token>,
    lists: Vec<List>,
    stages: Vec<Stage>,
    workflows: Vec<Workflow>,
    e_mailing_statuses: BTreeSet<u64>,
    companies: BTreeMap<u64, Company>,
    vacancies: BTreeMap<u64, Vacancy>,
    candidates: BTreeMap<u64, Candidate>,
    applications: BTreeMap<u64, Application>,
    history: BTreeMap<u64, HistoryRow>,
    actions: BTreeMap<u64, Action>,
    placements: BTreeMap<u64, Placement>,
    questions: Vec<Question>,
    answers: HashMap<(Asked, u64), BTreeMap<u64, Answered>>,
    /// Applications by modification date.
    modified: BTreeSet<(Timestamp, u64)>,
    /// A candidate's applications.
    applications_of: HashMap<u64, Vec<u64>>,
    /// A candidate's actions.
    actions_of: HashMap<u64, Vec<u64>>,
    next_id: NextId,
}

/// The next ids; each record type starts at its own number, so that a mix-up is noticed.
struct NextId {
    company: u64,
    vacancy: u64,
    candidate: u64,
    application: u64,
    history: u64,
    action: u64,
    placement: u64,
    question: u64,
    note: u64,
}

macro_rules! next {
    ($($name:ident)*) => {
        impl NextId {
            $(fn $name(&mut self) -> u64 {
                self.$name += 1;
                self.$name
            })*
        }
    };
}
next!(company vacancy candidate application history action placement question note);

impl System {
    pub(crate) fn new(name: &str, base_url: String, random: &mut fastrand::Rng) -> Self {
        let mut system = Self {
            name: name.to_owned(),
            base_url,
            quirks: Quirks::default(),
            keys: vec![Key {
                client_id: access::letters(random),
                client_secret: access::letters(random),
                scopes: access::all_scopes(),
            }],
            roles: vec![Role {
                name: "Integration".to_owned(),
                scopes: access::all_scopes(),
            }],
            ip_ranges: vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()],
            allowance: None,
            calls_today: 0,
            allowance_spent: false,
            transitions: Vec::new(),
            allowance_day: 0,
            tokens: HashMap::new(),
            lists: setup::lists(),
            stages: setup::stages(),
            workflows: setup::workflows(),
            e_mailing_statuses: setup::E_MAILING_STATUSES.into(),
            companies: BTreeMap::new(),
            vacancies: BTreeMap::new(),
            candidates: BTreeMap::new(),
            applications: BTreeMap::new(),
            history: BTreeMap::new(),
            actions: BTreeMap::new(),
            placements: BTreeMap::new(),
            questions: setup::questions(),
            answers: HashMap::new(),
            modified: BTreeSet::new(),
            applications_of: HashMap::new(),
            actions_of: HashMap::new(),
            next_id: NextId {
                company: 11,
                vacancy: 4100,
                candidate: 9000,
                application: 70_000,
                history: 553_000,
                action: 88_000,
                placement: 31_000,
                question: 400,
                note: 21_000,
            },
        };
        system.add_company("Example Care");
        system
    }

    /// An error in this system's format.
    pub(crate) fn error(&self, status: u16, message: &str) -> Answer {
        match self.quirks.error_body {
            ErrorBody::ErrorMessage => Answer::json(status, &json!({"error_message": message})),
            ErrorBody::Oauth => Answer::json(
                status,
                &json!({"error": "request_failed", "error_description": message}),
            ),
            ErrorBody::Html => Answer::html(status, message),
        }
    }

    /// The documented text for a missing record (shared/eploy/REFERENCE.md §19).
    fn not_found(&self) -> Answer {
        self.error(404, "No record could be found for the requested URI")
    }

    fn list(&self, id: u64) -> Option<&List> {
        self.lists.iter().find(|list| list.id == id)
    }

    fn option_name(&self, list: u64, id: u64) -> Option<&str> {
        let options = &self.list(list)?.options;
        Some(&options.iter().find(|option| option.id == id)?.name)
    }

    /// Whether this is an active option of a list.
    fn has_option(&self, list: u64, id: u64) -> bool {
        self.list(list).is_some_and(|list| {
            list.options
                .iter()
                .any(|option| option.id == id && option.archived.is_none())
        })
    }

    fn application_of(&self, candidate: u64, vacancy: u64) -> Option<u64> {
        self.applications_of
            .get(&candidate)?
            .iter()
            .rev()
            .copied()
            .find(|id| {
                self.applications
                    .get(id)
                    .is_some_and(|application| application.vacancy == vacancy)
            })
    }

    /// `GET /api/options/dropdown/{id}`: ids are strings here, always (shared/eploy/REFERENCE.md §12).
    fn options(&self, id: u64) -> Answer {
        let Some(list) = self.list(id) else {
            return self.not_found();
        };
        let show = |option: &Named| {
            json!({
                "Id": option.id.to_string(),
                "Description": option.name,
                "Reference": "",
                "ArchiveDate": option.archived.map(|at| self.date(at)),
                "ParentId": null,
            })
        };
        let values: Vec<Value> = list.options.iter().map(show).collect();
        Answer::json(200, &json!({"Values": values}))
    }

    /// The index of the lists; its shape is inferred from that of a list.
    fn options_index(&self) -> Answer {
        let values: Vec<Value> = self
            .lists
            .iter()
            .map(|list| {
                json!({
                    "Id": list.id.to_string(),
                    "Url": format!("{}/api/options/dropdown/{}", self.base_url, list.id),
                    "Description": list.name,
                    "Type": "Dropdown",
                })
            })
            .collect();
        Answer::json(200, &json!({"Values": values}))
    }

    fn get(&self, of: Resource, id: u64) -> Answer {
        match views::record(self, of, id, blocks::blocks(of)) {
            Value::Null => self.not_found(),
            record => Answer::json(200, &record),
        }
    }

    /// Answers a call.
    pub(crate) fn answer(&mut self, call: &Call, around: &mut Context) -> Answer {
        if let Err(answer) = self.admit(call) {
            return answer;
        }
        let operation = Operation::of(call);
        if operation == Operation::Token {
            return self.token(call, &mut around.random);
        }
        if let Err(answer) = self.authorise(call, operation.scope()) {
            return answer;
        }
        if !operation.exists(&self.quirks) {
            return self.not_found();
        }
        let records = &mut around.records;
        match operation {
            Operation::Search(of) => self.search(of, call),
            Operation::Get(of, id) => self.get(of, id),
            Operation::Questions(of, id) if self.is_asked(of, id) => {
                Answer::json(200, &self.questions_of(of, id))
            }
            // Nobody has references in the sandbox.
            Operation::References(id) if self.candidates.contains_key(&id) => {
                Answer::json(200, &json!({"References": []}))
            }
            Operation::Answer(of, id) => self.answer_questions(of, id, call, records),
            Operation::CreateAction => self.create_action(call, records),
            Operation::UpdateAction(id) => self.update_action(id, call, records),
            Operation::Move(id) => self.move_application(id, call, records),
            Operation::Note(application) => self.add_note(application, call, records),
            Operation::Export => self.export(call, records),
            Operation::OptionsIndex(_) => self.options_index(),
            Operation::Options(id) => self.options(id),
            Operation::NotAllowed => self.error(405, "The method is not allowed"),
            Operation::Questions(..)
            | Operation::References(_)
            | Operation::Token
            | Operation::Unknown => self.not_found(),
        }
    }
}

/// The name of a call's operation.
pub(crate) fn operation(call: &Call) -> &'static str {
    Operation::of(call).name()
}
