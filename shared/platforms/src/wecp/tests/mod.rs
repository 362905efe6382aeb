use std::collections::BTreeMap;

use serde_json::json;
use stagecall_core::person::Person;
use stagecall_core::ports::PlatformSecret;
use stagecall_core::tenant::Settings;
use url::Url;

use super::*;
use crate::testing::answer;

mod invite;
mod reading;

const TEST: &str = "t-501";
const CANDIDATE: &str = "65f0c0ffee0123456789abcd";

/// The names that its parsers look for.
pub(super) const NAMES: &str = "(candidateId|candidate|candidates|candidateDetails|metadata|invitationId|id|_id|status|testFinished|finished|closed|retry|percentage|score|maxScore|testStartTime|finishTime|testDuration|questionWiseScore|timeSpent|language|proctoringData|tabChanged|reportLink|errorMessage|email|link|.{0,8})";

fn account(settings: Value, secrets: &[(&str, &str)]) -> Account {
    let Value::Object(settings) = settings else {
        panic!("settings are an object")
    };
    let secrets: BTreeMap<_, _> = secrets
        .iter()
        .map(|(name, secret)| ((*name).to_owned(), (*secret).into()))
        .collect();
    Account {
        base: Url::parse(KIND.base_url).unwrap(),
        settings,
        secret: PlatformSecret(secrets),
    }
}

fn wecp(settings: Value) -> Wecp {
    Wecp::new(account(settings, &[("api_key", " k3y ")])).unwrap()
}

fn text(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn order() -> InviteOrder {
    InviteOrder {
        options: Settings::new(),
        task: Task::Invite,
        client_ref: "101.test.1".to_owned(),
        assessment: AssessmentId::from(TEST),
        person: Person {
            first_name: "Ada".to_owned(),
            last_name: "Example".to_owned(),
            email: Some(" ada@example.com".to_owned()),
            phone: Some("07700 900123".to_owned()),
        },
        metadata: BTreeMap::from([
            ("candidateId".to_owned(), "201".to_owned()),
            ("applicationId".to_owned(), "101".to_owned()),
        ]),
    }
}

fn headers(request: &Request) -> BTreeMap<&str, &str> {
    request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
