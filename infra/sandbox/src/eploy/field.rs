//! The routes that a search may filter by. A route is an entity and a block, and a search on one record type may filter
//! by a related one (shared/eploy/REFERENCE.md §6).

use super::quirks::{Quirks, StageRoute};
use super::route::Resource;

/// The target of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    ApplicationId,
    ApplicationModified,
    ApplicationCreated,
    ApplicationDate,
    Stage,
    Status,
    CandidateId,
    CandidateEmail,
    CandidateSurname,
    CandidateModified,
    VacancyId,
    VacancyTitle,
    VacancyStatus,
    VacancyModified,
    CompanyId,
    CompanyName,
    CompanyImport,
    CompanyModified,
    PlacementId,
    PlacementStatus,
    PlacementModified,
    ActionId,
    ActionType,
    ActionOutcome,
    ActionStart,
    ActionModified,
    HistoryId,
    HistoryDate,
    WorkflowId,
}

/// An entity that a route can begin with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entity {
    Application,
    Candidate,
    Vacancy,
    Company,
    Placement,
    Action,
    StatusHistory,
    Workflow,
}

fn related(of: Resource) -> &'static [Entity] {
    use Entity as E;
    match of {
        Resource::Applications => &[E::Application, E::Candidate, E::Vacancy, E::Placement],
        Resource::StatusHistory => &[E::StatusHistory, E::Application, E::Candidate, E::Vacancy],
        Resource::Actions => &[E::Action, E::Candidate, E::Vacancy],
        Resource::Candidates => &[E::Candidate],
        Resource::Vacancies => &[E::Vacancy, E::Company],
        Resource::Placements => &[E::Placement, E::Candidate, E::Vacancy],
        Resource::Companies => &[E::Company],
        Resource::Workflows => &[E::Workflow],
    }
}

impl Field {
    /// The field of a route, ignoring case, if a search of this record type knows it.
    pub(super) fn find(of: Resource, route: &str, quirks: &Quirks) -> Option<Self> {
        let stage = quirks.stage_route;
        let route = route.trim().to_ascii_lowercase();
        let (entity, block) = route.split_once('.')?;
        let (entity, field) = match entity {
            "application" => (Entity::Application, application_field(block, stage)?),
            "candidate" => (
                Entity::Candidate,
                match block {
                    "candidateid" => Self::CandidateId,
                    "email" => Self::CandidateEmail,
                    "surname" => Self::CandidateSurname,
                    "modificationdate" => Self::CandidateModified,
                    _ => return None,
                },
            ),
            "vacancy" => (
                Entity::Vacancy,
                match block {
                    "vacancyid" => Self::VacancyId,
                    "title" => Self::VacancyTitle,
                    "vacancystatus" => Self::VacancyStatus,
                    "modificationdate" => Self::VacancyModified,
                    _ => return None,
                },
            ),
            "company" => (
                Entity::Company,
                match block {
                    "companyid" => Self::CompanyId,
                    "name" => Self::CompanyName,
                    "import" => Self::CompanyImport,
                    "modificationdate" => Self::CompanyModified,
                    _ => return None,
                },
            ),
            "placement" => (
                Entity::Placement,
                match block {
                    "placementid" => Self::PlacementId,
                    "placementstatus" => Self::PlacementStatus,
                    "modificationdate" => Self::PlacementModified,
                    _ => return None,
                },
            ),
            "action" => (
                Entity::Action,
                match block {
                    "actionid" => Self::ActionId,
                    "actiontype" | "actiontypeid" => Self::ActionType,
                    "actionoutcome" | "actionoutcomeid" => Self::ActionOutcome,
                    "startdate" => Self::ActionStart,
                    "modificationdate" => Self::ActionModified,
                    "candidate" | "candidateid" => Self::CandidateId,
                    "vacancy" | "vacancyid" => Self::VacancyId,
                    _ => return None,
                },
            ),
            "statushistory" => (
                Entity::StatusHistory,
                match block {
                    "statushistoryid" => Self::HistoryId,
                    "statusdate" | "creationdate" | "modificationdate"
                        if quirks.history_date_route.knows(block) =>
                    {
                        Self::HistoryDate
                    }
                    "application" | "applicationid" => Self::ApplicationId,
                    _ => return None,
                },
            ),
            "workflow" => (
                Entity::Workflow,
                match block {
                    "workflowid" => Self::WorkflowId,
                    _ => return None,
                },
            ),
            _ => return None,
        };
        related(of).contains(&entity).then_some(field)
    }

    pub(super) fn is_date(self) -> bool {
        matches!(
            self,
            Self::ApplicationModified
                | Self::ApplicationCreated
                | Self::ApplicationDate
                | Self::CandidateModified
                | Self::VacancyModified
                | Self::CompanyModified
                | Self::PlacementModified
                | Self::ActionStart
                | Self::ActionModified
                | Self::HistoryDate
        )
    }

    pub(super) fn is_text(self) -> bool {
        matches!(
            self,
            Self::CandidateEmail
                | Self::CandidateSurname
                | Self::VacancyTitle
                | Self::CompanyName
                | Self::CompanyImport
        )
    }
}

fn application_field(block: &str, stage: StageRoute) -> Option<Field> {
    if let Some(stage) = stage.block() {
        if block == stage {
            return Some(Field::Stage);
        }
        if block == stage.replace("stage", "status") {
            return Some(Field::Status);
        }
    }
    Some(match block {
        "applicationid" => Field::ApplicationId,
        "modificationdate" => Field::ApplicationModified,
        "creationdate" => Field::ApplicationCreated,
        "applicationdate" => Field::ApplicationDate,
        "candidate" | "candidateid" => Field::CandidateId,
        "vacancy" | "vacancyid" => Field::VacancyId,
        _ => return None,
    })
}
