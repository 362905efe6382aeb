//! `stagecall resync`.

use clap::Args;
use stagecall_core::Timestamp;
use stagecall_core::ids::ApplicationId;
use stagecall_operations::Installation;
use stagecall_operations::repair::resync::{Synced, of_all, of_one};

use crate::confirm::Audit;
use crate::exit;
use crate::point_in_time::since;

/// Fetch results from the platform and changes from Eploy again: for one application at once, or for a whole tenant soon.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall resync acme 70215\n  stagecall resync acme --since 2d"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The application's id. [default: everything of the tenant]
    application: Option<ApplicationId>,
    /// Without an application: read from Eploy again what changed since then (a time, a day, or a duration ago: 2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since, conflicts_with = "application")]
    since: Option<Timestamp>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = &arguments.tenant;
    let Some(application) = &arguments.application else {
        let resync = of_all(on, tenant, arguments.since).await?;
        if arguments.audit.carry_out_any(resync, on).await?.is_some() {
            println!("{tenant} is due at once");
        }
        return Ok(exit::OK);
    };
    let resync = of_one(on, tenant, application).await?;
    let Some(done) = arguments.audit.carry_out(resync, on).await? else {
        return Ok(exit::OK);
    };
    done.iter().for_each(print);
    let complete = done.iter().all(|one| one.shown && one.state.is_some());
    Ok(if complete { exit::OK } else { exit::FAILED })
}

fn print(one: &Synced) {
    let platform = one.state.unwrap_or("the platform cannot be called now");
    let eploy = if one.shown {
        "Eploy shows it"
    } else {
        "Eploy does not show it yet"
    };
    println!("{}: {platform}; {eploy}", one.key);
    if let Some(failure) = &one.failure {
        println!("  {}. {}", failure.problem, failure.remedy);
    }
}
