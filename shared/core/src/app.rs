//! The application: routes each unit of work to the use case that handles it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Deadline;
use crate::engine::Engine;
use crate::error::Error;
use crate::ports::{
    Announcements, Deliveries, EployConnections, Hrms, PlatformConnections, Secrets, TenantStates,
};
use crate::usecases::{
    DeliveryProcessor, HireNotifier, Inviter, Poller, Receiver, Sweeper, WriteBack,
};
use crate::work::{Handled, Handler, Kind, Work};

/// The ports of a process that runs the whole application.
#[derive(Clone)]
pub struct Ports {
    /// The engine.
    pub engine: Engine,
    /// The poll state.
    pub states: Arc<dyn TenantStates>,
    /// The announcements of hires.
    pub announcements: Arc<dyn Announcements>,
    /// The deliveries.
    pub deliveries: Arc<dyn Deliveries>,
    /// The callback tokens.
    pub secrets: Arc<dyn Secrets>,
    /// The connections to Eploy.
    pub eploy: Arc<dyn EployConnections>,
    /// The connections to the platforms.
    pub platforms: Arc<dyn PlatformConnections>,
    /// The client of the tenants' HRMS.
    pub hrms: Arc<dyn Hrms>,
}

impl Ports {
    /// Polls tenants.
    pub fn poller(&self) -> Poller {
        Poller {
            engine: self.engine.clone(),
            states: self.states.clone(),
            announcements: self.announcements.clone(),
            eploy: self.eploy.clone(),
        }
    }

    /// Updates Eploy.
    pub fn write_back(&self) -> WriteBack {
        WriteBack {
            engine: self.engine.clone(),
            eploy: self.eploy.clone(),
            platforms: self.platforms.clone(),
        }
    }

    /// Sends invitations.
    pub fn inviter(&self) -> Inviter {
        Inviter::new(self.write_back())
    }

    /// Sweeps assessments.
    pub fn sweeper(&self) -> Sweeper {
        Sweeper::new(self.write_back())
    }

    /// Announces hires.
    pub fn hire_notifier(&self) -> HireNotifier {
        HireNotifier {
            engine: self.engine.clone(),
            announcements: self.announcements.clone(),
            eploy: self.eploy.clone(),
            hrms: self.hrms.clone(),
        }
    }

    /// Receives callbacks.
    pub fn receiver(&self) -> Receiver {
        Receiver {
            engine: self.engine.clone(),
            deliveries: self.deliveries.clone(),
            secrets: self.secrets.clone(),
            platforms: self.platforms.clone(),
        }
    }
}

/// The application, or the part of it that a process runs.
#[derive(Clone, Default)]
pub struct App {
    handlers: BTreeMap<Kind, Arc<dyn Handler>>,
}

impl App {
    /// The whole application.
    pub fn new(ports: &Ports) -> Self {
        Self::default()
            .with(ports.poller())
            .with(ports.inviter())
            .with(ports.write_back())
            .with(ports.sweeper())
            .with(DeliveryProcessor::new(
                ports.write_back(),
                ports.deliveries.clone(),
            ))
            .with(ports.hire_notifier())
    }

    /// The same with one more use case.
    #[must_use]
    pub fn with(mut self, handler: impl Handler + 'static) -> Self {
        self.handlers.insert(handler.kind(), Arc::new(handler));
        self
    }

    /// Handles an item of work; what takes long, until `deadline`.
    ///
    /// # Errors
    /// It failed, and is still due.
    pub async fn handle(&self, work: Work, deadline: Deadline) -> Result<Handled, Error> {
        match self.handlers.get(&work.kind()) {
            Some(handler) => handler.handle(work, deadline).await,
            None => Ok(Handled::Misplaced),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_ports::FakePorts;

    #[test]
    fn the_whole_application_handles_every_kind_of_work() {
        let app = App::new(&FakePorts::new().ports());
        let kinds: Vec<Kind> = app.handlers.keys().copied().collect();
        assert_eq!(kinds, Kind::ALL);
    }

    #[tokio::test]
    async fn a_part_of_the_application_refuses_other_work() {
        let app = App::default().with(FakePorts::new().ports().poller());
        let work = Work::Delivery {
            tenant: "acme".into(),
            id: "d1".to_owned(),
        };
        let refused = app.handle(work, Deadline::NONE).await;
        assert_eq!(refused.unwrap(), Handled::Misplaced);
    }
}
