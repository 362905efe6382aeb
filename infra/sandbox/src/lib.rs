//! Simulators of Eploy, Willo, WeCP and an HRMS over real HTTP: for the demo, the tests and customers' rehearsals.
//!
//! The sandbox is the judge of every test: it records every call that it received, every invitation that it sent and every
//! write to an application. It shares no code with the clients under test. It follows the reference pages of the three
//! products; where those are silent, it has a switch with every plausible behaviour.
//!
//! ```no_run
//! # async fn show() -> Result<(), Box<dyn std::error::Error>> {
//! use stagecall_sandbox::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options::default()).await?;
//! let player = sandbox.player();
//! let system = player.eploy("acme").await?;
//! println!("Eploy answers at {}", system.base_url);
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod call;
mod client;
mod context;
pub mod control;
mod eploy;
mod faults;
mod gateway;
mod hrms;
mod outbox;
mod participant;
mod people;
mod record;
mod register;
mod server;
mod state;
pub mod story;
#[cfg(test)]
mod testing;
mod throttle;
mod webhook_sender;
mod wecp;
mod willo;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::control::SandboxClient;
use crate::state::Shared;

/// How to start a sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// The seed for people, keys and faults: the same seed gives the same people.
    pub seed: u64,
}

/// Starts sandboxes.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts one on the loopback. Fails if the port is in use.
    pub async fn start(options: Options) -> io::Result<Running> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let addr = listener.local_addr()?;
        let (shared, deliveries) = Shared::new(addr, options.seed);
        let (stop, stopped) = watch::channel(false);
        let send_webhooks = tokio::spawn(webhook_sender::send_webhooks(
            shared.clone(),
            deliveries,
            stopped.clone(),
        ));
        let router = gateway::router()
            .merge(control::router())
            .with_state(shared);
        let server = tokio::spawn(server::serve(listener, router, stopped));
        tracing::info!(port = addr.port(), "sandbox started");
        Ok(Running {
            addr,
            stop,
            tasks: [server, send_webhooks],
        })
    }
}

/// A running sandbox. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

impl Running {
    /// The address that it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A client of its control API.
    pub fn player(&self) -> SandboxClient {
        SandboxClient::new(&self.url())
    }

    /// Stops it: when this returns, nothing is listening and no connection is open.
    pub async fn shutdown(self) {
        // An error means that the tasks have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "sandbox task failed");
            }
        }
    }
}
