//! The `[[tenants.….mappings]]` tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use stagecall_core::ids::{
    AccountId, ActionTypeId, AssessmentRef, ExportPackageId, MappingId, OutcomeId, QuestionId,
    StageId, StatusId, VacancyId,
};
use stagecall_core::report::{Moment, text_problems};
use stagecall_core::tenant::{
    ActionPlan, Answerable, Mapping, MappingKind, MovePlan, PlatformConnection, Reentry,
    ReportPlan, Settings, Texts, Trigger, Vacancies,
};
use toml::Table;

use super::kind::{self, AssessmentGiven};
use super::section::Section;

/// A trigger given by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ByName {
    pub(crate) mapping: MappingId,
    /// The index of the trigger.
    pub(crate) trigger: usize,
    /// The stage's name, if its id has to be looked up.
    pub(crate) stage: Option<String>,
    /// The statuses' names, if their ids have to be looked up.
    pub(crate) statuses: Vec<String>,
}

/// `"all"` or a list of ids.
#[derive(Deserialize)]
#[serde(untagged)]
enum VacanciesGiven {
    Word(Word),
    These(BTreeSet<VacancyId>),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    All,
}

#[allow(
    clippy::too_many_lines,
    reason = "one line and more for each key, in order"
)]
pub(crate) fn read(
    table: &Table,
    path: &str,
    platforms: &BTreeMap<AccountId, PlatformConnection>,
    problems: &mut Vec<String>,
) -> Option<(Mapping, Vec<ByName>)> {
    let mut section = Section::new(table, path);
    let id: Option<MappingId> =
        section.required("id", "a short name such as \"support-video\"", problems);
    if let Some(id) = &id
        && !id
            .as_str()
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    {
        problems.push(format!(
            "{path}.id is \"{id}\"; use only letters, digits, - and _"
        ));
    }
    let vacancies: Option<VacanciesGiven> = section.required(
        "vacancies",
        "\"all\" or a list of vacancy ids such as [4101, 4102]",
        problems,
    );
    let assessment: Option<AssessmentGiven> = section.required(
        "assessment",
        "what to invite to: { platform = \"willo\", id = \"…\" }, or { platform, create = \"interview\", once_per = \"mapping\" or \"vacancy\" }",
        problems,
    );
    let kind = kind::read(&mut section, path, assessment.as_ref(), problems);
    let options: Settings = section
        .optional("options", "a table of the platform's options", problems)
        .unwrap_or_default();
    if let Some(assessment) = &assessment
        && !platforms.contains_key(&assessment.platform)
    {
        problems.push(format!(
            "{path}.assessment.platform is \"{}\", which is not one of the tenant's platforms",
            assessment.platform
        ));
    }
    let triggers = triggers(&mut section, path, &kind, problems);
    let paused = section
        .optional("paused", "true or false", problems)
        .unwrap_or(false);
    let include_current = section
        .optional("include_current", "true or false", problems)
        .unwrap_or(false);
    let allow_overlap = section
        .optional("allow_overlap", "true or false", problems)
        .unwrap_or(false);
    let reentry: Reentry = section
        .optional("reentry", "\"once\" or \"again\"", problems)
        .unwrap_or_default();
    let expires_after_days =
        section.optional("expires_after_days", "a whole number of days", problems);
    let report = match section.table("report", problems) {
        Some(table) => report(table, &format!("{path}.report"), problems),
        None => {
            problems.push(format!(
                "{path}.report is missing; give where results are shown in Eploy: [{path}.report]"
            ));
            ReportPlan::default()
        }
    };
    section.finish(problems);
    let id = id?;
    let by_name = triggers
        .iter()
        .enumerate()
        .filter(|(_, (_, stage, statuses))| stage.is_some() || !statuses.is_empty())
        .map(|(trigger, (_, stage, statuses))| ByName {
            mapping: id.clone(),
            trigger,
            stage: stage.clone(),
            statuses: statuses.clone(),
        })
        .collect();
    let assessment = assessment?;
    let mapping = Mapping {
        id,
        paused,
        vacancies: match vacancies? {
            VacanciesGiven::Word(Word::All) => Vacancies::All,
            VacanciesGiven::These(these) => Vacancies::Only(these),
        },
        triggers: triggers
            .into_iter()
            .map(|(trigger, _, _)| trigger)
            .collect(),
        assessment: AssessmentRef {
            account: assessment.platform,
            assessment: assessment.id.or(assessment.create)?,
        },
        kind,
        options,
        reentry,
        include_current,
        allow_overlap,
        expires_after_days,
        report,
    };
    if let Some(connection) = platforms.get(&mapping.assessment.account) {
        let found = stagecall_platforms::validate_mapping(connection, &mapping);
        problems.extend(
            found
                .into_iter()
                .map(|problem| format!("{path}: {problem}")),
        );
    }
    Some((mapping, by_name))
}

/// A trigger, and the names of its stage and statuses if the file gives names.
type TriggerGiven = (Trigger, Option<String>, Vec<String>);

/// The triggers, each with the names to look up. A pool may follow another mapping instead.
fn triggers(
    section: &mut Section<'_>,
    path: &str,
    kind: &MappingKind,
    problems: &mut Vec<String>,
) -> Vec<TriggerGiven> {
    let tables = section.tables("triggers", problems);
    let follows = matches!(kind, MappingKind::Pool(plan) if !plan.after.is_empty());
    if follows && !tables.is_empty() {
        problems.push(format!(
            "{path} has triggers and pool.after; make two mappings, one with each"
        ));
    }
    if tables.is_empty() && !follows {
        problems.push(format!(
            "{path}.triggers is missing; give at least one: triggers = [{{ stage = \"12\" }}]"
        ));
    }
    tables
        .into_iter()
        .enumerate()
        .filter_map(|(index, table)| trigger(table, &format!("{path}.triggers[{index}]"), problems))
        .collect()
}

/// A trigger, with the names to look up.
fn trigger(table: &Table, path: &str, problems: &mut Vec<String>) -> Option<TriggerGiven> {
    let mut section = Section::new(table, path);
    let stage: Option<StageId> = section.optional("stage", "the stage's id", problems);
    let stage_name: Option<String> = section.optional("stage_name", "the stage's name", problems);
    let statuses: Vec<StatusId> = section
        .optional("statuses", "a list of status ids", problems)
        .unwrap_or_default();
    let status_names: Vec<String> = section
        .optional("status_names", "a list of status names", problems)
        .unwrap_or_default();
    section.finish(problems);
    let to_find = match (&stage, &stage_name) {
        (None, None) => {
            problems.push(format!(
                "{path}: give the stage's id (stage) or its name (stage_name)"
            ));
            return None;
        }
        (None, Some(name)) => Some(name.clone()),
        (Some(_), _) => None,
    };
    let trigger = Trigger {
        stage: stage.unwrap_or_else(|| StageId::new("")),
        stage_name,
        statuses,
    };
    Some((trigger, to_find, status_names))
}

/// A trigger in a place that supports no names.
pub(super) fn trigger_by_id(
    table: &Table,
    path: &str,
    problems: &mut Vec<String>,
) -> Option<Trigger> {
    let (trigger, stage, statuses) = trigger(table, path, problems)?;
    if stage.is_some() || !statuses.is_empty() {
        problems.push(format!("{path}: names are not supported here; give ids"));
    }
    Some(trigger)
}

fn report(table: &Table, path: &str, problems: &mut Vec<String>) -> ReportPlan {
    let mut section = Section::new(table, path);
    let action = section
        .table("action", problems)
        .and_then(|table| action(table, &format!("{path}.action"), problems));
    let notes_at: BTreeSet<Moment> = section
        .optional(
            "notes_at",
            "a list of moments such as [\"completed\"]",
            problems,
        )
        .unwrap_or_default();
    let questions: BTreeMap<Answerable, QuestionId> = section
        .optional(
            "questions",
            "question ids by score, percent, status, link or completed_at",
            problems,
        )
        .unwrap_or_default();
    let moves = section
        .tables("moves", problems)
        .into_iter()
        .enumerate()
        .filter_map(|(index, table)| move_plan(table, &format!("{path}.moves[{index}]"), problems))
        .collect();
    let export_package: Option<ExportPackageId> =
        section.optional("export_package", "an export package's id", problems);
    let texts: Texts = section
        .optional("texts", "templates: comments and note", problems)
        .unwrap_or_default();
    problems.extend(
        text_problems(&texts)
            .into_iter()
            .map(|problem| format!("{path}.{problem}")),
    );
    section.finish(problems);
    if action.is_none() && notes_at.is_empty() && questions.is_empty() {
        problems.push(format!(
            "{path} does not show results anywhere; give an action, notes_at or questions"
        ));
    }
    ReportPlan {
        action,
        notes_at,
        questions,
        moves,
        export_package,
        texts,
    }
}

fn action(table: &Table, path: &str, problems: &mut Vec<String>) -> Option<ActionPlan> {
    let mut section = Section::new(table, path);
    let action_type: Option<ActionTypeId> =
        section.required("type", "the action type's id", problems);
    let outcomes: BTreeMap<Moment, OutcomeId> = section
        .optional(
            "outcomes",
            "outcome ids by moment: { invited = \"1\", completed = \"2\" }",
            problems,
        )
        .unwrap_or_default();
    section.finish(problems);
    Some(ActionPlan {
        action_type: action_type?,
        outcomes,
    })
}

fn move_plan(table: &Table, path: &str, problems: &mut Vec<String>) -> Option<MovePlan> {
    let mut section = Section::new(table, path);
    let on: Option<Moment> = section.required("on", "a moment such as \"completed\"", problems);
    let stage: Option<StageId> =
        section.required("stage", "the id of the stage to move to", problems);
    let status = section.optional("status", "the id of the status to set", problems);
    let min_percent: Option<u8> = section.optional("min_percent", "0 to 100", problems);
    let from = section
        .tables("from", problems)
        .into_iter()
        .enumerate()
        .filter_map(|(index, table)| {
            trigger_by_id(table, &format!("{path}.from[{index}]"), problems)
        })
        .collect();
    section.finish(problems);
    Some(MovePlan {
        on: on?,
        min_percent,
        from,
        stage: stage?,
        status,
    })
}
