//! A fake of AWS's services on a loopback port: a function of the test answers each call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A call: the operation's name and the request.
pub(crate) type Call = (String, Value);

/// The received calls, in order.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Starts a fake that answers each call, by its number and content, with status and body. Returns the configuration of
/// clients that call it.
pub(crate) async fn stand_in(
    answer: impl Fn(usize, &Call) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (SdkConfig, Calls) {
    let calls = Calls::default();
    let seen = calls.clone();
    let handler = move |headers: HeaderMap, body: Bytes| {
        let (seen, answer) = (seen.clone(), answer.clone());
        async move {
            let target = headers["x-amz-target"].to_str().unwrap();
            let operation = target.rsplit('.').next().unwrap().to_owned();
            let call = (operation, serde_json::from_slice(&body).unwrap());
            let before = {
                let mut seen = seen.0.lock().unwrap();
                seen.push(call.clone());
                seen.len() - 1
            };
            let (status, body) = answer(before, &call);
            (StatusCode::from_u16(status).unwrap(), body.to_string())
        }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, axum::Router::new().fallback(handler)).into_future());
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-2"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "id", "key", None, None, "tests",
        )))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .http_client(crate::https_client().unwrap())
        .build();
    (config, calls)
}

/// An error response of a service.
pub(crate) fn error(code: &str) -> (u16, Value) {
    (400, serde_json::json!({"__type": code, "message": "no"}))
}
