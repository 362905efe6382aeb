//! `stagecall doctor`.

use clap::Args;
use serde_json::json;
use stagecall_operations::Installation;
use stagecall_operations::doctor::{self, Scope};
use stagecall_operations::finding::Verdict;
use url::Url;

use crate::confirm::Audit;
use crate::findings::{Printer, code};
use crate::output::{Output, print_json};

/// Check the whole installation: what is wrong, why, and how to fix it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall doctor\n  stagecall doctor --connections --public-url https://hooks.example.com/"
)]
pub(crate) struct Arguments {
    /// Also check the connections of this tenant; may be repeated.
    #[arg(value_name = "TENANT")]
    tenants: Vec<String>,
    /// Also check the connections of all tenants, which costs some Eploy calls for each.
    #[arg(long)]
    connections: bool,
    /// The URL that platforms call. [default: the one in the configuration file]
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    audit: Audit,
}

/// Prints the findings. Exits with 3 if there is a problem.
pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let scope = Scope {
        tenants: arguments.tenants,
        connections: arguments.connections,
        public_url: arguments.public_url,
    };
    let findings = doctor::check(on, &scope, &arguments.audit.actor()).await?;
    if arguments.output.json {
        print_json(&json!({"findings": findings}))?;
    } else {
        Printer::default().print(&findings);
        let wrong = findings
            .iter()
            .filter(|one| one.verdict == Verdict::Problem)
            .count();
        match wrong {
            0 => println!("\nNo problems found."),
            1 => println!("\n1 problem found."),
            more => println!("\n{more} problems found."),
        }
    }
    Ok(code(&findings))
}
