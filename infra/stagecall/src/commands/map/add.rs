//! `stagecall map add`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde_json::json;
use stagecall_core::ids::{AccountId, AssessmentId, AssessmentRef, QuestionId};
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    ActionPlan, Answerable, MovePlan, Reentry, ReportPlan, Tenant, Texts, Trigger, Vacancies,
};
use stagecall_eploy::Inspector;
use stagecall_operations::mappings::add::{NewMapping, outcomes_by_name, prepare};
use stagecall_operations::mappings::choices::{Choice, Choices};
use stagecall_operations::mappings::show::in_words;
use stagecall_operations::{Change as _, Hosting, Installation};

use super::pick;
use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, print_json};
use crate::prompt;

/// Add a mapping: vacancies, trigger stage, assessment, report. Saving it invites nobody. Live interviews and talent
/// pools need more settings than flags can express: use tenant export and tenant apply.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall map add acme\n  stagecall map add acme --vacancy 'Support Worker' --stage 'Video Interview' --assessment 'First interview' --action-type 'Video Interview'"
)]
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

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let inspector = on.eploy().inspector(&tenant)?;
    let vacancies = vacancies(&arguments, &inspector).await?;
    let triggers = triggers(&arguments, &inspector).await?;
    let (assessment, assessment_name) = assessment(&arguments, &tenant, on).await?;
    let report = report(&arguments, &inspector).await?;
    let new = NewMapping {
        id: arguments.id,
        vacancies,
        triggers,
        assessment,
        assessment_name,
        report,
        reentry: if arguments.again {
            Reentry::Again
        } else {
            Reentry::Once
        },
        include_current: arguments.include_current,
        allow_overlap: arguments.allow_overlap,
        expires_after_days: arguments.expires_after_days,
        paused: arguments.paused,
    };
    let addition = prepare(on, tenant, new).await?;
    let json = arguments.output.json;
    if !json {
        println!("{}", in_words(&addition.mapping));
        if let Some(cost) = &addition.cost {
            println!("{cost}");
        }
    }
    let audit = arguments.audit;
    let asks = addition.mapping.include_current || prompt::can_ask();
    if asks && !audit.confirm(&addition.in_words())? {
        return Ok(exit::OK);
    }
    let mapping = addition.apply(on, &audit.actor()).await?;
    if json {
        print_json(&mapping)?;
        return Ok(exit::OK);
    }
    println!("mapping {} is saved", mapping.id);
    if on.hosting == Hosting::Serverless {
        println!(
            "Next: stagecall register {}, so that the platform calls back",
            arguments.tenant
        );
    }
    Ok(exit::OK)
}

async fn vacancies(arguments: &Arguments, inspector: &Inspector) -> anyhow::Result<Vacancies> {
    if arguments.all_vacancies {
        return Ok(Vacancies::All);
    }
    let choices = Choices::vacancies(inspector).await?;
    let flag = "--vacancy (or --all-vacancies)";
    let chosen = pick::some(&choices, &arguments.vacancy, flag)?;
    Ok(Vacancies::Only(
        chosen
            .into_iter()
            .map(|one| one.id.as_str().into())
            .collect(),
    ))
}

async fn triggers(arguments: &Arguments, inspector: &Inspector) -> anyhow::Result<Vec<Trigger>> {
    let stages = Choices::stages(inspector).await?;
    let statuses = if arguments.status.is_empty() {
        Vec::new()
    } else {
        let statuses = Choices::statuses(inspector).await?;
        pick::some(&statuses, &arguments.status, "--status")?
    };
    let chosen = pick::some(&stages, &arguments.stage, "--stage")?;
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
    let choices = Choices::assessments(on, tenant, &account).await?;
    let chosen = pick::one(&choices, arguments.assessment.as_deref(), "--assessment")?;
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
    let types = Choices::action_types(inspector).await?;
    let chosen = pick::one(&types, arguments.action_type.as_deref(), "--action-type")?;
    let all = Choices::outcomes(inspector).await?;
    let outcomes = if arguments.outcome.is_empty() {
        outcomes_by_name(&all)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_pairs_and_words_are_rejected_with_an_example() {
        assert_eq!(pair("a = b", "--x", "c=d").unwrap(), ("a", "b"));
        let error = pair("a", "--question", "percent=276").unwrap_err();
        assert!(error.to_string().contains("percent=276"));
        let error = word::<Moment>("finished", "--note").unwrap_err();
        assert!(error.to_string().contains("`completed`"), "{error}");
    }
}
