//! All state, behind one lock. Nothing awaits while it holds the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::context::Context;
use crate::eploy::System;
use crate::faults::Faults;
use crate::outbox::{Delivery, Outbox};
use crate::people::People;
use crate::record::Records;
use crate::{wecp, willo};

/// The state.
pub(crate) struct SandboxState {
    addr: SocketAddr,
    pub(crate) systems: BTreeMap<String, System>,
    pub(crate) willo: BTreeMap<String, willo::Account>,
    pub(crate) wecp: BTreeMap<String, wecp::Account>,
    /// The names of the HRMS that were set up.
    pub(crate) hrms: BTreeSet<String>,
    pub(crate) people: People,
    pub(crate) context: Context,
}

impl SandboxState {
    /// The Eploy system of this name, created on first use.
    pub(crate) fn system(&mut self, name: &str) -> &mut System {
        self.system_with_all(name).0
    }

    /// The same, with the people and what else it needs.
    pub(crate) fn system_with_all(
        &mut self,
        name: &str,
    ) -> (&mut System, &mut People, &mut Context) {
        let system = self.systems.entry(name.to_owned()).or_insert_with(|| {
            let url = format!("http://{}/eploy/{name}", self.addr);
            System::new(name, url, &mut self.context.random)
        });
        (system, &mut self.people, &mut self.context)
    }

    /// The Willo account of this name, created on first use, with its surroundings.
    pub(crate) fn willo_account(&mut self, name: &str) -> (&mut willo::Account, &mut Context) {
        let account = self.willo.entry(name.to_owned()).or_insert_with(|| {
            let url = format!("http://{}/willo/{name}", self.addr);
            willo::Account::new(name, url, &mut self.context.random)
        });
        (account, &mut self.context)
    }

    /// The WeCP account of this name, likewise.
    pub(crate) fn wecp_account(&mut self, name: &str) -> (&mut wecp::Account, &mut Context) {
        let account = self.wecp.entry(name.to_owned()).or_insert_with(|| {
            let url = format!("http://{}/wecp/{name}", self.addr);
            wecp::Account::new(name, url, &mut self.context.random)
        });
        (account, &mut self.context)
    }

    /// The webhook URL of an HRMS, which is created by this.
    pub(crate) fn hrms_url(&mut self, name: &str) -> String {
        self.hrms.insert(name.to_owned());
        format!("http://{}/hrms/{name}/webhooks", self.addr)
    }
}

/// A handle on the state.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<SandboxState>>);

impl Shared {
    pub(crate) fn new(addr: SocketAddr, seed: u64) -> (Self, mpsc::UnboundedReceiver<Delivery>) {
        let (outbox, deliveries) = Outbox::new();
        let state = SandboxState {
            addr,
            systems: BTreeMap::new(),
            willo: BTreeMap::new(),
            wecp: BTreeMap::new(),
            hrms: BTreeSet::new(),
            people: People::new(seed),
            context: Context {
                records: Records::default(),
                faults: Faults::default(),
                outbox,
                // Keys must not repeat the random numbers of people.
                random: fastrand::Rng::with_seed(seed ^ 0x5eed_cafe),
            },
        };
        (Self(Arc::new(Mutex::new(state))), deliveries)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SandboxState> {
        // A handler that panicked has failed one call; others continue.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
