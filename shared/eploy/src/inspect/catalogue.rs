//! What can be chosen from in a tenant's Eploy: vacancies, stages, statuses, action types, outcomes, questions.

use std::collections::BTreeMap;

use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, QuestionId, VacancyId};
use stagecall_core::ports::NamedId;
use stagecall_http::Method;

use super::Inspector;
use crate::applications::BLOCKS;
use crate::call::Call;
use crate::directory::named;
use crate::errors::{Permission, Problem};
use crate::refusal::RequestKind;
use crate::search::Search;
use crate::wire::Record;

/// The maximum number of pages of vacancies.
const MAX_PAGES: u32 = 100;

/// A vacancy as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VacancyRow {
    pub id: VacancyId,
    pub title: String,
    /// Its status by name ("Live"), if the response has it.
    pub status: Option<String>,
}

/// A list of options that Stagecall needs ids from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Stages,
    Statuses,
    ActionTypes,
    /// The outcomes of actions.
    Outcomes,
}

/// Where the options of a list were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the list of this id, which is complete.
    List(String),
    /// On this number of applications; there may be more options.
    Applications(usize),
    /// Nowhere: reading them is not permitted, or the dialect does not say where they are.
    Nowhere,
}

/// The known options of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub options: Vec<NamedId>,
    /// Where they were found.
    pub origin: Origin,
}

/// A custom question of applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub id: QuestionId,
    pub title: String,
    /// The type of its answers, in Eploy's words.
    pub answer_type: String,
}

impl Inspector {
    pub async fn vacancies(&self) -> Result<Vec<VacancyRow>, CallError> {
        let search = Search {
            operation: "list the vacancies",
            resource: "vacancies",
            filters: Vec::new(),
            blocks: &["VacancyId", "Title", "VacancyStatus"],
            permission: Permission::view("Vacancies"),
        };
        let mut vacancies: BTreeMap<VacancyId, VacancyRow> = BTreeMap::new();
        for page in 1..=MAX_PAGES {
            let found = self.client.search_unverified(&search, page).await?;
            for record in found.records.iter().filter_map(Record::of) {
                let Ok(id) = record.own_id("VacancyId").map(VacancyId::new) else {
                    continue;
                };
                let status = record.record("VacancyStatus");
                let row = VacancyRow {
                    id: id.clone(),
                    title: record.text("Title").unwrap_or_default().to_owned(),
                    status: status
                        .and_then(|status| status.text("Description"))
                        .map(str::to_owned),
                };
                vacancies.insert(id, row);
            }
            if !found.more {
                break;
            }
        }
        Ok(vacancies.into_values().collect())
    }

    /// The options of a list. Stages and statuses that cannot be listed are gathered from a page of applications.
    pub async fn list(&self, list: List) -> Result<Listing, CallError> {
        let dialect = &self.client.connection.dialect;
        let (id, name) = match list {
            List::Stages => (&dialect.stages_list, &dialect.stages_list_name),
            List::Statuses => (&dialect.statuses_list, &dialect.statuses_list_name),
            List::ActionTypes => (&dialect.action_types_list, &dialect.action_types_list_name),
            List::Outcomes => (&dialect.outcomes_list, &dialect.outcomes_list_name),
        };
        let id = match (id, &dialect.options_index_path) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(index)) => {
                let lists = self.client.options(index).await?.unwrap_or_default();
                named(&lists, name)
            }
            (None, None) => None,
        };
        if let Some(id) = id
            && let Some(options) = self.client.list(Some(id.clone())).await?
        {
            let origin = Origin::List(id);
            return Ok(Listing { options, origin });
        }
        match list {
            List::Stages => self.seen("Stage").await,
            List::Statuses => self.seen("Status").await,
            List::ActionTypes | List::Outcomes => Ok(Listing {
                options: Vec::new(),
                origin: Origin::Nowhere,
            }),
        }
    }

    /// The stages or statuses on one page of applications.
    async fn seen(&self, part: &str) -> Result<Listing, CallError> {
        let search = Search {
            operation: "read the stages of applications",
            resource: "applications",
            filters: Vec::new(),
            blocks: BLOCKS,
            permission: Permission::view("Applications"),
        };
        let found = self.client.search_unverified(&search, 1).await?;
        let mut options = BTreeMap::new();
        for record in found.records.iter().filter_map(Record::of) {
            let option = record
                .record("Workflow")
                .and_then(|workflow| workflow.record(part));
            if let Some(option) = option
                && let (Some(id), Some(name)) = (option.id("Id"), option.text("Description"))
            {
                let option = NamedId {
                    id: id.clone(),
                    name: name.to_owned(),
                    archived: false,
                };
                options.insert(id, option);
            }
        }
        Ok(Listing {
            options: options.into_values().collect(),
            origin: Origin::Applications(found.records.len()),
        })
    }

    /// The id of any application, to test with; `None` if there are none.
    pub async fn some_application(&self) -> Result<Option<ApplicationId>, CallError> {
        let page = self.client.search_changed(None, 1).await?;
        Ok(page.rows.into_iter().next().map(|row| row.id))
    }

    /// The custom questions of an application (REFERENCE.md §15: a bare array, documented P-GROS). Its answers are
    /// not looked at.
    pub async fn questions(&self, application: &ApplicationId) -> Result<Vec<Question>, CallError> {
        let operation = "list the custom questions";
        let path = crate::client::Client::path(
            operation,
            "applications",
            application.as_str(),
            "/questions",
        )?;
        let call = Call {
            operation,
            method: Method::Get,
            path: &path,
            body: None,
            kind: RequestKind::Record(Permission::view("Applications")),
        };
        let answer = self.client.call_for_json(call).await?;
        let rows = match &answer {
            Some(Value::Array(rows)) => rows.as_slice(),
            None => &[],
            Some(_) => {
                return Err(Problem::Unreadable.error(operation, "it is not a list of questions"));
            }
        };
        let question = |record: Record<'_>| {
            Some(Question {
                id: QuestionId::new(record.own_id("QuestionId").ok()?),
                title: record.text("Title").unwrap_or_default().to_owned(),
                answer_type: record.text("AnswerType").unwrap_or_default().to_owned(),
            })
        };
        Ok(rows
            .iter()
            .filter_map(Record::of)
            .filter_map(question)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn vacancies_of_all_pages_are_listed_once() {
        let scene = Scene::new(
            |request| match request.body["Paging"]["RequestedPage"].as_u64() {
                Some(1) => Answer::value(&json!({"TotalPages": 2, "Records": [
                {"VacancyId": 7, "Title": "Cook", "VacancyStatus": {"Id": "3", "Description": "Live"}}]})),
                _ => Answer::value(&json!({"TotalPages": 2, "Records": [
                {"VacancyID": "7", "Title": "Cook"}, {"VacancyID": "8", "Title": "Nurse"}]})),
            },
        );
        let vacancies = scene.inspector().vacancies().await.unwrap();
        let shown: Vec<_> = vacancies
            .iter()
            .map(|row| (row.id.as_str(), row.title.as_str()))
            .collect();
        assert_eq!(shown, [("7", "Cook"), ("8", "Nurse")]);
    }

    #[tokio::test]
    async fn stages_that_cannot_be_listed_are_gathered_from_applications() {
        let scene = Scene::new(|_| {
            Answer::value(&json!({"Records": [
                {"Workflow": {"Stage": {"Id": "12", "Description": "Video"}, "Status": null}},
                {"Workflow": {"Stage": {"Id": 12, "Description": "Video"}}},
                {"Workflow": null}]}))
        });
        let listing = scene.inspector().list(List::Stages).await.unwrap();
        assert_eq!(listing.origin, Origin::Applications(3));
        assert_eq!(listing.options.len(), 1);
        assert_eq!(listing.options[0].name, "Video");
        let listing = scene.inspector().list(List::Outcomes).await.unwrap();
        assert_eq!(listing.origin, Origin::Nowhere);
    }

    #[tokio::test]
    async fn questions_are_listed_without_their_answers() {
        let scene = Scene::new(|_| {
            Answer::ok(
                r#"[{"QuestionId": 253, "Title": "Right to work?", "AnswerType": "Boolean", "Answer": true}]"#,
            )
        });
        let questions = scene.inspector().questions(&"1".into()).await.unwrap();
        assert_eq!(questions[0].id, "253".into());
        assert_eq!(questions[0].answer_type, "Boolean");
    }
}
