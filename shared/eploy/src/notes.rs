//! Notes on an application. No source shows where they are written (REFERENCE.md §14), so that this needs a setting.

use serde_json::{Map, Value};
use stagecall_core::error::CallError;
use stagecall_core::ids::ApplicationId;

use crate::call::Call;
use crate::client::Client;
use crate::dialect::{Dialect, NoteFormat};
use crate::errors::{Permission, Problem};

impl Client {
    /// Writes a note.
    pub(crate) async fn post_note(
        &self,
        application: &ApplicationId,
        text: &str,
    ) -> Result<(), CallError> {
        let operation = "write the note";
        let dialect = &self.connection.dialect;
        let Some(path) = &dialect.notes_path else {
            let mut error = Problem::NotConfigured.error(operation, "dialect.notes_path");
            "Eploy's documentation at hand does not say where notes are written. Set dialect.notes_path once you know it (such as applications/{application}/notes), or report through an action instead and remove notes_at from the mapping"
                .clone_into(&mut error.remedy);
            return Err(error);
        };
        // Checks the id.
        Self::path(operation, "applications", application.as_str(), "")?;
        let path = path.replace("{application}", application.as_str());
        let call = Call::post(
            operation,
            &path,
            body(dialect, application, text),
            Permission::insert("Notes"),
        );
        self.call(call).await.map(drop)
    }
}

fn body(dialect: &Dialect, application: &ApplicationId, text: &str) -> Value {
    let text = match dialect.note_format {
        // If this Eploy shows notes as HTML anyway, text from outside must not become markup.
        NoteFormat::Text => text.replace('<', "‹").replace('>', "›"),
        NoteFormat::Html => html(text),
    };
    let mut body = Map::new();
    body.insert(dialect.note_text_field.clone(), text.into());
    if let Some(field) = &dialect.note_application_field {
        body.insert(field.clone(), dialect.body_id(application.as_str()));
    }
    body.into()
}

/// Plain text as HTML that shows the same.
fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
        .replace('\n', "<br>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn without_a_path_a_note_is_refused_with_what_to_do() {
        let scene = Scene::new(|_| Answer::status(200));
        let error = scene
            .client()
            .await
            .add_note(&"7".into(), "Hello")
            .await
            .unwrap_err();
        assert_eq!(error.code, "eploy.not_configured");
        assert!(error.remedy.contains("dialect.notes_path"), "{error}");
        assert_eq!(scene.calls(), 0);
    }

    #[tokio::test]
    async fn a_note_goes_where_the_dialect_says() {
        let table = [
            (
                json!({"notes_path": "applications/{application}/notes"}),
                "/api/applications/7/notes",
                json!({"Text": "a ‹ b\nc"}),
            ),
            (
                json!({"notes_path": "notes", "note_application_field": "ApplicationId", "note_text_field": "NoteHTML", "note_format": "html"}),
                "/api/notes",
                json!({"ApplicationId": 7, "NoteHTML": "a &lt; b<br>c"}),
            ),
        ];
        for (dialect, path, body) in table {
            let scene = Scene::new(|_| Answer::status(201)).dialect(dialect);
            scene
                .client()
                .await
                .add_note(&"7".into(), "a < b\nc")
                .await
                .unwrap();
            assert_eq!(scene.last().url.path(), path);
            assert_eq!(scene.last().body, body);
        }
    }
}
