//! All state, behind one lock. Nothing awaits while it holds the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::control::ParticipantView;
use crate::eploy::System;
use crate::faults::Faults;
use crate::people::People;
use crate::record::{InvitationRecord, Platform, Records};
use crate::webhook_sender::Delivery;
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
    pub(crate) faults: Faults,
    pub(crate) records: Records,
    pub(crate) random: fastrand::Rng,
    pub(crate) outbox: Outbox,
}

impl SandboxState {
    /// The Eploy system of this name, created on first use.
    pub(crate) fn system(&mut self, name: &str) -> &mut System {
        self.system_with_all(name).0
    }

    /// The same, with the people and the records.
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

    /// The Willo account of this name, created on first use, with its surroundings.
    pub(crate) fn willo(&mut self, name: &str) -> (&mut willo::Account, Context<'_>) {
        let account = self.willo.entry(name.to_owned()).or_insert_with(|| {
            willo::Account::new(
                name,
                format!("http://{}/willo/{name}", self.addr),
                &mut self.random,
            )
        });
        let around = Context {
            records: &mut self.records,
            faults: &mut self.faults,
            outbox: &mut self.outbox,
            random: &mut self.random,
        };
        (account, around)
    }

    /// The WeCP account of this name, likewise.
    pub(crate) fn wecp(&mut self, name: &str) -> (&mut wecp::Account, Context<'_>) {
        let account = self.wecp.entry(name.to_owned()).or_insert_with(|| {
            wecp::Account::new(
                name,
                format!("http://{}/wecp/{name}", self.addr),
                &mut self.random,
            )
        });
        let around = Context {
            records: &mut self.records,
            faults: &mut self.faults,
            outbox: &mut self.outbox,
            random: &mut self.random,
        };
        (account, around)
    }

    /// The webhook URL of an HRMS, which is created by this.
    pub(crate) fn hrms(&mut self, name: &str) -> String {
        self.hrms.insert(name.to_owned());
        format!("http://{}/hrms/{name}/webhooks", self.addr)
    }

    /// The participant of an invitation, as it is now.
    pub(crate) fn participant_view(&self, of: &InvitationRecord) -> Option<ParticipantView> {
        match of.platform {
            Platform::Willo => self
                .willo
                .get(&of.account)?
                .participant_view(&of.participant),
            Platform::Wecp => self
                .wecp
                .get(&of.account)?
                .participant_view(&of.participant),
        }
    }
}

/// The parts of the state that a platform account needs beside itself.
pub(crate) struct Context<'a> {
    pub(crate) records: &'a mut Records,
    pub(crate) faults: &'a mut Faults,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) random: &'a mut fastrand::Rng,
}

/// Callbacks to deliver.
pub(crate) struct Outbox {
    sender: mpsc::UnboundedSender<Delivery>,
    /// The number that are neither delivered nor given up.
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
pub(crate) struct Shared(Arc<Mutex<SandboxState>>);

impl Shared {
    pub(crate) fn new(addr: SocketAddr, seed: u64) -> (Self, mpsc::UnboundedReceiver<Delivery>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let world = SandboxState {
            addr,
            systems: BTreeMap::new(),
            willo: BTreeMap::new(),
            wecp: BTreeMap::new(),
            hrms: BTreeSet::new(),
            people: People::new(seed),
            faults: Faults::default(),
            records: Records::default(),
            // Keys must not repeat the random numbers of people.
            random: fastrand::Rng::with_seed(seed ^ 0x5eed_cafe),
            outbox: Outbox { sender, pending: 0 },
        };
        (Self(Arc::new(Mutex::new(world))), receiver)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SandboxState> {
        // A handler that panicked has failed one call; others continue.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
