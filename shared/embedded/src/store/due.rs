//! What is due.
//!
//! Only what belongs to a configured tenant can be: the work of a removed one could not be done and would stand in the
//! way of the others. For a paused tenant only reporting and deliveries are due.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use stagecall_core::Timestamp;
use stagecall_core::announcement::{Hire, HireKey};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, AssessmentId, AssessmentRef, TenantId};
use stagecall_core::ports::{Due, DueItem};

use super::fault::Fault;
use super::ledger::{key, step_named};
use super::{Store, instant};

/// A tenant without a state was never polled.
const POLLS: &str = "
    SELECT coalesce(tenant_state.due_at, 0) AS due_at, tenant.id
    FROM tenant LEFT JOIN tenant_state ON tenant_state.tenant = tenant.id
    WHERE NOT paused AND coalesce(tenant_state.due_at, 0) <= ?1 ORDER BY 1 LIMIT ?2";

// `CROSS JOIN` keeps SQLite to this order of the tables: along the index of what is due, and no further than the limit.

const INVITATIONS: &str = "
    SELECT due_at, step, invitation.tenant, application, mapping, round
    FROM invitation CROSS JOIN tenant ON tenant.id = invitation.tenant
    WHERE due_at <= ?1 AND (step = 'write_back' OR NOT paused) ORDER BY due_at LIMIT ?2";

const SWEEPS: &str = "
    SELECT due_at, sweep.tenant, account, assessment
    FROM sweep CROSS JOIN tenant ON tenant.id = sweep.tenant
    WHERE due_at <= ?1 AND NOT paused ORDER BY due_at LIMIT ?2";

const DELIVERIES: &str = "
    SELECT due_at, delivery.tenant, delivery.id
    FROM delivery CROSS JOIN tenant ON tenant.id = delivery.tenant
    WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2";

const ANNOUNCEMENTS: &str = "
    SELECT due_at, announcement.tenant, kind, announcement.id
    FROM announcement CROSS JOIN tenant ON tenant.id = announcement.tenant
    WHERE due_at <= ?1 AND NOT paused ORDER BY due_at LIMIT ?2";

#[async_trait]
impl Due for Store {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueItem>, StoreError> {
        self.read("find what is due", move |connection| {
            Ok(all(connection, now, limit)?
                .into_iter()
                .map(|(_, item)| item)
                .collect())
        })
        .await
    }
}

/// Makes an item of a row.
type Reader = fn(&Row<'_>) -> Result<DueItem, Fault>;

/// What is due, with since when in microseconds, the longest due first.
pub(super) fn all(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(i64, DueItem)>, Fault> {
    let kinds: [(&str, Reader); 5] = [
        (POLLS, poll),
        (INVITATIONS, invitation),
        (SWEEPS, sweep),
        (DELIVERIES, delivery),
        (ANNOUNCEMENTS, announcement),
    ];
    let mut found = Vec::new();
    for (sql, item) in kinds {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![instant(now), limit.cast_signed()])?;
        while let Some(row) = rows.next()? {
            // One that cannot be read must not hold up the others.
            match item(row) {
                Ok(item) => found.push((row.get(0)?, item)),
                Err(fault) => tracing::error!(%fault, "something is due and cannot be read"),
            }
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.truncate(limit);
    Ok(found)
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
