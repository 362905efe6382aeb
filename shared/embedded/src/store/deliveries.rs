//! The deliveries.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, Reference, TenantId};
use stagecall_core::ports::{Deliveries, Delivery, DeliveryOutcome};

use super::fault::Fault;
use super::{Store, column, document, parse};

/// How many are removed in one write, so that other writes do not wait long.
pub(super) const MAX_PURGED_PER_WRITE: usize = 500;

#[async_trait]
impl Deliveries for Store {
    async fn store(
        &self,
        delivery: &Delivery,
        due_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let text = document(delivery)?;
        let delivery = delivery.clone();
        self.write("store a delivery", move |connection| {
            let changed = connection
                .prepare_cached(
                    "INSERT INTO delivery (tenant, id, standing, at, due_at, document)
                     VALUES (?1, ?2, 'pending', ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET standing = 'pending', at = excluded.at, due_at = excluded.due_at,
                         document = excluded.document
                     WHERE standing <> 'pending'",
                )?
                .execute(params![
                    delivery.tenant.as_str(),
                    delivery.id,
                    column(delivery.at),
                    due_at.map(column),
                    text
                ])?;
            if changed == 1 {
                remember_references(connection, &delivery)?;
            }
            Ok(())
        })
        .await
    }

    async fn load_delivery(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.read("load a delivery", move |connection| {
            connection
                .prepare_cached("SELECT document FROM delivery WHERE tenant = ?1 AND id = ?2")?
                .query_row(params![tenant.as_str(), id], |row| row.get(0))
                .optional()?
                .map(|text: String| parse(format_args!("delivery {tenant}/{id}"), &text))
                .transpose()
        })
        .await
    }

    async fn settle(&self, delivery: &Delivery, fate: &DeliveryOutcome) -> Result<(), StoreError> {
        let (standing, due_at) = match fate {
            DeliveryOutcome::Handled => ("handled", None),
            DeliveryOutcome::Again(at) => ("pending", Some(column(*at))),
            DeliveryOutcome::Unmatched => ("unmatched", None),
        };
        let text = document(delivery)?;
        let delivery = delivery.clone();
        self.write("settle a delivery", move |connection| {
            connection
                .prepare_cached(
                    "UPDATE delivery SET standing = ?3, due_at = ?4, document = ?5 WHERE tenant = ?1 AND id = ?2",
                )?
                .execute(params![
                    delivery.tenant.as_str(),
                    delivery.id,
                    standing,
                    due_at,
                    text
                ])?;
            Ok(())
        })
        .await
    }

    async fn unmatched(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let tenant = tenant.clone();
        self.read("read the unmatched deliveries", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT document, id FROM delivery WHERE standing = 'unmatched' AND tenant = ?1
                 ORDER BY at DESC LIMIT ?2",
            )?;
            let mut rows = statement.query(params![tenant.as_str(), limit.cast_signed()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let [text, id]: [String; 2] = [row.get(0)?, row.get(1)?];
                found.push(parse(format_args!("delivery {tenant}/{id}"), &text)?);
            }
            Ok(found)
        })
        .await
    }
}

/// Removes some of the handled deliveries that arrived before this time. Returns how many.
pub(super) fn forget_handled(connection: &Connection, before: i64) -> Result<usize, Fault> {
    let places: Vec<(String, String)> = connection
        .prepare_cached(
            "SELECT tenant, id FROM delivery WHERE standing = 'handled' AND at < ?1 LIMIT ?2",
        )?
        .query_map(params![before, MAX_PURGED_PER_WRITE.cast_signed()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    for (tenant, id) in &places {
        remove(connection, tenant, id)?;
    }
    Ok(places.len())
}

/// Removes a delivery.
fn remove(connection: &Connection, tenant: &str, id: &str) -> Result<(), Fault> {
    for sql in [
        "DELETE FROM delivery_reference WHERE tenant = ?1 AND id = ?2",
        "DELETE FROM delivery WHERE tenant = ?1 AND id = ?2",
    ] {
        connection.prepare_cached(sql)?.execute([tenant, id])?;
    }
    Ok(())
}

/// Removes the deliveries with a platform account's reference. Returns how many.
pub(super) fn remove_those_of(
    connection: &Connection,
    tenant: &TenantId,
    account: &AccountId,
    reference: &Reference,
) -> Result<usize, Fault> {
    let ids: Vec<String> = connection
        .prepare_cached(
            "SELECT id FROM delivery_reference WHERE tenant = ?1 AND account = ?2 AND reference = ?3",
        )?
        .query_map(
            params![tenant.as_str(), account.as_str(), reference.as_str()],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    for id in &ids {
        remove(connection, tenant.as_str(), id)?;
    }
    Ok(ids.len())
}

/// Indexes a delivery by its references.
fn remember_references(connection: &Connection, delivery: &Delivery) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO delivery_reference (tenant, id, account, reference) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    for reference in &delivery.references {
        statement.execute(params![
            delivery.tenant.as_str(),
            delivery.id,
            delivery.account.as_str(),
            reference.as_str()
        ])?;
    }
    Ok(())
}
