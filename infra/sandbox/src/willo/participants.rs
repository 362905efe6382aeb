//! Interviews and participants through the API: reading, inviting, moving to a stage (shared/platforms/REFERENCE.md §3
//! to §5).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{Event, Interview, Own, Participant};
use super::quirks::{Duplicate, ExternalId, Order, StagePatch};
use super::{Account, code, detail, invalid, key, not_found};
use crate::call::{Answer, Call};
use crate::context::Context;
use crate::participant::Standing;
use crate::record::Platform;
use crate::register::{Manner, is_address};

const REQUIRED: &str = "This field is required.";

/// A candidate to invite.
pub(super) struct Guest {
    pub(super) interview: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) external_id: Option<String>,
}

impl Account {
    pub(super) fn list_interviews(&self, call: &Call) -> Answer {
        let mut found: Vec<&Interview> = self
            .interviews
            .iter()
            .filter(|it| {
                let is =
                    |name, value: &str| call.parameter(name).is_none_or(|wanted| wanted == value);
                is("department", &it.department)
                    && is("owner", &it.owner)
                    && call
                        .parameter("search")
                        .is_none_or(|text| self.mentions(it, &text.to_lowercase()))
            })
            .collect();
        match call.parameter("ordering") {
            Some("title") => found.sort_by(|one, other| one.title.cmp(&other.title)),
            Some("-title") => found.sort_by(|one, other| other.title.cmp(&one.title)),
            Some(descending) if descending.starts_with('-') => found.reverse(),
            _ => {}
        }
        self.page(call, found.into_iter().map(|it| self.shown_interview(it)))
    }

    /// Whether a text is in an interview's title, its owner's address or its department's name.
    fn mentions(&self, it: &Interview, text: &str) -> bool {
        let owner = self.users.iter().find(|user| user.key == it.owner);
        let department = self
            .departments
            .iter()
            .find(|found| found.key == it.department);
        [
            Some(&it.title),
            owner.map(|owner| &owner.email),
            department.map(|department| &department.name),
        ]
        .into_iter()
        .flatten()
        .any(|field| field.to_lowercase().contains(text))
    }

    pub(super) fn interview(&self, key: &str) -> Option<&Interview> {
        self.interviews.iter().find(|it| it.key == key)
    }

    pub(super) fn interview_answer(&self, key: &str) -> Answer {
        match self.interview(key) {
            Some(it) => Answer::json(200, &self.shown_interview(it)),
            None => not_found(),
        }
    }

    pub(super) fn participant_answer(&self, key: &str, now: Timestamp) -> Answer {
        match self.participants.place(key) {
            Some(place) => {
                Answer::json(200, &self.shown_participant(&self.participants[place], now))
            }
            None => not_found(),
        }
    }

    pub(super) fn list_participants(&self, call: &Call) -> Answer {
        let mut places = self.participants.places(call.parameter("interview"));
        if let Some(wanted) = call.parameter("external_id")
            && self.quirks.external_id == ExternalId::Echoed
        {
            places.retain(|place| self.participants[*place].external_id.as_deref() == Some(wanted));
        }
        if self.quirks.participants_order == Order::NewestFirst {
            places.reverse();
        }
        let row = |place: usize| Value::Object(self.shown_row(&self.participants[place]));
        self.page(call, places.into_iter().map(row))
    }

    pub(super) fn invite(&mut self, call: &Call, around: &mut Context) -> Answer {
        let Some(body) = call.json().filter(Value::is_object) else {
            return detail(400, "JSON parse error");
        };
        let text = |name: &str| {
            body.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let guest = Guest {
            interview: text("interview"),
            name: text("name"),
            email: text("email"),
            phone: text("phone"),
            external_id: Some(text("external_id")).filter(|id| !id.is_empty()),
        };
        if let Err(answer) = self.check(&guest) {
            return answer;
        }
        let sends =
            !self.quirks.honours_send_invite || body.get("send_invite") != Some(&json!(false));
        let manner = Manner {
            mailed: true,
            by_api: true,
            user: None,
            at: call.now,
        };
        let shown = |account: &Self, place: usize| {
            let it = &account.participants[place];
            Answer::json(201, &account.shown_participant(it, call.now))
        };
        if let Some(place) = self.participants.at_address(&guest.interview, &guest.email) {
            match self.quirks.duplicate {
                Duplicate::NewKey => {}
                Duplicate::BadRequest => {
                    return invalid("email", "This candidate has already been invited.");
                }
                Duplicate::Conflict => {
                    return detail(409, "This candidate has already been invited.");
                }
                Duplicate::SameKey => return shown(self, place),
                Duplicate::SameKeySentAgain => {
                    if sends {
                        self.sent(place, true, &manner, around);
                    }
                    return shown(self, place);
                }
            }
        }
        let place = self.add_participant(guest, call.now, &mut around.random);
        if sends {
            self.sent(place, false, &manner, around);
        }
        shown(self, place)
    }

    fn check(&self, guest: &Guest) -> Result<(), Answer> {
        let mut problems = serde_json::Map::new();
        let mut problem = |field: &str, text: &str| {
            problems.insert(field.to_owned(), json!([text]));
        };
        if guest.name.is_empty() {
            problem("name", REQUIRED);
        }
        if guest.interview.is_empty() {
            problem("interview", REQUIRED);
        } else if self.interview(&guest.interview).is_none() {
            problem("interview", "Object with this key does not exist.");
        }
        if guest.email.is_empty() {
            if guest.phone.is_empty() {
                problem("email", REQUIRED);
            }
        } else if !is_address(&guest.email) {
            problem("email", "Enter a valid email address.");
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Answer::json(400, &Value::Object(problems)))
        }
    }

    /// Adds a participant. Returns the index.
    pub(super) fn add_participant(
        &mut self,
        guest: Guest,
        now: Timestamp,
        random: &mut fastrand::Rng,
    ) -> usize {
        self.participants.add(Participant {
            key: key(random),
            of: guest.interview,
            name: guest.name,
            email: guest.email,
            phone: guest.phone,
            external_id: guest.external_id,
            standing: Standing::Invited,
            removed: false,
            created: now,
            started: None,
            completed: None,
            own: Own {
                stage: self.stages[0].key.clone(),
                responses: Vec::new(),
                scores: Vec::new(),
                ratings: Vec::new(),
                comments: Vec::new(),
                code: code(random),
                updated: now,
            },
        })
    }

    /// Sends the invitation.
    pub(super) fn sent(&self, place: usize, again: bool, manner: &Manner, around: &mut Context) {
        let it = &self.participants[place];
        let record = it.invited(Platform::Willo, &self.name, again, manner);
        around.records.invitations.push(record);
    }

    pub(super) fn change_participant(
        &mut self,
        key: &str,
        call: &Call,
        around: &mut Context,
    ) -> Answer {
        let Some(place) = self.participants.place(key) else {
            return not_found();
        };
        let Some(body) = call.json().filter(Value::is_object) else {
            return detail(400, "JSON parse error");
        };
        if let Some(wanted) = body.get("stage") {
            let wanted = wanted.as_str().unwrap_or_default();
            let (by_name, by_key) = match self.quirks.stage_patch {
                StagePatch::Name => (true, false),
                StagePatch::Key => (false, true),
                StagePatch::Either => (true, true),
            };
            let Some(stage) = self
                .stages
                .iter()
                .find(|stage| (by_name && stage.name == wanted) || (by_key && stage.key == wanted))
            else {
                return invalid("stage", "Object with this value does not exist.");
            };
            let own = &mut self.participants[place].own;
            own.stage.clone_from(&stage.key);
            own.updated = call.now;
            self.happened(Event::StageChange, place, call.now, around);
        }
        if let Some(name) = body.get("name").and_then(Value::as_str) {
            name.clone_into(&mut self.participants[place].name);
        }
        Answer::json(
            200,
            &self.shown_participant(&self.participants[place], call.now),
        )
    }

    pub(super) fn remove_participant(&mut self, key: &str) -> Answer {
        let Some(place) = self.participants.place(key) else {
            return not_found();
        };
        self.participants.remove(place);
        Answer::empty(204)
    }
}
