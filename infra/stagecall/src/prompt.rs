//! Prompts on a terminal. Without a terminal, the error names the flag that would have answered.

use std::io::IsTerminal as _;

use dialoguer::theme::ColorfulTheme;
use dialoguer::{FuzzySelect, Input, MultiSelect, Password};
use secrecy::SecretString;

use crate::exit;

/// Whether there is a terminal to prompt on.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// The error without a terminal.
fn missing(flag: &str) -> anyhow::Error {
    exit::usage(format!(
        "{flag} is missing, and there is no terminal to ask for it"
    ))
}

/// A line of text.
pub(super) fn text(question: &str, flag: &str) -> anyhow::Result<String> {
    if !can_ask() {
        return Err(missing(flag));
    }
    let text: String = Input::with_theme(&ColorfulTheme::default())
        .with_prompt(question)
        .interact_text()?;
    Ok(text.trim().to_owned())
}

/// A secret, which is not shown.
pub(super) fn secret(question: &str, flag: &str) -> anyhow::Result<SecretString> {
    if !can_ask() {
        return Err(missing(flag));
    }
    let secret = Password::with_theme(&ColorfulTheme::default())
        .with_prompt(question)
        .allow_empty_password(false)
        .interact()?;
    Ok(secret.trim().to_owned().into())
}

/// One of several, with fuzzy search.
pub(super) fn one(question: &str, choices: &[String], flag: &str) -> anyhow::Result<usize> {
    if !can_ask() {
        return Err(missing(flag));
    }
    Ok(FuzzySelect::with_theme(&ColorfulTheme::default())
        .with_prompt(question)
        .items(choices)
        .default(0)
        .interact()?)
}

/// Some of several.
pub(super) fn some(question: &str, choices: &[String], flag: &str) -> anyhow::Result<Vec<usize>> {
    if !can_ask() {
        return Err(missing(flag));
    }
    Ok(MultiSelect::with_theme(&ColorfulTheme::default())
        .with_prompt(format!("{question} (select with space)"))
        .items(choices)
        .interact()?)
}
