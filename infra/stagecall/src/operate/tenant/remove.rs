//! `stagecall tenant remove`.

use clap::Args;

use crate::exit;
use crate::operate::output::Audit;
use crate::operate::read::sum;
use crate::store::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    audit: Audit,
}

pub(super) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let counts = on.records.counts(&tenant.id).await?;
    let open = sum(&counts, &["detected", "sending", "invited", "started"]);
    let what = format!(
        "{}'s configuration and credentials are removed. {open} of its invitations have not ended; nobody follows them any more. All stay on record, so that a tenant of this name who comes back invites nobody twice. The callbacks that the platforms have registered are to be removed there.",
        tenant.id
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    // The configuration last: whatever fails, the tenant is still there to be removed once more.
    on.vault.remove_secret(&tenant.id).await?;
    on.records.remove_tenant(&tenant.id).await?;
    let audit = &arguments.audit;
    audit
        .record(on, "tenant remove", Some(&tenant.id), tenant.id.as_str())
        .await?;
    println!("{} is removed", tenant.id);
    Ok(exit::OK)
}
