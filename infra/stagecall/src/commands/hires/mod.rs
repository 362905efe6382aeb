//! `stagecall hires …`: the announced hires, and their delivery.

use std::sync::Arc;

use clap::{Args, Subcommand};
use stagecall_core::announcement::{
    Announcement, Attempt, FailReason, Hire, HireKey, Outcome, SkipReason, State,
};
use stagecall_core::usecases::{HireNotifier, Redelivery};

use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, local, print_json, table};
use stagecall_operations::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the announced hires, with the delivery to the HRMS.
    #[command(
        after_help = "Examples:\n  stagecall hires list acme\n  stagecall hires list acme --json"
    )]
    List(List),
    /// Send the webhook of a hire again, whatever its state; the webhook's id stays the same.
    #[command(
        after_help = "Examples:\n  stagecall hires redeliver acme 70215 --reason 'their system was down'\n  stagecall hires redeliver acme --placement 31"
    )]
    Redeliver(Redeliver),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The tenant.
    tenant: String,
    /// The maximum number to show, latest first.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Redeliver {
    /// The tenant.
    tenant: String,
    /// The id in Eploy of the application that was hired.
    #[arg(required_unless_present = "placement")]
    application: Option<String>,
    /// The id in Eploy of the placement, where hires are placements.
    #[arg(long, value_name = "ID", conflicts_with = "application")]
    placement: Option<String>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::List(arguments) => list(&arguments, on).await,
        Command::Redeliver(arguments) => redeliver(&arguments, on).await,
    }
}

async fn list(arguments: &List, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.known_tenant(&arguments.tenant).await?;
    let found = on
        .announcements
        .announcements(&tenant, arguments.limit)
        .await?;
    if arguments.output.json {
        print_json(&found)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["hire", "candidate", "vacancy", "seen", "state", "attempts"]);
    for one in &found {
        let attempts: Vec<_> = one.attempts.iter().map(attempt).collect();
        shown.add_row([
            one.key.hire.to_string(),
            one.candidate.to_string(),
            one.vacancy.to_string(),
            local(one.seen_at),
            state(one),
            attempts.join("\n"),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}

async fn redeliver(arguments: &Redeliver, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let hire = match (&arguments.application, &arguments.placement) {
        (Some(id), _) => Hire::Application(id.as_str().into()),
        (None, Some(id)) => Hire::Placement(id.as_str().into()),
        (None, None) => return Err(exit::usage("name an application or --placement")),
    };
    let key = HireKey {
        tenant: tenant.id.clone(),
        hire,
    };
    let Some(row) = on.announcements.load_announcement(&key).await? else {
        return Err(unknown(&key));
    };
    let what = format!(
        "The webhook of {} will be sent to the HRMS of {} again, as {}. Its state is {}.",
        key.hire,
        tenant.id,
        key.webhook_id(),
        state(&row)
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    let announcer = HireNotifier {
        engine: on.engine(),
        announcements: on.announcements.clone(),
        eploy: Arc::new(on.eploy()),
        hrms: Arc::new(stagecall_hrms::HrmsClient::new(
            on.transport.clone(),
            on.secrets.clone(),
            &on.timing,
        )),
    };
    match announcer.redeliver(&key).await? {
        Redelivery::Due => {
            let audit = &arguments.audit;
            let target = key.hire.to_string();
            audit
                .actor()
                .record(on, "hires redeliver", Some(&tenant.id), target)
                .await?;
            println!("{} will be sent at once", key.hire);
            Ok(exit::OK)
        }
        Redelivery::UnderWay => {
            println!("{} is already being sent", key.hire);
            Ok(exit::OK)
        }
        Redelivery::Unknown => Err(unknown(&key)),
        Redelivery::NoEndpoint => Err(exit::usage(format!(
            "{} has no HRMS endpoint: add hires.endpoint with stagecall tenant apply",
            tenant.id
        ))),
    }
}

fn unknown(key: &HireKey) -> anyhow::Error {
    exit::not_found(format!(
        "{} has no announced hire {}. List them with: stagecall hires list {}",
        key.tenant, key.hire, key.tenant
    ))
}

/// The state of an announcement, and the reason.
pub(super) fn state(of: &Announcement) -> String {
    let why = match &of.state {
        State::Skipped(SkipReason::Baseline) => "hired before the plan was turned on",
        State::Skipped(SkipReason::MovedOn) => "it left the stage before the webhook was sent",
        State::Skipped(SkipReason::PlanRemoved) => "the plan for hires was removed",
        State::Failed(FailReason::Gone) => "the HRMS wants no more webhooks (410)",
        State::Failed(FailReason::GaveUp) => {
            "the HRMS did not accept it by the end of the retry schedule"
        }
        State::Failed(FailReason::Refused(failure)) => &failure.problem,
        State::Published => "no HRMS endpoint is configured",
        State::Detected | State::Delivering => match &of.failure {
            Some(failure) => &failure.problem,
            None => return of.state.name().to_owned(),
        },
        State::Delivered => return of.state.name().to_owned(),
    };
    format!("{}: {why}", of.state.name())
}

/// A line of the delivery log.
fn attempt(of: &Attempt) -> String {
    format!("{} {}", local(of.at), outcome(&of.outcome))
}

/// The outcome of an attempt.
pub(super) fn outcome(of: &Outcome) -> String {
    match of {
        Outcome::Unknown => "unknown".to_owned(),
        Outcome::Answered(status) => format!("HTTP {status}"),
        Outcome::Unanswered(code) => format!("no answer ({code})"),
    }
}
