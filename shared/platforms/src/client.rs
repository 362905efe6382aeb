//! The one driver: runs any [`Adapter`] over a transport, and implements the core's [`Platform`].

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use stagecall_core::clock::{Clock, Deadline};
use stagecall_core::error::{CallError, ErrorScope};
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::person::Person;
use stagecall_core::ports::{
    Assessment, AssessmentOrder, CallbackAddress, Capabilities, Found, InviteAnswer, InviteOrder,
    Platform, Registration, SweepPage, Withdrawn,
};
use stagecall_core::result::AssessmentResult;
use stagecall_core::timing::after;
use stagecall_http::{Limits, Method, Request, Response, Transport, TransportError};
use url::Url;

use crate::adapter::{Adapter, Callbacks, Listed, Page, Step};
use crate::credentials::Credentials;
use crate::error::{Effect, PlatformError};
use crate::problem::{self, Problem};
use crate::spec::PlatformSpec;

/// The maximum number of pages of one list: a bound for a list that never ends.
const MAX_PAGES: usize = 1000;

/// The maximum number of reads of a list that becomes shorter meanwhile.
const MAX_READINGS: usize = 3;

/// The maximum number of calls of one conversation other than a list: a bound for an adapter that never ends.
const MAX_STEPS: usize = 8;

/// The maximum response size in bytes: a full page of participants with transcripts is well below.
const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// An opened platform account.
pub(crate) struct Client {
    pub kind: &'static PlatformSpec,
    pub base: Url,
    pub adapter: Mutex<Arc<dyn Adapter>>,
    pub credentials: Credentials,
    pub transport: Arc<dyn Transport>,
    pub clock: Arc<dyn Clock>,
    pub call_time: SignedDuration,
}

impl Client {
    /// Runs a conversation to its end: calls `next` with the responses so far until it is done. Refused credentials are
    /// reread once. All its calls together have the time limit of one, so that a lease long enough for one call (the
    /// claim of an invitation) covers the conversation.
    async fn converse<T>(
        &self,
        operation: &'static str,
        next: impl Fn(&dyn Adapter, &[Response]) -> Result<Step<T>, PlatformError> + Send + Sync,
    ) -> Result<T, CallError> {
        let end = after(self.clock.now(), self.call_time);
        let mut answers = Vec::new();
        let mut fresh = false;
        // Whether a writing call was answered before the last one: if so, no failure is without effect.
        let (mut wrote_before, mut wrote) = (false, false);
        let fail = |fault: PlatformError, wrote_before: bool| {
            let mut fault = fault;
            if wrote_before && matches!(fault.effect, Effect::NotSent | Effect::Throttled(_)) {
                fault.effect = Effect::Unknown;
            }
            fault.during(operation, self.clock.now(), self.kind.back_off)
        };
        loop {
            let step =
                next(&*self.adapter(), &answers).map_err(|fault| fail(fault, wrote_before))?;
            let request = match step {
                Step::Done(outcome) => return Ok(outcome),
                Step::Call(request) => request,
            };
            wrote_before |= wrote;
            if answers.len() == MAX_STEPS {
                let fault = PlatformError::unreadable(format!(
                    "{} did not come to an end after {MAX_STEPS} calls",
                    self.kind.title
                ));
                return Err(fail(fault, wrote_before));
            }
            let writes = request.method != Method::Get;
            let answer = self
                .send(operation, request, end)
                .await
                .map_err(|fault| fail(fault, wrote_before))?;
            // Some platforms refuse a key with 403 instead of 401.
            if matches!(answer.status, 401 | 403) && !fresh {
                fresh = true;
                if let Some(adapter) = self.credentials.renew(self.kind, operation).await? {
                    *self.adapter.lock().unwrap_or_else(PoisonError::into_inner) = adapter;
                    tracing::info!(platform = self.kind.name, "credentials refused, read again");
                    continue;
                }
            }
            wrote = writes;
            if answer.is_success() && answer.is_page() {
                // A proxy answered; whether the platform saw the call is unknown.
                let fault = PlatformError::unreadable(format!(
                    "A web page came in place of {}'s answer",
                    self.kind.title
                ));
                return Err(fail(fault, wrote_before));
            }
            answers.push(answer);
        }
    }

    /// Requests one page and parses it.
    async fn page<T>(
        &self,
        operation: &'static str,
        ask: impl Fn(&dyn Adapter) -> Result<Request, PlatformError> + Send + Sync,
        read: impl Fn(&dyn Adapter, &Response) -> Result<Page<T>, PlatformError> + Send + Sync,
    ) -> Result<Page<T>, CallError> {
        self.converse(operation, |adapter, answers| match answers {
            [] => Ok(Step::Call(ask(adapter)?)),
            [.., last] => Ok(Step::Done(read(adapter, last)?)),
        })
        .await
    }

    /// All pages of a list, as one. A list that became shorter during the read is read again: rows behind a removed one
    /// may have moved to a page already read. After the `deadline` no further page is requested.
    async fn pages<T: PartialEq>(
        &self,
        operation: &'static str,
        deadline: Deadline,
        ask: impl Fn(&dyn Adapter, Option<&str>) -> Result<Request, PlatformError> + Send + Sync,
        read: impl Fn(&dyn Adapter, &Response) -> Result<Page<T>, PlatformError> + Send + Sync,
    ) -> Result<Page<T>, CallError> {
        for _ in 0..MAX_READINGS {
            if let Some(all) = self.pages_at_once(operation, deadline, &ask, &read).await? {
                return Ok(all);
            }
        }
        Err(self.unreadable(operation, "becomes shorter whenever it is read"))
    }

    /// The same, read once; `None` if the list became shorter meanwhile.
    async fn pages_at_once<T: PartialEq>(
        &self,
        operation: &'static str,
        deadline: Deadline,
        ask: impl Fn(&dyn Adapter, Option<&str>) -> Result<Request, PlatformError> + Send + Sync,
        read: impl Fn(&dyn Adapter, &Response) -> Result<Page<T>, PlatformError> + Send + Sync,
    ) -> Result<Option<Page<T>>, CallError> {
        let mut all = Page::of(Vec::new(), None);
        let mut next: Option<String> = None;
        let mut seen = HashSet::new();
        for _ in 0..MAX_PAGES {
            if deadline.passed(self.clock.now()) {
                let Problem {
                    code,
                    problem,
                    remedy,
                } = problem::LIST_TOO_LONG;
                let fault = PlatformError::not_sent(code, problem, remedy);
                return Err(fault.during(operation, self.clock.now(), self.kind.back_off));
            }
            let page = self
                .page(operation, |adapter| ask(adapter, next.as_deref()), &read)
                .await?;
            if page.count < all.count && page.count.is_some() {
                return Ok(None);
            }
            // The same rows at another address: the page number is ignored.
            if !page.items.is_empty() && all.items.ends_with(&page.items) {
                break;
            }
            all.count = page.count;
            all.items.extend(page.items);
            all.foreign += page.foreign;
            all.set_aside += page.set_aside;
            match page.next {
                None => return Ok(Some(all)),
                // A list that links back to itself never ends.
                Some(link) if !seen.insert(link.clone()) => break,
                link => next = link,
            }
        }
        Err(self.unreadable(operation, "does not come to an end"))
    }

    /// An error about a list.
    fn unreadable(&self, operation: &'static str, what: &str) -> CallError {
        let fault = PlatformError::unreadable(format!("{}'s list {what}", self.kind.title));
        fault.during(operation, self.clock.now(), self.kind.back_off)
    }

    async fn send(
        &self,
        operation: &'static str,
        request: Request,
        end: Timestamp,
    ) -> Result<Response, PlatformError> {
        if !self.covers(&request.url) {
            return Err(PlatformError::not_sent(
                problem::FOREIGN_ADDRESS.code,
                format!(
                    "a call would go to {}, outside the connection's address",
                    request.url.host_str().unwrap_or("another host")
                ),
                problem::FOREIGN_ADDRESS.remedy,
            ));
        }
        let limits = Limits {
            time: Duration::try_from(end.duration_since(self.clock.now())).unwrap_or_default(),
            answer: MAX_RESPONSE_BYTES,
        };
        let answer = self
            .transport
            .send(request, limits)
            .await
            .map_err(|error| lost(self.kind, &error))?;
        tracing::debug!(
            platform = self.kind.name,
            operation,
            status = answer.status,
            "platform answered"
        );
        Ok(answer)
    }

    /// Whether `url` is under the connection's base address.
    fn covers(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
            && url.path().starts_with(self.base.path())
            && url.username().is_empty()
            && url.password().is_none()
    }

    fn adapter(&self) -> Arc<dyn Adapter> {
        let adapter = self.adapter.lock();
        adapter.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Maps a transport error.
fn lost(kind: &PlatformSpec, error: &TransportError) -> PlatformError {
    let problem = format!("{}: {error}", kind.title);
    let again = problem::UNREACHABLE.remedy;
    match error {
        TransportError::NotSent(_) => {
            PlatformError::not_sent(problem::UNREACHABLE.code, problem, again)
        }
        TransportError::Guarded(_) => {
            PlatformError::not_sent(problem::GUARDED.code, problem, problem::GUARDED.remedy)
                .of_connection()
        }
        TransportError::Lost(_) => PlatformError {
            code: problem::NO_ANSWER.code,
            remedy: again.to_owned(),
            ..PlatformError::unreadable(problem)
        },
        TransportError::TooLarge(_) | TransportError::Encoded(_) => {
            PlatformError::unreadable(problem)
        }
    }
}

fn callbacks(adapter: &dyn Adapter) -> Result<&dyn Callbacks, PlatformError> {
    adapter.callbacks().ok_or_else(|| {
        PlatformError::not_sent(
            problem::NO_CALLBACKS.code,
            "this platform never calls back",
            problem::NO_CALLBACKS.remedy,
        )
    })
}

#[async_trait]
impl Platform for Client {
    fn capabilities(&self) -> Capabilities {
        (self.kind.capabilities)()
    }

    async fn assessments(&self) -> Result<Vec<Assessment>, CallError> {
        self.pages(
            "list the assessments",
            Deadline::NONE,
            |adapter, next| adapter.assessments(next),
            |adapter, answer| adapter.read_assessments(answer),
        )
        .await
        .map(|all| all.items)
    }

    async fn invite(&self, order: &InviteOrder) -> Result<InviteAnswer, CallError> {
        self.converse("invite", |adapter, answers| adapter.invite(order, answers))
            .await
    }

    async fn ensure_assessment(&self, order: &AssessmentOrder) -> Result<AssessmentId, CallError> {
        self.converse("create the interview", |adapter, answers| {
            adapter.prepare(order, answers)
        })
        .await
    }

    async fn withdraw(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
    ) -> Result<Withdrawn, CallError> {
        self.converse("withdraw an invitation", |adapter, answers| {
            adapter.withdraw(assessment, reference, answers)
        })
        .await
    }

    fn address_digest(&self, email: &str) -> Option<String> {
        self.credentials.address_digest(email)
    }

    async fn find(
        &self,
        assessment: &AssessmentId,
        person: &Person,
        client_ref: &str,
        sent_to: Option<&str>,
        deadline: Deadline,
    ) -> Result<Vec<Found>, CallError> {
        const FIND: &str = "look up an invitation";
        let all = self
            .pages(
                FIND,
                deadline,
                |adapter, next| adapter.list(assessment, next),
                |adapter, answer| adapter.read_list(assessment, answer),
            )
            .await?;
        let only_others = all.items.is_empty() && all.foreign > 0;
        let unread = all.set_aside > 0;
        let listed = all.items;
        let unnamed = listed
            .iter()
            .any(|row| row.emails.is_empty() && row.found.client_ref.is_none());
        let was_sent_to =
            |email: &str| sent_to.is_some() && self.address_digest(email).as_deref() == sent_to;
        let meant = |email: &str| person.has_email(email) || was_sent_to(email);
        let found = matches(listed, meant, client_ref);
        if !found.is_empty() {
            return Ok(found);
        }
        // An unnamed or unlisted row may be this candidate: assuming "not there" would invite a second time.
        let why = if unnamed {
            "has a row with neither an address nor our reference"
        } else if unread {
            "has an unreadable row"
        } else if only_others {
            // The list is empty and the filter ignored, or the rows name their assessment in an unknown way.
            "has only rows of other assessments"
        } else if !self.adapter().lists_everybody(assessment) {
            "does not have every invited candidate"
        } else {
            return Ok(found);
        };
        let fault = PlatformError {
            code: problem::LIST_WITHOUT_NAMES.code,
            remedy: problem::LIST_WITHOUT_NAMES.remedy.to_owned(),
            ..PlatformError::unreadable(format!(
                "{}'s list {why}, so nobody's absence can be concluded",
                self.kind.title
            ))
        };
        Err(fault.during(FIND, self.clock.now(), self.kind.back_off))
    }

    async fn result(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
    ) -> Result<AssessmentResult, CallError> {
        self.converse("read a result", |adapter, answers| {
            adapter.result(assessment, reference, answers)
        })
        .await
    }

    async fn list(
        &self,
        assessment: &AssessmentId,
        next: Option<&str>,
    ) -> Result<SweepPage, CallError> {
        const LIST: &str = "list invitations";
        let page = self
            .page(
                LIST,
                |adapter| adapter.list(assessment, next),
                |adapter, answer| adapter.read_list(assessment, answer),
            )
            .await;
        let page = match page {
            // A row was removed, and with it the last page.
            Err(error) if next.is_some() && error.code == problem::NOT_FOUND.code => {
                Page::of(Vec::new(), None)
            }
            page => page?,
        };
        if let Some(on) = &page.next
            && (on.len() > SweepPage::MAX_NEXT_BYTES || next == Some(on))
        {
            let fault = PlatformError::unreadable(format!(
                "{}'s list leads to no next page",
                self.kind.title
            ));
            return Err(fault.during(LIST, self.clock.now(), self.kind.back_off));
        }
        Ok(SweepPage {
            lines: page
                .items
                .into_iter()
                .map(|listed| listed.sighting)
                .collect(),
            next: page.next,
            set_aside: u32::try_from(page.set_aside).unwrap_or(u32::MAX),
        })
    }

    async fn register_callbacks(
        &self,
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<Registration, CallError> {
        const OPERATION: &str = "register callbacks";
        if self.adapter().callbacks().is_none() {
            return Ok(Registration::default());
        }
        let registered = self
            .pages(
                OPERATION,
                Deadline::NONE,
                |adapter, next| callbacks(adapter)?.registered(next),
                |adapter, answer| callbacks(adapter)?.read_registered(answer),
            )
            .await?
            .items;
        let plan = callbacks(&*self.adapter())
            .and_then(|callbacks| callbacks.plan(&registered, address, assessments))
            .map_err(|fault| fault.during(OPERATION, self.clock.now(), self.kind.back_off))?;
        let mut registration = Registration {
            kept: plan.kept,
            ..Registration::default()
        };
        for write in plan.writes {
            let written = self
                .converse(OPERATION, |adapter, answers| match answers {
                    [] => Ok(Step::Call(write.request.clone())),
                    [.., last] => Ok(Step::Done(callbacks(adapter)?.read_written(last)?)),
                })
                .await;
            match written {
                Ok(()) if write.changes => registration.changed += 1,
                Ok(()) => registration.created += 1,
                Err(error)
                    if write.optional
                        && !error.may_retry()
                        && error.scope == ErrorScope::Record =>
                {
                    tracing::warn!(
                        platform = self.kind.name,
                        event = write.event,
                        code = error.code,
                        "platform does not offer callbacks for the event, its lists are read instead"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Ok(registration)
    }
}

/// The rows of this person: those with our reference first, then by e-mail address. A row that several pages show,
/// because the list moved meanwhile, counts once.
fn matches(listed: Vec<Listed>, meant: impl Fn(&str) -> bool, client_ref: &str) -> Vec<Found> {
    let ours = |row: &Listed| row.found.client_ref.as_deref() == Some(client_ref);
    let (mut found, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(ours);
    found.extend(others.into_iter().filter(|row| {
        let mut emails = row.emails.iter();
        emails.any(|email| meant(email))
    }));
    let mut seen = HashSet::new();
    found
        .into_iter()
        .map(|row| row.found)
        .filter(|found| seen.insert(found.reference.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
