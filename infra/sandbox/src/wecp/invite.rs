//! Inviting to a test and removing candidates, and how tests and interviews handle an address that is already invited.

use serde_json::{Value, json};

use super::model::{Candidate, Noticed, Own, Task};
use super::quirks::{Duplicate, InviteAnswer, InviteBody};
use super::{Account, id};
use crate::call::{Answer, Call};
use crate::context::Context;
use crate::participant::Standing;
use crate::record::Platform;
use crate::register::{Manner, is_address};

/// A candidate to invite to a test, or to schedule for an interview.
pub(super) struct Guest {
    /// The id of the test, the interview or the group.
    pub(super) of: String,
    pub(super) task: Task,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) metadata: Value,
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
        around: &mut Context,
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
        around: &mut Context,
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
        around: &mut Context,
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

    /// Rejects guests who are already invited, if the switch says so.
    pub(super) fn may_come(&self, guests: &[Guest]) -> Result<(), Answer> {
        let status = match self.quirks.duplicate {
            Duplicate::BadRequest => 400,
            Duplicate::Conflict => 409,
            Duplicate::SameId | Duplicate::SameIdSentAgain | Duplicate::NewId => return Ok(()),
        };
        if guests.iter().any(|guest| {
            self.candidates
                .at_address(&guest.of, &guest.email)
                .is_some()
        }) {
            return Err(self.error(status, "Candidate already invited"));
        }
        Ok(())
    }

    /// Adds or finds a candidate. Returns the index.
    pub(super) fn add_or_find(
        &mut self,
        guest: Guest,
        manner: &Manner,
        around: &mut Context,
    ) -> usize {
        let there = match self.quirks.duplicate {
            Duplicate::SameId | Duplicate::SameIdSentAgain => {
                self.candidates.at_address(&guest.of, &guest.email)
            }
            Duplicate::NewId | Duplicate::BadRequest | Duplicate::Conflict => None,
        };
        let Some(place) = there else {
            let place = self.candidates.add(Candidate {
                key: id(&mut around.random),
                of: guest.of,
                name: guest.name,
                email: guest.email,
                phone: String::new(),
                external_id: external_id(&guest.metadata),
                standing: Standing::Invited,
                removed: false,
                created: manner.at,
                started: None,
                completed: None,
                own: Own {
                    task: guest.task,
                    metadata: guest.metadata,
                    retry: 0,
                },
            });
            self.invited(place, false, manner, around);
            return place;
        };
        if let (Task::Interview { meeting, .. }, Task::Interview { meeting: new, .. }) =
            (&mut self.candidates[place].own.task, guest.task)
        {
            *meeting = new;
        }
        if self.quirks.duplicate == Duplicate::SameIdSentAgain {
            self.invited(place, true, manner, around);
        }
        place
    }

    fn invited(&self, place: usize, again: bool, manner: &Manner, around: &mut Context) {
        let it = &self.candidates[place];
        let record = it.invited(Platform::Wecp, &self.name, again, manner);
        around.records.invitations.push(record);
    }

    /// Removes a candidate; only from this test or group, if the path names one.
    pub(super) fn remove(&mut self, of: Option<&str>, candidate: &str) -> Answer {
        let place = self.candidates.place(candidate).filter(|place| {
            let it = &self.candidates[*place];
            it.is_of_test() && of.is_none_or(|of| of == it.of)
        });
        let Some(place) = place else {
            return self.error(404, "Candidate not found");
        };
        self.candidates.remove(place);
        Answer::json(200, &json!({"message": "Candidate removed"}))
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
fn external_id(metadata: &Value) -> Option<String> {
    metadata["invitationId"].as_str().map(str::to_owned)
}
