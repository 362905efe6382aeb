//! The way into AWS, the same for all clients: one HTTPS client, and limits on how long a call may take.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use stagecall_http::SetUpError;

use crate::https::https_client;

/// The time limit of one try.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The time limit of a call with all its tries. Short against a function's time limit, so that a throttled store leaves
/// time to say so.
const CALL: Duration = Duration::from_secs(12);

/// How often a call is tried, if the service throttles it or fails.
const TRIES: u32 = 4;

/// The way into AWS as Lambda gives it to a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// The region.
    pub region: String,
    /// The credentials of the function's role; they are valid for as long as the process lives.
    pub credentials: Credentials,
    /// The address of an emulator, where the services are one.
    pub endpoint: Option<String>,
}

/// The configuration for a function's clients. Nothing is looked for elsewhere: finding region and credentials as
/// [`connect`] does would take longer than everything else a function does when it starts, and link another service's
/// client.
pub fn connect_with(access: Access) -> Result<SdkConfig, SetUpError> {
    let Access {
        region,
        credentials,
        endpoint,
    } = access;
    let mut config = SdkConfig::builder()
        .behavior_version(behavior())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(https_client()?)
        .timeout_config(timeouts())
        .retry_config(retries());
    config.set_endpoint_url(endpoint);
    Ok(config.build())
}

/// The configuration for the clients of a command that somebody runs: region and credentials from the environment, the
/// profile or the machine's role, and the address of an emulator where `AWS_ENDPOINT_URL` names one.
pub async fn connect() -> Result<SdkConfig, SetUpError> {
    Ok(aws_config::defaults(behavior())
        .http_client(https_client()?)
        .timeout_config(timeouts())
        .retry_config(retries())
        .load()
        .await)
}

fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(TRIES)
}
