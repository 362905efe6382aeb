//! Records that could not be read.

use jiff::{SignedDuration, Timestamp};

use crate::ports::{ApplicationPage, UnparsableRecord, UnreadRecord};
use crate::tenant::Tenant;

/// How long an unreadable record is remembered: its change is long past the overlap by then.
const MAX_UNREAD_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The maximum number of unreadable records remembered: with more, the cause is not the records.
const MAX_UNREAD: usize = 20;

/// Logs the records that could not be read. Returns how many.
pub(super) fn log_set_aside(tenant: &Tenant, kind: &str, records: &[UnparsableRecord]) -> u32 {
    for record in records {
        let id = record.id.as_deref().unwrap_or("unknown");
        tracing::warn!(tenant = %tenant.id, kind, id, reason = record.reason, "unreadable record skipped");
    }
    u32::try_from(records.len()).unwrap_or(u32::MAX)
}

/// Remembers the unreadable records of a page, and forgets those that are readable by now.
pub(super) fn remember_unread(
    unread: &mut Vec<UnreadRecord>,
    page: &ApplicationPage,
    now: Timestamp,
) {
    unread.retain(|known| {
        let same = |id: &str| known.id.as_deref() == Some(id);
        now.duration_since(known.at) < MAX_UNREAD_AGE
            && !page.rows.iter().any(|row| same(row.id.as_str()))
            && !page.set_aside.iter().any(|one| one.id == known.id)
    });
    unread.extend(page.set_aside.iter().map(|one| UnreadRecord {
        id: one.id.clone(),
        reason: one.reason.clone(),
        at: now,
    }));
    let surplus = unread.len().saturating_sub(MAX_UNREAD);
    unread.drain(..surplus);
}
