//! `POST /participants/`: the one call that invites (REFERENCE.md §4).

use serde_json::{Map, Value};
use stagecall_core::ids::Reference;
use stagecall_core::ports::{InviteAnswer, InviteOrder};
use stagecall_http::Response;
use url::Url;

use super::settings::Options;
use super::{errors, links, phone, status};
use crate::adapter::email_of;
use crate::error::PlatformError;
use crate::json::{self, Record};

/// The request's body: the fields that a customer sends to the live API; of these `name` and `interview` are required
/// (seen live), the effect of `external_id` and `send_invite` is unverified.
pub(super) fn body(order: &InviteOrder, options: &Options) -> Result<Value, PlatformError> {
    let person = &order.person;
    let email = email_of(person)?;
    let phone = person
        .phone
        .as_deref()
        .and_then(|typed| phone::e164(typed, &options.country_code));
    let mut body = Map::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            body.insert(name.to_owned(), value.into());
        }
    };
    put("interview", order.assessment.as_str());
    put("name", person.full_name().trim());
    put("first_name", person.first_name.trim());
    put("last_name", person.last_name.trim());
    put("email", email);
    put("phone", phone.as_deref().unwrap_or_default());
    put("external_id", &order.client_ref);
    if let Some(send) = options.send_invite {
        body.insert("send_invite".to_owned(), send.into());
    }
    Ok(Value::Object(body))
}

/// Parses the response. The response to a second invitation of the same person is not established: a success with the
/// old or a new key, a conflict, or a 400 that says so are all accepted. A success without a key is an unknown outcome.
pub(super) fn read(answer: &Response, base: &Url) -> Result<InviteAnswer, PlatformError> {
    if errors::says_already_there(answer) {
        return Ok(InviteAnswer::AlreadyThere {
            reference: reference(&json::anything(answer)),
        });
    }
    let body = errors::body(answer)?;
    let reference = reference(&body)
        .ok_or_else(|| PlatformError::unreadable("Willo's answer names no participant"))?;
    Ok(InviteAnswer::Created {
        reference,
        link: links::candidate(&body, base),
    })
}

fn reference(body: &Value) -> Option<Reference> {
    let record = Record::of(body, &["participant", "data", "candidate"])?;
    status::key(&record).map(Reference::new)
}
