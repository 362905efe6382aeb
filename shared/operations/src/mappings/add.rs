//! Adding a mapping.

use std::collections::BTreeMap;

use async_trait::async_trait;
use stagecall_core::ids::{AssessmentRef, MappingId, OutcomeId};
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    Mapping, MappingKind, Reentry, ReportPlan, Settings, Tenant, Trigger, Vacancies,
};

use super::choices::Choices;
use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::tenants::{cost, refuse_overlaps};

/// The outcome names that each moment is matched with, from the vendors' texts and the sandbox.
const OUTCOME_NAMES: [(Moment, &[&str]); 9] = [
    (Moment::Invited, &["Invited", "Invitation Sent"]),
    (Moment::Started, &["Started", "In Progress"]),
    (Moment::Completed, &["Completed", "Complete"]),
    (Moment::Expired, &["Expired"]),
    (Moment::Declined, &["Declined"]),
    (Moment::Bounced, &["Undeliverable", "Bounced"]),
    (Moment::Cancelled, &["Cancelled", "Canceled"]),
    (Moment::Failed, &["Not Invited", "Failed"]),
    (Moment::Delayed, &["Delayed"]),
];

/// The outcomes of a list that show the moments of an invitation, by their names.
pub fn outcomes_by_name(outcomes: &Choices) -> BTreeMap<Moment, OutcomeId> {
    let named = OUTCOME_NAMES.iter().filter_map(|(moment, names)| {
        let found = names.iter().find_map(|name| outcomes.find(name).ok())?;
        Some((*moment, found.id.as_str().into()))
    });
    named.collect()
}

/// A mapping that is to be added.
#[derive(Clone, Debug)]
pub struct NewMapping {
    /// Its id; `None`: made from the assessment's name.
    pub id: Option<String>,
    /// The vacancies.
    pub vacancies: Vacancies,
    /// The stages that trigger it.
    pub triggers: Vec<Trigger>,
    /// The assessment.
    pub assessment: AssessmentRef,
    /// The assessment's name.
    pub assessment_name: String,
    /// What is reported, and where.
    pub report: ReportPlan,
    /// What a second entry into the stage does.
    pub reentry: Reentry,
    /// Whether applications that are at the stage now are invited, too.
    pub include_current: bool,
    /// Whether another mapping may want the same.
    pub allow_overlap: bool,
    /// After how many days an invitation counts as expired.
    pub expires_after_days: Option<u32>,
    /// Whether it is saved paused.
    pub paused: bool,
}

/// A checked mapping, which is not saved yet.
#[derive(Debug)]
pub struct Addition {
    tenant: Tenant,
    /// The mapping.
    pub mapping: Mapping,
    /// The calls that the next poll makes because of it, in words.
    pub cost: Option<String>,
}

/// Prepares adding a mapping to a tenant.
///
/// # Errors
/// It is invalid, shows its results nowhere, or overlaps with others; or Eploy or the store fails.
pub async fn prepare(on: &Installation, mut tenant: Tenant, new: NewMapping) -> Result<Addition> {
    let report = &new.report;
    if report.action.is_none() && report.questions.is_empty() && report.notes_at.is_empty() {
        return Err(Error::Invalid(
            "results would not be shown anywhere; give --action-type, --question or --note"
                .to_owned(),
        ));
    }
    let mapping = Mapping {
        id: id(&tenant, new.id.as_deref(), &new.assessment_name)?,
        paused: new.paused,
        vacancies: new.vacancies,
        triggers: new.triggers,
        assessment: new.assessment,
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: new.reentry,
        include_current: new.include_current,
        allow_overlap: new.allow_overlap,
        expires_after_days: new.expires_after_days,
        report: new.report,
    };
    if let Some(connection) = tenant.platforms.get(&mapping.assessment.account) {
        let problems = stagecall_platforms::validate_mapping(connection, &mapping);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems.join("\n")));
        }
    }
    tenant.mappings.push(mapping.clone());
    refuse_overlaps(on, &tenant).await?;
    Ok(Addition {
        cost: cost(on, &tenant).await?,
        tenant,
        mapping,
    })
}

#[async_trait]
impl Change for Addition {
    type Done = Mapping;

    fn in_words(&self) -> String {
        let there = if self.mapping.include_current {
            "Applications that are at the trigger stage now will also be invited."
        } else {
            "Applications that are at the trigger stage now are not invited; applications that enter it later are."
        };
        format!(
            "Mapping {} will be added to {}. {there}",
            self.mapping.id, self.tenant.id
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Mapping> {
        on.records.put_tenant(&self.tenant).await?;
        let target = self.mapping.id.as_str();
        let tenant = Some(&self.tenant.id);
        actor.record(on, "map add", tenant, target).await?;
        Ok(self.mapping)
    }
}

/// The mapping's id: as given, or made from the assessment's name.
fn id(tenant: &Tenant, given: Option<&str>, name: &str) -> Result<MappingId> {
    let free = |id: &str| !tenant.mappings.iter().any(|other| other.id.as_str() == id);
    if let Some(id) = given {
        let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
        if id.is_empty() || !id.chars().all(plain) {
            return Err(Error::Invalid(format!(
                "--id {id}: use only letters, digits, - and _"
            )));
        }
        if !free(id) {
            return Err(Error::Invalid(format!(
                "{} already has a mapping {id}; give another --id",
                tenant.id
            )));
        }
        return Ok(MappingId::new(id));
    }
    let slug = slug(name);
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    let id = std::iter::once(slug.clone())
        .chain(numbered)
        .find(|id| free(id));
    Ok(MappingId::new(id.unwrap_or(slug)))
}

/// "First interview!" → "first-interview"
fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        "mapping".to_owned()
    } else {
        words.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids() {
        assert_eq!(slug("First interview – 2026!"), "first-interview-2026");
        assert_eq!(slug("面接"), "mapping");
    }

    #[test]
    fn a_made_id_is_free_and_a_given_one_must_be() {
        let tenant = crate::testing::tenant("willo");
        assert_eq!(id(&tenant, None, "Video").unwrap(), "video-2".into());
        assert_eq!(id(&tenant, Some("other"), "Video").unwrap(), "other".into());
        let taken = id(&tenant, Some("video"), "Video").unwrap_err().to_string();
        assert!(taken.contains("already has a mapping video"), "{taken}");
        assert!(id(&tenant, Some("a b"), "Video").is_err());
    }
}
