//! The tenant's stages and statuses, which are lists of options (REFERENCE.md §4, §12).

use jiff::Timestamp;
use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ports::{Directory, NamedId};
use stagecall_http::Method;

use crate::call::Call;
use crate::client::Client;
use crate::dialect::Dialect;
use crate::errors::{Permission, Problem};
use crate::refusal::RequestKind;
use crate::wire::Record;

const OPERATION: &str = "read the lists of stages and statuses";

impl Client {
    /// The stages and statuses, as far as the dialect says where they are.
    pub(crate) async fn read_directory(&self) -> Result<Directory, CallError> {
        let dialect = &self.connection.dialect;
        let (mut stages, mut statuses) =
            (dialect.stages_list.clone(), dialect.statuses_list.clone());
        if (stages.is_none() || statuses.is_none())
            && let Some(path) = &dialect.options_index_path
        {
            let lists = self.options(path).await?.unwrap_or_default();
            stages = stages.or_else(|| named(&lists, &dialect.stages_list_name));
            statuses = statuses.or_else(|| named(&lists, &dialect.statuses_list_name));
        }
        Ok(Directory {
            stages: self.list(stages).await?,
            statuses: self.list(statuses).await?,
        })
    }

    /// The options of the list of this id; `None` if there is no id, or reading is not permitted.
    pub(crate) async fn list(&self, id: Option<String>) -> Result<Option<Vec<NamedId>>, CallError> {
        let Some(id) = id else { return Ok(None) };
        // Checks the id.
        Self::path(OPERATION, "options", &id, "")?;
        let path = self.connection.dialect.options_path.replace("{list}", &id);
        self.options(&path).await
    }

    /// The options of a list; `None` if reading is not permitted or it does not exist.
    pub(crate) async fn options(&self, path: &str) -> Result<Option<Vec<NamedId>>, CallError> {
        let call = Call {
            operation: OPERATION,
            method: Method::Get,
            path,
            body: None,
            kind: RequestKind::List(Permission::view("Options")),
        };
        let answer = match self.call_for_json(call).await {
            Err(error)
                if [
                    Problem::Permission,
                    Problem::NotFound,
                    Problem::WebPage,
                    Problem::SearchRejected,
                ]
                .iter()
                .any(|problem| problem.is(&error)) =>
            {
                tracing::warn!(tenant = %self.connection.tenant, path, code = error.code, "list of options not read");
                return Ok(None);
            }
            other => other?,
        };
        let now = self.connection.clock.now();
        options(answer.as_ref(), &self.connection.dialect, now)
            .map(Some)
            .ok_or_else(|| Problem::Unreadable.error(OPERATION, "it is not a list of options"))
    }
}

pub(crate) fn named(lists: &[NamedId], name: &str) -> Option<String> {
    lists
        .iter()
        .find(|list| list.name.trim().eq_ignore_ascii_case(name.trim()))
        .map(|list| list.id.clone())
}

/// The options in a response; unreadable ones are left out.
pub(crate) fn options(
    answer: Option<&Value>,
    dialect: &Dialect,
    now: Timestamp,
) -> Option<Vec<NamedId>> {
    let values = match answer? {
        Value::Array(values) => values,
        answer => {
            let answer = Record::of(answer)?;
            ["Values", "Records"]
                .into_iter()
                .find_map(|name| answer.get(name))?
                .as_array()?
        }
    };
    let option = |value| {
        let option = Record::of(value)?;
        let archived = option
            .text("ArchiveDate")
            .is_some_and(|date| dialect.dates.read(date).is_none_or(|date| date <= now));
        Some(NamedId {
            id: option.id("Id")?,
            name: ["Description", "Name", "Title"]
                .into_iter()
                .find_map(|name| option.text(name))?
                .to_owned(),
            archived,
        })
    };
    Some(values.iter().filter_map(option).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Answer, Scene};

    fn option(id: &str, name: &str, archived: bool) -> NamedId {
        NamedId {
            id: id.to_owned(),
            name: name.to_owned(),
            archived,
        }
    }

    #[tokio::test]
    async fn without_settings_nothing_is_known_and_no_call_is_made() {
        let scene = Scene::new(|_| Answer::status(500));
        assert_eq!(
            scene.client().await.directory().await.unwrap(),
            Directory::default()
        );
        assert_eq!(scene.calls(), 0);
    }

    #[tokio::test]
    async fn lists_are_read_by_id() {
        let scene = Scene::new(|request| match request.url.path() {
            "/api/options/dropdown/60" => Answer::ok(
                r#"{"Values": [{"Id": "12", "Description": "Video", "Reference": "", "ArchiveDate": null, "ParentId": null},
                    {"Id": 13, "Description": "Old", "ArchiveDate": "2020-01-01T00:00:00"},
                    {"Id": 14, "Description": "Soon old", "ArchiveDate": "2099-01-01T00:00:00Z"},
                    {"Id": null, "Description": "Nothing"}, 7]}"#,
            ),
            _ => Answer::status(403),
        })
        .dialect(json!({"stages_list": "60", "statuses_list": "61"}));
        let directory = scene.client().await.directory().await.unwrap();
        assert_eq!(
            directory.stages.unwrap(),
            [
                option("12", "Video", false),
                option("13", "Old", true),
                option("14", "Soon old", false)
            ]
        );
        assert_eq!(directory.statuses, None, "not allowed");
    }

    #[tokio::test]
    async fn lists_are_found_by_name_where_there_is_an_index() {
        let scene = Scene::new(|request| match request.url.path() {
            "/api/options" => Answer::ok(r#"[{"Id": 60, "Description": "application stage names"}, {"Id": 50, "Name": "Vacancy Status"}]"#),
            _ => Answer::ok(r#"{"values": []}"#),
        })
        .dialect(json!({"options_index_path": "options"}));
        let directory = scene.client().await.directory().await.unwrap();
        assert_eq!(
            (directory.stages, directory.statuses),
            (Some(Vec::new()), None)
        );
        assert_eq!(scene.last().url.path(), "/api/options/dropdown/60");
    }
}
