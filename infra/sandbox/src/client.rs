//! A small HTTP client for the loopback: no TLS, no redirects, no retries.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Request};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A call without a response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is invalid.
    #[error("the request cannot be built: {0}")]
    Request(#[from] hyper::http::Error),
    /// No connection, or it closed before a response.
    #[error("no answer came: {0}")]
    Connection(#[from] hyper_util::client::legacy::Error),
    /// The connection closed within the response.
    #[error("the answer broke off: {0}")]
    Body(#[from] hyper::Error),
    /// A timeout.
    #[error("no answer came within {0:?}")]
    TimedOut(Duration),
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests read headers"))]
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The client. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    limit: Duration,
}

impl Client {
    /// A client with this timeout.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            pool: Pool::builder(TokioExecutor::new())
                .retry_canceled_requests(false)
                .build(HttpConnector::new()),
            limit,
        }
    }

    /// Sends a request with these headers and, if it is not empty, this body.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Reply, ClientError> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        let exchange = async {
            let response = self.pool.request(request).await?;
            let (parts, body) = response.into_parts();
            Ok(Reply {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        tokio::time::timeout(self.limit, exchange)
            .await
            .unwrap_or(Err(ClientError::TimedOut(self.limit)))
    }

    /// Posts JSON.
    pub(crate) async fn post_json(&self, url: &str, body: Vec<u8>) -> Result<Reply, ClientError> {
        let json = [(CONTENT_TYPE.as_str(), "application/json")];
        self.send(Method::POST, url, &json, body).await
    }
}
