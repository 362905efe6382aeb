//! `stagecall tenant list`.

use comfy_table::Cell;

use crate::exit;
use crate::output::{Output, print_json, table};
use stagecall_operations::Installation;

/// Lists the tenants.
pub(crate) async fn run(output: Output, on: &Installation) -> anyhow::Result<u8> {
    let tenants = on.records.list_tenants().await?;
    if output.json {
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
