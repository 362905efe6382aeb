//! `stagecall probe`.

use clap::Args;
use comfy_table::ContentArrangement;
use stagecall_core::ids::{ActionTypeId, ApplicationId, StageId, StatusId};
use stagecall_eploy::{Probed, Writing};
use stagecall_operations::probe::{Question, prepare};
use stagecall_operations::{Change as _, Installation};

use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, print_json, table};

/// Find out how a tenant's Eploy behaves where that is undocumented, and save it as the tenant's dialect.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall probe acme\n  stagecall probe acme --on 70001 --action-type 42 --move-to 11 --yes"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// A test application for the experiments that write; without it, nothing is written.
    #[arg(long, value_name = "APPLICATION")]
    on: Option<String>,
    /// The type of the action to create on it.
    #[arg(long, value_name = "ID", requires = "on")]
    action_type: Option<String>,
    /// The stage, or STAGE:STATUS, to move it to and back from.
    #[arg(long, value_name = "STAGE", requires = "on")]
    move_to: Option<String>,
    /// Show the findings without saving them.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    audit: Audit,
}

impl Arguments {
    fn writing(&self) -> Option<Writing> {
        let application = ApplicationId::new(self.on.as_deref()?);
        let move_to = self.move_to.as_deref().map(|to| match to.split_once(':') {
            Some((stage, status)) => (StageId::new(stage), Some(StatusId::new(status))),
            None => (StageId::new(to), None),
        });
        Some(Writing {
            application,
            action_type: self.action_type.as_deref().map(ActionTypeId::new),
            move_to,
        })
    }
}

/// Runs the experiments, prints the findings, and saves them as the tenant's dialect.
pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let writing = arguments.writing();
    let Arguments {
        tenant,
        dry_run,
        output,
        audit,
        ..
    } = arguments;
    let question = Question {
        tenant: tenant.clone(),
        writing,
        save: !dry_run,
    };
    let probe = prepare(on, question).await?;
    let found = if probe.writes() {
        let Some(found) = audit.carry_out(probe, on).await? else {
            return Ok(exit::OK);
        };
        found
    } else {
        probe.apply(on, &audit.actor()).await?
    };
    if output.json {
        print_json(&found)?;
        return Ok(exit::OK);
    }
    show(&found.probed);
    let open = found.open();
    if !open.is_empty() {
        println!("Still unknown: {}.", open.join(", "));
    }
    for left in &found.probed.left_behind {
        println!("Left behind: {left}.");
    }
    let dialect = serde_json::Value::Object(found.dialect);
    match (found.changed, found.kept) {
        (true, true) => println!("The dialect of {tenant} is now {dialect}"),
        (true, false) => println!("The dialect of {tenant} would be {dialect}"),
        (false, _) => println!("The dialect of {tenant} is unchanged: {dialect}"),
    }
    Ok(exit::OK)
}

fn show(probed: &Probed) {
    let mut shown = table(["experiment", "found", "certainty"]);
    shown.set_content_arrangement(ContentArrangement::Dynamic);
    for one in &probed.experiments {
        shown.add_row([
            one.name.clone(),
            one.concluded.clone(),
            one.certainty.to_string(),
        ]);
    }
    println!("{shown}");
    println!(
        "{} experiments, {} calls",
        probed.experiments.len(),
        probed.calls
    );
}
