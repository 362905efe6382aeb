//! `stagecall tenant list`.

use clap::Args;
use comfy_table::Cell;
use stagecall_operations::Installation;

use crate::exit;
use crate::output::{Output, print_json, table};

/// List the tenants.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall tenant list --json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenants = on.records.list_tenants().await?;
    if arguments.output.json {
        print_json(&tenants)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["tenant", "", "Eploy", "platforms", "mappings"]);
    for tenant in &tenants {
        let platforms: Vec<_> = tenant
            .platforms
            .iter()
            .map(|(account, platform)| format!("{account} ({})", platform.kind))
            .collect();
        shown.add_row([
            Cell::new(&tenant.id),
            Cell::new(if tenant.paused { "paused" } else { "" }),
            Cell::new(&tenant.eploy.base_url),
            Cell::new(platforms.join(", ")),
            Cell::new(tenant.mappings.len()),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}
