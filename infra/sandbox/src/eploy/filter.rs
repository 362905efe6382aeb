//! One filter of a search: `{Route, Operation, Value}` (shared/eploy/REFERENCE.md §6).

use jiff::Timestamp;
use serde_json::Value;

use super::System;
use super::body::number;
use super::dates;
use super::field::Field;
use super::quirks::Dates;
use super::route::Resource;

/// The two operations that are known (shared/eploy/REFERENCE.md §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    GreaterThan,
}

impl Operator {
    pub(super) fn find(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("Equals") {
            Some(Self::Equals)
        } else if name.eq_ignore_ascii_case("GreaterThan") {
            Some(Self::GreaterThan)
        } else {
            None
        }
    }
}

/// A value of a filter or of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Id(u64),
    Text(String),
    At(Timestamp),
}

/// A filter.
#[derive(Debug)]
pub(super) struct Filter {
    field: Field,
    operator: Operator,
    values: Vec<Cell>,
}

impl Filter {
    /// `None`: a value does not fit the field.
    pub(super) fn new(
        field: Field,
        operator: Operator,
        values: &[Value],
        dates: Dates,
    ) -> Option<Self> {
        let values = values
            .iter()
            .map(|value| {
                if field.is_date() {
                    dates::read(value.as_str()?, dates).map(Cell::At)
                } else if field.is_text() {
                    Some(Cell::Text(value.as_str()?.to_lowercase()))
                } else {
                    number(value).map(Cell::Id)
                }
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            field,
            operator,
            values,
        })
    }

    /// The ids that it requires this field to equal.
    pub(super) fn ids(&self, field: Field) -> Option<Vec<u64>> {
        (self.field == field && self.operator == Operator::Equals).then(|| {
            self.values
                .iter()
                .filter_map(|value| match value {
                    Cell::Id(id) => Some(*id),
                    Cell::Text(_) | Cell::At(_) => None,
                })
                .collect()
        })
    }

    /// The time that it requires this field to be after.
    pub(super) fn after(&self, field: Field) -> Option<Timestamp> {
        if self.field != field || self.operator != Operator::GreaterThan {
            return None;
        }
        match self.values.as_slice() {
            [Cell::At(at)] => Some(*at),
            _ => None,
        }
    }

    /// Whether a record matches: several values mean any of them.
    pub(super) fn matches(&self, system: &System, of: Resource, id: u64) -> bool {
        let Some(cell) = Record::find(system, of, id).cell(system, self.field) else {
            return false;
        };
        self.values
            .iter()
            .any(|value| match (self.operator, &cell, value) {
                (Operator::Equals, Cell::At(cell), Cell::At(value)) => {
                    dates::same_second(*cell, *value)
                }
                (Operator::Equals, cell, value) => cell == value,
                (Operator::GreaterThan, cell, value) => cell > value,
            })
    }
}

/// The ids of a record and of what it is related to.
#[derive(Default)]
struct Record {
    application: Option<u64>,
    candidate: Option<u64>,
    vacancy: Option<u64>,
    company: Option<u64>,
    placement: Option<u64>,
    action: Option<u64>,
    history: Option<u64>,
    workflow: Option<u64>,
}

impl Record {
    fn find(system: &System, of: Resource, id: u64) -> Self {
        let mut record = Self::default();
        match of {
            Resource::Applications => record.application = Some(id),
            Resource::StatusHistory => {
                record.history = Some(id);
                record.application = system.history.get(&id).map(|row| row.application);
            }
            Resource::Actions => {
                record.action = Some(id);
                if let Some(action) = system.actions.get(&id) {
                    record.candidate = Some(action.candidate);
                    record.vacancy = Some(action.vacancy);
                }
            }
            Resource::Placements => {
                record.placement = Some(id);
                if let Some(placement) = system.placements.get(&id) {
                    record.candidate = Some(placement.candidate);
                    record.vacancy = Some(placement.vacancy);
                }
            }
            Resource::Candidates => record.candidate = Some(id),
            Resource::Vacancies => {
                record.vacancy = Some(id);
                record.company = system.vacancies.get(&id).and_then(|found| found.company);
            }
            Resource::Companies => record.company = Some(id),
            Resource::Workflows => record.workflow = Some(id),
        }
        if let Some(application) = record
            .application
            .and_then(|id| system.applications.get(&id))
        {
            record.candidate = Some(application.candidate);
            record.vacancy = Some(application.vacancy);
            record.placement = application.placement;
        }
        record
    }

    fn cell(&self, system: &System, field: Field) -> Option<Cell> {
        let application = || system.applications.get(&self.application?);
        let candidate = || system.candidates.get(&self.candidate?);
        let vacancy = || system.vacancies.get(&self.vacancy?);
        let company = || system.companies.get(&self.company?);
        let placement = || system.placements.get(&self.placement?);
        let action = || system.actions.get(&self.action?);
        let text = |text: &str| Cell::Text(text.to_lowercase());
        Some(match field {
            Field::ApplicationId => Cell::Id(self.application?),
            Field::ApplicationModified => Cell::At(application()?.modified),
            Field::ApplicationCreated | Field::ApplicationDate => Cell::At(application()?.created),
            Field::Stage => Cell::Id(application()?.position.stage),
            Field::Status => Cell::Id(application()?.position.status?),
            Field::CandidateId => Cell::Id(self.candidate?),
            Field::CandidateEmail => text(candidate()?.email.as_deref()?),
            Field::CandidateSurname => text(&candidate()?.surname),
            Field::CandidateModified => Cell::At(candidate()?.modified),
            Field::VacancyId => Cell::Id(self.vacancy?),
            Field::VacancyTitle => text(&vacancy()?.title),
            Field::VacancyStatus => Cell::Id(vacancy()?.status),
            Field::VacancyModified => Cell::At(vacancy()?.modified),
            Field::CompanyId => Cell::Id(self.company?),
            Field::CompanyName => text(&company()?.name),
            Field::CompanyImport => text(&company()?.import),
            Field::CompanyModified => Cell::At(company()?.created),
            Field::PlacementId => Cell::Id(self.placement?),
            Field::PlacementStatus => Cell::Id(placement()?.status),
            Field::PlacementModified => Cell::At(placement()?.modified),
            Field::ActionId => Cell::Id(self.action?),
            Field::ActionType => Cell::Id(action()?.kind),
            Field::ActionOutcome => Cell::Id(action()?.outcome?),
            Field::ActionStart => Cell::At(action()?.start?),
            Field::ActionModified => Cell::At(action()?.modified),
            Field::HistoryId => Cell::Id(self.history?),
            Field::HistoryDate => Cell::At(system.history.get(&self.history?)?.at),
            Field::WorkflowId => Cell::Id(self.workflow?),
        })
    }
}
