//! The only sender of requests in this process.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::encoding::decoded;
use crate::guard::{Guard, GuardedResolver, LookUp, Refusal, system};
use crate::{Limits, Method, Request, Response, Transport, TransportError};

/// The time limit of resolving the name, connecting and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an unused connection is kept. Short, because a request on a connection that the server has just closed has an
/// unknown outcome.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The error text for a host that cannot be resolved.
pub(crate) const UNRESOLVED: &str = "the name cannot be resolved";

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct SetUpError(String);

impl From<reqwest::Error> for SetUpError {
    fn from(error: reqwest::Error) -> Self {
        Self(cause(&error))
    }
}

/// Sends requests over the network: through a [`Guard`], without redirects, proxies, cookies or repetition. The TLS roots
/// are compiled in, so the machine's settings do not change whom it trusts.
#[derive(Clone)]
pub struct Sender {
    client: reqwest::Client,
    guard: Guard,
}

impl Sender {
    /// A sender behind this guard. All its users share its connections.
    pub fn new(guard: Guard) -> Result<Self, SetUpError> {
        Self::resolving(guard, system)
    }

    /// The same, with this resolver.
    fn resolving(guard: Guard, look_up: LookUp) -> Result<Self, SetUpError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(Arc::new(GuardedResolver { guard, look_up }))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(concat!("Stagecall/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, guard })
    }

    async fn exchange(&self, request: Request, limit: usize) -> Result<Response, TransportError> {
        let host = host(&request.url);
        let headers = headers(&request)
            .ok_or_else(|| TransportError::NotSent(format!("{host}: a header cannot be sent")))?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut building = self.client.request(method, request.url).headers(headers);
        if !request.body.is_empty() {
            building = building.body(request.body);
        }
        let mut answer = building
            .send()
            .await
            .map_err(|error| failed(&host, &error))?;

        if answer
            .content_length()
            .is_some_and(|length| length > limit as u64)
        {
            return Err(TransportError::TooLarge(limit));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| {
            TransportError::Lost(format!("{host}: the answer broke off: {}", cause(&error)))
        })? {
            if body.len() + chunk.len() > limit {
                return Err(TransportError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let answer = Response {
            status: answer.status().as_u16(),
            headers,
            body,
        };
        decoded(answer, limit)
    }
}

#[async_trait]
impl Transport for Sender {
    async fn send(&self, request: Request, limits: Limits) -> Result<Response, TransportError> {
        self.guard
            .check(&request.url)
            .map_err(|Refusal(why)| TransportError::Guarded(why))?;
        let host = host(&request.url);
        let method = request.method;
        let result = tokio::time::timeout(limits.time, self.exchange(request, limits.answer))
            .await
            .unwrap_or_else(|_| {
                // The timeout may have been hit while connecting, but that is not visible.
                Err(TransportError::Lost(format!(
                    "{host}: no answer within {} s",
                    limits.time.as_secs_f64()
                )))
            });
        match &result {
            Ok(answer) => {
                tracing::debug!(host, %method, status = answer.status, "request answered");
            }
            Err(error) => tracing::debug!(host, %method, %error, "request failed"),
        }
        result
    }
}

/// TLS with ring and the Mozilla roots: no process-wide provider, no scan of the machine's certificates. It offers only
/// HTTP/1.1, which is all that the client supports.
pub fn tls() -> Result<rustls::ClientConfig, SetUpError> {
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetUpError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The headers, all of them marked as sensitive: most requests carry a credential in one.
fn headers(request: &Request) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Some(headers)
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("?").to_owned()
}

/// Maps a failure before the response. Only a failure that certainly happened before the request was sent counts as not
/// sent.
fn failed(host: &str, error: &reqwest::Error) -> TransportError {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(Refusal(why)) = inner.downcast_ref() {
            return TransportError::Guarded(why.clone());
        }
        source = inner.source();
    }
    let why = cause(error);
    if error.is_dns() {
        TransportError::NotSent(format!("{host}: {UNRESOLVED}: {why}"))
    } else if error.is_connect() {
        TransportError::NotSent(format!("{host}: no connection: {why}"))
    } else if error.is_builder() {
        TransportError::NotSent(format!("{host}: the request cannot be built"))
    } else {
        TransportError::Lost(format!("{host}: the connection broke: {why}"))
    }
}

/// The innermost cause: the outer errors' texts hold the whole address, whose path may be secret.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = innermost.and_then(Error::source) {
        innermost = Some(inner);
    }
    innermost.map_or_else(|| "no further cause".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests;
