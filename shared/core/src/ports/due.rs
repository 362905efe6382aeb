//! What is due.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::announcement::HireKey;
use crate::error::StoreError;
use crate::ids::{AssessmentRef, InvitationKey, TenantId};
use crate::invitation::Step;
use crate::work::{Kind, Work};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DueItem {
    Poll(TenantId),
    Invitation(InvitationKey, Step),
    Sweep(TenantId, AssessmentRef),
    /// A delivery that was not processed yet.
    Delivery(TenantId, String),
    Announcement(HireKey),
}

impl DueItem {
    /// The tenant that it belongs to.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Poll(tenant) | Self::Sweep(tenant, _) | Self::Delivery(tenant, _) => tenant,
            Self::Invitation(key, _) => &key.tenant,
            Self::Announcement(key) => &key.tenant,
        }
    }

    /// The kind of work that it is due for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Poll(_) => Kind::Poll,
            Self::Invitation(_, Step::Invite) => Kind::Invite,
            Self::Invitation(_, Step::WriteBack) => Kind::WriteBack,
            Self::Sweep(..) => Kind::Sweep,
            Self::Delivery(..) => Kind::Delivery,
            Self::Announcement(_) => Kind::Announce,
        }
    }
}

impl From<DueItem> for Work {
    fn from(item: DueItem) -> Self {
        match item {
            DueItem::Poll(tenant) => Self::Poll { tenant },
            DueItem::Invitation(key, step) => Self::step(key, step),
            DueItem::Sweep(tenant, assessment) => Self::Sweep { tenant, assessment },
            DueItem::Delivery(tenant, id) => Self::Delivery { tenant, id },
            DueItem::Announcement(key) => Self::Announce { key },
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DueSince {
    /// When it became due. For a tenant that was never polled: the epoch or earlier.
    pub since: Timestamp,
    pub item: DueItem,
}

#[async_trait]
pub trait Due: Send + Sync {
    /// The items of these kinds that are due at `now`, the longest due first: of each tenant and kind at most `each`.
    /// However much one tenant has due, the items of other tenants are found as well.
    ///
    /// A query changes nothing: an item is due until its row says otherwise.
    ///
    /// A poll may be returned although only other kinds were asked for, where an older version wrote its row.
    async fn due(
        &self,
        now: Timestamp,
        kinds: &[Kind],
        each: usize,
    ) -> Result<Vec<DueSince>, StoreError>;
}

/// Sorts what is due, the longest due first, and keeps the first `each` of each tenant and kind: the answer of
/// [`Due::due`], for stores that read more than that.
pub fn longest_due(mut due: Vec<DueSince>, each: usize) -> Vec<DueSince> {
    due.sort_by_key(|one| one.since);
    let mut kept: HashMap<(TenantId, Kind), usize> = HashMap::new();
    due.retain(|one| {
        let key = (one.item.tenant().clone(), one.item.kind());
        let kept = kept.entry(key).or_default();
        *kept += 1;
        *kept <= each
    });
    due
}
