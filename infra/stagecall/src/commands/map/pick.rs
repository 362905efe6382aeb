//! Choosing from a list of Eploy or a platform: by id or name from a flag, else by a prompt.

use stagecall_core::ports::NamedId;
use stagecall_eploy::{Listing, Origin};

use crate::exit;
use crate::prompt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) name: String,
}

impl Choice {
    pub(super) fn of(option: &NamedId) -> Self {
        Self {
            id: option.id.clone(),
            name: option.name.clone(),
        }
    }
}

pub(super) struct Choices {
    /// The kind of thing, in one word ("stage").
    pub(super) what: &'static str,
    pub(super) all: Vec<Choice>,
    /// Whether the list is complete, so that an unlisted id is wrong.
    pub(super) complete: bool,
}

impl Choices {
    /// The options of a list that are not archived.
    pub(super) fn of(what: &'static str, listing: &Listing) -> Self {
        Self {
            what,
            all: listing
                .options
                .iter()
                .filter(|option| !option.archived)
                .map(Choice::of)
                .collect(),
            complete: matches!(listing.origin, Origin::List(_)),
        }
    }

    /// The choice for a text: an id, or a unique name.
    pub(super) fn find(&self, text: &str) -> anyhow::Result<Choice> {
        let text = text.trim();
        if let Some(choice) = self.all.iter().find(|choice| choice.id == text) {
            return Ok(choice.clone());
        }
        let same: Vec<&Choice> = self
            .all
            .iter()
            .filter(|choice| choice.name.trim().eq_ignore_ascii_case(text))
            .collect();
        match same.as_slice() {
            [choice] => Ok((*choice).clone()),
            // An id that cannot be looked up is accepted; the mapping's regular check finds out if it is wrong.
            [] if !self.complete && text.parse::<u64>().is_ok() => Ok(Choice {
                id: text.to_owned(),
                name: String::new(),
            }),
            [] => Err(exit::usage(format!(
                "there is no {} \"{text}\"; there are: {}",
                self.what,
                self.names()
            ))),
            several => {
                let ids: Vec<&str> = several.iter().map(|choice| choice.id.as_str()).collect();
                Err(exit::usage(format!(
                    "several {} options are named \"{text}\": {}; give the id instead",
                    self.what,
                    ids.join(", ")
                )))
            }
        }
    }

    /// Those that the flag names, else those chosen on the terminal.
    pub(super) fn some(&self, given: &[String], flag: &str) -> anyhow::Result<Vec<Choice>> {
        if !given.is_empty() {
            return given.iter().map(|text| self.find(text)).collect();
        }
        let question = format!("Which {}", self.what);
        let mut found = Vec::new();
        for at in prompt::some(&question, &self.lines()?, flag)? {
            match self.all.get(at) {
                Some(choice) => found.push(choice.clone()),
                None => found.push(self.by_id(flag)?),
            }
        }
        if found.is_empty() {
            return Err(exit::usage(format!(
                "no {} was selected; select with the space bar, confirm with return",
                self.what
            )));
        }
        Ok(found)
    }

    /// The one that the flag names, else the one chosen on the terminal.
    pub(super) fn one(&self, given: Option<&str>, flag: &str) -> anyhow::Result<Choice> {
        match given {
            Some(text) => self.find(text),
            None => {
                let question = format!("Which {}", self.what);
                match self.all.get(prompt::one(&question, &self.lines()?, flag)?) {
                    Some(choice) => Ok(choice.clone()),
                    None => self.by_id(flag),
                }
            }
        }
    }

    /// One that is not listed, by the id entered.
    fn by_id(&self, flag: &str) -> anyhow::Result<Choice> {
        self.find(&prompt::text(&format!("The {}'s id", self.what), flag)?)
    }

    /// The lines to choose from; if the list is incomplete, the last line is for an unlisted id.
    fn lines(&self) -> anyhow::Result<Vec<String>> {
        let mut lines: Vec<String> = self
            .all
            .iter()
            .map(|choice| format!("{} ({})", choice.name, choice.id))
            .collect();
        if !self.complete {
            lines
                .push("another, by its id (to find the complete list: stagecall probe)".to_owned());
        }
        if lines.is_empty() {
            return Err(exit::usage(format!("there is no {} to select", self.what)));
        }
        Ok(lines)
    }

    fn names(&self) -> String {
        let names: Vec<String> = self
            .all
            .iter()
            .map(|choice| format!("{} ({})", choice.name, choice.id))
            .collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(complete: bool) -> Choices {
        let choice = |id: &str, name: &str| Choice {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        Choices {
            what: "stage",
            all: vec![
                choice("12", "Video Interview"),
                choice("13", "Shortlist"),
                choice("14", "shortlist"),
            ],
            complete,
        }
    }

    #[test]
    fn an_id_or_a_unique_name_is_found() {
        let choices = choices(true);
        assert_eq!(choices.find("12").unwrap().name, "Video Interview");
        assert_eq!(choices.find(" video interview ").unwrap().id, "12");
        let several = choices.find("Shortlist").unwrap_err().to_string();
        assert!(several.contains("13, 14"), "{several}");
        let none = choices.find("99").unwrap_err().to_string();
        assert!(none.contains("Video Interview (12)"), "{none}");
    }

    #[test]
    fn an_incomplete_list_accepts_any_id() {
        let choices = choices(false);
        assert_eq!(choices.find("99").unwrap().id, "99");
        assert!(choices.find("Offer").is_err());
    }
}
