//! What nobody outside knows of Eploy, as switches: each value is a plausible reading (shared/eploy/REFERENCE.md §20),
//! the default the likeliest one.

use serde::{Deserialize, Serialize};

/// The switches of an Eploy system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent property of another system"
)]
pub struct Quirks {
    /// The status of a successful create: 201, or 200 (§9).
    pub create_status: u16,
    /// What a successful PATCH answers (§9).
    pub patch_reply: PatchReply,
    /// What a search without rows, or a page after the last, answers (§7).
    pub empty_search: EmptySearch,
    /// Whether a search tells `TotalPages` (§7).
    pub total_pages: bool,
    /// Whether a search tells `CurrentPage` (§7).
    pub current_page: bool,
    /// Whether a search tells `TotalRecords` (§7).
    pub total_records: bool,
    /// How the ids of records are written (§4).
    pub ids: IdType,
    /// How the ids of options within records are written (§4). The lists of options always have strings.
    pub option_ids: IdType,
    /// How names that end in `Id` are written (§4).
    pub property_case: PropertyCase,
    /// How dates are written and read (§8).
    pub dates: Dates,
    /// Which body moves an application (§13). Others move nothing: see `unknown_property`.
    pub stage_write: StageWrite,
    /// Which route filters by an application's stage (§6); `status` in the place of `stage` filters by its status.
    pub stage_route: StageRoute,
    /// What a block that the record does not have does to a search (§6).
    pub unknown_block: Unknown,
    /// What a route that does not exist does to a search (§6).
    pub unknown_route: Unknown,
    /// What an operation that does not exist does to a search (§6).
    pub unknown_operation: Unknown,
    /// The effect of an unknown property on a create or PATCH.
    pub unknown_property: Unknown,
    /// Whether `Equals` takes a list as "any of" (§6); if not, a list is a bad request.
    pub equals_list: bool,
    /// In which order a search returns rows (§7).
    pub search_order: SearchOrder,
    /// The status when the daily allowance is spent: 429 or 403 (§18).
    pub allowance_status: u16,
    /// The `Retry-After` header with it, in seconds; none without it (§18).
    pub allowance_retry_after: Option<u64>,
    /// The body of errors (§19).
    pub error_body: ErrorBody,
    /// The most rows on a page (§7).
    pub max_records: u64,
    /// What asking for more does (§7).
    pub above_max: AboveMax,
    /// How long a token lives, in seconds (§1).
    pub token_lifetime: u64,
    /// Whether a token begins with a space, as the vendor's sample does (§1).
    pub token_leading_space: bool,
    /// Whether a new token ends the key's older ones (§1).
    pub new_token_ends_old: bool,
    /// The status of wrong credentials: 400 or 401 (§19).
    pub wrong_credentials: u16,
    /// Whether there is a path for notes, and which (§14).
    pub notes: Notes,
    /// Whether the status history can be searched (§11).
    pub status_history: bool,
    /// Which route filters the status history by date (§8).
    pub history_date_route: HistoryDateRoute,
    /// Whether a change of stage or status changes its application's modification date (§8).
    pub stage_change_moves_date: bool,
    /// Whether actions can be searched (§14).
    pub action_search: bool,
    /// Whether an action must name the company (§14).
    pub action_needs_company: bool,
    /// Whether creating or updating an action changes its application's modification date (§8).
    pub actions_touch_application: bool,
    /// Where the index of option lists is (§12).
    pub options_index: OptionsIndex,
    /// Whether marking as exported is possible (§16).
    pub export: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            create_status: 201,
            patch_reply: PatchReply::Record,
            empty_search: EmptySearch::Empty,
            total_pages: true,
            current_page: true,
            total_records: true,
            ids: IdType::Numbers,
            option_ids: IdType::Strings,
            property_case: PropertyCase::Id,
            dates: Dates::UtcFraction,
            stage_write: StageWrite::WorkflowIds,
            stage_route: StageRoute::None,
            unknown_block: Unknown::Ignore,
            unknown_route: Unknown::Refuse,
            unknown_operation: Unknown::Refuse,
            unknown_property: Unknown::Ignore,
            equals_list: true,
            search_order: SearchOrder::Id,
            allowance_status: 429,
            allowance_retry_after: None,
            error_body: ErrorBody::ErrorMessage,
            max_records: 500,
            above_max: AboveMax::Clamp,
            token_lifetime: 3599,
            token_leading_space: false,
            new_token_ends_old: false,
            wrong_credentials: 400,
            notes: Notes::Absent,
            status_history: true,
            history_date_route: HistoryDateRoute::Any,
            stage_change_moves_date: true,
            action_search: true,
            action_needs_company: false,
            actions_touch_application: false,
            options_index: OptionsIndex::Both,
            export: true,
        }
    }
}

/// The response to a successful PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchReply {
    /// 200 with the record.
    Record,
    /// 200 with its id.
    Id,
    /// 204 without a body.
    Empty,
}

/// The response to a search without rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptySearch {
    /// 200 with no records, and the paging fields as on any page: zero pages in total.
    Empty,
    /// 200 with no records and no paging fields.
    NoPaging,
    /// 200 with no records, which counts as one page.
    OnePage,
    /// 404 with the error body.
    NotFound,
}

/// How ids are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdType {
    /// `12`
    Numbers,
    /// `"12"`
    Strings,
}

/// How names that end in `Id` are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PropertyCase {
    /// `CandidateId`
    #[serde(rename = "CandidateId")]
    Id,
    /// `CandidateID`
    #[serde(rename = "CandidateID")]
    Upper,
}

/// How dates are written and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// `2025-01-24T09:15:00.123Z`
    UtcFraction,
    /// `2025-01-24T09:15:00Z`
    Utc,
    /// `2025-01-24T09:15:00.123`, the time in the United Kingdom, summer time included; a `Z` in a filter is ignored.
    UkLocal,
}

/// The body that moves an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageWrite {
    /// `{"Workflow": {"StageId": 13, "StatusId": 40}}`
    WorkflowIds,
    /// `{"Workflow": {"Stage": {"Id": 13}, "Status": {"Id": 40}}}`
    WorkflowObjects,
    /// `{"StageId": 13, "StatusId": 40}`
    Flat,
    /// Any of them.
    Any,
}

/// The route that filters by stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StageRoute {
    /// None.
    #[serde(rename = "none")]
    None,
    /// `Application.Workflow.Stage`
    #[serde(rename = "Application.Workflow.Stage")]
    WorkflowStage,
    /// `Application.Stage`
    #[serde(rename = "Application.Stage")]
    Stage,
    /// `Application.ApplicationStage`
    #[serde(rename = "Application.ApplicationStage")]
    ApplicationStage,
    /// `Application.StageId`
    #[serde(rename = "Application.StageId")]
    StageId,
    /// `Application.Workflow.Stage.Id`
    #[serde(rename = "Application.Workflow.Stage.Id")]
    WorkflowStageId,
}

impl StageRoute {
    /// The route without its entity, in lower case.
    pub(crate) fn block(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::WorkflowStage => Some("workflow.stage"),
            Self::Stage => Some("stage"),
            Self::ApplicationStage => Some("applicationstage"),
            Self::StageId => Some("stageid"),
            Self::WorkflowStageId => Some("workflow.stage.id"),
        }
    }
}

/// The route that filters the status history by date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryDateRoute {
    /// None.
    #[serde(rename = "none")]
    None,
    /// Any of the others.
    #[serde(rename = "any")]
    Any,
    /// `StatusHistory.CreationDate`
    #[serde(rename = "StatusHistory.CreationDate")]
    CreationDate,
    /// `StatusHistory.ModificationDate`
    #[serde(rename = "StatusHistory.ModificationDate")]
    ModificationDate,
    /// `StatusHistory.StatusDate`
    #[serde(rename = "StatusHistory.StatusDate")]
    StatusDate,
}

impl HistoryDateRoute {
    /// Whether this block, in lower case, is the route.
    pub(crate) fn knows(self, block: &str) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::CreationDate => block == "creationdate",
            Self::ModificationDate => block == "modificationdate",
            Self::StatusDate => block == "statusdate",
        }
    }
}

/// The effect of something unknown in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Nothing.
    Ignore,
    /// The request is rejected with 400.
    Refuse,
}

/// The order of a search's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchOrder {
    /// Ascending ids.
    Id,
    /// Descending ids.
    IdDescending,
    /// For applications: the last modified one first, so that rows move between pages. Others: as `id`.
    ModifiedDescending,
}

/// The body of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// `{"error_message": "…"}`
    ErrorMessage,
    /// `{"error": "…", "error_description": "…"}`
    Oauth,
    /// A page of HTML.
    Html,
}

/// The effect of asking for more rows than the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AboveMax {
    /// The page is cut.
    Clamp,
    /// 400.
    Refuse,
}

/// The path for notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notes {
    /// None: 404.
    Absent,
    /// `POST /api/notes` with an `ApplicationId`.
    Notes,
    /// `POST /api/applications/{id}/notes`
    Application,
}

/// The path of the index of option lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionsIndex {
    /// `GET /api/options` and `GET /api/options/dropdown`
    Both,
    /// `GET /api/options`
    Options,
    /// `GET /api/options/dropdown`
    Dropdown,
    /// Nowhere: 404.
    Absent,
}
