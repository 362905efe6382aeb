//! Where an application stands: by its status history where that can be read, else by the application itself
//! (REFERENCE.md §11).

use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, StatusHistoryId};
use stagecall_core::ports::{ApplicationRow, HistoryRow, StageInfo};
use stagecall_core::tenant::Position;

use crate::applications::{BLOCKS, row as row_of_application};
use crate::client::Client;
use crate::dialect::{Dialect, History};
use crate::errors::{Permission, Problem};
use crate::position::Stages;
use crate::search::{Filter, Kind, MAX_LOOKUP_PAGES, Search};
use crate::wire::Record;

const OPERATION: &str = "read the application's stage";

const APPLICATION: Kind = Kind {
    operation: OPERATION,
    resource: "applications",
    id: "ApplicationId",
    blocks: BLOCKS,
    permission: Permission::view("Applications"),
};

enum HistoryLookup {
    Rows(Vec<HistoryRow>),
    /// Not usable this time.
    Nothing,
    /// Not available on this Eploy.
    Refused,
}

impl Client {
    /// The application's stage and status with its history.
    pub(crate) async fn read_stage_info(
        &self,
        application: &ApplicationId,
    ) -> Result<StageInfo, CallError> {
        if self.connection.dialect.history == History::Readable && !self.connection.history_rests()
        {
            match self.history(application).await? {
                HistoryLookup::Rows(rows) => return Ok(StageInfo::History(rows)),
                HistoryLookup::Nothing => {}
                HistoryLookup::Refused => {
                    self.connection.rest_history();
                    tracing::warn!(tenant = %self.connection.tenant, route = %self.connection.dialect.history_route, "status history not read, applications are read instead");
                }
            }
        }
        let position = self.read_position(application).await?;
        Ok(position.map_or(StageInfo::Gone, StageInfo::Position))
    }

    /// The position in the application's own record; `None` if it was deleted.
    pub(crate) async fn read_position(
        &self,
        application: &ApplicationId,
    ) -> Result<Option<Position>, CallError> {
        let Some(record) = self.application_record(application).await? else {
            return Ok(None);
        };
        Record::of(&record)
            .ok_or_else(|| "it is not an object".to_owned())
            .and_then(|record| self.stages.position(record))
            .map(Some)
            .map_err(|problem| Problem::Unreadable.error(OPERATION, &problem))
    }

    /// The application like a search result; `None` if it was deleted.
    pub(crate) async fn read_application(
        &self,
        application: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, CallError> {
        let Some(record) = self.application_record(application).await? else {
            return Ok(None);
        };
        row_of_application(&record, &self.connection.dialect, &self.stages)
            .map(Some)
            .map_err(|aside| Problem::Unreadable.error(OPERATION, &aside.reason))
    }

    async fn application_record(
        &self,
        application: &ApplicationId,
    ) -> Result<Option<Value>, CallError> {
        let dialect = &self.connection.dialect;
        self.read_one(
            &APPLICATION,
            dialect.read_application,
            &dialect.application_id_route,
            application.as_str(),
        )
        .await
    }

    async fn history(&self, application: &ApplicationId) -> Result<HistoryLookup, CallError> {
        let dialect = &self.connection.dialect;
        let search = Search {
            operation: OPERATION,
            resource: "applications/statushistory",
            filters: vec![Filter::equals(
                &dialect.history_route,
                dialect.filter_id(application.as_str()),
            )],
            blocks: &[
                "StatusHistoryId",
                "Application",
                "StatusDate",
                "Workflow",
                "CreationDate",
            ],
            permission: Permission::view("Applications"),
        };
        let mut rows: Vec<HistoryRow> = Vec::new();
        for page in 1..=MAX_LOOKUP_PAGES {
            // If it is empty, the application's own record decides.
            let found = match self.search_unverified(&search, page).await {
                Err(error)
                    if Problem::Permission.is(&error) || Problem::SearchRejected.is(&error) =>
                {
                    return Ok(HistoryLookup::Refused);
                }
                other => other?,
            };
            for record in &found.records {
                match row(record, application, dialect, &self.stages) {
                    Ok(row) if rows.iter().any(|known| known.id == row.id) => {}
                    Ok(row) => rows.push(row),
                    Err(Unusable::Foreign) => return Ok(HistoryLookup::Refused),
                    Err(Unusable::Unreadable(reason)) => {
                        // A history with a gap could end at the wrong stage.
                        tracing::warn!(tenant = %self.connection.tenant, %application, reason, "row of the status history unreadable");
                        return Ok(HistoryLookup::Nothing);
                    }
                }
            }
            if !found.more {
                if rows.is_empty() {
                    return Ok(HistoryLookup::Nothing);
                }
                sort(&mut rows);
                return Ok(HistoryLookup::Rows(rows));
            }
        }
        Ok(HistoryLookup::Nothing)
    }
}

/// Why a row of the history is not usable.
enum Unusable {
    /// It belongs to another application: the filter was ignored.
    Foreign,
    /// It cannot be read.
    Unreadable(String),
}

fn row(
    record: &Value,
    application: &ApplicationId,
    dialect: &Dialect,
    stages: &Stages,
) -> Result<HistoryRow, Unusable> {
    let record =
        Record::of(record).ok_or_else(|| Unusable::Unreadable("it is not an object".to_owned()))?;
    let owner = record
        .need_id("Application")
        .map_err(Unusable::Unreadable)?;
    if owner != application.as_str() {
        return Err(Unusable::Foreign);
    }
    let read = || {
        Ok(HistoryRow {
            id: StatusHistoryId::new(record.own_id("StatusHistoryId")?),
            at: ["StatusDate", "CreationDate"]
                .into_iter()
                .find_map(|name| record.text(name).and_then(|text| dialect.dates.read(text))),
            position: stages.position(record)?,
        })
    };
    read().map_err(Unusable::Unreadable)
}

/// Oldest first: by date, then by id; by id alone if a date is missing, because ids grow.
fn sort(rows: &mut [HistoryRow]) {
    let dated = rows.iter().all(|row| row.at.is_some());
    let number = |row: &HistoryRow| row.id.as_str().parse::<u64>().unwrap_or(u64::MAX);
    rows.sort_by_key(|row| (row.at.filter(|_| dated), number(row)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::tenant::Position;

    use super::*;
    use crate::testing::{Answer, Scene, Seen};

    const HISTORY: &str = "/api/applications/statushistory/search";

    fn history_row(id: u32, application: u32, date: &str, stage: u32) -> Value {
        json!({"StatusHistoryId": id, "Application": {"Id": application}, "StatusDate": date,
            "Workflow": {"Stage": {"Id": stage}, "Status": null}})
    }

    fn application(_: &Seen) -> Answer {
        Answer::value(
            &json!({"ApplicationId": 7, "Workflow": {"Stage": {"Id": 12}, "Status": {"Id": "34"}}}),
        )
    }

    fn at_12() -> StageInfo {
        StageInfo::Position(Position {
            stage: Some("12".into()),
            status: Some("34".into()),
        })
    }

    fn ids(info: &StageInfo) -> Vec<&str> {
        match info {
            StageInfo::History(rows) => rows.iter().map(|row| row.id.as_str()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_history_is_one_call_and_sorted() {
        let rows = json!([
            history_row(10, 7, "2025-01-24T09:15:00", 3),
            history_row(9, 7, "2025-01-24T09:15:00Z", 2),
            history_row(11, 7, "2025-01-20T09:15:00.5Z", 1),
            history_row(11, 7, "2025-01-20T09:15:00.5Z", 1),
        ]);
        let scene = Scene::new(move |_| Answer::value(&json!({"Records": rows, "TotalPages": 1})));
        let info = scene.client().await.stage_info(&"7".into()).await.unwrap();
        assert_eq!(ids(&info), ["11", "9", "10"]);
        assert_eq!(scene.calls(), 1);
        assert_eq!(
            scene.last().body["Filters"],
            json!([{"Route": "Application.ApplicationId", "Operation": "Equals", "Value": "7"}])
        );
    }

    #[tokio::test]
    async fn without_dates_ids_give_the_order_and_all_pages_are_read() {
        let scene = Scene::new(|request| {
            let page = request.body["Paging"]["RequestedPage"].as_u64().unwrap();
            let row = match page {
                1 => history_row(10, 7, "?", 3),
                _ => history_row(9, 7, "2025-01-24T09:15:00Z", 2),
            };
            Answer::value(&json!({"Records": [row], "CurrentPage": page, "TotalPages": 2}))
        });
        let info = scene.client().await.stage_info(&"7".into()).await.unwrap();
        assert_eq!(ids(&info), ["9", "10"]);
    }

    #[tokio::test]
    async fn a_refused_history_is_not_tried_again_for_a_while() {
        for status in [400, 403] {
            let scene = Scene::new(move |request| match request.url.path() {
                HISTORY => Answer::status(status),
                _ => application(request),
            });
            let client = scene.client().await;
            assert_eq!(client.stage_info(&"7".into()).await.unwrap(), at_12());
            assert_eq!(client.stage_info(&"7".into()).await.unwrap(), at_12());
            assert_eq!(scene.count(HISTORY), 1, "{status}");
            scene.clock.pass(3601);
            client.stage_info(&"7".into()).await.unwrap();
            assert_eq!(scene.count(HISTORY), 2, "{status}");
        }
    }

    #[tokio::test]
    async fn a_history_of_others_means_that_the_filter_was_ignored() {
        let rows = json!([
            history_row(9, 7, "2025-01-24T09:15:00Z", 2),
            history_row(10, 8, "2025-01-25T09:15:00Z", 3)
        ]);
        let scene = Scene::new(move |request| match request.url.path() {
            HISTORY => Answer::value(&json!({"Records": rows})),
            _ => application(request),
        });
        let client = scene.client().await;
        assert_eq!(client.stage_info(&"7".into()).await.unwrap(), at_12());
        assert_eq!(client.stage_info(&"7".into()).await.unwrap(), at_12());
        assert_eq!(scene.count(HISTORY), 1);
    }

    #[tokio::test]
    async fn an_empty_or_unreadable_history_is_tried_again() {
        let mut broken = history_row(9, 7, "2025-01-24T09:15:00Z", 2);
        broken["StatusHistoryId"] = Value::Null;
        let answers = [
            Answer::status(404),
            Answer::ok("{}"),
            Answer::value(&json!({"Records": [broken]})),
        ];
        for answer in answers {
            let scene = Scene::new(move |request| match request.url.path() {
                HISTORY => answer.clone(),
                _ => application(request),
            });
            let client = scene.client().await;
            assert_eq!(client.stage_info(&"7".into()).await.unwrap(), at_12());
            assert_eq!(client.stage_info(&"7".into()).await.unwrap(), at_12());
            assert_eq!(scene.count(HISTORY), 2);
        }
    }

    #[tokio::test]
    async fn an_application_found_nowhere_is_deleted() {
        let scene = Scene::new(|_| Answer::status(404));
        assert_eq!(
            scene.client().await.stage_info(&"7".into()).await.unwrap(),
            StageInfo::Gone
        );
    }

    #[tokio::test]
    async fn an_application_unreadable_by_id_is_not_deleted() {
        let scene = Scene::new(|request| match request.url.path() {
            "/api/applications/search" => Answer::ok(
                r#"{"Records": [{"ApplicationId": 7, "Workflow": {"Stage": {"Id": 12}, "Status": {"Id": 34}}}]}"#,
            ),
            _ => Answer::json(404, "<html>no such page</html>"),
        });
        assert_eq!(
            scene.client().await.stage_info(&"7".into()).await.unwrap(),
            at_12()
        );
    }

    /// A proxy answers in Eploy's place.
    #[tokio::test]
    async fn web_pages_alone_do_not_count() {
        let page = || Answer::json(404, "<html>no such page</html>");
        let rejected = || Answer::status(400);
        let found = || Answer::ok(r#"{"Records": [{"VacancyId": 8}]}"#);
        for (by_id, by_search, any, expected) in [
            (page(), page(), page(), Err("eploy.web_page")),
            (page(), page(), found(), Ok(StageInfo::Gone)),
            (page(), rejected(), page(), Err("eploy.web_page")),
            (Answer::status(404), page(), page(), Err("eploy.web_page")),
            (page(), Answer::status(404), page(), Ok(StageInfo::Gone)),
        ] {
            let scene = Scene::new(move |request| match request.url.path() {
                "/api/applications/search" => by_search.clone(),
                "/api/vacancies/search" => any.clone(),
                _ => by_id.clone(),
            });
            let info = scene.client().await.stage_info(&"7".into()).await;
            assert_eq!(info.map_err(|error| error.code), expected);
        }
    }

    #[tokio::test]
    async fn a_404_counts_if_the_search_is_inconclusive() {
        for others in [
            Answer::status(400),
            Answer::ok(r#"{"Records": [{"ApplicationId": 8}]}"#),
        ] {
            let scene = Scene::new(move |request| match request.url.path() {
                "/api/applications/search" => others.clone(),
                _ => Answer::status(404),
            });
            assert_eq!(
                scene.client().await.stage_info(&"7".into()).await.unwrap(),
                StageInfo::Gone
            );
        }
    }

    #[tokio::test]
    async fn a_spent_allowance_is_no_reason_to_doubt_the_history() {
        let scene =
            Scene::new(|_| Answer::json(403, r#"{"error_message": "Daily allowance used up"}"#));
        let error = scene
            .client()
            .await
            .stage_info(&"7".into())
            .await
            .unwrap_err();
        assert_eq!(error.code, "eploy.allowance_eploy");
        assert_eq!(scene.calls(), 1);
    }

    #[tokio::test]
    async fn the_history_may_be_off_and_the_application_read_by_search() {
        let dialect = json!({"history": "unreadable", "read_application": "search"});
        let scene = Scene::new(|_| Answer::ok(r#"{"Records": [{"ApplicationID": "7", "Workflow": {"Stage": {"Id": 12}, "Status": {"Id": "34"}}}]}"#))
            .dialect(dialect.clone());
        assert_eq!(
            scene.client().await.stage_info(&"7".into()).await.unwrap(),
            at_12()
        );
        assert_eq!(scene.last().url.path(), "/api/applications/search");
        assert_eq!(scene.calls(), 1);

        let none = Scene::new(|_| Answer::ok(r#"{"Records": []}"#)).dialect(dialect.clone());
        assert_eq!(
            none.client().await.stage_info(&"7".into()).await.unwrap(),
            StageInfo::Gone
        );

        let others =
            Scene::new(|_| Answer::ok(r#"{"Records": [{"ApplicationId": 8}]}"#)).dialect(dialect);
        let error = others
            .client()
            .await
            .stage_info(&"7".into())
            .await
            .unwrap_err();
        assert_eq!(error.code, "eploy.filter_ignored");
    }
}
