//! Bringing Eploy up to date about an invitation. Level-triggered: whatever happened in between, the latest revision is
//! written, once, by one writer at a time.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::desk::{Changed, Desk, Next};
use super::pools;
use crate::error::{CallError, Error, Phase, Reach, System};
use crate::ids::{InvitationKey, Reference};
use crate::invitation::{
    ActionRecord, Event, Invitation, Report, State, Step, Trouble, Wake, Writer,
};
use crate::ports::{
    ActionLookUp, ActionUpdate, Eploy, EployConnections, NewAction, PlatformConnections, Purpose,
};
use crate::report::{answers, compose};
use crate::result::AssessmentResult;
use crate::tenant::{ActionPlan, Mapping, MovePlan, Position, Tenant};
use crate::timing::{after, seconds};

/// Brings Eploy up to date.
#[derive(Clone)]
pub struct WriteBack {
    /// The rows.
    pub desk: Desk,
    /// The ways into Eploy.
    pub eploy: Arc<dyn EployConnections>,
    /// The ways into the platforms.
    pub platforms: Arc<dyn PlatformConnections>,
}

/// Whether the platform's news are on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// They are, and reported or due to be; or there are none any more, because the invitation is over and forgotten.
    Recorded,
    /// The report is still left to a delivery, or somebody else is at work: come back later.
    Later,
    /// The platform could not be asked, which is on record.
    Unavailable {
        /// Whether the next invitation can be asked for: only this one failed, or nothing will work at present.
        reach: Reach,
        /// For how many tries in a row.
        times: u32,
    },
}

/// Why a report stopped half-way.
enum Stop {
    /// A call failed.
    Call(CallError),
    /// The lease does not last for another call.
    Lease,
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl WriteBack {
    /// How often the platform is asked anew because somebody else changed the row meanwhile.
    const ASKED_AT_MOST: u32 = 5;

    /// Asks the platform for an invitation's result, puts it on record, and reports it. `heard_of`: the reference by which
    /// a stored delivery speaks of it; the delivery comes back until the answer is [`News::Recorded`].
    pub async fn bring_news(
        &self,
        key: &InvitationKey,
        marker: Option<String>,
        heard_of: Option<&Reference>,
    ) -> Result<News, Error> {
        // Loaded before the platform is asked and saved on condition that nobody saved in between: what another asked
        // for later can so not be replaced by what was asked for earlier.
        for _ in 0..Self::ASKED_AT_MOST {
            let Some(row) = self.desk.ledger.load(key).await? else {
                return Ok(News::Recorded);
            };
            if row.forgotten_at.is_some() {
                return Ok(News::Recorded);
            }
            let tenant = self.desk.tenant(&key.tenant).await?;
            if row.reference.is_none() {
                if self.adopt(&tenant, &row, heard_of).await? {
                    continue;
                }
                return Ok(News::Later);
            }
            let result = match self.result(&tenant, &row).await {
                Ok(result) => result,
                Err(error) => {
                    tracing::warn!(tenant = %key.tenant, invitation = %key.name(), code = error.code, %error, "the platform could not be asked");
                    return self.unavailable(&tenant, &row, &error).await;
                }
            };
            let mapping = self.desk.definition(&tenant, &row).await?;
            let mapping = mapping.as_ref();
            let lease_until = self.lease();
            // The report can be written in the same breath, unless that means creating the action: its beginning has to
            // be on record first.
            let at_once = mapping.is_none_or(|mapping| {
                mapping.report.action.is_none()
                    || matches!(row.report.action, Some(ActionRecord::Created(_)))
            });
            let event = Event::Observed {
                finding: result.finding(),
                marker: marker.clone(),
                lease_until: at_once.then_some(lease_until),
                carried: at_once && heard_of.is_some(),
            };
            let next = if at_once { Next::Mine } else { Next::HandOut };
            match self
                .desk
                .change(&row, event, expires(mapping), next)
                .await?
            {
                Changed::To(changed)
                    if at_once && changed.report.lease_until == Some(lease_until) =>
                {
                    let told = self
                        .report(&tenant, *changed, Some(result), lease_until)
                        .await?;
                    return Ok(match told {
                        Some(row) => standing(&row),
                        None => News::Later,
                    });
                }
                Changed::To(changed) => return Ok(standing(&changed)),
                Changed::No(_) => {
                    if row.is_carried() {
                        // Its writer is at work, or gone.
                        self.write_back(key).await?;
                    }
                    return Ok(standing(&row));
                }
                Changed::Conflict => {}
            }
        }
        Ok(News::Later)
    }

    /// Records that the platform could not be asked for a result. If somebody else changed the row meanwhile, they may have had
    /// an answer.
    async fn unavailable(
        &self,
        tenant: &Tenant,
        row: &Invitation,
        error: &CallError,
    ) -> Result<News, Error> {
        let trouble = Trouble::from_call(error, row.trouble.as_ref(), self.desk.now());
        let times = trouble.times;
        let event = Event::ResultUnavailable(trouble);
        let expires = self.desk.expiry(tenant, row).await?;
        self.desk.change(row, event, expires, Next::HandOut).await?;
        let alone =
            error.reach == Reach::Record && matches!(error.phase, Phase::Refused | Phase::Unknown);
        let reach = if alone {
            Reach::Record
        } else {
            Reach::Connection
        };
        Ok(News::Unavailable { reach, times })
    }

    /// The platform speaks of an invitation that is not on record as sent, by a reference that is bound to it. If somebody
    /// is just sending it, that is left to them. Otherwise whoever bound it came no further, and may have been followed by
    /// others who gave it up: it is put on record as sent. Returns whether the row is another now.
    async fn adopt(
        &self,
        tenant: &Tenant,
        row: &Invitation,
        heard_of: Option<&Reference>,
    ) -> Result<bool, Error> {
        let at_work =
            matches!(row.state, State::Sending { lease_until } if lease_until > self.desk.now());
        let Some(reference) = heard_of.filter(|_| !at_work) else {
            return Ok(false);
        };
        let sent = Event::Sent {
            reference: reference.clone(),
            link: None,
            adopted: true,
            writer: None,
        };
        let expires = self.desk.expiry(tenant, row).await?;
        let changed = self.desk.change(row, sent, expires, Next::Mine).await?;
        Ok(!matches!(changed, Changed::No(_)))
    }

    /// Reports what is on record and not yet shown. Doing it twice does nothing.
    pub async fn write_back(&self, key: &InvitationKey) -> Result<(), Error> {
        let Some(row) = self.desk.ledger.load(key).await? else {
            return Ok(());
        };
        let Some(row) = self.desk.set_back(row).await? else {
            return Ok(());
        };
        let now = self.desk.now();
        let put_off = matches!(row.wake, Wake::At { at, step: Step::WriteBack } if at > now);
        if !row.unreported() || row.report.leased(now) || put_off {
            return Ok(());
        }
        let tenant = self.desk.tenant(&key.tenant).await?;
        let mapping = self.desk.definition(&tenant, &row).await?;
        let mapping = mapping.as_ref();
        let lease_until = self.lease();
        let begun = Event::ReportBegun(Writer {
            lease_until,
            creates_action: mapping.is_some_and(|mapping| mapping.report.action.is_some()),
        });
        let Changed::To(begun) = self
            .desk
            .change(&row, begun, expires(mapping), Next::Mine)
            .await?
        else {
            return Ok(());
        };
        let row = with_own_action(&row, *begun);
        let heard = if speaks_of_result(&row) {
            match self.result(&tenant, &row).await {
                Err(error) if !self.is_outlined(&row, &error) => {
                    return self.put_off(&row, error, mapping).await;
                }
                heard => heard.map(Some),
            }
        } else {
            Ok(None)
        };
        Box::pin(self.tell(&tenant, row, heard, lease_until)).await?;
        Ok(())
    }

    /// Whether what the ledger knows is written without the platform's words, because it could not be asked for them for
    /// too long. Once is enough.
    fn is_outlined(&self, row: &Invitation, error: &CallError) -> bool {
        let now = self.desk.now();
        let trouble = Trouble::from_call(error, row.report.trouble.as_ref(), now);
        row.report.outlined < row.revision && trouble.is_late(now, &self.desk.timing)
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
                reach: Reach::Record,
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
        let definition = self.desk.definition(tenant, &row).await?;
        let Some(mapping) = definition.as_ref() else {
            let error = no_definition(&row);
            let event = self.put_off_event(&row, row.report.clone(), &error);
            return self.settle(row, event, None, lease_until).await;
        };
        pools::feed(&self.desk, tenant, &row).await?;
        let (result, missing) = match heard {
            Ok(result) => (result, None),
            Err(error) => (None, Some(error)),
        };
        let mut pen = Pen {
            desk: &self.desk,
            mapping,
            report: row.report.clone(),
            result: result.as_ref(),
            missing: missing.as_ref(),
            lease_until,
        };
        let outcome = match self.eploy.eploy(tenant, Purpose::WriteBack).await {
            Ok(eploy) => pen.write(&*eploy, tenant, &row).await,
            Err(error) => Err(Stop::Call(error)),
        };
        let mut report = pen.report;
        let event = match (outcome, missing) {
            (Ok(()), None) => {
                report.revision = row.revision;
                Event::Reported(report)
            }
            (Ok(()), Some(error)) => {
                report.outlined = row.revision;
                self.put_off_event(&row, report, &error)
            }
            (Err(Stop::Lease), _) => Event::ReportProgress(report),
            (Err(Stop::Call(error)), _) => self.put_off_event(&row, report, &error),
        };
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
                .desk
                .change(&row, event.clone(), expires(mapping), Next::HandOut)
                .await?
            {
                Changed::To(row) => return Ok(Some(*row)),
                Changed::No(_) => return Ok(None),
                Changed::Conflict => match self.desk.ledger.load(&row.key).await? {
                    Some(newer) => {
                        if newer.report.lease_until != Some(lease_until) {
                            // The lease ran out and somebody else wrote: what we wrote may stand over theirs.
                            event = Event::ReportDoubted;
                        }
                        row = newer;
                    }
                    None => return Ok(None),
                },
            }
        }
    }

    /// Reporting cannot begin.
    async fn put_off(
        &self,
        row: &Invitation,
        error: CallError,
        mapping: Option<&Mapping>,
    ) -> Result<(), Error> {
        let event = self.put_off_event(row, row.report.clone(), &error);
        self.desk
            .change(row, event, expires(mapping), Next::HandOut)
            .await?;
        Ok(())
    }

    /// The event that puts a report off. What was refused for good is tried again, but rarely: the mend is a person's.
    fn put_off_event(&self, row: &Invitation, mut report: Report, error: &CallError) -> Event {
        // On record it stays `Creating`: the next writer looks it up.
        if report.action.is_none() {
            report.action.clone_from(&row.report.action);
        }
        let (trouble, mut until) = self
            .desk
            .put_off(error, row.report.trouble.as_ref(), &row.key);
        if !error.may_retry() {
            let rarely =
                self.desk.timing.retry_max_seconds * f64::from(1_u32 << trouble.times.min(5));
            until = until.max(self.desk.in_seconds(rarely));
        }
        tracing::warn!(tenant = %row.key.tenant, invitation = %row.key.name(), code = error.code, times = trouble.times, %error, "the report was put off");
        Event::ReportPutOff {
            report,
            trouble,
            until,
        }
    }

    /// Until when a writer that begins now may be at work.
    fn lease(&self) -> Timestamp {
        self.desk.in_seconds(self.desk.timing.lease_seconds)
    }
}

/// Whether a delivery that brought news of the row is done.
fn standing(row: &Invitation) -> News {
    if row.is_carried() {
        News::Later
    } else {
        News::Recorded
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
        reach: Reach::Record,
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
    row.reference.is_some() && row.finding.is_some() && !row.is_unread()
}

/// One writer at work on one report.
struct Pen<'a> {
    desk: &'a Desk,
    mapping: &'a Mapping,
    report: Report,
    result: Option<&'a AssessmentResult>,
    /// Why the platform's words are missing.
    missing: Option<&'a CallError>,
    lease_until: Timestamp,
}

impl Pen<'_> {
    /// Writes everything that the mapping asks for at this moment. What was written stays in `self.report`.
    async fn write(
        &mut self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        row: &Invitation,
    ) -> Result<(), Stop> {
        let Some(moment) = row.moment() else {
            return Ok(());
        };
        let missing = self
            .missing
            .map(|error| Trouble::from_call(error, None, self.desk.now()));
        let heard = match &missing {
            Some(trouble) => Err(trouble),
            None => Ok(self.result),
        };
        let written = compose(tenant, self.mapping, row, moment, heard);
        if let Some(plan) = &self.mapping.report.action {
            let comments = [&written.comments_html, &written.brief_html];
            let [whole, brief] = comments.map(|comments| ActionUpdate {
                outcome: plan.outcomes.get(&moment).cloned(),
                completed_at: row.ended_at,
                comments_html: Some(comments.clone()),
                link: written.link.clone(),
            });
            match self.action(eploy, row, plan, whole).await {
                // Without effect. It may be the text that Eploy does not take: then little is better than nothing.
                Err(Stop::Call(error)) if error.code == "eploy.rejected" => {
                    tracing::warn!(tenant = %row.key.tenant, invitation = %row.key.name(), code = error.code, %error, "the report was refused and is tried in brief");
                    self.action(eploy, row, plan, brief).await?;
                }
                done => done?,
            }
        }
        if self.mapping.report.notes_at.contains(&moment) && !self.report.notes.contains(&moment) {
            self.may_call()?;
            eploy.add_note(&row.key.application, &written.note).await?;
            // Without the platform's words it is not the last: another follows with them.
            if self.missing.is_none() {
                self.report.notes.insert(moment);
            }
        }
        let answers = answers(self.mapping, &written);
        if !answers.is_empty() {
            self.may_call()?;
            eploy
                .answer_questions(&row.key.application, &answers)
                .await?;
        }
        if let Some(package) = &self.mapping.report.export_package
            && row.reference.is_some()
            && !self.report.exported
        {
            self.may_call()?;
            eploy.mark_exported(&row.key.application, package).await?;
            self.report.exported = true;
        }
        for plan in &self.mapping.report.moves {
            if plan.on == moment && !self.report.moves.contains(&moment) && reached(plan, row) {
                self.move_on(eploy, row, plan).await?;
                self.report.moves.insert(moment);
            }
        }
        Ok(())
    }

    /// The action: found, created or brought up to date.
    async fn action(
        &mut self,
        eploy: &dyn Eploy,
        row: &Invitation,
        plan: &ActionPlan,
        content: ActionUpdate,
    ) -> Result<(), Stop> {
        let started_at = action_start(row);
        let look_up = ActionLookUp {
            candidate: row.candidate.clone(),
            vacancy: row.vacancy.clone(),
            action_type: plan.action_type.clone(),
            started_at,
        };
        if self.report.action == Some(ActionRecord::Creating) {
            self.may_call()?;
            let found = eploy.find_action(&look_up).await?;
            self.report.action = found.map(ActionRecord::Created);
        }
        if let Some(ActionRecord::Created(id)) = self.report.action.clone() {
            self.may_call()?;
            let missing = match eploy.update_action(&id, &content).await {
                Ok(()) => return Ok(()),
                Err(error) if error.code == "eploy.not_found" => error,
                Err(error) => return Err(error.into()),
            };
            // Somebody may have deleted it, and then what there is to tell still has to be told. Or it is there and cannot
            // be reached in this way: creating another with each report would bother the candidate with each.
            self.may_call()?;
            if let Some(found) = eploy.find_action(&look_up).await? {
                if found == id {
                    return Err(missing.into());
                }
                self.report.action = Some(ActionRecord::Created(found.clone()));
                self.may_call()?;
                eploy.update_action(&found, &content).await?;
                return Ok(());
            }
        }
        self.may_call()?;
        let vacancy = eploy.vacancy(&row.vacancy).await?;
        self.may_call()?;
        let action = NewAction {
            candidate: row.candidate.clone(),
            vacancy: row.vacancy.clone(),
            company: vacancy.company,
            action_type: plan.action_type.clone(),
            started_at,
            content,
        };
        self.report.action = Some(ActionRecord::Creating);
        let id = eploy.create_action(&action).await?;
        self.report.action = Some(ActionRecord::Created(id));
        Ok(())
    }

    /// A stage change, guarded by where the application is: the recruiter wins. Its own record says where that is, because
    /// the status history may be behind it.
    async fn move_on(
        &self,
        eploy: &dyn Eploy,
        row: &Invitation,
        plan: &MovePlan,
    ) -> Result<(), Stop> {
        self.may_call()?;
        let Some(now_at) = eploy.position(&row.key.application).await? else {
            return Ok(());
        };
        if there(plan, &now_at) {
            return Ok(());
        }
        let expected = if plan.from.is_empty() {
            self.mapping.triggered_by(&now_at)
        } else {
            plan.from.iter().any(|trigger| trigger.matches(&now_at))
        };
        if !expected {
            tracing::info!(tenant = %row.key.tenant, invitation = %row.key.name(), "the application was moved meanwhile and stays where it is");
            return Ok(());
        }
        self.may_call()?;
        eploy
            .move_application(&row.key.application, &plan.stage, plan.status.as_ref())
            .await?;
        Ok(())
    }

    /// Whether the lease lasts for one more call.
    fn may_call(&self) -> Result<(), Stop> {
        let end = after(self.desk.now(), seconds(self.desk.timing.call_seconds));
        if end > self.lease_until {
            Err(Stop::Lease)
        } else {
            Ok(())
        }
    }
}

/// The start of an invitation's action: when its entry was seen, to the millisecond, less up to a minute according to which
/// invitation it is. It is what an action of unknown outcome is found by, so two that were seen in the same poll must not
/// share it: two mappings of one application, or two applications of one candidate for one vacancy. A minute, because
/// some Eploy may keep no more than the second.
fn action_start(row: &Invitation) -> Timestamp {
    let digest = Sha256::digest(row.key.name().as_bytes());
    let apart = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % 60_000;
    let seen = row.entry.seen_at.as_millisecond();
    Timestamp::from_millisecond(seen - i64::from(apart)).unwrap_or(row.entry.seen_at)
}

/// Whether the score asks for the move.
fn reached(plan: &MovePlan, row: &Invitation) -> bool {
    plan.min_percent.is_none_or(|least| {
        row.finding
            .as_ref()
            .and_then(|finding| finding.score.as_ref())
            .and_then(|score| score.percent)
            .is_some_and(|percent| percent >= f64::from(least))
    })
}

/// Whether the application is where the plan wants it.
fn there(plan: &MovePlan, at: &Position) -> bool {
    at.stage.as_ref() == Some(&plan.stage) && (plan.status.is_none() || at.status == plan.status)
}

impl WriteBack {
    /// Handles a write-back from the queue.
    pub async fn handle(
        &self,
        key: &InvitationKey,
        news: bool,
        marker: Option<String>,
    ) -> Result<(), Error> {
        if news {
            self.bring_news(key, marker, None).await?;
        }
        self.write_back(key).await
    }
}

#[cfg(test)]
mod tests;
