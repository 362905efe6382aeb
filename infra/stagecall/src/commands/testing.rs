//! An installation in a folder of its own, for the tests of commands.

use serde_json::json;
use stagecall_core::Timestamp;
use stagecall_core::ids::InvitationKey;
use stagecall_core::invitation::{Entry, Invitation, State};
use stagecall_core::tenant::Tenant;
use tempfile::TempDir;

use crate::confirm::Audit;
use crate::store::Arguments;
use crate::store::{self, StoreUrl};
use stagecall_operations::Installation;

/// A store without tenants; it is gone with the folder.
pub(crate) async fn installation() -> (Installation, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = Arguments {
        store: Some(StoreUrl::Sqlite(folder.path().join("stagecall.db"))),
        config: None,
        sandbox: false,
    };
    let on = store::open_or_create(&arguments).await.unwrap();
    (on, folder)
}

/// A tenant with this platform account, and a mapping to it.
pub(crate) fn tenant(account: &str) -> Tenant {
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
pub(crate) async fn with_open_invitation(on: &Installation, tenant: &Tenant) {
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

/// Somebody who does not want to be asked.
pub(crate) fn audit() -> Audit {
    Audit {
        yes: true,
        reason: None,
        by: Some("ada".to_owned()),
    }
}
