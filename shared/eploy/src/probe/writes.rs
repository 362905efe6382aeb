//! Experiments that write, on an application that a person named. Each reports what it leaves behind.

use serde_json::{Value, json};
use stagecall_core::error::CallError;
use stagecall_core::ids::{StageId, StatusId};
use stagecall_core::ports::{ActionUpdate, NewAction};
use stagecall_core::tenant::Position;
use stagecall_http::Method;

use super::Certainty::{Likely, Sure};
use super::reply::ProbeReply;
use super::{Probe, Writing, filter};
use crate::actions::create_body;
use crate::applications::BLOCKS;
use crate::client::Client;
use crate::dialect::MoveBody;
use crate::errors::{Permission, Problem};
use crate::moves::move_body;
use crate::wire::Record;

const OPERATION: &str = "probe the dialect";
/// The text of an experiment's actions and notes.
const TEXT: &str = "A trial entry by Stagecall's probe. It may be removed.";

/// The application that is written to, as it is now.
struct Subject {
    candidate: String,
    vacancy: String,
    position: Position,
    modified: Option<String>,
}

impl Probe<'_> {
    /// All experiments that write.
    pub(super) async fn writes(&mut self, writing: &Writing) -> Result<(), CallError> {
        self.action(writing).await?;
        self.note(writing).await?;
        self.position(writing).await
    }

    /// The application as it is now.
    async fn subject(&mut self, writing: &Writing) -> Result<Subject, CallError> {
        let id = writing.application.as_str();
        let value = self.client.connection.dialect.filter_id(id);
        let route = &self.client.connection.dialect.application_id_route.clone();
        let found = self
            .search(
                "applications",
                filter(route, "Equals", &value),
                (10, 1),
                BLOCKS,
            )
            .await?
            .records(1, 10)
            .unwrap_or_default();
        found
            .iter()
            .filter_map(Record::of)
            .find(|record| record.own_id("ApplicationId").as_deref() == Ok(id))
            .and_then(|record| {
                Some(Subject {
                    candidate: record.id("Candidate")?,
                    vacancy: record.id("Vacancy")?,
                    position: self.client.stages.position(record).ok()?,
                    modified: record.text("ModificationDate").map(str::to_owned),
                })
            })
            .ok_or_else(|| {
                Problem::NotFound.error(OPERATION, &format!("the application {id} named with --on"))
            })
    }

    /// Creates an action, looks it up and changes it.
    async fn action(&mut self, writing: &Writing) -> Result<(), CallError> {
        let name = "creating an action";
        let Some(action_type) = &writing.action_type else {
            self.open(name, "no action type was named (--action-type)");
            return Ok(());
        };
        let before = self.subject(writing).await?;
        let vacancy = self
            .client
            .read_vacancy(&before.vacancy.as_str().into())
            .await?;
        let action = NewAction {
            candidate: before.candidate.as_str().into(),
            vacancy: vacancy.id,
            company: vacancy.company,
            action_type: action_type.clone(),
            started_at: self.client.connection.clock.now(),
            content: ActionUpdate {
                comments_html: Some(format!("<p>{TEXT}</p>")),
                ..ActionUpdate::default()
            },
        };
        let body = create_body(&self.client.connection.dialect, &action);
        let reply = self
            .ask(
                Method::Post,
                "actions",
                Some(body),
                Permission::insert("Actions"),
            )
            .await?;
        let ProbeReply::Yes(answer, status) = reply else {
            self.open(name, reply.in_words());
            return Ok(());
        };
        let id = answer
            .as_ref()
            .and_then(Record::of)
            .and_then(|record| record.own_id("ActionId").ok());
        let shown = id.clone().unwrap_or_else(|| "of unknown id".to_owned());
        self.probed.left_behind.push(format!(
            "action {shown} on application {}: no way to remove an action by the API is known, a person can in Eploy",
            writing.application
        ));
        self.found(name, Sure, format!("it is created, answered with {status}"))
            .reading(status);
        self.action_search(&before.candidate, id.as_deref()).await?;
        match &id {
            Some(id) => self.action_update(id).await,
            None => Ok(()),
        }
    }

    /// Whether actions can be searched, and whether the results have their type.
    async fn action_search(&mut self, candidate: &str, id: Option<&str>) -> Result<(), CallError> {
        let name = "searching actions";
        let Some(id) = id else {
            self.open(
                name,
                "creating an action does not return its id, so it cannot be recognised",
            );
            return Ok(());
        };
        let dialect = &self.client.connection.dialect;
        let value = dialect.filter_id(candidate);
        let filters = filter(&dialect.action_candidate_route, "Equals", &value);
        let blocks = ["ActionId", "StartDate", "Vacancy", "Candidate"];
        let with_type = [&blocks[..], &["ActionType"]].concat();
        let mut reply = self
            .search("actions", filters.clone(), (100, 1), &with_type)
            .await?;
        if matches!(reply, ProbeReply::Refused(_)) {
            reply = self.search("actions", filters, (100, 1), &blocks).await?;
        }
        let records = reply.records(1, 100).unwrap_or_default();
        let ours = records
            .iter()
            .filter_map(Record::of)
            .find(|record| record.own_id("ActionId").as_deref() == Ok(id));
        match ours.map(|record| record.has("ActionType")) {
            Some(typed) => {
                let block = typed.then_some("ActionType");
                self.found(name, Sure, "the new action is found")
                    .reading(true)
                    .set("action_look_up", "search")
                    .set("action_type_block", block);
            }
            None => {
                let words =
                    "the new action is not found, so an action of unknown outcome is created again";
                self.found(name, Likely, words)
                    .reading(false)
                    .set("action_look_up", "never");
            }
        }
        Ok(())
    }

    /// Writes the same comments again.
    async fn action_update(&mut self, id: &str) -> Result<(), CallError> {
        let name = "updating an action";
        let path = Client::path(OPERATION, "actions", id, "")?;
        let field = &self.client.connection.dialect.action_fields.comments;
        let body = json!({ field.as_str(): format!("<p>{TEXT}</p>") });
        let permission = Permission::update("Actions");
        let reply = self
            .ask(Method::Patch, &path, Some(body), permission)
            .await?;
        match reply {
            ProbeReply::Yes(..) => {
                self.found(name, Sure, "it is changed").reading(true);
            }
            refused => self.open(name, refused.in_words()),
        }
        Ok(())
    }

    /// The path of notes.
    async fn note(&mut self, writing: &Writing) -> Result<(), CallError> {
        let name = "notes";
        let id = writing.application.as_str();
        let dialect = &self.client.connection.dialect;
        let field = dialect.note_text_field.clone();
        let value = dialect.body_id(id);
        let own = Client::path(OPERATION, "applications", id, "/notes")?;
        let ways = [
            (own, "applications/{application}/notes", Value::Null),
            ("notes".to_owned(), "notes", json!("ApplicationId")),
        ];
        for (path, setting, application_field) in ways {
            let mut body = json!({ field.as_str(): TEXT });
            if let Some(key) = application_field.as_str() {
                body[key] = value.clone();
            }
            let reply = self
                .ask(
                    Method::Post,
                    &path,
                    Some(body),
                    Permission::update("Applications"),
                )
                .await?;
            if matches!(reply, ProbeReply::Yes(..)) {
                self.probed
                    .left_behind
                    .push(format!("a note on application {id}"));
                self.found(name, Likely, format!("/api/{setting} takes a note"))
                    .set("notes_path", setting)
                    .set("note_application_field", application_field);
                return Ok(());
            }
        }
        let words = "neither takes one; mappings that write notes need another path";
        self.found(name, Likely, words).reading("absent");
        Ok(())
    }

    /// The body that moves an application: moves it and back again. The time of the move then tells the zone of dates.
    async fn position(&mut self, writing: &Writing) -> Result<(), CallError> {
        let name = "moving an application";
        let Some((stage, status)) = &writing.move_to else {
            self.open(name, "no stage to move to was named (--move-to)");
            return Ok(());
        };
        let before = self.subject(writing).await?;
        let Some(home) = before.position.stage.clone() else {
            self.open(name, "the application is at no stage to come back to");
            return Ok(());
        };
        if home == *stage {
            self.open(name, "the application is at that stage already");
            return Ok(());
        }
        for (body, words) in [
            (MoveBody::WorkflowIds, "workflow_ids"),
            (MoveBody::WorkflowObjects, "workflow_objects"),
            (MoveBody::Flat, "flat"),
        ] {
            let reply = self.move_to(writing, body, stage, status.as_ref()).await?;
            if let ProbeReply::Forbidden(why) = reply {
                self.open(name, why);
                return Ok(());
            }
            let moved_at = self.server_time;
            let now = self.subject(writing).await?;
            if now.position.stage.as_ref() != Some(stage) {
                continue;
            }
            self.move_to(writing, body, &home, before.position.status.as_ref())
                .await?;
            let back = self.subject(writing).await?.position == before.position;
            self.probed.left_behind.push(format!(
                "application {} was moved to stage {stage} and {}: its status history shows it, and Eploy may have sent the e-mails of those statuses",
                writing.application,
                if back { "back" } else { "could not be moved back: do that in Eploy" }
            ));
            self.found(name, Sure, format!("the body \"{words}\" moves it"))
                .set("move_body", words);
            if let (Some(modified), Some(moved_at)) = (now.modified, moved_at) {
                self.conclude_dates(&[modified], Some(moved_at));
            }
            return Ok(());
        }
        self.open(name, "no body moves it");
        Ok(())
    }

    async fn move_to(
        &mut self,
        writing: &Writing,
        body: MoveBody,
        stage: &StageId,
        status: Option<&StatusId>,
    ) -> Result<ProbeReply, CallError> {
        let path = Client::path(OPERATION, "applications", writing.application.as_str(), "")?;
        let mut dialect = self.client.connection.dialect.clone();
        dialect.move_body = body;
        let body = move_body(&dialect, stage, status);
        self.ask(
            Method::Patch,
            &path,
            Some(body),
            Permission::update("Applications"),
        )
        .await
    }
}
