//! What is due.
//!
//! Only what belongs to a configured tenant can be: the work of a removed one could not be done and would stand in the
//! way of the others. For a paused tenant only reporting and deliveries are due.

use std::collections::{HashMap, HashSet, VecDeque};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::invitation::{Invitation, Step, Wake};
use stagecall_core::ports::{Due, DueItem};

use super::item::{Item, document, text};
use super::layout::{
    INDEX, INDEX_PARTITION, INDEX_SORT, PARTITION, PAUSED, Place, Row, SHARDS, SORT, at, instant,
    moment, shard,
};
use super::{Store, failed};

const OPERATION: &str = "find what is due";

/// The fewest and the most that are read at once.
const PAGE: (usize, usize) = (25, 1000);

#[async_trait]
impl Due for Store {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueItem>, StoreError> {
        let found = due_since(self, now, limit).await?;
        Ok(found.into_iter().map(|(_, item)| item).collect())
    }
}

/// What is due, with since when as the index has it, the longest due first.
async fn due_since(
    store: &Store,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(String, DueItem)>, StoreError> {
    let now = instant(now);
    let mut shards = Shards::new(store, &now, limit);
    let mut gates = HashMap::new();
    // A row that moves in the index while it is read may be met twice.
    let mut met = HashSet::new();
    let mut found: Vec<(String, DueItem)> = Vec::new();
    while found.len() < limit {
        let mut proposed = shards
            .take((limit - found.len()).clamp(PAGE.0, PAGE.1))
            .await?;
        if proposed.is_empty() {
            break;
        }
        proposed.retain(|one| met.insert(one.place.clone()));
        found.extend(store.truly_due(proposed, &now, &mut gates).await?);
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found.truncate(limit);
    Ok(found)
}

/// Since when the longest due has been due. A tenant that was never polled has been due since the beginning of time,
/// which tells nothing.
pub(super) async fn oldest(store: &Store, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let never_polled = moment(Timestamp::UNIX_EPOCH);
    let mut limit = PAGE.0;
    loop {
        let found = due_since(store, now, limit).await?;
        let exhausted = found.len() < limit;
        let first = found.into_iter().find(|(since, _)| *since > never_polled);
        if first.is_some() || exhausted {
            return Ok(first.and_then(|(since, _)| at(&since)));
        }
        limit *= 4;
    }
}

/// What a tenant's configuration lets through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Paused,
    NotConfigured,
}

impl Store {
    /// Those of the proposed rows that are due, with since when.
    async fn truly_due(
        &self,
        proposed: Vec<Proposal>,
        now: &str,
        gates: &mut HashMap<TenantId, Gate>,
    ) -> Result<Vec<(String, DueItem)>, StoreError> {
        self.learn_gates(&proposed, gates).await?;
        let invitations: Vec<Place> = proposed
            .iter()
            .filter(|one| matches!(one.row, Row::Invitation(_)))
            .map(|one| one.place.clone())
            .collect();
        let rows = self.get_all(OPERATION, &invitations, None).await?;
        let mut due = Vec::new();
        for one in proposed {
            let (since, item) = match one.row {
                Row::Tenant(tenant) => (one.since, DueItem::Poll(tenant)),
                Row::Sweep(tenant, assessment) => (one.since, DueItem::Sweep(tenant, assessment)),
                Row::Delivery(tenant, id) => (one.since, DueItem::Delivery(tenant, id)),
                Row::Announcement(key) => (one.since, DueItem::Announcement(key)),
                Row::Invitation(key) => {
                    let Some(row) = rows.get(&one.place) else {
                        continue;
                    };
                    // One that cannot be read must not hold up the others.
                    let wake = match document::<Invitation>(row) {
                        Ok(invitation) => invitation.wake,
                        Err(error) => {
                            tracing::error!(%error, "an invitation is due and cannot be read");
                            continue;
                        }
                    };
                    match wake {
                        Wake::At { at, step } if moment(at).as_str() <= now => {
                            (moment(at), DueItem::Invitation(key, step))
                        }
                        _ => continue,
                    }
                }
            };
            if passes(gates.get(tenant(&item)), &item) {
                due.push((since, item));
            }
        }
        Ok(due)
    }

    /// Reads what the configurations of the rows' tenants let through, as far as it is not known.
    async fn learn_gates(
        &self,
        proposed: &[Proposal],
        gates: &mut HashMap<TenantId, Gate>,
    ) -> Result<(), StoreError> {
        let mut places = HashMap::new();
        for one in proposed {
            let tenant = match &one.row {
                Row::Tenant(tenant) | Row::Sweep(tenant, _) | Row::Delivery(tenant, _) => tenant,
                Row::Invitation(key) => &key.tenant,
                Row::Announcement(key) => &key.tenant,
            };
            if !gates.contains_key(tenant) {
                places.insert(Place::tenant(tenant), tenant.clone());
            }
        }
        let wanted: Vec<Place> = places.keys().cloned().collect();
        let attributes = format!("{PARTITION}, {SORT}, {PAUSED}");
        let found = self.get_all(OPERATION, &wanted, Some(&attributes)).await?;
        for (place, tenant) in places {
            let gate = match found.get(&place).map(|item| item.get(PAUSED)) {
                None => Gate::NotConfigured,
                Some(Some(AttributeValue::Bool(true))) => Gate::Paused,
                Some(Some(AttributeValue::Bool(false))) => Gate::Open,
                Some(_) => {
                    tracing::error!(%tenant, "nothing is done for a tenant whose row does not say whether it is paused");
                    Gate::NotConfigured
                }
            };
            gates.insert(tenant, gate);
        }
        Ok(())
    }
}

fn tenant(item: &DueItem) -> &TenantId {
    match item {
        DueItem::Poll(tenant) | DueItem::Sweep(tenant, _) | DueItem::Delivery(tenant, _) => tenant,
        DueItem::Invitation(key, _) => &key.tenant,
        DueItem::Announcement(key) => &key.tenant,
    }
}

fn passes(gate: Option<&Gate>, item: &DueItem) -> bool {
    match gate {
        Some(Gate::Open) => true,
        Some(Gate::Paused) => {
            matches!(
                item,
                DueItem::Delivery(..) | DueItem::Invitation(_, Step::WriteBack)
            )
        }
        Some(Gate::NotConfigured) | None => false,
    }
}

/// A row that the index proposes.
struct Proposal {
    /// Since when it may be due.
    since: String,
    place: Place,
    row: Row,
}

/// All partitions of what is due, read as one, the longest due first.
struct Shards<'a> {
    store: &'a Store,
    now: &'a str,
    page: i32,
    each: Vec<Shard>,
}

struct Shard {
    partition: String,
    read: VecDeque<Proposal>,
    /// Where to read on; `None` at the beginning.
    after: Option<Item>,
    exhausted: bool,
}

impl<'a> Shards<'a> {
    fn new(store: &'a Store, now: &'a str, limit: usize) -> Self {
        // The rows are spread evenly; twice an even share is seldom too little, and then it is read on.
        let page = (limit / usize::from(SHARDS) * 2).clamp(PAGE.0, PAGE.1);
        let shards = (0..SHARDS).map(|number| Shard {
            partition: shard(number),
            read: VecDeque::new(),
            after: None,
            exhausted: false,
        });
        Self {
            store,
            now,
            page: i32::try_from(page).unwrap_or(i32::MAX),
            each: shards.collect(),
        }
    }

    /// The next ones, `count` at most; none: there are no more.
    async fn take(&mut self, count: usize) -> Result<Vec<Proposal>, StoreError> {
        let mut taken = Vec::new();
        while taken.len() < count {
            self.fill().await?;
            let first = self
                .each
                .iter_mut()
                .filter(|shard| !shard.read.is_empty())
                .min_by(|a, b| a.since().cmp(&b.since()));
            match first.and_then(|shard| shard.read.pop_front()) {
                Some(row) => taken.push(row),
                None => break,
            }
        }
        Ok(taken)
    }

    /// Sees that the front of every shard is known.
    async fn fill(&mut self) -> Result<(), StoreError> {
        let (store, now, page) = (self.store, self.now, self.page);
        while self.each.iter().any(Shard::must_be_read) {
            let unread = self.each.iter_mut().filter(|shard| shard.must_be_read());
            try_join_all(unread.map(|shard| shard.read(store, now, page))).await?;
        }
        Ok(())
    }
}

impl Shard {
    fn since(&self) -> Option<&String> {
        self.read.front().map(|row| &row.since)
    }

    fn must_be_read(&self) -> bool {
        self.read.is_empty() && !self.exhausted
    }

    async fn read(&mut self, store: &Store, now: &str, page: i32) -> Result<(), StoreError> {
        let answer = store
            .client
            .query()
            .table_name(&store.table)
            .index_name(INDEX)
            .key_condition_expression(format!(
                "{INDEX_PARTITION} = :partition AND {INDEX_SORT} <= :now"
            ))
            .expression_attribute_values(":partition", text(&self.partition))
            .expression_attribute_values(":now", text(now))
            .set_exclusive_start_key(self.after.take())
            .limit(page)
            .send()
            .await
            .map_err(|error| failed(OPERATION, &error))?;
        self.after = answer.last_evaluated_key;
        self.exhausted = self.after.is_none();
        self.read
            .extend(answer.items.iter().flatten().filter_map(proposal));
        Ok(())
    }
}

fn proposal(item: &Item) -> Option<Proposal> {
    let place = Place::of(item)?;
    Some(Proposal {
        since: item.get(INDEX_SORT)?.as_s().ok()?.clone(),
        row: place.row()?,
        place,
    })
}
