//! Moving an application (REFERENCE.md §13).

use serde_json::{Value, json};
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, StageId, StatusId};

use crate::call::Call;
use crate::client::Client;
use crate::dialect::{Dialect, MoveBody};
use crate::errors::Permission;

impl Client {
    /// Moves an application to a stage and status.
    pub(crate) async fn patch_position(
        &self,
        application: &ApplicationId,
        stage: &StageId,
        status: Option<&StatusId>,
    ) -> Result<(), CallError> {
        let operation = "move the application";
        let path = Self::path(operation, "applications", application.as_str(), "")?;
        let body = move_body(&self.connection.dialect, stage, status);
        let call = Call::patch(operation, &path, body, Permission::update("Applications"));
        self.call(call).await.map(drop)
    }
}

/// The body that moves an application, in the dialect's shape.
pub(crate) fn move_body(dialect: &Dialect, stage: &StageId, status: Option<&StatusId>) -> Value {
    let stage = dialect.body_id(stage.as_str());
    let status = status.map(|status| dialect.body_id(status.as_str()));
    let mut ids = json!({"StageId": stage});
    let mut records = json!({"Stage": {"Id": stage}});
    if let Some(status) = status {
        ids["StatusId"] = status.clone();
        records["Status"] = json!({"Id": status});
    }
    match dialect.move_body {
        MoveBody::WorkflowIds => json!({"Workflow": ids}),
        MoveBody::WorkflowObjects => json!({"Workflow": records}),
        MoveBody::Flat => ids,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn a_write_answered_with_an_error_message_failed() {
        let scene = Scene::new(|_| Answer::ok(r#"{"error_message": "The record is locked"}"#));
        let client = scene.client().await;
        let moved = client
            .move_application(&"7".into(), &"13".into(), None)
            .await;
        assert_eq!(moved.unwrap_err().code, "eploy.error_answer");
    }

    #[tokio::test]
    async fn a_move_has_three_shapes() {
        let table = [
            (
                "workflow_ids",
                json!({"Workflow": {"StageId": 13, "StatusId": 40}}),
            ),
            (
                "workflow_objects",
                json!({"Workflow": {"Stage": {"Id": 13}, "Status": {"Id": 40}}}),
            ),
            ("flat", json!({"StageId": 13, "StatusId": 40})),
        ];
        for (shape, body) in table {
            let scene = Scene::new(|_| Answer::status(204)).dialect(json!({"move_body": shape}));
            let client = scene.client().await;
            client
                .move_application(&"7".into(), &"13".into(), Some(&"40".into()))
                .await
                .unwrap();
            let request = scene.last();
            assert_eq!(
                (request.method, request.url.path()),
                ("PATCH".to_owned(), "/api/applications/7")
            );
            assert_eq!(request.body, body);
        }
        let scene = Scene::new(|_| Answer::status(200)).dialect(json!({"body_ids": "text"}));
        let client = scene.client().await;
        client
            .move_application(&"7".into(), &"13".into(), None)
            .await
            .unwrap();
        assert_eq!(scene.last().body, json!({"Workflow": {"StageId": "13"}}));
    }
}
