//! Answers to the custom questions of applications and vacancies (REFERENCE.md §15).

use std::collections::BTreeMap;

use serde_json::{Number, Value, json};
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, QuestionId};
use stagecall_core::ports::{Answer, QuestionsOf};
use stagecall_http::Method;

use crate::call::Call;
use crate::client::Client;
use crate::dates::written;
use crate::dialect::{AnswerValues, Dates, Dialect, QuestionsBody};
use crate::errors::{Permission, Problem};
use crate::refusal::RequestKind;
use crate::wire::Record;

impl Client {
    /// What a custom question is answered with.
    pub(crate) async fn read_answer(
        &self,
        of: &QuestionsOf,
        question: &QuestionId,
    ) -> Result<Option<Answer>, CallError> {
        let operation = "read a custom question";
        let (resource, id, permission) = match of {
            QuestionsOf::Application(id) => ("applications", id.as_str(), "Applications"),
            QuestionsOf::Vacancy(id) => ("vacancies", id.as_str(), "Vacancies"),
        };
        let path = Self::path(operation, resource, id, "/questions")?;
        let call = Call {
            operation,
            method: Method::Get,
            path: &path,
            body: None,
            kind: RequestKind::Record(Permission::view(permission)),
        };
        let body = self.call_for_json(call).await?;
        // A bare array (documented P-GROS); one inside an object is accepted too.
        let questions = match &body {
            Some(Value::Array(questions)) => questions.as_slice(),
            Some(Value::Object(object)) => object
                .values()
                .find_map(Value::as_array)
                .map(Vec::as_slice)
                .ok_or_else(|| Problem::Unreadable.error(operation, "it is no list"))?,
            Some(_) => return Err(Problem::Unreadable.error(operation, "it is no list")),
            None => &[],
        };
        Ok(questions
            .iter()
            .filter_map(Record::of)
            .find(|answered| {
                answered
                    .id("QuestionId")
                    .is_some_and(|id| id == question.as_str())
            })
            .and_then(|answered| answer(answered.get("Answer")?, self.connection.dialect.dates)))
    }

    /// Answers custom questions. Makes no call if there are none.
    pub(crate) async fn patch_questions(
        &self,
        application: &ApplicationId,
        answers: &BTreeMap<QuestionId, Answer>,
    ) -> Result<(), CallError> {
        let operation = "answer the custom questions";
        if answers.is_empty() {
            return Ok(());
        }
        let path = Self::path(
            operation,
            "applications",
            application.as_str(),
            "/questions",
        )?;
        let body = body(&self.connection.dialect, answers);
        let call = Call::patch(operation, &path, body, Permission::update("Applications"));
        self.call(call).await.map(drop)
    }
}

/// An answer. A date without a time comes as midnight (documented P-GROS): in UTC or, if it was converted to UTC, in UK
/// time.
fn answer(value: &Value, dates: Dates) -> Option<Answer> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        // A dropdown's option.
        Value::Object(_) => Record::of(value)?.text("Description")?.to_owned(),
        Value::Null | Value::Array(_) => return None,
    };
    if text.is_empty() {
        return None;
    }
    Some(match dates.read(&text) {
        Some(at) => dates
            .day_at_midnight(at)
            .map_or(Answer::At(at), Answer::Day),
        None => Answer::Text(text),
    })
}

fn body(dialect: &Dialect, answers: &BTreeMap<QuestionId, Answer>) -> Value {
    let answer = |answer: &Answer| match (answer, dialect.question_answers) {
        (Answer::Day(day), _) => Value::from(day.to_string()),
        (Answer::At(at), _) => Value::from(written(*at)),
        (Answer::Text(text), AnswerValues::Number) => text
            .parse::<Number>()
            .map_or_else(|_| Value::from(text.as_str()), Value::Number),
        (Answer::Text(text), AnswerValues::Text) => Value::from(text.as_str()),
    };
    let answers: Vec<Value> = answers
        .iter()
        .map(|(question, answered)| json!({"QuestionId": dialect.body_id(question.as_str()), "Answer": answer(answered)}))
        .collect();
    match dialect.questions_body {
        QuestionsBody::Array => answers.into(),
        QuestionsBody::Wrapped => json!({"Questions": answers}),
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::testing::{Answer as Played, Scene};

    #[test]
    fn an_answer_is_read_whatever_it_is() {
        let day = |text: &str| Some(Answer::Day(text.parse().unwrap()));
        let at = |text: &str| Some(Answer::At(text.parse().unwrap()));
        let text = |text: &str| Some(Answer::Text(text.to_owned()));
        for (answered, dates, read) in [
            (json!("2027-01-20T00:00:00Z"), Dates::Utc, day("2027-01-20")),
            (json!("2027-07-20"), Dates::Utc, day("2027-07-20")),
            (json!("2027/07/20 00:00:00"), Dates::Uk, day("2027-07-20")),
            // Midnight in the UK, as UTC, in summer.
            (
                json!("2027-07-19T23:00:00.000Z"),
                Dates::Utc,
                day("2027-07-20"),
            ),
            (
                json!("2027-07-20T14:30:00"),
                Dates::Uk,
                at("2027-07-20T13:30:00Z"),
            ),
            (
                json!("2027-07-20T14:30:00Z"),
                Dates::Unknown,
                at("2027-07-20T14:30:00Z"),
            ),
            (
                json!("robin@example.com"),
                Dates::Utc,
                text("robin@example.com"),
            ),
            (
                json!({"Id": "5", "Description": "Sent"}),
                Dates::Utc,
                text("Sent"),
            ),
            (json!(5), Dates::Utc, text("5")),
            (json!(""), Dates::Utc, None),
            (json!(null), Dates::Utc, None),
        ] {
            assert_eq!(answer(&answered, dates), read, "{answered}");
        }
    }

    #[tokio::test]
    async fn a_question_is_found_among_others_and_its_absence_is_no_answer() {
        let scene = Scene::new(|seen| match seen.url.path() {
            "/api/applications/7/questions" => Played::value(
                &json!([{"QuestionId": 1, "Answer": "x"}, {"questionid": "307", "Answer": "2027-01-20T00:00:00Z"}]),
            ),
            "/api/vacancies/4/questions" => Played::value(&json!([])),
            _ => Played::status(404),
        });
        let client = scene.client().await;
        let application = QuestionsOf::Application("7".into());
        let found = client.answer(&application, &"307".into()).await.unwrap();
        assert_eq!(found, Some(Answer::Day("2027-01-20".parse().unwrap())));
        let vacancy = QuestionsOf::Vacancy("4".into());
        assert_eq!(client.answer(&vacancy, &"307".into()).await.unwrap(), None);
        let other = QuestionsOf::Vacancy("5".into());
        assert!(client.answer(&other, &"307".into()).await.is_err());
    }

    #[tokio::test]
    async fn answers_have_the_dialects_shape() {
        let answers = BTreeMap::from([
            ("276".into(), Answer::Text("82.5".to_owned())),
            ("3".into(), Answer::Text("Done".to_owned())),
            (
                "307".into(),
                Answer::At("2026-07-20T13:30:00.123456789Z".parse().unwrap()),
            ),
        ]);
        let table = [
            (
                json!({}),
                json!([{"QuestionId": 276, "Answer": "82.5"}, {"QuestionId": 3, "Answer": "Done"}, {"QuestionId": 307, "Answer": "2026-07-20T13:30:00.123Z"}]),
            ),
            (
                json!({"questions_body": "wrapped", "question_answers": "number"}),
                json!({"Questions": [{"QuestionId": 276, "Answer": 82.5}, {"QuestionId": 3, "Answer": "Done"}, {"QuestionId": 307, "Answer": "2026-07-20T13:30:00.123Z"}]}),
            ),
        ];
        for (dialect, body) in table {
            let scene = Scene::new(|_| Played::status(200)).dialect(dialect);
            scene
                .client()
                .await
                .answer_questions(&"7".into(), &answers)
                .await
                .unwrap();
            let request = scene.last();
            assert_eq!(
                (request.method.as_str(), request.url.path()),
                ("PATCH", "/api/applications/7/questions")
            );
            assert_eq!(request.body, body);
        }
    }

    #[tokio::test]
    async fn nothing_to_answer_needs_no_call() {
        let scene = Scene::new(|_| Played::status(500));
        scene
            .client()
            .await
            .answer_questions(&"7".into(), &BTreeMap::new())
            .await
            .unwrap();
        assert_eq!(scene.calls(), 0);
    }
}
