//! The demo's tenant: both platforms, its mappings, and its hires.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::time;
use serde_json::json;
use stagecall_core::ids::{AccountId, AssessmentRef, MappingId, TenantId};
use stagecall_core::meeting::{MeetingDay, MeetingPlan, OncePer};
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    ActionPlan, Answerable, EployConnection, HirePlan, HiredWhen, HrmsEndpoint, Mapping,
    MappingKind, PlatformConnection, PoolOutcome, PoolPlan, Reentry, ReportPlan, Settings, Tenant,
    Trigger, Vacancies,
};
use stagecall_sandbox::control::Platform;
use url::Url;

use super::fixture::{POOL_MIN_PERCENT, SCORE_QUESTION, TENANT, Vacancy};

/// A trigger stage with the status of new entries, as the sandbox has them by default.
pub(crate) struct Entrance {
    /// The stage's name.
    pub(crate) stage: &'static str,
    /// The status's name, if a certain one is required.
    pub(crate) status: Option<&'static str>,
    id: &'static str,
    /// The type of the action that reports what happens there.
    pub(crate) action: u64,
}

/// The stage for video interviews.
pub(crate) const VIDEO: Entrance = Entrance {
    stage: "Video Interview",
    status: Some("To Be Completed"),
    id: "12",
    action: 42,
};
/// The stage for tests.
pub(crate) const TEST: Entrance = Entrance {
    stage: "Skills Test",
    status: Some("To Be Completed"),
    id: "13",
    action: 43,
};
/// The stage for live interviews.
pub(crate) const LIVE: Entrance = Entrance {
    stage: "Second Interview",
    status: None,
    id: "14",
    action: 44,
};

const TO_BE_COMPLETED: &str = "34";
/// The id of the stage of hired candidates.
const HIRED: &str = "15";

/// Where candidates of a platform enter.
pub(crate) fn entrance(platform: Platform) -> &'static Entrance {
    match platform {
        Platform::Willo => &VIDEO,
        Platform::Wecp => &TEST,
    }
}

/// What the simulators have created for the tenant.
pub(crate) struct Outside<'a> {
    pub(crate) eploy: &'a str,
    pub(crate) willo: &'a str,
    pub(crate) wecp: &'a str,
    pub(crate) hrms: &'a str,
    pub(crate) vacancies: &'a [Vacancy],
    /// WeCP's organisation.
    pub(crate) organisation: &'a str,
    /// The user of WeCP for calls and interviews.
    pub(crate) user: &'a str,
    /// Video interviews on Willo: by day and by night.
    pub(crate) videos: [&'a str; 2],
    /// The test on WeCP.
    pub(crate) test: &'a str,
    /// The groups on WeCP: of interviews, and the pool.
    pub(crate) groups: [&'a str; 2],
}

fn settings(value: serde_json::Value) -> Settings {
    match value {
        serde_json::Value::Object(settings) => settings,
        _ => Settings::new(),
    }
}

/// The tenant.
pub(crate) fn tenant(outside: &Outside<'_>) -> anyhow::Result<Tenant> {
    let account = |kind: &str, url: String, more: serde_json::Value| {
        let mut all = settings(more);
        all.extend(settings(
            json!({"calls_per_second": 1000, "calls_in_flight": 16}),
        ));
        let connection = PlatformConnection {
            kind: kind.to_owned(),
            base_url: Some(Url::parse(&url)?),
            settings: all,
        };
        anyhow::Ok((AccountId::new(kind), connection))
    };
    let willo = format!("{}/api/integrations/v2/", outside.willo);
    let wecp = format!("{}/", outside.wecp);
    Ok(Tenant {
        id: TenantId::new(TENANT),
        paused: false,
        eploy: EployConnection {
            base_url: Url::parse(&format!("{}/", outside.eploy))?,
            daily_calls: 10_000_000,
            poll_seconds: 1,
            dialect: settings(json!({
                "dates": "utc",
                "options_index_path": "options/dropdown",
            })),
        },
        platforms: BTreeMap::from([
            account("willo", willo, json!({}))?,
            account(
                "wecp",
                wecp,
                json!({"user_email": outside.user, "organisation": outside.organisation}),
            )?,
        ]),
        mappings: mappings(outside),
        retention_days: None,
        hires: Some(HirePlan {
            when: HiredWhen::Stages(vec![Trigger {
                stage: HIRED.into(),
                stage_name: None,
                statuses: Vec::new(),
            }]),
            endpoint: Some(HrmsEndpoint {
                url: Url::parse(outside.hrms)?,
                person: BTreeSet::new(),
            }),
        }),
    })
}

fn mappings(outside: &Outside<'_>) -> Vec<Mapping> {
    let of = |chosen: fn(&Vacancy) -> bool| {
        let chosen = outside.vacancies.iter().filter(|it| chosen(it));
        Vacancies::Only(chosen.map(|it| it.id.to_string().as_str().into()).collect())
    };
    let [day, night] = outside.videos;
    let [interviews, pool] = outside.groups;
    let video = |id: &str, vacancies, interview: &str| Mapping {
        vacancies,
        triggers: vec![trigger(&VIDEO)],
        report: answered(report(&VIDEO)),
        ..mapping(id, "willo", interview)
    };
    vec![
        video(
            "day-video",
            of(|it| it.platform == Platform::Willo && !it.nights),
            day,
        ),
        video(
            "night-video",
            of(|it| it.platform == Platform::Willo && it.nights),
            night,
        ),
        Mapping {
            vacancies: of(|it| it.platform == Platform::Wecp),
            triggers: vec![trigger(&TEST)],
            report: answered(report(&TEST)),
            ..mapping("skills-test", "wecp", outside.test)
        },
        Mapping {
            triggers: vec![trigger(&LIVE)],
            kind: MappingKind::Meeting(MeetingPlan {
                creates: Some(OncePer::Vacancy),
                day: MeetingDay::WorkingDays(1),
                time: time(10, 0, 0, 0),
                zone: MeetingPlan::default_zone(),
                minutes: 45,
                interviewers: vec![outside.user.to_owned()],
                interviewers_question: None,
            }),
            options: settings(json!({
                "name": "{vacancy}, live",
                "group": interviews,
                "scorecard": [{"question": "Overall", "type_of_question": "star", "required": true}],
            })),
            report: report(&LIVE),
            ..mapping("live-interview", "wecp", "interview")
        },
        Mapping {
            kind: MappingKind::Pool(PoolPlan {
                tags: vec!["care".to_owned()],
                after: vec![PoolOutcome {
                    mapping: MappingId::new("skills-test"),
                    on: Moment::Completed,
                    min_percent: Some(POOL_MIN_PERCENT),
                }],
            }),
            ..mapping("talent-pool", "wecp", &format!("group:{pool}"))
        },
    ]
}

/// An invitation for every entry for any vacancy; without a trigger yet, so it invites nobody.
fn mapping(id: &str, account: &str, assessment: &str) -> Mapping {
    Mapping {
        id: id.into(),
        paused: false,
        vacancies: Vacancies::All,
        triggers: Vec::new(),
        assessment: AssessmentRef {
            account: account.into(),
            assessment: assessment.into(),
        },
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: Reentry::Once,
        include_current: false,
        allow_overlap: false,
        expires_after_days: None,
        report: ReportPlan::default(),
    }
}

fn trigger(at: &Entrance) -> Trigger {
    Trigger {
        stage: at.id.into(),
        stage_name: Some(at.stage.to_owned()),
        statuses: at
            .status
            .map(|_| TO_BE_COMPLETED.into())
            .into_iter()
            .collect(),
    }
}

/// An action of the entrance's type.
fn report(at: &Entrance) -> ReportPlan {
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
    ReportPlan {
        action: Some(ActionPlan {
            action_type: at.action.to_string().as_str().into(),
            outcomes: outcomes.map(|(moment, id)| (moment, id.into())).into(),
        }),
        ..ReportPlan::default()
    }
}

/// The same, with the score and the link in questions.
fn answered(report: ReportPlan) -> ReportPlan {
    ReportPlan {
        questions: BTreeMap::from([
            (
                Answerable::Percent,
                SCORE_QUESTION.to_string().as_str().into(),
            ),
            (Answerable::Link, "277".into()),
        ]),
        ..report
    }
}
