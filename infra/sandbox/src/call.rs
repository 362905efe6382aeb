//! A call as a simulator receives it, and its response, both as plain data.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::Value;

/// A complete call.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path after `/eploy/{system}`, `/willo/{account}`, `/wecp/{account}` or `/hrms/{name}`, split at its slashes, without empty parts.
    pub(crate) segments: Vec<String>,
    /// Whether the path ends in a slash.
    pub(crate) slash: bool,
    /// The query, decoded, in order.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
    pub(crate) now: Timestamp,
}

impl Call {
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The last value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The segments as text, for matching.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            body: body.to_string().into_bytes(),
            ..Self::empty(status)
        }
        .with(header::CONTENT_TYPE, "application/json; charset=utf-8")
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self {
            body: text.as_bytes().to_vec(),
            ..Self::empty(status)
        }
        .with(header::CONTENT_TYPE, "text/plain; charset=utf-8")
    }

    /// An error page as a web server in front of the product sends it.
    pub(crate) fn html(status: u16, text: &str) -> Self {
        Self {
            body: format!(
                "<!DOCTYPE html><html><body><h1>{status}</h1><p>{text}</p></body></html>"
            )
            .into_bytes(),
            ..Self::empty(status)
        }
        .with(header::CONTENT_TYPE, "text/html; charset=utf-8")
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn retry_after(self, seconds: Option<u64>) -> Self {
        match seconds {
            Some(seconds) => self.with(header::RETRY_AFTER, seconds.to_string()),
            None => self,
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
