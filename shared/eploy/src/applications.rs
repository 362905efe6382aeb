//! Applications: finding those that changed or stand somewhere (REFERENCE.md §10).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, CandidateId, VacancyId};
use stagecall_core::ports::{ApplicationPage, ApplicationRow, UnparsableRecord};
use stagecall_core::tenant::{Trigger, Vacancies};

use crate::client::Client;
use crate::dialect::Dialect;
use crate::errors::{Permission, Problem};
use crate::position::Stages;
use crate::search::{Filter, MAX_LOOKUP_PAGES, Search};
use crate::wire::{Page, read_row};

/// The blocks of an application that are read, all documented by P-GROS.
pub(crate) const BLOCKS: &[&str] = &[
    "ApplicationId",
    "Workflow",
    "Candidate",
    "Vacancy",
    "ModificationDate",
];

fn search(operation: &'static str, filters: Vec<Filter>) -> Search<'static> {
    Search {
        operation,
        resource: "applications",
        filters,
        blocks: BLOCKS,
        permission: Permission::view("Applications"),
    }
}

impl Client {
    /// Applications that changed since then, or all.
    pub(crate) async fn search_changed(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<ApplicationPage, CallError> {
        let route = "Application.ModificationDate";
        let filter = since.map(|since| Filter::since(&self.connection.dialect, route, since));
        let search = search("find changed applications", filter.into_iter().collect());
        // The cursor does not move past what was not found.
        let found = self.search_unverified(&search, page).await?;
        Ok(self.read_page(&found))
    }

    /// Applications that may be at one of these triggers.
    pub(crate) async fn search_at(
        &self,
        triggers: &[Trigger],
        vacancies: &Vacancies,
        page: u32,
    ) -> Result<ApplicationPage, CallError> {
        self.search_applications(
            "find applications at the stage",
            stage_filters(&self.connection.dialect, triggers, vacancies),
            page,
        )
        .await
    }

    /// The application of this candidate for this vacancy; the latest if there are several.
    pub(crate) async fn search_application_of(
        &self,
        candidate: &CandidateId,
        vacancy: &VacancyId,
    ) -> Result<Option<ApplicationId>, CallError> {
        let operation = "find the application of a placement";
        let route = &self.connection.dialect.application_candidate_route;
        let mut found: Option<ApplicationRow> = None;
        for page in 1..=MAX_LOOKUP_PAGES {
            let id = self.connection.dialect.filter_id(candidate.as_str());
            let filters = vec![Filter::equals(route, id)];
            let read = self.search_applications(operation, filters, page).await?;
            for row in read.rows {
                if row.candidate != *candidate {
                    return Err(Problem::FilterIgnored.error(operation, route));
                }
                let later = found
                    .as_ref()
                    .is_none_or(|found| found.modified <= row.modified);
                if row.vacancy == *vacancy && later {
                    found = Some(row);
                }
            }
            if !read.more {
                break;
            }
        }
        Ok(found.map(|row| row.id))
    }

    async fn search_applications(
        &self,
        operation: &'static str,
        filters: Vec<Filter>,
        page: u32,
    ) -> Result<ApplicationPage, CallError> {
        let found = self.search(&search(operation, filters), page).await?;
        Ok(self.read_page(&found))
    }

    fn read_page(&self, found: &Page) -> ApplicationPage {
        let read = |record: &Value| row(record, &self.connection.dialect, &self.stages);
        let (rows, set_aside) = found.rows(read);
        ApplicationPage {
            rows,
            set_aside,
            more: found.more,
        }
    }
}

/// The filters of one search for applications at these triggers; none: it reads all applications.
pub(crate) fn stage_filters(
    dialect: &Dialect,
    triggers: &[Trigger],
    vacancies: &Vacancies,
) -> Vec<Filter> {
    let stages: BTreeSet<&str> = triggers
        .iter()
        .map(|trigger| trigger.stage.as_str())
        .collect();
    let vacancies: BTreeSet<&str> = match vacancies {
        Vacancies::All => BTreeSet::new(),
        Vacancies::Only(these) => these.iter().map(VacancyId::as_str).collect(),
    };
    let filters = [
        Filter::any_of(dialect, dialect.stage_route.as_deref(), &stages),
        Filter::any_of(dialect, dialect.vacancy_route.as_deref(), &vacancies),
    ];
    filters.into_iter().flatten().collect()
}

/// An application, or why it cannot be read.
pub(crate) fn row(
    record: &Value,
    dialect: &Dialect,
    stages: &Stages,
) -> Result<ApplicationRow, UnparsableRecord> {
    read_row(record, "ApplicationId", |record, id| {
        Ok(ApplicationRow {
            id: ApplicationId::new(id?),
            candidate: record.need_id("Candidate")?.as_str().into(),
            vacancy: record.need_id("Vacancy")?.as_str().into(),
            position: stages.position(record)?,
            modified: record
                .text("ModificationDate")
                .and_then(|text| dialect.dates.read(text)),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::ids::StatusId;
    use stagecall_core::tenant::Position;

    use super::*;
    use crate::testing::{Answer, Scene};

    fn application(id: u32) -> Value {
        json!({"ApplicationId": id, "Candidate": {"Id": 9001}, "Vacancy": {"Id": "4101"},
            "Workflow": {"Stage": {"Id": "12", "Description": "Video"}, "Status": {"Id": 34}},
            "ModificationDate": "2025-01-24T09:15:00.123Z"})
    }

    fn trigger(stage: &str) -> Trigger {
        Trigger {
            stage: stage.into(),
            stage_name: None,
            statuses: Vec::new(),
        }
    }

    #[tokio::test]
    async fn changes_are_searched_for_with_confirmed_parts_only() {
        let scene = Scene::new(|_| {
            Answer::value(&json!({"Records": [application(1)], "CurrentPage": 1, "TotalPages": 2}))
        });
        let since = "2025-01-24T10:00:00.9Z".parse().unwrap();
        let page = scene
            .client()
            .await
            .changed_applications(Some(since), 1)
            .await
            .unwrap();
        let request = scene.last();
        assert_eq!(
            (request.method, request.url.path()),
            ("POST".to_owned(), "/api/applications/search")
        );
        assert_eq!(
            request.body,
            json!({
                "Filters": [{"Route": "Application.ModificationDate", "Operation": "GreaterThan", "Value": "2025-01-24T08:55:00Z"}],
                "Paging": {"RecordsPerPage": 100, "RequestedPage": 1},
                "ResponseBlocks": ["ApplicationId", "Workflow", "Candidate", "Vacancy", "ModificationDate"],
            })
        );
        assert!(page.more);
        assert_eq!(
            page.rows,
            [ApplicationRow {
                id: "1".into(),
                candidate: "9001".into(),
                vacancy: "4101".into(),
                position: Position {
                    stage: Some("12".into()),
                    status: Some("34".into())
                },
                modified: Some("2025-01-24T09:15:00.123Z".parse().unwrap()),
            }]
        );
    }

    #[tokio::test]
    async fn the_application_of_a_placement_is_found_by_candidate_and_vacancy() {
        let of = async |answer: Value| {
            let scene = Scene::new(move |_| Answer::value(&answer));
            let client = scene.client().await;
            let found = client.application_of(&"9001".into(), &"4101".into()).await;
            (found, scene.last().body)
        };
        let mut elsewhere = application(3);
        elsewhere["Vacancy"]["Id"] = "4102".into();
        let records = json!({"Records": [application(1), application(2), elsewhere]});
        let (found, body) = of(records).await;
        assert_eq!(found.unwrap(), Some("2".into()));
        assert_eq!(
            body["Filters"],
            json!([{"Route": "Candidate.CandidateID", "Operation": "Equals", "Value": "9001"}])
        );
        assert_eq!(of(json!({"Records": []})).await.0.unwrap(), None);
        let mut foreign = application(4);
        foreign["Candidate"]["Id"] = 9002.into();
        let ignored = of(json!({"Records": [foreign]})).await.0.unwrap_err();
        assert!(Problem::FilterIgnored.is(&ignored));
    }

    #[tokio::test]
    async fn uk_time_and_casing_are_settings() {
        let scene = Scene::new(|_| Answer::ok(""))
            .dialect(json!({"dates": "uk", "id_casing": "ID", "page_size": 7}));
        let since = "2025-06-24T10:00:00Z".parse().unwrap();
        let page = scene
            .client()
            .await
            .changed_applications(Some(since), 3)
            .await
            .unwrap();
        assert!(page.rows.is_empty() && !page.more);
        let body = scene.last().body;
        assert_eq!(body["Filters"][0]["Value"], "2025-06-24T10:50:00");
        assert_eq!(body["ResponseBlocks"][0], "ApplicationID");
        assert_eq!(
            body["Paging"],
            json!({"RecordsPerPage": 7, "RequestedPage": 3})
        );
    }

    #[tokio::test]
    async fn a_404_means_that_nothing_changed() {
        let scene = Scene::new(|_| {
            Answer::json(
                404,
                r#"{"error_message": "No record could be found for the requested URI"}"#,
            )
        });
        let page = scene
            .client()
            .await
            .changed_applications(None, 1)
            .await
            .unwrap();
        assert!(page.rows.is_empty() && !page.more);
        assert_eq!(scene.last().body["Filters"], json!([]));
    }

    #[tokio::test]
    async fn unreadable_records_are_set_aside_and_the_rest_is_read() {
        let mut no_vacancy = application(2);
        no_vacancy["Vacancy"] = Value::Null;
        let mut no_workflow = application(3);
        no_workflow.as_object_mut().unwrap().remove("Workflow");
        let mut strange_stage = application(4);
        strange_stage["Workflow"]["Stage"] = json!({"Description": "Video"});
        let mut nowhere = application(5);
        nowhere["Workflow"] = Value::Null;
        let mut no_date = application(6);
        no_date["ModificationDate"] = json!("soon");
        let records = json!([
            7,
            no_vacancy,
            no_workflow,
            strange_stage,
            nowhere,
            no_date,
            {}
        ]);
        let scene = Scene::new(move |_| Answer::value(&json!({"Records": records})));
        let page = scene
            .client()
            .await
            .changed_applications(None, 1)
            .await
            .unwrap();
        let ids: Vec<_> = page.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["5", "6"]);
        assert_eq!(page.rows[0].position, Position::default());
        assert_eq!(page.rows[1].modified, None);
        let aside: Vec<_> = page
            .set_aside
            .iter()
            .map(|aside| (aside.id.as_deref(), aside.reason.as_str()))
            .collect();
        assert_eq!(
            aside,
            [
                (None, "it is not an object"),
                (Some("2"), "Vacancy is missing"),
                (Some("3"), "Workflow is missing"),
                (Some("4"), "Workflow.Stage has no Id"),
                (None, "ApplicationId is missing"),
            ]
        );
        assert!(!page.more, "seven of a hundred");
    }

    /// A mapping may ask for no more than the stage.
    #[tokio::test]
    async fn a_status_without_an_id_hides_no_application() {
        let statuses = [
            json!({"Id": 34}),
            json!(null),
            json!({"Description": "To Be Completed"}),
            json!({"Id": null, "Description": ""}),
            json!({"Id": "", "Description": ""}),
            json!({"Id": -1, "Description": "None"}),
        ];
        let rows: Vec<Value> = (1..)
            .zip(statuses)
            .map(|(id, status)| {
                let mut row = application(id);
                row["Workflow"]["Status"] = status;
                row
            })
            .collect();
        let scene = Scene::new(move |_| Answer::value(&json!({"Records": rows})));
        let client = scene.client().await;
        let page = client.changed_applications(None, 1).await.unwrap();
        assert!(page.set_aside.is_empty(), "{:?}", page.set_aside);
        let read = page.rows.iter().map(|row| &row.position);
        assert!(
            read.clone()
                .all(|position| position.stage == Some("12".into()))
        );
        let statuses: Vec<_> = read
            .map(|position| position.status.as_ref().map(StatusId::as_str))
            .collect();
        assert_eq!(statuses, [Some("34"), None, None, None, None, None]);
    }

    /// One broken name must not hide the other records on the page.
    #[tokio::test]
    async fn a_broken_character_hides_no_application() {
        let page = |name: &[u8]| {
            let mut body = b"\xef\xbb\xbf{\"Records\": [{\"ApplicationId\": 70015.0, \"Candidate\": {\"Id\": 9001.0, \"Name\": \"".to_vec();
            body.extend_from_slice(name);
            body.extend_from_slice(
                b"\"}, \"Vacancy\": {\"Id\": \"4101.0\"}, \"Workflow\": null}]}",
            );
            body
        };
        for name in [&b"\\ud83d"[..], b"Andr\xe9", b"a\tb\\'"] {
            let body = page(name);
            let scene = Scene::new(move |_| Answer::bytes(200, &body));
            let client = scene.client().await;
            let read = client.changed_applications(None, 1).await.unwrap();
            let row = &read.rows[0];
            assert_eq!(
                (
                    row.id.as_str(),
                    row.candidate.as_str(),
                    row.vacancy.as_str()
                ),
                ("70015", "9001", "4101")
            );
        }
    }

    /// Candidates at the stage would be missing from the baseline, and invited later.
    #[tokio::test]
    async fn a_success_without_a_page_is_not_an_empty_page() {
        for body in [
            r#"{"error_message": "Timeout"}"#,
            r#"{"Message": "An error has occurred."}"#,
            r#"{"Records": null, "Message": "An error has occurred."}"#,
        ] {
            let scene = Scene::new(move |_| Answer::ok(body));
            let client = scene.client().await;
            let changed = client.changed_applications(None, 1).await.unwrap_err();
            let there = client.applications_at(&[], &Vacancies::All, 1).await;
            for error in [changed, there.unwrap_err()] {
                assert_eq!(error.code, "eploy.error_answer", "{body}");
                assert!(error.may_retry(), "{body}");
            }
        }
    }

    #[tokio::test]
    async fn stages_and_vacancies_are_filtered_where_the_dialect_can() {
        let only = |ids: &[&str]| Vacancies::Only(ids.iter().map(|id| (*id).into()).collect());
        let one = [trigger("12")];
        let two = [trigger("12"), trigger("13"), trigger("12")];
        let routes =
            json!({"stage_route": "Application.StageId", "vacancy_route": "Vacancy.VacancyId"});
        let mut lists = routes.clone();
        lists["filter_lists"] = json!(true);
        lists["filter_ids"] = json!("number");
        let stage = |value: Value| json!({"Route": "Application.StageId", "Operation": "Equals", "Value": value});
        let vacancy = |value: Value| json!({"Route": "Vacancy.VacancyId", "Operation": "Equals", "Value": value});
        let table = [
            (json!({}), &one[..], Vacancies::All, json!([])),
            (
                routes.clone(),
                &one,
                Vacancies::All,
                json!([stage(json!("12"))]),
            ),
            (
                routes.clone(),
                &one,
                only(&["7"]),
                json!([stage(json!("12")), vacancy(json!("7"))]),
            ),
            (routes, &two, only(&["7"]), json!([vacancy(json!("7"))])),
            (
                lists,
                &two,
                only(&["7", "8"]),
                json!([stage(json!([12, 13])), vacancy(json!([7, 8]))]),
            ),
        ];
        for (dialect, triggers, vacancies, filters) in table {
            let scene = Scene::new(|_| Answer::ok("{}")).dialect(dialect);
            scene
                .client()
                .await
                .applications_at(triggers, &vacancies, 1)
                .await
                .unwrap();
            assert_eq!(scene.last().body["Filters"], filters);
        }
    }

    #[tokio::test]
    async fn a_refused_search_concerns_the_connection() {
        let scene = Scene::new(|_| Answer::status(400));
        let error = scene
            .client()
            .await
            .changed_applications(None, 1)
            .await
            .unwrap_err();
        assert_eq!(error.code, "eploy.search_rejected");
    }
}
