//! `stagecall tenant show`.

use clap::Args;
use stagecall_core::ports::{MappingStatus, TenantState};

use super::validate::text;
use crate::exit;
use crate::output::{Output, local, print_json};
use stagecall_operations::Installation;
use stagecall_operations::broken;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let state = on.states.load_state(&tenant.id).await?;
    let audits = on.records.audits(Some(&tenant.id), None).await?;
    let tombstones = on.records.tombstones(&tenant.id).await?;
    if arguments.output.json {
        print_json(&serde_json::json!({
            "tenant": tenant,
            "state": state,
            "audits": audits,
            "tombstones": tombstones,
        }))?;
        return Ok(exit::OK);
    }
    print!("{}", text(&tenant)?);
    println!("\n# mappings");
    for mapping in &tenant.mappings {
        println!(
            "#   {}: {}",
            mapping.id,
            standing(mapping.paused, state.as_ref(), &mapping.id)
        );
    }
    if !audits.is_empty() {
        println!("\n# audit records");
    }
    for act in audits {
        let why = act.why.map(|why| format!(": {why}")).unwrap_or_default();
        println!(
            "#   {}  {} {} by {}{why}",
            local(act.at),
            act.what,
            act.target,
            act.who
        );
    }
    for stone in tombstones {
        println!(
            "#   {}  candidate {} was erased",
            local(stone.at),
            stone.candidate
        );
    }
    Ok(exit::OK)
}

fn standing(
    paused: bool,
    state: Option<&TenantState>,
    mapping: &stagecall_core::ids::MappingId,
) -> String {
    if paused {
        return "paused".to_owned();
    }
    match state.and_then(|state| state.mappings.get(mapping)) {
        None => "not active yet".to_owned(),
        Some(of) => match &of.status {
            MappingStatus::Active => format!("active since {}", local(of.since)),
            MappingStatus::Baseline { .. } => "reading the baseline".to_owned(),
            MappingStatus::Broken { reason, at, .. } => {
                broken::in_words(reason, *at, &jiff::tz::TimeZone::system())
            }
        },
    }
}
