//! Changes of stage by the status history (REFERENCE.md §8, §11): for an Eploy that does not move an application's
//! modification date with them.

use jiff::Timestamp;
use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ids::ApplicationId;
use stagecall_core::ports::{StageChange, StageChangePage, UnparsableRecord};

use crate::client::Client;
use crate::dialect::Dialect;
use crate::errors::{Permission, Problem};
use crate::position::Stages;
use crate::search::{Filter, Search};
use crate::wire::read_row;

const OPERATION: &str = "find changes of stage";

/// The blocks of a row of the status history, all documented by P-GROS.
pub(crate) const BLOCKS: &[&str] = &[
    "StatusHistoryId",
    "Application",
    "Vacancy",
    "StatusDate",
    "Workflow",
    "CreationDate",
    "ModificationDate",
];

impl Client {
    /// Changes of stage since then, or all.
    pub(crate) async fn search_stage_changes(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<StageChangePage, CallError> {
        let dialect = &self.connection.dialect;
        let Some(route) = dialect.history_date_route.as_deref() else {
            let problem = "dialect.feed needs dialect.history_date_route";
            return Err(Problem::SearchRejected.error(OPERATION, problem));
        };
        let filter = since.map(|since| Filter::since(dialect, route, since));
        let search = Search {
            operation: OPERATION,
            resource: "applications/statushistory",
            filters: filter.into_iter().collect(),
            blocks: BLOCKS,
            permission: Permission::view("Applications"),
        };
        // The cursor does not move past what was not found.
        let found = self.search_unverified(&search, page).await?;
        let (changes, set_aside) =
            found.rows(|record| change(record, route, dialect, &self.stages));
        Ok(StageChangePage {
            changes,
            set_aside,
            more: found.more,
        })
    }
}

/// The name of the block that a route filters by.
pub(crate) fn block_of(route: &str) -> &str {
    route.rsplit('.').next().unwrap_or(route)
}

/// A change of stage. Only the application's id has to be readable; the rest is read from the application.
fn change(
    record: &Value,
    route: &str,
    dialect: &Dialect,
    stages: &Stages,
) -> Result<StageChange, UnparsableRecord> {
    read_row(record, "StatusHistoryId", |record, _| {
        let date = |name: &str| record.text(name).and_then(|text| dialect.dates.read(text));
        Ok(StageChange {
            application: ApplicationId::new(record.need_id("Application")?),
            vacancy: record.id("Vacancy").map(|id| id.as_str().into()),
            position: stages.position(record).ok(),
            at: [block_of(route), "CreationDate", "StatusDate"]
                .into_iter()
                .find_map(date),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::ports::ChangeFeed;
    use stagecall_core::tenant::Position;

    use super::*;
    use crate::testing::{Answer, Scene};

    fn by_history() -> Value {
        json!({"feed": "status_history", "history_date_route": "StatusHistory.CreationDate"})
    }

    #[tokio::test]
    async fn changes_of_stage_are_found_by_the_date_of_their_row() {
        let scene = Scene::new(|_| {
            Answer::value(&json!({"Records": [
                {"StatusHistoryId": 1, "Application": {"Id": 7}, "Vacancy": {"Id": 4101},
                 "StatusDate": "2025-01-24T09:00:00Z", "CreationDate": "2025-01-24T09:15:00Z",
                 "Workflow": {"Stage": {"Id": "12"}, "Status": {"Id": 34}}},
                {"StatusHistoryId": 2, "Application": {"Id": 8}},
                {"StatusHistoryId": 3, "Workflow": null},
            ], "CurrentPage": 1, "TotalPages": 2}))
        })
        .dialect(by_history());
        let client = scene.client().await;
        assert_eq!(client.feed().by, ChangeFeed::StatusHistory);
        assert!(!client.feed().settled, "not configured");
        let since = "2025-01-24T10:00:00Z".parse().unwrap();
        let page = client.stage_changes(Some(since), 1).await.unwrap();
        let request = scene.last();
        assert_eq!(request.url.path(), "/api/applications/statushistory/search");
        assert_eq!(
            request.body["Filters"],
            json!([{"Route": "StatusHistory.CreationDate", "Operation": "GreaterThan", "Value": "2025-01-24T08:55:00Z"}])
        );
        assert_eq!(
            page.changes,
            [
                StageChange {
                    application: "7".into(),
                    vacancy: Some("4101".into()),
                    position: Some(Position {
                        stage: Some("12".into()),
                        status: Some("34".into()),
                    }),
                    at: Some("2025-01-24T09:15:00Z".parse().unwrap()),
                },
                // The rest is read from the application.
                StageChange {
                    application: "8".into(),
                    vacancy: None,
                    position: None,
                    at: None,
                },
            ]
        );
        assert_eq!(page.set_aside.len(), 1);
        assert_eq!(page.set_aside[0].id.as_deref(), Some("3"));
        assert!(page.more);
        assert_eq!(scene.calls(), 1);
    }

    #[tokio::test]
    async fn one_application_is_read_like_a_search_result() {
        let scene = Scene::new(|_| {
            Answer::value(
                &json!({"ApplicationId": 7, "Candidate": {"Id": 9001}, "Vacancy": {"Id": 4101},
                "Workflow": {"Stage": {"Id": "12"}, "Status": null}, "ModificationDate": "2025-01-24T09:15:00Z"}),
            )
        });
        let client = scene.client().await;
        let row = client.application(&"7".into()).await.unwrap().unwrap();
        assert_eq!(row.candidate, "9001".into());
        assert_eq!(row.position.stage, Some("12".into()));
        let gone = Scene::new(|_| Answer::status(404));
        let none = gone.client().await.application(&"7".into()).await.unwrap();
        assert_eq!(none, None);
    }
}
