//! Bringing Eploy up to date about an invitation. Level-triggered: whatever happened in between, the latest revision is
//! written, once, by one writer at a time.

mod writer;

use std::sync::Arc;

use jiff::Timestamp;

use self::writer::{ReportWriter, stopped};
use super::engine::{Applied, Dispatch, Engine};
use super::pools;
use crate::error::{CallError, Error, ErrorScope, Phase, System};
use crate::ids::{InvitationKey, Reference};
use crate::invitation::{
    ActionRecord, Event, Failure, Invitation, Part, Schedule, State, Step, Writer,
};
use crate::ports::{EployConnections, PlatformConnections, Purpose};
use crate::result::AssessmentResult;
use crate::tenant::{Mapping, Tenant};

/// Brings Eploy up to date.
#[derive(Clone)]
pub struct WriteBack {
    /// The rows.
    pub engine: Engine,
    /// The ways into Eploy.
    pub eploy: Arc<dyn EployConnections>,
    /// The ways into the platforms.
    pub platforms: Arc<dyn PlatformConnections>,
}

/// Whether the platform's news are on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncOutcome {
    /// They are, and reported or due to be; or there are none any more, because the invitation is over and forgotten.
    Recorded,
    /// The report is still left to a delivery, or somebody else is at work: come back later.
    Later,
    /// The platform could not be asked, which is on record.
    Unavailable {
        /// Whether the next invitation can be asked for: only this one failed, or nothing will work at present.
        scope: ErrorScope,
        /// For how many tries in a row.
        times: u32,
    },
}

impl WriteBack {
    /// How often the platform is asked anew because somebody else changed the row meanwhile.
    const ASKED_AT_MOST: u32 = 5;

    /// Asks the platform for an invitation's result, puts it on record, and reports it. `delivered_as`: the reference by which
    /// a stored delivery speaks of it; the delivery comes back until the answer is [`SyncOutcome::Recorded`].
    pub async fn sync_result(
        &self,
        key: &InvitationKey,
        change_token: Option<String>,
        delivered_as: Option<&Reference>,
    ) -> Result<SyncOutcome, Error> {
        // Loaded before the platform is asked and saved on condition that nobody saved in between: what another asked
        // for later can so not be replaced by what was asked for earlier.
        for _ in 0..Self::ASKED_AT_MOST {
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
                    tracing::warn!(tenant = %key.tenant, invitation = %key.name(), code = error.code, %error, "the platform could not be asked");
                    return self.unavailable(&tenant, &row, &error).await;
                }
            };
            let mapping = self.engine.definition(&tenant, &row).await?;
            let mapping = mapping.as_ref();
            let lease_until = self.lease();
            // The report can be written in the same breath, unless that means creating the action: its beginning has to
            // be on record first.
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
            match self
                .engine
                .apply(&row, event, expires(mapping), next)
                .await?
            {
                Applied::Yes(changed)
                    if at_once && changed.report.lease_until == Some(lease_until) =>
                {
                    let told = self
                        .report(&tenant, *changed, Some(result), lease_until)
                        .await?;
                    return Ok(match told {
                        Some(row) => standing(&row),
                        None => SyncOutcome::Later,
                    });
                }
                Applied::Yes(changed) => return Ok(standing(&changed)),
                Applied::Rejected(_) => {
                    if row.awaits_delivery() {
                        // Its writer is at work, or gone.
                        self.write_back(key).await?;
                    }
                    return Ok(standing(&row));
                }
                Applied::Conflict => {}
            }
        }
        Ok(SyncOutcome::Later)
    }

    /// Records that the platform could not be asked for a result. If somebody else changed the row meanwhile, they may have had
    /// an answer.
    async fn unavailable(
        &self,
        tenant: &Tenant,
        row: &Invitation,
        error: &CallError,
    ) -> Result<SyncOutcome, Error> {
        let failure = Failure::from_call(error, row.failure.as_ref(), self.engine.now());
        let times = failure.attempts;
        let event = Event::ResultUnavailable(failure);
        let expires = self.engine.expiry(tenant, row).await?;
        self.engine
            .apply(row, event, expires, Dispatch::Enqueue)
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

    /// The platform speaks of an invitation that is not on record as sent, by a reference that is bound to it. If somebody
    /// is just sending it, that is left to them. Otherwise whoever bound it came no further, and may have been followed by
    /// others who gave it up: it is put on record as sent. Returns whether the row is another now.
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
        let expires = self.engine.expiry(tenant, row).await?;
        let changed = self
            .engine
            .apply(row, sent, expires, Dispatch::Inline)
            .await?;
        Ok(!matches!(changed, Applied::Rejected(_)))
    }

    /// Reports what is on record and not yet shown. Doing it twice does nothing.
    pub async fn write_back(&self, key: &InvitationKey) -> Result<(), Error> {
        let Some(row) = self.engine.ledger.load(key).await? else {
            return Ok(());
        };
        let Some(row) = self.engine.set_back(row).await? else {
            return Ok(());
        };
        let now = self.engine.now();
        let put_off =
            matches!(row.schedule, Schedule::At { at, step: Step::WriteBack } if at > now);
        if !row.unreported() || row.report.leased(now) || put_off {
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
            .apply(&row, begun, expires(mapping), Dispatch::Inline)
            .await?
        else {
            return Ok(());
        };
        let row = with_own_action(&row, *begun);
        let heard = if speaks_of_result(&row) {
            self.result(&tenant, &row).await.map(Some)
        } else {
            Ok(None)
        };
        Box::pin(self.tell(&tenant, row, heard, lease_until)).await?;
        Ok(())
    }

    /// The platform's result of an invitation that it has.
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
                problem: "the platform's reference is not on record".to_owned(),
                remedy: "It is looked up by itself".to_owned(),
                retry_at: None,
            }),
        }
    }

    /// Writes the report under a lease that is on record, and puts on record what was written. Returns the row as it is
    /// then, if it is known.
    pub(super) async fn report(
        &self,
        tenant: &Tenant,
        row: Invitation,
        result: Option<AssessmentResult>,
        lease_until: Timestamp,
    ) -> Result<Option<Invitation>, Error> {
        Box::pin(self.tell(tenant, row, Ok(result), lease_until)).await
    }

    /// The same with what was heard from the platform, or why nothing was. Then the report says so, and is still to be
    /// finished.
    async fn tell(
        &self,
        tenant: &Tenant,
        row: Invitation,
        heard: Result<Option<AssessmentResult>, CallError>,
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
            return self.settle(row, event, None, lease_until).await;
        };
        pools::feed(&self.engine, tenant, &row).await?;
        let mut writer = ReportWriter::new(&self.engine, mapping, &row, lease_until);
        let result = match &heard {
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
                Ok(eploy) => writer.write(&*eploy, tenant, result).await,
                Err(error) => Err(error.into()),
            }
        } else {
            Ok(())
        };
        let event = writer.finish(outcome);
        self.settle(row, event, Some(mapping), lease_until).await
    }

    /// Puts the end of a writer's work on record, whatever else happened to the row meanwhile.
    async fn settle(
        &self,
        mut row: Invitation,
        event: Event,
        mapping: Option<&Mapping>,
        lease_until: Timestamp,
    ) -> Result<Option<Invitation>, Error> {
        let mut event = event;
        loop {
            match self
                .engine
                .apply(&row, event.clone(), expires(mapping), Dispatch::Enqueue)
                .await?
            {
                Applied::Yes(row) => return Ok(Some(*row)),
                Applied::Rejected(_) => return Ok(None),
                Applied::Conflict => match self.engine.ledger.load(&row.key).await? {
                    Some(newer) => {
                        if newer.report.lease_until != Some(lease_until) {
                            // The lease ran out and somebody else wrote: what we wrote may stand over theirs.
                            event = Event::ReportStale;
                        }
                        row = newer;
                    }
                    None => return Ok(None),
                },
            }
        }
    }

    /// Until when a writer that begins now may be at work.
    fn lease(&self) -> Timestamp {
        self.engine.in_seconds(self.engine.timing.lease_seconds)
    }
}

/// Whether a delivery that brought news of the row is done.
fn standing(row: &Invitation) -> SyncOutcome {
    if row.awaits_delivery() {
        SyncOutcome::Later
    } else {
        SyncOutcome::Recorded
    }
}

/// The row as the writer that has just begun works on it. An action whose creation it began is its own and fresh:
/// nothing to look up. The record keeps saying `Creating` for whoever comes after a crash.
pub(super) fn with_own_action(before: &Invitation, mut begun: Invitation) -> Invitation {
    if before.report.action.is_none() {
        begun.report.action = None;
    }
    begun
}

/// A row of an earlier program, which kept no versions, whose mapping was removed: where to report is not known.
fn no_definition(row: &Invitation) -> CallError {
    CallError {
        system: System::Eploy,
        operation: "report an invitation",
        phase: Phase::NotSent,
        scope: ErrorScope::Record,
        retry_at: None,
        code: "mapping.unknown",
        problem: format!(
            "mapping {} was removed, and what it said is not kept",
            row.key.mapping
        ),
        remedy: "Configure the mapping again under its name, paused if it is to invite nobody, and the report is written"
            .to_owned(),
    }
}

/// The mapping's own expiry.
fn expires(mapping: Option<&Mapping>) -> Option<u32> {
    mapping.and_then(|mapping| mapping.expires_after_days)
}

/// Whether what is to be told needs the platform's words, which the ledger does not keep.
fn speaks_of_result(row: &Invitation) -> bool {
    row.reference.is_some() && row.snapshot.is_some() && !row.is_unread()
}

impl WriteBack {
    /// Handles a write-back from the queue.
    pub async fn handle(
        &self,
        key: &InvitationKey,
        news: bool,
        change_token: Option<String>,
    ) -> Result<(), Error> {
        if news {
            self.sync_result(key, change_token, None).await?;
        }
        self.write_back(key).await
    }
}

#[cfg(test)]
mod tests;
