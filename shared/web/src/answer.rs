//! The answers, each with its status and text.

use std::borrow::Cow;

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::Response;

/// An answer without a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The callback was stored.
    Stored,
    /// The callback could not be stored: the platform sends it again.
    NotStored,
    /// The same for every unknown address and for a wrong token, so that callers learn nothing from it.
    NoSuchAddress,
    /// The address takes these methods only.
    MethodNotAllowed(&'static str),
    /// The body is larger than its limit.
    TooLarge,
    /// The body took longer than the host waits.
    TooSlow,
    /// The body ended before its end.
    BrokenOff,
    /// The required signature is missing or wrong.
    Forged,
    /// The body cannot be parsed.
    NotUnderstood,
    /// Nothing is wrong with the host.
    Healthy,
    /// This is wrong with the host, in general words, because anybody may ask.
    Unhealthy(&'static str),
}

impl Answer {
    fn status(self) -> StatusCode {
        match self {
            Self::Stored | Self::Healthy => StatusCode::OK,
            Self::BrokenOff | Self::NotUnderstood => StatusCode::BAD_REQUEST,
            Self::Forged => StatusCode::UNAUTHORIZED,
            Self::NoSuchAddress => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotStored | Self::Unhealthy(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Stored => "stored\n",
            Self::NotStored => "not stored, please send it again\n",
            Self::NoSuchAddress => "no such address\n",
            Self::MethodNotAllowed(_) => "no such method here\n",
            Self::TooLarge => "too large\n",
            Self::TooSlow => "too slow\n",
            Self::BrokenOff => "broken off\n",
            Self::Forged => "the signature is missing or wrong\n",
            Self::NotUnderstood => "not understood\n",
            Self::Healthy => "ok\n",
            Self::Unhealthy(problem) => return format!("{problem}\n").into(),
        })
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.text());
        *response.status_mut() = answer.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        if let Answer::MethodNotAllowed(allowed) = answer {
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}
