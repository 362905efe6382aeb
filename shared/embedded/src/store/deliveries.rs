//! The deliveries.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Deliveries, Delivery, DeliveryFate};
use stagecall_core::timing::{after, seconds};

use super::fault::Fault;
use super::{Store, column, document, parse};

/// For how long a delivery that was handled is remembered.
const HANDLED_SECONDS: f64 = 30.0 * 86_400.0;

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
            connection
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

    async fn settle(&self, delivery: &Delivery, fate: &DeliveryFate) -> Result<(), StoreError> {
        let (standing, due_at) = match fate {
            DeliveryFate::Handled => ("handled", None),
            DeliveryFate::Again(at) => ("pending", Some(column(*at))),
            DeliveryFate::Unmatched => ("unmatched", None),
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

/// Removes the deliveries that were handled and arrived long before `now`.
pub(super) fn forget_handled(connection: &Connection, now: Timestamp) -> Result<(), Fault> {
    let before = after(now, seconds(-HANDLED_SECONDS));
    let forgotten = connection.execute(
        "DELETE FROM delivery WHERE standing = 'handled' AND at < ?1",
        params![column(before)],
    )?;
    if forgotten > 0 {
        tracing::info!(forgotten, "old deliveries were removed");
    }
    Ok(())
}
