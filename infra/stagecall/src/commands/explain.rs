//! `stagecall explain`.

use clap::Args;
use stagecall_core::ids::ApplicationId;
use stagecall_core::invitation::{ActionRecord, Invitation, Schedule};
use stagecall_operations::Installation;
use stagecall_operations::explain::{Question, explain};
use stagecall_operations::hires;
use stagecall_operations::history::why;

use crate::exit;
use crate::output::{Output, local, print_json};

/// Show everything about an application: what happened, when and why, and the ids to look up in each system.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall explain acme 70215")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The application's id in Eploy.
    application: ApplicationId,
    /// Do not read from Eploy where the application is now and what the next poll would do about it, which costs one to
    /// four calls.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let question = Question {
        tenant: arguments.tenant,
        application: arguments.application,
        offline: arguments.offline,
    };
    let explained = explain(on, &question).await?;
    if arguments.output.json {
        print_json(&explained)?;
        return Ok(exit::OK);
    }
    println!(
        "application {} of {}",
        explained.application, explained.tenant
    );
    explained.invitations.iter().for_each(ids);
    for one in &explained.hires {
        println!("\nhire {}: {}", one.key.hire, hires::state(one));
        println!(
            "  Eploy      candidate {}, vacancy {}",
            one.candidate, one.vacancy
        );
        println!("  webhook    {}", one.key.webhook_id());
    }
    if !explained.story.is_empty() {
        println!("\nwhat happened");
    }
    for line in &explained.story {
        println!(
            "  {}  {:<12} {}",
            local(line.at),
            line.invitation,
            line.what
        );
    }
    println!("\nnow");
    for line in explained.now {
        println!("  {line}");
    }
    Ok(exit::OK)
}

/// The state and the ids to look up in each system.
fn ids(of: &Invitation) {
    println!("\ninvitation {}: {}", of.key.name(), of.state.name());
    if let Some(why) = why(of) {
        println!("  why        {why}");
    }
    println!(
        "  Eploy      candidate {}, vacancy {}",
        of.candidate, of.vacancy
    );
    if let Some(history) = &of.entry.history {
        println!("             status history row {history}");
    }
    if let Some(ActionRecord::Created(action)) = &of.report.action {
        println!("             action {action}");
    }
    println!("  platform   {}", of.assessment);
    if let Some(reference) = &of.reference {
        println!("             reference {reference}");
    }
    if let Some(link) = &of.invite_link {
        println!("             link {link}");
    }
    match &of.schedule {
        Schedule::Never => {}
        Schedule::At { at, step } => println!("  next       {step:?} at {}", local(*at)),
        Schedule::Sweep { until: None, .. } => {
            println!("  next       when the platform has news");
        }
        Schedule::Sweep {
            until: Some(at), ..
        } => {
            println!(
                "  next       when the platform has news, until {}",
                local(*at)
            );
        }
    }
}
