//! The scene: stand-ins, and a tenant that connects them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    ActionPlan, Answerable, EployConnection, Mapping, MappingKind, PlatformConnection, Reentry,
    ReportPlan, Settings, Tenant, Trigger, Vacancies,
};
use stagecall_core::timing::Timing;
use stagecall_sandbox::control::{NewApplications, NewVacancy, Player, Profile};
use stagecall_sandbox::{Options, Running, Sandbox};
use url::Url;

use super::fate;
use super::hosting::Hosting;
use crate::cli::DemoArguments;

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

/// What is set up before Stagecall starts.
pub(crate) struct Scene {
    sandbox: Running,
    player: Player,
    tenant: Tenant,
    keys: Keys,
    vacancies: Vec<(u64, String)>,
    baseline: Vec<u64>,
}

/// The tenant's credentials.
pub(crate) struct Keys {
    /// Eploy's client id.
    pub(crate) client_id: String,
    /// Eploy's client secret.
    pub(crate) client_secret: String,
    /// Willo's API key.
    pub(crate) willo: String,
}

/// What the story is played on.
pub(crate) struct Stage {
    pub(crate) sandbox: Running,
    pub(crate) player: Player,
    /// The vacancies: id and title.
    pub(crate) vacancies: Vec<(u64, String)>,
    /// The applications that were at the trigger before it was turned on.
    pub(crate) baseline: Vec<u64>,
    /// Stagecall.
    pub(crate) host: Box<dyn Hosting>,
}

/// Short intervals, so that a story of days fits into seconds.
pub(crate) fn timing() -> Timing {
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
        let keys = Keys {
            client_id: key.client_id.clone(),
            client_secret: key.client_secret.clone(),
            willo: account.api_key.clone(),
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
            tenant,
            keys,
            vacancies,
            baseline,
        })
    }

    /// The tenant.
    pub(crate) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Its credentials.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The stage, on which this host does Stagecall's part.
    pub(crate) fn stage(self, host: Box<dyn Hosting>) -> Stage {
        Stage {
            sandbox: self.sandbox,
            player: self.player,
            vacancies: self.vacancies,
            baseline: self.baseline,
            host,
        }
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
        hires: None,
        retention_days: None,
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
        kind: MappingKind::Invitation,
        options: Settings::new(),
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
