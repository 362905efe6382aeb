//! `stagecall jobs`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::lists::vacancies;

use crate::exit;
use crate::output::{Output, print_json, table};

/// List a tenant's vacancies.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall jobs acme --json")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let vacancies = vacancies(on, &arguments.tenant).await?;
    if arguments.output.json {
        print_json(&vacancies)?;
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
