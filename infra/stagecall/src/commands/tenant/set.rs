//! `stagecall tenant set`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::tenants::set::{Question, prepare};

use crate::confirm::Audit;
use crate::exit;

/// Change settings of a tenant, by their names in `tenant export`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall tenant set acme eploy.poll_seconds=120\n  stagecall tenant set acme eploy.dialect.dates=uk platforms.willo.settings.calls_per_second=2\n  stagecall tenant set acme --unset eploy.dialect.dates"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// NAME=VALUE; a value that is not valid TOML is taken as a string.
    #[arg(value_name = "NAME=VALUE", required_unless_present = "unset")]
    settings: Vec<String>,
    /// Reset a setting to its default.
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let mut set = Vec::new();
    for setting in &arguments.settings {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(exit::usage(format!("{setting}: give NAME=VALUE")));
        };
        set.push((name.to_owned(), value.to_owned()));
    }
    let question = Question {
        tenant: arguments.tenant,
        set,
        unset: arguments.unset,
    };
    let change = prepare(on, &question).await?;
    if let Some(tenant) = arguments.audit.carry_out_any(change, on).await? {
        println!(
            "{} is updated; the change takes effect at the next poll",
            tenant.id
        );
    }
    Ok(exit::OK)
}
