//! All state, behind one lock. Nothing awaits while it holds the lock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::eploy::System;
use crate::faults::Faults;
use crate::people::People;
use crate::record::Records;
use crate::willo::deliver::Delivery;
use crate::willo::{Account, Around};

/// The state.
pub(crate) struct World {
    addr: SocketAddr,
    pub(crate) systems: BTreeMap<String, System>,
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) people: People,
    pub(crate) faults: Faults,
    pub(crate) records: Records,
    pub(crate) random: fastrand::Rng,
    pub(crate) outbox: Outbox,
}

impl World {
    /// The Eploy system of this name, created on first use.
    pub(crate) fn system(&mut self, name: &str) -> &mut System {
        self.system_with_all(name).0
    }

    /// The same, with the people and the records beside it.
    pub(crate) fn system_with_all(
        &mut self,
        name: &str,
    ) -> (&mut System, &mut People, &mut Records) {
        let system = self.systems.entry(name.to_owned()).or_insert_with(|| {
            System::new(
                name,
                format!("http://{}/eploy/{name}", self.addr),
                &mut self.random,
            )
        });
        (system, &mut self.people, &mut self.records)
    }

    /// The Willo account of this name, created on first use, with what it reaches beyond itself.
    pub(crate) fn account(&mut self, name: &str) -> (&mut Account, Around<'_>) {
        let account = self.accounts.entry(name.to_owned()).or_insert_with(|| {
            Account::new(
                name,
                format!("http://{}/willo/{name}", self.addr),
                &mut self.random,
            )
        });
        let around = Around {
            records: &mut self.records,
            faults: &mut self.faults,
            outbox: &mut self.outbox,
            random: &mut self.random,
        };
        (account, around)
    }
}

/// Callbacks on their way out.
pub(crate) struct Outbox {
    sender: mpsc::UnboundedSender<Delivery>,
    /// How many are neither delivered nor given up.
    pub(crate) pending: usize,
}

impl Outbox {
    pub(crate) fn put(&mut self, delivery: Delivery) {
        if self.sender.send(delivery).is_ok() {
            self.pending += 1;
        }
    }
}

/// A handle on the state.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(addr: SocketAddr, seed: u64) -> (Self, mpsc::UnboundedReceiver<Delivery>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let world = World {
            addr,
            systems: BTreeMap::new(),
            accounts: BTreeMap::new(),
            people: People::new(seed),
            faults: Faults::default(),
            records: Records::default(),
            // Keys must not repeat what people are made from.
            random: fastrand::Rng::with_seed(seed ^ 0x5eed_cafe),
            outbox: Outbox { sender, pending: 0 },
        };
        (Self(Arc::new(Mutex::new(world))), receiver)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // A handler that panicked has failed one call; the others go on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
