//! `stagecall invitations`.

use clap::Args;
use comfy_table::Cell;
use stagecall_core::Timestamp;
use stagecall_core::ids::{ApplicationId, CandidateId, MappingId, VacancyId};
use stagecall_core::ports::InvitationFilter;
use stagecall_operations::Installation;
use stagecall_operations::history::why;
use stagecall_operations::invitations::latest;

use crate::exit;
use crate::output::{Output, local, print_json, table};
use crate::point_in_time::since;

/// List invitations.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall invitations acme --state failed\n  stagecall invitations --since 2h --json"
)]
pub(crate) struct Arguments {
    /// Of this tenant. [default: all]
    tenant: Option<String>,
    /// In this state: detected, sending, invited, started, completed, expired, declined, bounced, cancelled, skipped or
    /// failed.
    #[arg(long, value_parser = ["detected", "sending", "invited", "started", "completed", "expired", "declined", "bounced", "cancelled", "skipped", "failed"])]
    state: Option<String>,
    /// For this vacancy.
    #[arg(long, value_name = "ID")]
    vacancy: Option<VacancyId>,
    /// Of this application.
    #[arg(long, value_name = "ID")]
    application: Option<ApplicationId>,
    /// Of this candidate.
    #[arg(long, value_name = "ID")]
    candidate: Option<CandidateId>,
    /// Of this mapping.
    #[arg(long, value_name = "NAME")]
    mapping: Option<MappingId>,
    /// With an event since: a time, a day, or a duration ago (2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// The maximum number to show, latest first.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let filter = InvitationFilter {
        state: arguments.state,
        application: arguments.application,
        candidate: arguments.candidate,
        vacancy: arguments.vacancy,
        mapping: arguments.mapping,
        since: arguments.since,
    };
    let tenant = arguments.tenant.as_deref();
    let found = latest(on, tenant, &filter, arguments.limit).await?;
    if arguments.output.json {
        print_json(&found.rows)?;
        return Ok(exit::OK);
    }
    let mut shown = table([
        "tenant",
        "application",
        "mapping",
        "candidate",
        "vacancy",
        "state",
        "",
        "last",
    ]);
    for one in &found.rows {
        let mapping = match one.key.round {
            1 => one.key.mapping.to_string(),
            round => format!("{} (round {round})", one.key.mapping),
        };
        shown.add_row([
            Cell::new(&one.key.tenant),
            Cell::new(&one.key.application),
            Cell::new(mapping),
            Cell::new(&one.candidate),
            Cell::new(&one.vacancy),
            Cell::new(one.state.name()),
            Cell::new(why(one).unwrap_or_default()),
            Cell::new(local(one.touched_at())),
        ]);
    }
    println!("{shown}");
    if found.more > 0 {
        println!("… and {} more; --limit shows them", found.more);
    }
    Ok(exit::OK)
}
