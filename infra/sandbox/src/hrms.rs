//! An HRMS that receives webhooks. It stores them unchanged and verifies nothing.

use axum::http::Method;
use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call};
use crate::record::{Records, WebhookRecord};

/// An HRMS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrmsInfo {
    /// Its webhook URL.
    pub url: String,
}

/// Its only operation.
pub(crate) const OPERATION: &str = "hrms.webhook";

/// Takes a webhook.
pub(crate) fn answer(records: &mut Records, name: &str, call: &Call) -> Answer {
    if call.path() != ["webhooks"] {
        return Answer::text(404, "Not found");
    }
    if call.method != Method::POST {
        return Answer::text(405, "Method not allowed");
    }
    let headers = call
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    records.webhooks.push(WebhookRecord {
        at: call.now,
        hrms: name.to_owned(),
        headers,
        body: String::from_utf8_lossy(&call.body).into_owned(),
    });
    Answer::empty(204)
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use crate::client::Client;
    use crate::control::{Fault, Profile, Rule};
    use crate::{Options, Sandbox};

    #[tokio::test]
    async fn a_webhook_is_kept_as_it_came_and_faults_hit_it() {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let player = sandbox.player();
        let client = Client::new(std::time::Duration::from_secs(10));
        let post = async |url: &str, method: Method| {
            let headers = [("webhook-id", "hire_1")];
            let body = b"{ \"type\": 1 }".to_vec();
            let reply = client.send(method, url, &headers, body).await.unwrap();
            reply.status
        };
        let elsewhere = format!("{}/hrms/nobody/webhooks", sandbox.url());
        assert_eq!(post(&elsewhere, Method::POST).await, 404);
        let url = player.hrms("people").await.unwrap().url;
        assert_eq!(post(&url, Method::PUT).await, 405);
        assert_eq!(post(&url, Method::POST).await, 204);
        let rules = vec![
            Rule::next("hrms.webhook", 1, Fault::ErrorBefore { status: 410 }),
            Rule::next("hrms.webhook", 1, Fault::ErrorAfter { status: 500 }),
        ];
        let faults = Profile { seed: 1, rules };
        player.set_faults(&faults).await.unwrap();
        assert_eq!(post(&url, Method::POST).await, 410);
        assert_eq!(post(&url, Method::POST).await, 500);
        let taken = player.webhooks(0).await.unwrap();
        assert_eq!(taken.next, 2);
        let first = &taken.records[0];
        assert_eq!(first.hrms, "people");
        assert_eq!(first.body, "{ \"type\": 1 }");
        let id = ("webhook-id".to_owned(), "hire_1".to_owned());
        assert!(first.headers.contains(&id));
        let calls = player.calls(0).await.unwrap().records;
        assert!(calls.iter().all(|call| call.operation == "hrms.webhook"));
        sandbox.shutdown().await;
    }
}
