//! The HTTP listener for callbacks. It logs no paths, because a path holds a token.
//!
//! Anybody may call, so everything is limited: the number of connections, in total and per address, the lifetime of each,
//! the time for headers and body, and their sizes. A body is read only for an existing address. Compressed bodies are not
//! decoded.

mod connection_limit;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::IncomingCall;
use stagecall_core::usecases::{ReceiveOutcome, Receiver};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::pulse::Pulse;
use connection_limit::ConnectionLimit;

/// The limit of a callback body. Willo's are a few kilobytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The limit of a request's headers.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// The time to send the headers, and the idle time of a connection between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(3);

/// The time to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The lifetime of a connection; it then ends after its current request.
const MAX_CONNECTION_LIFETIME: Duration = Duration::from_mins(1);

/// The backlog of connections that the system keeps. In a burst beyond it, callers try again after a second, and some are
/// reset.
const BACKLOG: u32 = 1024;

/// Binds to this address.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Allows a new host to bind right after the previous one has exited.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stopped` resolves, then finishes the current requests.
pub(crate) async fn serve(
    listener: TcpListener,
    receiver: Receiver,
    pulse: Arc<Pulse>,
    stopped: impl Future<Output = ()> + Send + 'static,
) {
    let router = Router::new()
        .route("/health", get(move || std::future::ready(health(&pulse))))
        .route("/callbacks/{tenant}/{account}/{token}", post(callback))
        .with_state(receiver);
    let limit = ConnectionLimit::default();
    let (ending, end) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped);
    loop {
        let next = async {
            limit.free().await;
            listener.accept().await
        };
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = next => match accepted {
                Ok((stream, from)) => {
                    // Too many connections of this address: dropped.
                    let Some(permit) = limit.take(from.ip()) else { continue };
                    let (router, end) = (router.clone(), end.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        serve_connection_until(stream, router, end).await;
                    });
                }
                Err(error) if closed_by_caller(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "accepting a connection failed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
    drop(listener);
    drop(ending);
    while connections.join_next().await.is_some() {}
}

/// Whether the caller closed the connection before it was accepted.
fn closed_by_caller(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        kind,
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Serves one connection until its lifetime ends or `end` has no sender any more.
async fn serve_connection_until(stream: TcpStream, router: Router, mut end: watch::Receiver<()>) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
    );
    tokio::select! {
        // An error concerns only the caller.
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(MAX_CONNECTION_LIFETIME) => {}
        _ = end.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    // A caller that does not read its response is cut off.
    let _ = tokio::time::timeout(BODY_TIMEOUT + BODY_TIMEOUT / 2, connection).await;
}

fn health(pulse: &Pulse) -> (StatusCode, String) {
    match pulse.problem() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}

async fn callback(
    State(receiver): State<Receiver>,
    Path((tenant, account, token)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Body,
) -> (StatusCode, &'static str) {
    let (tenant, account) = (TenantId::new(tenant), AccountId::new(account));
    match receiver.is_known(&tenant, &account, &token).await {
        Ok(true) => {}
        Ok(false) => return NO_SUCH_ADDRESS,
        Err(error) => return not_stored(&error),
    }
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY_BYTES)).await {
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
    let answer = receiver.receive(&tenant, &account, &token, &call).await;
    match answer {
        Ok(ReceiveOutcome::Accepted) => (StatusCode::OK, "stored\n"),
        Ok(ReceiveOutcome::NoSuchAddress) => NO_SUCH_ADDRESS,
        Ok(ReceiveOutcome::Forged) => (
            StatusCode::UNAUTHORIZED,
            "the signature is missing or wrong\n",
        ),
        Ok(ReceiveOutcome::Unreadable) => (StatusCode::BAD_REQUEST, "not understood\n"),
        Err(error) => not_stored(&error),
    }
}

/// The same response for every unknown address, so that callers learn nothing from it.
const NO_SUCH_ADDRESS: (StatusCode, &str) = (StatusCode::NOT_FOUND, "no such address\n");

fn not_stored(error: &StoreError) -> (StatusCode, &'static str) {
    tracing::error!(%error, "callback not stored");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "not stored, please send it again\n",
    )
}
