//! The HTTP listener for callbacks. It logs no path: a path carries a token.
//!
//! Anybody may call, so everything is bounded: how many connections there are, how long each lives, how long its head
//! and its body may take, and how large they are. Compressed bodies are not decoded.

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
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::IncomingCall;
use stagecall_core::usecases::{Answer, Receiver};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The largest callback body, in bytes. Willo's are a few kilobytes.
const LARGEST: usize = 256 * 1024;

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 32 * 1024;

/// How long a caller may take to send a head, and again to send a body.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may be used; then it ends with what is under way.
const LIFE: Duration = Duration::from_mins(1);

/// Most connections at a time. Who comes later waits until one ends.
const MOST: usize = 256;

/// Most callers that the system lets wait for a connection. Those of a burst that find no room there knock again after a
/// second, and some are broken off.
const WAITING: u32 = 1024;

/// A listener at this address.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // The port of a host that has just ended can be taken at once.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

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
    let places = Arc::new(Semaphore::new(MOST));
    let (ending, end) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => {
                    let (router, end) = (router.clone(), end.clone());
                    connections.spawn(async move {
                        let _place = place;
                        converse(stream, router, end).await;
                    });
                }
                Err(error) if gone(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted at present");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
    drop(listener);
    drop(ending);
    while connections.join_next().await.is_some() {}
}

/// Whether a connection was given up by its caller before it was accepted.
fn gone(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        kind,
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Answers one connection's requests until its time is over or `end` has no sender any more.
async fn converse(stream: TcpStream, router: Router, mut end: watch::Receiver<()>) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
    );
    tokio::select! {
        // However it ends, it concerns nobody but its caller.
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(LIFE) => {}
        _ = end.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    // Whoever does not take its answer is cut off.
    let _ = tokio::time::timeout(PATIENCE + PATIENCE / 2, connection).await;
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
