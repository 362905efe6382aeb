//! Webhooks through the API (shared/platforms/REFERENCE.md §6). One webhook follows one event.

use serde_json::{Value, json};

use super::model::{Event, Webhook};
use super::{Account, detail, invalid, key, not_found, views};
use crate::call::{Answer, Call};

impl Account {
    pub(super) fn list_webhooks(&self, call: &Call) -> Answer {
        self.page(call, self.webhooks.iter().map(views::webhook))
    }

    pub(super) fn create_webhook(&mut self, call: &Call, random: &mut fastrand::Rng) -> Answer {
        let Some(body) = call.json().filter(Value::is_object) else {
            return detail(400, "JSON parse error");
        };
        for field in ["url", "event"] {
            if body.get(field).is_none() {
                return invalid(field, "This field is required.");
            }
        }
        let new = Webhook {
            key: key(random),
            url: String::new(),
            event: Event::NewResponse,
            interviews: Vec::new(),
            follow_all_interviews: false,
            departments: Vec::new(),
            users: Vec::new(),
            payload_configuration: json!({}),
            status: "active".to_owned(),
        };
        match changed(new, &body) {
            Ok(webhook) => {
                let answer = Answer::json(201, &views::webhook(&webhook));
                self.webhooks.push(webhook);
                answer
            }
            Err(answer) => answer,
        }
    }

    pub(super) fn change_webhook(&mut self, key: &str, call: &Call) -> Answer {
        let Some(webhook) = self.webhooks.iter_mut().find(|it| it.key == key) else {
            return not_found();
        };
        let Some(body) = call.json().filter(Value::is_object) else {
            return detail(400, "JSON parse error");
        };
        match changed(webhook.clone(), &body) {
            Ok(new) => {
                *webhook = new;
                Answer::json(200, &views::webhook(webhook))
            }
            Err(answer) => answer,
        }
    }

    pub(super) fn remove_webhook(&mut self, key: &str) -> Answer {
        let before = self.webhooks.len();
        self.webhooks.retain(|it| it.key != key);
        if self.webhooks.len() == before {
            return not_found();
        }
        Answer::empty(204)
    }

    /// The webhooks for an event of an interview.
    pub(super) fn followers(&self, event: Event, interview: &str) -> Vec<&Webhook> {
        let found = self.interview(interview);
        self.webhooks
            .iter()
            .filter(|it| {
                it.event == event
                    && it.status == "active"
                    && (it.follow_all_interviews
                        || it.interviews.iter().any(|key| key == interview)
                        || found.is_some_and(|found| {
                            it.departments.contains(&found.department)
                                || it.users.contains(&found.owner)
                        }))
            })
            .collect()
    }
}

/// A webhook with the body's changes.
fn changed(mut webhook: Webhook, body: &Value) -> Result<Webhook, Answer> {
    if let Some(url) = body.get("url") {
        url.as_str()
            .filter(|url| url::Url::parse(url).is_ok_and(|url| url.has_host()))
            .ok_or_else(|| invalid("url", "Enter a valid URL."))?
            .clone_into(&mut webhook.url);
    }
    if let Some(event) = body.get("event") {
        webhook.event = serde_json::from_value(event.clone())
            .map_err(|_| invalid("event", &format!("{event} is not a valid choice.")))?;
    }
    for (name, field) in [
        ("interviews", &mut webhook.interviews),
        ("departments", &mut webhook.departments),
        ("users", &mut webhook.users),
    ] {
        if let Some(keys) = body.get(name) {
            *field = serde_json::from_value(keys.clone())
                .map_err(|_| invalid(name, "Expected a list of items."))?;
        }
    }
    if let Some(all) = body.get("follow_all_interviews") {
        webhook.follow_all_interviews = all
            .as_bool()
            .ok_or_else(|| invalid("follow_all_interviews", "Must be a valid boolean."))?;
    }
    if let Some(configuration) = body.get("payload_configuration") {
        webhook.payload_configuration = configuration.clone();
    }
    if let Some(status) = body.get("status") {
        status
            .as_str()
            .ok_or_else(|| invalid("status", "Not a valid string."))?
            .clone_into(&mut webhook.status);
    }
    Ok(webhook)
}
