//! Conversations with a platform: calls within one time limit, and lists page by page.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use stagecall_core::clock::Deadline;
use stagecall_core::error::CallError;
use stagecall_core::timing::after;
use stagecall_http::{Limits, Method, Request, Response, TransportError};
use url::Url;

use super::Client;
use crate::adapter::{Adapter, Page, Step};
use crate::error::{Effect, PlatformError};
use crate::problem::{self, Problem};
use crate::spec::PlatformSpec;

/// The maximum number of pages of one list: a bound for a list that never ends.
const MAX_PAGES: usize = 1000;

/// The maximum number of reads of a list that becomes shorter meanwhile.
const MAX_READINGS: usize = 3;

/// The maximum number of calls of one conversation other than a list: a bound for an adapter that never ends.
pub(super) const MAX_STEPS: usize = 8;

/// The maximum response size in bytes: a full page of participants with transcripts is well below.
const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

impl Client {
    /// Runs a conversation to its end: calls `next` with the responses so far until it is done. Refused credentials are
    /// reread once. All its calls together have the time limit of one, so that a lease long enough for one call (the
    /// claim of an invitation) covers the conversation.
    pub(super) async fn converse<T>(
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
    pub(super) async fn page<T>(
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
    pub(super) async fn pages<T: PartialEq>(
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
    pub(super) fn unreadable(&self, operation: &'static str, what: &str) -> CallError {
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

    pub(super) fn adapter(&self) -> Arc<dyn Adapter> {
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
