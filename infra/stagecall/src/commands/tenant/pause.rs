//! `stagecall tenant pause` and `stagecall tenant resume`.

use clap::Args;

use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    audit: Audit,
}

/// Pauses or resumes a tenant. Safe to repeat.
pub(crate) async fn run(
    arguments: Arguments,
    pause: bool,
    on: &Installation,
) -> anyhow::Result<u8> {
    let mut tenant = on.tenant(&arguments.tenant).await?;
    let (verb, done) = if pause {
        ("pause", "paused")
    } else {
        ("resume", "on")
    };
    if tenant.paused == pause {
        println!("{} is already {done}", tenant.id);
        return Ok(exit::OK);
    }
    let what = if pause {
        format!(
            "{} will not be polled or swept, and nobody is invited. Callbacks are still accepted and results still reported.",
            tenant.id
        )
    } else {
        format!(
            "{} will be polled again. Candidates who entered a trigger stage meanwhile are invited.",
            tenant.id
        )
    };
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    tenant.paused = pause;
    on.records.put_tenant(&tenant).await?;
    arguments
        .audit
        .actor()
        .record(
            on,
            &format!("tenant {verb}"),
            Some(&tenant.id),
            tenant.id.as_str(),
        )
        .await?;
    println!("{} is {done}", tenant.id);
    Ok(exit::OK)
}
