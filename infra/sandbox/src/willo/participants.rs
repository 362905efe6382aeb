//! Interviews and participants through the API: reading, inviting, moving to a stage (shared/platforms/REFERENCE.md §3
//! to §5).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{Event, Interview, Participant};
use super::quirks::{Duplicate, ExternalId, Order, StagePatch};
use super::{Account, code, detail, invalid, key, not_found};
use crate::call::{Answer, Call};
use crate::context::Context;
use crate::participant::Standing;
use crate::record::{InvitationRecord, Platform};

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

    /// The index of a participant that was not removed.
    pub(super) fn place(&self, key: &str) -> Option<usize> {
        let place = *self.by_key.get(key)?;
        (!self.participants[place].removed).then_some(place)
    }

    pub(super) fn participant_answer(&self, key: &str, now: Timestamp) -> Answer {
        match self.place(key) {
            Some(place) => {
                Answer::json(200, &self.shown_participant(&self.participants[place], now))
            }
            None => not_found(),
        }
    }

    pub(super) fn list_participants(&self, call: &Call) -> Answer {
        let there = |place: &usize| !self.participants[*place].removed;
        let mut places: Vec<usize> = match call.parameter("interview") {
            Some(interview) => self
                .of_interview
                .get(interview)
                .into_iter()
                .flatten()
                .copied()
                .filter(there)
                .collect(),
            None => (0..self.participants.len()).filter(there).collect(),
        };
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

    pub(super) fn invite(&mut self, call: &Call, around: &mut Context<'_>) -> Answer {
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
        let there = (!guest.email.is_empty())
            .then(|| {
                self.of_address
                    .get(&(guest.interview.clone(), guest.email.to_lowercase()))
            })
            .flatten()
            .and_then(|places| places.last())
            .copied();
        if let Some(place) = there {
            let before = self.participants[place].clone();
            match self.quirks.duplicate {
                Duplicate::NewKey => {}
                Duplicate::BadRequest => {
                    return invalid("email", "This candidate has already been invited.");
                }
                Duplicate::Conflict => {
                    return detail(409, "This candidate has already been invited.");
                }
                Duplicate::SameKey => {
                    return Answer::json(201, &self.shown_participant(&before, call.now));
                }
                Duplicate::SameKeySentAgain => {
                    if sends {
                        self.sent(&before, true, true, call.now, around);
                    }
                    return Answer::json(201, &self.shown_participant(&before, call.now));
                }
            }
        }
        let participant = self.add_participant(guest, call.now, around.random);
        if sends {
            self.sent(&participant, false, true, call.now, around);
        }
        Answer::json(201, &self.shown_participant(&participant, call.now))
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

    pub(super) fn add_participant(
        &mut self,
        guest: Guest,
        now: Timestamp,
        random: &mut fastrand::Rng,
    ) -> Participant {
        let participant = Participant {
            key: key(random),
            interview: guest.interview,
            name: guest.name,
            email: guest.email,
            phone: guest.phone,
            external_id: guest.external_id,
            standing: Standing::Invited,
            removed: false,
            stage: self.stages[0].key.clone(),
            responses: Vec::new(),
            scores: Vec::new(),
            ratings: Vec::new(),
            comments: Vec::new(),
            code: code(random),
            created: now,
            updated: now,
            started: None,
            completed: None,
        };
        let place = self.participants.len();
        self.by_key.insert(participant.key.clone(), place);
        self.of_interview
            .entry(participant.interview.clone())
            .or_default()
            .push(place);
        if !participant.email.is_empty() {
            self.of_address
                .entry((
                    participant.interview.clone(),
                    participant.email.to_lowercase(),
                ))
                .or_default()
                .push(place);
        }
        self.participants.push(participant.clone());
        participant
    }

    /// Sends the invitation.
    pub(super) fn sent(
        &self,
        to: &Participant,
        again: bool,
        by_api: bool,
        at: Timestamp,
        around: &mut Context<'_>,
    ) {
        around.records.invitations.push(InvitationRecord {
            at,
            platform: Platform::Willo,
            account: self.name.clone(),
            interview: to.interview.clone(),
            email: to.email.to_lowercase(),
            phone: to.phone.clone(),
            participant: to.key.clone(),
            external_id: to.external_id.clone(),
            again,
            mailed: true,
            by_api,
            user: None,
        });
    }

    pub(super) fn change_participant(
        &mut self,
        key: &str,
        call: &Call,
        around: &mut Context<'_>,
    ) -> Answer {
        let Some(place) = self.place(key) else {
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
            self.participants[place].stage.clone_from(&stage.key);
            self.participants[place].updated = call.now;
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
        let Some(place) = self.place(key) else {
            return not_found();
        };
        let it = &mut self.participants[place];
        it.removed = true;
        let address = (it.interview.clone(), it.email.to_lowercase());
        if let Some(places) = self.of_address.get_mut(&address) {
            places.retain(|other| *other != place);
        }
        Answer::empty(204)
    }
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty()
            && host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !text.contains(char::is_whitespace)
            && !host.contains('@')
    })
}
