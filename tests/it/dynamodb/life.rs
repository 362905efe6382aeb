//! One invitation's whole life cycle with the real use cases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stagecall_aws::Store;
use stagecall_core::app::{App, Ports};
use stagecall_core::clock::Deadline;
use stagecall_core::engine::Engine;
use stagecall_core::ids::{AccountId, InvitationKey};
use stagecall_core::ports::{IncomingCall, Ledger as _, OperatorStore as _};
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    ActionPlan, Answerable, Mapping, MappingKind, PlatformConnection, Reentry, ReportPlan,
    Settings, Tenant, Texts, Trigger, Vacancies,
};
use stagecall_core::timing::Timing;
use stagecall_core::usecases::ReceiveOutcome;
use stagecall_core::work::{Kind, Work};
use stagecall_tests::sample::{assessment, tenant};

use super::outside::{Outside, TOKEN};

/// A store with the use cases on it.
pub struct Life {
    outside: Arc<Outside>,
    store: Store,
    ports: Ports,
}

impl Life {
    /// A tenant with one mapping, polled for the first time.
    pub async fn begin(store: Store) -> Self {
        let outside = Arc::new(Outside::default());
        let shared = Arc::new(store.clone());
        let engine = Engine {
            ledger: shared.clone(),
            sweeps: shared.clone(),
            tenants: shared.clone(),
            definitions: shared.clone(),
            queue: outside.clone(),
            events: outside.clone(),
            clock: outside.clone(),
            timing: Arc::new(Timing::default()),
        };
        let ports = Ports {
            engine,
            states: shared.clone(),
            announcements: shared.clone(),
            deliveries: shared,
            secrets: outside.clone(),
            eploy: outside.clone(),
            platforms: outside.clone(),
            hrms: outside.clone(),
        };
        store.put_tenant(&configured()).await.unwrap();
        let life = Self {
            outside,
            store,
            ports,
        };
        life.poll().await;
        life
    }

    pub fn key() -> InvitationKey {
        InvitationKey {
            tenant: "northwind".into(),
            application: "1870215".into(),
            mapping: "graduate-video".into(),
            round: 1,
        }
    }

    /// A poll, in a while.
    pub async fn poll(&self) {
        self.outside.pass(3600.0);
        self.handle(Work::Poll {
            tenant: "northwind".into(),
        })
        .await;
    }

    pub fn enter(&self) {
        self.outside.enter();
    }

    /// The platform calls back.
    pub async fn call_back(&self) {
        self.outside.pass(86_400.0);
        let call = IncomingCall {
            query: &[],
            headers: &[],
            body: b"{}",
        };
        let receiver = self.ports.receiver();
        let caller = receiver
            .authenticate(&"northwind".into(), &"willo".into(), TOKEN)
            .await;
        let answer = receiver.receive(&caller.unwrap().unwrap(), &call).await;
        assert_eq!(answer.unwrap(), ReceiveOutcome::Accepted);
    }

    /// Does one piece of queued work; `None` if there is none.
    pub async fn work(&self) -> Option<Work> {
        let work = self.outside.next()?;
        self.outside.pass(0.731_123_457);
        assert!(matches!(
            work.kind(),
            Kind::Invite | Kind::WriteBack | Kind::Delivery
        ));
        self.handle(work.clone()).await;
        Some(work)
    }

    /// The number of queued messages.
    pub fn messages(&self) -> usize {
        self.outside.messages()
    }

    /// The invitation's state and its report.
    pub async fn stands(&self) -> (&'static str, u32) {
        let row = self.store.load(&Self::key()).await.unwrap().unwrap();
        (row.state.name(), row.report.revision)
    }

    async fn handle(&self, work: Work) {
        let app = App::new(&self.ports);
        app.handle(work, Deadline::NONE).await.unwrap();
    }
}

/// A tenant whose mapping reports by an action and by questions.
fn configured() -> Tenant {
    let mapping = Mapping {
        id: Life::key().mapping,
        paused: false,
        vacancies: Vacancies::All,
        triggers: vec![Trigger {
            stage: "12".into(),
            stage_name: Some("Video interview".to_owned()),
            statuses: Vec::new(),
        }],
        assessment: assessment(),
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: Reentry::Once,
        include_current: false,
        allow_overlap: false,
        expires_after_days: Some(14),
        report: ReportPlan {
            action: Some(ActionPlan {
                action_type: "44".into(),
                outcomes: BTreeMap::from([
                    (Moment::Invited, "1".into()),
                    (Moment::Completed, "2".into()),
                ]),
            }),
            notes_at: BTreeSet::new(),
            questions: BTreeMap::from([(Answerable::Percent, "901".into())]),
            moves: Vec::new(),
            export_package: None,
            texts: Texts::default(),
        },
    };
    let mut tenant = tenant("northwind");
    tenant.mappings = vec![mapping];
    tenant.platforms = BTreeMap::from([(
        AccountId::new("willo"),
        PlatformConnection {
            kind: "willo".to_owned(),
            base_url: None,
            settings: serde_json::Map::new(),
        },
    )]);
    tenant
}
