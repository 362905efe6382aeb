//! `stagecall questions`.

use clap::Args;
use stagecall_core::ids::ApplicationId;
use stagecall_operations::Installation;
use stagecall_operations::lists::questions;

use crate::exit;
use crate::output::{Output, print_json, table};

/// List the custom questions of applications.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall questions acme")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
    /// The application whose questions to list. [default: one of the first]
    #[arg(long, value_name = "ID")]
    application: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let application = arguments.application.map(ApplicationId::new);
    let questions = questions(on, &arguments.tenant, application).await?;
    if arguments.output.json {
        print_json(&questions)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["id", "question", "answer"]);
    for one in questions {
        shown.add_row([one.id.to_string(), one.title, one.answer_type]);
    }
    println!("{shown}");
    Ok(exit::OK)
}
