//! `stagecall erase`.

use clap::Args;
use stagecall_core::ids::CandidateId;
use stagecall_core::invitation::{ActionRecord, Invitation, State};
use stagecall_core::ports::InvitationFilter;

use crate::exit;
use crate::operate::console::{Acting, Output, print_json};
use crate::operate::read::{invitations, known};
use crate::store::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The candidate's id in Eploy.
    #[arg(long, value_name = "ID")]
    candidate: String,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    output: Output,
}

/// Removes a candidate, looks again, and says what is left elsewhere.
pub(super) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = known(on, &arguments.tenant).await?;
    let candidate = CandidateId::from(arguments.candidate.as_str());
    let filter = InvitationFilter {
        candidate: Some(candidate.clone()),
        ..InvitationFilter::default()
    };
    let found = invitations(on, &tenant, &filter).await?;
    let now = on.clock.now();
    let sending = |one: &&Invitation| matches!(one.state, State::Sending { lease_until } if lease_until > now);
    if let Some(one) = found.iter().find(sending) {
        println!(
            "{} is being sent at this moment; erase when that is over, in a minute or two, so that it is known what the platform has",
            one.key
        );
        return Ok(exit::FAILED);
    }
    let what = format!(
        "Everything about candidate {candidate} of {tenant} is removed, for good: {} invitations, with their results, references and callbacks. A tombstone with the id stays, and the candidate is never invited again.",
        found.len()
    );
    if !arguments.acting.agreed(&what)? {
        return Ok(exit::OK);
    }
    let remains = elsewhere(&found);
    let erased = on.records.erase(&tenant, &candidate, now).await?;
    let target = format!("candidate {candidate}");
    arguments
        .acting
        .record(on, "erase", Some(&tenant), target)
        .await?;
    let left = invitations(on, &tenant, &filter).await?;
    if !left.is_empty() {
        anyhow::bail!("{} invitations came in meanwhile; erase again", left.len());
    }
    if arguments.output.json {
        print_json(&serde_json::json!({
            "removed": {
                "invitations": erased.invitations.len(),
                "references": erased.references,
                "deliveries": erased.deliveries,
                "mentions_in_audit_records": erased.audits,
            },
            "left": left.len(),
            "elsewhere": remains,
        }))?;
        return Ok(exit::OK);
    }
    println!(
        "removed: {} invitations, {} references, {} deliveries, {} mentions in audit records",
        erased.invitations.len(),
        erased.references,
        erased.deliveries,
        erased.audits
    );
    println!("looked again: nothing is left but the tombstone");
    println!("\nwhat is elsewhere, and for you to remove there:");
    for line in remains {
        println!("  * {line}");
    }
    Ok(exit::OK)
}

/// What other systems have of the candidate.
fn elsewhere(found: &[Invitation]) -> Vec<String> {
    let mut lines = Vec::new();
    for one in found {
        if let Some(reference) = &one.reference {
            lines.push(format!(
                "{}: the invitation {reference} with the candidate's answers; delete the participant or candidate there",
                one.assessment
            ));
        }
        let application = &one.key.application;
        match &one.report.action {
            Some(ActionRecord::Created(action)) => lines.push(format!(
                "Eploy: action {action} on application {application}; delete it there, with the candidate's record"
            )),
            Some(ActionRecord::Creating) => lines.push(format!(
                "Eploy: perhaps an action on application {application}"
            )),
            None => {}
        }
    }
    lines.push("logs and metrics: they have ids of applications and invitations, never names or addresses; they go when their time of keeping is over".to_owned());
    lines.push("backups of the store: they go when their time of keeping is over; after a restore, erase again".to_owned());
    lines
}
