//! An installation on a backend's store, whose clock stands and whose queue remembers.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::tz::TimeZone;
use serde_json::json;
use stagecall_core::Timestamp;
use stagecall_core::clock::Clock;
use stagecall_core::error::{CallError, StoreError};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{AuditRecord, Hrms, HrmsAnswer, Inserted, Queue, Webhook};
use stagecall_core::tenant::{HrmsEndpoint, Tenant};
use stagecall_core::timing::Timing;
use stagecall_core::work::Work;
use stagecall_embedded::Vault;
use stagecall_http::{Guard, Sender};
use stagecall_operations::{Actor, Change, Hosting, Installation, Prepared};
use stagecall_tests::sample::{at, tenant};
use tempfile::TempDir;

use crate::conformance::{Backend, Stores};

/// An installation and what a test sees and sets of its surroundings.
pub(super) struct Operated {
    pub on: Installation,
    pub stores: Stores,
    pub clock: Arc<Stopped>,
    queue: Arc<Remembering>,
    _folder: TempDir,
}

impl Operated {
    /// The installation with the tenant [`acme`], at [`at`]`(10.0)`.
    pub async fn new(backend: &impl Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Stopped(Mutex::new(at(10.0))));
        let vault = Vault::beside(&folder.path().join("secrets"), clock.clone());
        let vault = Arc::new(vault);
        let queue = Arc::new(Remembering::default());
        let stores = backend.stores();
        let on = Installation {
            name: "conformance".to_owned(),
            hosting: Hosting::Embedded,
            ledger: stores.ledger.clone(),
            sweeps: stores.sweeps.clone(),
            tenants: stores.tenants.clone(),
            definitions: stores.definitions.clone(),
            states: stores.states.clone(),
            allowance: stores.allowance.clone(),
            deliveries: stores.deliveries.clone(),
            records: stores.records.clone(),
            announcements: stores.announcements.clone(),
            secrets: vault.clone(),
            vault,
            queue: queue.clone(),
            dead_letters: Vec::new(),
            transport: Arc::new(Sender::new(Guard::Public).unwrap()),
            hrms: Arc::new(NoHrms),
            clock: clock.clone(),
            timing: Arc::new(Timing::default()),
            sandbox: false,
            public_url: None,
            zone: TimeZone::UTC,
        };
        backend.configure(&acme()).await;
        Self {
            on,
            stores,
            clock,
            queue,
            _folder: folder,
        }
    }

    /// Saves a row with all that happened to it.
    pub async fn save(&self, row: &Invitation) {
        let mut first = row.clone();
        first.version = 0;
        let inserted = self.stores.ledger.insert(&first).await.unwrap();
        assert_eq!(inserted, Inserted::New);
        for version in 1..=row.version {
            let next = Invitation {
                version,
                ..row.clone()
            };
            self.stores.ledger.save(&next).await.unwrap();
        }
    }

    /// The row as it is saved now.
    pub async fn load(&self, row: &Invitation) -> Invitation {
        let loaded = self.stores.ledger.load(&row.key).await;
        loaded.unwrap().unwrap()
    }

    /// Applies a change, as Ada.
    pub async fn apply<C: Change>(&self, change: C) -> stagecall_operations::Result<C::Done> {
        change.apply(&self.on, &ada()).await
    }

    /// What was done, and to what, by the audit records.
    pub async fn audited(&self) -> Vec<(String, String)> {
        let audits = self.stores.records.audits(Some(&acme().id), None).await;
        let of_ada = |audit: AuditRecord| {
            assert_eq!(audit.who, "ada");
            assert_eq!(audit.why.as_deref(), Some("ticket 118"));
            (audit.what, audit.target)
        };
        audits.unwrap().into_iter().map(of_ada).collect()
    }

    /// What was enqueued since the last call.
    pub fn enqueued(&self) -> Vec<Work> {
        std::mem::take(&mut self.queue.0.lock().unwrap())
    }
}

/// The prepared change; there is something to change.
pub(super) fn change<C>(prepared: Prepared<C>) -> C {
    match prepared {
        Prepared::Change(change) => change,
        Prepared::Nothing(why) => panic!("{why}"),
    }
}

/// Why there is nothing to change.
pub(super) fn nothing<C>(prepared: Prepared<C>) -> String {
    match prepared {
        Prepared::Change(_) => panic!("there is something to change"),
        Prepared::Nothing(why) => why,
    }
}

fn ada() -> Actor {
    Actor {
        who: "ada".to_owned(),
        why: Some("ticket 118".to_owned()),
    }
}

/// A tenant with the mapping of the sample invitations, and an HRMS.
pub(super) fn acme() -> Tenant {
    let mapping = json!({
        "id": "video",
        "vacancies": "all",
        "triggers": [{"stage": "12"}],
        "assessment": {"account": "willo", "assessment": "interview-1"},
    });
    let endpoint = HrmsEndpoint {
        url: "https://hrms.example.com/".parse().unwrap(),
        person: [].into(),
    };
    let hires = json!({"when": {"stages": [{"stage": "20"}]}, "endpoint": endpoint});
    Tenant {
        mappings: vec![serde_json::from_value(mapping).unwrap()],
        hires: Some(serde_json::from_value(hires).unwrap()),
        ..tenant("acme")
    }
}

/// A clock that shows what it is set to.
pub(super) struct Stopped(Mutex<Timestamp>);

impl Stopped {
    pub fn set(&self, to: Timestamp) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[derive(Default)]
struct Remembering(Mutex<Vec<Work>>);

#[async_trait]
impl Queue for Remembering {
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError> {
        self.0.lock().unwrap().extend(work);
        Ok(())
    }

    fn is_durable(&self) -> bool {
        false
    }
}

/// Operators only make webhooks due.
struct NoHrms;

#[async_trait]
impl Hrms for NoHrms {
    async fn deliver(
        &self,
        _: &Tenant,
        _: &HrmsEndpoint,
        _: &Webhook,
    ) -> Result<HrmsAnswer, CallError> {
        unreachable!("operators only make webhooks due")
    }
}
