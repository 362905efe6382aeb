//! `stagecall erase`.

use clap::Args;
use stagecall_core::ids::CandidateId;
use stagecall_core::invitation::{ActionRecord, FailReason, Invitation, State};
use stagecall_core::ports::{InvitationFilter, Withdrawn};

use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, print_json};
use stagecall_operations::Installation;
use stagecall_operations::read::invitations;
use stagecall_operations::withdraw::withdraw;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The candidate's id in Eploy.
    #[arg(long, value_name = "ID")]
    candidate: String,
    /// Leave the platforms' data unchanged.
    #[arg(long)]
    here_only: bool,
    #[command(flatten)]
    audit: Audit,
    #[command(flatten)]
    output: Output,
}

/// Removes a candidate, verifies it, and prints what is left in other systems.
pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.known_tenant(&arguments.tenant).await?;
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
            "{} is being sent right now. Erase again in a minute or two, when it is known what the platform has",
            one.key
        );
        return Ok(exit::FAILED);
    }
    let there = if arguments.here_only {
        "The platforms' data is not removed."
    } else {
        "The platforms are asked to remove their data, including the answers."
    };
    let what = format!(
        "Everything about candidate {candidate} of {tenant} will be removed permanently: {} invitations, with their results, references and callbacks, announcements of a hire, and the data of polls and sweeps. {there} A tombstone with the id is kept, and the candidate is never invited again.",
        found.len()
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    // First, because the references are deleted below.
    let mut remains = Vec::new();
    for one in &found {
        remains.extend(on_platform(on, one, arguments.here_only).await);
    }
    remains.extend(elsewhere(&found));
    let erased = on.records.erase(&tenant, &candidate, now).await?;
    if erased.announcements > 0 {
        remains.push("the HRMS: the data of the hire that it was sent; remove it there".to_owned());
    }
    let target = format!("candidate {candidate}");
    arguments
        .audit
        .actor()
        .record(on, "erase", Some(&tenant), target)
        .await?;
    let left = invitations(on, &tenant, &filter).await?;
    if !left.is_empty() {
        anyhow::bail!(
            "{} invitations were added meanwhile; erase again",
            left.len()
        );
    }
    if arguments.output.json {
        print_json(&serde_json::json!({
            "removed": {
                "invitations": erased.invitations.len(),
                "references": erased.references,
                "deliveries": erased.deliveries,
                "announcements": erased.announcements,
                "mentions_in_invitations_of_others": erased.skipped,
                "mentions_in_audit_records": erased.audits,
                "applications_remembered_by_polls": erased.poll_rows,
                "unfinished_sweeps": erased.readings,
            },
            "left": left.len(),
            "elsewhere": remains,
        }))?;
        return Ok(exit::OK);
    }
    println!(
        "removed: {} invitations, {} references, {} deliveries, {} announcements of a hire, {} mentions in others' invitations, {} mentions in audit records, {} applications that polls remembered, {} places where a sweep was to read on",
        erased.invitations.len(),
        erased.references,
        erased.deliveries,
        erased.announcements,
        erased.skipped,
        erased.audits,
        erased.poll_rows,
        erased.readings
    );
    println!("verified: nothing is left but the tombstone");
    println!("\nelsewhere:");
    for line in remains {
        println!("  * {line}");
    }
    Ok(exit::OK)
}

/// What happened to an invitation on its platform; `None` if it never got there.
async fn on_platform(on: &Installation, of: &Invitation, here_only: bool) -> Option<String> {
    let by_hand = "delete the participant or candidate there, by hand";
    let Some(reference) = &of.reference else {
        return is_perhaps_there(&of.state).then(|| {
            let at = &of.assessment;
            format!("{at}: possibly an invitation, it is not known whether it arrived; {by_hand}")
        });
    };
    let at = format!("{}: {reference}", of.assessment);
    if here_only {
        return Some(format!("{at} is still there; {by_hand}"));
    }
    Some(match withdraw(on, of).await {
        Ok(Withdrawn::Done) => format!(
            "{at} was removed there; ask the platform what it keeps of removed people, such as copies and backups"
        ),
        Ok(Withdrawn::Impossible { why }) => format!("{at} is still there. {why}"),
        Err(error) => format!("{at} is possibly still there ({error}); {by_hand}"),
    })
}

/// Whether the platform may have an invitation without having returned a reference.
fn is_perhaps_there(state: &State) -> bool {
    matches!(
        state,
        State::Sending { .. } | State::Failed(FailReason::OutcomeUnknown(_))
    )
}

/// What other systems still have of the candidate.
fn elsewhere(found: &[Invitation]) -> Vec<String> {
    let mut lines = Vec::new();
    for one in found {
        let application = &one.key.application;
        match &one.report.action {
            Some(ActionRecord::Created(action)) => lines.push(format!(
                "Eploy: action {action} on application {application}; delete it there, with the candidate's record"
            )),
            Some(ActionRecord::Creating) => lines.push(format!(
                "Eploy: possibly an action on application {application}"
            )),
            None => {}
        }
    }
    lines.push("logs and metrics: they have ids of applications and invitations, never names or addresses; they are deleted when their retention ends".to_owned());
    lines.push("backups of the store: they are deleted when their retention ends; after a restore, erase again".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use stagecall_core::Timestamp;
    use stagecall_core::invitation::{Failure, SkipReason};

    use super::*;

    #[test]
    fn an_invitation_with_unknown_outcome_is_possibly_on_the_platform() {
        let failure = Failure {
            code: "willo.no_answer".to_owned(),
            problem: "no answer".to_owned(),
            remedy: "Wait".to_owned(),
            first_failed_at: Timestamp::UNIX_EPOCH,
            attempts: 1,
        };
        for (state, perhaps) in [
            (
                State::Sending {
                    lease_until: Timestamp::UNIX_EPOCH,
                },
                true,
            ),
            (
                State::Failed(FailReason::OutcomeUnknown(failure.clone())),
                true,
            ),
            (State::Failed(FailReason::Refused(failure)), false),
            (State::Detected, false),
            (State::Skipped(SkipReason::Baseline), false),
        ] {
            assert_eq!(is_perhaps_there(&state), perhaps, "{state:?}");
        }
    }
}
