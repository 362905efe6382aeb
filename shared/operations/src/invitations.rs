//! A tenant's invitations: page by page, the latest, and their numbers.

use std::cmp::Reverse;

use stagecall_core::ids::{ApplicationId, MappingId, TenantId};
use stagecall_core::invitation::{Invitation, State};
use stagecall_core::ports::{InvitationFilter, InvitationPage, OperatorStore, StateCount};

use crate::error::Result;
use crate::installation::Installation;

const PAGE_ROWS: usize = 500;

/// The filter for an application's invitations, of all mappings or of one.
pub fn of_application(
    application: &ApplicationId,
    mapping: Option<&MappingId>,
) -> InvitationFilter {
    InvitationFilter {
        application: Some(application.clone()),
        mapping: mapping.cloned(),
        ..InvitationFilter::default()
    }
}

/// A page of a tenant's invitations in the store's own order; `cursor` is the one of the page before.
pub async fn page(
    on: &Installation,
    tenant: &TenantId,
    filter: &InvitationFilter,
    cursor: Option<&str>,
) -> Result<InvitationPage> {
    let page = on.records.invitations(tenant, filter, PAGE_ROWS, cursor);
    Ok(page.await?)
}

/// All of a tenant's invitations that match, the latest change last.
pub async fn all(
    on: &Installation,
    tenant: &TenantId,
    filter: &InvitationFilter,
) -> Result<Vec<Invitation>> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = page(on, tenant, filter, cursor.as_deref()).await?;
        all.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    all.sort_by(|a, b| (a.touched_at(), &a.key).cmp(&(b.touched_at(), &b.key)));
    Ok(all)
}

/// The invitations that changed last.
#[derive(Debug)]
pub struct Latest {
    /// These, the latest first.
    pub rows: Vec<Invitation>,
    /// The number of further ones that match.
    pub more: usize,
}

/// At most `limit` invitations that match, of this tenant or of all. Keeps no more than these in memory.
pub async fn latest(
    on: &Installation,
    tenant: Option<&str>,
    filter: &InvitationFilter,
    limit: usize,
) -> Result<Latest> {
    let mut rows = Vec::new();
    let mut found = 0;
    for tenant in on.named_or_all(tenant).await? {
        let mut cursor = None;
        loop {
            let page = page(on, &tenant, filter, cursor.as_deref()).await?;
            found += page.rows.len();
            rows.extend(page.rows);
            rows.sort_by_cached_key(|one| (Reverse(one.touched_at()), one.key.clone()));
            rows.truncate(limit);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    let more = found - rows.len();
    Ok(Latest { rows, more })
}

/// The number of a tenant's invitations that match and are, or may be, open on the platform.
pub async fn count_open(
    records: &dyn OperatorStore,
    tenant: &TenantId,
    of: impl Fn(&Invitation) -> bool,
) -> Result<usize> {
    let filter = InvitationFilter::default();
    let is_open = |one: &&Invitation| {
        (one.state.is_open() || matches!(one.state, State::Sending { .. })) && of(one)
    };
    let mut count = 0;
    let mut cursor: Option<String> = None;
    loop {
        let page = records.invitations(tenant, &filter, PAGE_ROWS, cursor.as_deref());
        let page = page.await?;
        count += page.rows.iter().filter(is_open).count();
        cursor = page.next;
        if cursor.is_none() {
            return Ok(count);
        }
    }
}

/// The number of invitations in one of these states.
pub fn sum(counts: &[StateCount], states: &[&str]) -> u64 {
    counts
        .iter()
        .filter(|of| states.contains(&of.state.as_str()))
        .map(|of| of.count)
        .sum()
}
