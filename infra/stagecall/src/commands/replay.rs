//! `stagecall replay`.

use clap::Args;
use stagecall_core::Timestamp;
use stagecall_core::ports::DeliveryOutcome;
use stagecall_core::work::Work;

use crate::confirm::Audit;
use crate::exit;
use crate::output::local;
use crate::point_in_time::since;
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// Received since: a time, a day, or a duration ago (2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Timestamp,
    #[command(flatten)]
    audit: Audit,
}

/// Makes deliveries due again, whatever their outcome. Each fetches the current result from the platform, so repeating it
/// changes nothing.
pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.known_tenant(&arguments.tenant).await?;
    let found = on
        .records
        .deliveries(&tenant, Some(arguments.since))
        .await?;
    if found.is_empty() {
        println!("no delivery of {tenant} since {}", local(arguments.since));
        return Ok(exit::OK);
    }
    let what = format!(
        "{} deliveries of {tenant} since {} will be processed again, with a call to the platform for each.",
        found.len(),
        local(arguments.since)
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    let fate = DeliveryOutcome::Again(on.clock.now());
    let mut work = Vec::new();
    for (mut delivery, _) in found {
        delivery.tries = 0;
        on.deliveries.settle(&delivery, &fate).await?;
        work.push(Work::Delivery {
            tenant: tenant.clone(),
            id: delivery.id,
        });
    }
    let count = work.len();
    on.queue.push(work).await?;
    let target = format!("{count} deliveries since {}", arguments.since);
    arguments
        .audit
        .actor()
        .record(on, "replay", Some(&tenant), target)
        .await?;
    println!("{count} will be processed at once");
    Ok(exit::OK)
}
