//! The kind of a mapping: invitations, live interviews, or a talent pool.

use serde::Deserialize;
use stagecall_core::ids::{AccountId, AssessmentId, QuestionId};
use stagecall_core::meeting::{MeetingDay, MeetingPlan, OncePer};
use stagecall_core::tenant::{MappingKind, PoolPlan};
use toml::Table;

use super::section::Section;

/// What a mapping invites to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssessmentGiven {
    pub(super) platform: AccountId,
    /// The id of an existing one.
    pub(super) id: Option<AssessmentId>,
    /// The kind of the one to create, in the platform's word.
    pub(super) create: Option<AssessmentId>,
    /// The scope in which one is created.
    pub(super) once_per: Option<OncePer>,
}

/// The mapping's kind: meetings, a pool, or plain invitations.
pub(super) fn read(
    section: &mut Section<'_>,
    path: &str,
    assessment: Option<&AssessmentGiven>,
    problems: &mut Vec<String>,
) -> MappingKind {
    let meeting = section
        .table("meeting", problems)
        .map(|table| meeting(table, &format!("{path}.meeting"), assessment, problems));
    let pool: Option<PoolPlan> = section.optional(
        "pool",
        "{ tags = [\"…\"], after = [{ mapping = \"…\", on = \"completed\", min_percent = 70 }] }",
        problems,
    );
    if let Some(assessment) = assessment
        && (assessment.id.is_some() == assessment.create.is_some()
            || assessment.create.is_some() != assessment.once_per.is_some()
            || assessment.create.is_some() && meeting.is_none())
    {
        problems.push(format!(
            "{path}.assessment: give an id; or, with [{path}.meeting], give create and once_per"
        ));
    }
    match (meeting, pool) {
        (None, None) => MappingKind::Invitation,
        (Some(plan), None) => plan.map_or(MappingKind::Invitation, MappingKind::Meeting),
        (None, Some(plan)) => MappingKind::Pool(plan),
        (Some(_), Some(_)) => {
            problems.push(format!(
                "{path} has meeting and pool; make two mappings, one with each"
            ));
            MappingKind::Invitation
        }
    }
}

/// The plan of live interviews; `None` if something is missing, which is added to `problems`.
fn meeting(
    table: &Table,
    path: &str,
    assessment: Option<&AssessmentGiven>,
    problems: &mut Vec<String>,
) -> Option<MeetingPlan> {
    let mut section = Section::new(table, path);
    let days: Option<u32> = section.optional("working_days", "1 for the next one", problems);
    let question: Option<QuestionId> = section.optional(
        "date_question",
        "the id of a date question of the application",
        problems,
    );
    let day = match (days, question) {
        (Some(days), None) => Some(MeetingDay::WorkingDays(days)),
        (None, Some(question)) => Some(MeetingDay::Question(question)),
        _ => {
            problems.push(format!(
                "{path}: give either working_days (1 is the next working day) or date_question"
            ));
            None
        }
    };
    let time = section.required("time", "a time of day such as \"10:00\"", problems);
    let minutes = section.required("minutes", "how long it takes, such as 45", problems);
    let zone: Option<String> = section.optional("zone", "such as \"Europe/London\"", problems);
    let interviewers: Vec<String> = section
        .optional("interviewers", "a list of e-mail addresses", problems)
        .unwrap_or_default();
    let interviewers_question = section.optional(
        "interviewers_question",
        "the id of a text question of the vacancy",
        problems,
    );
    section.finish(problems);
    let plan = MeetingPlan {
        creates: assessment.and_then(|assessment| assessment.once_per),
        day: day?,
        time: time?,
        zone: zone.unwrap_or_else(MeetingPlan::default_zone),
        minutes: minutes?,
        interviewers,
        interviewers_question,
    };
    let found = plan.problems();
    problems.extend(found.into_iter().map(|problem| format!("{path}.{problem}")));
    Some(plan)
}
