//! What is due.
//!
//! Only the work of configured tenants can be due: that of a removed one could not be done and would block the others. For a
//! paused tenant only reports and deliveries are due.
//!
//! The index is read completely, keys only: a page has some five thousand of them. Per tenant and kind as many are kept as
//! are requested. Of those, rows that decide themselves whether they are due are read.

use std::collections::{HashMap, HashSet, VecDeque};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{InvitationKey, TenantId};
use stagecall_core::invitation::{Invitation, Schedule, Step};
use stagecall_core::ports::{Due, DueItem, DueSince, longest_due};
use stagecall_core::work::Kind;

use super::item::{Item, document, text};
use super::layout::{
    INDEX, INDEX_PARTITION, INDEX_SORT, PARTITION, PAUSED, Row, RowKey, SHARDS, SORT,
    TO_WRITE_BACK, at, instant, moment, poll_shard, shard,
};
use super::{Store, failed};

const OPERATION: &str = "find what is due";

/// The surplus kept per tenant and kind beyond the requested number: some may turn out not to be due.
const SPARE: usize = 100;

/// Sorts after every time that begins with the same sixteen digits.
const AFTER: &str = "~";

#[async_trait]
impl Due for Store {
    async fn due(
        &self,
        now: Timestamp,
        kinds: &[Kind],
        each: usize,
    ) -> Result<Vec<DueSince>, StoreError> {
        let of_polls = kinds.contains(&Kind::Poll);
        let of_others = kinds.iter().any(|kind| *kind != Kind::Poll);
        let polls = (0..SHARDS).filter(|_| of_polls).map(poll_shard);
        let others = (0..SHARDS).filter(|_| of_others).map(shard);
        let now = instant(now);
        let read = polls
            .chain(others)
            .map(|partition| self.read_shard(partition, &now, each));
        let shards = try_join_all(read).await?;

        let mut groups = Groups::new();
        for (group, proposals) in shards.into_iter().flatten() {
            groups.entry(group).or_default().extend(proposals);
        }
        // A row that moves in the index during the read may appear twice.
        let mut met = HashSet::new();
        for proposals in groups.values_mut() {
            proposals.make_contiguous().sort_by_key(|one| one.since);
            proposals.retain(|one| met.insert(one.place.clone()));
        }
        let mut due = self.truly_due(groups, &now, each).await?;
        due.retain(|one| {
            let kind = one.item.kind();
            kind == Kind::Poll || kinds.contains(&kind)
        });
        Ok(longest_due(due, each))
    }
}

/// The time since which the oldest due work is due. A tenant that was never polled has been due since the beginning of time,
/// which is not informative.
pub(super) async fn oldest(store: &Store, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let due = store.due(now, &Kind::ALL, 1).await?;
    let mut times = due.into_iter().map(|one| one.since);
    Ok(times.find(|since| *since > Timestamp::UNIX_EPOCH))
}

/// A row that the index proposes.
struct Proposal {
    /// The time since which it may be due.
    since: Timestamp,
    place: RowKey,
    row: Row,
}

/// The proposals per tenant and kind. For invitations the kind is from the index, and the row may correct it.
type Groups = HashMap<(TenantId, Kind), VecDeque<Proposal>>;

/// The work that a tenant's configuration allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Paused,
    NotConfigured,
}

impl Store {
    /// The proposals of one partition of the index, the longest due first.
    async fn read_shard(
        &self,
        partition: String,
        now: &str,
        each: usize,
    ) -> Result<Groups, StoreError> {
        let most = each.saturating_add(SPARE);
        let mut groups = Groups::new();
        let mut after: Option<Item> = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression(format!(
                    "{INDEX_PARTITION} = :partition AND {INDEX_SORT} <= :now"
                ))
                .expression_attribute_values(":partition", text(&partition))
                .expression_attribute_values(":now", text(format!("{now}{AFTER}")))
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| failed(OPERATION, &error))?;
            for (group, proposal) in answer.items.iter().flatten().filter_map(proposal) {
                let group = groups.entry(group).or_default();
                if group.len() < most {
                    group.push_back(proposal);
                }
            }
            after = answer.last_evaluated_key;
            if after.is_none() {
                return Ok(groups);
            }
        }
    }

    /// The work that the configurations of these tenants allow.
    async fn gates(&self, groups: &Groups) -> Result<HashMap<TenantId, Gate>, StoreError> {
        let tenants: HashSet<&TenantId> = groups.keys().map(|(tenant, _)| tenant).collect();
        let places: Vec<RowKey> = tenants
            .iter()
            .map(|tenant| RowKey::tenant(tenant))
            .collect();
        let attributes = format!("{PARTITION}, {SORT}, {PAUSED}");
        let found = self.get_all(OPERATION, &places, Some(&attributes)).await?;
        let gate = |tenant: &TenantId| Gate::of(tenant, found.get(&RowKey::tenant(tenant)));
        Ok(tenants
            .into_iter()
            .map(|tenant| (tenant.clone(), gate(tenant)))
            .collect())
    }

    /// The proposed rows that are due: up to `each` per tenant and kind. Invitations are read to decide; if some are not
    /// due, the next ones are read.
    async fn truly_due(
        &self,
        mut groups: Groups,
        now: &str,
        each: usize,
    ) -> Result<Vec<DueSince>, StoreError> {
        let gates = self.gates(&groups).await?;
        let mut found: HashMap<(TenantId, Kind), usize> = HashMap::new();
        let mut due = Vec::new();
        loop {
            groups.retain(|group, proposals| {
                let gate = gates.get(&group.0).copied();
                let enough = lacking(&found, group, each) == 0;
                !proposals.is_empty() && !enough && gate.is_some_and(|gate| gate.may_pass(group.1))
            });
            if groups.is_empty() || each == 0 {
                return Ok(due);
            }
            let mut proposed = Vec::new();
            for (group, proposals) in &mut groups {
                let lacking = lacking(&found, group, each);
                proposed.extend(proposals.drain(..lacking.min(proposals.len())));
            }
            for one in self.asked(proposed, now).await? {
                let (tenant, kind) = (one.item.tenant(), one.item.kind());
                if gates.get(tenant).is_some_and(|gate| gate.passes(kind)) {
                    *found.entry((tenant.clone(), kind)).or_default() += 1;
                    due.push(one);
                }
            }
        }
    }

    /// The proposed rows that are due by their own content.
    async fn asked(&self, proposed: Vec<Proposal>, now: &str) -> Result<Vec<DueSince>, StoreError> {
        let invitations: Vec<RowKey> = proposed
            .iter()
            .filter(|one| matches!(one.row, Row::Invitation(_)))
            .map(|one| one.place.clone())
            .collect();
        let rows = self.get_all(OPERATION, &invitations, None).await?;
        let due = proposed.into_iter().filter_map(|one| {
            let item = match one.row {
                Row::Tenant(tenant) => DueItem::Poll(tenant),
                Row::Sweep(tenant, assessment) => DueItem::Sweep(tenant, assessment),
                Row::Delivery(tenant, id) => DueItem::Delivery(tenant, id),
                Row::Announcement(key) => DueItem::Announcement(key),
                Row::Invitation(key) => {
                    let (since, step) = due_step(&key, rows.get(&one.place)?)?;
                    return (moment(since).as_str() <= now).then_some(DueSince {
                        since,
                        item: DueItem::Invitation(key, step),
                    });
                }
            };
            Some(DueSince {
                since: one.since,
                item,
            })
        });
        Ok(due.collect())
    }
}

/// How many of this tenant and kind are still missing. An invitation to send in the index may be one to report, so it is
/// searched for both.
fn lacking(
    found: &HashMap<(TenantId, Kind), usize>,
    (tenant, kind): &(TenantId, Kind),
    each: usize,
) -> usize {
    let lacking = |kind| {
        let found = found.get(&(tenant.clone(), kind)).copied();
        each.saturating_sub(found.unwrap_or_default())
    };
    match kind {
        Kind::Invite => lacking(Kind::Invite).max(lacking(Kind::WriteBack)),
        kind => lacking(*kind),
    }
}

/// When an invitation's row is due, and for which step.
fn due_step(key: &InvitationKey, row: &Item) -> Option<(Timestamp, Step)> {
    match document::<Invitation>(row) {
        Ok(invitation) => match invitation.schedule {
            Schedule::At { at, step } => Some((at, step)),
            _ => None,
        },
        // An unreadable row must not block the others.
        Err(error) => {
            tracing::error!(tenant = %key.tenant, invitation = %key.name(), %error, "due invitation unreadable");
            None
        }
    }
}

impl Gate {
    /// Reads a tenant's row.
    fn of(tenant: &TenantId, row: Option<&Item>) -> Self {
        match row.map(|item| item.get(PAUSED)) {
            None => Self::NotConfigured,
            Some(Some(AttributeValue::Bool(true))) => Self::Paused,
            Some(Some(AttributeValue::Bool(false))) => Self::Open,
            Some(_) => {
                tracing::error!(%tenant, "tenant row without pause state, its work is skipped");
                Self::NotConfigured
            }
        }
    }

    /// Whether it allows work of this kind.
    fn passes(self, kind: Kind) -> bool {
        match self {
            Self::Open => true,
            Self::Paused => matches!(kind, Kind::Delivery | Kind::WriteBack),
            Self::NotConfigured => false,
        }
    }

    /// Whether it may allow a proposal of this kind: only an invitation's row says whether it has to be reported.
    fn may_pass(self, kind: Kind) -> bool {
        self.passes(kind) || (self == Self::Paused && kind == Kind::Invite)
    }
}

/// The proposal of an index item, with its tenant and likely kind.
fn proposal(item: &Item) -> Option<((TenantId, Kind), Proposal)> {
    let place = RowKey::of(item)?;
    let row = place.row()?;
    let sort = item.get(INDEX_SORT)?.as_s().ok()?;
    let group = match &row {
        Row::Tenant(tenant) => (tenant.clone(), Kind::Poll),
        Row::Sweep(tenant, _) => (tenant.clone(), Kind::Sweep),
        Row::Delivery(tenant, _) => (tenant.clone(), Kind::Delivery),
        Row::Announcement(key) => (key.tenant.clone(), Kind::Announce),
        Row::Invitation(key) if sort.ends_with(TO_WRITE_BACK) => {
            (key.tenant.clone(), Kind::WriteBack)
        }
        Row::Invitation(key) => (key.tenant.clone(), Kind::Invite),
    };
    let since = at(sort)?;
    Some((group, Proposal { since, place, row }))
}
