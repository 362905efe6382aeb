//! `stagecall status`.

use clap::Args;
use comfy_table::Cell;
use stagecall_core::Timestamp;
use stagecall_operations::Installation;
use stagecall_operations::status::{Status, TenantStatus, status};

use crate::exit;
use crate::output::{Output, print_json, span, table};

/// Show all tenants in a table: last poll, lag, open invitations, failures, allowance.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  stagecall status\n  stagecall status acme --json")]
pub(crate) struct Arguments {
    /// Only this tenant.
    tenant: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let status = status(on, arguments.tenant.as_deref()).await?;
    if arguments.output.json {
        print_json(&status)?;
    } else {
        print(&status);
    }
    Ok(exit::OK)
}

fn print(status: &Status) {
    let mut shown = table([
        "tenant",
        "",
        "last poll",
        "next",
        "waiting",
        "open",
        "done",
        "failed",
        "parked",
        "calls today",
    ]);
    for one in &status.tenants {
        shown.add_row(row(one, status.at));
    }
    println!("{shown}");
    for one in &status.tenants {
        for problem in &one.problems {
            println!("{}: {problem}", one.tenant);
        }
    }
    if let Some(at) = status.oldest_due {
        let late = status.at.duration_since(at).as_secs();
        println!("the oldest due work has been due for {}", span(late));
    }
}

fn row(of: &TenantStatus, now: Timestamp) -> [Cell; 10] {
    let next = match of.due_at {
        Some(_) if of.lag_seconds > 0 => format!("{} late", span(of.lag_seconds)),
        Some(at) => format!("in {}", span(at.duration_since(now).as_secs())),
        None => "now".to_owned(),
    };
    let ago = of.last_poll.map_or("never".to_owned(), |at| {
        format!("{} ago", span(now.duration_since(at).as_secs()))
    });
    [
        Cell::new(&of.tenant),
        Cell::new(of.standing.name()),
        Cell::new(ago),
        Cell::new(next),
        Cell::new(of.waiting),
        Cell::new(of.open),
        Cell::new(of.completed),
        Cell::new(of.failed),
        Cell::new(of.unmatched),
        Cell::new(format!("{} of {}", of.calls_today, of.calls_allowed)),
    ]
}
