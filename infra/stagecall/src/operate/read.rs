//! Reading what several commands need.

use stagecall_core::ids::TenantId;
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{InvitationFilter, StateCount};

use crate::exit;
use crate::store::Installation;

/// How many invitations are read at once.
const PAGE: usize = 500;

/// A tenant's invitations, the latest to be touched last.
pub(crate) async fn invitations(
    on: &Installation,
    tenant: &TenantId,
    filter: &InvitationFilter,
) -> anyhow::Result<Vec<Invitation>> {
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let page = on
            .records
            .invitations(tenant, filter, PAGE, next.as_deref())
            .await?;
        all.extend(page.rows);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    all.sort_by(|a, b| (a.touched_at(), &a.key).cmp(&(b.touched_at(), &b.key)));
    Ok(all)
}

/// The tenants that are meant: the one that is named, else all.
pub(crate) async fn tenants(
    on: &Installation,
    named: Option<&str>,
) -> anyhow::Result<Vec<TenantId>> {
    Ok(match named {
        Some(name) => vec![known(on, name).await?],
        None => {
            let tenants = on.records.list_tenants().await?;
            tenants.into_iter().map(|tenant| tenant.id).collect()
        }
    })
}

/// A tenant that is configured, or was, and of which something is on record.
pub(crate) async fn known(on: &Installation, name: &str) -> anyhow::Result<TenantId> {
    let id = TenantId::new(name);
    if on.tenants.tenant(&id).await?.is_some() || !on.records.counts(&id).await?.is_empty() {
        return Ok(id);
    }
    Err(exit::not_found(format!(
        "there is no tenant {name} in {}. stagecall tenant list shows those that there are",
        on.place
    )))
}

/// How many are in one of these states.
pub(crate) fn sum(counts: &[StateCount], states: &[&str]) -> u64 {
    counts
        .iter()
        .filter(|of| states.contains(&of.state.as_str()))
        .map(|of| of.count)
        .sum()
}
