//! The call that invites. Its path and body were not obtainable (REFERENCE.md §12): the defaults are inferred from
//! what can be entered by hand (§16), and the names are settings.

use serde_json::{Map, Value};
use stagecall_core::ids::Reference;
use stagecall_core::person::Person;
use stagecall_core::ports::{InviteAnswer, InviteOrder, Task};
use stagecall_http::Response;
use url::Url;

use super::assessment_id::{self, AssessmentRoute};
use super::errors::{self, Asked};
use super::settings::Options;
use super::{candidates, links};
use crate::adapter::email_of;
use crate::error::PlatformError;
use crate::json::{self, Record};

/// The request's body: whom, what is said of the message, and the `metadata` that the partner guide describes
/// (REFERENCE.md §11), with our own reference as one of its "other fields".
pub(super) fn body(order: &InviteOrder, options: &Options) -> Result<Value, PlatformError> {
    let mut candidate = Map::new();
    candidate.insert(options.email_field.clone(), email_of(&order.person)?.into());
    candidate.insert(
        options.name_field.clone(),
        order.person.full_name().trim().into(),
    );
    let mut body = match &options.inside {
        None => candidate,
        Some((name, is_list)) => {
            let candidate = Value::Object(candidate);
            let inside = if *is_list {
                vec![candidate].into()
            } else {
                candidate
            };
            Map::from_iter([(name.clone(), inside)])
        }
    };
    body.insert("metadata".to_owned(), metadata(order, options));
    let mut send = order.options.get("send_email").cloned();
    if let Task::Pool { tags } = &order.task {
        // Candidates in a pool get no message. Tags: the partner guide allows custom fields only in `metadata`, so they
        // go there; a field beside it is inferred.
        send = send.or(Some(false.into()));
        if !tags.is_empty() {
            body.insert("tags".to_owned(), tags.clone().into());
            body["metadata"]["tags"] = tags.clone().into();
        }
    }
    if let Some(send) = send {
        body.insert("sendEmail".to_owned(), send);
    }
    for (field, value) in &options.message {
        body.insert((*field).to_owned(), value.as_str().into());
    }
    match AssessmentRoute::of(&order.assessment)? {
        AssessmentRoute::Test(test) if !assessment_id::has(&options.invite_path, "test") => {
            body.insert("testId".to_owned(), test.into());
        }
        AssessmentRoute::Group(group) if !assessment_id::has(&options.group_path, "group") => {
            body.insert("groupId".to_owned(), group.into());
        }
        _ => {}
    }
    Ok(body.into())
}

/// The `metadata` of a candidate.
pub(super) fn metadata(order: &InviteOrder, options: &Options) -> Value {
    let mut metadata: Map<String, Value> = order
        .metadata
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    metadata.insert("invitationId".to_owned(), order.client_ref.as_str().into());
    if let Some(user) = &options.user_email {
        metadata.insert("user_email".to_owned(), user.as_str().into());
    }
    metadata.into()
}

/// Parses the response: the candidate, or a list of one candidate. A success without one is an unknown outcome.
pub(super) fn read(
    answer: &Response,
    asked: Asked,
    person: &Person,
    base: &Url,
) -> Result<InviteAnswer, PlatformError> {
    if errors::says_already_there(answer) {
        let body = json::anything(answer);
        return Ok(InviteAnswer::AlreadyThere {
            reference: reference(&body, person).map(|(reference, _)| reference),
        });
    }
    let body = errors::body(answer, asked)?;
    let (reference, candidate) = reference(&body, person)
        .ok_or_else(|| PlatformError::unreadable("WeCP's answer names no candidate"))?;
    let link = Record::of(candidate, &candidates::INNER)
        .and_then(|record| links::own(&record, base).next());
    Ok(InviteAnswer::Created {
        reference,
        link: link.map(Into::into),
    })
}

/// The candidate's id, and its record. Of several candidates, the one with the person's address.
fn reference<'a>(body: &'a Value, person: &Person) -> Option<(Reference, &'a Value)> {
    const LISTS: [&str; 4] = ["candidates", "data", "results", "invites"];
    let named = |row: &'a Value| {
        let key = candidates::key(&Record::of(row, &candidates::INNER)?)?;
        Some((Reference::new(key), row))
    };
    let list = match body {
        Value::Array(rows) => Some(rows),
        body => LISTS.iter().find_map(|name| body.get(*name)?.as_array()),
    };
    match list.map(Vec::as_slice) {
        None => named(body),
        Some([one]) => named(one),
        Some(several) => {
            let theirs = |row: &&Value| {
                Record::of(row, &candidates::INNER).is_some_and(|record| {
                    let emails = candidates::emails(&record);
                    emails.iter().any(|email| person.has_email(email))
                })
            };
            several.iter().find(theirs).and_then(named)
        }
    }
}
