//! The accept loop. It is our own so that a response can be withheld: a handler that returns [`broken`] has its connection
//! closed without a byte of response.

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The caller's address; an extension of every request.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

#[derive(Clone, Copy)]
struct Break;

/// The connection is closed on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken on purpose")]
struct Broken;

/// A response that is never sent: the connection closes instead.
pub(crate) fn broken() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Break);
    response
}

/// Serves until `stop` is set or its sender is gone; then closes all connections.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer.ip(), router.clone()));
                }
                Err(error) => tracing::warn!(%error, "connection not accepted"),
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, peer: IpAddr, router: Router) {
    // Without it, small responses on a kept-alive connection wait for the other side's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "connection closed before its first request");
        return;
    }
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answer = router.call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<Break>().is_some() {
                return Err(Broken);
            }
            Ok(response)
        }
    });
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "connection closed");
    }
}
