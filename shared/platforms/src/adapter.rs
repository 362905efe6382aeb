//! What a platform's module provides: requests to be sent and the reading of their answers. No I/O, no clock; the same
//! input gives the same output, so a test needs no server.

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

/// One platform account, ready to be spoken to.
///
/// Every request stays under the account's base address; the driver refuses to send any other. Readers are given
/// every answer, also refusals, because only the platform's module knows which of them mean something: a 404 that says
/// "none yet", a 409 that says "already invited". Whatever they can make nothing of is a [`PlatformError`], which says what may
/// be assumed of the call's effect.
pub trait Adapter: Send + Sync {
    /// Asks for a page of what candidates can be invited to; `next` is the page before's.
    fn assessments(&self, next: Option<&str>) -> Result<Request, PlatformError>;

    /// Reads that page.
    fn read_assessments(&self, answer: &Response) -> Result<Page<Assessment>, PlatformError>;

    /// Invites: the next step, given the answers so far. Most platforms need one call; one that creates an interview
    /// and then schedules it needs two.
    fn invite(
        &self,
        order: &InviteOrder,
        answers: &[Response],
    ) -> Result<Step<InviteAnswer>, PlatformError>;

    /// Makes something that candidates can be invited to, or finds it where it was made before: the next step, given the
    /// answers so far. Only asked of a platform that arranges live interviews.
    fn prepare(
        &self,
        order: &AssessmentOrder,
        _answers: &[Response],
    ) -> Result<Step<AssessmentId>, PlatformError> {
        Err(PlatformError::not_sent(
            problem::CANNOT_MAKE.code,
            format!("nothing of the kind \"{}\" can be made here", order.wanted),
            problem::CANNOT_MAKE.remedy,
        ))
    }

    /// Takes an invitation back: the next step, given the answers so far.
    fn withdraw(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<Withdrawn>, PlatformError>;

    /// Asks for a page of an assessment's invitations, all of them; `next` is the page before's, and may have been kept for
    /// days.
    fn list(&self, assessment: &AssessmentId, next: Option<&str>)
    -> Result<Request, PlatformError>;

    /// Reads that page. Rows of other assessments are left out and counted, in case the platform ignores the filter.
    fn read_list(
        &self,
        assessment: &AssessmentId,
        answer: &Response,
    ) -> Result<Page<Listed>, PlatformError>;

    /// Whether an assessment's list has everybody who was invited. If not, whoever is not in it may be invited all the same, and a
    /// look-up says so instead of "not there".
    fn lists_everybody(&self, _assessment: &AssessmentId) -> bool {
        true
    }

    /// Fetches a result: the next step, given the answers so far.
    fn result(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<AssessmentResult>, PlatformError>;

    /// How the platform is told where to call back; `None` if it never calls.
    fn callbacks(&self) -> Option<&dyn Callbacks>;
}

/// How a platform is told where to call back.
pub trait Callbacks {
    /// Asks for a page of what is registered; `next` is the page before's.
    fn registered(&self, next: Option<&str>) -> Result<Request, PlatformError>;

    /// Reads that page: the registrations as the platform words them, ours and others'.
    fn read_registered(&self, answer: &Response) -> Result<Page<Value>, PlatformError>;

    /// Compares what is registered with what is wanted. Speaks only of registrations that are ours by their address,
    /// whatever token it has: one with a former token is changed, not doubled.
    fn plan(
        &self,
        registered: &[Value],
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<CallbackPlan, PlatformError>;

    /// Reads the answer to one of the plan's requests.
    fn read_written(&self, answer: &Response) -> Result<(), PlatformError>;
}

/// What to do next in a conversation that may take several calls.
#[derive(Debug, PartialEq)]
pub enum Step<T> {
    /// Send this and come back with its answer.
    Call(Request),
    /// The outcome.
    Done(T),
}

/// A page of a list.
#[derive(Debug, PartialEq)]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None`: this was the last. It may be kept in the ledger, so it holds no secret
    /// and nobody's data.
    pub next: Option<String>,
    /// How many rows were left out because they are another assessment's.
    pub foreign: usize,
    /// How many rows were left out because they cannot be read.
    pub set_aside: usize,
    /// How many rows all pages together have, where the platform says: if that falls while they are read, a row may have
    /// slipped past.
    pub count: Option<u64>,
}

impl<T> Page<T> {
    /// What `read` makes of these rows. Those that it makes nothing of are counted.
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
    /// What may be the candidate's e-mail address, for looking one up; used in passing and never kept. Several where
    /// a platform does not say which one it is.
    pub emails: Vec<String>,
    /// Where it stands, for a sweep.
    pub sighting: ListedStatus,
}

impl fmt::Debug for Listed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Listed({})", self.found.reference)
    }
}

/// What has to be written so that a platform calls back as wanted.
#[derive(Debug, Default, PartialEq)]
pub struct CallbackPlan {
    /// How many registrations are ours and as wanted.
    pub kept: u32,
    /// The others.
    pub writes: Vec<CallbackWrite>,
}

/// One registration to be created or changed.
#[derive(Debug, PartialEq)]
pub struct CallbackWrite {
    /// The event it is for.
    pub event: &'static str,
    /// How.
    pub request: Request,
    /// Whether it changes one that exists.
    pub changes: bool,
    /// Whether the platform may refuse it without harm, because the event is one that not every account has.
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

/// A part of a path that came from outside, such as a reference: one that is not plain is not put into a path.
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

/// What an adapter is opened with: everything in it has been validated against its [`PlatformSpec`](crate::Kind).
#[derive(Clone, Debug)]
pub struct Account {
    /// The API's address, with a slash at the end.
    pub base: Url,
    /// The connection's settings.
    pub settings: Settings,
    pub(crate) secret: PlatformSecret,
}

impl Account {
    /// The secret of this name, white space around it dropped. It is there if the kind requires it; else it may be
    /// empty.
    pub fn secret(&self, name: &str) -> &str {
        self.secret
            .0
            .get(name)
            .map_or("", |secret| secret.expose_secret().trim())
    }
}
