//! The SDK's HTTP client: reqwest, as for all other calls, so that a function links one HTTP client and one TLS set-up. The
//! SDK's own client would add HTTP/2, which no service here needs, and read the machine's certificates.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use reqwest::{Body, Client, Request};
use stagecall_http::SetUpError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A client for the SDK, on rustls with ring and compiled-in roots. All its users share its connections.
pub fn https_client() -> Result<SharedHttpClient, SetUpError> {
    let client = Client::builder()
        .tls_backend_preconfigured(stagecall_http::tls()?)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .build()?;
    let connector = SharedHttpConnector::new(Https(client));
    Ok(http_client_fn(move |_, _| connector.clone()))
}

#[derive(Debug)]
struct Https(Client);

impl HttpConnector for Https {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let request = Request::try_from(request.map(Body::wrap)).map_err(failed)?;
            let answer = http::Response::from(client.execute(request).await.map_err(failed)?);
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The error, classified for the SDK's retries.
fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
