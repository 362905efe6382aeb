//! The HTTP listener for callbacks and health. What is answered is decided by `stagecall_web`.
//!
//! Anybody may call, so everything is limited: the number of connections, in total and per address, the lifetime of each,
//! the size of headers, and the time for headers and body. Compressed bodies are not decoded.

mod connection_limit;
mod timed_body;

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use stagecall_web::Site;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use connection_limit::ConnectionLimit;
use timed_body::TimedBody;

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
    site: Site,
    stopped: impl Future<Output = ()> + Send + 'static,
) {
    let site = Arc::new(site);
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
                    let (site, end) = (site.clone(), end.clone());
                    connections.spawn(async move {
                        let _permit = permit;
                        serve_connection_until(stream, &site, end).await;
                    });
                }
                Err(error) if closed_by_caller(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "connection not accepted");
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
async fn serve_connection_until(stream: TcpStream, site: &Site, mut end: watch::Receiver<()>) {
    let respond = async |request: Request<Incoming>| {
        let request = request.map(|body| TimedBody::new(body, BODY_TIMEOUT));
        let response = site.respond(request).await;
        Ok::<_, Infallible>(response.map(Full::<Bytes>::from))
    };
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service_fn(respond))
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
