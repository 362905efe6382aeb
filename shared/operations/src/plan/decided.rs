//! What the next poll would do about one application for one mapping, and why.

use serde::{Serialize, Serializer};
use stagecall_core::Timestamp;
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, CandidateId, MappingId, VacancyId};
use stagecall_core::invitation::{Event, FailReason, SkipReason};
use stagecall_core::ports::{ApplicationRow, MappingStatus};
use stagecall_core::tenant::{ReportPlan, Tenant};
use stagecall_core::usecases::{Decision, Evaluation, Inviter, Precheck};

use crate::history::why;

/// Reading the application's current stage, and the candidate.
pub(super) const CALLS_TO_INVITE: u64 = 2;

/// What would be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Would {
    /// It would be invited.
    Invite,
    /// What changed would be saved with its invitation.
    Note,
    /// Nothing.
    Nothing,
    /// Its entry would be saved as one that is not invited.
    PassOver,
}

impl Would {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Note => "note",
            Self::Nothing => "nothing",
            Self::PassOver => "pass over",
        }
    }
}

impl Serialize for Would {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// What would be done about an application for a mapping, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// The application.
    pub application: ApplicationId,
    /// Its candidate.
    pub candidate: CandidateId,
    /// Its vacancy.
    pub vacancy: VacancyId,
    /// The mapping; `None`: no mapping matches.
    pub mapping: Option<MappingId>,
    /// What would be done.
    pub decision: Would,
    /// Why.
    pub because: String,
    #[serde(skip)]
    pub(crate) calls_to_report: u64,
}

impl Decided {
    /// No mapping matches.
    pub(crate) fn nothing(row: &ApplicationRow) -> Self {
        Self {
            application: row.id.clone(),
            candidate: row.candidate.clone(),
            vacancy: row.vacancy.clone(),
            mapping: None,
            decision: Would::Nothing,
            because: "no mapping has its vacancy and stage".to_owned(),
            calls_to_report: 0,
        }
    }
}

/// One mapping's decision about one application, for people.
pub(super) struct Shown<'a> {
    pub(super) case: Evaluation<'a>,
    pub(super) tenant: &'a Tenant,
    pub(super) erased: bool,
    pub(super) now: Timestamp,
}

impl Shown<'_> {
    /// What would be done; `None` if the mapping does not match. An `inviter` is asked, too, which makes the calls to Eploy
    /// that it makes before it invites.
    pub(super) async fn show(
        &self,
        decision: Result<Decision, CallError>,
        inviter: Option<&Inviter>,
    ) -> Option<Decided> {
        let decision = match decision {
            Ok(decision) => decision,
            Err(error) => {
                let because = format!("its history cannot be read: {}", error.problem);
                return Some(self.line(Would::Nothing, because));
            }
        };
        let (decision, because) = match decision {
            Decision::NotMatched => return None,
            Decision::Invite { .. } | Decision::Skip { .. } if self.erased => {
                (Would::Nothing, "the candidate was erased".to_owned())
            }
            Decision::Invite { round } => self.entered(round, inviter).await,
            Decision::Skip { reason, .. } => (Would::PassOver, skip_reason(&reason).to_owned()),
            Decision::Known | Decision::AskHistory => (Would::Nothing, self.known()),
            Decision::StillThere => (
                Would::Note,
                format!("it changed, and did not leave the stage; {}", self.known()),
            ),
            Decision::NoteLeft => (
                Would::Note,
                format!("it left the trigger stage; {}", self.known()),
            ),
        };
        Some(self.line(decision, because))
    }

    /// What would be done about an application that entered.
    async fn entered(&self, round: u32, inviter: Option<&Inviter>) -> (Would, String) {
        let because = match round {
            1 => "it entered the trigger stage".to_owned(),
            _ => format!("it entered the trigger stage again: round {round}"),
        };
        let Some(inviter) = inviter else {
            return (Would::Invite, because);
        };
        let mapping = &self.case.watched.mapping;
        let Some(present) = self.tenant.mapping(&mapping.id) else {
            return (
                Would::PassOver,
                skip_reason(&SkipReason::MappingRemoved).to_owned(),
            );
        };
        let row = self.case.invitation(self.tenant, round, self.now);
        match inviter.precheck(self.tenant, mapping, present, &row).await {
            Precheck::Send(..) => (Would::Invite, because),
            Precheck::Hold(event) => held(&event, because),
        }
    }

    fn line(&self, decision: Would, because: String) -> Decided {
        let Evaluation { row, watched, .. } = self.case;
        Decided {
            application: row.id.clone(),
            candidate: row.candidate.clone(),
            vacancy: row.vacancy.clone(),
            mapping: Some(watched.mapping.id.clone()),
            decision,
            because,
            calls_to_report: calls_to_report(&watched.mapping.report),
        }
    }

    /// What is saved about it.
    fn known(&self) -> String {
        match (self.case.latest, self.case.watched.status(self.case.row)) {
            (Some(latest), _) => {
                let why = why(latest)
                    .map(|why| format!(" ({why})"))
                    .unwrap_or_default();
                format!("its invitation is {}{why}", latest.state.name())
            }
            (None, MappingStatus::Broken { .. }) => "the mapping is broken".to_owned(),
            (None, _) => "it has no invitation".to_owned(),
        }
    }
}

/// What would be done if the inviter does not invite, or not at once.
fn held(event: &Event, because: String) -> (Would, String) {
    match event {
        Event::Skip { reason, .. } => (Would::PassOver, skip_reason(reason).to_owned()),
        Event::Fail { reason, .. } => {
            let problem = match reason {
                FailReason::NoEmail => "the candidate has no e-mail address",
                FailReason::OnPlatform => "the platform gave up",
                FailReason::Refused(failure)
                | FailReason::GaveUp(failure)
                | FailReason::OutcomeUnknown(failure)
                | FailReason::Unanswered(failure) => &failure.problem,
            };
            (
                Would::PassOver,
                format!("{problem}, and Eploy would show that"),
            )
        }
        Event::Deferred { failure, .. } => {
            let problem = &failure.problem;
            (
                Would::Invite,
                format!("{because}, and sending is deferred: {problem}"),
            )
        }
        _ => (Would::Invite, because),
    }
}

fn skip_reason(reason: &SkipReason) -> &'static str {
    match reason {
        SkipReason::Baseline => "baseline: it was at the stage before the mapping was turned on",
        SkipReason::Paused => "the mapping is paused",
        SkipReason::MovedOn => "it left the stage",
        SkipReason::Duplicate(_) => "the candidate is already invited to that assessment",
        SkipReason::MappingRemoved => "the mapping was removed",
        SkipReason::MappingChanged => "its vacancy or trigger was removed from the mapping",
        SkipReason::Cancelled => "an operator cancelled it",
    }
}

/// The calls that showing "invited" costs: one for each part of the report.
fn calls_to_report(plan: &ReportPlan) -> u64 {
    let parts = [
        plan.action.is_some(),
        !plan.questions.is_empty(),
        plan.notes_at
            .contains(&stagecall_core::report::Moment::Invited),
        plan.export_package.is_some(),
    ];
    parts.into_iter().map(u64::from).sum()
}
