//! Updates Eploy about an invitation. Level-triggered: whatever happened in between, the latest revision is written,
//! once, by one writer at a time.

mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use self::writer::{ReportWriter, stopped};
use super::pools;
use crate::clock::Deadline;
use crate::engine::{Applied, Dispatch, Engine};
use crate::error::{CallError, Error, ErrorScope, Phase, System};
use crate::ids::{InvitationKey, Reference};
use crate::invitation::{
    ActionRecord, Event, Failure, Invitation, Part, Schedule, State, Step, Writer,
};
use crate::ports::{EployConnections, PlatformConnections, Purpose};
use crate::result::AssessmentResult;
use crate::tenant::{Mapping, Tenant};
use crate::work::{Handled, Handler, Kind, Work};

/// Updates Eploy.
#[derive(Clone)]
pub struct WriteBack {
    /// The engine.
    pub engine: Engine,
    /// The connections to Eploy.
    pub eploy: Arc<dyn EployConnections>,
    /// The connections to the platforms.
    pub platforms: Arc<dyn PlatformConnections>,
}

/// The outcome of fetching a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncOutcome {
    /// It is saved, and reported or due to be; or there is none any more, because the invitation was purged.
    Recorded,
    /// The report still depends on a delivery, or another writer is at work: come back later.
    Later,
    /// The platform could not be asked, which is saved.
    Unavailable {
        /// Whether other invitations can be queried: only this one failed, or the connection does not work at present.
        scope: ErrorScope,
        /// The number of failures in a row.
        times: u32,
    },
}

impl WriteBack {
    /// How many times the platform is asked because another writer changed the row meanwhile.
    const MAX_FETCHES: u32 = 5;

    /// Fetches an invitation's result from the platform, saves it, and reports it. `delivered_as` is the reference by
    /// which a stored delivery named it; the delivery comes back until the outcome is [`SyncOutcome::Recorded`].
    pub async fn sync_result(
        &self,
        key: &InvitationKey,
        change_token: Option<String>,
        delivered_as: Option<&Reference>,
    ) -> Result<SyncOutcome, Error> {
        // Loaded before the platform is asked, and saved only if nobody else saved in between: so an earlier answer
        // cannot replace a later one.
        for _ in 0..Self::MAX_FETCHES {
            let Some(row) = self.engine.ledger.load(key).await? else {
                return Ok(SyncOutcome::Recorded);
            };
            if row.forgotten_at.is_some() {
                return Ok(SyncOutcome::Recorded);
            }
            let tenant = self.engine.tenant(&key.tenant).await?;
            if row.reference.is_none() {
                if self.adopt(&tenant, &row, delivered_as).await? {
                    continue;
                }
                return Ok(SyncOutcome::Later);
            }
            let result = match self.result(&tenant, &row).await {
                Ok(result) => result,
                Err(error) => {
                    tracing::warn!(tenant = %key.tenant, invitation = %key.name(), code = error.code, %error, "result not fetched from the platform");
                    return self.unavailable(&tenant, &row, &error).await;
                }
            };
            let mapping = self.engine.definition(&tenant, &row).await?;
            let mapping = mapping.as_ref();
            let lease_until = self.lease();
            // The report can be written right away, unless that creates the action: the start of its creation has to be
            // saved first.
            let at_once = mapping.is_none_or(|mapping| {
                mapping.report.action.is_none()
                    || matches!(row.report.action, Some(ActionRecord::Created(_)))
            });
            let event = Event::Observed {
                snapshot: result.snapshot(),
                change_token: change_token.clone(),
                lease_until: at_once.then_some(lease_until),
                carried: at_once && delivered_as.is_some(),
            };
            let next = if at_once {
                Dispatch::Inline
            } else {
                Dispatch::Enqueue
            };
            match self.engine.apply(&row, event, mapping, next).await? {
                Applied::Yes(changed)
                    if at_once && changed.report.lease_until == Some(lease_until) =>
                {
                    let reporting = self.report(&tenant, *changed, Ok(Some(result)), lease_until);
                    let reported = Box::pin(reporting).await?;
                    return Ok(match reported {
                        Some(row) => outcome_for_delivery(&row),
                        None => SyncOutcome::Later,
                    });
                }
                Applied::Yes(changed) => return Ok(outcome_for_delivery(&changed)),
                Applied::Rejected(_) => {
                    if row.awaits_delivery() {
                        // Its writer is at work, or gone.
                        self.write_back(key).await?;
                    }
                    return Ok(outcome_for_delivery(&row));
                }
                Applied::Conflict => {}
            }
        }
        Ok(SyncOutcome::Later)
    }

    /// Saves that a result could not be fetched. If another writer changed the row meanwhile, it may have had an
    /// answer.
    async fn unavailable(
        &self,
        tenant: &Tenant,
        row: &Invitation,
        error: &CallError,
    ) -> Result<SyncOutcome, Error> {
        let failure = Failure::from_call(error, row.failure.as_ref(), self.engine.now());
        let times = failure.attempts;
        let event = Event::ResultUnavailable(failure);
        let definition = self.engine.definition(tenant, row).await?;
        self.engine
            .apply(row, event, definition.as_ref(), Dispatch::Enqueue)
            .await?;
        let alone = error.scope == ErrorScope::Record
            && matches!(error.phase, Phase::Refused | Phase::Unknown);
        let scope = if alone {
            ErrorScope::Record
        } else {
            ErrorScope::Connection
        };
        Ok(SyncOutcome::Unavailable { scope, times })
    }

    /// Handles a result for an invitation that is not saved as sent, by a reference that is bound to it. A sender at
    /// work is left alone. Otherwise the sender stopped after binding it, and others may have given the invitation up
    /// since: it is saved as sent. Returns whether the row has changed.
    async fn adopt(
        &self,
        tenant: &Tenant,
        row: &Invitation,
        delivered_as: Option<&Reference>,
    ) -> Result<bool, Error> {
        let at_work =
            matches!(row.state, State::Sending { lease_until } if lease_until > self.engine.now());
        let Some(reference) = delivered_as.filter(|_| !at_work) else {
            return Ok(false);
        };
        let sent = Event::Sent {
            reference: reference.clone(),
            link: None,
            adopted: true,
            writer: None,
        };
        let definition = self.engine.definition(tenant, row).await?;
        let changed = self
            .engine
            .apply(row, sent, definition.as_ref(), Dispatch::Inline)
            .await?;
        Ok(!matches!(changed, Applied::Rejected(_)))
    }

    /// Reports what is saved and not yet shown. Idempotent.
    pub async fn write_back(&self, key: &InvitationKey) -> Result<(), Error> {
        let Some(row) = self.engine.load(key).await? else {
            return Ok(());
        };
        let now = self.engine.now();
        let deferred =
            matches!(row.schedule, Schedule::At { at, step: Step::WriteBack } if at > now);
        if !row.unreported() || row.report.leased(now) || deferred {
            return Ok(());
        }
        let tenant = self.engine.tenant(&key.tenant).await?;
        let mapping = self.engine.definition(&tenant, &row).await?;
        let mapping = mapping.as_ref();
        let lease_until = self.lease();
        let begun = Event::ReportBegun(Writer {
            lease_until,
            creates_action: mapping.is_some_and(|mapping| mapping.report.action.is_some()),
        });
        let Applied::Yes(begun) = self
            .engine
            .apply(&row, begun, mapping, Dispatch::Inline)
            .await?
        else {
            return Ok(());
        };
        let row = with_own_action(&row, *begun);
        let fetched = if speaks_of_result(&row) {
            self.result(&tenant, &row).await.map(Some)
        } else {
            Ok(None)
        };
        Box::pin(self.report(&tenant, row, fetched, lease_until)).await?;
        Ok(())
    }

    /// The platform's result of a sent invitation.
    async fn result(
        &self,
        tenant: &Tenant,
        row: &Invitation,
    ) -> Result<AssessmentResult, CallError> {
        let platform = self
            .platforms
            .platform(tenant, &row.assessment.account)
            .await?;
        match &row.reference {
            Some(reference) => platform.result(&row.assessment.assessment, reference).await,
            None => Err(CallError {
                system: System::Platform,
                operation: "read the result",
                phase: Phase::NotSent,
                scope: ErrorScope::Record,
                code: "invitation.no_reference",
                problem: "the platform's reference is not saved".to_owned(),
                remedy: "It is looked up automatically".to_owned(),
                retry_at: None,
            }),
        }
    }

    /// Writes the report under a saved lease, and saves what was written. `fetched` is the platform's answer, if the
    /// report needs one, or the reason why there is none: then the report says so, and stays unfinished. Returns the row
    /// afterwards, if it is known.
    pub(super) async fn report(
        &self,
        tenant: &Tenant,
        mut row: Invitation,
        fetched: Result<Option<AssessmentResult>, CallError>,
        lease_until: Timestamp,
    ) -> Result<Option<Invitation>, Error> {
        let definition = self.engine.definition(tenant, &row).await?;
        let Some(mapping) = definition.as_ref() else {
            let error = no_definition(&row);
            let event = stopped(
                &self.engine,
                &row,
                row.report.clone(),
                &[Part::Action].into(),
                &error,
            );
            return self.finish(&row, event, None, lease_until).await;
        };
        pools::feed(&self.engine, tenant, &row).await?;
        let mut writer = ReportWriter::new(&self.engine, mapping, &row, lease_until);
        let result = match &fetched {
            Ok(result) => {
                writer.has_words();
                result.as_ref()
            }
            Err(error) => {
                writer.lacks_words(error);
                None
            }
        };
        let outcome = if writer.is_due() {
            match self.eploy.eploy(tenant, Purpose::WriteBack).await {
                Ok(eploy) => {
                    let platform = self.platforms.title(tenant, &row.assessment.account);
                    writer.write(&*eploy, &platform, result).await
                }
                Err(error) => Err(error.into()),
            }
        } else {
            Ok(())
        };
        let merged = writer.merged_into();
        let event = writer.finish(outcome);
        if let Some(candidate) = merged {
            let event = Event::CandidateMerged { candidate };
            // If another writer was faster, the next poll or report notices the merge again.
            if let Applied::Yes(next) = (self.engine)
                .apply(&row, event, Some(mapping), Dispatch::Inline)
                .await?
            {
                row = *next;
            }
        }
        self.finish(&row, event, Some(mapping), lease_until).await
    }

    /// Saves the end of a writer's work, whatever else happened to the row meanwhile.
    async fn finish(
        &self,
        row: &Invitation,
        event: Event,
        mapping: Option<&Mapping>,
        lease_until: Timestamp,
    ) -> Result<Option<Invitation>, Error> {
        let revise = |newer: &Invitation, event| {
            if newer.report.lease_until == Some(lease_until) {
                event
            } else {
                // The lease expired and another writer wrote: our write may have replaced theirs.
                Event::ReportStale
            }
        };
        let saved = self
            .engine
            .apply_to_newest(row, event, mapping, revise)
            .await?;
        Ok(saved.map(|(_, next)| next))
    }

    /// The end of the lease of a writer that begins now.
    fn lease(&self) -> Timestamp {
        self.engine.in_seconds(self.engine.timing.lease_seconds)
    }
}

/// Whether the delivery that reported the change is done.
fn outcome_for_delivery(row: &Invitation) -> SyncOutcome {
    if row.awaits_delivery() {
        SyncOutcome::Later
    } else {
        SyncOutcome::Recorded
    }
}

/// The row as the writer that has just begun sees it. The creation of an action that it began is its own and fresh:
/// there is nothing to look up. The saved row keeps `Creating`, for the next writer after a crash.
pub(super) fn with_own_action(before: &Invitation, mut begun: Invitation) -> Invitation {
    if before.report.action.is_none() {
        begun.report.action = None;
    }
    begun
}

/// A row of an earlier program, without a version, whose mapping was removed: where to report is unknown.
fn no_definition(row: &Invitation) -> CallError {
    CallError {
        system: System::Eploy,
        operation: "report an invitation",
        phase: Phase::NotSent,
        scope: ErrorScope::Record,
        retry_at: None,
        code: "mapping.unknown",
        problem: format!(
            "mapping {} was removed, and its definition is not saved",
            row.key.mapping
        ),
        remedy: "Configure the mapping again under its name, paused if it is to invite nobody, and the report is written"
            .to_owned(),
    }
}

/// Whether the report needs the platform's text, which the ledger does not store.
fn speaks_of_result(row: &Invitation) -> bool {
    row.reference.is_some() && row.snapshot.is_some() && !row.is_unread()
}

#[async_trait]
impl Handler for WriteBack {
    fn kind(&self) -> Kind {
        Kind::WriteBack
    }

    async fn handle(&self, work: Work, _: Deadline) -> Result<Handled, Error> {
        let Work::WriteBack {
            key,
            news,
            change_token,
        } = work
        else {
            return Ok(Handled::Misplaced);
        };
        if news {
            self.sync_result(&key, change_token, None).await?;
        }
        self.write_back(&key).await?;
        Ok(Handled::Done)
    }
}

#[cfg(test)]
mod tests;
