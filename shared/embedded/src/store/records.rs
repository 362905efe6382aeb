//! The store's operations for operators' commands.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{ApplicationId, CandidateId, MappingId, TenantId};
use stagecall_core::ports::{
    AuditRecord, Delivery, DeliveryStatus, Erased, InvitationFilter, InvitationPage,
    KEPT_DELIVERY_DAYS, OperatorStore, StateCount, Tombstone,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::{after, seconds};
use stagecall_core::work::Kind;

use super::documents::documents;
use super::fault::Fault;
use super::{Store, column, deliveries, document, due, erase, instant, ledger, parse};

#[async_trait]
impl OperatorStore for Store {
    async fn verify(&self) -> Result<(), StoreError> {
        self.verify_pages().await
    }

    async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let (id, paused, text) = (tenant.id.clone(), tenant.paused, document(tenant)?);
        self.write("configure a tenant", move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO tenant (id, paused, document) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET paused = excluded.paused, document = excluded.document",
                )?
                .execute(params![id.as_str(), paused, text])?;
            Ok(())
        })
        .await
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.read("list the tenants", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT document, id FROM tenant ORDER BY id")?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let [text, id]: [String; 2] = [row.get(0)?, row.get(1)?];
                found.push(parse(format_args!("tenant {id}"), &text)?);
            }
            Ok(found)
        })
        .await
    }

    async fn remove_tenant(&self, id: &TenantId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write("remove a tenant", move |connection| {
            connection.execute("DELETE FROM tenant_state WHERE tenant = ?1", [id.as_str()])?;
            connection.execute("DELETE FROM definition WHERE tenant = ?1", [id.as_str()])?;
            connection.execute("DELETE FROM token WHERE tenant = ?1", [id.as_str()])?;
            Ok(connection.execute("DELETE FROM tenant WHERE id = ?1", [id.as_str()])? == 1)
        })
        .await
    }

    async fn invitations(
        &self,
        tenant: &TenantId,
        filter: &InvitationFilter,
        limit: usize,
        next: Option<&str>,
    ) -> Result<InvitationPage, StoreError> {
        let (tenant, filter) = (tenant.clone(), filter.clone());
        let below = next.map_or(Ok(i64::MAX), str::parse).map_err(|_| {
            let problem = "the cursor of the next page is invalid. Begin with the first page";
            StoreError::new(super::STORE, "list the invitations", problem)
        })?;
        self.read("list the invitations", move |connection| {
            page(connection, &tenant, &filter, limit, below)
        })
        .await
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<StateCount>, StoreError> {
        let tenant = tenant.clone();
        self.read("count the invitations", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT state, count(*) FROM invitation WHERE tenant = ?1 GROUP BY state ORDER BY state",
            )?;
            let counts = statement.query_map([tenant.as_str()], |row| {
                Ok(StateCount {
                    state: row.get(0)?,
                    count: row.get::<_, i64>(1)?.cast_unsigned(),
                })
            })?;
            Ok(counts.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read("find the longest due", move |connection| {
            // A tenant that was never polled has been due since the beginning of time, which is not informative.
            let due = due::all(connection, now, &Kind::ALL, 1)?;
            let mut times = due.into_iter().map(|one| one.since);
            Ok(times.find(|since| *since > Timestamp::UNIX_EPOCH))
        })
        .await
    }

    async fn deliveries(
        &self,
        tenant: &TenantId,
        since: Option<Timestamp>,
    ) -> Result<Vec<(Delivery, DeliveryStatus)>, StoreError> {
        let tenant = tenant.clone();
        let since = since.map_or(i64::MIN, instant);
        self.read("list the deliveries", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT document, standing, id FROM delivery WHERE tenant = ?1 AND at >= ?2 ORDER BY at, id",
            )?;
            let mut rows = statement.query(params![tenant.as_str(), since])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let [text, name, id]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                let delivery = parse(format_args!("delivery {tenant}/{id}"), &text)?;
                found.push((delivery, delivery_status(&name)));
            }
            Ok(found)
        })
        .await
    }

    async fn expire_deliveries(&self, now: Timestamp) -> Result<usize, StoreError> {
        let kept = f64::from(KEPT_DELIVERY_DAYS) * 86_400.0;
        let before = column(after(now, seconds(-kept)));
        let mut forgotten = 0;
        loop {
            let count = self
                .write("purge handled deliveries", move |connection| {
                    deliveries::forget_handled(connection, before)
                })
                .await?;
            forgotten += count;
            if count < deliveries::MAX_PURGED_PER_WRITE {
                return Ok(forgotten);
            }
        }
    }

    async fn audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let (at, tenant, text) = (column(record.at), record.tenant.clone(), document(record)?);
        let target = record.target.clone();
        self.write("save an audit record", move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO audit (at, tenant, target, document) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    at,
                    tenant.as_ref().map(TenantId::as_str),
                    target,
                    text
                ])?;
            Ok(())
        })
        .await
    }

    async fn audits(
        &self,
        tenant: Option<&TenantId>,
        since: Option<Timestamp>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let tenant = tenant.cloned();
        let since = since.map_or(i64::MIN, instant);
        self.read("list the audit records", move |connection| {
            documents(
                connection,
                "audit",
                "SELECT document, rowid FROM audit WHERE tenant IS ?1 AND at >= ?2 ORDER BY at, rowid",
                params![tenant.as_ref().map(TenantId::as_str), since],
            )
        })
        .await
    }

    async fn erase(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        let tombstone = Tombstone {
            candidate: candidate.clone(),
            at: now,
        };
        let tenant = tenant.clone();
        let erased = self
            .write("erase a candidate", move |connection| {
                erase::erase(connection, &tenant, &tombstone)
            })
            .await?;
        // The journal still has the old pages. A current reader may block the checkpoint for a moment.
        let operation = "clear the journal";
        for pause in [0, 50, 200, 1000] {
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            if self.read(operation, cleared).await? {
                return Ok(erased);
            }
        }
        Err(StoreError::new(
            super::STORE,
            operation,
            "the candidate's rows are gone, but the journal beside the file still has copies, because it is being read. Erase again",
        ))
    }

    async fn tombstones(&self, tenant: &TenantId) -> Result<Vec<Tombstone>, StoreError> {
        let tenant = tenant.clone();
        self.read("list the tombstones", move |connection| {
            documents(
                connection,
                "tombstone",
                "SELECT document, candidate FROM tombstone WHERE tenant = ?1 ORDER BY at, candidate",
                [tenant.as_str()],
            )
        })
        .await
    }
}

fn page(
    connection: &Connection,
    tenant: &TenantId,
    filter: &InvitationFilter,
    limit: usize,
    below: i64,
) -> Result<InvitationPage, Fault> {
    let tenant = tenant.as_str();
    let mut values: Vec<&dyn rusqlite::ToSql> = vec![&tenant, &below];
    let columns = filter_columns(filter);
    values.extend(
        columns
            .iter()
            .map(|(_, value)| value as &dyn rusqlite::ToSql),
    );
    let mut statement = connection.prepare_cached(&page_sql(filter))?;
    let mut rows = statement.query(values.as_slice())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let invitation = ledger::invitation(row, 1)?;
        if filter.admits(&invitation) {
            found.push(invitation);
        }
        if found.len() >= limit {
            let next = Some(row.get::<_, i64>(0)?.to_string());
            return Ok(InvitationPage { rows: found, next });
        }
    }
    Ok(InvitationPage {
        rows: found,
        next: None,
    })
}

/// Only the filtered columns are named, so that an index is used.
pub(super) fn page_sql(filter: &InvitationFilter) -> String {
    let mut sql = "SELECT rowid, document, tenant, application, mapping, round FROM invitation
         WHERE tenant = ?1 AND rowid < ?2"
        .to_owned();
    for (index, (column, _)) in filter_columns(filter).into_iter().enumerate() {
        sql = format!("{sql} AND {column} = ?{}", index + 3);
    }
    format!("{sql} ORDER BY rowid DESC")
}

fn filter_columns(filter: &InvitationFilter) -> Vec<(&'static str, &str)> {
    let columns = [
        (
            "candidate",
            filter.candidate.as_ref().map(CandidateId::as_str),
        ),
        (
            "application",
            filter.application.as_ref().map(ApplicationId::as_str),
        ),
        ("state", filter.state.as_deref()),
        ("mapping", filter.mapping.as_ref().map(MappingId::as_str)),
    ];
    let set = columns
        .into_iter()
        .map(|(column, value)| Some((column, value?)));
    set.flatten().collect()
}

fn delivery_status(name: &str) -> DeliveryStatus {
    match name {
        "handled" => DeliveryStatus::Handled,
        "unmatched" => DeliveryStatus::Unmatched,
        _ => DeliveryStatus::Pending,
    }
}

/// Moves the journal's pages into the file and truncates it. Returns whether no reader blocked that.
fn cleared(connection: &Connection) -> Result<bool, Fault> {
    let busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}
