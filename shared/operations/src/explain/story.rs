//! What happened to an application: the histories of its invitations and hires, with operators' changes and the
//! callbacks that refer to them.

use serde::Serialize;
use stagecall_core::Timestamp;
use stagecall_core::announcement::Announcement;
use stagecall_core::ids::TenantId;
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{AuditRecord, Delivery};

use crate::error::Result;
use crate::hires::outcome;
use crate::history::describe;
use crate::installation::Installation;

/// Something that happened.
#[derive(Debug, Serialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The invitation, without its application; or `hire`.
    pub invitation: String,
    /// What, in words.
    pub what: String,
}

/// The whole story, in order.
pub(super) async fn tell(
    on: &Installation,
    tenant: &TenantId,
    invitations: &[Invitation],
    hires: &[Announcement],
) -> Result<Vec<Line>> {
    if invitations.is_empty() && hires.is_empty() {
        return Ok(Vec::new());
    }
    let audits = on.records.audits(Some(tenant), None).await?;
    let deliveries = if invitations.iter().any(|one| one.reference.is_some()) {
        on.records.deliveries(tenant, None).await?
    } else {
        Vec::new()
    };
    let deliveries: Vec<Delivery> = deliveries.into_iter().map(|(one, _)| one).collect();
    let mut lines = Vec::new();
    for one in invitations {
        lines.extend(of_invitation(one, &deliveries, &audits));
    }
    for one in hires {
        lines.extend(of_hire(one, &audits));
    }
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

fn of_invitation(of: &Invitation, deliveries: &[Delivery], audits: &[AuditRecord]) -> Vec<Line> {
    let line = |at, what| Line {
        at,
        invitation: format!("{}.{}", of.key.mapping, of.key.round),
        what,
    };
    let mut lines = Vec::new();
    if let Some(at) = of.entry.entered_at {
        let what = "entered the trigger stage, by Eploy's status history";
        lines.push(line(at, what.to_owned()));
    }
    let history = of.history.iter();
    lines.extend(history.map(|entry| line(entry.at, describe(entry))));
    if let Some(reference) = &of.reference {
        let about = deliveries.iter().filter(|one| {
            one.account == of.assessment.account && one.references.contains(reference)
        });
        lines.extend(about.map(|delivery| {
            let event = delivery.event.as_deref().unwrap_or("without a name");
            line(delivery.at, format!("the platform called back: {event}"))
        }));
    }
    let changes = of_operators(audits, of.key.name());
    lines.extend(changes.map(|(at, what)| line(at, what)));
    lines
}

fn of_hire(of: &Announcement, audits: &[AuditRecord]) -> Vec<Line> {
    let line = |at, what| Line {
        at,
        invitation: "hire".to_owned(),
        what,
    };
    let mut lines = vec![line(of.seen_at, "seen as hired".to_owned())];
    let hired = "hired, by Eploy's status history";
    lines.extend(of.hired_at.map(|at| line(at, hired.to_owned())));
    lines.extend(of.attempts.iter().map(|attempt| {
        let what = format!(
            "webhook sent to the HRMS (attempt {}): {}",
            attempt.number,
            outcome(&attempt.outcome)
        );
        line(attempt.at, what)
    }));
    let changes = of_operators(audits, of.key.hire.to_string());
    lines.extend(changes.map(|(at, what)| line(at, what)));
    lines
}

/// What operators changed of this target.
fn of_operators(
    audits: &[AuditRecord],
    target: String,
) -> impl Iterator<Item = (Timestamp, String)> {
    let about = audits.iter().filter(move |audit| audit.target == target);
    about.map(|audit| {
        let why = audit.why.as_ref();
        let reason = why.map(|why| format!(": {why}")).unwrap_or_default();
        (audit.at, format!("{} by {}{reason}", audit.what, audit.who))
    })
}
