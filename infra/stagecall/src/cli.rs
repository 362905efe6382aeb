//! The command line.

use clap::Parser;

use crate::commands::Command;
use crate::store;

/// Connects the Eploy applicant tracking system with interview platforms.
#[derive(Debug, Parser)]
#[command(
    name = "stagecall",
    version,
    after_help = "Exit codes: 0 success, 1 failure, 2 invalid command line or configuration, 3 rejected by Eploy or a platform, 4 not found.\n\nStart with:  stagecall demo"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) installation: store::Arguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::*;

    /// The commands without subcommands, with their full names.
    fn leaves(of: &Command, name: &str, found: &mut Vec<(String, Command)>) {
        let inner: Vec<_> = of
            .get_subcommands()
            .filter(|one| one.get_name() != "help")
            .collect();
        if inner.is_empty() {
            found.push((name.to_owned(), of.clone()));
        }
        for one in inner {
            leaves(one, &format!("{name} {}", one.get_name()), found);
        }
    }

    fn commands() -> Vec<(String, Command)> {
        let mut cli = Cli::command();
        cli.build();
        let mut found = Vec::new();
        leaves(&cli, "stagecall", &mut found);
        found
    }

    #[test]
    fn the_command_line_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_has_an_example_of_its_own_command() {
        let all = commands();
        assert!(all.len() > 25, "{}", all.len());
        for (name, command) in all {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_default();
            assert!(
                help.contains("Example") && help.contains(&name),
                "{name}: {help}"
            );
        }
    }

    /// An example that does not parse teaches a mistake.
    #[test]
    fn every_example_parses() {
        for (name, command) in commands() {
            let help = command.get_after_help().map(ToString::to_string);
            for line in help.unwrap_or_default().lines() {
                let Some(example) = line.trim().strip_prefix("stagecall ") else {
                    continue;
                };
                let example = example.split([';', '|', '<', '>']).next().unwrap_or("");
                let words = words(example);
                let parsed = Cli::command()
                    .try_get_matches_from(std::iter::once("stagecall".to_owned()).chain(words));
                assert!(parsed.is_ok(), "{name}: {line}: {}", parsed.unwrap_err());
            }
        }
    }

    /// Splits a line as a shell does, with single quotes.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (count, part) in line.split('\'').enumerate() {
            if count % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(ToOwned::to_owned));
            }
        }
        words
    }
}
