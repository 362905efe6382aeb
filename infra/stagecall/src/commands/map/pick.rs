//! Choosing from a list: by id or name from a flag, else by a prompt.

use stagecall_operations::mappings::choices::{Choice, Choices};

use crate::exit;
use crate::prompt;

/// Those that the flag names, else those chosen on the terminal.
pub(super) fn some(of: &Choices, given: &[String], flag: &str) -> anyhow::Result<Vec<Choice>> {
    if !given.is_empty() {
        return given.iter().map(|text| Ok(of.find(text)?)).collect();
    }
    let question = format!("Which {}", of.what);
    let mut found = Vec::new();
    for at in prompt::some(&question, &lines(of)?, flag)? {
        match of.all.get(at) {
            Some(choice) => found.push(choice.clone()),
            None => found.push(by_id(of, flag)?),
        }
    }
    if found.is_empty() {
        return Err(exit::usage(format!(
            "no {} was selected; select with the space bar, confirm with return",
            of.what
        )));
    }
    Ok(found)
}

/// The one that the flag names, else the one chosen on the terminal.
pub(super) fn one(of: &Choices, given: Option<&str>, flag: &str) -> anyhow::Result<Choice> {
    match given {
        Some(text) => Ok(of.find(text)?),
        None => {
            let question = format!("Which {}", of.what);
            match of.all.get(prompt::one(&question, &lines(of)?, flag)?) {
                Some(choice) => Ok(choice.clone()),
                None => by_id(of, flag),
            }
        }
    }
}

/// One that is not listed, by the id entered.
fn by_id(of: &Choices, flag: &str) -> anyhow::Result<Choice> {
    Ok(of.find(&prompt::text(&format!("The {}'s id", of.what), flag)?)?)
}

/// The lines to choose from; if the list is incomplete, the last line is for an unlisted id.
fn lines(of: &Choices) -> anyhow::Result<Vec<String>> {
    let mut lines: Vec<String> = of
        .all
        .iter()
        .map(|choice| format!("{} ({})", choice.name, choice.id))
        .collect();
    if !of.complete {
        lines.push("another, by its id (to find the complete list: stagecall probe)".to_owned());
    }
    if lines.is_empty() {
        return Err(exit::usage(format!("there is no {} to select", of.what)));
    }
    Ok(lines)
}
