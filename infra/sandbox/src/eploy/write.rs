//! What the API can change of applications: positions, notes, answers, export marks (shared/eploy/REFERENCE.md §14 to
//! §16).

use serde_json::{Value, json};

use super::System;
use super::body::{number, property};
use super::dates::{self, kept};
use super::flow::Cause;
use super::model::{AnswerType, Answered, Asked, Note};
use super::quirks::{PatchReply, StageWrite};
use super::route::Resource;
use super::setup::EXPORT_PACKAGES;
use crate::call::{Answer, Call};
use crate::record::{By, Records, Write};

/// Accepted names of a note's text: the path is unknown, and so is this.
const NOTE_TEXTS: [&str; 8] = [
    "Note",
    "Notes",
    "NoteText",
    "Text",
    "Content",
    "Comments",
    "CommentsHTML",
    "NotesHTML",
];

impl System {
    /// `PATCH /api/applications/{id}`
    pub(super) fn move_application(
        &mut self,
        id: u64,
        call: &Call,
        records: &mut Records,
    ) -> Answer {
        match self.try_move_application(id, call, records) {
            Ok(()) => self.patched(Resource::Applications, id),
            Err(answer) => answer,
        }
    }

    fn try_move_application(
        &mut self,
        id: u64,
        call: &Call,
        records: &mut Records,
    ) -> Result<(), Answer> {
        if !self.applications.contains_key(&id) {
            return Err(self.not_found());
        }
        let body = self.object(call)?;
        let Some((stage, status)) = stage_of(&body, self.quirks.stage_write) else {
            return self.check_properties(&body, |_| false);
        };
        let position = self
            .position(id, stage, status)
            .map_err(|problem| self.error(400, &problem.to_string()))?;
        self.enter(id, position, Cause::default(), By::Api, call.now, records);
        Ok(())
    }

    /// `POST /api/applications/{id}/notes` or `POST /api/notes`
    pub(super) fn add_note(
        &mut self,
        application: Option<u64>,
        call: &Call,
        records: &mut Records,
    ) -> Answer {
        match self.try_add_note(application, call, records) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn try_add_note(
        &mut self,
        application: Option<u64>,
        call: &Call,
        records: &mut Records,
    ) -> Result<Answer, Answer> {
        let body = self.object(call)?;
        let application = application
            .or_else(|| property(&body, "ApplicationId").and_then(number))
            .filter(|id| self.applications.contains_key(id))
            .ok_or_else(|| self.not_found())?;
        let text = NOTE_TEXTS
            .iter()
            .find_map(|name| property(&body, name)?.as_str())
            .ok_or_else(|| self.error(400, "The note has no text"))?
            .to_owned();
        let id = self.next_id.note();
        if let Some(found) = self.applications.get_mut(&application) {
            let at = kept(call.now);
            found.notes.push(Note { at, text });
        }
        self.wrote(application, Write::Note, By::Api, call.now, records);
        Ok(Answer::json(
            self.quirks.create_status,
            &json!({"Id": self.id(id)}),
        ))
    }

    /// `PATCH /api/{records}/{id}/questions` with `[{"QuestionId": …, "Answer": …}]`; all answers or none.
    pub(super) fn answer_questions(
        &mut self,
        of: Asked,
        id: u64,
        call: &Call,
        records: &mut Records,
    ) -> Answer {
        let answers = match self.read_answers(of, id, call) {
            Ok(answers) => answers,
            Err(answer) => return answer,
        };
        self.answers.entry((of, id)).or_default().extend(answers);
        if of == Asked::Applications {
            self.wrote(id, Write::Answer, By::Api, call.now, records);
        }
        match self.quirks.patch_reply {
            PatchReply::Record => Answer::json(200, &self.questions_of(of, id)),
            PatchReply::Id => Answer::json(200, &json!({"Id": self.id(id)})),
            PatchReply::Empty => Answer::empty(204),
        }
    }

    fn read_answers(
        &self,
        of: Asked,
        id: u64,
        call: &Call,
    ) -> Result<Vec<(u64, Answered)>, Answer> {
        if !self.is_asked(of, id) {
            return Err(self.not_found());
        }
        let Some(Value::Array(answers)) = call.json() else {
            return Err(self.error(400, "The answers must be a list"));
        };
        answers
            .iter()
            .map(|answer| {
                let question = property(answer, "QuestionId")
                    .and_then(number)
                    .and_then(|id| {
                        self.questions
                            .iter()
                            .find(|question| question.of == of && question.id == id)
                    })
                    .ok_or_else(|| self.error(400, "There is no such question"))?;
                let given = property(answer, "Answer").unwrap_or(&Value::Null);
                let answer = answered(&question.kind, given, self)
                    .ok_or_else(|| self.error(400, "The answer does not fit the question"))?;
                Ok((question.id, answer))
            })
            .collect()
    }

    pub(super) fn is_asked(&self, of: Asked, id: u64) -> bool {
        match of {
            Asked::Applications => self.applications.contains_key(&id),
            Asked::Candidates => self.candidates.contains_key(&id),
            Asked::Vacancies => self.vacancies.contains_key(&id),
        }
    }

    /// `POST /api/export`
    pub(super) fn export(&mut self, call: &Call, records: &mut Records) -> Answer {
        let body = match self.object(call) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let id = |name| property(&body, name).and_then(number);
        let Some(package) =
            id("ExportPackageId").filter(|id| self.has_option(EXPORT_PACKAGES, *id))
        else {
            return self.error(400, "ExportPackageId is not an export package");
        };
        let Some(application) = id("ApplicationId") else {
            return self.error(400, "The ApplicationId field is required");
        };
        let Some(found) = self.applications.get_mut(&application) else {
            return self.not_found();
        };
        if !found.exports.contains(&package) {
            found.exports.push(package);
        }
        self.wrote(application, Write::Export, By::Api, call.now, records);
        Answer::json(
            self.quirks.create_status,
            &json!({"Id": self.id(application)}),
        )
    }
}

/// The stage and status in a body, in an accepted shape.
fn stage_of(body: &Value, shape: StageWrite) -> Option<(u64, Option<u64>)> {
    let flat = |of: &Value| {
        let status = property(of, "StatusId").and_then(number);
        Some((property(of, "StageId").and_then(number)?, status))
    };
    let workflow = property(body, "Workflow");
    let ids = || flat(workflow?);
    let objects = || {
        let id = |name| property(property(workflow?, name)?, "Id").and_then(number);
        Some((id("Stage")?, id("Status")))
    };
    match shape {
        StageWrite::WorkflowIds => ids(),
        StageWrite::WorkflowObjects => objects(),
        StageWrite::Flat => flat(body),
        StageWrite::Any => ids().or_else(objects).or_else(|| flat(body)),
    }
}

pub(super) fn answered(kind: &AnswerType, given: &Value, system: &System) -> Option<Answered> {
    if given.is_null() {
        return Some(Value::Null);
    }
    Some(match kind {
        AnswerType::Text => json!(given.as_str()?),
        AnswerType::Number if given.is_number() => given.clone(),
        AnswerType::Number => {
            let value: f64 = given.as_str()?.trim().parse().ok()?;
            json!(value)
        }
        AnswerType::Boolean => match given.as_str() {
            Some(text) if text.eq_ignore_ascii_case("true") => json!(true),
            Some(text) if text.eq_ignore_ascii_case("false") => json!(false),
            _ => json!(given.as_bool()?),
        },
        AnswerType::Date => system.date(dates::read(given.as_str()?, system.quirks.dates)?),
        AnswerType::Dropdown(options) => {
            let chosen = number(given)?;
            let exists = (1..=options.len() as u64).contains(&chosen);
            exists.then(|| json!(chosen))?
        }
    })
}
