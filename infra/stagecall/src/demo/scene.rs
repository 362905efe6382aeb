//! The scene: stand-ins, a tenant, and a host that knows of it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use stagecall_core::clock::{Clock as _, SystemClock};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::Records as _;
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    ActionPlan, Answerable, EployConnection, Mapping, PlatformConnection, Reentry, ReportPlan,
    Tenant, Trigger, Vacancies,
};
use stagecall_core::timing::Timing;
use stagecall_embedded::{AccountSources, FileSecrets, Source, Store, TenantSources};
use stagecall_http::{Guard, Sender};
use stagecall_sandbox::control::{NewApplications, NewVacancy, Player, Profile};
use stagecall_sandbox::{Options, Running, Sandbox};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use super::fate;
use crate::cli::DemoArguments;
use crate::host::{Host, Parts};

/// The Eploy system's and the tenant's name.
pub(crate) const TENANT: &str = "acme";
/// The Willo account's name.
pub(crate) const WILLO: &str = "acme-willo";
/// The trigger stage and its status, as the sandbox has them from the beginning.
pub(crate) const TRIGGER: (&str, &str) = ("Video Interview", "To Be Completed");
/// The question that takes the score.
pub(crate) const SCORE_QUESTION: u64 = 276;

const VACANCIES: [&str; 4] = [
    "Support Worker",
    "Care Assistant",
    "Team Leader",
    "Night Support Worker",
];

/// How many candidates are at the trigger stage before anything is turned on.
const BASELINE: u32 = 3;

/// What is set up before the host starts.
pub(crate) struct Scene {
    sandbox: Running,
    player: Player,
    folder: TempDir,
    tenant: Tenant,
    sources: TenantSources,
    stage: Vec<(u64, String)>,
    baseline: Vec<u64>,
    workers: usize,
}

/// What the story is played on.
pub(crate) struct Stage {
    pub(crate) sandbox: Running,
    pub(crate) player: Player,
    /// The vacancies: id and title.
    pub(crate) vacancies: Vec<(u64, String)>,
    /// The applications that were at the trigger before it was turned on.
    pub(crate) baseline: Vec<u64>,
    /// Where the host listens.
    pub(crate) listens: SocketAddr,
    /// Where the host keeps things.
    pub(crate) store: PathBuf,
    _folder: TempDir,
}

/// Short intervals, so that a story of days fits into seconds.
fn timing() -> Timing {
    Timing {
        call_seconds: 5.0,
        lease_seconds: 10.0,
        settle_seconds: 2.0,
        retry_seconds: 0.5,
        retry_max_seconds: 4.0,
        late_seconds: 60.0,
        give_up_seconds: 600.0,
        sweep_seconds: 3.0,
        sweep_max_seconds: 6.0,
        suspend_seconds: 1.0,
        ..Timing::default()
    }
}

impl Scene {
    /// Starts the stand-ins and sets them up.
    pub(crate) async fn set(arguments: &DemoArguments) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options {
            port: 0,
            seed: arguments.seed,
        })
        .await
        .context("the sandbox could not start")?;
        let player = sandbox.player();
        let system = player.eploy(TENANT).await?;
        let key = system
            .keys
            .first()
            .context("the sandbox's Eploy has no key")?;
        let account = player.willo(WILLO).await?;
        let mut vacancies = Vec::new();
        for title in VACANCIES {
            let new = NewVacancy {
                title: title.to_owned(),
                ..NewVacancy::default()
            };
            vacancies.push((player.vacancy(TENANT, &new).await?, title.to_owned()));
        }
        let mut baseline = Vec::new();
        for (vacancy, _) in vacancies.iter().take(BASELINE as usize) {
            let there = NewApplications {
                stage: Some(TRIGGER.0.to_owned()),
                status: Some(TRIGGER.1.to_owned()),
                ..NewApplications::new(*vacancy, 1)
            };
            baseline.extend(
                player
                    .apply(TENANT, &there)
                    .await?
                    .iter()
                    .map(|one| one.application),
            );
        }
        // Two interviews: one for the first three vacancies, one for the last.
        let day = player.interview(WILLO, "Meet the team").await?;
        let night = player.interview(WILLO, "Working nights").await?;
        let ids = |these: &[(u64, String)]| {
            Vacancies::Only(
                these
                    .iter()
                    .map(|(id, _)| id.to_string().as_str().into())
                    .collect(),
            )
        };
        let mappings = vec![
            mapping("day-video", ids(&vacancies[..3]), &day),
            mapping("night-video", ids(&vacancies[3..]), &night),
        ];
        let folder = tempfile::tempdir()?;
        let write = |name: &str, secret: &str| -> anyhow::Result<Source> {
            let path = folder.path().join(name);
            std::fs::write(&path, secret)?;
            Ok(Source::File(path))
        };
        let sources = TenantSources {
            eploy_client_id: write("client-id", &key.client_id)?,
            eploy_client_secret: write("client-secret", &key.client_secret)?,
            platforms: BTreeMap::from([(
                AccountId::new("willo"),
                AccountSources {
                    secrets: BTreeMap::from([(
                        "api_key".to_owned(),
                        write("willo-key", &account.api_key)?,
                    )]),
                    ..AccountSources::default()
                },
            )]),
        };
        let tenant = tenant(&system.base_url, &account.base_url, mappings)?;
        if arguments.faults {
            player
                .set_faults(&Profile {
                    seed: arguments.seed,
                    rules: fate::faults(),
                })
                .await?;
        }
        Ok(Self {
            sandbox,
            player,
            folder,
            tenant,
            sources,
            stage: vacancies,
            baseline,
            workers: 48,
        })
    }

    /// Starts the host.
    pub(crate) async fn open(
        self,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<(JoinHandle<()>, Stage)> {
        let store_file = self.folder.path().join("stagecall.db");
        let store = Store::open_exclusive(&store_file, SystemClock.now())?;
        let secrets = FileSecrets::new(
            BTreeMap::from([(TenantId::new(TENANT), self.sources)]),
            &self.folder.path().join("callback.key"),
        )?;
        // The port is needed for the address that callbacks are registered with, so it is chosen first.
        let probe = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let listens = probe.local_addr()?;
        drop(probe);
        store.put_tenant(&self.tenant).await?;
        let host = Host::new(Parts {
            store,
            secrets: Arc::new(secrets),
            transport: Arc::new(Sender::new(Guard::Sandbox)?),
            clock: Arc::new(SystemClock),
            timing: timing(),
            workers: self.workers,
            workers_per_tenant: self.workers,
            listen: listens,
            public_url: Some(Url::parse(&format!("http://{listens}/"))?),
        })
        .await?;
        let running = tokio::spawn(host.run(stopped));
        let stage = Stage {
            sandbox: self.sandbox,
            player: self.player,
            vacancies: self.stage,
            baseline: self.baseline,
            listens,
            store: store_file,
            _folder: self.folder,
        };
        Ok((running, stage))
    }
}

fn tenant(eploy: &str, willo: &str, mappings: Vec<Mapping>) -> anyhow::Result<Tenant> {
    let settings = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
    Ok(Tenant {
        id: TenantId::new(TENANT),
        paused: false,
        eploy: EployConnection {
            base_url: Url::parse(&format!("{eploy}/"))?,
            daily_calls: 10_000_000,
            poll_seconds: 1,
            dialect: settings(serde_json::json!({
                "dates": "utc",
                "options_index_path": "options/dropdown",
            })),
        },
        platforms: BTreeMap::from([(
            AccountId::new("willo"),
            PlatformConnection {
                kind: "willo".to_owned(),
                base_url: Some(Url::parse(&format!("{willo}/api/integrations/v2/"))?),
                settings: settings(
                    serde_json::json!({"calls_per_second": 1000, "calls_in_flight": 16}),
                ),
            },
        )]),
        mappings,
    })
}

fn mapping(id: &str, vacancies: Vacancies, interview: &str) -> Mapping {
    let outcomes = [
        (Moment::Failed, "109"),
        (Moment::Invited, "101"),
        (Moment::Started, "102"),
        (Moment::Completed, "103"),
        (Moment::Expired, "105"),
        (Moment::Declined, "106"),
        (Moment::Bounced, "107"),
        (Moment::Cancelled, "108"),
    ];
    Mapping {
        id: id.into(),
        paused: false,
        vacancies,
        triggers: vec![Trigger {
            stage: "12".into(),
            stage_name: Some(TRIGGER.0.to_owned()),
            statuses: vec!["34".into()],
        }],
        assessment: stagecall_core::ids::AssessmentRef {
            account: "willo".into(),
            assessment: interview.into(),
        },
        reentry: Reentry::Once,
        include_current: false,
        expires_after_days: None,
        report: ReportPlan {
            action: Some(ActionPlan {
                action_type: "42".into(),
                outcomes: outcomes.map(|(moment, id)| (moment, id.into())).into(),
            }),
            questions: BTreeMap::from([
                (
                    Answerable::Percent,
                    SCORE_QUESTION.to_string().as_str().into(),
                ),
                (Answerable::Link, "277".into()),
            ]),
            ..ReportPlan::default()
        },
    }
}
