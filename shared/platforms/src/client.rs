//! The one driver: runs any [`Adapter`] over a transport, and implements the core's [`Platform`].

mod exchange;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use stagecall_core::clock::{Clock, Deadline};
use stagecall_core::error::{CallError, ErrorScope};
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::person::Person;
use stagecall_core::ports::{
    Assessment, AssessmentOrder, CallbackAddress, Capabilities, Found, InviteAnswer, InviteOrder,
    Platform, Registration, SweepPage, Withdrawn,
};
use stagecall_core::result::AssessmentResult;
use stagecall_http::Transport;
use url::Url;

use crate::adapter::{Adapter, Callbacks, Listed, Page, Step};
use crate::credentials::Credentials;
use crate::error::PlatformError;
use crate::problem;
use crate::spec::PlatformSpec;

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
