//! A TCP proxy between a host and the sandbox, whose connections can be broken.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a proxy does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Forwards everything.
    Up,
    /// Breaks each connection after this many more bytes of requests or of answers.
    Breaking {
        /// Bytes of requests.
        requests: usize,
        /// Bytes of answers.
        answers: usize,
    },
    /// Forwards nothing, silently. Connections of such a time break when it ends.
    Silent,
    /// Refuses connections and breaks the open ones.
    Down,
}

/// A proxy. Dropping it breaks its connections.
pub struct TcpProxy {
    addr: SocketAddr,
    state: watch::Sender<State>,
    cuts: Arc<AtomicUsize>,
}

impl TcpProxy {
    /// Starts a proxy to this address.
    pub fn to(target: SocketAddr) -> Self {
        // Bound and never listening: it reserves the address while connections are refused there.
        let kept = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let addr = kept.local_addr().unwrap();
        let (state, at) = watch::channel(State::Up);
        let cuts = Arc::<AtomicUsize>::default();
        tokio::spawn(serve(kept, target, at, Arc::clone(&cuts)));
        Self { addr, state, cuts }
    }

    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes its state.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// The number of connections that it has broken.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

fn bound(to: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(to).unwrap();
    socket
}

async fn serve(
    kept: TcpSocket,
    target: SocketAddr,
    mut state: watch::Receiver<State>,
    cuts: Arc<AtomicUsize>,
) {
    const BACKLOG: u32 = 128;
    let addr = kept.local_addr().unwrap();
    let mut connections = JoinSet::new();
    let mut listener: Option<TcpListener> = None;
    loop {
        if *state.borrow_and_update() == State::Down {
            listener = None;
        } else if listener.is_none() {
            listener = Some(bound(addr).listen(BACKLOG).unwrap());
        }
        let accept = async {
            match &listener {
                Some(listener) => listener.accept().await.unwrap().0,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            client = accept => {
                let (state, cuts) = (state.clone(), Arc::clone(&cuts));
                connections.spawn(connection(client, target, state, cuts));
            }
            changed = state.changed() => if changed.is_err() { return },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Forwards bytes in both directions until one of them ends. Then it ends both.
async fn connection(
    client: TcpStream,
    target: SocketAddr,
    state: watch::Receiver<State>,
    cuts: Arc<AtomicUsize>,
) {
    // The other side may have ended. Then this one ends, too.
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    for side in [&client, &server] {
        if side.set_nodelay(true).is_err() {
            return;
        }
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = pass(from_client, to_server, state.clone(), |state| match state {
        State::Breaking { requests, .. } => Some(requests),
        _ => None,
    });
    let answers = pass(from_server, to_client, state, |state| match state {
        State::Breaking { answers, .. } => Some(answers),
        _ => None,
    });
    let cut = tokio::select! {
        cut = requests => cut,
        cut = answers => cut,
    };
    cuts.fetch_add(usize::from(cut), Ordering::Relaxed);
}

/// Forwards bytes in one direction. Returns whether the proxy broke the connection; otherwise a side closed it. `left`
/// has the bytes that may still pass in a state that breaks connections.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    left: impl Fn(State) -> Option<usize>,
) -> bool {
    let mut buffer = vec![0; 16 * 1024];
    let mut may = usize::MAX;
    // A connection that is made in such a state must see it from the beginning.
    state.mark_changed();
    loop {
        tokio::select! {
            biased;
            changed = state.changed() => {
                let now = *state.borrow_and_update();
                match now {
                    _ if changed.is_err() => return true,
                    State::Up => may = usize::MAX,
                    State::Breaking { .. } => may = left(now).unwrap_or(usize::MAX),
                    State::Down => return true,
                    State::Silent => {
                        // Either the state changed, or the proxy was dropped.
                        let _ = state.changed().await;
                        return true;
                    }
                }
            }
            read = from.read(&mut buffer) => {
                let Ok(count @ 1..) = read else { return false };
                let passing = count.min(may);
                if to.write_all(&buffer[..passing]).await.is_err() {
                    return false;
                }
                may = may.saturating_sub(passing);
                if passing < count || may == 0 {
                    return true;
                }
            }
        }
    }
}
