//! The state machine: from an invitation, an event and the time to the next invitation and its effects. Pure: no I/O,
//! no clock, no randomness. Every change of an invitation is made here.

mod effects;
mod wake;

use jiff::Timestamp;

use self::effects::{effects, given_up};
use self::wake::Watch;
pub(crate) use self::wake::watch_limit;
use super::event::{Event, NotApplicable, Transition};
use super::{
    FailReason, Failure, HistoryEntry, Invitation, Report, Schedule, SkipReason, State, Step,
};
use crate::timing::{Timing, seconds};

impl Invitation {
    /// Applies `event` at `now`. `expires_after_days` is the mapping's own expiry.
    ///
    /// # Errors
    /// [`NotApplicable`] if the event means nothing in this state; then nothing is saved.
    pub fn apply(
        &self,
        event: Event,
        now: Timestamp,
        timing: &Timing,
        expires_after_days: Option<u32>,
    ) -> Result<Transition, NotApplicable> {
        let what = event.name();
        let (carried, looked) = match &event {
            // A sweep's change token says that it need not look again, so what it marks is due on its own, with or
            // without a delivery.
            Event::Observed { carried, .. } => (*carried, !*carried),
            // The writer need not be the one that the delivery sent.
            Event::ReportBegun(_) => (false, false),
            _ => (self.awaits_delivery(), false),
        };
        let watch = Watch {
            carried,
            looked,
            expires_after_days,
        };
        let mut next = self.clone();
        let (detail, schedule) = next.mutate(event, now, timing, &watch)?;
        next.version += 1;
        next.schedule = schedule.unwrap_or_else(|| next.usual_schedule(self, &watch, now, timing));
        next.append_history(now, what, detail);
        let effects = effects(self, &next, now);
        Ok(Transition { next, effects })
    }

    /// Changes the fields. Returns the detail for the history and, where it is not the usual one, the schedule.
    #[allow(
        clippy::too_many_lines,
        reason = "one arm per event reads best in one place"
    )]
    fn mutate(
        &mut self,
        event: Event,
        now: Timestamp,
        timing: &Timing,
        watch: &Watch,
    ) -> Result<(Option<String>, Option<Schedule>), NotApplicable> {
        let past = NotApplicable::Past {
            event: event.name(),
            state: self.state.name(),
        };
        let nothing_new = NotApplicable::NothingNew {
            event: event.name(),
        };
        let held_by = |claim: Option<u32>| match (&self.state, claim) {
            (State::Detected, None) => true,
            (State::Sending { .. }, Some(attempt)) => attempt == self.attempts,
            _ => false,
        };
        let idle = self.idle(now);
        // Only the application's presence is still recorded: it tells a new entry from an old one.
        let noted = matches!(event, Event::Left { .. } | Event::StillThere { .. });
        if self.forgotten_at.is_some() && !noted {
            return Err(past);
        }
        let mut detail = None;
        let mut schedule = None;
        match event {
            Event::Scheduled {
                assessment,
                appointment,
            } => {
                if self.state != State::Detected {
                    return Err(past);
                }
                if self.assessment.assessment == assessment && self.appointment == Some(appointment)
                {
                    return Err(nothing_new);
                }
                detail = Some(format!("{assessment} at {}", appointment.at));
                self.assessment.assessment = assessment;
                self.appointment = Some(appointment);
            }
            Event::Claim {
                lease_until,
                entered_at,
                history,
                sent_to,
            } => {
                if self.state != State::Detected {
                    return Err(past);
                }
                self.attempts += 1;
                self.retry_at = None;
                self.failure
                    .iter_mut()
                    .for_each(|one| one.leave_out(idle, now));
                self.entry.entered_at = entered_at.or(self.entry.entered_at);
                self.entry.history = history.or(self.entry.history.take());
                self.sent_to = sent_to;
                self.state = State::Sending { lease_until };
                detail = Some(format!("attempt {}", self.attempts));
            }
            Event::Deferred {
                claim,
                mut failure,
                until,
            } => {
                if !held_by(claim) {
                    return Err(past);
                }
                failure.leave_out(idle, now);
                detail = Some(failure.code.clone());
                if failure.is_exhausted(now, timing) {
                    self.state = State::Failed(FailReason::GaveUp(failure));
                    self.revision += 1;
                } else {
                    self.state = State::Detected;
                    self.retry_at = Some(until);
                    self.mark_late(&failure, now, until, timing);
                    self.failure = Some(failure);
                }
            }
            Event::OutcomeUnknown {
                attempt,
                mut failure,
                look_up_at,
            } => {
                if !matches!(self.state, State::Sending { .. }) || attempt != self.attempts {
                    return Err(past);
                }
                detail = Some(failure.code.clone());
                self.state = State::Sending {
                    lease_until: look_up_at,
                };
                failure.leave_out(idle, now);
                self.mark_late(&failure, now, look_up_at, timing);
                self.failure = Some(failure);
            }
            Event::LookupDeferred { mut failure, until } => {
                if !matches!(self.state, State::Sending { lease_until } if lease_until <= now) {
                    return Err(past);
                }
                failure.leave_out(idle, now);
                detail = Some(failure.code.clone());
                if failure.is_exhausted(now, timing) || failure.is_gone_after(self.failure.as_ref())
                {
                    self.state = State::Failed(FailReason::OutcomeUnknown(failure));
                    self.revision += 1;
                } else {
                    self.mark_late(&failure, now, until, timing);
                    self.failure = Some(failure);
                    self.retry_at = Some(until);
                }
            }
            Event::LookupNotFound { again_at } => {
                if !matches!(self.state, State::Sending { lease_until } if lease_until <= now) {
                    return Err(past);
                }
                match self.failure.take() {
                    Some(failure) if failure.is_exhausted(now, timing) => {
                        self.state = State::Failed(FailReason::GaveUp(failure));
                        self.revision += 1;
                        self.retry_at = None;
                    }
                    // Its senders never finish, and the cause is unknown.
                    None if self.attempts >= Self::MAX_INTERRUPTED => {
                        self.state = State::Failed(FailReason::GaveUp(self.interrupted(now)));
                        self.revision += 1;
                        self.retry_at = None;
                    }
                    failure => {
                        self.failure = failure;
                        self.state = State::Detected;
                        self.retry_at = again_at;
                    }
                }
            }
            Event::Sent {
                reference,
                link,
                adopted: _,
                writer,
            } => {
                if let Some(first) = &self.reference {
                    return Err(if *first == reference {
                        nothing_new
                    } else {
                        NotApplicable::Double {
                            first: first.clone(),
                            second: reference,
                        }
                    });
                }
                detail = Some(reference.to_string());
                self.reference = Some(reference);
                self.invite_link = link;
                self.invited_at = Some(now);
                self.sent_to = None;
                self.failure = None;
                self.retry_at = None;
                self.state = State::Invited;
                self.revision += 1;
                if let Some(writer) = writer
                    && !self.report.leased(now)
                {
                    self.report.begin(writer);
                }
            }
            Event::Skip { claim, reason } => {
                if !held_by(claim) {
                    return Err(past);
                }
                detail = Some(reason.name().to_owned());
                let is_news = match &reason {
                    // Another mapping invites for the same entry, and reports it.
                    SkipReason::Duplicate(Some(other)) if claim.is_none() => {
                        other.application != self.key.application
                            || other.mapping == self.key.mapping
                    }
                    SkipReason::Duplicate(_) => true,
                    _ => false,
                };
                if self.revision > 0 || is_news {
                    self.revision += 1;
                }
                self.retry_at = None;
                if reason == SkipReason::MovedOn {
                    // Seen away from the stage: a return is a new entry, whatever a poll saw in between.
                    self.entry.left_at.get_or_insert(now);
                }
                self.state = State::Skipped(reason);
            }
            Event::Fail { claim, reason } => {
                if !held_by(claim) {
                    return Err(past);
                }
                detail = Some(reason.code().to_owned());
                self.retry_at = None;
                self.state = State::Failed(reason);
                self.revision += 1;
            }
            Event::Observed {
                snapshot,
                change_token,
                lease_until,
                carried: _,
            } => {
                if self.reference.is_none() {
                    return Err(past);
                }
                let changed = self
                    .snapshot
                    .as_ref()
                    .is_none_or(|before| before.digest != snapshot.digest);
                let marked = change_token.is_some() && change_token != self.change_token;
                // A delivery reported a change, and this is the first look since.
                let behind = watch.looked
                    && matches!(self.schedule, Schedule::Sweep { .. })
                    && self.schedule != self.watched(now, timing, watch);
                let was_unread = self.is_unread();
                let recovered = self.failure.take().is_some();
                self.result_overdue = false;
                if !changed && !marked && !behind && !recovered {
                    return Err(nothing_new);
                }
                let before = self.revision;
                if marked {
                    self.change_token = change_token;
                }
                if changed {
                    let found = State::of(snapshot.status);
                    // Never backwards: a platform that now says "sent" of an invitation that had started is behind.
                    if found.level() > self.state.level() {
                        if found.level() > 3 {
                            self.ended_at = snapshot.completed_at.or(Some(now));
                        }
                        self.state = found;
                    }
                    detail = Some(format!("{:?}", snapshot.status).to_lowercase());
                    // The first look at a fresh invitation shows no more than "invited" did.
                    let first_plain = self.snapshot.is_none()
                        && matches!(self.state, State::Invited)
                        && snapshot.status != crate::result::Status::Opened;
                    if !first_plain {
                        self.revision += 1;
                    }
                    self.snapshot = Some(snapshot);
                }
                if was_unread && recovered && self.revision == before {
                    self.revision += 1;
                }
                if self.unreported() && !self.report.leased(now) {
                    self.report.leave_out(idle, now);
                    self.report.lease(lease_until);
                }
            }
            Event::ResultUnavailable(failure) => {
                if self.reference.is_none() {
                    return Err(past);
                }
                detail = Some(failure.code.clone());
                let overdue = failure.is_overdue(now, timing);
                if self.state.is_open() && failure.is_unanswered(now, timing) {
                    self.failure = None;
                    self.result_overdue = false;
                    self.state = State::Failed(FailReason::Unanswered(failure));
                    self.ended_at = Some(now);
                    self.revision += 1;
                } else {
                    if self.state.is_open() && overdue && !self.result_overdue {
                        self.result_overdue = true;
                        self.revision += 1;
                    } else {
                        schedule = Some(self.schedule.clone());
                    }
                    self.failure = Some(failure);
                }
            }
            Event::WatchExpired => {
                let Schedule::Sweep { until, .. } = self.schedule else {
                    return Err(past);
                };
                let is_over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
                if !is_over(watch_limit(until, self.state.level(), self.invited_at))
                    || self.awaits_delivery()
                {
                    return Err(past);
                }
                let by_now = self.watched(now, timing, watch);
                let goes_on = matches!(by_now, Schedule::Sweep { until, .. } if !is_over(until));
                if !self.state.is_open() && goes_on {
                    // It ended, or ended again, since a sweep last looked.
                    schedule = Some(by_now);
                } else if self.state.is_open() {
                    self.state = State::Expired;
                    self.ended_at = Some(now);
                    self.revision += 1;
                } else {
                    schedule = Some(Schedule::Never);
                }
            }
            Event::Left { modified } => {
                if self.entry.left_at.is_some() {
                    return Err(nothing_new);
                }
                self.entry.left_at = Some(now);
                self.entry.modified = self.entry.modified.max(modified);
                if self.state == State::Detected {
                    self.state = State::Skipped(SkipReason::MovedOn);
                    self.retry_at = None;
                    if self.revision > 0 {
                        self.revision += 1;
                    }
                }
            }
            Event::StillThere { modified } => {
                if self.entry.modified == modified && self.entry.left_at.is_none() {
                    return Err(nothing_new);
                }
                self.entry.modified = modified;
                self.entry.left_at = None;
                schedule = Some(self.schedule.clone());
            }
            Event::CandidateMerged { candidate } => {
                if self.candidate == candidate {
                    return Err(nothing_new);
                }
                detail = Some(candidate.to_string());
                self.candidate = candidate;
                schedule = Some(self.schedule.clone());
            }
            Event::ReportBegun(writer) => {
                if !self.unreported() || self.report.leased(now) {
                    return Err(past);
                }
                self.report.leave_out(idle, now);
                self.report.begin(writer);
            }
            Event::ReportProgress(mut report) => {
                report.doubted = self.report.doubted;
                if report.doubted {
                    report.forget_revisions();
                }
                if report == self.report {
                    return Err(nothing_new);
                }
                self.report = report;
                schedule = Some(self.schedule.clone());
            }
            Event::Reported(mut report) => {
                report.revision = report.revision.min(self.revision).max(self.report.revision);
                report.failure = None;
                report.lease_until = None;
                if self.report.doubted {
                    report.revision = report.revision.min(self.revision.saturating_sub(1));
                }
                report.doubted = false;
                report.settle();
                if report == self.report {
                    return Err(nothing_new);
                }
                detail = Some(shown(&report));
                self.report = report;
                schedule = self.schedule_rest(now);
            }
            Event::ReportStale if self.report.lease_until.is_some() => {
                if self.report.doubted {
                    return Err(nothing_new);
                }
                self.report.doubted = true;
                schedule = Some(self.schedule.clone());
            }
            Event::ReportStale => {
                if self.report.revision == 0 {
                    return Err(nothing_new);
                }
                self.report.revision = self.revision.saturating_sub(1);
                self.report.forget_revisions();
                schedule = self.schedule_rest(now);
            }
            Event::ReportDeferred { mut report, until } => {
                if !self.unreported() {
                    return Err(past);
                }
                detail = report.problem().map(|failure| failure.code.clone());
                report.revision = self.report.revision;
                report.lease_until = None;
                if self.report.doubted {
                    report.forget_revisions();
                }
                report.doubted = false;
                self.report = report;
                if self.state.level() > 0 {
                    schedule = Some(Schedule::At {
                        at: until,
                        step: Step::WriteBack,
                    });
                }
            }
            Event::Retry => schedule = self.retry(now, past, nothing_new)?,
            Event::Cancel => match self.state {
                State::Detected => {
                    self.state = State::Skipped(SkipReason::Cancelled);
                    self.retry_at = None;
                    if self.revision > 0 {
                        self.revision += 1;
                    }
                }
                State::Invited | State::Started => {
                    self.state = State::Cancelled;
                    self.ended_at = Some(now);
                    self.revision += 1;
                }
                State::Cancelled | State::Skipped(SkipReason::Cancelled) => {
                    return Err(nothing_new);
                }
                _ => return Err(past),
            },
            Event::Purge => {
                if !self.is_over() {
                    return Err(past);
                }
                // It has no result, so there is nothing to remove: above all the baseline's rows.
                if self.revision == 0 {
                    return Err(nothing_new);
                }
                self.forget(now);
                schedule = Some(Schedule::Never);
            }
        }
        Ok((detail, schedule))
    }

    /// How often sending may be begun without finishing before it is given up.
    const MAX_INTERRUPTED: u32 = 50;

    /// The failure for senders that never finish.
    fn interrupted(&self, now: Timestamp) -> Failure {
        Failure {
            code: "invitation.interrupted".to_owned(),
            problem: "sending was begun repeatedly and never finished".to_owned(),
            remedy: "Ask the operator of Stagecall to check its log".to_owned(),
            first_failed_at: now,
            attempts: self.attempts,
        }
    }

    /// Whether it has ended. How much of it Eploy shows does not matter: the retention time is over all the same.
    fn is_over(&self) -> bool {
        self.state.level() > 0 && !self.state.is_open()
    }

    /// Removes its result.
    fn forget(&mut self, now: Timestamp) {
        self.forgotten_at = Some(now);
        self.invite_link = None;
        self.snapshot = None;
        self.change_token = None;
        self.failure = None;
        self.result_overdue = false;
        self.sent_to = None;
        self.report = Report {
            revision: self.revision,
            ..Report::default()
        };
        self.history.clear();
    }

    /// Applies an operator's retry: the only way back from a failure.
    fn retry(
        &mut self,
        now: Timestamp,
        past: NotApplicable,
        nothing_new: NotApplicable,
    ) -> Result<Option<Schedule>, NotApplicable> {
        match &self.state {
            State::Detected | State::Sending { .. } if self.retry_at.is_none_or(|at| at <= now) => {
                return Err(nothing_new);
            }
            State::Detected | State::Sending { .. } => self.retry_at = None,
            State::Failed(_) if self.reference.is_none() => {
                self.failure = None;
                self.retry_at = None;
                self.state = if self.attempts == 0 {
                    State::Detected
                } else {
                    // The platform may have it after all.
                    State::Sending { lease_until: now }
                };
            }
            _ if !self.unreported() && self.report.failures().next().is_none() => {
                return Err(nothing_new);
            }
            _ if self.report.leased(now) => return Err(past),
            _ => {
                self.report.try_again(self.revision);
                return Ok(self.schedule_rest(now));
            }
        }
        Ok(None)
    }

    /// The schedule after a report that may already be behind.
    fn schedule_rest(&self, now: Timestamp) -> Option<Schedule> {
        (self.unreported() && self.state.level() > 0).then_some(Schedule::At {
            at: now,
            step: Step::WriteBack,
        })
    }

    /// Notifies the recruiter of the delay, once: when it has lasted, or when it is known that it will, because there
    /// is no attempt before `until` (the day's allowance is spent, or the other side asked us to wait).
    fn mark_late(&mut self, failure: &Failure, now: Timestamp, until: Timestamp, timing: &Timing) {
        let long_wait = until.duration_since(now) >= seconds(timing.late_seconds);
        if self.revision == 0 && (long_wait || failure.is_late(now, timing)) {
            self.revision = 1;
        }
    }

    /// Appends to the history. Repetitions of an event are one entry with the time of the last.
    fn append_history(&mut self, at: Timestamp, what: &str, detail: Option<String>) {
        if matches!(what, "still_there" | "report_progress" | "report_begun") {
            return;
        }
        if let Some(last) = self.history.last_mut()
            && last.what == what
            && last.detail == detail
        {
            last.at = at;
            return;
        }
        if self.history.len() >= Self::MAX_HISTORY_ENTRIES {
            self.history.remove(Self::MAX_HISTORY_ENTRIES / 2);
        }
        self.history.push(HistoryEntry {
            at,
            what: what.to_owned(),
            detail,
        });
    }
}

/// What Eploy shows, for the history.
fn shown(report: &Report) -> String {
    let without: Vec<_> = given_up(report)
        .map(|(part, code)| format!("{part}: {code}"))
        .collect();
    if without.is_empty() {
        format!("revision {}", report.revision)
    } else {
        format!(
            "revision {} without {}",
            report.revision,
            without.join(", ")
        )
    }
}
