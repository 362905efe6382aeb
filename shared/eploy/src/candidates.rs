//! Candidates: read when one is invited, and kept nowhere (REFERENCE.md §10).

use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ids::CandidateId;
use stagecall_core::person::{Person, clean_email};

use crate::client::Client;
use crate::errors::{Permission, Problem};
use crate::search::Kind;
use crate::wire::Record;

const KIND: Kind = Kind {
    operation: "read the candidate",
    resource: "candidates",
    id: "CandidateId",
    // All documented by P-GROS, who reads candidates by search.
    blocks: &[
        "CandidateId",
        "FirstName",
        "Surname",
        "Email",
        "Mobile",
        "Telephone",
    ],
    permission: Permission::view("Candidates"),
};

impl Client {
    pub(crate) async fn read_candidate(&self, id: &CandidateId) -> Result<Person, CallError> {
        let dialect = &self.connection.dialect;
        let record = self
            .read_one(
                &KIND,
                dialect.read_candidate,
                &dialect.candidate_id_route,
                id.as_str(),
            )
            .await?
            .ok_or_else(|| Problem::NotFound.error(KIND.operation, ""))?;
        person(&record)
            .ok_or_else(|| Problem::Unreadable.error(KIND.operation, "it is not a candidate"))
    }
}

fn person(record: &Value) -> Option<Person> {
    let record = Record::of(record)?;
    // A candidate has at least one of them, even if null.
    if !["FirstName", "Surname", "Email"]
        .iter()
        .any(|name| record.has(name))
    {
        return None;
    }
    let text = |name| record.text(name).map(str::to_owned);
    Some(Person {
        first_name: text("FirstName").unwrap_or_default(),
        last_name: text("Surname").unwrap_or_default(),
        email: text("Email")
            .map(|text| clean_email(&text))
            .filter(|text| !text.is_empty()),
        phone: ["Mobile", "Telephone", "WorkTelephone"]
            .into_iter()
            .find_map(text),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn a_candidate_is_read_in_any_case() {
        let scene = Scene::new(|_| {
            Answer::ok(
                r#"{"CandidateID": 9001, "Firstname": " Ada ", "surname": "Example", "Email": "ada@example.com",
                "Mobile": null, "Telephone": "+447700900123", "Title": {"Id": 1}}"#,
            )
        });
        let person = scene
            .client()
            .await
            .candidate(&"9001".into())
            .await
            .unwrap();
        assert_eq!(
            person,
            Person {
                first_name: "Ada".to_owned(),
                last_name: "Example".to_owned(),
                email: Some("ada@example.com".to_owned()),
                phone: Some("+447700900123".to_owned()),
            }
        );
        assert_eq!(
            (scene.last().method.as_str(), scene.last().url.path()),
            ("GET", "/api/candidates/9001")
        );
        assert!(scene.last().text.is_empty());
    }

    #[tokio::test]
    async fn a_candidate_can_be_read_by_search() {
        let scene = Scene::new(|_| {
            Answer::ok(r#"{"Records": [{"CandidateId": "9001", "FirstName": null, "Email": ""}]}"#)
        })
        .dialect(json!({"read_candidate": "search"}));
        let person = scene
            .client()
            .await
            .candidate(&"9001".into())
            .await
            .unwrap();
        assert_eq!((person.first_name.as_str(), person.email), ("", None));
        let body = scene.last().body;
        assert_eq!(
            body["Filters"],
            json!([{"Route": "Candidate.CandidateID", "Operation": "Equals", "Value": "9001"}])
        );
        assert_eq!(body["ResponseBlocks"][0], "CandidateId");
    }

    #[tokio::test]
    async fn a_missing_or_unreadable_candidate_is_an_error() {
        let table = [
            (Answer::status(404), "eploy.not_found"),
            (Answer::ok(""), "eploy.answer_unreadable"),
            (Answer::ok("[]"), "eploy.answer_unreadable"),
            (Answer::ok("{}"), "eploy.answer_unreadable"),
            (Answer::ok("<html>"), "eploy.answer_unreadable"),
            (Answer::lost(), "eploy.no_answer"),
        ];
        for (answer, code) in table {
            let scene = Scene::new(move |_| answer.clone());
            let error = scene
                .client()
                .await
                .candidate(&"9001".into())
                .await
                .unwrap_err();
            assert_eq!(error.code, code);
        }
    }

    #[tokio::test]
    async fn an_id_that_leads_to_another_path_is_not_requested() {
        let scene = Scene::new(|_| Answer::ok("{}"));
        for id in ["../users", "1/questions", "", "1?x"] {
            let error = scene
                .client()
                .await
                .candidate(&id.into())
                .await
                .unwrap_err();
            assert_eq!(error.code, "eploy.not_found", "{id}");
        }
        assert_eq!(scene.calls(), 0);
    }
}
