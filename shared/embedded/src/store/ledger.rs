//! The invitations and the platforms' references.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, InvitationKey, MappingId,
    Reference, TenantId,
};
use stagecall_core::invitation::{Invitation, Schedule, Step};
use stagecall_core::ports::{
    Bound, Inserted, Ledger, OperatorStore as _, Saved, WatchedInvitation,
};

use super::fault::Fault;
use super::tombstones::is_erased;
use super::{Store, column, document, parse};

#[async_trait]
impl Ledger for Store {
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError> {
        let row = InvitationRow::of(invitation)?;
        self.write("insert an invitation", move |connection| {
            if is_erased(connection, &row.key.tenant, &row.candidate)? {
                return Ok(Inserted::Erased);
            }
            let changed = connection
                .prepare_cached(
                    "INSERT INTO invitation (tenant, application, mapping, round, version, state, due_at, step,
                         watched_account, watched_assessment, document, candidate)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
                )?
                .execute(row.parameters())?;
            Ok(if changed == 1 {
                Inserted::New
            } else {
                Inserted::Existed
            })
        })
        .await
    }

    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        let row = InvitationRow::of(next)?;
        self.write("save an invitation", move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE invitation SET version = ?5, state = ?6, due_at = ?7, step = ?8,
                         watched_account = ?9, watched_assessment = ?10, document = ?11, candidate = ?12
                     WHERE tenant = ?1 AND application = ?2 AND mapping = ?3 AND round = ?4 AND version = ?5 - 1",
                )?
                .execute(row.parameters())?;
            Ok(saved(changed))
        })
        .await
    }

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        let key = key.clone();
        self.read("load an invitation", move |connection| {
            connection
                .prepare_cached(
                    "SELECT document FROM invitation
                     WHERE tenant = ?1 AND application = ?2 AND mapping = ?3 AND round = ?4",
                )?
                .query_row(
                    params![
                        key.tenant.as_str(),
                        key.application.as_str(),
                        key.mapping.as_str(),
                        key.round
                    ],
                    |row| row.get(0),
                )
                .optional()?
                .map(|text: String| parse(format_args!("invitation {key}"), &text))
                .transpose()
        })
        .await
    }

    async fn of_applications(
        &self,
        tenant: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        let tenant = tenant.clone();
        // One parameter for any number of them.
        let applications = document(&applications)?;
        self.read("read the invitations of applications", move |connection| {
            invitations(
                connection,
                "SELECT document, tenant, application, mapping, round FROM invitation
                 WHERE tenant = ?1 AND application IN (SELECT value FROM json_each(?2))",
                params![tenant.as_str(), applications],
            )
        })
        .await
    }

    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        invitation: &Invitation,
    ) -> Result<Bound, StoreError> {
        let (account, reference) = (account.clone(), reference.clone());
        let (key, candidate) = (invitation.key.clone(), invitation.candidate.clone());
        self.write("bind a reference", move |connection| {
            if is_erased(connection, &key.tenant, &candidate)? {
                return Ok(Bound::Erased);
            }
            connection
                .prepare_cached(
                    "INSERT INTO binding (tenant, account, reference, application, mapping, round)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    key.tenant.as_str(),
                    account.as_str(),
                    reference.as_str(),
                    key.application.as_str(),
                    key.mapping.as_str(),
                    key.round
                ])?;
            Ok(
                match binding(connection, &key.tenant, &account, &reference)? {
                    Some(owner) if owner != key => Bound::Other(owner),
                    _ => Bound::Ours,
                },
            )
        })
        .await
    }

    async fn find_by_reference(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        let (tenant, account, reference) = (tenant.clone(), account.clone(), reference.clone());
        self.read("look up a reference", move |connection| {
            binding(connection, &tenant, &account, &reference)
        })
        .await
    }

    async fn find_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        let (tenant, account, name) = (tenant.clone(), account.clone(), name.to_owned());
        self.read("look up a created assessment", move |connection| {
            Ok(prepared(connection, &tenant, &account, &name)?)
        })
        .await
    }

    async fn save_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        let (tenant, account, name) = (tenant.clone(), account.clone(), name.to_owned());
        let made = made.clone();
        self.write("save a created assessment", move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO prepared (tenant, account, name, assessment)
                     VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    tenant.as_str(),
                    account.as_str(),
                    name,
                    made.as_str()
                ])?;
            Ok(prepared(connection, &tenant, &account, &name)?.unwrap_or(made))
        })
        .await
    }

    async fn erased(&self, tenant: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError> {
        let tombstones = self.tombstones(tenant).await?;
        Ok(tombstones.into_iter().map(|one| one.candidate).collect())
    }

    async fn purge_if_erased(&self, invitation: &Invitation) -> Result<bool, StoreError> {
        let (key, candidate) = (invitation.key.clone(), invitation.candidate.clone());
        self.write("purge an erased candidate's invitation", move |connection| {
            if !is_erased(connection, &key.tenant, &candidate)? {
                return Ok(false);
            }
            connection
                .prepare_cached(
                    "DELETE FROM invitation WHERE tenant = ?1 AND application = ?2 AND mapping = ?3 AND round = ?4",
                )?
                .execute(params![
                    key.tenant.as_str(),
                    key.application.as_str(),
                    key.mapping.as_str(),
                    key.round
                ])?;
            Ok(true)
        })
        .await
    }

    async fn waiting(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError> {
        let (tenant, assessment) = (tenant.clone(), assessment.clone());
        self.read("read the watched invitations", move |connection| {
            // One by one: thousands may be watched, and little of each is needed.
            each_invitation(
                connection,
                "SELECT document, tenant, application, mapping, round FROM invitation
                 WHERE tenant = ?1 AND watched_account = ?2 AND watched_assessment = ?3",
                params![
                    tenant.as_str(),
                    assessment.account.as_str(),
                    assessment.assessment.as_str()
                ],
                // An unreadable row must not block the others.
                |invitation| match invitation {
                    Err(fault @ Fault::Unreadable { .. }) => {
                        tracing::error!(%tenant, %fault, "watched invitation unreadable");
                        Ok(None)
                    }
                    other => other.map(waiting),
                },
            )
        })
        .await
    }
}

/// The outcome of a conditional change, by the number of changed rows.
pub(super) fn saved(changed: usize) -> Saved {
    if changed == 1 {
        Saved::Saved
    } else {
        Saved::Conflict
    }
}

/// The invitations whose documents and keys `sql` selects.
pub(super) fn invitations(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Invitation>, Fault> {
    each_invitation(connection, sql, parameters, |invitation| {
        invitation.map(Some)
    })
}

/// Maps each of the invitations whose documents and keys `sql` selects with `map`, without holding them all.
fn each_invitation<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    map: impl Fn(Result<Invitation, Fault>) -> Result<Option<T>, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(map(invitation(row, 0))?);
    }
    Ok(found)
}

/// The invitation with its document in the column `first`, and the parts of its key in the four after it.
pub(super) fn invitation(row: &Row<'_>, first: usize) -> Result<Invitation, Fault> {
    let document = row
        .get_ref(first)?
        .as_str()
        .map_err(rusqlite::Error::from)?;
    let key = key(row, first + 1)?;
    parse(format_args!("invitation {key}"), document)
}

/// The key with its parts in four columns from `first` on.
pub(super) fn key(row: &Row<'_>, first: usize) -> rusqlite::Result<InvitationKey> {
    Ok(InvitationKey {
        tenant: TenantId::new(row.get::<_, String>(first)?),
        application: ApplicationId::new(row.get::<_, String>(first + 1)?),
        mapping: MappingId::new(row.get::<_, String>(first + 2)?),
        round: row.get(first + 3)?,
    })
}

fn binding(
    connection: &Connection,
    tenant: &TenantId,
    account: &AccountId,
    reference: &Reference,
) -> Result<Option<InvitationKey>, Fault> {
    Ok(connection
        .prepare_cached(
            "SELECT tenant, application, mapping, round FROM binding
             WHERE tenant = ?1 AND account = ?2 AND reference = ?3",
        )?
        .query_row(
            params![tenant.as_str(), account.as_str(), reference.as_str()],
            |row| key(row, 0),
        )
        .optional()?)
}

fn prepared(
    connection: &Connection,
    tenant: &TenantId,
    account: &AccountId,
    name: &str,
) -> rusqlite::Result<Option<AssessmentId>> {
    connection
        .prepare_cached(
            "SELECT assessment FROM prepared WHERE tenant = ?1 AND account = ?2 AND name = ?3",
        )?
        .query_row(params![tenant.as_str(), account.as_str(), name], |row| {
            row.get(0).map(|text: String| AssessmentId::new(text))
        })
        .optional()
}

fn waiting(invitation: Invitation) -> Option<WatchedInvitation> {
    let Schedule::Sweep { until, level } = invitation.schedule else {
        return None;
    };
    Some(WatchedInvitation {
        key: invitation.key,
        reference: invitation.reference?,
        level,
        change_token: invitation.change_token,
        invited_at: invitation.invited_at,
        until,
    })
}

struct InvitationRow {
    key: InvitationKey,
    candidate: CandidateId,
    version: i64,
    state: &'static str,
    due: Option<(i64, &'static str)>,
    watched: Option<AssessmentRef>,
    document: String,
}

impl InvitationRow {
    fn of(invitation: &Invitation) -> Result<Self, StoreError> {
        let (due, watched) = match &invitation.schedule {
            Schedule::Never => (None, None),
            Schedule::At { at, step } => (Some((column(*at), step_name(*step))), None),
            Schedule::Sweep { .. } => (None, Some(invitation.assessment.clone())),
        };
        Ok(Self {
            key: invitation.key.clone(),
            candidate: invitation.candidate.clone(),
            version: invitation.version.cast_signed(),
            state: invitation.state.name(),
            due,
            watched,
            document: document(invitation)?,
        })
    }

    fn parameters(&self) -> impl rusqlite::Params {
        (
            self.key.tenant.as_str(),
            self.key.application.as_str(),
            self.key.mapping.as_str(),
            self.key.round,
            self.version,
            self.state,
            self.due.map(|(at, _)| at),
            self.due.map(|(_, step)| step),
            self.watched
                .as_ref()
                .map(|watched| watched.account.as_str()),
            self.watched
                .as_ref()
                .map(|watched| watched.assessment.as_str()),
            self.document.as_str(),
            self.candidate.as_str(),
        )
    }
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Invite => INVITE,
        Step::WriteBack => WRITE_BACK,
    }
}

/// The step of a row that has one.
pub(super) fn step_named(name: &str) -> Result<Step, Fault> {
    match name {
        INVITE => Ok(Step::Invite),
        WRITE_BACK => Ok(Step::WriteBack),
        other => Err(Fault::Other(format!(
            "an invitation's step is {other}, which does not exist"
        ))),
    }
}

const INVITE: &str = "invite";
const WRITE_BACK: &str = "write_back";
