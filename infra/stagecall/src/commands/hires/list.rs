//! `stagecall hires list`.

use clap::Args;
use stagecall_core::announcement::Attempt;
use stagecall_operations::Installation;
use stagecall_operations::hires::{list, outcome, state};

use crate::exit;
use crate::output::{Output, local, print_json, table};

/// List the announced hires, with the delivery to the HRMS.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall hires list acme\n  stagecall hires list acme --json"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The maximum number to show, latest first.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let found = list(on, &arguments.tenant, arguments.limit).await?;
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

/// A line of the delivery log.
fn attempt(of: &Attempt) -> String {
    format!("{} {}", local(of.at), outcome(&of.outcome))
}
