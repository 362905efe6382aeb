//! `stagecall jobs`, `stages`, `assessments`, `outcomes` and `questions`: current lists of a tenant's systems.

use clap::Args;
use serde_json::json;
use stagecall_core::ids::ApplicationId;
use stagecall_core::ports::{AssessmentKind, PlatformConnections as _};
use stagecall_eploy::{List, Listing, Origin};

use crate::exit;
use crate::output::{Output, print_json, table};
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Stages {
    #[command(flatten)]
    of: Arguments,
    /// List the statuses instead.
    #[arg(long)]
    statuses: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Outcomes {
    #[command(flatten)]
    of: Arguments,
    /// List the action types instead.
    #[arg(long)]
    types: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Questions {
    #[command(flatten)]
    of: Arguments,
    /// The application whose questions to list. [default: one of the first]
    #[arg(long, value_name = "ID")]
    application: Option<String>,
}

pub(super) async fn jobs(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let vacancies = on.eploy().inspector(&tenant)?.vacancies().await?;
    if arguments.output.json {
        let shown: Vec<_> = vacancies
            .iter()
            .map(|row| json!({"id": row.id, "title": row.title, "status": row.status}))
            .collect();
        print_json(&shown)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["id", "vacancy", "status"]);
    for row in vacancies {
        shown.add_row([
            row.id.to_string(),
            row.title,
            row.status.unwrap_or_default(),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}

pub(super) async fn stages(arguments: Stages, on: &Installation) -> anyhow::Result<u8> {
    let (list, what) = if arguments.statuses {
        (List::Statuses, "status")
    } else {
        (List::Stages, "stage")
    };
    options(&arguments.of, list, what, on).await
}

pub(super) async fn outcomes(arguments: Outcomes, on: &Installation) -> anyhow::Result<u8> {
    let (list, what) = if arguments.types {
        (List::ActionTypes, "action type")
    } else {
        (List::Outcomes, "outcome")
    };
    options(&arguments.of, list, what, on).await
}

async fn options(
    arguments: &Arguments,
    list: List,
    what: &str,
    on: &Installation,
) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let listing = on.eploy().inspector(&tenant)?.list(list).await?;
    if arguments.output.json {
        let shown: Vec<_> = listing
            .options
            .iter()
            .map(
                |option| json!({"id": option.id, "name": option.name, "archived": option.archived}),
            )
            .collect();
        print_json(
            &json!({"options": shown, "complete": matches!(listing.origin, Origin::List(_))}),
        )?;
        return Ok(exit::OK);
    }
    let mut shown = table(["id", what]);
    for option in listing.options.iter().filter(|option| !option.archived) {
        shown.add_row([&option.id, &option.name]);
    }
    println!("{shown}");
    if let Some(note) = incomplete(&listing, &arguments.tenant) {
        println!("{note}");
    }
    Ok(exit::OK)
}

/// Why a list may be incomplete.
pub(super) fn incomplete(listing: &Listing, tenant: &str) -> Option<String> {
    match listing.origin {
        Origin::List(_) => None,
        Origin::Applications(count) => Some(format!(
            "These were found on the first {count} applications; there may be more. To find the complete list: stagecall probe {tenant}"
        )),
        Origin::Nowhere => Some(format!(
            "The path of this list in this Eploy is not known. To find it: stagecall probe {tenant}. Or use the ids from Eploy's admin screens."
        )),
    }
}

pub(super) async fn assessments(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let platforms = on.platforms();
    let mut all = Vec::new();
    for account in tenant.platforms.keys() {
        let platform = platforms.platform(&tenant, account).await?;
        for one in platform.assessments().await? {
            all.push((account, one));
        }
    }
    if arguments.output.json {
        let shown: Vec<_> = all
            .iter()
            .map(|(account, one)| json!({"account": account, "id": one.id, "name": one.name, "kind": one.kind}))
            .collect();
        print_json(&shown)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["account", "id", "assessment", "kind"]);
    for (account, one) in all {
        let kind = match one.kind {
            AssessmentKind::VideoInterview => "video interview",
            AssessmentKind::Test => "test",
            AssessmentKind::LiveInterview => "live interview",
        };
        shown.add_row([
            account.to_string(),
            one.id.to_string(),
            one.name,
            kind.to_owned(),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}

pub(super) async fn questions(arguments: Questions, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.of.tenant).await?;
    let inspector = on.eploy().inspector(&tenant)?;
    let application = match arguments.application {
        Some(id) => Some(ApplicationId::new(id)),
        None => inspector.some_application().await?,
    };
    let Some(application) = application else {
        return Err(exit::not_found(
            "there is no application yet to list questions of",
        ));
    };
    let questions = inspector.questions(&application).await?;
    if arguments.of.output.json {
        let shown: Vec<_> = questions
            .iter()
            .map(|one| json!({"id": one.id, "title": one.title, "answer_type": one.answer_type}))
            .collect();
        print_json(&shown)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["id", "question", "answer"]);
    for one in questions {
        shown.add_row([one.id.to_string(), one.title, one.answer_type]);
    }
    println!("{shown}");
    Ok(exit::OK)
}
