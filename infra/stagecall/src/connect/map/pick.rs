//! Choosing from what Eploy or a platform has: by id or name from a flag, else by asking.

use stagecall_core::ports::NamedId;
use stagecall_eploy::{Listing, Origin};

use crate::connect::prompt;
use crate::exit;

/// Something to choose.
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

/// What there is to choose from.
pub(super) struct Choices {
    /// What it is, in one word ("stage").
    pub(super) what: &'static str,
    pub(super) all: Vec<Choice>,
    /// Whether these are all that there are, so that an id that is not among them is wrong.
    pub(super) complete: bool,
}

impl Choices {
    /// The live options of a list.
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

    /// The one that a text means: an id, or a name that only one has.
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
            // An id that could not be looked up is taken at its word; the mapping's regular check tells if it is wrong.
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
                    "several are the {} \"{text}\": {}; give the id of the one that is meant",
                    self.what,
                    ids.join(", ")
                )))
            }
        }
    }

    /// Those that the flag names, else those that are chosen on the terminal.
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
                "no {} was chosen; the space bar chooses, return goes on",
                self.what
            )));
        }
        Ok(found)
    }

    /// The one that the flag names, else the one that is chosen on the terminal.
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

    /// One that is not listed, by the id that is asked for.
    fn by_id(&self, flag: &str) -> anyhow::Result<Choice> {
        self.find(&prompt::text(&format!("The {}'s id", self.what), flag)?)
    }

    /// What is shown to choose from; the last line stands for what is not listed, where there may be such.
    fn lines(&self) -> anyhow::Result<Vec<String>> {
        let mut lines: Vec<String> = self
            .all
            .iter()
            .map(|choice| format!("{} ({})", choice.name, choice.id))
            .collect();
        if !self.complete {
            lines.push("another, by its id (stagecall probe finds the list)".to_owned());
        }
        if lines.is_empty() {
            return Err(exit::usage(format!(
                "there is no {} to choose from",
                self.what
            )));
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
    fn an_id_or_a_name_that_one_has_is_found() {
        let choices = choices(true);
        assert_eq!(choices.find("12").unwrap().name, "Video Interview");
        assert_eq!(choices.find(" video interview ").unwrap().id, "12");
        let several = choices.find("Shortlist").unwrap_err().to_string();
        assert!(several.contains("13, 14"), "{several}");
        let none = choices.find("99").unwrap_err().to_string();
        assert!(none.contains("Video Interview (12)"), "{none}");
    }

    #[test]
    fn where_not_all_are_known_an_id_is_taken_at_its_word() {
        let choices = choices(false);
        assert_eq!(choices.find("99").unwrap().id, "99");
        assert!(choices.find("Offer").is_err());
    }
}
