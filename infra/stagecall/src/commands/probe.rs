//! `stagecall probe`.

use clap::Args;
use comfy_table::ContentArrangement;
use serde_json::json;
use stagecall_core::ids::{ActionTypeId, ApplicationId, StageId, StatusId};
use stagecall_eploy::{Certainty, Probed, Writing};

use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, print_json, table};
use stagecall_operations::Installation;

#[derive(Debug, Args)]
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
    let mut tenant = on.tenant(&arguments.tenant).await?;
    let writing = arguments.writing();
    if let Some(writing) = &writing
        && !arguments.audit.confirm(&warning(writing))?
    {
        return Ok(exit::OK);
    }
    let probed = on
        .eploy()
        .inspector(&tenant)?
        .probe(writing.as_ref())
        .await?;
    let dialect = probed.dialect(&tenant.eploy.dialect);
    let changed = dialect != tenant.eploy.dialect;
    if changed && !arguments.dry_run {
        tenant.eploy.dialect.clone_from(&dialect);
        let problems = stagecall_eploy::validate(&tenant.eploy);
        anyhow::ensure!(problems.is_empty(), "{}", problems.join("; "));
        on.records.put_tenant(&tenant).await?;
        arguments
            .audit
            .actor()
            .record(on, "probe", Some(&tenant.id), "dialect")
            .await?;
    }
    if arguments.output.json {
        print_json(&json!({
            "experiments": probed.experiments, "left_behind": probed.left_behind, "calls": probed.calls,
            "dialect": dialect, "kept": changed && !arguments.dry_run,
        }))?;
        return Ok(exit::OK);
    }
    show(&probed);
    let open = open(&probed);
    if !open.is_empty() {
        println!("Still unknown: {}.", open.join(", "));
    }
    for left in &probed.left_behind {
        println!("Left behind: {left}.");
    }
    let settings = serde_json::Value::Object(dialect);
    match (changed, arguments.dry_run) {
        (true, false) => println!("The dialect of {} is now {settings}", tenant.id),
        (true, true) => println!("The dialect of {} would be {settings}", tenant.id),
        (false, _) => println!("The dialect of {} is unchanged: {settings}", tenant.id),
    }
    Ok(exit::OK)
}

fn warning(writing: &Writing) -> String {
    let mut will = vec!["write a note".to_owned()];
    if let Some(action_type) = &writing.action_type {
        will.push(format!(
            "create an action of type {action_type} and change it"
        ));
    }
    if let Some((stage, _)) = &writing.move_to {
        will.push(format!("move it to stage {stage} and back"));
    }
    format!(
        "On application {} this will {}. Eploy may send e-mails and run automatic transitions that are configured for these changes. What is written is not removed.",
        writing.application,
        will.join(", ")
    )
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

fn open(probed: &Probed) -> Vec<&str> {
    probed
        .experiments
        .iter()
        .filter(|one| one.certainty == Certainty::Open)
        .map(|one| one.name.as_str())
        .collect()
}
