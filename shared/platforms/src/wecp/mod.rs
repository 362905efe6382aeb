//! `WeCP`: tests, live interviews, and pools. Facts are from REFERENCE.md §10 to §18; what it marks as not established
//! is read in every plausible way, or is a setting.
//!
//! * An assessment is a test, an invitation a candidate of it (§12); or a live interview that candidates are scheduled
//!   for (§15); or a test or a group that serves as a talent pool.
//! * A test's candidates come as one bare array without pages, and a test that has none answers 404 with a text
//!   (§13). So one call tells where everybody stands; what the array lacks of a result is in the detail of one
//!   candidate (§14).
//! * Errors are plain texts or `{errorMessage}` (§17).
//! * It is not known to call back (§17), or to give back the `metadata` that it is told (§11).

mod assessment_id;
mod candidates;
mod delivery;
mod errors;
mod interviews;
mod invite;
mod links;
mod mapping;
mod report;
mod settings;
mod status;

use std::num::NonZeroU32;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::Value;
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::ports::{
    Assessment, AssessmentKind, AssessmentOrder, Capabilities, InviteAnswer, InviteOrder, Task,
    Withdrawn,
};
use stagecall_core::result::{AssessmentResult, Status};
use stagecall_http::{Method, RateLimit, Request, Response};
use url::Url;

use crate::adapter::{Account, Adapter, Callbacks, Listed, Page, Step, path_part};
use crate::error::PlatformError;
use crate::json::{Record, id};
use crate::problem;
use crate::spec::PlatformSpec;
use assessment_id::AssessmentRoute;
use errors::Asked;
use settings::Options;

pub(crate) static KIND: PlatformSpec = PlatformSpec {
    name: "wecp",
    title: TITLE,
    // §10, seen in code.
    base_url: "https://api.wecreateproblems.com/",
    hosts: &["wecreateproblems.com"],
    settings: settings::SETTINGS,
    secrets: settings::SECRETS,
    options: mapping::OPTIONS,
    validate: mapping::validate,
    // Not established; at most one call a second is advised, §17.
    pace: RateLimit {
        in_flight: NonZeroU32::MIN,
        per_second: NonZeroU32::MIN,
    },
    back_off: SignedDuration::from_secs(60),
    capabilities,
    open: |account| Ok(Arc::new(Wecp::new(account)?)),
    reader: Some(|| Arc::new(delivery::Reader)),
};

const TITLE: &str = "WeCP";

fn capabilities() -> Capabilities {
    Capabilities {
        callbacks: false,
        list_from: 0,
        // What the flags tell (§14), and what its screens show of the message (§16), where the API has it. A
        // candidate who is no longer there counts as cancelled.
        statuses: vec![
            Status::Sent,
            Status::Bounced,
            Status::Started,
            Status::Completed,
            Status::Expired,
            Status::Cancelled,
        ],
        live_interviews: true,
        pools: true,
    }
}

/// A `WeCP` account.
struct Wecp {
    account: Account,
    options: Options,
}

impl Wecp {
    fn new(account: Account) -> Result<Self, PlatformError> {
        let options = Options::read(&account)?;
        Ok(Self { account, options })
    }

    /// A call of `path` under the base address, with everything that says who calls (§10). Whether the key is still
    /// wanted beside the partner's credentials is not established; a header too many is no harm.
    fn request(&self, method: Method, path: &[&str]) -> Request {
        let mut url = self.account.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let secret = |name| self.account.secret(name);
        let mut request = Request::new(method, url)
            .header(&self.options.key_header, secret("api_key"))
            .header("accept", "application/json");
        if let Some(user) = &self.options.user_email {
            request = request.header("wecp-user-email", user);
        }
        if !secret("partner_key").is_empty() {
            let pair = format!("{}:{}", secret("partner_key"), secret("partner_secret"));
            request = request.header("x-wecp-partner-authorization", STANDARD.encode(pair));
        }
        request
    }
}

impl Wecp {
    fn interview_path<'a>(&'a self, interview: &'a str) -> Vec<&'a str> {
        let template = &self.options.interview_candidates_path;
        assessment_id::path(template, &[("interview", interview)])
    }

    /// The path that schedules a candidate. Its placeholders are checked when the mapping is saved; an account used
    /// only for tests works without them.
    fn schedule_path<'a>(
        &'a self,
        interview: &'a str,
        order: &'a InviteOrder,
    ) -> Result<Vec<&'a str>, PlatformError> {
        let template = &self.options.schedule_path;
        let mut places = vec![("interview", interview)];
        if assessment_id::has(template, "organisation") {
            let organisation = self.options.organisation.as_deref().ok_or_else(|| {
                PlatformError::not_sent(
                    problem::SETTINGS.code,
                    "a live interview cannot be scheduled, because the WeCP account does not say which organisation it is of",
                    "Set the connection's organisation to the name that stands in WeCP's addresses, or another schedule_path.",
                )
            })?;
            places.push(("organisation", organisation));
        }
        if assessment_id::has(template, "group") {
            let group = interviews::group(&order.options).ok_or_else(|| {
                PlatformError::not_sent(
                    problem::OPTIONS.code,
                    "a live interview cannot be scheduled, because the mapping does not say which group it is in",
                    "Give the mapping's option \"group\".",
                )
            })?;
            places.push(("group", path_part(TITLE, group)?));
        }
        Ok(assessment_id::path(template, &places))
    }
}

/// The mapping's task does not match its assessment.
fn misplaced() -> PlatformError {
    PlatformError::not_sent(
        problem::OPTIONS.code,
        "the mapping's assessment is not of the kind that it asks for",
        "Give a test for invitations, an interview for meetings, a test or a group for a pool.",
    )
}

/// The rows of a list: a bare array (§13, seen in code), or one that an object has under a usual name.
fn rows(answer: &Response, asked: Asked) -> Result<Vec<Value>, PlatformError> {
    const NAMES: [&str; 8] = [
        "candidates",
        "tests",
        "quizzes",
        "interviews",
        "schedules",
        "data",
        "results",
        "items",
    ];
    if errors::says_none(answer, asked) {
        return Ok(Vec::new());
    }
    let unreadable = || PlatformError::unreadable("WeCP's list has an unexpected shape");
    match errors::body(answer, asked)? {
        Value::Array(rows) => Ok(rows),
        Value::Object(mut object) => NAMES
            .iter()
            .find_map(|name| match object.remove(*name) {
                Some(Value::Array(rows)) => Some(rows),
                _ => None,
            })
            .ok_or_else(unreadable),
        _ => Err(unreadable()),
    }
}

/// A test in the list of tests; the names of its fields are not established (§12).
fn test(row: &Value) -> Option<Assessment> {
    let record = Record::of(row, &[])?;
    let key = ["test_id", "quiz_id", "id", "_id"]
        .iter()
        .find_map(|name| id(record.get(&[name])?))?;
    let name = ["name", "test_name", "quiz_name", "title"]
        .iter()
        .find_map(|name| record.text(&[name]));
    Some(Assessment {
        name: name.unwrap_or_else(|| key.clone()),
        id: AssessmentId::new(key),
        kind: AssessmentKind::Test,
    })
}

impl Adapter for Wecp {
    fn assessments(&self, _next: Option<&str>) -> Result<Request, PlatformError> {
        let path: Vec<_> = self.options.tests_path.split('/').collect();
        Ok(self.request(Method::Get, &path))
    }

    fn read_assessments(&self, answer: &Response) -> Result<Page<Assessment>, PlatformError> {
        let rows = rows(answer, Asked::Tests)?;
        Ok(Page::of(rows.iter().filter_map(test).collect(), None))
    }

    fn invite(
        &self,
        order: &InviteOrder,
        answers: &[Response],
    ) -> Result<Step<InviteAnswer>, PlatformError> {
        let (options, base) = (&self.options, &self.account.base);
        let place = AssessmentRoute::of(&order.assessment)?;
        let asked = match (place, &order.task) {
            (AssessmentRoute::Test(_), Task::Invite | Task::Pool { .. }) => Asked::Invite,
            (AssessmentRoute::Group(_), Task::Pool { .. }) => Asked::Group,
            (AssessmentRoute::Interview(_), Task::Meet { .. }) => Asked::Schedule,
            _ => return Err(misplaced()),
        };
        if let [.., last] = answers {
            return Ok(Step::Done(match asked {
                Asked::Schedule => interviews::read_schedule(last, order, base)?,
                _ => invite::read(last, asked, &order.person, base)?,
            }));
        }
        let (path, body) = match (place, &order.task) {
            (
                AssessmentRoute::Interview(interview),
                Task::Meet {
                    appointment,
                    interviewers,
                },
            ) => (
                self.schedule_path(interview, order)?,
                interviews::schedule(interview, order, *appointment, interviewers, options)?,
            ),
            (AssessmentRoute::Group(group), _) => (
                assessment_id::path(&options.group_path, &[("group", group)]),
                invite::body(order, options)?,
            ),
            (AssessmentRoute::Test(id) | AssessmentRoute::Interview(id), _) => (
                assessment_id::path(&options.invite_path, &[("test", id)]),
                invite::body(order, options)?,
            ),
        };
        Ok(Step::Call(self.request(Method::Post, &path).json(&body)))
    }

    fn prepare(
        &self,
        order: &AssessmentOrder,
        answers: &[Response],
    ) -> Result<Step<AssessmentId>, PlatformError> {
        let make = || -> Result<_, PlatformError> {
            let body = interviews::body(order, &self.options)?;
            let path = ["ats", "wecp", "createInterview"];
            Ok(Step::Call(self.request(Method::Post, &path).json(&body)))
        };
        match answers {
            [] => {
                let path = assessment_id::path(&self.options.interviews_path, &[]);
                Ok(Step::Call(self.request(Method::Get, &path)))
            }
            [there] => match interviews::find(there, &interviews::name(order))? {
                Some(interview) => Ok(Step::Done(interview)),
                None => make(),
            },
            [.., last] => Ok(Step::Done(interviews::made(last)?)),
        }
    }

    fn withdraw(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<Withdrawn>, PlatformError> {
        let impossible = |why: &str| {
            Ok(Step::Done(Withdrawn::Impossible {
                why: why.to_owned(),
            }))
        };
        let Some(template) = &self.options.removal_path else {
            return impossible(
                "No call of WeCP's API that removes a candidate is known. Remove them in WeCP by hand, or set the connection's removal_path.",
            );
        };
        let (kind, id) = match AssessmentRoute::of(assessment)? {
            AssessmentRoute::Test(id) => ("test", id),
            AssessmentRoute::Interview(id) => ("interview", id),
            AssessmentRoute::Group(id) => ("group", id),
        };
        let others = ["test", "interview", "group"].iter();
        if others
            .filter(|other| **other != kind)
            .any(|other| assessment_id::has(template, other))
        {
            return impossible(
                "The connection's removal_path is for candidates of something else. Remove this one in WeCP by hand.",
            );
        }
        match answers {
            [] => {
                let candidate = path_part(TITLE, reference.as_str())?;
                let path = assessment_id::path(template, &[(kind, id), ("candidate", candidate)]);
                Ok(Step::Call(self.request(Method::Delete, &path)))
            }
            [.., last] if last.is_success() || errors::says_gone(last) => {
                Ok(Step::Done(Withdrawn::Done))
            }
            [.., last] => Err(errors::fault(last, Asked::Remove)),
        }
    }

    fn list(
        &self,
        assessment: &AssessmentId,
        _next: Option<&str>,
    ) -> Result<Request, PlatformError> {
        let options = &self.options;
        let path = match AssessmentRoute::of(assessment)? {
            AssessmentRoute::Test(test) => vec!["ats", "wecp", "tests", test, "candidates"],
            AssessmentRoute::Interview(id) => self.interview_path(id),
            AssessmentRoute::Group(id) => {
                assessment_id::path(&options.group_path, &[("group", id)])
            }
        };
        Ok(self.request(Method::Get, &path))
    }

    fn read_list(
        &self,
        assessment: &AssessmentId,
        answer: &Response,
    ) -> Result<Page<Listed>, PlatformError> {
        // The test stands in the path, so there is no filter that could be ignored; and rows are not compared with it,
        // because what the detail calls `quizId` may be another id of the same test (§14).
        type Read = fn(&Value, &Url) -> Option<Listed>;
        let (asked, listed): (_, Read) = match AssessmentRoute::of(assessment)? {
            AssessmentRoute::Test(_) => (Asked::Candidates, candidates::listed),
            AssessmentRoute::Interview(_) => (Asked::Schedules, interviews::listed),
            AssessmentRoute::Group(_) => (Asked::Group, candidates::listed),
        };
        let rows = rows(answer, asked)?;
        let base = &self.account.base;
        Ok(Page::read(&rows, None, |row| listed(row, base)))
    }

    fn lists_everybody(&self, assessment: &AssessmentId) -> bool {
        self.options.lists_unfinished
            || !matches!(
                AssessmentRoute::of(assessment),
                Ok(AssessmentRoute::Test(_))
            )
    }

    fn result(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<AssessmentResult>, PlatformError> {
        // A single candidate of an interview cannot be requested, as far as is known.
        if let AssessmentRoute::Interview(interview) = AssessmentRoute::of(assessment)? {
            return Ok(match answers {
                [] => Step::Call(self.request(Method::Get, &self.interview_path(interview))),
                [.., last] => Step::Done(interviews::result(last, reference, &self.account.base)?),
            });
        }
        let [.., last] = answers else {
            let candidate = path_part(TITLE, reference.as_str())?;
            let path = ["ats", "wecp", "candidates", candidate];
            return Ok(Step::Call(self.request(Method::Get, &path)));
        };
        Ok(Step::Done(candidates::result(
            last,
            reference,
            &self.account.base,
        )?))
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }
}

#[cfg(test)]
mod tests;
