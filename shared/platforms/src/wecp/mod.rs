//! `WeCP`: tests. Facts are from the reference, wecp §B; what it marks as not established is read in every plausible way,
//! or is a setting.
//!
//! * An assessment is a test, an invitation a candidate of it (§B.2.1).
//! * A test's candidates come as one bare array without pages, and a test that has none answers 404 with a text
//!   (§B.2.2). So one call tells where everybody stands; what the array lacks of a result is in the detail of one
//!   candidate (§B.2.3).
//! * Errors are plain texts or `{errorMessage}` (§B.4).
//! * It is not known to call back (§B.4), or to give back the `metadata` that it is told (§B.6).

mod candidates;
mod delivery;
mod errors;
mod invite;
mod report;
mod settings;
mod standing;

use std::num::NonZeroU32;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::ports::{Assessment, AssessmentKind, Capabilities, InviteAnswer, InviteOrder};
use stagecall_core::result::{AssessmentResult, Status};
use stagecall_http::{Method, Pace, Request, Response};

use crate::adapter::{Account, Adapter, Callbacks, Listed, Page, Step, path_part};
use crate::fault::Fault;
use crate::json::{Record, id};
use crate::kind::Kind;
use errors::Asked;
use settings::Options;

/// The platform, for the table.
pub(crate) static KIND: Kind = Kind {
    name: "wecp",
    title: TITLE,
    // §B.1, seen in code.
    base_url: "https://api.wecreateproblems.com/",
    hosts: &["wecreateproblems.com"],
    settings: settings::SETTINGS,
    secrets: settings::SECRETS,
    // Not established; at most one call a second is advised, §B.4.
    pace: Pace {
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
        invites_by_email: true,
        returns_candidate_link: false,
        echoes_client_ref: false,
        callbacks: false,
        list_from: 0,
        // What the flags tell (§B.2.3), and what its screens show of the message (§B.3), where the API has it. A
        // candidate who is no longer there counts as cancelled.
        statuses: vec![
            Status::Sent,
            Status::Bounced,
            Status::Started,
            Status::Completed,
            Status::Expired,
            Status::Cancelled,
        ],
    }
}

/// A `WeCP` account.
struct Wecp {
    account: Account,
    options: Options,
}

impl Wecp {
    fn new(account: Account) -> Result<Self, Fault> {
        let options = Options::read(&account)?;
        Ok(Self { account, options })
    }

    /// A call of `path` under the base address, with everything that says who calls (§B.1). Whether the key is still
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

/// The rows of a list: a bare array (§B.2.2, seen in code), or one that an object has under a usual name.
fn rows(answer: &Response, asked: Asked) -> Result<Vec<Value>, Fault> {
    const NAMES: [&str; 6] = ["candidates", "tests", "quizzes", "data", "results", "items"];
    if errors::says_none(answer, asked) {
        return Ok(Vec::new());
    }
    let unreadable = || Fault::unreadable("WeCP's list is not the list it should be");
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

/// A test in the list of tests; the names of its fields are not established (§B.6).
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
    fn assessments(&self, _next: Option<&str>) -> Result<Request, Fault> {
        let path: Vec<_> = self.options.tests_path.split('/').collect();
        Ok(self.request(Method::Get, &path))
    }

    fn read_assessments(&self, answer: &Response) -> Result<Page<Assessment>, Fault> {
        let rows = rows(answer, Asked::Tests)?;
        Ok(Page {
            items: rows.iter().filter_map(test).collect(),
            next: None,
        })
    }

    fn invite(
        &self,
        order: &InviteOrder,
        answers: &[Response],
    ) -> Result<Step<InviteAnswer>, Fault> {
        let [.., last] = answers else {
            let test = path_part(TITLE, order.assessment.as_str())?;
            let path: Vec<_> = self
                .options
                .invite_path
                .split('/')
                .map(|part| if part == "{test}" { test } else { part })
                .collect();
            let body = invite::body(order, &self.options)?;
            return Ok(Step::Call(self.request(Method::Post, &path).json(&body)));
        };
        Ok(Step::Done(invite::read(
            last,
            &order.person,
            &self.account.base,
        )?))
    }

    fn list(
        &self,
        assessment: &AssessmentId,
        _since: Option<Timestamp>,
        _next: Option<&str>,
    ) -> Result<Request, Fault> {
        let test = path_part(TITLE, assessment.as_str())?;
        Ok(self.request(Method::Get, &["ats", "wecp", "tests", test, "candidates"]))
    }

    fn read_list(
        &self,
        _assessment: &AssessmentId,
        answer: &Response,
    ) -> Result<Page<Listed>, Fault> {
        // The test stands in the path, so there is no filter that could be ignored; and rows are not compared with it,
        // because what the detail calls `quizId` may be another id of the same test (§B.2.3).
        let rows = rows(answer, Asked::Candidates)?;
        let base = &self.account.base;
        Ok(Page {
            items: rows
                .iter()
                .filter_map(|row| candidates::listed(row, base))
                .collect(),
            next: None,
        })
    }

    fn lists_everybody(&self) -> bool {
        self.options.lists_unfinished
    }

    fn result(
        &self,
        _assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<AssessmentResult>, Fault> {
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
