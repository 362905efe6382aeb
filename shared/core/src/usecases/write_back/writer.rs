//! One writer of one report: writes every part that is behind, each independently.

pub(super) mod action;
mod moves;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::merged::{NOT_FOUND, application_gone};
use crate::engine::Engine;
use crate::error::{CallError, ErrorScope, Phase};
use crate::ids::CandidateId;
use crate::invitation::{Event, Failure, Invitation, NextTry, Part, PartFailure, Report};
use crate::ports::Eploy;
use crate::report::{Missing, Moment, Written, compose};
use crate::result::AssessmentResult;
use crate::tenant::Mapping;
use crate::timing::{after, seconds};

/// The application itself is no more.
const GONE: &str = Failure::APPLICATION_GONE;

/// Why a report stopped half-way.
pub(super) enum WriteError {
    /// A call failed, and not because of one part.
    Call(Box<CallError>),
    /// The lease does not last for another call.
    Lease,
}

impl From<CallError> for WriteError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

/// A writer at work. Its report collects what was written and what failed.
pub(super) struct ReportWriter<'a> {
    engine: &'a Engine,
    mapping: &'a Mapping,
    row: &'a Invitation,
    /// The candidate: another than the row's if they were merged in Eploy.
    candidate: CandidateId,
    /// The moment to report, if any.
    moment: Option<Moment>,
    report: Report,
    /// Whether the platform's text is available.
    words: bool,
    /// Whether Eploy answered "not found" for anything.
    not_found: bool,
    /// Whether it tried to write anything.
    tried: bool,
    lease_until: Timestamp,
}

impl<'a> ReportWriter<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        mapping: &'a Mapping,
        row: &'a Invitation,
        lease_until: Timestamp,
    ) -> Self {
        Self {
            engine,
            mapping,
            row,
            candidate: row.candidate.clone(),
            moment: row.moment(),
            report: row.report.clone(),
            words: true,
            not_found: false,
            tried: false,
            lease_until,
        }
    }

    /// The platform answered, or nothing is needed from it: what was written without its text is written again.
    pub(super) fn has_words(&mut self) {
        self.report.has_words();
    }

    /// The platform cannot be asked. Once that has lasted, what the ledger knows is reported without the platform's
    /// text.
    pub(super) fn lacks_words(&mut self, error: &CallError) {
        self.words = false;
        self.failed(Part::Words, error);
        let lasts = self.report.failure(Part::Words).is_some_and(|failure| {
            failure
                .failure
                .is_late(self.engine.now(), &self.engine.timing)
                || failure.is_given_up()
        });
        if lasts {
            self.report.begin_without_words(self.row.revision);
        }
    }

    /// The parts that the mapping has for this moment.
    fn planned(&self) -> BTreeSet<Part> {
        let mut planned = BTreeSet::new();
        let Some(moment) = self.moment else {
            return planned;
        };
        let plan = &self.mapping.report;
        if plan.action.is_some() {
            planned.insert(Part::Action);
        }
        if plan.notes_at.contains(&moment) {
            planned.insert(Part::Note(moment));
        }
        planned.extend(plan.questions.keys().map(|what| Part::Answer(*what)));
        if plan.export_package.is_some() && self.row.reference.is_some() {
            planned.insert(Part::Export);
        }
        if self.move_plan(moment).is_some() {
            planned.insert(Part::Move(moment));
        }
        planned
    }

    /// Whether Eploy does not show the latest revision of a part.
    fn lacks(&self, part: Part) -> bool {
        let shown = self.report.shows(part);
        shown == 0 || part.follows_revisions() && shown < self.row.revision
    }

    /// Whether a part is behind and due.
    fn is_behind(&self, part: Part) -> bool {
        self.lacks(part)
            && match self.report.failure(part).map(|failure| failure.next) {
                None => true,
                Some(NextTry::At(at)) => at <= self.engine.now(),
                Some(NextTry::GivenUp(revision)) => revision < self.row.revision,
            }
    }

    /// Whether there is anything to write now.
    pub(super) fn is_due(&self) -> bool {
        let reportable = self.words || self.report.shows(Part::Words) > 0;
        let mut planned = self.planned().into_iter();
        reportable && (self.was_gone() || planned.any(|part| self.is_behind(part)))
    }

    /// Whether the application was missing at the last attempt. Then it is looked up whenever its parts are due.
    fn was_gone(&self) -> bool {
        let failure = self.report.failure.as_ref();
        failure.is_some_and(|failure| failure.code == GONE)
    }

    /// Writes every part that is behind.
    pub(super) async fn write(
        &mut self,
        eploy: &dyn Eploy,
        platform: &str,
        result: Option<&AssessmentResult>,
    ) -> Result<(), WriteError> {
        let Some(moment) = self.moment else {
            return Ok(());
        };
        self.tried = true;
        if self.was_gone() {
            self.look_for_application(eploy).await?;
        }
        // The failures that the action mentions.
        let reported = self.row.report.failures();
        let mut reported: Vec<_> = reported
            .filter(|(_, failure)| failure.mentioned)
            .map(|(part, failure)| (part, failure.is_given_up()))
            .collect();
        let (mentioned, written) = self.compose(platform, moment, result);
        if self.bring_action(eploy, moment, &written).await? {
            reported = mentioned;
        }
        let note = Part::Note(moment);
        if self.mapping.report.notes_at.contains(&moment) && self.is_behind(note) {
            self.may_call()?;
            let outcome = eploy
                .add_note(&self.row.key.application, &written.note)
                .await;
            self.took(note, outcome)?;
        }
        self.answer(eploy, &written).await?;
        if let Some(package) = &self.mapping.report.export_package
            && self.row.reference.is_some()
            && self.is_behind(Part::Export)
        {
            self.may_call()?;
            let outcome = eploy
                .mark_exported(&self.row.key.application, package)
                .await;
            self.took(Part::Export, outcome)?;
        }
        if let Some(plan) = self.move_plan(moment)
            && self.is_behind(Part::Move(moment))
        {
            let outcome = self.move_on(eploy, plan).await;
            self.went(Part::Move(moment), outcome)?;
        }
        if self.not_found {
            self.look_for_application(eploy).await?;
        }
        if reported != self.mentioned()
            && self.mapping.report.action.is_some()
            && self.report.failure(Part::Action).is_none()
        {
            self.report.show(Part::Action, 0);
            let (mentioned, written) = self.compose(platform, moment, result);
            if self.bring_action(eploy, moment, &written).await? {
                reported = mentioned;
            }
        }
        self.report
            .note_mentioned(|part| reported.iter().any(|(mentioned, _)| *mentioned == part));
        Ok(())
    }

    /// The candidate that the row's was merged into, if that was noticed.
    pub(super) fn merged_into(&self) -> Option<CandidateId> {
        (self.candidate != self.row.candidate).then(|| self.candidate.clone())
    }

    /// The event that ends the work, to be saved.
    pub(super) fn finish(mut self, outcome: Result<(), WriteError>) -> Event {
        // It stays saved as `Creating`: the next writer looks it up.
        if self.report.action.is_none() {
            self.report.action.clone_from(&self.row.report.action);
        }
        match outcome {
            Err(WriteError::Lease) => return Event::ReportProgress(self.report),
            // If no part was due, the failure was not tried again.
            Ok(()) if !self.tried => {}
            Ok(()) => self.report.failure = None,
            Err(WriteError::Call(error)) => {
                let mut lacking = self.planned();
                lacking.retain(|part| self.lacks(*part));
                return stopped(self.engine, self.row, self.report, &lacking, &error);
            }
        }
        let planned = self.planned();
        self.report
            .keep_failures_of(|part| part == Part::Words || planned.contains(&part));
        ended(self.row, self.report)
    }

    /// Records the outcome of a part. An error that affects more than the part stops the writer.
    fn took(&mut self, part: Part, outcome: Result<(), CallError>) -> Result<(), WriteError> {
        self.went(part, outcome.map_err(WriteError::from))
    }

    fn went(&mut self, part: Part, outcome: Result<(), WriteError>) -> Result<(), WriteError> {
        match outcome {
            Ok(()) => {
                self.report.show(part, self.row.revision);
                Ok(())
            }
            Err(WriteError::Call(error)) if concerns_a_part(&error) => {
                self.failed(part, &error);
                Ok(())
            }
            Err(stop) => Err(stop),
        }
    }

    /// Records that a part could not be written.
    fn failed(&mut self, part: Part, error: &CallError) {
        let before = self.report.failure(part).map(|failure| &failure.failure);
        let failure = Failure::from_call(error, before, self.engine.now());
        let next = retry_at(self.engine, self.row, error, &failure);
        let (key, times) = (&self.row.key, failure.attempts);
        if matches!(next, NextTry::GivenUp(_)) {
            tracing::error!(tenant = %key.tenant, invitation = %key.name(), %part, code = error.code, times, %error, "report part given up");
        } else {
            tracing::warn!(tenant = %key.tenant, invitation = %key.name(), %part, code = error.code, times, %error, "report part deferred");
        }
        self.not_found |= error.code == NOT_FOUND;
        self.report.fail(
            part,
            PartFailure {
                failure,
                next,
                mentioned: false,
            },
        );
    }

    /// The parts that the action mentions because they have failed for a while, each with whether it was given up.
    fn mentioned(&self) -> Vec<(Part, bool)> {
        let now = self.engine.now();
        let lasts = |failure: &PartFailure| {
            failure.is_given_up() || failure.failure.is_late(now, &self.engine.timing)
        };
        self.report
            .failures()
            .filter(|(part, failure)| !matches!(part, Part::Words | Part::Action) && lasts(failure))
            .map(|(part, failure)| (part, failure.is_given_up()))
            .collect()
    }

    /// The composed report, and the parts that it mentions as missing.
    fn compose(
        &self,
        platform: &str,
        moment: Moment,
        result: Option<&AssessmentResult>,
    ) -> (Vec<(Part, bool)>, Written) {
        let mentioned = self.mentioned();
        let words = self.report.failure(Part::Words).filter(|_| !self.words);
        let missing = Missing {
            words: words.map(PartFailure::is_given_up),
            parts: &mentioned,
        };
        let written = compose(platform, self.mapping, self.row, moment, result, &missing);
        (mentioned, written)
    }

    /// Answers the custom questions: in one call, or one by one if some of them are refused.
    async fn answer(&mut self, eploy: &dyn Eploy, written: &Written) -> Result<(), WriteError> {
        let application = &self.row.key.application;
        let mut due = Vec::new();
        for (what, question) in &self.mapping.report.questions {
            let part = Part::Answer(*what);
            if let Some(answer) = written.answers.get(what)
                && self.is_behind(part)
            {
                due.push((part, question.clone(), answer.clone()));
            }
        }
        if due.is_empty() {
            return Ok(());
        }
        self.may_call()?;
        let all = due
            .iter()
            .map(|(_, question, answer)| (question.clone(), answer.clone()));
        let outcome = eploy.answer_questions(application, &all.collect()).await;
        let by_itself = due.len() == 1 || !outcome.as_ref().is_err_and(|error| !error.may_retry());
        for (part, question, answer) in due {
            if by_itself {
                self.took(part, outcome.clone())?;
                continue;
            }
            self.may_call()?;
            let one = BTreeMap::from([(question, answer)]);
            let outcome = eploy.answer_questions(application, &one).await;
            self.took(part, outcome)?;
        }
        Ok(())
    }

    /// Stops the writer if the application does not exist in Eploy any more.
    async fn look_for_application(&self, eploy: &dyn Eploy) -> Result<(), WriteError> {
        self.may_call()?;
        match eploy.position(&self.row.key.application).await {
            Ok(None) => Err(gone().into()),
            Err(error) if error.code == NOT_FOUND => Err(gone().into()),
            Err(error) if !concerns_a_part(&error) => Err(error.into()),
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }

    /// Whether the lease lasts for one more call.
    fn may_call(&self) -> Result<(), WriteError> {
        let end = after(self.engine.now(), seconds(self.engine.timing.call_seconds));
        if end > self.lease_until {
            Err(WriteError::Lease)
        } else {
            Ok(())
        }
    }
}

/// Nothing can be written at present because of this error: deferred, or given up with everything that is `lacking`.
pub(super) fn stopped(
    engine: &Engine,
    row: &Invitation,
    mut report: Report,
    lacking: &BTreeSet<Part>,
    error: &CallError,
) -> Event {
    let is_gone = error.code == GONE;
    // Another kind of problem starts a new count.
    let before = row.report.failure.as_ref();
    let before = before.filter(|before| (before.code == GONE) == is_gone);
    let failure = Failure::from_call(error, before, engine.now());
    let next = if is_gone && failure.attempts >= Failure::GONE_TRIES {
        NextTry::GivenUp(row.revision)
    } else {
        retry_at(engine, row, error, &failure)
    };
    let (key, times) = (&row.key, failure.attempts);
    if let NextTry::At(until) = next {
        tracing::warn!(tenant = %key.tenant, invitation = %key.name(), code = error.code, times, %error, "report deferred");
        report.failure = Some(failure);
        return Event::ReportDeferred { report, until };
    }
    tracing::error!(tenant = %key.tenant, invitation = %key.name(), code = error.code, times, %error, "report given up");
    for part in lacking {
        let failure = PartFailure {
            failure: failure.clone(),
            next,
            mentioned: false,
        };
        report.fail(*part, failure);
    }
    ended(row, report)
}

/// Everything was tried: done, unless a part is retried later.
fn ended(row: &Invitation, mut report: Report) -> Event {
    if let Some(until) = report.retry_at() {
        return Event::ReportDeferred { report, until };
    }
    report.revision = row.revision;
    Event::Reported(report)
}

/// The next attempt after a failure.
fn retry_at(engine: &Engine, row: &Invitation, error: &CallError, failure: &Failure) -> NextTry {
    let (now, timing) = (engine.now(), &engine.timing);
    let refused = !error.may_retry();
    if failure.ends_report(refused, now, timing) {
        return NextTry::GivenUp(row.revision);
    }
    let mut until = after(now, timing.backoff(failure.attempts, &row.key.to_string()));
    if let Some(not_before) = error.retry_at {
        until = until.max(not_before);
    }
    if refused || failure.is_lasting(now, timing) {
        until = until.max(after(now, failure.rare_wait(timing)));
    }
    NextTry::At(until)
}

/// Whether an error may be due to the part and not to the connection, so that other parts are tried.
fn concerns_a_part(error: &CallError) -> bool {
    error.code != GONE
        && error.scope == ErrorScope::Record
        && matches!(error.phase, Phase::Refused | Phase::Unknown)
}

fn gone() -> CallError {
    application_gone("write the report")
}
