//! What the next poll would do about one application for one mapping, and why.

use serde::{Serialize, Serializer};
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, CandidateId, MappingId, VacancyId};
use stagecall_core::invitation::SkipReason;
use stagecall_core::ports::{ApplicationRow, Eploy, MappingStatus};
use stagecall_core::tenant::ReportPlan;
use stagecall_core::usecases::{Decision, Evaluation, StageCheck};

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
    pub(super) erased: bool,
}

impl Shown<'_> {
    /// What would be done; `None` if the mapping does not match. With `deep`, makes the calls to Eploy that inviting makes.
    pub(super) async fn show(
        &self,
        decision: Result<Decision, CallError>,
        eploy: &dyn Eploy,
        deep: bool,
    ) -> Result<Option<Decided>, CallError> {
        let decision = match decision {
            Ok(decision) => decision,
            Err(error) => {
                let because = format!("its history cannot be read: {}", error.problem);
                return Ok(Some(self.line(Would::Nothing, because)));
            }
        };
        let (decision, because) = match decision {
            Decision::NotMatched => return Ok(None),
            Decision::Invite { .. } | Decision::Skip { .. } if self.erased => {
                (Would::Nothing, "the candidate was erased".to_owned())
            }
            Decision::Invite { round } => match self.obstacle(eploy, deep).await? {
                Some(obstacle) => (Would::PassOver, obstacle),
                None if round == 1 => (Would::Invite, "it entered the trigger stage".to_owned()),
                None => (
                    Would::Invite,
                    format!("it entered the trigger stage again: round {round}"),
                ),
            },
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
        Ok(Some(self.line(decision, because)))
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

    /// The reason why it would not be invited, if there is one.
    async fn obstacle(&self, eploy: &dyn Eploy, deep: bool) -> Result<Option<String>, CallError> {
        if !deep {
            return Ok(None);
        }
        let Evaluation {
            row,
            watched,
            latest,
        } = self.case;
        let mapping = &watched.mapping;
        let there = |position: &_| mapping.triggered_by(position);
        match StageCheck::of(eploy, &row.id, there).await? {
            StageCheck::NotAtStage => return Ok(Some("it left the trigger stage".to_owned())),
            StageCheck::AtStage(_, Some(entry))
                if latest.is_none()
                    && !mapping.include_current
                    && entry.is_before(watched.since(row)) =>
            {
                return Ok(Some(skip_reason(&SkipReason::Baseline).to_owned()));
            }
            StageCheck::AtStage(..) => {}
        }
        let person = eploy.candidate(&row.candidate).await?;
        let reachable = person.email.is_some_and(|email| email.contains('@'));
        Ok((!reachable)
            .then(|| "the candidate has no e-mail address, and Eploy would show that".to_owned()))
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
