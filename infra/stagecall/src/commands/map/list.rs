//! `stagecall map list`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::mappings::show::{MappingState, triggers, vacancies};

use crate::exit;
use crate::output::{Output, print_json, table};

/// List a tenant's mappings.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall map list acme")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    if arguments.output.json {
        print_json(&tenant.mappings)?;
        return Ok(exit::OK);
    }
    let state = on.states.load_state(&tenant.id).await?;
    let mut shown = table(["mapping", "vacancies", "enter", "are invited to", "state"]);
    for mapping in &tenant.mappings {
        let state = match MappingState::of(mapping, state.as_ref()) {
            MappingState::Active { .. } => "on".to_owned(),
            other => other.in_words(&on.zone),
        };
        shown.add_row([
            mapping.id.to_string(),
            vacancies(mapping),
            triggers(mapping),
            format!(
                "{} {}",
                mapping.assessment.account, mapping.assessment.assessment
            ),
            state,
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}
