//! What an HRMS answers to a webhook.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stagecall_core::announcement::{Announcement, Event, Hire, HireKey, Outcome};
use stagecall_core::ports::{Hrms as _, Webhook};
use stagecall_core::tenant::HrmsEndpoint;
use stagecall_core::timing::Timing;

use crate::outside::{Outside, fair, tenant};
use crate::run::{Target, block};

const ENDPOINT: &str = "https://hrms.example.com/hooks";

/// Answers to a webhook.
pub const ANSWERS: Target = Target {
    name: "hrms-answers",
    samples: &[
        "",
        r#"{"received": true, "person": "Ada Example"}"#,
        "Fri, 24 Jan 2025 10:03:00 GMT",
        "86400",
        "<html>Ada Example, ada@example.com</html>",
    ],
    check: answered,
};

/// The longest that a receiver may put the next attempt off, and a little more.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(28);

fn answered(input: &[u8], choice: u64) -> Result<(), String> {
    const STATUSES: [u16; 10] = [200, 202, 301, 400, 401, 410, 429, 500, 502, 503];
    let status = STATUSES[usize::try_from(choice).unwrap_or(0) % STATUSES.len()];
    let outside = Outside::new(status, input, false);
    let at: Timestamp = "2025-01-24T10:00:00Z".parse().map_err(|_| "no time")?;
    let endpoint = HrmsEndpoint {
        url: ENDPOINT.parse().map_err(|_| "no address")?,
        person: std::collections::BTreeSet::new(),
    };
    let notice = Webhook {
        id: "msg_1".to_owned(),
        at,
        again: choice.is_multiple_of(2),
        body: json!({"type": "candidate.hired"}),
    };
    let tenant = tenant(&json!({}))?;
    let delivered = block(outside.hrms().deliver(&tenant, &endpoint, &notice))?;
    outside.strayed(ENDPOINT)?;
    match delivered {
        Ok(answer) if answer.status != status => Err(format!("{status} is told as {answer:?}")),
        Ok(answer) => match answer.retry_after {
            Some(wait) if wait < SignedDuration::ZERO => Err(format!("a wait of {wait}")),
            wait => again(status, wait, at),
        },
        Err(error) => fair(&error, status, true),
    }
}

/// Whatever the receiver asks for, the next attempt is later than this one and within a day or so.
fn again(status: u16, wait: Option<SignedDuration>, at: Timestamp) -> Result<(), String> {
    let key = HireKey {
        tenant: "acme".into(),
        hire: Hire::Placement("31".into()),
    };
    let ended = Event::Ended {
        attempt: 1,
        outcome: Outcome::Answered(status),
        retry_after: wait,
    };
    let confirmed = Event::Confirmed {
        hired_at: None,
        application: None,
        endpoint: true,
    };
    let begun = Event::Begin { lease_until: at };
    let mut row = Announcement::detected(key, "9001".into(), "4101".into(), at, at);
    for event in [confirmed, begun, ended] {
        let next = row.apply(event, at, &Timing::default());
        row = next.map_err(|error| format!("{error:?}"))?.next;
    }
    match row.due_at {
        Some(due) if due <= at || due.duration_since(at) > MAX_WAIT => {
            Err(format!("after {status} and {wait:?} it is due at {due}"))
        }
        None if !matches!(status, 200..300 | 410) => Err(format!("{status} ends it")),
        _ => Ok(()),
    }
}
