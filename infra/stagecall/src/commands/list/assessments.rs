//! `stagecall assessments`.

use clap::Args;
use stagecall_core::ports::AssessmentKind;
use stagecall_operations::Installation;
use stagecall_operations::lists::assessments;

use crate::exit;
use crate::output::{Output, print_json, table};

/// List the assessments that candidates can be invited to.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall assessments acme")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let all = assessments(on, &arguments.tenant).await?;
    if arguments.output.json {
        print_json(&all)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["account", "id", "assessment", "kind"]);
    for one in all {
        let kind = match one.kind {
            AssessmentKind::VideoInterview => "video interview",
            AssessmentKind::Test => "test",
            AssessmentKind::LiveInterview => "live interview",
        };
        shown.add_row([
            one.account.to_string(),
            one.id.to_string(),
            one.name,
            kind.to_owned(),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}
