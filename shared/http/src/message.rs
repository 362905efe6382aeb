//! Requests and responses as plain data: clients build and parse them without any I/O.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::json::{NotJson, read_json};

/// The methods that the clients use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        })
    }
}

/// A request. Its debug form shows only method and host: the rest may be secret or personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets this JSON body and its content type.
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "{} {}/… ({} bytes)",
            self.method,
            self.url.host_str().unwrap_or("?"),
            self.body.len()
        )
    }
}

/// A response. Its debug form shows only the status: the rest may be personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body is a web page (HTML), or begins like one. No API called here answers so. A proxy or a login page
    /// does, in place of the API, and its status says nothing about the call.
    pub fn is_page(&self) -> bool {
        let body = self
            .body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.body);
        body.trim_ascii_start().first() == Some(&b'<')
    }

    /// The body as JSON, parsed tolerantly: see [`read_json`]. `None`: it is empty.
    pub fn json(&self) -> Result<Option<Value>, NotJson> {
        read_json(&self.body)
    }

    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// The limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the start to the last byte of the response.
    pub time: Duration,
    /// The maximum size of the response in bytes, after decompression.
    pub answer: usize,
}
