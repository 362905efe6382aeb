//! The stand-in of Willo (shared/platforms/REFERENCE.md §9). One [`Account`] is one customer's account.

mod actions;
mod callbacks;
mod messages;
mod model;
mod participants;
mod quirks;
#[cfg(test)]
mod tests;
mod views;
mod webhooks;

use axum::http::{Method, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::model::{Interview, Keyed, Own, User, Webhook};
use crate::call::{Answer, Call};
use crate::context::Context;
use crate::register::Register;
use crate::throttle::Throttle;

pub use self::messages::*;
pub use self::quirks::{
    Authorization, CallbackBody, Duplicate, ExternalId, Order, Quirks, StagePatch, StageShape,
};

const STAGES: [&str; 4] = ["New", "In Review", "Accepted", "Rejected"];
const API: [&str; 3] = ["api", "integrations", "v2"];

/// A customer's account.
pub(crate) struct Account {
    pub(crate) name: String,
    /// Without `/api` and without a slash at the end.
    pub(crate) base_url: String,
    pub(crate) quirks: Quirks,
    pub(crate) api_key: String,
    /// The prefix of links for candidates and reviewers.
    pub(crate) links: String,
    users: Vec<User>,
    departments: Vec<Keyed>,
    templates: Vec<Keyed>,
    stages: Vec<Keyed>,
    interviews: Vec<Interview>,
    participants: Register<Own>,
    webhooks: Vec<Webhook>,
    throttle: Throttle,
}

/// 32 hexadecimal digits.
fn key(random: &mut fastrand::Rng) -> String {
    format!("{:032x}", random.u128(..))
}

/// The six letters of a link.
fn code(random: &mut fastrand::Rng) -> String {
    (0..6).map(|_| random.uppercase()).collect()
}

/// An error in the format of Django REST framework.
pub(crate) fn detail(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"detail": text}))
}

fn not_found() -> Answer {
    detail(404, "Not found.")
}

/// A validation error of one field.
fn invalid(field: &str, text: &str) -> Answer {
    Answer::json(400, &json!({field: [text]}))
}

impl Account {
    pub(crate) fn new(name: &str, base_url: String, random: &mut fastrand::Rng) -> Self {
        let mut keyed = |names: &[&str]| -> Vec<Keyed> {
            names
                .iter()
                .map(|name| Keyed {
                    key: key(random),
                    name: (*name).to_owned(),
                })
                .collect()
        };
        let stages = keyed(&STAGES);
        let departments = keyed(&["Care", "Head Office"]);
        let templates = keyed(&["Invitation", "Reminder", "Success"]);
        let users = ["Rowan Example", "Sasha Example"]
            .iter()
            .map(|full_name| User {
                key: key(random),
                full_name: (*full_name).to_owned(),
                email: format!("{}@example.com", full_name.to_lowercase().replace(' ', ".")),
            })
            .collect();
        Self {
            name: name.to_owned(),
            base_url,
            quirks: Quirks::default(),
            api_key: key(random),
            links: "https://app.willotalent.com".to_owned(),
            users,
            departments,
            templates,
            stages,
            interviews: Vec::new(),
            participants: Register::default(),
            webhooks: Vec::new(),
            throttle: Throttle::default(),
        }
    }

    /// Answers a call.
    pub(crate) fn answer(&mut self, call: &Call, around: &mut Context) -> Answer {
        let Operation { what, name } = Operation::of(call);
        // Django appends the slash for a reader and cannot for a writer: its body would be lost
        // (shared/platforms/REFERENCE.md §3).
        if !call.slash {
            return if call.method == Method::GET && name != UNKNOWN {
                let target = format!("{}/{}/", self.base_url, call.segments.join("/"));
                Answer::empty(301).with(header::LOCATION, target)
            } else {
                not_found()
            };
        }
        if let Err(answer) = self.admit(call) {
            return answer;
        }
        match what {
            What::Interviews => self.list_interviews(call),
            What::Interview(key) => self.interview_answer(&key),
            What::Participants => self.list_participants(call),
            What::Invite => self.invite(call, around),
            What::Participant(key) => self.participant_answer(&key, call.now),
            What::ChangeParticipant(key) => self.change_participant(&key, call, around),
            What::RemoveParticipant(key) => self.remove_participant(&key),
            What::Webhooks => self.list_webhooks(call),
            What::CreateWebhook => self.create_webhook(call, &mut around.random),
            What::ChangeWebhook(key) => self.change_webhook(&key, call),
            What::RemoveWebhook(key) => self.remove_webhook(&key),
            What::Users => self.page(call, self.users.iter().map(views::user)),
            What::Departments => self.page(call, self.departments.iter().map(views::keyed)),
            What::Templates => self.page(call, self.templates.iter().map(views::keyed)),
            What::NotAllowed => detail(405, &format!("Method \"{}\" not allowed.", call.method)),
            What::Unknown => not_found(),
        }
    }

    fn admit(&mut self, call: &Call) -> Result<(), Answer> {
        let given = call.header(&header::AUTHORIZATION);
        let bare = given == Some(self.api_key.as_str());
        let bearer =
            given.and_then(|given| given.strip_prefix("Bearer ")) == Some(self.api_key.as_str());
        let right = match self.quirks.authorization {
            Authorization::Bare => bare,
            Authorization::Bearer => bearer,
            Authorization::Either => bare || bearer,
        };
        if !right {
            let text = match given {
                Some(_) => "Invalid token.",
                None => "Authentication credentials were not provided.",
            };
            return Err(detail(401, text));
        }
        let most = self.quirks.calls_per_second;
        if self.throttle.exceeds(most, call.now) {
            return Err(detail(429, "Request was throttled.").retry_after(self.quirks.retry_after));
        }
        Ok(())
    }

    fn user_named(&self, key: &str) -> Value {
        self.users
            .iter()
            .find(|user| user.key == key)
            .map_or(Value::Null, views::user)
    }
}

const UNKNOWN: &str = "willo.unknown";

struct Operation {
    what: What,
    /// Its name in records and faults.
    name: &'static str,
}

enum What {
    Interviews,
    Interview(String),
    Participants,
    Invite,
    Participant(String),
    ChangeParticipant(String),
    RemoveParticipant(String),
    Webhooks,
    CreateWebhook,
    ChangeWebhook(String),
    RemoveWebhook(String),
    Users,
    Departments,
    Templates,
    /// The path exists, but not with this method.
    NotAllowed,
    Unknown,
}

impl Operation {
    fn of(call: &Call) -> Self {
        let path = call.path();
        let [first, second, third, path @ ..] = path.as_slice() else {
            return Self::named(What::Unknown, UNKNOWN);
        };
        if [*first, *second, *third] != API {
            return Self::named(What::Unknown, UNKNOWN);
        }
        let (what, name) = match (call.method.as_str(), path) {
            ("GET", ["interviews"]) => (What::Interviews, "willo.interviews.list"),
            ("GET", ["interviews", key]) => {
                (What::Interview((*key).to_owned()), "willo.interviews.get")
            }
            ("GET", ["participants"]) => (What::Participants, "willo.participants.list"),
            ("POST", ["participants"]) => (What::Invite, "willo.participants.create"),
            ("GET", ["participants", key]) => (
                What::Participant((*key).to_owned()),
                "willo.participants.get",
            ),
            ("PUT" | "PATCH", ["participants", key]) => (
                What::ChangeParticipant((*key).to_owned()),
                "willo.participants.update",
            ),
            ("DELETE", ["participants", key]) => (
                What::RemoveParticipant((*key).to_owned()),
                "willo.participants.delete",
            ),
            ("GET", ["webhooks"]) => (What::Webhooks, "willo.webhooks.list"),
            ("POST", ["webhooks"]) => (What::CreateWebhook, "willo.webhooks.create"),
            ("PUT" | "PATCH", ["webhooks", key]) => (
                What::ChangeWebhook((*key).to_owned()),
                "willo.webhooks.update",
            ),
            ("DELETE", ["webhooks", key]) => (
                What::RemoveWebhook((*key).to_owned()),
                "willo.webhooks.delete",
            ),
            ("GET", ["users"]) => (What::Users, "willo.users.list"),
            ("GET", ["departments"]) => (What::Departments, "willo.departments.list"),
            ("GET", ["message-templates"]) => (What::Templates, "willo.message-templates.list"),
            (
                _,
                [
                    "interviews" | "participants" | "webhooks" | "users" | "departments"
                    | "message-templates",
                ]
                | ["interviews" | "participants" | "webhooks", _],
            ) => (What::NotAllowed, UNKNOWN),
            _ => (What::Unknown, UNKNOWN),
        };
        Self::named(what, name)
    }

    fn named(what: What, name: &'static str) -> Self {
        Self { what, name }
    }
}

/// The name of a call's operation.
pub(crate) fn operation(call: &Call) -> &'static str {
    Operation::of(call).name
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    let wait = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
