//! What a platform's module provides: it builds requests and parses responses. No I/O, no clock; the same input gives
//! the same output, so a test needs no server.

use std::fmt;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::person::Person;
use stagecall_core::ports::{
    Assessment, AssessmentOrder, CallbackAddress, Found, InviteAnswer, InviteOrder, ListedStatus,
    PlatformSecret, Withdrawn,
};
use stagecall_core::result::AssessmentResult;
use stagecall_core::tenant::Settings;
use stagecall_http::{Request, Response};
use url::Url;

use crate::error::PlatformError;
use crate::json::is_plain;
use crate::problem;

/// One opened platform account.
///
/// Every request stays under the account's base address; the driver refuses to send any other. Readers get every
/// response, also refusals, because only the platform's module knows their meaning: a 404 for "none yet", a 409 for
/// "already invited". Anything else is a [`PlatformError`], with what may be assumed of the call's effect.
pub trait Adapter: Send + Sync {
    /// Requests a page of what candidates can be invited to; `next` is from the page before.
    fn assessments(&self, next: Option<&str>) -> Result<Request, PlatformError>;

    /// Parses that page.
    fn read_assessments(&self, answer: &Response) -> Result<Page<Assessment>, PlatformError>;

    /// Invites: the next step, given the responses so far. Most platforms need one call; one that creates an interview
    /// and then schedules it needs two.
    fn invite(
        &self,
        order: &InviteOrder,
        answers: &[Response],
    ) -> Result<Step<InviteAnswer>, PlatformError>;

    /// Creates something that candidates can be invited to, or finds it if it exists: the next step, given the
    /// responses so far. Only called for platforms with live interviews.
    fn prepare(
        &self,
        order: &AssessmentOrder,
        _answers: &[Response],
    ) -> Result<Step<AssessmentId>, PlatformError> {
        Err(PlatformError::not_sent(
            problem::CANNOT_MAKE.code,
            format!(
                "nothing of the kind \"{}\" can be created here",
                order.configured
            ),
            problem::CANNOT_MAKE.remedy,
        ))
    }

    /// Withdraws an invitation: the next step, given the responses so far.
    fn withdraw(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<Withdrawn>, PlatformError>;

    /// Requests a page of all of an assessment's invitations; `next` is from the page before, and may have been stored
    /// for days.
    fn list(&self, assessment: &AssessmentId, next: Option<&str>)
    -> Result<Request, PlatformError>;

    /// Parses that page. Rows of other assessments are left out and counted, in case the platform ignores the filter.
    fn read_list(
        &self,
        assessment: &AssessmentId,
        answer: &Response,
    ) -> Result<Page<Listed>, PlatformError>;

    /// Whether an assessment's list has every invited candidate. If not, a candidate not in it may be invited
    /// nevertheless, and a look-up reports that instead of "not there".
    fn lists_everybody(&self, _assessment: &AssessmentId) -> bool {
        true
    }

    /// Fetches a result: the next step, given the responses so far.
    fn result(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<AssessmentResult>, PlatformError>;

    /// How callbacks are registered; `None` if the platform never calls back.
    fn callbacks(&self) -> Option<&dyn Callbacks>;
}

pub trait Callbacks {
    /// Requests a page of the registrations; `next` is from the page before.
    fn registered(&self, next: Option<&str>) -> Result<Request, PlatformError>;

    /// Parses that page: the registrations as the platform words them, ours and others'.
    fn read_registered(&self, answer: &Response) -> Result<Page<Value>, PlatformError>;

    /// Compares the registrations with the desired ones. Covers only registrations that are ours by their address,
    /// whatever their token: one with an old token is changed, not duplicated.
    fn plan(
        &self,
        registered: &[Value],
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<CallbackPlan, PlatformError>;

    /// Parses the response to one of the plan's requests.
    fn read_written(&self, answer: &Response) -> Result<(), PlatformError>;
}

/// The next step of a conversation of several calls.
#[derive(Debug, PartialEq)]
pub enum Step<T> {
    /// Send this request and call again with its response.
    Call(Request),
    /// The outcome.
    Done(T),
}

#[derive(Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; `None`: this was the last. It may be stored in the ledger, so it holds no secret
    /// and no personal data.
    pub next: Option<String>,
    /// The number of rows left out because they belong to another assessment.
    pub foreign: usize,
    /// The number of rows left out as unreadable.
    pub set_aside: usize,
    /// The number of rows of all pages, if the platform says so: if it falls during a read, a row may have been missed.
    pub count: Option<u64>,
}

impl<T> Page<T> {
    /// The rows parsed with `read`. Unreadable rows are counted.
    pub fn read(rows: &[Value], next: Option<String>, read: impl Fn(&Value) -> Option<T>) -> Self {
        let items: Vec<T> = rows.iter().filter_map(read).collect();
        Self {
            set_aside: rows.len() - items.len(),
            ..Self::of(items, next)
        }
    }

    /// These rows, none left out, of a list of unknown length.
    pub fn of(items: Vec<T>, next: Option<String>) -> Self {
        Self {
            items,
            next,
            foreign: 0,
            set_aside: 0,
            count: None,
        }
    }
}

/// One row of a platform's list of invitations, read for both purposes. Its debug form shows no content, because
/// e-mail addresses are personal.
#[derive(Clone, PartialEq)]
pub struct Listed {
    /// The invitation, for looking one up.
    pub found: Found,
    /// Possible e-mail addresses of the candidate, for a look-up; never stored. Several if the platform does not say
    /// which one it is.
    pub emails: Vec<String>,
    pub sighting: ListedStatus,
}

impl fmt::Debug for Listed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Listed({})", self.found.reference)
    }
}

/// The changes needed for the desired callbacks.
#[derive(Debug, Default, PartialEq)]
pub struct CallbackPlan {
    /// The number of our registrations that need no change.
    pub kept: u32,
    /// The needed changes.
    pub writes: Vec<CallbackWrite>,
}

/// One registration to be created or changed.
#[derive(Debug, PartialEq)]
pub struct CallbackWrite {
    pub event: &'static str,
    pub request: Request,
    /// Whether it changes one that exists.
    pub changes: bool,
    /// Whether the platform may refuse it, because not every account has the event.
    pub optional: bool,
}

/// The e-mail address to invite a person at.
pub(crate) fn email_of(person: &Person) -> Result<&str, PlatformError> {
    let email = person.email.as_deref().map(str::trim).unwrap_or_default();
    if email.is_empty() {
        return Err(PlatformError::refused(
            "candidate.no_email",
            "the candidate has no e-mail address",
            "Enter one in Eploy and move the application to the trigger stage again.",
        ));
    }
    Ok(email)
}

/// Checks a part of a path that came from outside, such as a reference: only plain text may go into a path.
pub(crate) fn path_part<'a>(title: &str, text: &'a str) -> Result<&'a str, PlatformError> {
    if !is_plain(text) {
        return Err(PlatformError::refused(
            problem::BAD_REFERENCE.code,
            format!("an id or reference is none of {title}'s"),
            problem::BAD_REFERENCE.remedy,
        ));
    }
    Ok(text)
}

/// The data an adapter is opened with, validated against its [`PlatformSpec`](crate::Kind).
#[derive(Clone, Debug)]
pub struct Account {
    /// The API's address, with a slash at the end.
    pub base: Url,
    pub settings: Settings,
    pub(crate) secret: PlatformSecret,
}

impl Account {
    /// The secret of this name, trimmed. A required one is never empty; an optional one may be.
    pub fn secret(&self, name: &str) -> &str {
        self.secret
            .0
            .get(name)
            .map_or("", |secret| secret.expose_secret().trim())
    }
}
