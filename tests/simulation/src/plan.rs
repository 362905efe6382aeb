//! What a seed decides before anything happens: who takes part, how the outside behaves, how much goes wrong.

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

/// An effect of ours that takes as long as that is a slow one, and so is a request or an answer that is as long on its way.
pub const SLOW: Millis = 500;
pub const SLOW_WIRE: Millis = 200;

/// How often what goes wrong, in ten thousand.
#[derive(Clone, Debug)]
pub struct Rates {
    fates: [(Fate, u32); 5],
    wire: [(WireFate, u32); 6],
    /// Effects of ours that take long.
    pub slow: u32,
    /// Requests and answers that take long.
    pub slow_wire: u32,
    /// Conditional writes whose answer is lost, so that they are made again.
    pub write_repeats: u32,
    /// Work that a queue loses.
    pub queue_loses: u32,
    /// Work that a queue hands out again.
    pub queue_repeats: u32,
    /// Work that a queue hands out late.
    pub queue_delays: u32,
    /// Callbacks that never arrive.
    pub callback_lost: u32,
    /// Callbacks that arrive again.
    pub callback_repeats: u32,
    /// Ticks of the clock that never come.
    pub tick_lost: u32,
}

impl Rates {
    /// Nothing goes wrong.
    pub const CALM: Self = Self::of(0, 0, 0, 0);

    /// Everything about as often as `own` for what is ours, `wire` for the network; stalling and dying apart, because a
    /// worker that does so all the time does nothing worth watching.
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

    /// What becomes of an effect of ours.
    pub fn fate(&self, rng: &mut fastrand::Rng) -> Fate {
        drawn(&self.fates, rng).unwrap_or(Fate::Works)
    }

    /// What becomes of a request.
    pub fn wire(&self, rng: &mut fastrand::Rng) -> WireFate {
        drawn(&self.wire, rng).unwrap_or(WireFate::Works)
    }

    /// How long an effect of ours takes until it happens.
    pub fn latency(&self, rng: &mut fastrand::Rng) -> Millis {
        if rng.u32(0..10_000) < self.slow {
            rng.u64(SLOW..45_000)
        } else {
            rng.u64(0..8)
        }
    }

    /// How long a request is on its way. Bounded: see the assumption in [`crate::wire`].
    pub fn transit(&self, rng: &mut fastrand::Rng) -> Millis {
        if rng.u32(0..10_000) < self.slow_wire {
            rng.u64(SLOW_WIRE..4_000)
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

/// How Willo and `WeCP` behave where the reference leaves it open.
#[derive(Clone, Copy, Debug)]
pub struct Readings {
    /// Whether our own reference comes back.
    pub echoes: bool,
    /// What a second invitation of the same person to the same assessment gets.
    pub second: Second,
    /// Rows per page of a list.
    pub page: usize,
    /// What whoever asks for a list gets in place of it, if it cannot be read. Asking for one by one works all the same.
    pub no_list: Option<u16>,
}

/// What a second invitation gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// A new participant.
    New,
    /// A conflict that names nobody.
    Conflict,
    /// A success that names the first.
    Old,
}

/// In which order Eploy's searches answer.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// By id.
    Id,
    /// The last changed first.
    Newest,
    /// The last changed last.
    Oldest,
}

/// How one tenant's Eploy behaves where the reference leaves it open.
#[derive(Clone, Debug)]
pub struct EployReadings {
    /// How far its clock, or the zone it writes, is from the world's time, in milliseconds.
    pub apart: i64,
    /// In which order it answers.
    pub order: Order,
    /// Whether a created record's answer has no body.
    pub silent: bool,
    /// Whether the status history may be read.
    pub history: bool,
    /// Whether a move leaves an application's modification date as it is.
    pub frozen: bool,
    /// The question that it does not take answers to, if it is not there any more.
    pub refused: Option<&'static str>,
}

/// A history's beginning.
pub struct Plan {
    /// The time at which it begins.
    pub begins: Timestamp,
    /// The processes, each with how far its clock is from the world's time in milliseconds at first.
    pub processes: Vec<i64>,
    /// The tenants' configurations, as they are first.
    pub tenants: Vec<Tenant>,
    /// How their Eploys behave.
    pub eploys: Vec<EployReadings>,
    /// How many applications each has to begin with.
    pub applications: Vec<u32>,
    /// How Willo behaves.
    pub willo: Readings,
    /// How `WeCP` behaves.
    pub wecp: Readings,
    /// The intervals.
    pub timing: Timing,
    /// How much goes wrong.
    pub rates: Rates,
    /// For how long it goes wrong.
    pub storm: Millis,
    /// How much happens outside meanwhile.
    pub acts: u32,
    /// How often a whole process dies or stops for a while, in that time.
    pub blows: u32,
    /// Whether the queue says that it keeps what it took, which it does not.
    pub queue_keeps: bool,
    /// Whether candidates are merged, rather than erased: whoever is erased under one id has to be erased under all.
    pub merges: bool,
}

/// Our own clocks differ by twice this much at most, in milliseconds. That is an assumption of the whole system, see
/// [`crate::wire`].
const CLOCKS: i64 = 5_000;

/// How far a clock of ours is from the world's time, in milliseconds.
pub fn our_clock(rng: &mut fastrand::Rng) -> i64 {
    rng.i64(-CLOCKS..=CLOCKS)
}

impl Plan {
    /// What this seed decides.
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
            // Slow rather than broken: the land of the zombies.
            _ => Rates::of(20, 40, 600, 20),
        };
        let tenants = (0..count).map(|at| tenant(at, rng)).collect();
        let processes = (0..rng.usize(2..=3)).map(|_| our_clock(rng)).collect();
        let eploys: Vec<_> = (0..count).map(|_| eploy(rng)).collect();
        let (willo, wecp) = (readings(rng), readings(rng));
        // What fails for good is given up, and that has to be within the time that a history has.
        let fails = willo.no_list.or(wecp.no_list).is_some()
            || eploys.iter().any(|eploy| eploy.refused.is_some());
        Self {
            begins: begins.parse().unwrap_or(Timestamp::UNIX_EPOCH),
            processes,
            tenants,
            eploys,
            applications: (0..count).map(|_| rng.u32(1..=4)).collect(),
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
            storm: rng.u64(20..100) * 60_000,
            acts: rng.u32(4..20),
            blows: rng.u32(0..5),
            queue_keeps: rng.bool(),
            merges: rng.bool(),
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

/// The stage that the first mapping waits for.
pub const INTERVIEW: u32 = 10;
/// The stage that the second mapping may wait for.
pub const TEST: u32 = 20;
/// A stage that nobody waits for.
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

/// The custom question that a mapping answers with how an invitation stands.
pub fn status_question(mapping: &str) -> &'static str {
    if is_video(mapping) { "296" } else { "297" }
}

/// Whether a mapping is one of those that invite to video interviews, whatever it is called by now.
fn is_video(mapping: &str) -> bool {
    mapping.starts_with("video")
}

/// How the comments of an action end where there is a score.
pub fn percent(score: u32) -> String {
    format!("({score} %)")
}

/// What the comments of an action say, after these words of the template's.
pub fn comments(words: &str) -> String {
    format!("{words}{{% if percent %}} ({{{{ percent }}}} %){{% endif %}}")
}

/// The assessments of a tenant on Willo: what its mapping wants at first, and what after a change.
pub fn interviews(tenant: usize) -> [String; 2] {
    [0xa0, 0xb0].map(|base| format!("{:032x}", base + tenant))
}

/// The same on `WeCP`.
pub fn tests(tenant: usize) -> [String; 2] {
    ["test", "exam"].map(|name| format!("{name}-{tenant}"))
}

/// The outcome that an action shows at a moment, as an id that nothing else has.
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
            // Below 500, so that calls are taken one by one, and each can be held against the one that was taken for it.
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

/// Whoever comes to the last stage is hired, and the tenant's HRMS is told.
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

/// The first vacancy alone.
pub fn one_vacancy() -> Vacancies {
    Vacancies::Only(BTreeSet::from([VACANCIES[0].to_string().as_str().into()]))
}

/// A stage, whatever the status.
pub fn trigger(stage: u32) -> Trigger {
    Trigger {
        stage: stage.to_string().as_str().into(),
        stage_name: None,
        statuses: Vec::new(),
    }
}
