//! The stand-in of WeCP (shared/platforms/REFERENCE.md §18). One [`Account`] is one customer's account.

mod access;
mod actions;
mod callbacks;
mod interviews;
mod invite;
mod messages;
mod model;
mod quirks;
mod route;
mod score;
#[cfg(test)]
mod tests;
mod views;

use serde_json::{Value, json};

use self::model::{Candidate, Interview, Own, Test, User};
use self::route::Operation;
use crate::call::{Answer, Call};
use crate::context::Context;
use crate::register::Register;
use crate::throttle::Throttle;

pub use self::messages::*;
pub use self::quirks::{
    CallbackBody, Check, Duplicate, EmptyList, ErrorBody, FormLabels, InviteAnswer, InviteBody,
    KeyRefusedBody, Metadata, Proctoring, Quirks, Scheduling, TestDuration,
};

/// A customer's account.
pub(crate) struct Account {
    pub(crate) name: String,
    /// Without a slash at the end; the API is at `/ats/wecp/…` and `/orgs/…` under it.
    pub(crate) base_url: String,
    pub(crate) quirks: Quirks,
    /// The company-wide key.
    pub(crate) api_key: String,
    pub(crate) partner_key: String,
    pub(crate) partner_secret: String,
    pub(crate) org: String,
    /// The prefix of links for candidates and reviewers.
    pub(crate) links: String,
    /// The URL for callbacks on completion, if any.
    pub(crate) callback_url: Option<String>,
    users: Vec<User>,
    /// Ids and names.
    groups: Vec<(String, String)>,
    tests: Vec<Test>,
    interviews: Vec<Interview>,
    candidates: Register<Own>,
    throttle: Throttle,
}

/// 24 hexadecimal digits, as the `_id` of a schedule suggests (shared/platforms/REFERENCE.md §15).
fn id(random: &mut fastrand::Rng) -> String {
    format!("{:024x}", random.u128(..) >> 32)
}

/// A UUID, which groups have (shared/platforms/REFERENCE.md §10).
fn uuid(random: &mut fastrand::Rng) -> String {
    let digits = format!("{:032x}", random.u128(..));
    let (first, rest) = digits.split_at(8);
    format!(
        "{first}-{}-4{}-8{}-{}",
        &rest[..4],
        &rest[5..8],
        &rest[9..12],
        &rest[12..]
    )
}

impl Account {
    pub(crate) fn new(name: &str, base_url: String, random: &mut fastrand::Rng) -> Self {
        Self {
            name: name.to_owned(),
            base_url,
            quirks: Quirks::default(),
            api_key: id(random),
            partner_key: id(random),
            partner_secret: id(random),
            org: name.to_owned(),
            links: "https://assess.wecreateproblems.com".to_owned(),
            callback_url: None,
            users: ["robin.example@example.com", "sam.example@example.com"]
                .map(|email| User {
                    email: email.to_owned(),
                    token: id(random),
                })
                .to_vec(),
            groups: ["Hiring", "Talent pool"]
                .map(|name| (uuid(random), name.to_owned()))
                .to_vec(),
            tests: Vec::new(),
            interviews: Vec::new(),
            candidates: Register::default(),
            throttle: Throttle::default(),
        }
    }

    /// An error in this account's format.
    pub(crate) fn error(&self, status: u16, message: &str) -> Answer {
        match self.quirks.error_body {
            ErrorBody::Text => Answer::text(status, message),
            ErrorBody::ErrorMessage => Answer::json(status, &json!({"errorMessage": message})),
            ErrorBody::JsonString => Answer::json(status, &json!(message)),
        }
    }

    /// The name of a call's operation.
    pub(crate) fn operation(&self, call: &Call) -> &'static str {
        Operation::of(&self.quirks, call).name()
    }

    /// Answers a call.
    pub(crate) fn answer(&mut self, call: &Call, around: &mut Context) -> Answer {
        let user = match self.admit(call) {
            Ok(user) => user,
            Err(answer) => return answer,
        };
        match Operation::of(&self.quirks, call) {
            Operation::Tests => self.list_tests(),
            Operation::Candidates { test } => self.list_candidates(&test),
            Operation::Candidate { candidate } => self.candidate_answer(&candidate),
            Operation::Invite { test } => self.invite(test, call, user, around),
            Operation::AddToGroup { group } => self.add_to_group(group, call, user, around),
            Operation::GroupCandidates { group } => self.list_group(&group),
            Operation::Remove { of, candidate } => self.remove(of.as_deref(), &candidate),
            Operation::Interviews => self.list_interviews(),
            Operation::InterviewCandidates { interview } => {
                self.list_interview_candidates(&interview)
            }
            Operation::CreateInterview => self.create_interview(call, &mut around.random),
            Operation::Schedule => self.schedule(call, user, around),
            Operation::ScheduleInGroup {
                org,
                group,
                interview,
            } => self.schedule_in_group(&org, &group, &interview, call, user, around),
            Operation::Unknown => self.error(404, "Not Found"),
        }
    }

    /// The body of a call; `Err` is the rejection.
    fn body(&self, call: &Call) -> Result<Value, Answer> {
        let Some(body) = call.json().filter(Value::is_object) else {
            return Err(self.error(400, "The body is not a JSON object"));
        };
        if self.quirks.requires_metadata && !body["metadata"].is_object() {
            return Err(self.error(400, "metadata is required"));
        }
        Ok(body)
    }

    fn test(&self, id: &str) -> Option<&Test> {
        self.tests.iter().find(|test| test.id == id)
    }

    fn interview(&self, id: &str) -> Option<&Interview> {
        self.interviews.iter().find(|interview| interview.id == id)
    }

    /// The candidates of a test or an interview, without the removed ones.
    fn candidates_of(&self, task: &str) -> impl Iterator<Item = &Candidate> {
        let places = self.candidates.places(Some(task)).into_iter();
        places.map(|place| &self.candidates[place])
    }

    /// A list of candidates, with its own format if it is empty.
    fn listed(&self, rows: Vec<Value>) -> Answer {
        match self.quirks.empty_list {
            EmptyList::NotFound if rows.is_empty() => self.error(404, "No candidate found"),
            _ => Answer::json(200, &Value::Array(rows)),
        }
    }

    fn list_tests(&self) -> Answer {
        let rows = self.tests.iter().map(|test| self.shown_test(test));
        let rows = Value::Array(rows.collect());
        match &self.quirks.tests_in {
            None => Answer::json(200, &rows),
            Some(name) => Answer::json(200, &json!({name: rows})),
        }
    }

    fn list_candidates(&self, test: &str) -> Answer {
        if self.test(test).is_none() && self.quirks.names_unknown_test {
            return self.error(404, "Test not found");
        }
        let rows = self
            .candidates_of(test)
            .filter(|it| self.quirks.list_unfinished || it.completed.is_some())
            .map(|it| self.shown_row(it));
        self.listed(rows.collect())
    }

    fn list_group(&self, group: &str) -> Answer {
        if !self.has_group(group) {
            return self.error(404, "Group not found");
        }
        let rows = self.candidates_of(group).map(|it| self.shown_row(it));
        self.listed(rows.collect())
    }

    fn has_group(&self, group: &str) -> bool {
        self.groups.iter().any(|(id, _)| id == group)
    }

    fn candidate_answer(&self, id: &str) -> Answer {
        match self
            .candidates
            .place(id)
            .map(|place| &self.candidates[place])
        {
            Some(it) if it.is_of_test() => Answer::json(200, &self.shown_candidate(it)),
            _ => self.error(404, "Candidate not found"),
        }
    }
}
