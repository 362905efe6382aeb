//! `stagecall retention`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::retention::{Keep, Question, prepare};

use crate::confirm::Audit;
use crate::exit;

/// Show and set how long results are kept, and remove what has expired.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall retention acme\n  stagecall retention acme --days 365\n  stagecall retention acme --apply --yes"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// From now on, keep results for this number of days after the last event of an invitation.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// From now on, keep results for ever.
    #[arg(long, conflicts_with_all = ["days", "apply"])]
    forever: bool,
    /// Remove expired results now. `serve` does so once a day; for a stack on AWS run this daily.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let forever = arguments.forever.then_some(Keep::Forever);
    let question = Question {
        tenant: arguments.tenant,
        keep: arguments.days.map(Keep::Days).or(forever),
        purge: arguments.apply,
    };
    let change = prepare(on, &question).await?;
    let Some(done) = arguments.audit.carry_out_any(change, on).await? else {
        return Ok(exit::OK);
    };
    if done.set {
        println!("{} is updated", question.tenant);
    }
    if let Some(purged) = done.purged {
        println!("{purged} purged");
    }
    Ok(exit::OK)
}
