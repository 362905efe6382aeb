//! A tenant's configuration: its connections and its mappings. It holds no secret; secrets come from the
//! [`Secrets`](crate::ports::Secrets) port.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ids::{
    AccountId, ActionTypeId, AssessmentRef, ExportPackageId, MappingId, OutcomeId,
    PlacementStatusId, QuestionId, StageId, StatusId, TenantId, VacancyId,
};
use crate::meeting::MeetingPlan;
use crate::report::Moment;

/// Settings that only the crate of the system in question understands (an Eploy *dialect*, a platform's options). That
/// crate validates them and names the problems.
pub type Settings = serde_json::Map<String, serde_json::Value>;

/// One customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its short name.
    pub id: TenantId,
    /// While true, nothing is polled, sent or swept; deliveries are still accepted and results still reported.
    #[serde(default)]
    pub paused: bool,
    pub eploy: EployConnection,
    #[serde(default)]
    pub platforms: BTreeMap<AccountId, PlatformConnection>,
    #[serde(default)]
    pub mappings: Vec<Mapping>,
    /// The plan for hires; `None`: hires are not announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hires: Option<HirePlan>,
    /// For how many days an invitation's result is kept after the last change; `None`: indefinitely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
}

impl Tenant {
    pub fn mapping(&self, id: &MappingId) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.id == *id)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EployConnection {
    /// The address of the customer's Eploy system, without `/api` (`https://acme.eploy.net/`). A full address and not
    /// a subdomain, because custom hosts exist (shared/eploy/REFERENCE.md §3, documented P-KOMBOPT2).
    pub base_url: Url,
    /// The most calls Stagecall may make in a day; the customer's other integrations share the allowance that Eploy
    /// grants (shared/eploy/REFERENCE.md §18, documented V-KEY).
    #[serde(default = "EployConnection::default_daily_calls")]
    pub daily_calls: u32,
    /// Seconds between polls; the interval grows when the allowance runs low.
    #[serde(default = "EployConnection::default_poll_seconds")]
    pub poll_seconds: u32,
    /// The dialect: how this Eploy behaves where the reference leaves it open.
    #[serde(default)]
    pub dialect: Settings,
}

impl EployConnection {
    fn default_daily_calls() -> u32 {
        10_000
    }

    fn default_poll_seconds() -> u32 {
        60
    }

    /// The address of a record in Eploy's API (`https://acme.eploy.net/api/candidates/9001`), which is how Eploy refers
    /// to its records itself (shared/eploy/REFERENCE.md §4). `None` if the base address can have none below it.
    pub fn record_url(&self, resource: &str, id: &str) -> Option<Url> {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend(["api", resource, id]);
        Some(url)
    }
}

/// When an application counts as a hire, and who receives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HirePlan {
    /// What counts as a hire.
    pub when: HiredWhen,
    /// Where the hire is delivered, besides being published as a domain event; `None`: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<HrmsEndpoint>,
}

impl HirePlan {
    /// The stages whose entry is a hire; none where placements signal hires.
    pub fn triggers(&self) -> &[Trigger] {
        match &self.when {
            HiredWhen::Stages(triggers) => triggers,
            HiredWhen::Placements(_) => &[],
        }
    }
}

/// What a hire looks like in this tenant's Eploy. One or the other, so that no hire is announced by both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiredWhen {
    /// An application enters any of these stages (and statuses). Found in what the poll reads anyway.
    Stages(Vec<Trigger>),
    /// A placement has any of these statuses, which are the tenant's own (shared/eploy/REFERENCE.md §17, documented
    /// V-STARTER). Takes one more search with every poll.
    Placements(BTreeSet<PlacementStatusId>),
}

/// The tenant's HRMS: an address that accepts webhooks as the Standard Webhooks specification describes them. Its
/// signing secret is among the tenant's secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HrmsEndpoint {
    pub url: Url,
    /// The fields about the person that are sent: none by default.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub person: BTreeSet<PersonalField>,
}

/// A field of personal data that a tenant may opt in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalField {
    FirstName,
    LastName,
    /// The e-mail address.
    Email,
    /// The telephone number.
    Phone,
}

/// A tenant's account on a platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConnection {
    /// The platform (`willo`).
    pub kind: String,
    /// The API's address, where it is not the platform's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<Url>,
    #[serde(default)]
    pub settings: Settings,
}

/// *Applications of these vacancies that enter this stage (and status) → this assessment, reported back like so.*
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Its short name.
    pub id: MappingId,
    /// While true it invites nobody; existing invitations are still watched and reported.
    #[serde(default)]
    pub paused: bool,
    pub vacancies: Vacancies,
    /// The trigger stages: entering any of them is an entry; moving between them is not.
    #[serde(default)]
    pub triggers: Vec<Trigger>,
    /// What the candidate is invited to.
    pub assessment: AssessmentRef,
    /// What is done with the candidate there.
    #[serde(default, skip_serializing_if = "MappingKind::is_invitation")]
    pub kind: MappingKind,
    /// Further options for the platform.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub options: Settings,
    /// How a second entry is handled.
    #[serde(default)]
    pub reentry: Reentry,
    /// Also invite applications that were already at a trigger stage when the mapping was turned on.
    #[serde(default)]
    pub include_current: bool,
    /// Whether another mapping may cover the same applications for the same assessment; see [`Tenant::overlaps`]. Each
    /// entry is invited once all the same, by the first of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_overlap: bool,
    /// Days after the invitation when it counts as expired here, whatever the platform says. `None`: the platform alone
    /// decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after_days: Option<u32>,
    /// What is written to Eploy.
    #[serde(default)]
    pub report: ReportPlan,
}

impl Mapping {
    /// Whether `position` is at a trigger of this mapping.
    pub fn triggered_by(&self, position: &Position) -> bool {
        self.triggers
            .iter()
            .any(|trigger| trigger.matches(position))
    }
}

/// What a mapping does with a candidate on the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingKind {
    #[default]
    Invitation,
    /// Schedules a live interview.
    Meeting(MeetingPlan),
    /// Adds the candidate to a talent pool, once, however many applications they have.
    Pool(PoolPlan),
}

impl MappingKind {
    fn is_invitation(&self) -> bool {
        *self == Self::Invitation
    }
}

/// Which candidates a talent pool takes, and their tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolPlan {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Takes candidates whose invitation by another mapping had one of these outcomes, instead of those at a trigger:
    /// the mapping then has no triggers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<PoolOutcome>,
}

/// The outcome of another mapping's invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolOutcome {
    pub mapping: MappingId,
    /// The moment that the invitation reached.
    pub on: Moment,
    /// The minimum percentage, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_percent: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vacancies {
    /// Every vacancy of the tenant, also future ones.
    All,
    Only(BTreeSet<VacancyId>),
}

impl Vacancies {
    /// Whether `vacancy` is one of them.
    pub fn contains(&self, vacancy: &VacancyId) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => these.contains(vacancy),
        }
    }
}

/// A trigger stage, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub stage: StageId,
    /// The stage's name when it was chosen: for people, and to notice a stage that was renamed or replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_name: Option<String>,
    /// The statuses on that stage that count; empty: every status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<StatusId>,
}

impl Trigger {
    /// Whether an application at `position` is at this trigger.
    pub fn matches(&self, position: &Position) -> bool {
        position.stage.as_ref() == Some(&self.stage)
            && (self.statuses.is_empty()
                || position
                    .status
                    .as_ref()
                    .is_some_and(|status| self.statuses.contains(status)))
    }
}

/// Where an application stands in Eploy's workflow: a stage and a status, each of which may be missing
/// (shared/eploy/REFERENCE.md §5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub stage: Option<StageId>,
    pub status: Option<StatusId>,
}

/// How a second entry into the trigger is handled for an application that was invited before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reentry {
    /// It is ignored.
    #[default]
    Once,
    /// It is a new round: the candidate is invited again.
    Again,
}

/// What is written to Eploy about an invitation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportPlan {
    /// An action, created with the invitation and updated after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionPlan>,
    /// A note on the application at each of these moments. Needs a dialect that names the path: none is
    /// established (shared/eploy/REFERENCE.md §14).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notes_at: BTreeSet<Moment>,
    /// Answers to the application's custom questions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub questions: BTreeMap<Answerable, QuestionId>,
    /// Stage changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<MovePlan>,
    /// The export package to mark the application as exported with, once invited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_package: Option<ExportPackageId>,
    /// The tenant's own texts, in place of the defaults.
    #[serde(default)]
    pub texts: Texts,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionPlan {
    pub action_type: ActionTypeId,
    /// The outcome to show at each moment; a moment without one leaves the outcome unchanged.
    #[serde(default)]
    pub outcomes: BTreeMap<Moment, OutcomeId>,
}

/// A value that can answer a custom question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answerable {
    /// The score's points.
    Score,
    Percent,
    /// The invitation's status, in words.
    Status,
    Link,
    /// When the candidate finished.
    CompletedAt,
}

/// A stage change at a chosen moment. It happens only while the application is at its expected position: a recruiter
/// who moved it meanwhile wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovePlan {
    pub on: Moment,
    /// The minimum percentage, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_percent: Option<u8>,
    /// The expected positions; empty: the mapping's trigger stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Trigger>,
    pub stage: StageId,
    /// The target status; a transition names both where the workflow asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusId>,
}

/// Texts, as templates; see [`crate::report`] for their variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// The action's comments: HTML; every value is escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// The note: plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[cfg(test)]
mod tests;
