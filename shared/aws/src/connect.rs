//! The configuration of all AWS clients: one HTTPS client, and time limits for calls.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use stagecall_http::SetUpError;

use crate::https::https_client;

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit of a call with all its attempts. Short compared with a function's time limit, so that a throttled store
/// leaves time to report it.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);

/// The maximum number of attempts, if the service throttles the call or fails.
const MAX_ATTEMPTS: u32 = 4;

/// Region and credentials as Lambda gives them to a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    pub region: String,
    /// The credentials of the function's role, valid for the lifetime of the process.
    pub credentials: Credentials,
    /// The address of an emulator, if one is used.
    pub endpoint: Option<String>,
}

/// The configuration for a function's clients, without any look-up: finding region and credentials as [`connect`] does would
/// take longer than the rest of a function's start, and link another service's client.
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

/// The configuration for an operator's command: region and credentials from the environment, the profile or the machine's
/// role, and the address of an emulator where `AWS_ENDPOINT_URL` names one.
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
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS)
}
