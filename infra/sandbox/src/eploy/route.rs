//! Which operation a call asks for, and which scope it takes (the mapping is inferred by name,
//! shared/eploy/REFERENCE.md §2).

use axum::http::Method;

use super::model::Asked;
use super::quirks::{Notes, OptionsIndex, Quirks};
use crate::call::Call;

/// A record type that can be searched or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Applications,
    Candidates,
    Vacancies,
    Placements,
    Companies,
    Workflows,
    Actions,
    StatusHistory,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Token,
    Search(Resource),
    Get(Resource, u64),
    Questions(Asked, u64),
    Answer(Asked, u64),
    References(u64),
    CreateAction,
    UpdateAction(u64),
    Move(u64),
    /// The application, if the path names it.
    Note(Option<u64>),
    Export,
    OptionsIndex(OptionsIndex),
    Options(u64),
    /// The path exists, but not with this method.
    NotAllowed,
    Unknown,
}

impl Operation {
    pub(super) fn of(call: &Call) -> Self {
        // IIS and .NET ignore case in paths.
        let path: Vec<String> = call
            .segments
            .iter()
            .map(|segment| segment.to_ascii_lowercase())
            .collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let ["api", path @ ..] = path.as_slice() else {
            return Self::Unknown;
        };
        let method = |wanted: Method, operation: Self| {
            if call.method == wanted {
                operation
            } else {
                Self::NotAllowed
            }
        };
        let number = |id: &str| id.parse::<u64>().ok();
        match *path {
            ["token"] => method(Method::POST, Self::Token),
            ["applications", "statushistory", "search"] => {
                method(Method::POST, Self::Search(Resource::StatusHistory))
            }
            [records, "search"] => match resource(records) {
                Some(resource) => method(Method::POST, Self::Search(resource)),
                None => Self::Unknown,
            },
            [records, id, "questions"] => match (asked(records), number(id)) {
                (Some(of), Some(id)) if call.method == Method::GET => Self::Questions(of, id),
                (Some(of), Some(id)) => method(Method::PATCH, Self::Answer(of, id)),
                _ => Self::Unknown,
            },
            ["candidates", id, "references"] => match number(id) {
                Some(id) => method(Method::GET, Self::References(id)),
                None => Self::Unknown,
            },
            ["applications", id, "notes"] => match number(id) {
                Some(id) => method(Method::POST, Self::Note(Some(id))),
                None => Self::Unknown,
            },
            ["notes"] => method(Method::POST, Self::Note(None)),
            ["export"] => method(Method::POST, Self::Export),
            ["actions"] => method(Method::POST, Self::CreateAction),
            ["options"] => method(Method::GET, Self::OptionsIndex(OptionsIndex::Options)),
            ["options", "dropdown"] => {
                method(Method::GET, Self::OptionsIndex(OptionsIndex::Dropdown))
            }
            ["options", "dropdown", id] => match number(id) {
                Some(id) => method(Method::GET, Self::Options(id)),
                None => Self::Unknown,
            },
            [records, id] => match (resource(records), number(id)) {
                (Some(Resource::Actions), Some(id)) if call.method == Method::PATCH => {
                    Self::UpdateAction(id)
                }
                (Some(Resource::Applications), Some(id)) if call.method == Method::PATCH => {
                    Self::Move(id)
                }
                (Some(resource), Some(id)) => method(Method::GET, Self::Get(resource, id)),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    /// Its name in records and faults.
    pub(super) fn name(&self) -> &'static str {
        use Resource as R;
        match self {
            Self::Token => "eploy.token",
            Self::Search(R::Applications) => "eploy.applications.search",
            Self::Search(R::Candidates) => "eploy.candidates.search",
            Self::Search(R::Vacancies) => "eploy.vacancies.search",
            Self::Search(R::Placements) => "eploy.placements.search",
            Self::Search(R::Companies) => "eploy.companies.search",
            Self::Search(R::Workflows) => "eploy.workflows.search",
            Self::Search(R::Actions) => "eploy.actions.search",
            Self::Search(R::StatusHistory) => "eploy.statushistory.search",
            Self::Get(R::Applications | R::StatusHistory, _) => "eploy.applications.get",
            Self::Get(R::Candidates, _) => "eploy.candidates.get",
            Self::Get(R::Vacancies, _) => "eploy.vacancies.get",
            Self::Get(R::Placements, _) => "eploy.placements.get",
            Self::Get(R::Companies, _) => "eploy.companies.get",
            Self::Get(R::Workflows, _) => "eploy.workflows.get",
            Self::Get(R::Actions, _) => "eploy.actions.get",
            Self::Questions(..) => "eploy.questions.get",
            Self::Answer(..) => "eploy.questions.update",
            Self::References(_) => "eploy.references.get",
            Self::CreateAction => "eploy.actions.create",
            Self::UpdateAction(_) => "eploy.actions.update",
            Self::Move(_) => "eploy.applications.move",
            Self::Note(_) => "eploy.notes.create",
            Self::Export => "eploy.export.create",
            Self::OptionsIndex(_) => "eploy.options.index",
            Self::Options(_) => "eploy.options.list",
            Self::NotAllowed | Self::Unknown => "eploy.unknown",
        }
    }

    /// Its scope; none for the lists of options, whose scope is unknown.
    pub(super) fn scope(&self) -> Option<&'static str> {
        use Resource as R;
        match self {
            Self::Search(R::Applications | R::StatusHistory)
            | Self::Get(R::Applications | R::StatusHistory, _)
            | Self::Questions(Asked::Applications, _) => Some("applications.read"),
            Self::Search(R::Candidates)
            | Self::Get(R::Candidates, _)
            | Self::References(_)
            | Self::Questions(Asked::Candidates, _) => Some("candidates.read"),
            Self::Search(R::Vacancies)
            | Self::Get(R::Vacancies, _)
            | Self::Questions(Asked::Vacancies, _) => Some("vacancies.read"),
            Self::Search(R::Placements) | Self::Get(R::Placements, _) => Some("placements.read"),
            Self::Search(R::Companies) | Self::Get(R::Companies, _) => Some("companies.read"),
            Self::Search(R::Workflows) | Self::Get(R::Workflows, _) => Some("workflows.read"),
            Self::Search(R::Actions) | Self::Get(R::Actions, _) => Some("actions.read"),
            Self::CreateAction => Some("actions.insert"),
            Self::UpdateAction(_) => Some("actions.update"),
            Self::Answer(Asked::Applications, _) | Self::Move(_) | Self::Note(_) => {
                Some("applications.update")
            }
            Self::Answer(Asked::Candidates, _) => Some("candidates.update"),
            Self::Answer(Asked::Vacancies, _) => Some("vacancies.update"),
            Self::Export => Some("export.insert"),
            Self::Token
            | Self::OptionsIndex(_)
            | Self::Options(_)
            | Self::NotAllowed
            | Self::Unknown => None,
        }
    }

    /// Whether this system has such a path.
    pub(super) fn exists(&self, quirks: &Quirks) -> bool {
        match self {
            Self::Unknown => false,
            Self::Search(Resource::StatusHistory) => quirks.status_history,
            Self::Search(Resource::Actions) => quirks.action_search,
            Self::Note(Some(_)) => quirks.notes == Notes::Application,
            Self::Note(None) => quirks.notes == Notes::Notes,
            Self::Export => quirks.export,
            Self::OptionsIndex(place) => {
                quirks.options_index == OptionsIndex::Both || quirks.options_index == *place
            }
            _ => true,
        }
    }
}

fn resource(name: &str) -> Option<Resource> {
    Some(match name {
        "applications" => Resource::Applications,
        "candidates" => Resource::Candidates,
        "vacancies" => Resource::Vacancies,
        "placements" => Resource::Placements,
        "companies" => Resource::Companies,
        "workflows" => Resource::Workflows,
        "actions" => Resource::Actions,
        _ => return None,
    })
}

fn asked(name: &str) -> Option<Asked> {
    Some(match name {
        "applications" => Asked::Applications,
        "candidates" => Asked::Candidates,
        "vacancies" => Asked::Vacancies,
        _ => return None,
    })
}
