//! `stagecall erase`.

use clap::Args;
use stagecall_core::ids::CandidateId;
use stagecall_operations::Installation;
use stagecall_operations::erase::{Question, prepare};

use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, print_json};

/// Remove everything about a candidate, and keep a tombstone that prevents a new invitation.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall erase acme --candidate 9001 --reason 'asked to, ticket 118'"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The candidate's id in Eploy.
    #[arg(long, value_name = "ID")]
    candidate: CandidateId,
    /// Leave the platforms' data unchanged.
    #[arg(long)]
    here_only: bool,
    #[command(flatten)]
    audit: Audit,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let question = Question {
        tenant: arguments.tenant,
        candidate: arguments.candidate,
        here_only: arguments.here_only,
    };
    let erasure = prepare(on, &question).await?;
    let Some(erased) = arguments.audit.carry_out(erasure, on).await? else {
        return Ok(exit::OK);
    };
    if arguments.output.json {
        print_json(&erased)?;
        return Ok(exit::OK);
    }
    let removed = erased.removed;
    println!(
        "removed: {} invitations, {} references, {} deliveries, {} announcements of a hire, {} mentions in others' invitations, {} mentions in audit records, {} applications that polls remembered, {} places where a sweep was to read on",
        removed.invitations,
        removed.references,
        removed.deliveries,
        removed.announcements,
        removed.mentions_in_invitations_of_others,
        removed.mentions_in_audit_records,
        removed.applications_remembered_by_polls,
        removed.unfinished_sweeps
    );
    println!("verified: nothing is left but the tombstone");
    println!("\nelsewhere:");
    for line in erased.elsewhere {
        println!("  * {line}");
    }
    Ok(exit::OK)
}
