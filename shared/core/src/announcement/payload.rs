//! The payload about a hire: ids and links; and, for an HRMS whose tenant opted in, named fields about the person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::{Announcement, Hire};
use crate::ids::TenantId;
use crate::person::Person;
use crate::tenant::{EployConnection, PersonalField};

/// The type of the webhook, the same as the domain event's name.
const HIRED: &str = "candidate.hired";

/// A hire, as subscribers receive it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiredCandidate {
    pub tenant: TenantId,
    /// The id of the webhook about the same hire.
    pub id: String,
    /// When it happened; where Eploy does not tell, when it was detected.
    pub hired_at: Timestamp,
    pub candidate: Linked,
    pub vacancy: Linked,
    /// The application, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Linked>,
    /// The placement, where placements signal hires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Linked>,
}

/// A record of Eploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    pub id: String,
    /// Its address in Eploy's API, readable with the customer's own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

impl HiredCandidate {
    /// The payload of `announcement`.
    pub fn of(announcement: &Announcement, eploy: &EployConnection) -> Self {
        let linked = |resource: &str, id: &str| Linked {
            id: id.to_owned(),
            url: eploy.record_url(resource, id),
        };
        Self {
            tenant: announcement.key.tenant.clone(),
            id: announcement.key.webhook_id(),
            hired_at: announcement.hired_at.unwrap_or(announcement.seen_at),
            candidate: linked("candidates", announcement.candidate.as_str()),
            vacancy: linked("vacancies", announcement.vacancy.as_str()),
            application: announcement
                .application
                .as_ref()
                .map(|id| linked("applications", id.as_str())),
            placement: match &announcement.key.hire {
                Hire::Placement(id) => Some(linked("placements", id.as_str())),
                Hire::Application(_) => None,
            },
        }
    }
}

/// The body of the webhook: `type`, `timestamp` and `data`, as the Standard Webhooks specification recommends
/// (shared/hrms/REFERENCE.md §1). `person` is there where the tenant named fields; a field that Eploy has nothing for
/// is null.
pub fn webhook(hired: &HiredCandidate, person: Option<Map<String, Value>>) -> Value {
    let mut data = json!({
        "tenant": hired.tenant,
        "candidate": hired.candidate,
        "vacancy": hired.vacancy,
        "application": hired.application,
        "placement": hired.placement,
    });
    if let Some(person) = person {
        data["person"] = Value::Object(person);
    }
    json!({"type": HIRED, "timestamp": hired.hired_at, "data": data})
}

/// The named fields of a person, and no others.
pub(crate) fn named<'a>(
    person: &Person,
    fields: impl IntoIterator<Item = &'a PersonalField>,
) -> Map<String, Value> {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    fields
        .into_iter()
        .map(|field| {
            let (name, value) = match field {
                PersonalField::FirstName => ("first_name", text(&person.first_name)),
                PersonalField::LastName => ("last_name", text(&person.last_name)),
                PersonalField::Email => ("email", person.email.clone()),
                PersonalField::Phone => ("phone", person.phone.clone()),
            };
            (name.to_owned(), value.into())
        })
        .collect()
}
