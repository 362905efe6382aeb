//! The check of the address that platforms call.

use std::time::Duration;

use serde_json::json;
use stagecall_http::{Limits, Method, Request};
use url::Url;

use super::INSTALLATION;
use crate::finding::Finding;
use crate::installation::Installation;

/// Timeout of the request to the callback address.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(15);
/// Limit of the callback address's response.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Whether the callback address leads to our listener, which answers with its own 404 to an unknown path.
pub(super) async fn check(on: &Installation, public_url: Option<&Url>) -> Finding {
    let what = "callbacks";
    let Some(public_url) = public_url.or(on.public_url.as_ref()) else {
        return Finding::note(
            INSTALLATION,
            what,
            "no public address is given (--public-url); without one, results are found by polling the platforms",
        );
    };
    let problem = |found: String| {
        Finding::problem(
            INSTALLATION,
            what,
            "stagecall.callback_address",
            found,
            "Forward POST /callbacks/… from that address to Stagecall's listener, with path and body unchanged",
        )
    };
    // A well-formed path with a token that nobody has.
    let path = format!("callbacks/doctor/doctor/{}", "0".repeat(64));
    let Ok(url) = public_url.join(&path) else {
        return problem(format!("{public_url} cannot be used as a callback address"));
    };
    let request = Request::new(Method::Post, url).json(&json!({}));
    let limits = Limits {
        time: CALLBACK_TIMEOUT,
        answer: MAX_RESPONSE_BYTES,
    };
    match on.transport.send(request, limits).await {
        Ok(answer) if answer.status == 404 && answer.body.starts_with(b"no such address") => {
            Finding::ok(
                INSTALLATION,
                what,
                format!("{public_url} leads to Stagecall's listener"),
            )
        }
        Ok(answer) => problem(format!(
            "{public_url} answers, but not as Stagecall's listener (HTTP {})",
            answer.status
        )),
        Err(error) => problem(format!("{public_url}: {error}")),
    }
}
