//! How commands speak with whoever runs them: tables for people, JSON for scripts, questions on a terminal only; and the
//! record of what was done.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::AuditRecord;

use crate::exit;
use crate::store::Installation;

/// How a command shows what it found.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Output {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who changes something, and why.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "On record")]
pub(crate) struct Audit {
    /// Do not ask.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who does it, for the record; without it, the name of this machine's user.
    #[arg(long, value_name = "NAME", env = "STAGECALL_BY")]
    pub(crate) by: Option<String>,
}

impl Audit {
    /// Says what is about to happen and asks whether it is wanted. Where nobody can be asked, `--yes` must have said so.
    pub(crate) fn confirm(&self, what: &str) -> anyhow::Result<bool> {
        eprintln!("{what}");
        if self.yes {
            return Ok(true);
        }
        if !std::io::stdin().is_terminal() {
            return Err(exit::usage(
                "nobody can be asked here; say --yes if that is what you want",
            ));
        }
        let answer = ask("Go on? [y/N] ")?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Puts on record what was done to a tenant, or to the whole installation.
    pub(crate) async fn record(
        &self,
        on: &Installation,
        what: &str,
        tenant: Option<&TenantId>,
        target: impl Into<String>,
    ) -> anyhow::Result<()> {
        let record = AuditRecord {
            at: on.clock.now(),
            who: self.who(),
            what: what.to_owned(),
            tenant: tenant.cloned(),
            target: target.into(),
            why: self.reason.clone(),
        };
        Ok(on.records.audit(&record).await?)
    }

    fn who(&self) -> String {
        let user = || {
            ["SUDO_USER", "USER", "LOGNAME", "USERNAME"]
                .into_iter()
                .find_map(of_environment)
        };
        self.by
            .clone()
            .or_else(user)
            .unwrap_or_else(|| "unknown".to_owned())
    }
}

fn of_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Asks on the terminal, and reads a line.
pub(crate) fn ask(question: &str) -> anyhow::Result<String> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// A table with these columns.
pub(crate) fn table<'a>(columns: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns);
    table
}

/// Prints JSON.
pub(crate) fn print_json(of: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(of)?);
    Ok(())
}

/// A time as people read it, in this machine's zone.
pub(crate) fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A time that passes, in its largest units.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d", seconds / 86_400),
    }
}
