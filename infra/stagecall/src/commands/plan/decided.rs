//! What the next poll would do about one application for one mapping, and why.

use serde::Serialize;
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, CandidateId, MappingId, VacancyId};
use stagecall_core::invitation::SkipReason;
use stagecall_core::ports::{ApplicationRow, Eploy, MappingStatus};
use stagecall_core::tenant::ReportPlan;
use stagecall_core::usecases::{Decision, Evaluation, StageCheck};

use stagecall_operations::history::why;

/// It would be invited.
pub(super) const INVITE: &str = "invite";

/// Reading the application's current stage, and the candidate.
pub(super) const CALLS_TO_INVITE: u64 = 2;

/// A line of the plan.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Decided {
    pub(super) application: ApplicationId,
    pub(super) candidate: CandidateId,
    pub(super) vacancy: VacancyId,
    pub(super) mapping: Option<MappingId>,
    /// `invite`, `pass over`, `note` or `nothing`.
    pub(super) decision: &'static str,
    pub(super) because: String,
    #[serde(skip)]
    pub(super) calls_to_report: u64,
}

impl Decided {
    /// No mapping matches.
    pub(super) fn nothing(row: &ApplicationRow) -> Self {
        Self {
            application: row.id.clone(),
            candidate: row.candidate.clone(),
            vacancy: row.vacancy.clone(),
            mapping: None,
            decision: "nothing",
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
                return Ok(Some(self.line("nothing", because)));
            }
        };
        let (decision, because) = match decision {
            Decision::NotMatched => return Ok(None),
            Decision::Invite { .. } | Decision::Skip { .. } if self.erased => {
                ("nothing", "the candidate was erased".to_owned())
            }
            Decision::Invite { round } => match self.obstacle(eploy, deep).await? {
                Some(obstacle) => ("pass over", obstacle),
                None if round == 1 => (INVITE, "it entered the trigger stage".to_owned()),
                None => (
                    INVITE,
                    format!("it entered the trigger stage again: round {round}"),
                ),
            },
            Decision::Skip { reason, .. } => ("pass over", skip_reason(&reason).to_owned()),
            Decision::Known | Decision::AskHistory => ("nothing", self.known()),
            Decision::StillThere => (
                "note",
                format!("it changed, and did not leave the stage; {}", self.known()),
            ),
            Decision::NoteLeft => (
                "note",
                format!("it left the trigger stage; {}", self.known()),
            ),
        };
        Ok(Some(self.line(decision, because)))
    }

    fn line(&self, decision: &'static str, because: String) -> Decided {
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
