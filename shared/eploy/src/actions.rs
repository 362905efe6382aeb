//! Actions: where an invitation shows in Eploy (REFERENCE.md §14).

use serde_json::{Map, Value};
use stagecall_core::error::CallError;
use stagecall_core::ids::ActionId;
use stagecall_core::ports::{ActionLookUp, ActionUpdate, NewAction};
use stagecall_http::Response;

use crate::call::Call;
use crate::client::Client;
use crate::dates::{came_back, written};
use crate::dialect::{ActionLookUpBy, Dialect};
use crate::errors::{Permission, Problem};
use crate::search::{Filter, MAX_LOOKUP_PAGES, Search};
use crate::wire::Record;

const FIND: &str = "find the action";

impl Client {
    /// Creates an action.
    pub(crate) async fn post_action(&self, action: &NewAction) -> Result<ActionId, CallError> {
        let operation = "create the action";
        let body = create_body(&self.connection.dialect, action);
        let call = Call::post(operation, "actions", body, Permission::insert("Actions"));
        let answer = self.call(call).await?;
        if let Some(id) = created_id(&answer) {
            return Ok(id);
        }
        // It was created, and the answer does not say as what (REFERENCE.md §9: a body may be empty).
        let look_up = ActionLookUp {
            candidate: action.candidate.clone(),
            vacancy: action.vacancy.clone(),
            action_type: action.action_type.clone(),
            started_at: action.started_at,
        };
        let found = self.search_action(&look_up).await.unwrap_or_default();
        found.ok_or_else(|| Problem::Unreadable.error(operation, "it has no id of the new action"))
    }

    /// Updates an action. Makes no call if nothing changes.
    pub(crate) async fn patch_action(
        &self,
        id: &ActionId,
        update: &ActionUpdate,
    ) -> Result<(), CallError> {
        let operation = "update the action";
        let body = content(&self.connection.dialect, update);
        if body.is_empty() {
            return Ok(());
        }
        let path = Self::path(operation, "actions", id.as_str(), "")?;
        let call = Call::patch(operation, &path, body.into(), Permission::update("Actions"));
        match self.call(call).await {
            Err(error) if Problem::WebPage.is(&error) => {
                self.confirm_reachable(operation).await?;
                Err(Problem::NotFound.error(operation, ""))
            }
            done => done.map(drop),
        }
    }

    /// Finds an action by what it was created with. If several match, the newest is the one whose creation is
    /// uncertain.
    pub(crate) async fn search_action(
        &self,
        look_up: &ActionLookUp,
    ) -> Result<Option<ActionId>, CallError> {
        let dialect = &self.connection.dialect;
        if dialect.action_look_up == ActionLookUpBy::Never {
            return Ok(None);
        }
        let mut filters = vec![Filter::equals(
            &dialect.action_candidate_route,
            dialect.filter_id(look_up.candidate.as_str()),
        )];
        if let Some(route) = &dialect.action_vacancy_route {
            filters.push(Filter::equals(
                route,
                dialect.filter_id(look_up.vacancy.as_str()),
            ));
        }
        // Documented by P-GROS, never proven; the type is not among them.
        let mut blocks = vec!["ActionId", "StartDate", "Vacancy", "Candidate"];
        blocks.extend(dialect.action_type_block.as_deref());
        let search = Search {
            operation: FIND,
            resource: "actions",
            filters,
            blocks: &blocks,
            permission: Permission::view("Actions"),
        };
        let mut newest: Option<(u64, ActionId)> = None;
        for page in 1..=MAX_LOOKUP_PAGES {
            let found = self.search(&search, page).await?;
            for record in found.records.iter().filter_map(Record::of) {
                if record
                    .id("Candidate")
                    .is_some_and(|id| id != look_up.candidate.as_str())
                {
                    return Err(Problem::FilterIgnored.error(FIND, &dialect.action_candidate_route));
                }
                if let Ok(id) = record.own_id("ActionId")
                    && fits(record, look_up, dialect)
                {
                    let age = id.parse().unwrap_or(0);
                    if newest.as_ref().is_none_or(|(newest, _)| age >= *newest) {
                        newest = Some((age, ActionId::new(id)));
                    }
                }
            }
            if !found.more {
                return Ok(newest.map(|(_, id)| id));
            }
        }
        Err(Problem::Unreadable.error(FIND, "the candidate has too many actions to search"))
    }
}

/// Whether an action is the one looked for. Vacancy and type are compared if the response has them.
fn fits(record: Record<'_>, look_up: &ActionLookUp, dialect: &Dialect) -> bool {
    let same = |name: &str, id: &str| record.id(name).is_none_or(|found| found == id);
    let action_type = dialect.action_type_block.as_deref().unwrap_or("ActionType");
    same("Vacancy", look_up.vacancy.as_str())
        && same(action_type, look_up.action_type.as_str())
        && same(
            &dialect.action_fields.action_type,
            look_up.action_type.as_str(),
        )
        && record
            .text("StartDate")
            .is_some_and(|text| came_back(text, look_up.started_at))
}

/// The body that creates an action.
pub(crate) fn create_body(dialect: &Dialect, action: &NewAction) -> Value {
    let fields = &dialect.action_fields;
    let mut body = content(dialect, &action.content);
    let mut put = |field: &str, value: Value| body.insert(field.to_owned(), value);
    put(
        &fields.action_type,
        dialect.body_id(action.action_type.as_str()),
    );
    put(
        &fields.candidate,
        dialect.body_id(action.candidate.as_str()),
    );
    put(&fields.vacancy, dialect.body_id(action.vacancy.as_str()));
    if let Some(company) = &action.company {
        put(&fields.company, dialect.body_id(company.as_str()));
    }
    put(&fields.start, written(action.started_at).into());
    body.into()
}

fn content(dialect: &Dialect, update: &ActionUpdate) -> Map<String, Value> {
    let fields = &dialect.action_fields;
    let outcome = update
        .outcome
        .as_ref()
        .map(|outcome| dialect.body_id(outcome.as_str()));
    [
        (&fields.outcome, outcome),
        (
            &fields.completion,
            update.completed_at.map(|at| written(at).into()),
        ),
        (
            &fields.comments,
            update.comments_html.clone().map(Value::from),
        ),
        (&fields.link, update.link.clone().map(Value::from)),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field.clone(), value?)))
    .collect()
}

/// The id of the created record: from the body, or the end of the `Location` header.
pub(crate) fn created_id(answer: &Response) -> Option<ActionId> {
    let body = answer.json().ok().flatten();
    let in_body = body
        .as_ref()
        .and_then(Record::of)
        .and_then(|record| record.own_id("ActionId").ok());
    let in_location = || {
        let last = answer
            .header("location")?
            .trim_end_matches('/')
            .rsplit('/')
            .next()?;
        last.parse::<u64>().is_ok().then(|| last.to_owned())
    };
    in_body.or_else(in_location).map(ActionId::new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::error::Phase;

    use super::*;
    use crate::testing::{Answer, Scene, Seen};

    fn action() -> NewAction {
        NewAction {
            candidate: "9001".into(),
            vacancy: "4101".into(),
            company: Some("12".into()),
            action_type: "42".into(),
            started_at: "2025-01-24T10:00:00.123456Z".parse().unwrap(),
            content: ActionUpdate {
                outcome: Some("12".into()),
                completed_at: None,
                comments_html: Some("<p>Invited</p>".to_owned()),
                link: Some("https://platform.example/1".to_owned()),
            },
        }
    }

    fn look_up() -> ActionLookUp {
        ActionLookUp {
            candidate: "9001".into(),
            vacancy: "4101".into(),
            action_type: "42".into(),
            started_at: action().started_at,
        }
    }

    fn row(id: u32, vacancy: u32, start: &str) -> Value {
        json!({"ActionId": id, "Candidate": {"Id": 9001}, "Vacancy": {"Id": vacancy}, "StartDate": start})
    }

    fn records(rows: &Value) -> Answer {
        Answer::value(&json!({"Records": rows}))
    }

    #[tokio::test]
    async fn an_action_is_created_with_the_documented_fields() {
        for answer in [
            Answer::json(201, r#"{"Id": 88010}"#),
            Answer::ok(r#"{"id": "88010"}"#),
            Answer::ok(r#"{"ActionID": 88010, "StartDate": null}"#),
            Answer::status(201).with_header("location", "https://acme.eploy.net/api/actions/88010"),
        ] {
            let scene = Scene::new(move |_| answer.clone());
            let id = scene.client().await.create_action(&action()).await.unwrap();
            assert_eq!(id.as_str(), "88010");
            assert_eq!(scene.last().url.path(), "/api/actions");
            assert_eq!(
                scene.last().body,
                json!({
                    "ActionTypeId": 42, "VacancyId": 4101, "CandidateId": 9001, "CompanyId": 12, "ActionOutcomeId": 12,
                    "StartDate": "2025-01-24T10:00:00.123Z", "ExternalProviderURL": "https://platform.example/1",
                    "CommentsHTML": "<p>Invited</p>",
                })
            );
        }
    }

    #[tokio::test]
    async fn an_action_created_without_an_id_is_looked_up() {
        let silent = |found: Value| {
            Scene::new(move |request: &Seen| match request.url.path() {
                "/api/actions" => Answer::status(204),
                _ => records(&found),
            })
        };
        let scene = silent(json!([row(88010, 4101, "2025-01-24T10:00:00.123Z")]));
        assert_eq!(
            scene
                .client()
                .await
                .create_action(&action())
                .await
                .unwrap()
                .as_str(),
            "88010"
        );
        let error = silent(json!([]))
            .client()
            .await
            .create_action(&action())
            .await
            .unwrap_err();
        assert_eq!(
            (error.code, error.phase),
            ("eploy.answer_unreadable", Phase::Unknown)
        );
    }

    #[tokio::test]
    async fn a_write_that_was_lost_is_unknown_and_one_refused_is_not() {
        let table = [
            (Answer::lost(), Phase::Unknown, "eploy.no_answer"),
            (Answer::status(503), Phase::Unknown, "eploy.server_error"),
            (Answer::not_sent(), Phase::NotSent, "eploy.unreachable"),
            (Answer::status(422), Phase::Refused, "eploy.rejected"),
            (Answer::status(429), Phase::Throttled, "eploy.throttled"),
        ];
        for (answer, phase, code) in table {
            let scene = Scene::new(move |_| answer.clone());
            let error = scene
                .client()
                .await
                .create_action(&action())
                .await
                .unwrap_err();
            assert_eq!((error.phase, error.code), (phase, code));
            assert_eq!(scene.calls(), 1, "{code}: never repeated");
        }
    }

    #[tokio::test]
    async fn an_update_sends_what_changes_and_nothing_else() {
        let scene = Scene::new(|_| Answer::status(204));
        let client = scene.client().await;
        client
            .update_action(&"88010".into(), &ActionUpdate::default())
            .await
            .unwrap();
        assert_eq!(scene.calls(), 0);
        let update = ActionUpdate {
            outcome: Some("13".into()),
            completed_at: Some("2025-01-25T16:30:00Z".parse().unwrap()),
            ..ActionUpdate::default()
        };
        client
            .update_action(&"88010".into(), &update)
            .await
            .unwrap();
        let request = scene.last();
        assert_eq!(
            (request.method.as_str(), request.url.path()),
            ("PATCH", "/api/actions/88010")
        );
        assert_eq!(
            request.body,
            json!({"ActionOutcomeId": 13, "CompletionDate": "2025-01-25T16:30:00.000Z"})
        );
    }

    #[tokio::test]
    async fn a_web_page_is_not_a_success() {
        for (body, changed) in [
            ("", true),
            ("{}", true),
            ("done", true),
            ("<html>Sign in</html>", false),
            ("\u{feff} <!DOCTYPE html>", false),
        ] {
            let scene = Scene::new(move |_| Answer::ok(body));
            let update = ActionUpdate {
                outcome: Some("13".into()),
                ..ActionUpdate::default()
            };
            let done = scene.client().await;
            let done = done.update_action(&"88010".into(), &update).await;
            let code = done.map_err(|error| (error.code, error.phase));
            let doubtful = Err(("eploy.answer_unreadable", Phase::Unknown));
            assert_eq!(code, if changed { Ok(()) } else { doubtful }, "{body}");
        }
    }

    #[tokio::test]
    async fn the_fields_have_the_names_that_the_dialect_gives_them() {
        let scene = Scene::new(|_| Answer::ok(r#"{"Id": 1}"#))
            .dialect(json!({"body_ids": "text", "action_fields": {"candidate": "CandidateID", "link": "URL"}}));
        scene.client().await.create_action(&action()).await.unwrap();
        let body = scene.last().body;
        assert_eq!(
            (&body["CandidateID"], &body["URL"]),
            (&json!("9001"), &json!("https://platform.example/1"))
        );
    }

    #[tokio::test]
    async fn an_action_is_found_by_vacancy_type_and_start() {
        let mut other_type = row(5, 4101, "2025-01-24T10:00:00.123Z");
        other_type["ActionType"] = json!({"Id": "43"});
        let rows = json!([
            row(1, 4102, "2025-01-24T10:00:00.123Z"),
            row(2, 4101, "2025-01-24T10:00:00.223Z"),
            row(4, 4101, "2025-01-24T10:00:00"),
            row(3, 4101, "2025-01-24T10:00:00.123Z"),
            other_type,
            {"ActionId": 6, "StartDate": null},
            7,
        ]);
        let scene = Scene::new(move |_| records(&rows));
        let client = scene.client().await;
        let found = client.find_action(&look_up()).await.unwrap();
        assert_eq!(found.unwrap().as_str(), "4", "the newest match");
        assert_eq!(
            scene.last().body["Filters"],
            json!([{"Route": "Candidate.CandidateID", "Operation": "Equals", "Value": "9001"}])
        );
        assert_eq!(
            scene.last().body["ResponseBlocks"],
            json!(["ActionId", "StartDate", "Vacancy", "Candidate"])
        );
    }

    #[tokio::test]
    async fn all_pages_of_the_search_are_read() {
        let scene = Scene::new(|request| match request.body["Paging"]["RequestedPage"].as_u64() {
            Some(1) => Answer::value(&json!({"Records": [row(1, 4102, "")], "TotalPages": 2})),
            _ => Answer::value(&json!({"Records": [row(2, 4101, "2025-01-24T10:00:00.123Z")], "TotalPages": 2})),
        })
        .dialect(json!({"action_vacancy_route": "Vacancy.VacancyId", "action_type_block": "ActionType"}));
        let found = scene.client().await.find_action(&look_up()).await.unwrap();
        assert_eq!(found.unwrap().as_str(), "2");
        assert_eq!(scene.last().body["Filters"][1]["Value"], "4101");
        assert_eq!(scene.last().body["ResponseBlocks"][4], "ActionType");
    }

    #[tokio::test]
    async fn no_action_is_reported_as_absent_unless_that_is_certain() {
        let none = Scene::new(|_| Answer::status(404));
        assert_eq!(
            none.client().await.find_action(&look_up()).await.unwrap(),
            None
        );

        let ignored =
            Scene::new(|_| Answer::ok(r#"{"Records": [{"ActionId": 1, "Candidate": {"Id": 1}}]}"#));
        let error = ignored
            .client()
            .await
            .find_action(&look_up())
            .await
            .unwrap_err();
        assert_eq!(error.code, "eploy.filter_ignored");

        let never = Scene::new(|_| Answer::status(500)).dialect(json!({"action_look_up": "never"}));
        assert_eq!(
            never.client().await.find_action(&look_up()).await.unwrap(),
            None
        );
        assert_eq!(never.calls(), 0);
    }
}
