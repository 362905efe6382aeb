//! `stagecall unmatched list`.

use clap::Args;
use comfy_table::Cell;
use stagecall_core::ids::Reference;
use stagecall_operations::Installation;
use stagecall_operations::repair::unmatched::{list, why};

use crate::exit;
use crate::output::{Output, local, print_json, table};

/// List a tenant's unmatched callbacks, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall unmatched list acme")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The maximum number to show.
    #[arg(long, default_value_t = 50)]
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
    let mut shown = table([
        "delivery",
        "arrived",
        "account",
        "event",
        "references",
        "tries",
        "why",
    ]);
    for one in &found {
        let references: Vec<_> = one.references.iter().map(Reference::as_str).collect();
        shown.add_row([
            Cell::new(one.id.get(..12).unwrap_or(&one.id)),
            Cell::new(local(one.at)),
            Cell::new(&one.account),
            Cell::new(one.event.as_deref().unwrap_or("")),
            Cell::new(references.join(", ")),
            Cell::new(one.tries),
            Cell::new(why(one)),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}
