//! Answers to an application's custom questions (reference eploy §5.9).

use std::collections::BTreeMap;

use serde_json::{Number, Value, json};
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, QuestionId};

use crate::call::Call;
use crate::client::Client;
use crate::dialect::{AnswerValues, Dialect, QuestionsBody};
use crate::errors::Permission;

impl Client {
    /// Answers custom questions; without any, without a call.
    pub(crate) async fn patch_questions(
        &self,
        application: &ApplicationId,
        answers: &BTreeMap<QuestionId, String>,
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
        let body = body(&self.shared.dialect, answers);
        let call = Call::patch(operation, &path, body, Permission::update("Applications"));
        self.call(call).await.map(drop)
    }
}

fn body(dialect: &Dialect, answers: &BTreeMap<QuestionId, String>) -> Value {
    let answer = |text: &String| match dialect.question_answers {
        AnswerValues::Text => Value::from(text.as_str()),
        AnswerValues::Number => text
            .parse::<Number>()
            .map_or_else(|_| Value::from(text.as_str()), Value::Number),
    };
    let answers: Vec<Value> = answers
        .iter()
        .map(|(question, text)| json!({"QuestionId": dialect.body_id(question.as_str()), "Answer": answer(text)}))
        .collect();
    match dialect.questions_body {
        QuestionsBody::Array => answers.into(),
        QuestionsBody::Wrapped => json!({"Questions": answers}),
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn answers_have_the_dialects_shape() {
        let answers = BTreeMap::from([
            ("276".into(), "82.5".to_owned()),
            ("3".into(), "Done".to_owned()),
        ]);
        let table = [
            (
                json!({}),
                json!([{"QuestionId": 276, "Answer": "82.5"}, {"QuestionId": 3, "Answer": "Done"}]),
            ),
            (
                json!({"questions_body": "wrapped", "question_answers": "number"}),
                json!({"Questions": [{"QuestionId": 276, "Answer": 82.5}, {"QuestionId": 3, "Answer": "Done"}]}),
            ),
        ];
        for (dialect, body) in table {
            let scene = Scene::new(|_| Answer::status(200)).dialect(dialect);
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
        let scene = Scene::new(|_| Answer::status(500));
        scene
            .client()
            .await
            .answer_questions(&"7".into(), &BTreeMap::new())
            .await
            .unwrap();
        assert_eq!(scene.calls(), 0);
    }
}
