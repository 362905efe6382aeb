//! Export packages: marking an application as dealt with (REFERENCE.md §16).

use serde_json::{Map, Value};
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, ExportPackageId};

use crate::call::Call;
use crate::client::Client;
use crate::errors::Permission;

impl Client {
    /// Marks an application as exported.
    pub(crate) async fn post_export(
        &self,
        application: &ApplicationId,
        package: &ExportPackageId,
    ) -> Result<(), CallError> {
        let dialect = &self.connection.dialect;
        let fields = [
            (&dialect.export_package_field, package.as_str()),
            (&dialect.export_application_field, application.as_str()),
        ];
        let body: Map<String, Value> = fields
            .into_iter()
            .map(|(field, id)| (field.clone(), dialect.body_id(id)))
            .collect();
        let call = Call::post(
            "mark the application as exported",
            &dialect.export_path,
            body.into(),
            Permission::insert("Export"),
        );
        self.call(call).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn path_and_body_are_settings() {
        let table = [
            (
                json!({}),
                "/api/export",
                json!({"ExportPackageId": 4, "ApplicationId": 7}),
            ),
            (
                json!({"export_path": "exports/mark", "export_package_field": "Package", "export_application_field": "RecordId"}),
                "/api/exports/mark",
                json!({"Package": 4, "RecordId": 7}),
            ),
        ];
        for (dialect, path, body) in table {
            let scene = Scene::new(|_| Answer::status(200)).dialect(dialect);
            scene
                .client()
                .await
                .mark_exported(&"7".into(), &"4".into())
                .await
                .unwrap();
            assert_eq!((scene.last().url.path(), scene.last().body), (path, body));
        }
    }
}
