//! The bodies of requests, and the answers to those that change a record.

use serde_json::{Value, json};

use super::System;
use super::blocks::blocks;
use super::quirks::{PatchReply, Unknown};
use super::route::Resource;
use super::views;
use crate::call::{Answer, Call};

/// A property of a JSON object, ignoring case.
pub(super) fn property<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// A number, or text with a number.
pub(super) fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}

impl System {
    pub(super) fn object(&self, call: &Call) -> Result<Value, Answer> {
        call.json()
            .filter(Value::is_object)
            .ok_or_else(|| self.error(400, "The request body could not be read as JSON"))
    }

    pub(super) fn check_properties(
        &self,
        body: &Value,
        known: impl Fn(&str) -> bool,
    ) -> Result<(), Answer> {
        match body
            .as_object()
            .and_then(|body| body.keys().find(|name| !known(name)))
        {
            Some(name) => self.unknown(self.quirks.unknown_property, "Property", name),
            None => Ok(()),
        }
    }

    pub(super) fn unknown(&self, switch: Unknown, what: &str, name: &str) -> Result<(), Answer> {
        match switch {
            Unknown::Ignore => Ok(()),
            Unknown::Refuse => Err(self.error(400, &format!("{what} '{name}' is not valid"))),
        }
    }

    pub(super) fn patched(&self, of: Resource, id: u64) -> Answer {
        match self.quirks.patch_reply {
            PatchReply::Record => Answer::json(200, &views::record(self, of, id, blocks(of))),
            PatchReply::Id => Answer::json(200, &json!({"Id": self.id(id)})),
            PatchReply::Empty => Answer::empty(204),
        }
    }
}
