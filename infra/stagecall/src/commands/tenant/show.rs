//! `stagecall tenant show`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::mappings::show::MappingState;
use stagecall_operations::tenants::show::show;
use stagecall_operations::tenants::text::text;

use crate::exit;
use crate::output::{Output, local, print_json};

/// Show a tenant: its configuration, the state of its mappings, and its audit records.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall tenant show acme")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let found = show(on, &arguments.tenant).await?;
    if arguments.output.json {
        print_json(&found)?;
        return Ok(exit::OK);
    }
    print!("{}", text(&found.tenant)?);
    println!("\n# mappings");
    for mapping in &found.tenant.mappings {
        let state = MappingState::of(mapping, found.state.as_ref());
        println!("#   {}: {}", mapping.id, state.in_words(&on.zone));
    }
    if !found.audits.is_empty() {
        println!("\n# audit records");
    }
    for act in found.audits {
        let why = act.why.map(|why| format!(": {why}")).unwrap_or_default();
        println!(
            "#   {}  {} {} by {}{why}",
            local(act.at),
            act.what,
            act.target,
            act.who
        );
    }
    for stone in found.tombstones {
        println!(
            "#   {}  candidate {} was erased",
            local(stone.at),
            stone.candidate
        );
    }
    Ok(exit::OK)
}
