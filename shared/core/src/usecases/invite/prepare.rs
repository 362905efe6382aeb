//! Preparation for a live interview or a talent pool: which interview, when and with whom; and whether the pool has the
//! candidate already. All of it precedes the claim, and none of it reaches the candidate.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Inviter;
use crate::engine::{Applied, Dispatch};
use crate::error::{CallError, Error, ErrorScope, Phase, StoreError, System};
use crate::ids::{AssessmentId, QuestionId, Reference};
use crate::invitation::{Event, FailReason, Invitation, NotApplicable, SkipReason, State};
use crate::meeting::{Appointment, MeetingDay, MeetingPlan, OncePer, addresses};
use crate::ports::{Answer, AssessmentOrder, Bound, Eploy, Platform, Purpose, QuestionsOf, Task};
use crate::tenant::{Mapping, MappingKind, PoolPlan, Tenant};

/// Everything that must be known before a live interview is scheduled.
struct Meeting {
    interview: AssessmentId,
    appointment: Appointment,
    interviewers: Vec<String>,
}

/// Why a live interview cannot be scheduled.
enum PrepareError {
    Call(CallError),
    Store(StoreError),
}

impl From<CallError> for PrepareError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<StoreError> for PrepareError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Inviter {
    /// The row to be claimed, and the task. `None` if there is nothing more to do now; the reason is saved then.
    pub(super) async fn prepare_task(
        &self,
        tenant: &Tenant,
        mapping: &Mapping,
        row: Invitation,
        platform: &dyn Platform,
    ) -> Result<Option<(Invitation, Task)>, Error> {
        match &mapping.kind {
            MappingKind::Invitation => Ok(Some((row, Task::Invite))),
            MappingKind::Meeting(plan) => {
                self.schedule_meeting(tenant, mapping, plan, row, platform)
                    .await
            }
            MappingKind::Pool(plan) => self.take_slot(mapping, plan, row).await,
        }
    }

    async fn schedule_meeting(
        &self,
        tenant: &Tenant,
        mapping: &Mapping,
        plan: &MeetingPlan,
        row: Invitation,
        platform: &dyn Platform,
    ) -> Result<Option<(Invitation, Task)>, Error> {
        let meeting = match self.meeting(tenant, mapping, plan, &row, platform).await {
            Ok(meeting) => meeting,
            Err(PrepareError::Store(error)) => return Err(error.into()),
            Err(PrepareError::Call(error)) => {
                let event = self.classify_failure(&row, None, &error);
                self.apply_event(&row, Some(mapping), event).await?;
                return Ok(None);
            }
        };
        let task = Task::Meet {
            appointment: meeting.appointment,
            interviewers: meeting.interviewers,
        };
        // Saved before the platform is called, so that a lookup adopts the appointment that was made.
        let event = Event::Scheduled {
            assessment: meeting.interview,
            appointment: meeting.appointment,
        };
        let changed = self
            .engine
            .apply(&row, event, Some(mapping), Dispatch::Inline)
            .await?;
        Ok(match changed {
            Applied::Yes(row) => Some((*row, task)),
            Applied::Rejected(NotApplicable::NothingNew { .. }) => Some((row, task)),
            Applied::Rejected(_) | Applied::Conflict => None,
        })
    }

    async fn meeting(
        &self,
        tenant: &Tenant,
        mapping: &Mapping,
        plan: &MeetingPlan,
        row: &Invitation,
        platform: &dyn Platform,
    ) -> Result<Meeting, PrepareError> {
        let eploy = self.eploy.eploy(tenant, Purpose::Invite).await?;
        let appointment = appointment(&*eploy, plan, row, self.engine.now()).await?;
        let interviewers = interviewers(&*eploy, plan, row).await?;
        let unmade = row.assessment.assessment == mapping.assessment.assessment;
        let interview = match plan.creates {
            Some(once_per) if unmade => {
                self.created_interview(&*eploy, mapping, once_per, row, platform)
                    .await?
            }
            _ => row.assessment.assessment.clone(),
        };
        Ok(Meeting {
            interview,
            appointment,
            interviewers,
        })
    }

    /// The interview for the row: the saved one, or a new one. The ledger decides between two that were created at
    /// once; nobody is ever invited to the other.
    async fn created_interview(
        &self,
        eploy: &dyn Eploy,
        mapping: &Mapping,
        once_per: OncePer,
        row: &Invitation,
        platform: &dyn Platform,
    ) -> Result<AssessmentId, PrepareError> {
        let (ledger, tenant) = (&self.engine.ledger, &row.key.tenant);
        let account = &row.assessment.account;
        let name = interview_name(mapping, once_per, row);
        if let Some(made) = ledger
            .find_created_assessment(tenant, account, &name)
            .await?
        {
            return Ok(made);
        }
        let vacancy = match once_per {
            OncePer::Mapping => None,
            OncePer::Vacancy => Some(eploy.vacancy(&row.vacancy).await?.title),
        };
        let order = AssessmentOrder {
            client_ref: name.clone(),
            configured: mapping.assessment.assessment.clone(),
            vacancy,
            options: mapping.options.clone(),
        };
        let made = platform.ensure_assessment(&order).await?;
        let used = ledger
            .save_created_assessment(tenant, account, &name, &made)
            .await?;
        if used == made {
            tracing::info!(%tenant, mapping = %mapping.id, interview = %used, "interview created");
        } else {
            tracing::warn!(%tenant, mapping = %mapping.id, interview = %used, unused = %made, "two interviews created at once, one stays unused");
        }
        Ok(used)
    }

    /// Takes the candidate's slot in the pool. A slot is one reference per candidate, bound permanently: a second
    /// application of the candidate finds it taken. A slot whose owner never got into the pool is skipped.
    async fn take_slot(
        &self,
        mapping: &Mapping,
        plan: &PoolPlan,
        row: Invitation,
    ) -> Result<Option<(Invitation, Task)>, Error> {
        const MAX_SLOTS: u32 = 100;
        let mut taken = None;
        for number in 1..=MAX_SLOTS {
            let assessment = &row.assessment.assessment;
            let place = Reference::new(format!("pool/{assessment}/{}/{number}", row.candidate));
            let ledger = &self.engine.ledger;
            match ledger
                .bind_reference(&row.assessment.account, &place, &row)
                .await?
            {
                Bound::Erased => {
                    ledger.purge_if_erased(&row).await?;
                    return Ok(None);
                }
                Bound::Ours => {
                    let tags = plan.tags.clone();
                    return Ok(Some((row, Task::Pool { tags })));
                }
                Bound::Other(owner) => {
                    let owner_row = ledger.load(&owner).await?;
                    taken = Some(owner);
                    if owner_row.is_some_and(|owner| keeps_its_place(&owner.state)) {
                        break;
                    }
                }
            }
        }
        let event = Event::Skip {
            claim: None,
            reason: SkipReason::Duplicate(taken),
        };
        self.apply_event(&row, Some(mapping), event).await?;
        Ok(None)
    }
}

/// Whether an invitation in this state is in the pool, or may turn out to be.
fn keeps_its_place(state: &State) -> bool {
    match state {
        State::Skipped(_) | State::Cancelled => false,
        State::Failed(reason) => matches!(reason, FailReason::OutcomeUnknown(_)),
        _ => true,
    }
}

/// When the interview takes place.
async fn appointment(
    eploy: &dyn Eploy,
    plan: &MeetingPlan,
    row: &Invitation,
    now: Timestamp,
) -> Result<Appointment, CallError> {
    let minutes = plan.minutes;
    let day = match &plan.day {
        MeetingDay::WorkingDays(days) => {
            // An earlier appointment stays while it can: another attempt must not move it.
            if let Some(known) = row.appointment.filter(|known| known.at > now) {
                return Ok(known);
            }
            plan.working_day(*days, now)
        }
        MeetingDay::Question(question) => {
            let of = QuestionsOf::Application(row.key.application.clone());
            match eploy.answer(&of, question).await? {
                Some(Answer::Day(day)) => plan.on(day),
                Some(Answer::At(at)) => Ok(at),
                Some(Answer::Text(_)) | None => return Err(no_date(question)),
            }
        }
    };
    match day {
        Ok(at) if at > now => Ok(Appointment { at, minutes }),
        Ok(_) => Err(failure(
            Phase::Refused,
            "meeting.past",
            "the interview's date is in the past".to_owned(),
            "Enter a date that is still to come".to_owned(),
        )),
        Err(error) => Err(failure(
            Phase::Refused,
            "meeting.no_day",
            error.to_string(),
            "Correct the interview's date, or the mapping's time zone".to_owned(),
        )),
    }
}

/// The interviewers.
async fn interviewers(
    eploy: &dyn Eploy,
    plan: &MeetingPlan,
    row: &Invitation,
) -> Result<Vec<String>, CallError> {
    let mut all = plan.interviewers.clone();
    if let Some(question) = &plan.interviewers_question {
        let of = QuestionsOf::Vacancy(row.vacancy.clone());
        if let Some(Answer::Text(text)) = eploy.answer(&of, question).await? {
            for address in addresses(&text) {
                if !all.iter().any(|known| known.eq_ignore_ascii_case(&address)) {
                    all.push(address);
                }
            }
        }
        if all.is_empty() {
            return Err(failure(
                Phase::NotSent,
                "meeting.no_interviewer",
                format!("question {question} of the vacancy has no interviewer's e-mail address"),
                "Answer it on the vacancy; the interview is then scheduled automatically"
                    .to_owned(),
            ));
        }
    }
    Ok(all)
}

fn no_date(question: &QuestionId) -> CallError {
    failure(
        Phase::NotSent,
        "meeting.no_date",
        format!("question {question} of the application has no date for the interview"),
        "Answer it on the application; the interview is then scheduled automatically".to_owned(),
    )
}

fn failure(phase: Phase, code: &'static str, problem: String, remedy: String) -> CallError {
    CallError {
        system: System::Eploy,
        operation: "schedule the interview",
        phase,
        scope: ErrorScope::Record,
        code,
        problem,
        remedy,
        retry_at: None,
    }
}

/// Our name for the interview: of the mapping or the vacancy, with a digest of the options for the platform, so that
/// other options create another interview.
fn interview_name(mapping: &Mapping, once_per: OncePer, row: &Invitation) -> String {
    let options = serde_json::to_vec(&(&mapping.assessment, &mapping.options)).unwrap_or_default();
    let digest = hex::encode(&Sha256::digest(&options)[..4]);
    match once_per {
        OncePer::Mapping => format!("{}.{digest}", mapping.id),
        OncePer::Vacancy => format!("{}.{}.{digest}", mapping.id, row.vacancy),
    }
}

#[cfg(test)]
mod tests;
