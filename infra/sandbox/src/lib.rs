//! Stand-ins of Eploy, Willo, WeCP and an HRMS that speak real HTTP: for the demo, the tests and a customer's rehearsal.
//!
//! The sandbox is the judge in every test: it records every call that it received, every invitation that it sent out
//! and every write to an application. It shares no code with the clients that it judges; what it does follows the
//! reference pages of the three products, and where those do not know, it has a switch for every plausible reading.
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
pub mod control;
mod eploy;
mod faults;
mod gateway;
mod hrms;
mod people;
mod record;
mod server;
mod state;
#[cfg(test)]
mod testing;
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

/// How a sandbox starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// What people, keys and faults are made up from: the same seed, the same people.
    pub seed: u64,
}

/// Starts sandboxes.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts one on the loopback. Fails if the port is taken.
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
        let server = tokio::spawn(server::serve(listener, control::router(shared), stopped));
        tracing::info!(port = addr.port(), "the sandbox listens");
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
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A client of its control API.
    pub fn player(&self) -> SandboxClient {
        SandboxClient::new(&self.url())
    }

    /// Stops it: nothing is listening, and no connection is open, when this returns.
    pub async fn shutdown(self) {
        // Nobody listens any more if the tasks have ended already, which is as good.
        let _ = self.stop.send(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the sandbox ended badly");
            }
        }
    }
}
