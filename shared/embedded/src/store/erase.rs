//! Removing a candidate: by indexes, so that other writes wait no longer than for any write.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use stagecall_core::announcement::{Announcement, HireKey};
use stagecall_core::ids::{AccountId, AssessmentRef, CandidateId, Reference, TenantId};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{AuditRecord, Erased, TenantState, Tombstone};

use super::documents::documents;
use super::fault::Fault;
use super::ledger::invitations;
use super::{column, deliveries, parse, sweeps};

/// Erases everything that [`Erased`] lists, atomically.
pub(super) fn erase(
    connection: &Connection,
    tenant: &TenantId,
    tombstone: &Tombstone,
) -> Result<Erased, Fault> {
    let candidate = &tombstone.candidate;
    bury(connection, tenant, tombstone)?;
    let mut erased = Erased {
        invitations: invitations(
            connection,
            "SELECT document, tenant, application, mapping, round FROM invitation
             WHERE tenant = ?1 AND candidate = ?2",
            params![tenant.as_str(), candidate.as_str()],
        )?,
        ..Erased::default()
    };
    for invitation in &erased.invitations {
        let mut references = unbind(connection, invitation)?;
        erased.references += references.len();
        let account = &invitation.assessment.account;
        references.extend(
            invitation
                .reference
                .iter()
                .map(|own| (account.clone(), own.clone())),
        );
        for (account, reference) in references {
            erased.deliveries +=
                deliveries::remove_those_of(connection, tenant, &account, &reference)?;
        }
        erased.audits += clear_audits(connection, tenant, &invitation.key.name())?;
    }
    let assessments: BTreeSet<&AssessmentRef> = erased
        .invitations
        .iter()
        .map(|one| &one.assessment)
        .collect();
    for assessment in assessments {
        if sweeps::forget_reading(connection, tenant, assessment)? {
            erased.readings += 1;
        }
    }
    connection
        .prepare_cached("DELETE FROM invitation WHERE tenant = ?1 AND candidate = ?2")?
        .execute(params![tenant.as_str(), candidate.as_str()])?;
    erased.skipped = clear_owners(connection, tenant, &erased.invitations)?;
    let announcements: Vec<Announcement> = documents(
        connection,
        "announcement",
        "DELETE FROM announcement WHERE tenant = ?1 AND candidate = ?2 RETURNING document, kind || ' ' || id",
        params![tenant.as_str(), candidate.as_str()],
    )?;
    for announcement in &announcements {
        let target = announcement.key.hire.to_string();
        erased.audits += clear_audits(connection, tenant, &target)?;
    }
    erased.announcements = announcements.len();
    let hires: Vec<HireKey> = announcements.into_iter().map(|one| one.key).collect();
    erased.poll_rows =
        forget_poll_rows(connection, tenant, candidate, &erased.invitations, &hires)?;
    Ok(erased)
}

fn bury(connection: &Connection, tenant: &TenantId, tombstone: &Tombstone) -> Result<(), Fault> {
    let text = serde_json::to_string(tombstone)
        .map_err(|error| Fault::Other(format!("the tombstone cannot be written: {error}")))?;
    connection
        .prepare_cached(
            "INSERT INTO tombstone (tenant, candidate, at, document) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            tenant.as_str(),
            tombstone.candidate.as_str(),
            column(tombstone.at),
            text
        ])?;
    Ok(())
}

/// Removes the bindings of an invitation. Returns what was bound.
fn unbind(
    connection: &Connection,
    invitation: &Invitation,
) -> Result<BTreeSet<(AccountId, Reference)>, Fault> {
    let key = &invitation.key;
    let mut statement = connection.prepare_cached(
        "DELETE FROM binding WHERE tenant = ?1 AND application = ?2 AND mapping = ?3 AND round = ?4
         RETURNING account, reference",
    )?;
    let bound = statement.query_map(
        params![
            key.tenant.as_str(),
            key.application.as_str(),
            key.mapping.as_str(),
            key.round
        ],
        |row| {
            let (account, reference): (String, String) = (row.get(0)?, row.get(1)?);
            Ok((AccountId::new(account), Reference::new(reference)))
        },
    )?;
    Ok(bound.collect::<Result<_, _>>()?)
}

/// Takes the names of these invitations out of the rows that were passed over for them. Returns out of how many.
fn clear_owners(
    connection: &Connection,
    tenant: &TenantId,
    erased: &[Invitation],
) -> Result<usize, Fault> {
    let applications: BTreeSet<_> = erased.iter().map(|one| &one.key.application).collect();
    let mut count = 0;
    for application in &applications {
        let rows = invitations(
            connection,
            "SELECT document, tenant, application, mapping, round FROM invitation
             WHERE tenant = ?1 AND state = 'skipped'
                 AND CASE WHEN json_valid(document) THEN document ->> '$.state.skipped.duplicate.application' END = ?2",
            params![tenant.as_str(), application.as_str()],
        )?;
        for next in rows
            .iter()
            .filter_map(|row| row.without_owner(&applications))
        {
            let text = serde_json::to_string(&next).map_err(|error| {
                Fault::Other(format!("an invitation cannot be written: {error}"))
            })?;
            count += connection
                .prepare_cached(
                    "UPDATE invitation SET version = ?5, document = ?6
                     WHERE tenant = ?1 AND application = ?2 AND mapping = ?3 AND round = ?4",
                )?
                .execute(params![
                    tenant.as_str(),
                    next.key.application.as_str(),
                    next.key.mapping.as_str(),
                    next.key.round,
                    next.version.cast_signed(),
                    text
                ])?;
        }
    }
    Ok(count)
}

/// Takes the candidate's applications out of what polls remember. Returns how many there were.
fn forget_poll_rows(
    connection: &Connection,
    tenant: &TenantId,
    candidate: &CandidateId,
    invitations: &[Invitation],
    hires: &[HireKey],
) -> Result<usize, Fault> {
    let text: Option<String> = connection
        .prepare_cached("SELECT document FROM tenant_state WHERE tenant = ?1")?
        .query_row([tenant.as_str()], |row| row.get(0))
        .optional()?;
    let Some(text) = text else {
        return Ok(0);
    };
    let mut state: TenantState = parse(format_args!("tenant_state {tenant}"), &text)?;
    let count = state.forget_candidate(candidate, invitations, hires);
    let text = serde_json::to_string(&state)
        .map_err(|error| Fault::Other(format!("the state cannot be written: {error}")))?;
    connection
        .prepare_cached("UPDATE tenant_state SET version = ?2, document = ?3 WHERE tenant = ?1")?
        .execute(params![tenant.as_str(), state.version.cast_signed(), text])?;
    Ok(count)
}

/// Removes a name from the audit records. Returns from how many.
fn clear_audits(connection: &Connection, tenant: &TenantId, target: &str) -> Result<usize, Fault> {
    Ok(connection
        .prepare_cached(
            "UPDATE audit SET target = ?3, document = json_set(document, '$.target', ?3)
             WHERE tenant = ?1 AND target = ?2",
        )?
        .execute(params![tenant.as_str(), target, AuditRecord::ERASED])?)
}
