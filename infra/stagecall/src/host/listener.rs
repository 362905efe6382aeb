//! The HTTP listener for callbacks. It logs no path: a path carries a token.
//!
//! Anybody may call, so everything is bounded: how many connections there are, in all and of one address, how long each
//! lives, how long its head and its body may take, and how large they are. A body is read only at an address that exists.
//! Compressed bodies are not decoded.

mod places;

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
use places::Places;

/// The largest callback body, in bytes. Willo's are a few kilobytes.
const LARGEST: usize = 256 * 1024;

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 32 * 1024;

/// How long a caller may take to send a head, and how long a connection may be idle between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a caller may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be used; then it ends with what is under way.
const LIFE: Duration = Duration::from_mins(1);

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
    pulse: Arc<Pulse>,
    stopped: impl Future<Output = ()> + Send + 'static,
) {
    let router = Router::new()
        .route("/health", get(move || std::future::ready(health(&pulse))))
        .route("/callbacks/{tenant}/{account}/{token}", post(callback))
        .with_state(receiver);
    let places = Places::default();
    let (ending, end) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped);
    loop {
        let next = async {
            places.free().await;
            listener.accept().await
        };
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = next => match accepted {
                Ok((stream, from)) => {
                    // Whoever has all places of its address is cut off.
                    let Some(place) = places.take(from.ip()) else { continue };
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
            .header_read_timeout(HEAD_TIMEOUT)
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
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, LARGEST)).await {
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

/// One answer for every address that is not one, so that nothing can be learned from it.
const NO_SUCH_ADDRESS: (StatusCode, &str) = (StatusCode::NOT_FOUND, "no such address\n");

fn not_stored(error: &StoreError) -> (StatusCode, &'static str) {
    tracing::error!(%error, "a callback could not be stored");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "not stored, please send it again\n",
    )
}
