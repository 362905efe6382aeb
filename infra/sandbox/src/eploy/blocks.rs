//! The blocks that each record type has (shared/eploy/REFERENCE.md §9).

use super::route::Resource;

/// The blocks of a record type, in the order in which they are shown.
pub(super) fn blocks(of: Resource) -> &'static [&'static str] {
    match of {
        Resource::Applications => &APPLICATIONS,
        Resource::Candidates => &CANDIDATES,
        Resource::Vacancies => &VACANCIES,
        Resource::Placements => &PLACEMENTS,
        Resource::Companies => &COMPANIES,
        Resource::Workflows => &WORKFLOWS,
        Resource::Actions => &ACTIONS,
        Resource::StatusHistory => &STATUS_HISTORY,
    }
}

const APPLICATIONS: [&str; 13] = [
    "ApplicationId",
    "ApplicationDate",
    "ApplicationType",
    "InfluenceToApply",
    "InfluenceToApplyDescription",
    "Workflow",
    "Placement",
    "Candidate",
    "Vacancy",
    "Questions",
    "QuestionFields",
    "CreationDate",
    "ModificationDate",
];

const CANDIDATES: [&str; 20] = [
    "CandidateId",
    "Title",
    "FirstName",
    "Surname",
    "Address",
    "Telephone",
    "Mobile",
    "Email",
    "Gender",
    "WorkTelephone",
    "CriminalRecord",
    "WorkPermit",
    "WorkPermitType",
    "PreferredLocation1",
    "IsEmployee",
    "IsPreviousEmployee",
    "Questions",
    "QuestionFields",
    "CreationDate",
    "ModificationDate",
];

const VACANCIES: [&str; 18] = [
    "VacancyId",
    "Title",
    "VacancyStatus",
    "VacancyType",
    "Position",
    "Location",
    "Address",
    "Company",
    "Salary",
    "IncludeOnSite",
    "AdvertiseInternally",
    "DatePosted",
    "AdvertisingEndDate",
    "WebsiteURLs",
    "Questions",
    "QuestionFields",
    "CreationDate",
    "ModificationDate",
];

const PLACEMENTS: [&str; 10] = [
    "PlacementId",
    "StartDate",
    "EndDate",
    "PlacementStatus",
    "Vacancy",
    "Candidate",
    "Application",
    "Salary",
    "CreationDate",
    "ModificationDate",
];

const COMPANIES: [&str; 7] = [
    "CompanyId",
    "ParentCompany",
    "Name",
    "CompanyStatus",
    "Import",
    "CreationDate",
    "ModificationDate",
];

const WORKFLOWS: [&str; 4] = ["WorkflowId", "Title", "Description", "QuestionFields"];

const ACTIONS: [&str; 14] = [
    "ActionId",
    "ActionType",
    "StartDate",
    "EndDate",
    "CompletionDate",
    "ActionOutcome",
    "ActionPriority",
    "Vacancy",
    "Candidate",
    "Company",
    "CommentsHTML",
    "ExternalProviderURL",
    "CreationDate",
    "ModificationDate",
];

const STATUS_HISTORY: [&str; 9] = [
    "StatusHistoryId",
    "Application",
    "Vacancy",
    "Action",
    "Placement",
    "StatusDate",
    "Workflow",
    "CreationDate",
    "ModificationDate",
];
