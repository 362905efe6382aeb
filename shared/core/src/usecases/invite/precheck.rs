//! The check before sending: whether the invitation is still to be sent, and to whom.

use super::{Inviter, follow_merge, skip};
use crate::invitation::{Event, FailReason, Failure, Invitation, SkipReason};
use crate::person::{Person, email_problem};
use crate::ports::{Eploy, Purpose};
use crate::tenant::{Mapping, Position, Tenant};
use crate::usecases::stage_check::{StageCheck, StageEntry};

/// The outcome of the check before sending.
#[derive(Debug)]
pub enum Precheck {
    /// Send: to this person, with this entry, at this present position.
    Send(Box<Person>, Option<StageEntry>, Option<Position>),
    /// Do not send, or not now: the event for the row.
    Hold(Box<Event>),
}

impl Inviter {
    /// Checks that the mapping still applies and the application is still at its trigger, and reads whom to invite: `mapping` is
    /// the invitation's own, and `present` as it is configured now. Saves nothing.
    pub async fn precheck(
        &self,
        tenant: &Tenant,
        mapping: &Mapping,
        present: &Mapping,
        row: &Invitation,
    ) -> Precheck {
        if !present.vacancies.contains(&row.vacancy) {
            return Precheck::Hold(Box::new(skip(SkipReason::MappingChanged)));
        }
        if present.paused {
            return Precheck::Hold(Box::new(self.mapping_paused()));
        }
        let eploy = match self.eploy.eploy(tenant, Purpose::Invite).await {
            Ok(eploy) => eploy,
            Err(error) => {
                return Precheck::Hold(Box::new(self.classify_failure(row, None, &error)));
            }
        };
        // A candidate selected by the outcome of another invitation is invited wherever the application is by now.
        let anywhere = mapping.triggers.is_empty();
        let there = |position: &_| anywhere || row.report.is_at_trigger(mapping, position);
        let (entry, position) = match StageCheck::of(&*eploy, &row.key.application, there).await {
            Err(error) => {
                return Precheck::Hold(Box::new(self.classify_failure(row, None, &error)));
            }
            Ok(StageCheck::NotAtStage) => {
                return Precheck::Hold(Box::new(skip(SkipReason::MovedOn)));
            }
            Ok(StageCheck::AtStage(position, _))
                if !(anywhere || row.report.is_at_trigger(present, &position)) =>
            {
                return Precheck::Hold(Box::new(skip(SkipReason::MappingChanged)));
            }
            Ok(StageCheck::AtStage(_, _)) if anywhere => (None, None),
            Ok(StageCheck::AtStage(position, entry)) => (entry, Some(position)),
        };
        if let Some(entry) = &entry
            && let Some(not_before) = row.entry.not_before
            && entry.is_before(not_before)
        {
            // The baseline reading had missed it.
            return Precheck::Hold(Box::new(skip(SkipReason::Baseline)));
        }
        match self.person(&*eploy, row).await {
            Ok(person) => Precheck::Send(Box::new(person), entry, position),
            Err(event) => Precheck::Hold(Box::new(event)),
        }
    }

    /// Reads the candidate, who must have an e-mail address.
    async fn person(&self, eploy: &dyn Eploy, row: &Invitation) -> Result<Person, Event> {
        let no_email = || Event::Fail {
            claim: None,
            reason: FailReason::NoEmail,
        };
        match eploy.candidate(&row.candidate).await {
            Ok(person) => {
                let email = person.email.as_deref().filter(|email| email.contains('@'));
                let email = email.ok_or_else(no_email)?;
                match email_problem(email) {
                    None => Ok(person),
                    Some(why) => Err(Event::Fail {
                        claim: None,
                        reason: FailReason::Refused(self.unusable_email(why)),
                    }),
                }
            }
            Err(error) => Err(match follow_merge(eploy, row, error).await {
                Ok(merged) => merged,
                Err(error) => self.classify_failure(row, None, &error),
            }),
        }
    }

    /// The failure for an unusable address.
    fn unusable_email(&self, why: &str) -> Failure {
        Failure {
            code: "candidate.email".to_owned(),
            problem: format!("the candidate's e-mail address is not one: {why}"),
            remedy: "Correct it in Eploy and move the application to the trigger stage again"
                .to_owned(),
            first_failed_at: self.engine.now(),
            attempts: 1,
        }
    }

    /// The mapping was paused after the entry was detected.
    fn mapping_paused(&self) -> Event {
        let now = self.engine.now();
        Event::Deferred {
            claim: None,
            failure: Failure {
                code: "mapping.paused".to_owned(),
                problem: "the mapping is paused".to_owned(),
                remedy: "Resume it in Stagecall, and the invitation goes out".to_owned(),
                // A pause is no failure: it is never given up, however long it lasts.
                first_failed_at: now,
                attempts: 1,
            },
            until: self.engine.in_seconds(self.engine.timing.retry_max_seconds),
        }
    }
}
