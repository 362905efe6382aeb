//! Inviting to a test and removing candidates, and how tests and interviews handle an address that is already invited.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{Candidate, Noticed, Task};
use super::quirks::{Duplicate, InviteAnswer, InviteBody};
use super::{Account, id};
use crate::call::{Answer, Call};
use crate::context::Context;
use crate::participant::Standing;
use crate::record::{InvitationRecord, Platform};

/// A candidate to invite to a test, or to schedule for an interview.
pub(super) struct Guest {
    /// The id of the test, the interview or the group.
    pub(super) of: String,
    pub(super) task: Task,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) metadata: Value,
}

/// How a candidate is invited.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// Whether WeCP sends an e-mail.
    pub(super) mailed: bool,
    /// Whether it is by a call of the API.
    pub(super) by_api: bool,
    /// The acting user.
    pub(super) user: Option<String>,
    pub(super) at: Timestamp,
}

impl Task {
    /// A test that was not begun.
    pub(super) fn test() -> Self {
        Self::Test {
            scored: Vec::new(),
            noticed: Noticed::default(),
        }
    }
}

impl Account {
    pub(super) fn invite(
        &mut self,
        test: Option<String>,
        call: &Call,
        user: Option<String>,
        around: &mut Context<'_>,
    ) -> Answer {
        let body = match self.body(call) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let test = &test.unwrap_or_else(|| {
            let named = body["testId"].as_str().unwrap_or_default();
            named.to_owned()
        });
        if self.test(test).is_none() {
            return self.error(404, "Test not found");
        }
        let mailed = !self.quirks.honours_send_email || body["sendEmail"] != json!(false);
        let manner = Manner {
            mailed,
            by_api: true,
            user,
            at: call.now,
        };
        self.invite_guests(test, &body, &manner, around)
    }

    /// Adds candidates to a group, without notifying them.
    pub(super) fn add_to_group(
        &mut self,
        group: Option<String>,
        call: &Call,
        user: Option<String>,
        around: &mut Context<'_>,
    ) -> Answer {
        let body = match self.body(call) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let named = || body["groupId"].as_str().unwrap_or_default().to_owned();
        let group = group.unwrap_or_else(named);
        if !self.has_group(&group) {
            return self.error(404, "Group not found");
        }
        let manner = Manner {
            mailed: false,
            by_api: true,
            user,
            at: call.now,
        };
        self.invite_guests(&group, &body, &manner, around)
    }

    fn invite_guests(
        &mut self,
        of: &str,
        body: &Value,
        manner: &Manner,
        around: &mut Context<'_>,
    ) -> Answer {
        let guests = match self.guests(of, body) {
            Ok(guests) => guests,
            Err(answer) => return answer,
        };
        if let Err(answer) = self.may_come(&guests) {
            return answer;
        }
        let mut invited = Vec::new();
        for guest in guests {
            let place = self.add_or_find(guest, manner, around);
            invited.push(self.shown_invited(&self.candidates[place]));
        }
        match (self.quirks.invite_answer, invited.first()) {
            (InviteAnswer::Candidate, Some(first)) => Answer::json(200, first),
            (InviteAnswer::List, _) => Answer::json(200, &Value::Array(invited)),
            (InviteAnswer::Candidate | InviteAnswer::Message, _) => {
                Answer::json(200, &json!({"message": "Candidates invited"}))
            }
        }
    }

    /// The candidates in the body of an invitation.
    fn guests(&self, test: &str, body: &Value) -> Result<Vec<Guest>, Answer> {
        let named: Vec<&Value> = match self.quirks.invite_body {
            InviteBody::Flat => vec![body],
            InviteBody::Details => vec![&body["candidateDetails"]],
            InviteBody::List => body[&self.quirks.invite_list_field]
                .as_array()
                .map(|list| list.iter().collect())
                .unwrap_or_default(),
        };
        if named.is_empty() {
            return Err(self.error(400, "No candidates given"));
        }
        named
            .into_iter()
            .map(|it| {
                let field = |name: &str| it[name].as_str().unwrap_or_default().trim();
                let email = match it {
                    Value::String(email) => email.trim(),
                    _ => field(&self.quirks.invite_email_field),
                };
                if !is_address(email) {
                    return Err(self.error(400, "A valid email is required"));
                }
                Ok(Guest {
                    of: test.to_owned(),
                    task: Task::test(),
                    name: field(&self.quirks.invite_name_field).to_owned(),
                    email: email.to_owned(),
                    metadata: metadata(it, body),
                })
            })
            .collect()
    }

    fn there(&self, of: &str, email: &str) -> Option<usize> {
        self.by_address
            .get(&(of.to_owned(), email.to_lowercase()))?
            .last()
            .copied()
    }

    /// Rejects guests who are already invited, if the switch says so.
    pub(super) fn may_come(&self, guests: &[Guest]) -> Result<(), Answer> {
        let status = match self.quirks.duplicate {
            Duplicate::BadRequest => 400,
            Duplicate::Conflict => 409,
            Duplicate::SameId | Duplicate::SameIdSentAgain | Duplicate::NewId => return Ok(()),
        };
        if guests
            .iter()
            .any(|guest| self.there(&guest.of, &guest.email).is_some())
        {
            return Err(self.error(status, "Candidate already invited"));
        }
        Ok(())
    }

    /// Adds or finds a candidate. Returns the index.
    pub(super) fn add_or_find(
        &mut self,
        guest: Guest,
        manner: &Manner,
        around: &mut Context<'_>,
    ) -> usize {
        let there = match self.quirks.duplicate {
            Duplicate::SameId | Duplicate::SameIdSentAgain => self.there(&guest.of, &guest.email),
            Duplicate::NewId | Duplicate::BadRequest | Duplicate::Conflict => None,
        };
        let Some(place) = there else {
            let place = self.add(guest, manner.at, around.random);
            self.invited(place, false, manner, around);
            return place;
        };
        if let (Task::Interview { meeting, .. }, Task::Interview { meeting: new, .. }) =
            (&mut self.candidates[place].task, guest.task)
        {
            *meeting = new;
        }
        if self.quirks.duplicate == Duplicate::SameIdSentAgain {
            self.invited(place, true, manner, around);
        }
        place
    }

    fn add(&mut self, guest: Guest, now: Timestamp, random: &mut fastrand::Rng) -> usize {
        let place = self.candidates.len();
        let candidate = Candidate {
            id: id(random),
            of: guest.of,
            task: guest.task,
            name: guest.name,
            email: guest.email,
            metadata: guest.metadata,
            standing: Standing::Invited,
            removed: false,
            retry: 0,
            created: now,
            started: None,
            completed: None,
        };
        self.by_id.insert(candidate.id.clone(), place);
        self.by_task
            .entry(candidate.of.clone())
            .or_default()
            .push(place);
        self.by_address
            .entry((candidate.of.clone(), candidate.email.to_lowercase()))
            .or_default()
            .push(place);
        self.candidates.push(candidate);
        place
    }

    fn invited(&self, place: usize, again: bool, manner: &Manner, around: &mut Context<'_>) {
        let it = &self.candidates[place];
        around.records.invitations.push(InvitationRecord {
            at: manner.at,
            platform: Platform::Wecp,
            account: self.name.clone(),
            interview: it.of.clone(),
            email: it.email.to_lowercase(),
            phone: String::new(),
            participant: it.id.clone(),
            external_id: external_id(&it.metadata),
            again,
            mailed: manner.mailed,
            by_api: manner.by_api,
            user: manner.user.clone(),
        });
    }

    /// Removes a candidate; only from this test or group, if the path names one.
    pub(super) fn remove(&mut self, of: Option<&str>, candidate: &str) -> Answer {
        let place = self.place(candidate).filter(|place| {
            let it = &self.candidates[*place];
            it.is_of_test() && of.is_none_or(|of| of == it.of)
        });
        let Some(place) = place else {
            return self.error(404, "Candidate not found");
        };
        self.remove_at(place);
        Answer::json(200, &json!({"message": "Candidate removed"}))
    }

    pub(super) fn remove_at(&mut self, place: usize) {
        let it = &mut self.candidates[place];
        it.removed = true;
        let address = (it.of.clone(), it.email.to_lowercase());
        if let Some(places) = self.by_address.get_mut(&address) {
            places.retain(|other| *other != place);
        }
    }
}

/// A candidate's metadata: their own, or else that of the whole body.
pub(super) fn metadata(candidate: &Value, body: &Value) -> Value {
    match &candidate["metadata"] {
        Value::Null => body["metadata"].clone(),
        own => own.clone(),
    }
}

/// The inviter's own id of it. The partner guide lets an integration add its own fields to `metadata` (reference
/// wecp, head).
pub(super) fn external_id(metadata: &Value) -> Option<String> {
    metadata["invitationId"].as_str().map(str::to_owned)
}

pub(super) fn is_address(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.contains('@')
        })
}
