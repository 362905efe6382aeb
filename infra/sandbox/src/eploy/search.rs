//! `POST /api/{records}/search`: filters, paging and blocks (shared/eploy/REFERENCE.md §6).

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::System;
use super::blocks::blocks;
use super::body::{number, property};
use super::dates;
use super::field::Field;
use super::filter::{Filter, Operator};
use super::quirks::{AboveMax, EmptySearch, SearchOrder};
use super::route::Resource;
use super::views;
use crate::call::{Answer, Call};

/// The default number of rows on a page. Unknown; this is the sandbox's choice.
const DEFAULT_PAGE_ROWS: u64 = 100;

impl System {
    pub(super) fn search(&self, of: Resource, call: &Call) -> Answer {
        match self.try_search(of, call) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn try_search(&self, of: Resource, call: &Call) -> Result<Answer, Answer> {
        let request = call
            .json()
            .filter(Value::is_object)
            .ok_or_else(|| self.error(400, "The request body could not be read as JSON"))?;
        let filters = self.filters(of, &request)?;
        let blocks = self.blocks(of, &request)?;
        let (size, page) = self.paging(&request)?;

        let mut rows: Vec<u64> = self
            .narrow(of, &filters)
            .into_iter()
            .filter(|id| filters.iter().all(|filter| filter.matches(self, of, *id)))
            .collect();
        self.sort(of, &mut rows);

        let total = rows.len() as u64;
        let mut pages = total.div_ceil(size);
        let mut paging = true;
        if page > pages {
            match self.quirks.empty_search {
                EmptySearch::Empty => {}
                EmptySearch::NoPaging => paging = false,
                EmptySearch::OnePage => pages = pages.max(1),
                EmptySearch::NotFound => return Err(self.not_found()),
            }
        }
        let start = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
        let records: Vec<Value> = rows
            .iter()
            .skip(start)
            .take(usize::try_from(size).unwrap_or(usize::MAX))
            .map(|id| views::record(self, of, *id, &blocks))
            .collect();
        let mut body = Map::new();
        body.insert("Records".to_owned(), records.into());
        for (name, told, value) in [
            ("CurrentPage", self.quirks.current_page, page),
            ("TotalPages", self.quirks.total_pages, pages),
            ("TotalRecords", self.quirks.total_records, total),
        ] {
            if paging && told {
                body.insert(name.to_owned(), json!(value));
            }
        }
        Ok(Answer::json(200, &Value::Object(body)))
    }

    fn filters(&self, of: Resource, request: &Value) -> Result<Vec<Filter>, Answer> {
        let Some(wanted) = property(request, "Filters") else {
            return Ok(Vec::new());
        };
        let wanted = wanted
            .as_array()
            .ok_or_else(|| self.error(400, "Filters must be a list"))?;
        let mut filters = Vec::new();
        for filter in wanted {
            let text = |name| property(filter, name).and_then(Value::as_str);
            let route = text("Route").ok_or_else(|| self.error(400, "A filter needs a Route"))?;
            let operation =
                text("Operation").ok_or_else(|| self.error(400, "A filter needs an Operation"))?;
            let Some(field) = Field::find(of, route, &self.quirks) else {
                self.unknown(self.quirks.unknown_route, "Route", route)?;
                continue;
            };
            let Some(operator) = Operator::find(operation) else {
                self.unknown(self.quirks.unknown_operation, "Operation", operation)?;
                continue;
            };
            let values = match property(filter, "Value") {
                Some(Value::Array(values)) if self.quirks.equals_list => values.clone(),
                Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                    vec![value.clone()]
                }
                _ => return Err(self.error(400, "A filter needs a Value")),
            };
            let filter = Filter::new(field, operator, &values, self.quirks.dates)
                .ok_or_else(|| self.error(400, &format!("The value for {route} cannot be read")))?;
            filters.push(filter);
        }
        Ok(filters)
    }

    fn blocks(&self, of: Resource, request: &Value) -> Result<Vec<&'static str>, Answer> {
        let all = blocks(of);
        let Some(wanted) = property(request, "ResponseBlocks") else {
            return Ok(all.to_vec());
        };
        let wanted = wanted
            .as_array()
            .ok_or_else(|| self.error(400, "ResponseBlocks must be a list"))?;
        let mut blocks = Vec::new();
        for name in wanted.iter().filter_map(Value::as_str) {
            match all.iter().find(|block| block.eq_ignore_ascii_case(name)) {
                Some(block) => blocks.push(*block),
                None => self.unknown(self.quirks.unknown_block, "ResponseBlock", name)?,
            }
        }
        Ok(blocks)
    }

    fn paging(&self, request: &Value) -> Result<(u64, u64), Answer> {
        let paging = property(request, "Paging").cloned().unwrap_or_default();
        let asked = |name, usual| match property(&paging, name) {
            None => Ok(usual),
            Some(value) => number(value)
                .filter(|number| *number > 0)
                .ok_or_else(|| self.error(400, &format!("{name} must be a number from 1"))),
        };
        let most = self.quirks.max_records.max(1);
        let size = asked("RecordsPerPage", DEFAULT_PAGE_ROWS.min(most))?;
        let page = asked("RequestedPage", 1)?;
        if size > most && self.quirks.above_max == AboveMax::Refuse {
            return Err(self.error(400, &format!("RecordsPerPage must not be above {most}")));
        }
        Ok((size.min(most), page))
    }

    /// The records that can match, by the most selective filter that has an index.
    fn narrow(&self, of: Resource, filters: &[Filter]) -> Vec<u64> {
        let ids = |field| filters.iter().find_map(|filter| filter.ids(field));
        let changed_after = || {
            filters
                .iter()
                .find_map(|filter| filter.after(Field::ApplicationModified))
                .map(|after| self.modified_after(after))
        };
        let of_candidates = |index: &HashMap<u64, Vec<u64>>| {
            let candidates = ids(Field::CandidateId)?;
            let found = candidates.iter().filter_map(|id| index.get(id));
            Some(found.flatten().copied().collect())
        };
        let narrowed = match of {
            Resource::Applications => ids(Field::ApplicationId)
                .map(|ids| known(ids, &self.applications))
                .or_else(|| of_candidates(&self.applications_of))
                .or_else(changed_after),
            Resource::StatusHistory => ids(Field::ApplicationId)
                .or_else(changed_after)
                .map(|applications| self.history_of(&applications)),
            Resource::Actions => ids(Field::ActionId)
                .map(|ids| known(ids, &self.actions))
                .or_else(|| of_candidates(&self.actions_of)),
            Resource::Candidates => ids(Field::CandidateId).map(|ids| known(ids, &self.candidates)),
            _ => None,
        };
        narrowed.unwrap_or_else(|| self.all(of))
    }

    fn all(&self, of: Resource) -> Vec<u64> {
        match of {
            Resource::Applications => self.applications.keys().copied().collect(),
            Resource::StatusHistory => self.history.keys().copied().collect(),
            Resource::Actions => self.actions.keys().copied().collect(),
            Resource::Candidates => self.candidates.keys().copied().collect(),
            Resource::Vacancies => self.vacancies.keys().copied().collect(),
            Resource::Placements => self.placements.keys().copied().collect(),
            Resource::Companies => self.companies.keys().copied().collect(),
            Resource::Workflows => self.workflows.iter().map(|workflow| workflow.id).collect(),
        }
    }

    fn history_of(&self, applications: &[u64]) -> Vec<u64> {
        applications
            .iter()
            .filter_map(|id| self.applications.get(id))
            .flat_map(|application| application.history.iter().copied())
            .collect()
    }

    fn modified_after(&self, after: Timestamp) -> Vec<u64> {
        self.modified
            .range((Bound::Excluded((after, u64::MAX)), Bound::Unbounded))
            .map(|(_, id)| *id)
            .collect()
    }

    fn sort(&self, of: Resource, rows: &mut Vec<u64>) {
        rows.sort_unstable();
        rows.dedup();
        match (self.quirks.search_order, of) {
            (SearchOrder::IdDescending, _) => rows.reverse(),
            (SearchOrder::ModifiedDescending, Resource::Applications) => rows.sort_by_key(|id| {
                std::cmp::Reverse(self.applications.get(id).map(|found| found.modified))
            }),
            (SearchOrder::Id | SearchOrder::ModifiedDescending, _) => {}
        }
    }

    /// A date in this system's format.
    pub(super) fn date(&self, at: Timestamp) -> Value {
        dates::write(at, self.quirks.dates).into()
    }
}

fn known<T>(ids: Vec<u64>, records: &BTreeMap<u64, T>) -> Vec<u64> {
    ids.into_iter()
        .filter(|id| records.contains_key(id))
        .collect()
}
