//! The invitations and the platforms' references.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, InvitationKey, Reference,
    TenantId,
};
use stagecall_core::invitation::{Invitation, Schedule, Step};
use stagecall_core::ports::{
    Bound, Inserted, Ledger, OperatorStore as _, Saved, WatchedInvitation,
};
use stagecall_core::timing::{after, seconds};

use super::item::{Item, document, index, number, packed, plain, text};
use super::layout::{
    DOCUMENT, INDEX, INDEX_PARTITION, PARTITION, Row, RowKey, SORT, TO_WRITE_BACK, VERSION,
    WATCHED, group, group_of, moment, of_application, watched,
};
use super::write::{Condition, PutOnce, Written};
use super::{MAX_CONCURRENT_CALLS, STORE, Store, failed};

/// How long after its entry an invitation keeps its first place in the index.
const FIRST_STEPS_SECONDS: f64 = 300.0;

#[async_trait]
impl Ledger for Store {
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError> {
        let written = self
            .put(
                "insert an invitation",
                item(invitation)?,
                Condition::absent(),
            )
            .await?;
        // Not before the insert: an erasure could come in between.
        if self.purge_if_erased(invitation).await? {
            return Ok(Inserted::Erased);
        }
        Ok(written.into())
    }

    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        let written = self
            .put(
                "save an invitation",
                item(next)?,
                Condition::version_before(next.version),
            )
            .await?;
        Ok(written.into())
    }

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        let item = self
            .get("load an invitation", &RowKey::invitation(key))
            .await?;
        item.map(|item| document(&item)).transpose()
    }

    async fn of_applications(
        &self,
        tenant: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        let found: Vec<Vec<Invitation>> =
            stream::iter(applications.iter().cloned().collect::<BTreeSet<_>>())
                .map(|id| self.of_application(tenant, id))
                .buffer_unordered(MAX_CONCURRENT_CALLS)
                .try_collect()
                .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        invitation: &Invitation,
    ) -> Result<Bound, StoreError> {
        let key = &invitation.key;
        let mut item = RowKey::reference(&key.tenant, account, reference).key();
        item.insert(DOCUMENT.to_owned(), plain(key)?);
        let tombstone = RowKey::tombstone(&key.tenant, &invitation.candidate);
        let put = self
            .put_once_unless("bind a reference", item, &tombstone)
            .await?;
        Ok(match put {
            PutOnce::Put => Bound::Ours,
            PutOnce::Forbidden => Bound::Erased,
            PutOnce::Existed(before) => {
                let owner: InvitationKey = document(&before)?;
                if owner == *key {
                    Bound::Ours
                } else {
                    Bound::Other(owner)
                }
            }
        })
    }

    async fn find_by_reference(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        let place = RowKey::reference(tenant, account, reference);
        let item = self.get("look up a reference", &place).await?;
        item.map(|item| document(&item)).transpose()
    }

    async fn find_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        let place = RowKey::prepared(tenant, account, name);
        let item = self.get("look up a created assessment", &place).await?;
        item.map(|item| document(&item)).transpose()
    }

    async fn save_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        let mut item = RowKey::prepared(tenant, account, name).key();
        item.insert(DOCUMENT.to_owned(), plain(made)?);
        let before = self.put_once("save a created assessment", item).await?;
        Ok(match before {
            None => made.clone(),
            Some(before) => document(&before)?,
        })
    }

    async fn erased(&self, tenant: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError> {
        let tombstones = self.tombstones(tenant).await?;
        Ok(tombstones.into_iter().map(|one| one.candidate).collect())
    }

    async fn purge_if_erased(&self, invitation: &Invitation) -> Result<bool, StoreError> {
        let key = &invitation.key;
        if !self.is_erased(&key.tenant, &invitation.candidate).await? {
            return Ok(false);
        }
        let operation = "purge an erased candidate's invitation";
        self.delete(operation, &RowKey::invitation(key)).await?;
        Ok(true)
    }

    async fn waiting(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError> {
        let operation = "read the watched invitations";
        let items: Vec<Item> = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression(format!("{INDEX_PARTITION} = :partition"))
            .expression_attribute_values(":partition", text(watched(tenant, assessment)))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| failed(operation, &error))?;
        // An unreadable row must not block the others.
        let readable = items.iter().filter_map(|item| {
            let one = waiting(item);
            if one.is_none() {
                let row = RowKey::of(item).map(|place| place.sk);
                tracing::error!(%tenant, %assessment, row, "watched invitation unreadable");
            }
            one
        });
        Ok(readable.collect())
    }
}

impl Store {
    /// Puts an item if there is none. Returns the existing one.
    pub(super) async fn put_once(
        &self,
        operation: &'static str,
        item: Item,
    ) -> Result<Option<Item>, StoreError> {
        match self.put(operation, item, Condition::absent()).await? {
            Written::Saved => Ok(None),
            Written::Conflict(Some(before)) => Ok(Some(before)),
            Written::Conflict(None) => Err(StoreError::new(
                STORE,
                operation,
                "AWS does not return the existing row",
            )),
        }
    }

    async fn of_application(
        &self,
        tenant: &TenantId,
        id: ApplicationId,
    ) -> Result<Vec<Invitation>, StoreError> {
        let operation = "read the invitations of applications";
        let items: Vec<Item> = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(format!(
                "{PARTITION} = :group AND begins_with({SORT}, :application)"
            ))
            .expression_attribute_values(":group", text(group(tenant, group_of(&id))))
            .expression_attribute_values(":application", text(of_application(&id)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| failed(operation, &error))?;
        items.iter().map(document).collect()
    }
}

/// The invitation's row.
fn item(invitation: &Invitation) -> Result<Item, StoreError> {
    let place = RowKey::invitation(&invitation.key);
    let mut item = place.key();
    item.insert(VERSION.to_owned(), number(invitation.version));
    item.insert(DOCUMENT.to_owned(), packed(invitation)?);
    match &invitation.schedule {
        Schedule::Never => {}
        Schedule::At { at, step } => {
            let from = look_from(invitation.entry.seen_at, *at);
            let mut sort = moment(from);
            if *step == Step::WriteBack && from == *at && from != invitation.entry.seen_at {
                sort.push_str(TO_WRITE_BACK);
            }
            index(&mut item, place.due_partition(), sort);
        }
        Schedule::Sweep { until, level } => {
            let partition = watched(&invitation.key.tenant, &invitation.assessment);
            // By a constant time: new facts do not move a watched row.
            index(&mut item, partition, moment(invitation.entry.seen_at));
            item.insert(
                WATCHED.to_owned(),
                plain(&glimpse(invitation, *level, *until))?,
            );
        }
    }
    Ok(item)
}

/// The time from which the index proposes a row that is due at `due_at`; never later. Moving a row in the index costs two
/// write units at each of its first steps (claimed, sent, being reported), which follow within seconds. So it keeps its
/// first place, and [`Due`](stagecall_core::ports::Due) reads the row itself.
fn look_from(seen_at: Timestamp, due_at: Timestamp) -> Timestamp {
    if due_at >= seen_at && due_at <= after(seen_at, seconds(FIRST_STEPS_SECONDS)) {
        seen_at
    } else {
        due_at
    }
}

/// The projected facts of a watched invitation; its key is that of the row.
type Glimpse = (
    Option<Reference>,
    u8,
    Option<String>,
    Option<Timestamp>,
    Option<Timestamp>,
);

fn glimpse(of: &Invitation, level: u8, until: Option<Timestamp>) -> Glimpse {
    (
        of.reference.clone(),
        level,
        of.change_token.clone(),
        of.invited_at,
        until,
    )
}

fn waiting(item: &Item) -> Option<WatchedInvitation> {
    let Row::Invitation(key) = RowKey::of(item)?.row()? else {
        return None;
    };
    let glimpse: Glimpse = serde_json::from_str(item.get(WATCHED)?.as_s().ok()?).ok()?;
    let (reference, level, change_token, invited_at, until) = glimpse;
    Some(WatchedInvitation {
        key,
        reference: reference?,
        level,
        change_token,
        invited_at,
        until,
    })
}
