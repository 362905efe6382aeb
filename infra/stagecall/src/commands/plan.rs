//! `stagecall plan`.

use clap::Args;
use comfy_table::Cell;
use stagecall_core::Timestamp;
use stagecall_core::ids::MappingId;
use stagecall_operations::Installation;
use stagecall_operations::plan::{Plan, Question, Scope, plan};

use crate::exit;
use crate::output::{Output, print_json, table};
use crate::point_in_time::since;

/// Show what the next poll would do, application by application, without doing it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall plan acme\n  stagecall plan acme --all --json\n  stagecall plan acme --since 2h --deep"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// Look at changes since then instead of since the last poll: a time, a day, or a duration ago (2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Look at all applications of this Eploy.
    #[arg(long, conflicts_with = "since")]
    all: bool,
    /// For each application that would be invited, also read the status history and the e-mail address, as inviting does:
    /// two calls each.
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let scope = match (arguments.all, arguments.since) {
        (true, _) => Scope::All,
        (false, Some(since)) => Scope::Since(since),
        (false, None) => Scope::SincePoll,
    };
    let question = Question {
        tenant: arguments.tenant,
        scope,
        deep: arguments.deep,
    };
    let plan = plan(on, &question).await?;
    if arguments.output.json {
        print_json(&plan)?;
    } else {
        print(&plan);
    }
    Ok(exit::OK)
}

fn print(plan: &Plan) {
    let mut shown = table([
        "application",
        "candidate",
        "vacancy",
        "mapping",
        "would",
        "because",
    ]);
    for one in &plan.decisions {
        shown.add_row([
            Cell::new(&one.application),
            Cell::new(&one.candidate),
            Cell::new(&one.vacancy),
            Cell::new(one.mapping.as_ref().map_or("", MappingId::as_str)),
            Cell::new(one.decision.name()),
            Cell::new(&one.because),
        ]);
    }
    println!("{shown}");
    for warning in &plan.warnings {
        println!("{warning}");
    }
    let counts = plan.counts.iter();
    let counts: Vec<_> = counts
        .map(|(what, count)| format!("{count} {}", what.name()))
        .collect();
    println!("{} applications: {}", plan.applications, counts.join(", "));
    println!(
        "calls to Eploy: {} to invite, {} to report; this plan made {}, which are not counted in the store",
        plan.calls.inviting, plan.calls.reporting, plan.calls.this_plan
    );
}
