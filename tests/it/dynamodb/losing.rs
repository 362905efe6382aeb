//! A connection to DynamoDB that loses the answer to the first attempt of every write, after the write took effect. The
//! SDK repeats it, as on AWS.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use stagecall_aws::Store;

use super::server::config;

/// The operations that write.
const WRITES: [&str; 4] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];

#[derive(Debug)]
struct Losing(SharedHttpConnector);

impl HttpConnector for Losing {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name| request.headers().get(name).unwrap_or_default();
        let operation = header("x-amz-target").rsplit('.').next();
        let first = header("amz-sdk-request").starts_with("attempt=1");
        let lost = first && operation.is_some_and(|operation| WRITES.contains(&operation));
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if lost {
                return Err(ConnectorError::io("the answer is lost".into()));
            }
            Ok(answer)
        })
    }
}

/// The store in the table of this name, reached that way.
pub fn losing_store(table: &str) -> Store {
    let client = stagecall_aws::https_client().unwrap();
    let client = http_client_fn(move |settings: &HttpConnectorSettings, components| {
        SharedHttpConnector::new(Losing(client.http_connector(settings, components)))
    });
    let quickly = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let config = config().http_client(client).retry_config(quickly).build();
    Store::new(aws_sdk_dynamodb::Client::from_conf(config), table)
}
