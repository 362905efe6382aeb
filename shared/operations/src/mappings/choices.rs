//! What the parts of a new mapping are chosen from: lists of Eploy and of the platforms.

use stagecall_core::ids::AccountId;
use stagecall_core::ports::{NamedId, PlatformConnections as _};
use stagecall_core::tenant::Tenant;
use stagecall_eploy::{Inspector, List, Listing, Origin};

use crate::error::{Error, Result};
use crate::installation::Installation;

#[derive(Clone, Debug, PartialEq, Eq)]
/// One of a list.
pub struct Choice {
    /// Its id.
    pub id: String,
    /// Its name; empty if it is not known.
    pub name: String,
}

impl Choice {
    fn of(option: &NamedId) -> Self {
        Self {
            id: option.id.clone(),
            name: option.name.clone(),
        }
    }
}

/// A list to choose from.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The kind of thing, in one word ("stage").
    pub what: &'static str,
    /// All that are known.
    pub all: Vec<Choice>,
    /// Whether the list is complete, so that an unlisted id is wrong.
    pub complete: bool,
}

impl Choices {
    /// The stages of a tenant's Eploy.
    ///
    /// # Errors
    /// Eploy fails.
    pub async fn stages(inspector: &Inspector) -> Result<Self> {
        Self::read("stage", inspector, List::Stages).await
    }

    /// The statuses of applications.
    ///
    /// # Errors
    /// Eploy fails.
    pub async fn statuses(inspector: &Inspector) -> Result<Self> {
        Self::read("status", inspector, List::Statuses).await
    }

    /// The types of actions.
    ///
    /// # Errors
    /// Eploy fails.
    pub async fn action_types(inspector: &Inspector) -> Result<Self> {
        Self::read("action type", inspector, List::ActionTypes).await
    }

    /// The outcomes of actions.
    ///
    /// # Errors
    /// Eploy fails.
    pub async fn outcomes(inspector: &Inspector) -> Result<Self> {
        Self::read("outcome", inspector, List::Outcomes).await
    }

    async fn read(what: &'static str, inspector: &Inspector, list: List) -> Result<Self> {
        Ok(Self::of(what, &inspector.list(list).await?))
    }

    /// The vacancies.
    ///
    /// # Errors
    /// Eploy fails.
    pub async fn vacancies(inspector: &Inspector) -> Result<Self> {
        let all = inspector.vacancies().await?.into_iter().map(|row| Choice {
            id: row.id.to_string(),
            name: row.title,
        });
        Ok(Self {
            what: "vacancy",
            all: all.collect(),
            complete: true,
        })
    }

    /// The assessments of a platform account.
    ///
    /// # Errors
    /// There is no such account, or the platform or the store fails.
    pub async fn assessments(
        on: &Installation,
        tenant: &Tenant,
        account: &AccountId,
    ) -> Result<Self> {
        let platform = on.platforms().platform(tenant, account).await?;
        let all = platform.assessments().await?.into_iter().map(|one| Choice {
            id: one.id.to_string(),
            name: one.name,
        });
        Ok(Self {
            what: "assessment",
            all: all.collect(),
            complete: true,
        })
    }

    /// The options of a list that are not archived.
    fn of(what: &'static str, listing: &Listing) -> Self {
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
    ///
    /// # Errors
    /// There is none of that name, or there are several.
    pub fn find(&self, text: &str) -> Result<Choice> {
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
            [] => Err(Error::Invalid(format!(
                "there is no {} \"{text}\"; there are: {}",
                self.what,
                self.names()
            ))),
            several => {
                let ids: Vec<&str> = several.iter().map(|choice| choice.id.as_str()).collect();
                Err(Error::Invalid(format!(
                    "several {} options are named \"{text}\": {}; give the id instead",
                    self.what,
                    ids.join(", ")
                )))
            }
        }
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
