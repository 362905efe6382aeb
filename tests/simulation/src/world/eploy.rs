//! One tenant's Eploy: applications with their stages and history, candidates, actions, answers and notes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use stagecall_core::Timestamp;
use stagecall_core::ids::ApplicationId;
use stagecall_http::{Method, Request, Response};

use super::{Vault, header, json as answer, owner, status, written};
use crate::plan::{ELSEWHERE, EployReadings, HIRED, INTERVIEW, Order, TEST, VACANCIES};

/// One tenant's Eploy.
pub struct Eploy {
    /// Its tenant.
    pub tenant: usize,
    /// The applications.
    pub applications: Vec<Application>,
    /// The actions.
    pub actions: Vec<Action>,
    /// How it behaves where the reference is silent.
    pub readings: EployReadings,
    /// The candidates that were merged, with the candidate each was merged into.
    merged: BTreeMap<u32, u32>,
    /// How often each deleted application was requested.
    pub failed_reads: BTreeMap<u32, u32>,
    ids: u32,
}

/// An application. All its times are Eploy's own.
pub struct Application {
    /// Its id.
    pub id: u32,
    /// Its tenant.
    pub candidate: u32,
    /// The vacancy.
    pub vacancy: u32,
    /// Its stage.
    pub stage: u32,
    /// When it was last changed.
    pub modified: i64,
    /// Its stages, each with its time.
    pub history: Vec<(u32, i64, u32)>,
    /// The answers to its custom questions.
    pub answers: BTreeMap<String, String>,
    /// Its notes.
    pub notes: u32,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// An action.
pub struct Action {
    id: u32,
    /// Its tenant.
    pub candidate: u32,
    /// The vacancy.
    pub vacancy: u32,
    /// Its type.
    pub kind: u32,
    /// Its content.
    pub fields: Map<String, Value>,
}

impl Action {
    /// Its id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The outcome that it shows.
    pub fn outcome(&self) -> u32 {
        number(&self.fields, "ActionOutcomeId")
    }

    /// Its comments.
    pub fn comments(&self) -> &str {
        let comments = self.fields.get("CommentsHTML");
        comments.and_then(Value::as_str).unwrap_or_default()
    }
}

impl Application {
    /// When it came to its present stage.
    pub fn entered(&self) -> i64 {
        self.history.last().map_or(0, |(_, at, _)| *at)
    }

    /// Its present stay at these stages: when it began, and at which stage.
    pub fn stay(&self, kind: impl Fn(u32) -> bool) -> (i64, u32) {
        let rows = self.history.iter().rev();
        let stayed = rows.take_while(|(_, _, stage)| kind(*stage)).last();
        let (_, at, stage) = stayed.or(self.history.last()).copied().unwrap_or_default();
        (at, stage)
    }

    /// Its stages since then, in Eploy's own time.
    pub fn stages_since(&self, since: i64) -> impl Iterator<Item = u32> {
        let before = self
            .history
            .iter()
            .take_while(move |(_, at, _)| *at <= since);
        let first = before.count().saturating_sub(1);
        self.history[first..].iter().map(|(_, _, stage)| *stage)
    }

    /// When it last came to this stage.
    pub fn last_entry(&self, stage: u32) -> Option<i64> {
        let mut rows = self.history.iter().rev();
        rows.find(|(_, _, at)| *at == stage).map(|(_, at, _)| *at)
    }

    /// The number of times it came to this stage.
    pub fn entries(&self, stage: u32) -> usize {
        let there = self.history.iter().filter(|(_, _, at)| *at == stage);
        there.count()
    }
}

impl Eploy {
    /// An Eploy with applications, some of them at a trigger stage already.
    pub fn new(
        tenant: usize,
        readings: &EployReadings,
        applications: u32,
        begins: i64,
        rng: &mut fastrand::Rng,
    ) -> Self {
        let mut eploy = Self {
            tenant,
            applications: Vec::new(),
            actions: Vec::new(),
            readings: readings.clone(),
            merged: BTreeMap::new(),
            failed_reads: BTreeMap::new(),
            ids: 0,
        };
        for _ in 0..applications {
            let ago = rng.i64(1..72 * 3_600_000);
            let stage = *rng
                .choice(&[INTERVIEW, TEST, ELSEWHERE, HIRED])
                .unwrap_or(&ELSEWHERE);
            eploy.apply(begins - ago, stage, rng);
        }
        eploy
    }

    /// Adds an application.
    pub fn apply(&mut self, now: i64, stage: u32, rng: &mut fastrand::Rng) {
        let base = u32::try_from(self.tenant + 1).unwrap_or(1) * 1000;
        let count = u32::try_from(self.applications.len()).unwrap_or(0);
        // A candidate may apply twice.
        let candidate = match self.applications.last() {
            Some(last) if rng.u32(0..5) == 0 => last.candidate,
            _ => base + 500 + count,
        };
        let at = now + self.readings.apart;
        self.ids += 1;
        self.applications.push(Application {
            id: base + count,
            candidate,
            vacancy: rng.choice(VACANCIES).unwrap_or(VACANCIES[0]),
            stage,
            modified: at,
            history: vec![(self.ids, at, stage)],
            answers: BTreeMap::new(),
            notes: 0,
            deleted: false,
        });
    }

    /// A recruiter moves an application.
    pub fn move_to(&mut self, at: usize, stage: u32, now: i64) {
        let application = &mut self.applications[at];
        // An application must leave before it arrives, however quick the recruiter is.
        let after_the_last = application.entered() + 1;
        let now = (now + self.readings.apart).max(after_the_last);
        self.ids += 1;
        if !self.readings.frozen {
            application.modified = now;
        }
        if application.stage != stage {
            application.stage = stage;
            application.history.push((self.ids, now, stage));
        }
    }

    /// Changes an application in a way that is irrelevant to us.
    pub fn touch(&mut self, at: usize, now: i64) {
        self.applications[at].modified = now + self.readings.apart;
    }

    /// Deletes an application.
    pub fn delete(&mut self, at: usize) {
        self.applications[at].deleted = true;
    }

    /// Merges an application's candidate into another, which gets everything of the first.
    pub fn merge(&mut self, at: usize, now: i64) {
        let before = self.applications[at].candidate;
        let base = u32::try_from(self.tenant + 1).unwrap_or(1) * 1000;
        let after = base + 900 + u32::try_from(self.merged.len()).unwrap_or(0);
        self.merged.insert(before, after);
        let modified = now + self.readings.apart;
        for one in &mut self.applications {
            if one.candidate == before {
                one.candidate = after;
                one.modified = modified;
            }
        }
        for action in &mut self.actions {
            if action.candidate == before {
                action.candidate = after;
            }
        }
    }

    /// The present id of a candidate.
    pub fn person(&self, candidate: u32) -> u32 {
        let mut person = candidate;
        while let Some(after) = self.merged.get(&person) {
            person = *after;
        }
        person
    }

    /// A candidate's address: that of the first of all candidates merged into one.
    pub fn email(&self, candidate: u32) -> String {
        let mut first = candidate;
        while let Some((before, _)) = self.merged.iter().find(|(_, after)| **after == first) {
            first = *before;
        }
        format!("ada.{first}@example.com")
    }

    /// The actions of this type for a candidate and a vacancy.
    pub fn actions_of(
        &self,
        candidate: u32,
        vacancy: u32,
        kind: u32,
    ) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(move |action| {
            self.person(action.candidate) == candidate
                && action.vacancy == vacancy
                && action.kind == kind
        })
    }

    /// Answers a request.
    pub fn answer(
        &mut self,
        request: &Request,
        now: i64,
        vault: &mut Vault,
        violations: &mut Vec<String>,
    ) -> Response {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let path = request.url.path().strip_prefix("/api/").unwrap_or("");
        let parts: Vec<&str> = path.split('/').collect();
        let mut whose = |credential: &str| match vault.check(credential) {
            Some((tenant, valid)) => {
                if tenant != self.tenant {
                    violations.push(format!(
                        "a credential of tenant t{tenant} was used at the Eploy of t{}",
                        self.tenant
                    ));
                }
                valid
            }
            None => false,
        };
        if path == "token" {
            let secret = body["client_secret"].as_str().unwrap_or_default();
            return if whose(secret) {
                answer(
                    200,
                    &json!({"access_token": format!("token-{secret}"), "expires_in": 1800, "token_type": "Bearer"}),
                )
            } else {
                answer(
                    400,
                    &json!({"error": "invalid_client", "error_message": "the client is not known"}),
                )
            };
        }
        let token = header(request, "authorization");
        if !whose(token.strip_prefix("Bearer token-").unwrap_or_default()) {
            return status(401);
        }
        match (request.method, parts.as_slice()) {
            (Method::Post, ["applications", "search"]) => self.search(&body),
            (Method::Post, ["applications", "statushistory", "search"]) => self.history(&body),
            (Method::Get, ["applications", id]) => match self.place(id) {
                Some(at) => answer(200, &Self::shown(&self.applications[at])),
                None => status(404),
            },
            (Method::Patch, ["applications", id, "questions"]) => match self.place(id) {
                Some(at) => {
                    let given = body.as_array().into_iter().flatten();
                    let refused = self.readings.refused;
                    if given
                        .map(|one| one["QuestionId"].to_string())
                        .any(|question| refused == Some(&question))
                    {
                        return answer(400, &json!({"error_message": "there is no such question"}));
                    }
                    for one in body.as_array().into_iter().flatten() {
                        let question = one["QuestionId"].to_string();
                        let text = one["Answer"].as_str().unwrap_or_default();
                        let answers = &mut self.applications[at].answers;
                        answers.insert(question, text.to_owned());
                    }
                    self.touch(at, now);
                    status(204)
                }
                None => status(404),
            },
            (Method::Post, ["applications", id, "notes"]) => match self.place(id) {
                Some(at) => {
                    self.applications[at].notes += 1;
                    status(201)
                }
                None => status(404),
            },
            (Method::Get, ["candidates", id]) => {
                let id: u32 = id.parse().unwrap_or(0);
                if owner(id) != Some(self.tenant) || self.merged.contains_key(&id) {
                    return status(404);
                }
                let number = format!("+447700900{:03}", id % 1000);
                answer(
                    200,
                    &json!({"CandidateId": id, "FirstName": "Ada", "Surname": format!("Example {id}"), "Email": self.email(id), "Mobile": number}),
                )
            }
            (Method::Get, ["vacancies", id]) => answer(
                200,
                &json!({"VacancyId": id, "Title": "A vacancy", "Company": {"Id": 12}}),
            ),
            (Method::Post, ["actions"]) => self.create_action(&body),
            (Method::Patch, ["actions", id]) => {
                let id: u32 = id.parse().unwrap_or(0);
                match self.actions.iter_mut().find(|action| action.id == id) {
                    Some(action) => {
                        let given = body.as_object().cloned().unwrap_or_default();
                        action.fields.extend(given);
                        status(204)
                    }
                    None => status(404),
                }
            }
            (Method::Post, ["actions", "search"]) => self.search_actions(&body),
            _ => status(404),
        }
    }

    /// The application of this id, deleted or not.
    pub fn find(&self, id: &ApplicationId) -> Option<&Application> {
        let mut all = self.applications.iter();
        all.find(|one| one.id.to_string() == id.as_str())
    }

    /// The position of an application that is not deleted.
    fn place(&mut self, id: &str) -> Option<usize> {
        let id: u32 = id.parse().ok()?;
        let mut all = self.applications.iter();
        let at = all.position(|application| application.id == id)?;
        if self.applications[at].deleted {
            *self.failed_reads.entry(id).or_default() += 1;
            return None;
        }
        Some(at)
    }

    fn search(&self, body: &Value) -> Response {
        let mut since = None;
        let mut only = None;
        for filter in filters(body) {
            let value = filter["Value"].as_str().unwrap_or_default();
            match filter["Route"].as_str() {
                Some("Application.ModificationDate") => {
                    since = value.parse::<Timestamp>().ok();
                }
                Some("Application.ApplicationId") => only = value.parse::<u32>().ok(),
                _ => return answer(400, &json!({"error_message": "unknown route"})),
            }
        }
        let since = since.map_or(i64::MIN, Timestamp::as_millisecond);
        let mut found: Vec<&Application> = self
            .applications
            .iter()
            .filter(|application| {
                application.modified > since
                    && only.is_none_or(|only| application.id == only)
                    && !application.deleted
            })
            .collect();
        match self.readings.order {
            Order::Id => {}
            Order::Newest => found.sort_by_key(|application| -application.modified),
            Order::Oldest => found.sort_by_key(|application| application.modified),
        }
        let rows = found.into_iter().map(Self::shown);
        paged(body, rows.collect())
    }

    fn shown(application: &Application) -> Value {
        json!({
            "ApplicationId": application.id,
            "Candidate": {"Id": application.candidate},
            "Vacancy": {"Id": application.vacancy},
            "Workflow": {"Stage": {"Id": application.stage}, "Status": null},
            "ModificationDate": written(application.modified),
        })
    }

    fn history(&mut self, body: &Value) -> Response {
        if !self.readings.history {
            return answer(403, &json!({"error_message": "no permission"}));
        }
        let id = filters(body)
            .next()
            .and_then(|filter| filter["Value"].as_str());
        let Some(at) = id.and_then(|id| self.place(id)) else {
            return status(404);
        };
        let application = &self.applications[at];
        let rows = application.history.iter().map(|(id, at, stage)| {
            json!({
                "StatusHistoryId": id,
                "Application": {"Id": application.id},
                "StatusDate": written(*at),
                "Workflow": {"Stage": {"Id": stage}, "Status": null},
            })
        });
        paged(body, rows.collect())
    }

    fn create_action(&mut self, body: &Value) -> Response {
        let Some(fields) = body.as_object() else {
            return status(400);
        };
        if self.merged.contains_key(&number(fields, "CandidateId")) {
            return answer(400, &json!({"error_message": "there is no such candidate"}));
        }
        self.ids += 1;
        let id = self.ids;
        self.actions.push(Action {
            id,
            candidate: number(fields, "CandidateId"),
            vacancy: number(fields, "VacancyId"),
            kind: number(fields, "ActionTypeId"),
            fields: fields.clone(),
        });
        if self.readings.silent {
            status(204)
        } else {
            answer(201, &json!({"Id": id}))
        }
    }

    fn search_actions(&self, body: &Value) -> Response {
        let filter = |route: &str| {
            filters(body)
                .find(|filter| filter["Route"] == route)
                .and_then(|filter| filter["Value"].as_str()?.parse::<u32>().ok())
        };
        let candidate = filter("Candidate.CandidateID");
        let vacancy = filter("Vacancy.VacancyId");
        let rows = self.actions.iter().filter(|action| {
            candidate.is_none_or(|id| id == action.candidate)
                && vacancy.is_none_or(|id| id == action.vacancy)
        });
        let rows = rows.map(|action| {
            json!({
                "ActionId": action.id,
                "StartDate": action.fields.get("StartDate"),
                "Vacancy": {"Id": action.vacancy},
                "Candidate": {"Id": action.candidate},
                "ActionType": {"Id": action.kind},
            })
        });
        paged(body, rows.collect())
    }
}

fn filters(body: &Value) -> impl Iterator<Item = &Value> {
    body["Filters"].as_array().into_iter().flatten()
}

fn number(fields: &Map<String, Value>, name: &str) -> u32 {
    let number = fields.get(name).and_then(Value::as_u64).unwrap_or(0);
    u32::try_from(number).unwrap_or(0)
}

/// The requested page. Past the end, and where nothing was found, the answer is a 404.
fn paged(body: &Value, mut rows: Vec<Value>) -> Response {
    let asked = |name: &str| {
        let number = body["Paging"][name].as_u64().unwrap_or(1).max(1);
        usize::try_from(number).unwrap_or(1)
    };
    let (size, page) = (asked("RecordsPerPage"), asked("RequestedPage"));
    let pages = rows.len().div_ceil(size);
    if page > pages {
        return status(404);
    }
    let rest = rows.split_off((page - 1) * size);
    let records: Vec<Value> = rest.into_iter().take(size).collect();
    answer(
        200,
        &json!({"Records": records, "CurrentPage": page, "TotalPages": pages}),
    )
}
