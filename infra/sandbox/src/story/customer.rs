//! The story's customer: an Eploy with vacancies, accounts on both platforms, an HRMS, and the tenant that connects them.

use serde_json::{Value, json};

use super::StoryError;
use super::stages::{LIVE, TEST, VIDEO, entrance};
use super::tenant::{connection, eploy, hires, mapping, report, trigger};
use crate::control::{PlayerError, SandboxClient};
use crate::eploy::{NewApplications, NewVacancy};
use crate::participant::CandidateAct;
use crate::record::Platform;
use crate::wecp::NewTest;

/// The name of the Eploy system, the HRMS and the tenant.
pub const TENANT: &str = "acme";
/// The Willo account's name.
pub const WILLO: &str = "acme-willo";
/// The WeCP account's name.
pub const WECP: &str = "acme-wecp";
/// The minimum percentage in the test for the talent pool.
pub(super) const POOL_MIN_PERCENT: u8 = 50;

const VACANCIES: [(&str, Platform, bool); 5] = [
    ("Support Worker", Platform::Willo, false),
    ("Care Assistant", Platform::Willo, false),
    ("Night Support Worker", Platform::Willo, true),
    ("Team Leader", Platform::Wecp, false),
    ("Care Planner", Platform::Wecp, false),
];

/// A vacancy.
#[derive(Clone, Debug)]
pub struct Vacancy {
    /// Its id.
    pub id: u64,
    /// Its title.
    pub title: &'static str,
    /// The platform of its candidates' first invitation.
    pub platform: Platform,
    /// Whether the work is at night.
    nights: bool,
}

/// The tenant's credentials.
#[derive(Debug)]
pub struct Keys {
    /// Eploy's client id.
    pub client_id: String,
    /// Eploy's client secret.
    pub client_secret: String,
    /// Willo's API key.
    pub willo: String,
    /// WeCP's API key.
    pub wecp: String,
    /// The secret that webhooks to the HRMS are signed with.
    pub hrms: String,
}

/// The customer.
#[derive(Debug)]
pub struct Customer {
    /// Acts as the people around it.
    pub player: SandboxClient,
    /// Its vacancies.
    pub vacancies: Vec<Vacancy>,
    /// The tenant, as Stagecall's configuration has it.
    pub tenant: Value,
    /// The tenant's credentials.
    pub keys: Keys,
    /// The video interviews and the test. Live interviews are not among them: Stagecall creates them.
    first: [String; 3],
    /// The talent pool.
    pool: String,
    /// The number of applications that are at a trigger stage before it is turned on.
    pub(super) baseline: usize,
}

/// The step that an invitation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// The video interview or the test.
    First,
    /// The live interview.
    Meeting,
    /// The talent pool.
    Pool,
}

impl Customer {
    /// Sets the customer up.
    pub async fn new(player: SandboxClient) -> Result<Self, StoryError> {
        let system = player.eploy(TENANT).await?;
        let key = system
            .keys
            .first()
            .ok_or(StoryError::Lacking("a key of Eploy"))?;
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
            return Err(StoryError::Lacking("groups of WeCP"));
        };
        let (user, _) = wecp
            .users
            .first()
            .ok_or(StoryError::Lacking("a user of WeCP"))?;
        let of = |platform, nights| {
            let chosen = vacancies
                .iter()
                .filter(move |it| it.platform == platform && it.nights == nights);
            chosen.map(|it| it.id)
        };
        let mut eploy = eploy(&system);
        eploy["dialect"]["options_index_path"] = json!("options/dropdown");
        let tenant = json!({
            "id": TENANT,
            "eploy": eploy,
            "platforms": {
                "willo": connection(
                    "willo",
                    &willo.api_url(),
                    &json!({"calls_per_second": 1000, "calls_in_flight": 16}),
                ),
                "wecp": connection(
                    "wecp",
                    &wecp.api_url(),
                    &json!({
                        "user_email": user,
                        "organisation": wecp.org,
                        "calls_per_second": 1000,
                        "calls_in_flight": 16,
                    }),
                ),
            },
            "mappings": [
                mapping("day-video", of(Platform::Willo, false), &VIDEO, "willo", &day),
                mapping("night-video", of(Platform::Willo, true), &VIDEO, "willo", &night),
                mapping("skills-test", of(Platform::Wecp, false), &TEST, "wecp", &test),
                live_interview(user, group),
                talent_pool(pool),
            ],
            "hires": hires(&hrms.url),
        });
        let keys = Keys {
            client_id: key.client_id.clone(),
            client_secret: key.client_secret.clone(),
            willo: willo.api_key,
            wecp: wecp.api_key,
            // The sandbox's HRMS accepts every signature.
            hrms: "whsec_c3RhbmQtaW4gZm9yIGEgc2VjcmV0IGtleQ==".to_owned(),
        };
        Ok(Self {
            player,
            vacancies,
            tenant,
            keys,
            first: [day, night, test],
            pool: pool.clone(),
            baseline,
        })
    }

    /// The step of an invitation to this interview, test or group.
    pub(super) fn step(&self, interview: &str) -> Step {
        if interview == self.pool {
            Step::Pool
        } else if self.first.iter().any(|id| id == interview) {
            Step::First
        } else {
            Step::Meeting
        }
    }

    /// Candidates of a platform act.
    pub(super) async fn candidate(
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

/// Schedules a live interview, created for each vacancy, for candidates who enter its stage.
fn live_interview(user: &str, group: &str) -> Value {
    json!({
        "id": "live-interview",
        "vacancies": "all",
        "triggers": [trigger(&LIVE)],
        "assessment": {"account": "wecp", "assessment": "interview"},
        "kind": {"meeting": {
            "creates": "vacancy",
            "day": {"working_days": 1},
            "time": "10:00:00",
            "minutes": 45,
            "interviewers": [user],
        }},
        "options": {
            "name": "{vacancy}, live",
            "group": group,
            "scorecard": [{"question": "Overall", "type_of_question": "star", "required": true}],
        },
        "report": report(&LIVE),
    })
}

/// Adds candidates with a sufficient score in the test to a group.
fn talent_pool(group: &str) -> Value {
    json!({
        "id": "talent-pool",
        "vacancies": "all",
        "triggers": [],
        "assessment": {"account": "wecp", "assessment": format!("group:{group}")},
        "kind": {"pool": {
            "tags": ["care"],
            "after": [{
                "mapping": "skills-test",
                "on": "completed",
                "min_percent": POOL_MIN_PERCENT,
            }],
        }},
    })
}

async fn vacancies(player: &SandboxClient) -> Result<Vec<Vacancy>, PlayerError> {
    let mut vacancies = Vec::new();
    for (title, platform, nights) in VACANCIES {
        vacancies.push(Vacancy {
            id: player.vacancy(TENANT, &NewVacancy::called(title)).await?,
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
