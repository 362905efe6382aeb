//! AWS: its services as the real clients see them, with an answer to every call that the target decides; and what Lambda
//! hands to the functions.

pub mod answers;
pub mod calls;
pub mod environment;
pub mod messages;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

/// What decides an answer: given the operation's name and how many calls came before.
type Decide = dyn Fn(&str, usize) -> (u16, Vec<u8>) + Send + Sync;

/// AWS, as far as one target needs it.
#[derive(Clone)]
pub struct Aws {
    decide: Arc<Decide>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Aws {
    /// Answers with what `decide` says.
    pub fn new(decide: impl Fn(&str, usize) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        Self {
            decide: Arc::new(decide),
            requests: Arc::default(),
        }
    }

    /// What clients over it are set up with. Nothing is tried twice: what came of one answer is of interest.
    pub fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-2"))
            .endpoint_url("http://aws.example")
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "id", "key", None, None, "fuzz",
            )))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    /// The bodies of the requests so far.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Aws")
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let before = {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            requests.push(request.body().bytes().unwrap_or_default().to_vec());
            requests.len() - 1
        };
        let (status, body) = (self.decide)(operation, before);
        let status = status
            .try_into()
            .unwrap_or_else(|_| unreachable!("targets choose real ones"));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}
