//! An installation in a folder of its own, for tests.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use serde_json::json;
use stagecall_core::Timestamp;
use stagecall_core::clock::{Clock, SystemClock};
use stagecall_core::error::{CallError, StoreError};
use stagecall_core::ids::InvitationKey;
use stagecall_core::invitation::{Entry, Invitation, State};
use stagecall_core::ports::{Hrms, HrmsAnswer, Queue, Webhook};
use stagecall_core::tenant::{HrmsEndpoint, Tenant};
use stagecall_core::timing::Timing;
use stagecall_core::work::Work;
use stagecall_embedded::{Store, Vault};
use stagecall_http::{Guard, Sender};
use tempfile::TempDir;

use crate::installation::{Hosting, Installation, Surroundings};

/// An installation without tenants, whose calls fail; it is gone with the folder.
pub fn installation() -> (Installation, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stagecall.db");
    let store = Arc::new(Store::open(&path).unwrap());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let vault = Arc::new(Vault::beside(&path, clock.clone()));
    let around = Surroundings {
        name: "sqlite:stagecall.db".to_owned(),
        hosting: Hosting::Embedded,
        secrets: vault.clone(),
        vault,
        queue: Arc::new(NoopQueue),
        dead_letters: Vec::new(),
        transport: Arc::new(Sender::new(Guard::Public).unwrap()),
        hrms: Arc::new(NoHrms),
        clock,
        timing: Timing::default(),
        sandbox: false,
        public_url: None,
        zone: TimeZone::UTC,
    };
    (Installation::new(&store, around), folder)
}

/// No hire is announced here.
struct NoHrms;

#[async_trait]
impl Hrms for NoHrms {
    async fn deliver(
        &self,
        _: &Tenant,
        _: &HrmsEndpoint,
        _: &Webhook,
    ) -> Result<HrmsAnswer, CallError> {
        unreachable!("no hire is announced here")
    }
}

struct NoopQueue;

#[async_trait]
impl Queue for NoopQueue {
    async fn push(&self, _: Vec<Work>) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_durable(&self) -> bool {
        false
    }
}

/// A tenant with this platform account, and a mapping to it.
pub fn tenant(account: &str) -> Tenant {
    serde_json::from_value(json!({
        "id": "acme",
        "eploy": {"base_url": "https://acme.eploy.net/"},
        "platforms": {account: {"kind": "willo"}},
        "mappings": [{
            "id": "video",
            "vacancies": "all",
            "triggers": [{"stage": "12"}],
            "assessment": {"account": account, "assessment": "a1"},
        }],
    }))
    .unwrap()
}

/// Saves the tenant, with an invitation of its mapping that is open at the platform.
pub async fn with_open_invitation(on: &Installation, tenant: &Tenant) {
    on.records.put_tenant(tenant).await.unwrap();
    let mapping = &tenant.mappings[0];
    let key = InvitationKey {
        tenant: tenant.id.clone(),
        application: "70001".into(),
        mapping: mapping.id.clone(),
        round: 1,
    };
    let entry = Entry {
        seen_at: Timestamp::from_second(1_800_000_000).unwrap(),
        entered_at: None,
        history: None,
        modified: None,
        left_at: None,
        not_before: None,
    };
    let assessment = mapping.assessment.clone();
    let mut open = Invitation::detected(key, "9001".into(), "4101".into(), assessment, entry);
    open.state = State::Invited;
    on.ledger.insert(&open).await.unwrap();
}
