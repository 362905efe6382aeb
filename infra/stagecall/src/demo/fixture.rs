//! The fixture: simulators, and a tenant that connects them.

use anyhow::Context as _;
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_sandbox::control::{
    CandidateAct, NewApplications, NewTest, NewVacancy, Platform, PlayerError, Profile,
    SandboxClient,
};
use stagecall_sandbox::{Options, Running, Sandbox};

use super::arguments::Arguments;
use super::hosting::Hosting;
use super::script;
use super::tenant::{Outside, entrance, tenant};

/// The name of the Eploy system, the HRMS and the tenant.
pub(crate) const TENANT: &str = "acme";
/// The Willo account's name.
pub(crate) const WILLO: &str = "acme-willo";
/// The WeCP account's name.
pub(crate) const WECP: &str = "acme-wecp";
/// The question for the score.
pub(crate) const SCORE_QUESTION: u64 = 276;
/// The minimum percentage in the test for the talent pool.
pub(crate) const POOL_MIN_PERCENT: u8 = 50;

const VACANCIES: [(&str, Platform, bool); 5] = [
    ("Support Worker", Platform::Willo, false),
    ("Care Assistant", Platform::Willo, false),
    ("Night Support Worker", Platform::Willo, true),
    ("Team Leader", Platform::Wecp, false),
    ("Care Planner", Platform::Wecp, false),
];

/// A vacancy.
#[derive(Clone, Debug)]
pub(crate) struct Vacancy {
    pub(crate) id: u64,
    pub(crate) title: &'static str,
    /// The platform of its candidates' first invitation.
    pub(crate) platform: Platform,
    /// Whether the work is at night.
    pub(crate) nights: bool,
}

/// What is set up before Stagecall starts.
pub(crate) struct Scene {
    sandbox: Running,
    player: SandboxClient,
    tenant: Tenant,
    keys: Keys,
    vacancies: Vec<Vacancy>,
    assessments: Assessments,
    baseline: usize,
}

/// The tenant's credentials.
pub(crate) struct Keys {
    /// Eploy's client id.
    pub(crate) client_id: String,
    /// Eploy's client secret.
    pub(crate) client_secret: String,
    /// Willo's API key.
    pub(crate) willo: String,
    /// WeCP's API key.
    pub(crate) wecp: String,
    /// The secret that webhooks to the HRMS are signed with.
    pub(crate) hrms: String,
}

/// The assessments, by the simulators' ids. Live interviews are not among them: Stagecall creates them.
struct Assessments {
    first: [String; 3],
    pool: String,
}

/// The step that an invitation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// The video interview or the test.
    First,
    /// The live interview.
    Meeting,
    /// The talent pool.
    Pool,
}

/// The simulators and the host of a demo.
pub(crate) struct Stage {
    pub(crate) sandbox: Running,
    pub(crate) player: SandboxClient,
    pub(crate) vacancies: Vec<Vacancy>,
    assessments: Assessments,
    /// The number of applications that were at a trigger stage before it was turned on.
    pub(crate) baseline: usize,
    /// The host.
    pub(crate) host: Box<dyn Hosting>,
}

impl Stage {
    /// The step of an invitation to this interview, test or group.
    pub(crate) fn step(&self, interview: &str) -> Step {
        if interview == self.assessments.pool {
            Step::Pool
        } else if self.assessments.first.iter().any(|id| id == interview) {
            Step::First
        } else {
            Step::Meeting
        }
    }

    /// Candidates of a platform act.
    pub(crate) async fn candidate(
        &self,
        platform: Platform,
        keys: &[String],
        act: CandidateAct,
    ) -> Result<(), PlayerError> {
        match platform {
            Platform::Willo => self.player.candidate(WILLO, keys, act).await,
            Platform::Wecp => self.player.wecp_candidate(WECP, keys, act).await,
        }
    }
}

/// Short intervals, so that a script of days runs in seconds.
pub(crate) fn timing() -> Timing {
    Timing {
        call_seconds: 5.0,
        lease_seconds: 10.0,
        settle_seconds: 2.0,
        retry_seconds: 0.5,
        retry_max_seconds: 4.0,
        late_seconds: 60.0,
        give_up_seconds: 600.0,
        sweep_seconds: 1.5,
        sweep_max_seconds: 3.0,
        suspend_seconds: 1.0,
        announce_seconds: 0.05,
        ..Timing::default()
    }
}

impl Scene {
    /// Starts the simulators and sets them up.
    pub(crate) async fn set(arguments: &Arguments) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options {
            port: 0,
            seed: arguments.seed,
        })
        .await
        .context("cannot start the sandbox")?;
        let player = sandbox.player();
        let system = player.eploy(TENANT).await?;
        let key = system
            .keys
            .first()
            .context("the sandbox's Eploy has no key")?;
        let willo = player.willo(WILLO).await?;
        let wecp = player.wecp(WECP).await?;
        let hrms = player.hrms(TENANT).await?;
        let vacancies = vacancies(&player).await?;
        let baseline = baseline(&player, &vacancies).await?;
        let day = player.interview(WILLO, "Meet the team").await?;
        let night = player.interview(WILLO, "Working nights").await?;
        let test = NewTest {
            name: "Planning and records".to_owned(),
            questions: Vec::new(),
        };
        let test = player.wecp_test(WECP, &test).await?;
        let [(group, _), (pool, _), ..] = wecp.groups.as_slice() else {
            anyhow::bail!("the sandbox's WeCP has too few groups");
        };
        let (user, _) = wecp
            .users
            .first()
            .context("the sandbox's WeCP has no user")?;
        let tenant = tenant(&Outside {
            eploy: &system.base_url,
            willo: &willo.base_url,
            wecp: &wecp.base_url,
            organisation: &wecp.org,
            hrms: &hrms.url,
            vacancies: &vacancies,
            user,
            videos: [&day, &night],
            test: &test,
            groups: [group, pool],
        })?;
        let keys = Keys {
            client_id: key.client_id.clone(),
            client_secret: key.client_secret.clone(),
            willo: willo.api_key,
            wecp: wecp.api_key,
            // The sandbox's HRMS accepts every signature.
            hrms: "whsec_c3RhbmQtaW4gZm9yIGEgc2VjcmV0IGtleQ==".to_owned(),
        };
        if arguments.faults {
            player
                .set_faults(&Profile {
                    seed: arguments.seed,
                    rules: script::faults(),
                })
                .await?;
        }
        let assessments = Assessments {
            first: [day, night, test],
            pool: pool.clone(),
        };
        Ok(Self {
            sandbox,
            player,
            tenant,
            keys,
            vacancies,
            assessments,
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

    /// The stage, with this host.
    pub(crate) fn stage(self, host: Box<dyn Hosting>) -> Stage {
        Stage {
            sandbox: self.sandbox,
            player: self.player,
            vacancies: self.vacancies,
            assessments: self.assessments,
            baseline: self.baseline,
            host,
        }
    }
}

async fn vacancies(player: &SandboxClient) -> Result<Vec<Vacancy>, PlayerError> {
    let mut vacancies = Vec::new();
    for (title, platform, nights) in VACANCIES {
        let new = NewVacancy {
            title: title.to_owned(),
            ..NewVacancy::default()
        };
        vacancies.push(Vacancy {
            id: player.vacancy(TENANT, &new).await?,
            title,
            platform,
            nights,
        });
    }
    Ok(vacancies)
}

/// One candidate of each platform is at the trigger stage before the mappings are turned on.
async fn baseline(player: &SandboxClient, vacancies: &[Vacancy]) -> Result<usize, PlayerError> {
    let mut count = 0;
    for platform in [Platform::Willo, Platform::Wecp] {
        let Some(vacancy) = vacancies.iter().find(|it| it.platform == platform) else {
            continue;
        };
        let at = entrance(platform);
        let there = NewApplications {
            stage: Some(at.stage.to_owned()),
            status: at.status.map(str::to_owned),
            ..NewApplications::new(vacancy.id, 1)
        };
        count += player.apply(TENANT, &there).await?.len();
    }
    Ok(count)
}
