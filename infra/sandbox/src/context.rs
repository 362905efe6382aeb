//! The parts of the state that a platform account needs beside itself.

use crate::faults::{Faults, Target};
use crate::outbox::{Delivery, Outbox};
use crate::record::Records;

pub(crate) struct Context {
    pub(crate) records: Records,
    pub(crate) faults: Faults,
    pub(crate) outbox: Outbox,
    pub(crate) random: fastrand::Rng,
}

impl Context {
    /// Calls back, with the fault that hits callbacks of this operation.
    pub(crate) fn call_back(&mut self, operation: &str, delivery: Delivery) {
        let fault = self.faults.of_callback(&Target {
            system: &delivery.account,
            operation,
            method: "POST",
            path: "",
        });
        self.outbox.put(Delivery { fault, ..delivery });
    }
}
