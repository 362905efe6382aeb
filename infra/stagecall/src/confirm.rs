//! Asking before a change, and its audit record.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use stagecall_operations::{Actor, Change, Installation, Prepared};

use crate::exit;

/// Who changes something, and why.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Audit")]
pub(crate) struct Audit {
    /// Do not ask for confirmation.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    /// The reason, for the audit record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who makes the change, for the audit record. [default: this machine's user name]
    #[arg(long, value_name = "NAME", env = "STAGECALL_BY")]
    pub(crate) by: Option<String>,
}

impl Audit {
    /// Does what is prepared, after asking. `None`: there is nothing to change, which is printed, or the answer was no.
    pub(crate) async fn carry_out_any<C: Change>(
        &self,
        prepared: Prepared<C>,
        on: &Installation,
    ) -> anyhow::Result<Option<C::Done>> {
        match prepared {
            Prepared::Change(change) => self.carry_out(change, on).await,
            Prepared::Nothing(why) => {
                println!("{why}");
                Ok(None)
            }
        }
    }

    /// Does it, after asking. `None`: the answer was no.
    pub(crate) async fn carry_out<C: Change>(
        &self,
        change: C,
        on: &Installation,
    ) -> anyhow::Result<Option<C::Done>> {
        if !self.confirm(&change.in_words())? {
            return Ok(None);
        }
        Ok(Some(change.apply(on, &self.actor()).await?))
    }

    /// Prints what is about to happen and asks for confirmation. Without a terminal, `--yes` is required.
    pub(crate) fn confirm(&self, what: &str) -> anyhow::Result<bool> {
        eprintln!("{what}");
        if self.yes {
            return Ok(true);
        }
        if !std::io::stdin().is_terminal() {
            return Err(exit::usage(
                "there is no terminal to ask for confirmation; pass --yes to go ahead",
            ));
        }
        let answer = ask("Continue? [y/N] ")?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Who makes the change, and why.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            who: self.who(),
            why: self.reason.clone(),
        }
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

/// Asks on the terminal and reads a line.
pub(crate) fn ask(question: &str) -> anyhow::Result<String> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
