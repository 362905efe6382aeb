//! Searches, which have one grammar for every kind of record (reference eploy §4), and reading one record.

use serde_json::{Value, json};
use stagecall_core::error::CallError;
use stagecall_http::Method;

use crate::call::Call;
use crate::client::Client;
use crate::dialect::ReadBy;
use crate::errors::{Permission, Problem};
use crate::refusal::Asked;
use crate::wire::{self, Page, Record};

/// The most pages that a search reads which is expected to have one.
pub(crate) const FEW_PAGES: u32 = 20;

/// A condition. Only the two operations that are confirmed are ever sent (reference eploy §4.1).
pub(crate) struct Filter {
    operation: &'static str,
    route: String,
    value: Value,
}

impl Filter {
    pub(crate) fn equals(route: &str, value: Value) -> Self {
        Self {
            operation: "Equals",
            route: route.to_owned(),
            value,
        }
    }

    pub(crate) fn greater_than(route: &str, value: Value) -> Self {
        Self {
            operation: "GreaterThan",
            route: route.to_owned(),
            value,
        }
    }
}

/// A search.
pub(crate) struct Search<'a> {
    pub(crate) operation: &'static str,
    /// The path below `/api/` without `/search`.
    pub(crate) resource: &'a str,
    pub(crate) filters: Vec<Filter>,
    /// The properties to return.
    pub(crate) blocks: &'a [&'a str],
    pub(crate) permission: Permission,
}

/// A kind of record that is read one at a time.
pub(crate) struct Kind {
    pub(crate) operation: &'static str,
    pub(crate) resource: &'static str,
    /// The block of its id.
    pub(crate) id: &'static str,
    pub(crate) blocks: &'static [&'static str],
    pub(crate) permission: Permission,
}

impl Client {
    /// One page of a search, from 1. That nothing was found may be a 404 (reference eploy §4.3).
    pub(crate) async fn search(&self, search: &Search<'_>, page: u32) -> Result<Page, CallError> {
        let dialect = &self.shared.dialect;
        let filters: Vec<Value> = search
            .filters
            .iter()
            .map(|filter| json!({"Route": filter.route, "Operation": filter.operation, "Value": filter.value}))
            .collect();
        let blocks: Vec<String> = search
            .blocks
            .iter()
            .map(|name| dialect.block(name))
            .collect();
        let body = json!({
            "Filters": filters,
            "Paging": {"RecordsPerPage": dialect.page_size, "RequestedPage": page},
            "ResponseBlocks": blocks,
        });
        let path = format!("{}/search", search.resource);
        let call = Call {
            asked: Asked::List(search.permission),
            ..Call::post(search.operation, &path, body, search.permission)
        };
        let answer = match self.call_for_json(call).await {
            Err(error) if Problem::NotFound.is(&error) => return Ok(Page::EMPTY),
            other => other?,
        };
        Page::read(answer, page, dialect.page_size)
            .map_err(|problem| Problem::Unreadable.error(search.operation, problem))
    }

    /// One record, or `None` if Eploy has none of this id.
    pub(crate) async fn read_one(
        &self,
        kind: &Kind,
        by: ReadBy,
        route: &str,
        id: &str,
    ) -> Result<Option<Value>, CallError> {
        match by {
            ReadBy::Get => self.get_one(kind, id).await,
            ReadBy::Search => self.search_one(kind, route, id).await,
        }
    }

    /// The path of a record, or of something that belongs to it.
    pub(crate) fn path(
        operation: &'static str,
        resource: &str,
        id: &str,
        rest: &str,
    ) -> Result<String, CallError> {
        if wire::is_id(id) {
            Ok(format!("{resource}/{id}{rest}"))
        } else {
            Err(Problem::NotFound.error(operation, "the id is not one that Eploy gives"))
        }
    }

    async fn get_one(&self, kind: &Kind, id: &str) -> Result<Option<Value>, CallError> {
        let path = Self::path(kind.operation, kind.resource, id, "")?;
        let call = Call {
            operation: kind.operation,
            method: Method::Get,
            path: &path,
            body: None,
            asked: Asked::Record(kind.permission),
        };
        let answer = match self.call_for_json(call).await {
            Err(error) if Problem::NotFound.is(&error) => return Ok(None),
            other => other?,
        };
        match answer {
            Some(record) if record.is_object() => Ok(Some(record)),
            _ => Err(Problem::Unreadable.error(kind.operation, "it is not a record")),
        }
    }

    async fn search_one(
        &self,
        kind: &Kind,
        route: &str,
        id: &str,
    ) -> Result<Option<Value>, CallError> {
        let search = Search {
            operation: kind.operation,
            resource: kind.resource,
            filters: vec![Filter::equals(route, self.shared.dialect.filter_id(id))],
            blocks: kind.blocks,
            permission: kind.permission,
        };
        let found = self.search(&search, 1).await?.records;
        let some = !found.is_empty();
        let record = found.into_iter().find(|record| {
            Record::of(record).is_some_and(|record| record.own_id(kind.id).as_deref() == Ok(id))
        });
        if record.is_none() && some {
            return Err(Problem::FilterIgnored.error(kind.operation, route));
        }
        Ok(record)
    }
}
