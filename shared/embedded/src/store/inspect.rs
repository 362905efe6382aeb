//! What an operator's command reads.

use rusqlite::params;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::invitation::Invitation;

use super::fault::Fault;
use super::ledger::invitations;
use super::{Store, due};

/// How many invitations of a tenant are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateCount {
    /// Whose.
    pub tenant: TenantId,
    /// The state's name, see [`stagecall_core::invitation::State::name`].
    pub state: String,
    /// How many.
    pub count: u64,
}

/// Which invitations to list; `None` for all.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// In the state of this name.
    pub state: Option<String>,
}

impl Store {
    /// How many invitations there are, by tenant and state.
    pub async fn counts(&self) -> Result<Vec<StateCount>, StoreError> {
        self.read("count the invitations", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT tenant, state, count(*) FROM invitation GROUP BY tenant, state ORDER BY tenant, state",
            )?;
            let counts = statement.query_map([], |row| {
                Ok(StateCount {
                    tenant: TenantId::new(row.get::<_, String>(0)?),
                    state: row.get(1)?,
                    count: row.get::<_, i64>(2)?.cast_unsigned(),
                })
            })?;
            Ok(counts.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Invitations, the latest to be detected first, `limit` at most.
    pub async fn list_invitations(
        &self,
        filter: InvitationFilter,
        limit: usize,
    ) -> Result<Vec<Invitation>, StoreError> {
        self.read("list the invitations", move |connection| {
            invitations(
                connection,
                "SELECT document FROM invitation
                 WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR state = ?2)
                 ORDER BY rowid DESC LIMIT ?3",
                params![
                    filter.tenant.as_ref().map(TenantId::as_str),
                    filter.state,
                    limit.cast_signed()
                ],
            )
        })
        .await
    }

    /// Since when the longest due of what is due at `now` has been due; `None` if nothing is. What grows here is what
    /// the host cannot keep up with. Tenants that wait for their very first poll do not count.
    pub async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read("find the longest due", move |connection| {
            // A tenant that was never polled has been due since the beginning of time, which tells nothing.
            let tenants: i64 =
                connection.query_row("SELECT count(*) FROM tenant", [], |row| row.get(0))?;
            let enough = usize::try_from(tenants).unwrap_or(0) + 1;
            due::all(connection, now, enough)?
                .into_iter()
                .find(|(at, _)| *at > 0)
                .map(|(at, _)| Timestamp::from_microsecond(at))
                .transpose()
                .map_err(|error| {
                    Fault::Other(format!("a time in the file makes no sense: {error}"))
                })
        })
        .await
    }
}
