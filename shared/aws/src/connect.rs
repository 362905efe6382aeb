//! The way into AWS, the same for all clients: one HTTPS client on rustls with ring, and limits on how long a call may
//! take.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// The time limit of setting up a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// The time limit of one try.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The time limit of a call with all its tries. Short against a function's time limit, so that a throttled store leaves
/// time to say so.
const CALL: Duration = Duration::from_secs(12);

/// How often a call is tried, if the service throttles it or fails.
const TRIES: u32 = 4;

/// The configuration for this process's clients, from the environment: region, credentials, and the address of an
/// emulator where `AWS_ENDPOINT_URL` names one.
pub async fn connect() -> SdkConfig {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
        .load()
        .await
}
