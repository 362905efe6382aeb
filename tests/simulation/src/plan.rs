//! What a seed decides in advance: the participants, the behaviour of the outside systems, the rates of faults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use stagecall_core::Timestamp;
use stagecall_core::report::Moment;
use stagecall_core::tenant::{
    ActionPlan, Answerable, EployConnection, HirePlan, HiredWhen, HrmsEndpoint, Mapping,
    MappingKind, PersonalField, PlatformConnection, Reentry, ReportPlan, Settings, Tenant, Trigger,
    Vacancies,
};
use stagecall_core::timing::Timing;

use crate::event_queue::WireFate;
use crate::scheduler::{Fate, Millis};

/// From which duration an effect of ours counts as slow, and a request or an answer in transit.
pub const SLOW_EFFECT: Millis = 500;
pub const SLOW_TRANSIT: Millis = 200;

/// The rates of faults, in ten thousand.
#[derive(Clone, Debug)]
pub struct Rates {
    fates: [(Fate, u32); 5],
    wire: [(WireFate, u32); 6],
    /// Effects of ours that take long.
    pub slow: u32,
    /// Requests and answers that take long.
    pub slow_wire: u32,
    /// Conditional writes whose answer is lost, so that they are repeated.
    pub write_repeats: u32,
    /// Work that a queue loses.
    pub queue_loses: u32,
    /// Work that a queue delivers again.
    pub queue_repeats: u32,
    /// Work that a queue delivers late.
    pub queue_delays: u32,
    /// Callbacks that never arrive.
    pub callback_lost: u32,
    /// Callbacks that arrive again.
    pub callback_repeats: u32,
    /// Lost ticks of the clock.
    pub tick_lost: u32,
}

impl Rates {
    /// No faults.
    pub const CALM: Self = Self::of(0, 0, 0, 0);

    /// Rates of about `own` for our effects and `wire` for the network. Stalls and deaths have rates of their own, because
    /// a worker that always stalls or dies tests nothing.
    const fn of(own: u32, wire: u32, stall: u32, death: u32) -> Self {
        Self {
            fates: [
                (Fate::FailsBefore, own),
                (Fate::FailsAfter, own),
                (Fate::Stalls, stall),
                (Fate::DiesBefore, death),
                (Fate::DiesAfter, death),
            ],
            wire: [
                (WireFate::Lost, wire),
                (WireFate::AnswerLost, wire),
                (WireFate::Error, wire),
                (WireFate::ErrorAfter, wire),
                (WireFate::NotNow, wire / 2),
                (WireFate::Garbled, wire / 2),
            ],
            slow: own * 2,
            slow_wire: own * 2 + stall * 4,
            write_repeats: own * 4,
            queue_loses: own * 8,
            queue_repeats: own * 16,
            queue_delays: own * 8,
            callback_lost: own * 16,
            callback_repeats: own * 16,
            tick_lost: own * 8,
        }
    }

    /// Draws the fate of an effect of ours.
    pub fn fate(&self, rng: &mut fastrand::Rng) -> Fate {
        drawn(&self.fates, rng).unwrap_or(Fate::Works)
    }

    /// Draws the fate of a request.
    pub fn wire(&self, rng: &mut fastrand::Rng) -> WireFate {
        drawn(&self.wire, rng).unwrap_or(WireFate::Works)
    }

    /// Draws the time until an effect of ours happens.
    pub fn latency(&self, rng: &mut fastrand::Rng) -> Millis {
        if rng.u32(0..10_000) < self.slow {
            rng.u64(SLOW_EFFECT..45_000)
        } else {
            rng.u64(0..8)
        }
    }

    /// Draws the transit time of a request. Bounded: see the assumption in [`crate::wire`].
    pub fn transit(&self, rng: &mut fastrand::Rng) -> Millis {
        if rng.u32(0..10_000) < self.slow_wire {
            rng.u64(SLOW_TRANSIT..4_000)
        } else {
            rng.u64(3..40)
        }
    }
}

fn drawn<T: Copy>(table: &[(T, u32)], rng: &mut fastrand::Rng) -> Option<T> {
    let mut at = rng.u32(0..10_000);
    for (what, often) in table {
        if at < *often {
            return Some(*what);
        }
        at -= often;
    }
    None
}

/// How Willo and `WeCP` behave where the reference is silent.
#[derive(Clone, Copy, Debug)]
pub struct Readings {
    /// Whether the platform returns our reference.
    pub echoes: bool,
    /// The answer to a second invitation of the same person to the same assessment.
    pub second: Second,
    /// Rows per page of a list.
    pub page: usize,
    /// The answer in place of a list that cannot be read. Single reads work nevertheless.
    pub no_list: Option<u16>,
}

/// The answer to a second invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// A new participant.
    New,
    /// A conflict without a reference.
    Conflict,
    /// A success with the reference of the first.
    Old,
}

/// The order of Eploy's search results.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// By id.
    Id,
    /// The last changed first.
    Newest,
    /// The last changed last.
    Oldest,
}

/// How one tenant's Eploy behaves where the reference is silent.
#[derive(Clone, Debug)]
pub struct EployReadings {
    /// The offset of its clock, or of the zone it writes, from the world's time, in milliseconds.
    pub apart: i64,
    /// The order of its search results.
    pub order: Order,
    /// Whether the answer to a create has no body.
    pub silent: bool,
    /// Whether the status history may be read.
    pub history: bool,
    /// Whether a move leaves an application's modification date as it is.
    pub frozen: bool,
    /// The question that was removed, so that answers to it are refused, if any.
    pub refused: Option<&'static str>,
}

/// The beginning of a history.
pub struct Plan {
    /// The time at which it begins.
    pub begins: Timestamp,
    /// The processes, each as its clock's initial offset from the world's time, in milliseconds.
    pub processes: Vec<i64>,
    /// The tenants' initial configurations.
    pub tenants: Vec<Tenant>,
    /// How their Eploys behave.
    pub eploys: Vec<EployReadings>,
    /// The number of applications that each has at first.
    pub applications: Vec<u32>,
    /// How Willo behaves.
    pub willo: Readings,
    /// How `WeCP` behaves.
    pub wecp: Readings,
    /// The intervals.
    pub timing: Timing,
    /// The rates of faults.
    pub rates: Rates,
    /// How long faults are injected.
    pub storm: Millis,
    /// The number of acts outside in that time.
    pub acts: u32,
    /// How often a whole process dies or is suspended in that time.
    pub blows: u32,
    /// Whether the queue claims to be durable, which it is not.
    pub queue_keeps: bool,
    /// The room that the queue says it has.
    pub queue_room: usize,
    /// Whether candidates are merged rather than erased: a candidate must be erased under all their ids.
    pub merges: bool,
    /// When a recruiter moves many applications at once, if ever: late.
    pub bulk: Option<Millis>,
    /// When our machines start again with clocks that are ahead, if ever.
    pub ahead: Option<Ahead>,
    /// After the faults stop, how long it takes until the outside is quiet, too.
    pub quiet: Millis,
}

/// Our machines start again with clocks that are hours ahead, which are set right later.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// When they go down.
    pub at: Millis,
    /// By how much their clocks are ahead then.
    pub by: Millis,
    /// How long that lasts.
    pub lasts: Millis,
}

/// Our own clocks differ by at most twice this, in milliseconds. This is an assumption of the whole system, see
/// [`crate::wire`].
const MAX_CLOCK_OFFSET: i64 = 5_000;

/// Draws a clock's offset from the world's time, in milliseconds.
pub fn our_clock(rng: &mut fastrand::Rng) -> i64 {
    rng.i64(-MAX_CLOCK_OFFSET..=MAX_CLOCK_OFFSET)
}

impl Plan {
    /// The plan of a seed.
    pub fn of(rng: &mut fastrand::Rng) -> Self {
        let begins = *rng
            .choice(&[
                "2026-01-14T09:00:00Z",
                "2026-07-14T09:00:00Z",
                "2026-07-14T21:30:00Z",
                "2026-11-30T22:30:00Z",
            ])
            .unwrap_or(&"2026-01-14T09:00:00Z");
        let count = if rng.u32(0..3) == 0 { 2 } else { 1 };
        let rates = match rng.u32(0..5) {
            0 => Rates::of(10, 30, 10, 5),
            1 => Rates::of(60, 150, 60, 20),
            2 => Rates::of(150, 400, 150, 60),
            3 => Rates::of(40, 900, 40, 100),
            // Slow rather than broken, for stale workers.
            _ => Rates::of(20, 40, 600, 20),
        };
        let tenants = (0..count).map(|at| tenant(at, rng)).collect();
        let processes = (0..rng.usize(2..=3)).map(|_| our_clock(rng)).collect();
        let eploys: Vec<_> = (0..count).map(|_| eploy(rng)).collect();
        let (willo, wecp) = (readings(rng), readings(rng));
        // Permanent failures are given up, which must be within the time of a history.
        let fails = willo.no_list.or(wecp.no_list).is_some()
            || eploys.iter().any(|eploy| eploy.refused.is_some());
        let storm = rng.u64(20..100) * 60_000;
        Self {
            begins: begins.parse().unwrap_or(Timestamp::UNIX_EPOCH),
            processes,
            tenants,
            eploys,
            applications: (0..count)
                .map(|_| match rng.u32(0..6) {
                    // Of several pages.
                    0 => rng.u32(5..=8),
                    _ => rng.u32(1..=4),
                })
                .collect(),
            willo,
            wecp,
            timing: Timing {
                retry_max_seconds: 600.0,
                give_up_seconds: if fails || rng.bool() {
                    3600.0
                } else {
                    2.0 * 86_400.0
                },
                sweep_seconds: 300.0,
                sweep_max_seconds: 1800.0,
                suspend_seconds: 300.0,
                ..Timing::default()
            },
            rates,
            storm,
            acts: rng.u32(4..20),
            blows: rng.u32(0..5),
            queue_keeps: rng.bool(),
            queue_room: *rng.choice(&[usize::MAX, usize::MAX, 4, 1]).unwrap_or(&4),
            merges: rng.bool(),
            bulk: (rng.u32(0..8) == 0).then(|| rng.u64(storm * 2 / 3..storm)),
            ahead: (rng.u32(0..10) == 0).then(|| Ahead {
                at: rng.u64(0..storm / 2),
                by: rng.u64(2..30) * 3_600_000,
                lasts: rng.u64(60_000..storm / 3),
            }),
            // What was given up because a list cannot be read may be heard of later.
            quiet: if willo.no_list.is_some() {
                7_800_000
            } else {
                1_200_000
            },
        }
    }
}

fn eploy(rng: &mut fastrand::Rng) -> EployReadings {
    EployReadings {
        apart: *rng
            .choice(&[0, 0, 45_000, -45_000, 180_000, 3_600_000])
            .unwrap_or(&0),
        order: *rng
            .choice(&[Order::Id, Order::Newest, Order::Oldest])
            .unwrap_or(&Order::Id),
        silent: rng.u32(0..6) == 0,
        history: rng.u32(0..5) > 0,
        frozen: rng.u32(0..6) == 0,
        refused: (rng.u32(0..5) == 0).then(|| questions("video")[0]),
    }
}

fn readings(rng: &mut fastrand::Rng) -> Readings {
    Readings {
        echoes: rng.bool(),
        second: *rng
            .choice(&[Second::New, Second::New, Second::Conflict, Second::Old])
            .unwrap_or(&Second::New),
        page: *rng.choice(&[1, 3, 30]).unwrap_or(&30),
        no_list: *rng
            .choice(&[None, None, None, None, None, Some(500), Some(400)])
            .unwrap_or(&None),
    }
}

/// The trigger stage of the first mapping.
pub const INTERVIEW: u32 = 10;
/// A possible trigger stage of the second mapping.
pub const TEST: u32 = 20;
/// A stage that is no trigger.
pub const ELSEWHERE: u32 = 30;
/// The stage that is a hire.
pub const HIRED: u32 = 40;
/// The vacancies.
pub const VACANCIES: [u32; 2] = [4101, 4102];

/// The custom questions that a mapping may answer with the score: at first, and after a change.
pub fn questions(mapping: &str) -> [&'static str; 2] {
    if is_video(mapping) {
        ["276", "286"]
    } else {
        ["277", "287"]
    }
}

/// The custom question that a mapping answers with an invitation's status.
pub fn status_question(mapping: &str) -> &'static str {
    if is_video(mapping) { "296" } else { "297" }
}

/// Whether a mapping invites to video interviews, whatever its present name.
fn is_video(mapping: &str) -> bool {
    mapping.starts_with("video")
}

/// How the comments of an action end where there is a score.
pub fn percent(score: u32) -> String {
    format!("({score} %)")
}

/// The part of an action's comments after these words of the template.
pub fn comments(words: &str) -> String {
    format!("{words}{{% if percent %}} ({{{{ percent }}}} %){{% endif %}}")
}

/// The assessments of a tenant on Willo: its mapping's first, and the one after a change.
pub fn interviews(tenant: usize) -> [String; 2] {
    [0xa0, 0xb0].map(|base| format!("{:032x}", base + tenant))
}

/// The same on `WeCP`.
pub fn tests(tenant: usize) -> [String; 2] {
    ["test", "exam"].map(|name| format!("{name}-{tenant}"))
}

/// The outcome that an action shows at a moment, as a unique id.
pub fn outcome(moment: Moment) -> u32 {
    900 + moment as u32
}

fn tenant(at: usize, rng: &mut fastrand::Rng) -> Tenant {
    let mut mappings = vec![mapping(
        "video",
        "willo",
        &interviews(at)[0],
        INTERVIEW,
        rng,
    )];
    if rng.bool() {
        let stage = if rng.bool() { INTERVIEW } else { TEST };
        mappings.push(mapping("test", "wecp", &tests(at)[0], stage, rng));
    }
    let mut dialect = json!({
        "page_size": rng.choice(&[2, 3, 100]).unwrap_or(&100),
        "notes_path": "applications/{application}/notes",
    });
    if rng.bool() {
        dialect["action_vacancy_route"] = "Vacancy.VacancyId".into();
    }
    let pace = if rng.bool() { 1 } else { 20 };
    let account = |kind: &str| PlatformConnection {
        kind: kind.to_owned(),
        base_url: None,
        settings: [("calls_per_second".to_owned(), json!(pace))]
            .into_iter()
            .collect(),
    };
    Tenant {
        id: format!("t{at}").as_str().into(),
        paused: false,
        eploy: EployConnection {
            base_url: format!("https://t{at}.eploy.example/")
                .parse()
                .unwrap_or_else(|_| unreachable!("a constant address")),
            // Below 500, so that calls are taken one by one and each can be checked against its own.
            daily_calls: *rng.choice(&[499, 499, 499, 120]).unwrap_or(&499),
            poll_seconds: *rng.choice(&[120, 300]).unwrap_or(&300),
            dialect: dialect.as_object().cloned().unwrap_or_default(),
        },
        platforms: BTreeMap::from([
            ("willo".into(), account("willo")),
            ("wecp".into(), account("wecp")),
        ]),
        mappings,
        hires: (rng.u32(0..3) > 0).then(|| hires(at)),
        retention_days: None,
    }
}

/// An application at the last stage is hired, and the tenant's HRMS is notified.
fn hires(tenant: usize) -> HirePlan {
    HirePlan {
        when: HiredWhen::Stages(vec![trigger(HIRED)]),
        endpoint: format!("https://t{tenant}.hrms.example/hires")
            .parse()
            .ok()
            .map(|url| HrmsEndpoint {
                url,
                person: BTreeSet::from([PersonalField::Email]),
            }),
    }
}

fn mapping(
    id: &str,
    account: &str,
    assessment: &str,
    stage: u32,
    rng: &mut fastrand::Rng,
) -> Mapping {
    use Moment::{
        Bounced, Cancelled, Completed, Declined, Delayed, Expired, Failed, Invited, Opened, Started,
    };
    let all = [
        Delayed, Failed, Invited, Opened, Started, Completed, Expired, Declined, Bounced, Cancelled,
    ];
    let outcomes = all.map(|moment| (moment, outcome(moment).to_string().as_str().into()));
    Mapping {
        id: id.into(),
        paused: false,
        vacancies: if rng.bool() {
            Vacancies::All
        } else {
            one_vacancy()
        },
        triggers: vec![trigger(stage)],
        assessment: stagecall_core::ids::AssessmentRef {
            account: account.into(),
            assessment: assessment.into(),
        },
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: if rng.u32(0..3) == 0 {
            Reentry::Again
        } else {
            Reentry::Once
        },
        include_current: rng.u32(0..4) == 0,
        allow_overlap: false,
        expires_after_days: None,
        report: ReportPlan {
            action: Some(ActionPlan {
                action_type: action_type(id).to_string().as_str().into(),
                outcomes: outcomes.into_iter().collect(),
            }),
            notes_at: if rng.u32(0..4) == 0 {
                BTreeSet::from([Completed])
            } else {
                BTreeSet::new()
            },
            questions: BTreeMap::from([
                (Answerable::Percent, questions(id)[0].into()),
                (Answerable::Status, status_question(id).into()),
            ]),
            texts: stagecall_core::tenant::Texts {
                comments: Some(comments("{{ headline }}")),
                note: Some("{{ headline }}".to_owned()),
            },
            ..ReportPlan::default()
        },
    }
}

/// The type of a mapping's actions.
pub fn action_type(mapping: &str) -> u32 {
    if is_video(mapping) { 42 } else { 43 }
}

/// The first vacancy only.
pub fn one_vacancy() -> Vacancies {
    Vacancies::Only(BTreeSet::from([VACANCIES[0].to_string().as_str().into()]))
}

/// A stage with any status.
pub fn trigger(stage: u32) -> Trigger {
    Trigger {
        stage: stage.to_string().as_str().into(),
        stage_name: None,
        statuses: Vec::new(),
    }
}
