//! What is due.
//!
//! Only the work of configured tenants can be due: that of a removed one could not be done and would block the others.
//! For a paused tenant only reports and deliveries are due.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use stagecall_core::Timestamp;
use stagecall_core::announcement::{Hire, HireKey};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, AssessmentId, AssessmentRef, TenantId};
use stagecall_core::ports::{Due, DueItem, DueSince};
use stagecall_core::work::Kind;

use super::fault::Fault;
use super::ledger::{key, step_named};
use super::{Store, instant};

/// A tenant without a state has never been polled.
const POLLS: &str = "
    SELECT coalesce(tenant_state.due_at, 0) AS due_at, tenant.id
    FROM tenant LEFT JOIN tenant_state ON tenant_state.tenant = tenant.id
    WHERE NOT paused AND coalesce(tenant_state.due_at, 0) <= ?1 AND ?2 > 0";

// Per tenant, along an index that begins with the tenant: one tenant's load costs another nothing. `CROSS JOIN` keeps
// SQLite to this order of the tables.

const TO_INVITE: &str = "
    SELECT due_at, step, invitation.tenant, application, mapping, round
    FROM tenant CROSS JOIN invitation ON invitation.rowid IN (
        SELECT one.rowid FROM invitation AS one
        WHERE one.tenant = tenant.id AND one.step = 'invite' AND one.due_at <= ?1
        ORDER BY one.due_at LIMIT ?2)
    WHERE NOT paused";

const TO_WRITE_BACK: &str = "
    SELECT due_at, step, invitation.tenant, application, mapping, round
    FROM tenant CROSS JOIN invitation ON invitation.rowid IN (
        SELECT one.rowid FROM invitation AS one
        WHERE one.tenant = tenant.id AND one.step = 'write_back' AND one.due_at <= ?1
        ORDER BY one.due_at LIMIT ?2)";

const SWEEPS: &str = "
    SELECT due_at, sweep.tenant, account, assessment
    FROM tenant CROSS JOIN sweep ON sweep.rowid IN (
        SELECT one.rowid FROM sweep AS one
        WHERE one.tenant = tenant.id AND one.due_at <= ?1
        ORDER BY one.due_at LIMIT ?2)
    WHERE NOT paused";

const DELIVERIES: &str = "
    SELECT due_at, delivery.tenant, delivery.id
    FROM tenant CROSS JOIN delivery ON delivery.rowid IN (
        SELECT one.rowid FROM delivery AS one
        WHERE one.tenant = tenant.id AND one.due_at <= ?1
        ORDER BY one.due_at LIMIT ?2)";

const ANNOUNCEMENTS: &str = "
    SELECT due_at, announcement.tenant, kind, announcement.id
    FROM tenant CROSS JOIN announcement ON announcement.rowid IN (
        SELECT one.rowid FROM announcement AS one
        WHERE one.tenant = tenant.id AND one.due_at <= ?1
        ORDER BY one.due_at LIMIT ?2)
    WHERE NOT paused";

#[async_trait]
impl Due for Store {
    async fn due(
        &self,
        now: Timestamp,
        kinds: &[Kind],
        each: usize,
    ) -> Result<Vec<DueSince>, StoreError> {
        let kinds = kinds.to_vec();
        self.read("find what is due", move |connection| {
            all(connection, now, &kinds, each)
        })
        .await
    }
}

/// Reads an item from a row.
type Reader = fn(&Row<'_>) -> Result<DueItem, Fault>;

pub(super) fn query(kind: Kind) -> (&'static str, Reader) {
    match kind {
        Kind::Poll => (POLLS, poll),
        Kind::Invite => (TO_INVITE, invitation),
        Kind::WriteBack => (TO_WRITE_BACK, invitation),
        Kind::Sweep => (SWEEPS, sweep),
        Kind::Delivery => (DELIVERIES, delivery),
        Kind::Announce => (ANNOUNCEMENTS, announcement),
    }
}

/// The due work, the longest due first.
pub(super) fn all(
    connection: &Connection,
    now: Timestamp,
    kinds: &[Kind],
    each: usize,
) -> Result<Vec<DueSince>, Fault> {
    let mut found = Vec::new();
    for kind in kinds {
        let (sql, item) = query(*kind);
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![instant(now), each.cast_signed()])?;
        while let Some(row) = rows.next()? {
            // An unreadable row must not block the others.
            match since(row).and_then(|since| Ok((since, item(row)?))) {
                Ok((since, item)) => found.push(DueSince { since, item }),
                Err(fault) => {
                    let tenant: Option<String> = row.get("tenant").ok();
                    tracing::error!(tenant, kind = kind.name(), %fault, "due row unreadable");
                }
            }
        }
    }
    found.sort_by_key(|one| one.since);
    Ok(found)
}

fn since(row: &Row<'_>) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(row.get(0)?)
        .map_err(|error| Fault::Other(format!("a time in the file is invalid: {error}")))
}

fn poll(row: &Row<'_>) -> Result<DueItem, Fault> {
    Ok(DueItem::Poll(tenant(row, 1)?))
}

fn invitation(row: &Row<'_>) -> Result<DueItem, Fault> {
    let step = step_named(&row.get::<_, String>(1)?)?;
    Ok(DueItem::Invitation(key(row, 2)?, step))
}

fn sweep(row: &Row<'_>) -> Result<DueItem, Fault> {
    let assessment = AssessmentRef {
        account: AccountId::new(row.get::<_, String>(2)?),
        assessment: AssessmentId::new(row.get::<_, String>(3)?),
    };
    Ok(DueItem::Sweep(tenant(row, 1)?, assessment))
}

fn delivery(row: &Row<'_>) -> Result<DueItem, Fault> {
    Ok(DueItem::Delivery(tenant(row, 1)?, row.get(2)?))
}

fn announcement(row: &Row<'_>) -> Result<DueItem, Fault> {
    let (kind, id): (String, String) = (row.get(2)?, row.get(3)?);
    let hire = Hire::of_parts(&kind, &id).ok_or_else(|| {
        Fault::Other(format!(
            "a hire is known by its {kind}, which does not exist"
        ))
    })?;
    Ok(DueItem::Announcement(HireKey {
        tenant: tenant(row, 1)?,
        hire,
    }))
}

fn tenant(row: &Row<'_>, at: usize) -> Result<TenantId, Fault> {
    Ok(TenantId::new(row.get::<_, String>(at)?))
}
