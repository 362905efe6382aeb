//! What Stagecall answers over HTTP, as a function from a request to a response. The embedded host mounts it behind a
//! listener, the callback function behind API Gateway; both keep their sockets, limits of time, and event shapes.

mod answer;
mod callbacks;

use std::borrow::Cow;
use std::error::Error;

use http::{Method, Request};
use http_body::Body;
use percent_encoding::percent_decode_str;
use stagecall_core::usecases::Receiver;

pub use answer::Answer;

/// A response. Its texts are for readers of a platform's log.
pub type Response = http::Response<Cow<'static, str>>;

/// The error of a body that took longer than its host waits.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body took too long")]
pub struct TooSlow;

/// Says what is wrong with the host; `None`: nothing.
pub type Health = Box<dyn Fn() -> Option<&'static str> + Send + Sync>;

/// Everything that has an address.
pub struct Site {
    /// Receives callbacks.
    pub receiver: Receiver,
    /// The host's health. A function has none.
    pub health: Option<Health>,
}

impl Site {
    /// Answers a request. Its body is read only if it is wanted, and no further than its limit.
    pub async fn respond<B>(&self, request: Request<B>) -> Response
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let Some(path) = segments(head.uri.path()) else {
            return Answer::NoSuchAddress.into();
        };
        let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
        match (&path[..], &self.health) {
            (["health"], Some(health)) => match head.method {
                Method::GET | Method::HEAD => health().map_or(Answer::Healthy, Answer::Unhealthy),
                _ => Answer::MethodNotAllowed("GET,HEAD"),
            },
            (["callbacks", tenant, account, token], _) => match head.method {
                Method::POST => {
                    let address = (*tenant, *account, *token);
                    callbacks::answer(&self.receiver, address, &head, body).await
                }
                _ => Answer::MethodNotAllowed("POST"),
            },
            _ => Answer::NoSuchAddress,
        }
        .into()
    }
}

/// The decoded segments of a path; `None` if one is not text.
fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    path.strip_prefix('/')?
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8().ok())
        .collect()
}

#[cfg(test)]
mod tests;
