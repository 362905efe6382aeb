//! `stagecall tenant remove`.

use clap::Args;

use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;
use stagecall_operations::invitations::sum;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let counts = on.records.counts(&tenant.id).await?;
    let open = sum(&counts, &["detected", "sending", "invited", "started"]);
    let what = format!(
        "The configuration and credentials of {} will be removed. {open} of its invitations have not ended; their results will not be fetched any more. All invitations stay in the store, so that a new tenant of this name invites nobody twice. Remove the registered callbacks on the platforms.",
        tenant.id
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    // The configuration goes last: if something fails, the tenant can still be removed.
    on.vault.remove_secret(&tenant.id).await?;
    on.records.remove_tenant(&tenant.id).await?;
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, "tenant remove", Some(&tenant.id), tenant.id.as_str())
        .await?;
    println!("{} is removed", tenant.id);
    Ok(exit::OK)
}
