//! `stagecall erase`.

use clap::Args;
use stagecall_core::ids::CandidateId;
use stagecall_core::invitation::{ActionRecord, FailReason, Invitation, State};
use stagecall_core::ports::{InvitationFilter, Withdrawn};

use super::withdraw::take_back;
use crate::exit;
use crate::operate::output::{Audit, Output, print_json};
use crate::operate::read::{invitations, known};
use crate::store::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The candidate's id in Eploy.
    #[arg(long, value_name = "ID")]
    candidate: String,
    /// Leave what the platforms have as it is.
    #[arg(long)]
    here_only: bool,
    #[command(flatten)]
    audit: Audit,
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
    let there = if arguments.here_only {
        "What the platforms have stays."
    } else {
        "The platforms are asked to remove what they have of these, the answers included."
    };
    let what = format!(
        "Everything about candidate {candidate} of {tenant} is removed, for good: {} invitations, with their results, references and callbacks, the announcements of a hire, and what polls and sweeps remember of them. {there} A tombstone with the id stays, and the candidate is never invited again.",
        found.len()
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    // First, because the references are forgotten here.
    let mut remains = Vec::new();
    for one in &found {
        remains.extend(on_platform(on, one, arguments.here_only).await);
    }
    remains.extend(elsewhere(&found));
    let erased = on.records.erase(&tenant, &candidate, now).await?;
    if erased.announcements > 0 {
        remains.push("the HRMS: whatever it was told of the hire; remove it there".to_owned());
    }
    let target = format!("candidate {candidate}");
    arguments
        .audit
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
    println!("looked again: nothing is left but the tombstone");
    println!("\nelsewhere:");
    for line in remains {
        println!("  * {line}");
    }
    Ok(exit::OK)
}

/// What becomes of an invitation on its platform; nothing if it never got there.
async fn on_platform(on: &Installation, of: &Invitation, here_only: bool) -> Option<String> {
    let by_hand = "delete the participant or candidate there, by hand";
    let Some(reference) = &of.reference else {
        return is_perhaps_there(&of.state).then(|| {
            let at = &of.assessment;
            format!("{at}: perhaps an invitation, it is not known whether it arrived; {by_hand}")
        });
    };
    let at = format!("{}: {reference}", of.assessment);
    if here_only {
        return Some(format!("{at} is still there; {by_hand}"));
    }
    Some(match take_back(on, of).await {
        Ok(Withdrawn::Done) => format!(
            "{at} was removed there; what the platform keeps of those who were removed, such as copies and backups, is for the platform to tell"
        ),
        Ok(Withdrawn::Impossible { why }) => format!("{at} is still there. {why}"),
        Err(error) => format!("{at} is perhaps still there ({error}); {by_hand}"),
    })
}

/// Whether a platform may have an invitation that it gave no reference of.
fn is_perhaps_there(state: &State) -> bool {
    matches!(
        state,
        State::Sending { .. } | State::Failed(FailReason::OutcomeUnknown(_))
    )
}

/// What else other systems have of the candidate.
fn elsewhere(found: &[Invitation]) -> Vec<String> {
    let mut lines = Vec::new();
    for one in found {
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

#[cfg(test)]
mod tests {
    use stagecall_core::Timestamp;
    use stagecall_core::invitation::{Failure, SkipReason};

    use super::*;

    #[test]
    fn what_may_have_arrived_is_perhaps_there() {
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
