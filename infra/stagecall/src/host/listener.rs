//! The HTTP listener for callbacks. It logs no path: a path carries a token.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::IncomingCall;
use stagecall_core::usecases::{Answer, Receiver};
use tokio::net::TcpListener;

/// The largest callback body, in bytes. Willo's are a few kilobytes.
const LARGEST: usize = 256 * 1024;

/// How long a caller may take to send its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Listens until `stopped` resolves, then answers what is under way.
pub(crate) async fn serve(
    listener: TcpListener,
    receiver: Receiver,
    stopped: impl Future<Output = ()> + Send + 'static,
) {
    let router = Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/callbacks/{tenant}/{account}/{token}", post(callback))
        .with_state(receiver);
    if let Err(error) = axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await
    {
        tracing::error!(%error, "the listener ended");
    }
}

async fn callback(
    State(receiver): State<Receiver>,
    Path((tenant, account, token)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Body,
) -> (StatusCode, &'static str) {
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return (StatusCode::PAYLOAD_TOO_LARGE, "too large or broken off\n"),
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "too slow\n"),
    };
    let headers: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let call = IncomingCall {
        query: &query,
        headers: &headers,
        body: &body,
    };
    let answer = receiver
        .receive(
            &TenantId::new(tenant),
            &AccountId::new(account),
            &token,
            &call,
        )
        .await;
    match answer {
        Ok(Answer::Accepted) => (StatusCode::OK, "stored\n"),
        Ok(Answer::NoSuchAddress) => (StatusCode::NOT_FOUND, "no such address\n"),
        Ok(Answer::Forged) => (
            StatusCode::UNAUTHORIZED,
            "the signature is missing or wrong\n",
        ),
        Ok(Answer::Unreadable) => (StatusCode::BAD_REQUEST, "not understood\n"),
        Err(error) => {
            tracing::error!(%error, "a callback could not be stored");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "not stored, please send it again\n",
            )
        }
    }
}
