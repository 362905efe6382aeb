//! Searches, which have one grammar for every kind of record (REFERENCE.md §6), and reading one record.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use stagecall_core::error::CallError;
use stagecall_http::Method;

use crate::call::Call;
use crate::client::Client;
use crate::connection::digest;
use crate::dialect::{Dialect, ReadBy};
use crate::errors::{Permission, Problem};
use crate::refusal::RequestKind;
use crate::wire::{self, Page, Record};

/// The maximum number of pages of a search that is expected to have one.
pub(crate) const MAX_LOOKUP_PAGES: u32 = 20;

/// The maximum number of pages of one read: a million records at the usual page size.
const MAX_PAGES: u32 = 10_000;

/// A condition. Only the two operations that are confirmed are ever sent (REFERENCE.md §6).
pub(crate) struct Filter {
    operation: &'static str,
    route: String,
    value: Value,
}

impl Filter {
    /// The filter for one of these values; none if there is no route, nothing to filter by, or no way to say "any of".
    pub(crate) fn any_of(
        dialect: &Dialect,
        route: Option<&str>,
        ids: &BTreeSet<&str>,
    ) -> Option<Self> {
        let route = route?;
        let mut values: Vec<Value> = ids.iter().map(|id| dialect.filter_id(id)).collect();
        let value = match values.len() {
            0 => return None,
            1 => values.remove(0),
            _ if dialect.filter_lists => values.into(),
            _ => return None,
        };
        Some(Self::equals(route, value))
    }

    /// The filter for what changed since then.
    pub(crate) fn since(dialect: &Dialect, route: &str, since: Timestamp) -> Self {
        let dates = dialect.dates;
        Self::greater_than(route, dates.filter(dates.window(since)).into())
    }

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
    pub(crate) id: &'static str,
    pub(crate) blocks: &'static [&'static str],
    pub(crate) permission: Permission,
}

impl Client {
    /// One page of a search, from 1. That nothing was found may be a 404 (REFERENCE.md §7). If that is a web page, it
    /// counts where Eploy is heard to answer.
    pub(crate) async fn search(&self, search: &Search<'_>, page: u32) -> Result<Page, CallError> {
        match self.search_once(search, page).await {
            Err(error) if Problem::WebPage.is(&error) => {
                self.confirm_reachable(search.operation).await?;
                Ok(Page::EMPTY)
            }
            other => other,
        }
    }

    /// The same without that confirming call, where a wrong "nothing" does no harm because the search is repeated from
    /// the same place, or only shown. A page announced by the one before is still confirmed: otherwise a partial result
    /// would count as complete.
    pub(crate) async fn search_unverified(
        &self,
        search: &Search<'_>,
        page: u32,
    ) -> Result<Page, CallError> {
        match self.search_once(search, page).await {
            Err(error) if Problem::WebPage.is(&error) && page > 1 => {
                self.confirm_reachable(search.operation).await?;
                Ok(Page::EMPTY)
            }
            Err(error) if Problem::WebPage.is(&error) => Ok(Page::EMPTY),
            other => other,
        }
    }

    /// Confirms that Eploy itself answers: asks for any vacancy, because every application has one. One call. A refusal
    /// is an answer.
    pub(crate) async fn confirm_reachable(&self, operation: &'static str) -> Result<(), CallError> {
        let body = json!({
            "Filters": [],
            "Paging": {"RecordsPerPage": 1, "RequestedPage": 1},
            "ResponseBlocks": [self.connection.dialect.block("VacancyId")],
        });
        let permission = Permission::view("Vacancies");
        let call = Call {
            kind: RequestKind::List(permission),
            ..Call::post(operation, "vacancies/search", body, permission)
        };
        let answers = [
            Problem::NotFound,
            Problem::SearchRejected,
            Problem::Permission,
        ];
        match self.call_for_json(call).await {
            Err(error) if !answers.iter().any(|problem| problem.is(&error)) => Err(error),
            _ => Ok(()),
        }
    }

    async fn search_once(&self, search: &Search<'_>, page: u32) -> Result<Page, CallError> {
        let dialect = &self.connection.dialect;
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
        let reading = digest(&json!([
            search.resource,
            filters,
            format!("{:?}", self.purpose)
        ]));
        let path = format!("{}/search", search.resource);
        let call = Call {
            kind: RequestKind::List(search.permission),
            ..Call::post(search.operation, &path, body, search.permission)
        };
        let answer = match self.call_for_json(call).await {
            Err(error) if Problem::NotFound.is(&error) => return Ok(Page::EMPTY),
            other => other?,
        };
        let read = Page::read(answer, page, dialect.page_size)
            .map_err(|problem| Problem::ErrorAnswer.error(search.operation, problem))?;
        if page > MAX_PAGES || !self.connection.gets_on(reading, page, &read) {
            let detail = format!("page {page} of {}", search.resource);
            return Err(Problem::PagesRepeat.error(search.operation, &detail));
        }
        Ok(read)
    }

    /// One record, or `None` if Eploy has none of this id. As with [`search`](Self::search), a web page alone does not
    /// count.
    ///
    /// That a record can be read by `GET` is inferred (REFERENCE.md §9), and one record may be refused where others are
    /// not. So what `GET` does not give is searched for, which is the documented way, and what the search says counts,
    /// unless there is no searching by this route.
    pub(crate) async fn read_one(
        &self,
        kind: &Kind,
        by: ReadBy,
        route: &str,
        id: &str,
    ) -> Result<Option<Value>, CallError> {
        if by == ReadBy::Search {
            return match self.search_one(kind, route, id).await {
                Err(error) if Problem::WebPage.is(&error) => self.none_if_reachable(kind).await,
                found => found,
            };
        }
        let missing = match self.get_one(kind, id).await {
            Ok(None) => Ok(None),
            Err(error) if without_get(&error) => Err(error),
            found => return found,
        };
        let forbidden =
            |error: &CallError| Problem::Permission.is(error) || Problem::RecordForbidden.is(error);
        match (self.search_one(kind, route, id).await, missing) {
            // The search is permitted and does not show it: only this record may not be read.
            (Ok(None), Err(refused)) if forbidden(&refused) => {
                Err(Problem::RecordForbidden.error(kind.operation, ""))
            }
            (Err(error), Err(refused))
                if Problem::FilterIgnored.is(&error) && forbidden(&refused) =>
            {
                Err(Problem::RecordForbidden.error(kind.operation, ""))
            }
            (Err(error), missing) if without_search(&error) => match missing {
                Err(page) if Problem::WebPage.is(&page) => self.none_if_reachable(kind).await,
                missing => missing,
            },
            (Err(error), _) if Problem::WebPage.is(&error) => self.none_if_reachable(kind).await,
            (found, _) => found,
        }
    }

    /// `None`, if Eploy is confirmed to answer.
    async fn none_if_reachable(&self, kind: &Kind) -> Result<Option<Value>, CallError> {
        self.confirm_reachable(kind.operation).await?;
        Ok(None)
    }

    /// The path of a record or of a sub-resource.
    pub(crate) fn path(
        operation: &'static str,
        resource: &str,
        id: &str,
        rest: &str,
    ) -> Result<String, CallError> {
        if wire::is_id(id) {
            Ok(format!("{resource}/{id}{rest}"))
        } else {
            Err(Problem::NotFound.error(operation, "the id is not a valid Eploy id"))
        }
    }

    async fn get_one(&self, kind: &Kind, id: &str) -> Result<Option<Value>, CallError> {
        let path = Self::path(kind.operation, kind.resource, id, "")?;
        let call = Call {
            operation: kind.operation,
            method: Method::Get,
            path: &path,
            body: None,
            kind: RequestKind::Record(kind.permission),
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
            filters: vec![Filter::equals(route, self.connection.dialect.filter_id(id))],
            blocks: kind.blocks,
            permission: kind.permission,
        };
        let found = self.search_once(&search, 1).await?.records;
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

/// Whether an error of a `GET` may mean that `GET` is not supported, at all or for this record.
fn without_get(error: &CallError) -> bool {
    let problems = [
        Problem::WebPage,
        Problem::Rejected,
        Problem::Permission,
        Problem::RecordForbidden,
    ];
    problems.iter().any(|problem| problem.is(error))
}

/// Whether an error of a search says nothing about the record.
fn without_search(error: &CallError) -> bool {
    let problems = [
        Problem::FilterIgnored,
        Problem::SearchRejected,
        Problem::Permission,
    ];
    problems.iter().any(|problem| problem.is(error))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stagecall_core::error::{ErrorScope, Phase};
    use stagecall_core::tenant::Vacancies;

    use crate::testing::{Answer, Scene};

    /// The request under test is answered with a web page, anything else with this.
    fn scene(anything: Answer) -> Scene {
        Scene::new(move |request| match request.url.path() {
            "/api/vacancies/search" => anything.clone(),
            _ => Answer::json(404, "<html>nothing here</html>"),
        })
    }

    /// Candidates at the stage would be missing from the baseline, and invited later.
    #[tokio::test]
    async fn a_web_page_alone_is_not_an_empty_result() {
        for (anything, expected) in [
            (
                Answer::json(404, "<html>nothing here</html>"),
                Err(Phase::Unknown),
            ),
            (Answer::lost(), Err(Phase::Unknown)),
            (Answer::ok(r#"{"Records": [{"VacancyId": 8}]}"#), Ok(0)),
            (Answer::status(403), Ok(0)),
            (Answer::status(404), Ok(0)),
        ] {
            let scene = scene(anything);
            let client = scene.client().await;
            let page = client.applications_at(&[], &Vacancies::All, 1).await;
            assert_eq!(
                page.map(|page| page.rows.len())
                    .map_err(|error| error.phase),
                expected
            );
            assert_eq!(scene.calls(), 2);
            let placed = client.placements_with(&BTreeSet::new(), 1).await;
            assert_eq!(
                placed
                    .map(|page| page.rows.len())
                    .map_err(|error| error.phase),
                expected
            );
        }
    }

    #[tokio::test]
    async fn a_poll_that_finds_nothing_is_one_call_in_every_form() {
        let scene = scene(Answer::status(500));
        let client = scene.client().await;
        for calls in [1, 2] {
            let page = client.changed_applications(None, 1).await.unwrap();
            assert!(page.rows.is_empty() && !page.more);
            assert_eq!(scene.calls(), calls);
        }
        let page = client.changed_placements(None, 1).await.unwrap();
        assert!(page.rows.is_empty() && !page.more);
        assert_eq!(scene.calls(), 3);
    }

    /// The cursor would move past the records on it.
    #[tokio::test]
    async fn a_web_page_alone_is_not_an_empty_further_page() {
        let deaf = scene(Answer::lost());
        let deaf = deaf.client().await;
        assert!(deaf.changed_applications(None, 2).await.is_err());
        assert!(deaf.changed_placements(None, 2).await.is_err());
        // The list became shorter.
        let reachable = scene(Answer::status(404));
        let page = reachable.client().await.changed_applications(None, 2).await;
        assert!(!page.unwrap().more);
    }

    /// A forbidden record is not a missing permission while another can be read.
    #[tokio::test]
    async fn a_forbidden_record_concerns_only_itself() {
        let forbidding = |search: Answer| {
            Scene::new(move |request| match request.url.path() {
                "/api/applications/search" => search.clone(),
                "/api/applications/8" => Answer::ok(r#"{"ApplicationId": 8, "Workflow": null}"#),
                _ => Answer::status(403),
            })
        };
        let code = async |scene: &Scene| {
            let client = scene.client().await;
            let error = client.position(&"7".into()).await.unwrap_err();
            (error.code, error.scope)
        };
        let none = forbidding(Answer::ok(r#"{"Records": []}"#));
        let alone = ("eploy.record_forbidden", ErrorScope::Record);
        assert_eq!(code(&none).await, alone, "the search is allowed");
        let neither = forbidding(Answer::status(403));
        let missing = ("eploy.permission", ErrorScope::Connection);
        assert_eq!(code(&neither).await, missing);
        let client = neither.client().await;
        client.position(&"8".into()).await.unwrap();
        assert_eq!(code(&neither).await, alone, "another was read");
        neither.clock.pass(3600);
        assert_eq!(code(&neither).await, missing, "long ago");
    }

    /// That `GET` is possible is inferred, and searching is documented.
    #[tokio::test]
    async fn what_get_refuses_is_searched_for() {
        for status in [400, 403, 404, 405] {
            let scene = Scene::new(move |request| match request.url.path() {
                "/api/candidates/search" => Answer::ok(
                    r#"{"Records": [{"CandidateId": 9001, "FirstName": "A", "Email": "a@example.com"}]}"#,
                ),
                _ => Answer::json(status, r#"{"error_message": "No HTTP resource was found"}"#),
            });
            let client = scene.client().await;
            let person = client.candidate(&"9001".into()).await.unwrap();
            assert_eq!(person.email.as_deref(), Some("a@example.com"), "{status}");
        }
    }

    #[tokio::test]
    async fn a_repeated_page_is_noticed() {
        let scene = Scene::new(|_| {
            Answer::ok(
                r#"{"Records": [{"ApplicationId": 1}, {"ApplicationId": 2}], "TotalPages": 30}"#,
            )
        });
        let client = scene.client().await;
        client.changed_applications(None, 1).await.unwrap();
        let error = client.changed_applications(None, 2).await.unwrap_err();
        assert_eq!(
            (error.code, error.scope),
            ("eploy.pages_repeat", ErrorScope::Connection)
        );
        // A read that starts again is not a repetition.
        client.changed_applications(None, 1).await.unwrap();
        client.changed_applications(None, 1).await.unwrap();
    }

    /// The candidate would count as deleted and never be invited.
    #[tokio::test]
    async fn a_web_page_alone_does_not_mean_a_deleted_candidate() {
        let candidate = |anything| async {
            let client = scene(anything).client().await;
            client.candidate(&"9".into()).await.unwrap_err().code
        };
        let page = Answer::json(404, "<html>nothing here</html>");
        assert_eq!(candidate(page).await, "eploy.web_page");
        assert_eq!(candidate(Answer::ok("{}")).await, "eploy.not_found");
    }
}
