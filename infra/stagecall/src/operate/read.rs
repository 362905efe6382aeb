//! Reading what several commands need.

use jiff::civil::Date;
use jiff::{Span, Timestamp, Zoned};
use stagecall_core::ids::TenantId;
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{InvitationFilter, StateCount};

use crate::exit;
use crate::store::Installation;

/// How many invitations are read at once.
const PAGE: usize = 500;

/// A point in time as operators give it: `2026-11-22T10:00:00Z`, `2026-11-22` (the day's beginning here), or how long
/// ago (`2h`, `3d`).
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    point(text, &Zoned::now())
}

fn point(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        let begins = day.to_zoned(now.time_zone().clone());
        return begins
            .map(|begins| begins.timestamp())
            .map_err(|error| error.to_string());
    }
    let ago: Option<Span> = text.parse().ok();
    ago.and_then(|ago| now.checked_sub(ago).ok())
        .map(|at| at.timestamp())
        .ok_or_else(|| {
            "give a time such as 2026-11-22T10:00:00Z, a day, or how long ago such as 2h or 3d"
                .to_owned()
        })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_given_in_three_ways() {
        let now: Zoned = "2026-11-22T10:00:00+00:00[UTC]".parse().unwrap();
        for (text, expected) in [
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("2h", "2026-11-22T08:00:00Z"),
            ("3d", "2026-11-19T10:00:00Z"),
        ] {
            let read = point(text, &now).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Ok(expected), "{text}");
        }
        assert!(point("yesterday", &now).is_err());
    }
}
