//! `stagecall map add`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde_json::json;
use stagecall_core::ids::{AccountId, AssessmentId, AssessmentRef, MappingId, QuestionId};
use stagecall_core::ports::PlatformConnections as _;
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    ActionPlan, Answerable, Mapping, MappingKind, MovePlan, Reentry, ReportPlan, Settings, Tenant,
    Texts, Trigger, Vacancies,
};
use stagecall_eploy::{Inspector, List};

use super::pick::{Choice, Choices};
use super::show;
use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, print_json};
use crate::prompt;
use stagecall_operations::edit::cost;
use stagecall_operations::read::refuse_overlaps;
use stagecall_operations::{Hosting, Installation};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The mapping's id. [default: derived from the assessment's name]
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// A vacancy, by id or title; may be repeated.
    #[arg(long, value_name = "VACANCY", conflicts_with = "all_vacancies")]
    vacancy: Vec<String>,
    /// All vacancies, including future ones.
    #[arg(long)]
    all_vacancies: bool,
    /// A trigger stage, by id or name; may be repeated.
    #[arg(long, value_name = "STAGE")]
    stage: Vec<String>,
    /// A status that the trigger stage needs, by id or name; may be repeated. [default: any status]
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// The assessment, by id or name.
    #[arg(long, value_name = "ASSESSMENT")]
    assessment: Option<String>,
    /// The platform account of the assessment, if the tenant has several.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The type of the action that shows the invitation in Eploy, by id or name.
    #[arg(long, value_name = "TYPE")]
    action_type: Option<String>,
    /// MOMENT=OUTCOME, by id or name; may be repeated. [default: outcomes matched by their names]
    #[arg(long, value_name = "MOMENT=OUTCOME", requires = "action_type")]
    outcome: Vec<String>,
    /// WHAT=QUESTION: answer this custom question with score, percent, status, link or `completed_at`.
    #[arg(long, value_name = "WHAT=QUESTION")]
    question: Vec<String>,
    /// Write a note at this moment; needs a dialect with the path of notes.
    #[arg(long, value_name = "MOMENT")]
    note: Vec<String>,
    /// MOMENT=STAGE or MOMENT=STAGE:STATUS: move the application, by ids.
    #[arg(long = "move", value_name = "MOMENT=STAGE[:STATUS]")]
    moves: Vec<String>,
    /// Mark the application as exported with this export package, by id.
    #[arg(long, value_name = "PACKAGE")]
    export_package: Option<String>,
    /// Also invite applications that are at the trigger stage now. Without it they are the baseline, and never invited.
    #[arg(long)]
    include_current: bool,
    /// Allow another mapping for the same applications and the same assessment. Each entry is still invited once.
    #[arg(long)]
    allow_overlap: bool,
    /// Invite again when an application enters the trigger stage a second time.
    #[arg(long)]
    again: bool,
    /// The number of days after which an invitation counts as expired, whatever the platform says.
    #[arg(long, value_name = "DAYS")]
    expires_after_days: Option<u32>,
    /// Save the mapping paused.
    #[arg(long)]
    paused: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    audit: Audit,
}

/// The outcome names that each moment is matched with, from the vendors' texts and the sandbox.
const OUTCOME_NAMES: [(Moment, &[&str]); 9] = [
    (Moment::Invited, &["Invited", "Invitation Sent"]),
    (Moment::Started, &["Started", "In Progress"]),
    (Moment::Completed, &["Completed", "Complete"]),
    (Moment::Expired, &["Expired"]),
    (Moment::Declined, &["Declined"]),
    (Moment::Bounced, &["Undeliverable", "Bounced"]),
    (Moment::Cancelled, &["Cancelled", "Canceled"]),
    (Moment::Failed, &["Not Invited", "Failed"]),
    (Moment::Delayed, &["Delayed"]),
];

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let mut tenant = on.tenant(&arguments.tenant).await?;
    let inspector = on.eploy().inspector(&tenant)?;
    let vacancies = vacancies(&arguments, &inspector).await?;
    let triggers = triggers(&arguments, &inspector).await?;
    let (assessment, name) = assessment(&arguments, &tenant, on).await?;
    let report = report(&arguments, &inspector).await?;
    let mapping = Mapping {
        id: id(&arguments, &tenant, &name)?,
        paused: arguments.paused,
        vacancies,
        triggers,
        assessment,
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: if arguments.again {
            Reentry::Again
        } else {
            Reentry::Once
        },
        include_current: arguments.include_current,
        allow_overlap: arguments.allow_overlap,
        expires_after_days: arguments.expires_after_days,
        report,
    };
    if let Some(connection) = tenant.platforms.get(&mapping.assessment.account) {
        let problems = stagecall_platforms::validate_mapping(connection, &mapping);
        if !problems.is_empty() {
            return Err(exit::usage(problems.join("\n")));
        }
    }
    tenant.mappings.push(mapping.clone());
    refuse_overlaps(&tenant, on).await?;
    if !arguments.output.json {
        println!("{}", show::in_words(&mapping));
        if let Some(cost) = cost(on, &tenant).await? {
            println!("{cost}");
        }
    }
    let what = if mapping.include_current {
        format!(
            "Mapping {} will be added to {}. Applications that are at the trigger stage now will also be invited.",
            mapping.id, tenant.id
        )
    } else {
        format!(
            "Mapping {} will be added to {}. Applications that are at the trigger stage now are not invited; applications that enter it later are.",
            mapping.id, tenant.id
        )
    };
    if (mapping.include_current || prompt::can_ask()) && !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    on.records.put_tenant(&tenant).await?;
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, "map add", Some(&tenant.id), mapping.id.as_str())
        .await?;
    if arguments.output.json {
        print_json(&mapping)?;
    } else {
        println!("mapping {} is saved", mapping.id);
        if on.hosting == Hosting::Serverless {
            println!(
                "Next: stagecall register {}, so that the platform calls back",
                tenant.id
            );
        }
    }
    Ok(exit::OK)
}

async fn vacancies(arguments: &Arguments, inspector: &Inspector) -> anyhow::Result<Vacancies> {
    if arguments.all_vacancies {
        return Ok(Vacancies::All);
    }
    let all = inspector.vacancies().await?;
    let choices = Choices {
        what: "vacancy",
        all: all
            .into_iter()
            .map(|row| Choice {
                id: row.id.to_string(),
                name: row.title,
            })
            .collect(),
        complete: true,
    };
    let flag = "--vacancy (or --all-vacancies)";
    let chosen = choices.some(&arguments.vacancy, flag)?;
    Ok(Vacancies::Only(
        chosen
            .into_iter()
            .map(|one| one.id.as_str().into())
            .collect(),
    ))
}

async fn triggers(arguments: &Arguments, inspector: &Inspector) -> anyhow::Result<Vec<Trigger>> {
    let stages = Choices::of("stage", &inspector.list(List::Stages).await?);
    let statuses = if arguments.status.is_empty() {
        Vec::new()
    } else {
        Choices::of("status", &inspector.list(List::Statuses).await?)
            .some(&arguments.status, "--status")?
    };
    let chosen = stages.some(&arguments.stage, "--stage")?;
    let trigger = |stage: Choice| Trigger {
        stage: stage.id.as_str().into(),
        stage_name: Some(stage.name).filter(|name| !name.is_empty()),
        statuses: statuses
            .iter()
            .map(|status| status.id.as_str().into())
            .collect(),
    };
    Ok(chosen.into_iter().map(trigger).collect())
}

/// The assessment, and its name.
async fn assessment(
    arguments: &Arguments,
    tenant: &Tenant,
    on: &Installation,
) -> anyhow::Result<(AssessmentRef, String)> {
    let accounts: Vec<&AccountId> = tenant.platforms.keys().collect();
    let account = match (&arguments.account, accounts.as_slice()) {
        (Some(name), _) => AccountId::new(name.as_str()),
        (None, [only]) => (*only).clone(),
        (None, []) => {
            return Err(exit::usage(format!(
                "{} has no platform yet. Add one with: stagecall tenant add {} --platform <{}>",
                tenant.id,
                tenant.id,
                stagecall_platforms::names().join("|")
            )));
        }
        (None, several) => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            several[prompt::one("Which platform account", &names, "--account")?].clone()
        }
    };
    let platform = on.platforms().platform(tenant, &account).await?;
    let choices = Choices {
        what: "assessment",
        all: platform
            .assessments()
            .await?
            .into_iter()
            .map(|one| Choice {
                id: one.id.to_string(),
                name: one.name,
            })
            .collect(),
        complete: true,
    };
    let chosen = choices.one(arguments.assessment.as_deref(), "--assessment")?;
    Ok((
        AssessmentRef {
            account,
            assessment: AssessmentId::new(chosen.id),
        },
        chosen.name,
    ))
}

async fn report(arguments: &Arguments, inspector: &Inspector) -> anyhow::Result<ReportPlan> {
    let questions: BTreeMap<Answerable, QuestionId> = arguments
        .question
        .iter()
        .map(|text| {
            let (what, question) = pair(text, "--question", "percent=276")?;
            Ok((word(what, "--question")?, QuestionId::new(question)))
        })
        .collect::<anyhow::Result<_>>()?;
    let notes_at: BTreeSet<Moment> = arguments
        .note
        .iter()
        .map(|text| word(text, "--note"))
        .collect::<anyhow::Result<_>>()?;
    let moves = arguments
        .moves
        .iter()
        .map(|text| {
            let (on, to) = pair(text, "--move", "completed=13:34")?;
            let (stage, status) = to
                .split_once(':')
                .map_or((to, None), |(stage, status)| (stage, Some(status)));
            Ok(MovePlan {
                on: word(on, "--move")?,
                min_percent: None,
                from: Vec::new(),
                stage: stage.into(),
                status: status.map(Into::into),
            })
        })
        .collect::<anyhow::Result<_>>()?;
    let elsewhere = !questions.is_empty() || !notes_at.is_empty();
    let action = if arguments.action_type.is_none() && (elsewhere || !prompt::can_ask()) {
        None
    } else {
        Some(action(arguments, inspector).await?)
    };
    if action.is_none() && !elsewhere {
        return Err(exit::usage(
            "results would not be shown anywhere; give --action-type, --question or --note",
        ));
    }
    Ok(ReportPlan {
        action,
        notes_at,
        questions,
        moves,
        export_package: arguments.export_package.as_deref().map(Into::into),
        texts: Texts::default(),
    })
}

async fn action(arguments: &Arguments, inspector: &Inspector) -> anyhow::Result<ActionPlan> {
    let types = Choices::of("action type", &inspector.list(List::ActionTypes).await?);
    let chosen = types.one(arguments.action_type.as_deref(), "--action-type")?;
    let all = Choices::of("outcome", &inspector.list(List::Outcomes).await?);
    let outcomes = if arguments.outcome.is_empty() {
        OUTCOME_NAMES
            .iter()
            .filter_map(|(moment, names)| {
                let found = names.iter().find_map(|name| all.find(name).ok())?;
                Some((*moment, found.id.as_str().into()))
            })
            .collect()
    } else {
        arguments
            .outcome
            .iter()
            .map(|text| {
                let (moment, outcome) = pair(text, "--outcome", "completed=Completed")?;
                Ok((
                    word(moment, "--outcome")?,
                    all.find(outcome)?.id.as_str().into(),
                ))
            })
            .collect::<anyhow::Result<_>>()?
    };
    Ok(ActionPlan {
        action_type: chosen.id.as_str().into(),
        outcomes,
    })
}

/// Splits at the equals sign.
fn pair<'a>(text: &'a str, flag: &str, example: &str) -> anyhow::Result<(&'a str, &'a str)> {
    text.split_once('=')
        .map(|(left, right)| (left.trim(), right.trim()))
        .filter(|(left, right)| !left.is_empty() && !right.is_empty())
        .ok_or_else(|| exit::usage(format!("{flag} {text}: give it as {example}")))
}

/// Parses a word of the vocabulary.
fn word<T: serde::de::DeserializeOwned>(text: &str, flag: &str) -> anyhow::Result<T> {
    serde_json::from_value(json!(text))
        .map_err(|error| exit::usage(format!("{flag} {text}: {error}")))
}

/// The mapping's id: as given, or derived from the assessment's name.
fn id(arguments: &Arguments, tenant: &Tenant, name: &str) -> anyhow::Result<MappingId> {
    let free = |id: &str| !tenant.mappings.iter().any(|other| other.id.as_str() == id);
    if let Some(id) = &arguments.id {
        let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
        if id.is_empty() || !id.chars().all(plain) {
            return Err(exit::usage(format!(
                "--id {id}: use only letters, digits, - and _ only"
            )));
        }
        if !free(id) {
            return Err(exit::usage(format!(
                "{} already has a mapping {id}; give another --id",
                tenant.id
            )));
        }
        return Ok(MappingId::new(id.as_str()));
    }
    let slug = slug(name);
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    let id = std::iter::once(slug.clone())
        .chain(numbered)
        .find(|id| free(id));
    Ok(MappingId::new(id.unwrap_or(slug)))
}

/// "First interview!" → "first-interview"
fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        "mapping".to_owned()
    } else {
        words.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids() {
        assert_eq!(slug("First interview – 2026!"), "first-interview-2026");
        assert_eq!(slug("面接"), "mapping");
    }

    #[test]
    fn invalid_pairs_and_words_are_rejected_with_an_example() {
        assert_eq!(pair("a = b", "--x", "c=d").unwrap(), ("a", "b"));
        let error = pair("a", "--question", "percent=276").unwrap_err();
        assert!(error.to_string().contains("percent=276"));
        let error = word::<Moment>("finished", "--note").unwrap_err();
        assert!(error.to_string().contains("`completed`"), "{error}");
    }
}
