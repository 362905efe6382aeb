//! The use cases of production (`shared/core/src/usecases`), cut into the steps between which a worker can be stopped.
//!
//! Every save is on condition that nobody saved since the row was read. So a worker whose row is old, and who has done
//! nothing outside yet, can as well be idle: its save would fail. [`Worker::outdated`] says what is left of whom.

use jiff::Timestamp;
use stagecall_core::invitation::{
    Event, Invitation, Report, SkipReason, State, Step, Trouble, Wake, Writer,
};
use stagecall_core::result::{Finding, Status};
use stagecall_core::timing::{Timing, after, seconds};

use crate::setting::{Broken, Setting};
use crate::world::{OnItsWay, World, in_ticks, now, older_lease};

/// Where a worker is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Worker {
    /// At nothing.
    Idle,
    /// Has read that the claim is over; asks the platform next.
    LookUp,
    /// Has the platform's answer; records it next.
    LookedUp { found: bool },
    /// Has read everything; claims next.
    Claim,
    /// Has claimed; looks at the clock next, and calls. `left`: of its lease.
    Claimed { current: bool, left: u8 },
    /// Has looked at the clock; calls next. Only where that is two steps.
    Sure { current: bool },
    /// Has called. `left`: how long its request may still be on its way.
    Calling {
        current: bool,
        left: u8,
        taken: bool,
    },
    /// Has an answer; records it next.
    Answered(Outcome),
    /// Has read that a report is due; takes the lease next.
    Begin { lease: Timestamp },
    /// Holds the lease; looks at the clock next, and writes.
    Write(Pen),
    /// Has looked at the clock; calls Eploy next. Only where that is two steps.
    SureToWrite(Pen),
    /// Has called Eploy.
    Writing { pen: Pen, left: u8, landed: bool },
    /// Puts on record what came of it.
    Settle { pen: Pen, told: Told },
    /// Has read the row; asks the platform for the result next. `old`: what an old row knew, where that still matters.
    Ask {
        bringer: Bringer,
        old: Option<Option<u32>>,
    },
    /// Has the result; records it next.
    Asked {
        bringer: Bringer,
        version: u32,
        lease: Timestamp,
    },
    /// Settles its delivery next.
    Done { delivery: u32 },
}

/// What the platform answered to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It has it. The sender's lease on the report.
    Created { lease: Timestamp },
    /// Nobody knows.
    Unknown { look_up_at: Timestamp },
    /// Not now, and certainly not taken.
    NotNow { until: Timestamp },
    /// No.
    Refused,
}

/// Who brings news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bringer {
    /// A stored delivery.
    Delivery(u32),
    /// A sweep that saw this mark on the list.
    Sweep(u32),
}

/// A writer's hold on the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pen {
    /// What it writes.
    pub revision: u32,
    /// Its lease.
    pub lease: Timestamp,
    /// The delivery that it works for.
    pub delivery: Option<u32>,
}

/// What came of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Told {
    /// It is in Eploy.
    Shown,
    /// It may not be.
    PutOff { until: Timestamp },
    /// There was no time.
    Late,
}

/// What a worker can be handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Send it, or look it up.
    Invite,
    /// Report it.
    WriteBack,
    /// Look into a delivery, or into what a sweep saw.
    News(Bringer),
}

/// What a worker does next, or what becomes of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Takes work from the queue, which loses, doubles, delays: anybody may be handed anything at any time.
    Begin(Duty),
    /// Makes the next step of its own.
    Go,
    /// Its call takes effect.
    Arrives,
    /// Its call is answered with yes.
    Yes,
    /// Its call ends without an answer. The request may be on its way.
    NoAnswer,
    /// It cannot call, or is answered "not now": certainly without effect.
    NotNow,
    /// It is answered with no, for good.
    No,
    /// It sees that the application is no longer at the stage.
    SeesItGone,
    /// Dies.
    Dies,
}

impl Worker {
    /// What is left of a worker when somebody else saves the row, which was `before`.
    pub fn outdated(self, before: &Invitation) -> Self {
        match self {
            Self::LookUp | Self::LookedUp { .. } | Self::Claim | Self::Begin { .. } => Self::Idle,
            // What is known already is no news for the old row either, and its delivery is settled without a save.
            Self::Asked {
                bringer: Bringer::Delivery(delivery),
                version,
                ..
            } if known(before) == Some(version) && !before.is_carried() => Self::Done { delivery },
            Self::Asked { .. } => Self::Idle,
            Self::Claimed { left, .. } => Self::Claimed {
                current: false,
                left,
            },
            Self::Sure { .. } => Self::Sure { current: false },
            Self::Calling { left, taken, .. } => Self::Calling {
                current: false,
                left,
                taken,
            },
            // What the platform took is recorded on whatever the row is by then; all else gives way.
            Self::Answered(Outcome::Created { .. }) => self,
            Self::Answered(_) => Self::Idle,
            // The old row may tell that there is nothing new, and the delivery is settled without a save.
            Self::Ask {
                bringer: bringer @ Bringer::Delivery(_),
                old: None,
            } if !before.is_carried() => Self::Ask {
                bringer,
                old: Some(known(before)),
            },
            Self::Ask { old: Some(_), .. } => self,
            Self::Ask { .. } => Self::Idle,
            Self::Idle
            | Self::Write(_)
            | Self::SureToWrite(_)
            | Self::Writing { .. }
            | Self::Settle { .. }
            | Self::Done { .. } => self,
        }
    }

    /// Its lease on the report.
    pub fn lease(&self) -> Option<Timestamp> {
        match self {
            Self::Begin { lease }
            | Self::Asked { lease, .. }
            | Self::Answered(Outcome::Created { lease }) => Some(*lease),
            Self::Write(pen)
            | Self::SureToWrite(pen)
            | Self::Writing { pen, .. }
            | Self::Settle { pen, .. } => Some(pen.lease),
            _ => None,
        }
    }

    /// A tick later.
    pub fn tick(&mut self) {
        match self {
            Self::Claimed { left, .. } | Self::Calling { left, .. } => {
                *left = left.saturating_sub(1);
            }
            Self::Writing { pen, left, .. } => {
                *left = left.saturating_sub(1);
                pen.lease = older_lease(pen.lease);
            }
            Self::Answered(Outcome::Unknown { look_up_at: at } | Outcome::NotNow { until: at }) => {
                *at = (*at - crate::world::TICK).max(now())
            }
            Self::Begin { lease }
            | Self::Asked { lease, .. }
            | Self::Answered(Outcome::Created { lease }) => *lease = older_lease(*lease),
            Self::Write(pen) | Self::SureToWrite(pen) => pen.lease = older_lease(pen.lease),
            Self::Settle { pen, told } => {
                pen.lease = older_lease(pen.lease);
                if let Told::PutOff { until } = told {
                    *until = (*until - crate::world::TICK).max(now());
                }
            }
            _ => {}
        }
    }
}

/// The version of the platform's result that the row knows.
fn known(row: &Invitation) -> Option<u32> {
    row.finding
        .as_ref()
        .and_then(|finding| finding.digest.parse().ok())
}

/// What the platform says at `version`.
fn finding(version: u32) -> Finding {
    Finding {
        status: match version {
            0 | 1 => Status::Sent,
            2 => Status::Completed,
            _ => Status::Graded,
        },
        started_at: None,
        completed_at: None,
        score: None,
        digest: version.to_string(),
    }
}

/// Trouble that goes on from `before`. Every try counts as the tenth, so that giving up depends on time alone.
fn trouble(before: Option<&Trouble>) -> Trouble {
    Trouble {
        code: "trouble".to_owned(),
        problem: String::new(),
        remedy: String::new(),
        since: before.map_or(now(), |trouble| trouble.since),
        times: 10,
    }
}

/// Whether a sweep that reads the platform's list sees news, as `usecases/sweep.rs` decides.
pub fn sweep_sees_news(world: &World) -> bool {
    let row = &world.row;
    if world.version == 0 || !matches!(row.wake, Wake::Watched { .. }) {
        return false;
    }
    match &row.marker {
        Some(marker) => *marker != world.version.to_string(),
        None => {
            let says = State::of(finding(world.version).status).level();
            !row.state.is_open() || says > row.state.level()
        }
    }
}

/// One worker's steps.
pub struct Steps<'a> {
    /// What may happen.
    pub setting: &'a Setting,
    /// The times.
    pub timing: &'a Timing,
}

impl Steps<'_> {
    /// How long until something that failed is tried again, in ticks.
    const RETRY: u8 = 1;

    /// What a worker may do in `world`.
    pub fn moves(&self, world: &World, worker: &Worker, moves: &mut Vec<Move>) {
        let row = &world.row;
        match worker {
            Worker::Idle => {
                let waits = row.next_try.is_some_and(|at| at > now());
                match row.state {
                    State::Detected if !waits => moves.push(Move::Begin(Duty::Invite)),
                    State::Sending { lease_until } if !waits && lease_until <= now() => {
                        moves.push(Move::Begin(Duty::Invite));
                    }
                    _ => {}
                }
                if report_is_due(row) {
                    moves.push(Move::Begin(Duty::WriteBack));
                }
                if row.reference.is_some() {
                    let deliveries = world.deliveries.iter();
                    moves.extend(
                        deliveries
                            .map(|delivery| Move::Begin(Duty::News(Bringer::Delivery(*delivery)))),
                    );
                    if sweep_sees_news(world) {
                        moves.push(Move::Begin(Duty::News(Bringer::Sweep(world.version))));
                    }
                }
                return;
            }
            Worker::LookUp => {
                moves.push(Move::Go);
                if self.setting.refusals {
                    moves.push(Move::NotNow);
                }
            }
            Worker::Claim => {
                moves.push(Move::Go);
                if self.setting.refusals {
                    moves.push(Move::NotNow);
                }
                if self.setting.leaves {
                    moves.push(Move::SeesItGone);
                }
            }
            Worker::Calling { left, taken, .. } => {
                if *taken {
                    moves.push(Move::Yes);
                } else {
                    if *left > 0 {
                        moves.push(Move::Arrives);
                    }
                    if self.setting.refusals {
                        moves.extend([Move::NotNow, Move::No]);
                    }
                }
                moves.push(Move::NoAnswer);
            }
            Worker::Write(_) => {
                moves.push(Move::Go);
                if self.setting.refusals {
                    moves.push(Move::NotNow);
                }
            }
            Worker::Writing { left, landed, .. } => {
                if *landed {
                    moves.push(Move::Yes);
                } else if *left > 0 {
                    moves.push(Move::Arrives);
                }
                moves.push(Move::NoAnswer);
            }
            _ => moves.push(Move::Go),
        }
        moves.push(Move::Dies);
    }

    /// The world after the worker at `index` made a move.
    pub fn after(&self, world: &World, index: usize, make: Move) -> World {
        let mut world = world.clone();
        let worker = std::mem::replace(&mut world.workers[index], Worker::Idle);
        let then = self.made(&mut world, worker, make);
        world.workers[index] = then;
        world
    }

    /// Makes a move; returns where the worker is then.
    fn made(&self, world: &mut World, worker: Worker, make: Move) -> Worker {
        match (worker, make) {
            (_, Move::Begin(duty)) => self.begin(world, duty),
            (Worker::LookUp, Move::NotNow) => {
                let event = Event::LookUpPutOff {
                    trouble: trouble(world.row.trouble.as_ref()),
                    until: in_ticks(Self::RETRY),
                };
                self.change(world, event);
                Worker::Idle
            }
            (Worker::LookUp, _) if self.setting.is(Broken::SkipLookUp) => {
                Worker::LookedUp { found: false }
            }
            (Worker::LookUp, Move::Go) => Worker::LookedUp {
                found: world.accepted > 0,
            },
            (Worker::LookedUp { found }, Move::Go) => self.looked_up(world, found),
            (Worker::Claim, Move::NotNow) => {
                let event = Event::PutOff {
                    claim: None,
                    trouble: trouble(world.row.trouble.as_ref()),
                    until: in_ticks(Self::RETRY),
                };
                self.change(world, event);
                Worker::Idle
            }
            (Worker::Claim, Move::SeesItGone) => {
                let event = Event::Skip {
                    claim: None,
                    reason: SkipReason::MovedOn,
                };
                self.change(world, event);
                Worker::Idle
            }
            (Worker::Claim, Move::Go) => {
                let event = Event::Claim {
                    lease_until: in_ticks(self.setting.lease),
                    entered_at: None,
                    history: None,
                };
                if self.change(world, event) {
                    Worker::Claimed {
                        current: true,
                        left: self.setting.lease,
                    }
                } else {
                    Worker::Idle
                }
            }
            (Worker::Claimed { current, left }, Move::Go) => {
                if left < self.setting.call && !self.setting.is(Broken::IgnoreLease) {
                    Worker::Idle
                } else if self.setting.is(Broken::LookAndSend) {
                    Worker::Sure { current }
                } else {
                    self.call(current)
                }
            }
            (Worker::Sure { current }, Move::Go) => self.call(current),
            (Worker::Calling { current, left, .. }, Move::Arrives) => {
                world.accepted += 1;
                world.version = world.version.max(1);
                Worker::Calling {
                    current,
                    left,
                    taken: true,
                }
            }
            (
                Worker::Calling {
                    current,
                    left,
                    taken,
                },
                answer,
            ) => self.answered(world, current, (left, taken), answer),
            (Worker::Answered(outcome), Move::Go) => self.record(world, outcome),
            (Worker::Begin { lease }, Move::Go) => {
                let begun = Event::ReportBegun(writer(lease));
                if self.change(world, begun) {
                    Worker::Write(Pen {
                        revision: world.row.revision,
                        lease,
                        delivery: None,
                    })
                } else {
                    Worker::Idle
                }
            }
            (Worker::Write(pen), Move::NotNow) => put_off(pen),
            (Worker::Write(pen), Move::Go) => {
                let end = after(now(), seconds(self.timing.call_seconds));
                if end > pen.lease && !self.setting.is(Broken::IgnoreWriterLease) {
                    let told = Told::Late;
                    Worker::Settle { pen, told }
                } else if self.setting.is(Broken::LookAndWrite) {
                    Worker::SureToWrite(pen)
                } else {
                    self.call_eploy(pen)
                }
            }
            (Worker::SureToWrite(pen), Move::Go) => self.call_eploy(pen),
            (Worker::Writing { pen, left, .. }, Move::Arrives) => {
                world.shows = pen.revision;
                Worker::Writing {
                    pen,
                    left,
                    landed: true,
                }
            }
            (Worker::Writing { pen, .. }, Move::Yes) => {
                let told = Told::Shown;
                Worker::Settle { pen, told }
            }
            (Worker::Writing { pen, left, landed }, end) => {
                let arrives = end == Move::Dies || self.setting.is(Broken::BrokenWriteArrives);
                if arrives && !landed && left > 0 {
                    world.writes.push(OnItsWay {
                        revision: pen.revision,
                        left,
                    });
                }
                if end == Move::Dies {
                    Worker::Idle
                } else {
                    put_off(pen)
                }
            }
            (Worker::Settle { pen, told }, Move::Go) => self.settle(world, pen, told),
            (Worker::Ask { bringer, old }, Move::Go) => self.ask(world, bringer, old),
            (
                Worker::Asked {
                    bringer,
                    version,
                    lease,
                },
                Move::Go,
            ) => self.observe(world, bringer, version, lease),
            (Worker::Done { delivery }, Move::Go) => {
                world.deliveries.remove(&delivery);
                Worker::Idle
            }
            (_, _) => Worker::Idle,
        }
    }

    /// Reads the row and begins.
    fn begin(&self, world: &World, duty: Duty) -> Worker {
        match duty {
            Duty::Invite if world.row.state == State::Detected => Worker::Claim,
            Duty::Invite => Worker::LookUp,
            Duty::WriteBack => Worker::Begin {
                lease: world.lease(self.setting.lease),
            },
            Duty::News(bringer) => Worker::Ask { bringer, old: None },
        }
    }

    /// Sends the first byte.
    fn call(&self, current: bool) -> Worker {
        Worker::Calling {
            current,
            left: self.setting.call,
            taken: false,
        }
    }

    /// Sends the first byte of a report.
    fn call_eploy(&self, pen: Pen) -> Worker {
        Worker::Writing {
            pen,
            left: self.setting.call,
            landed: false,
        }
    }

    /// Records what a look-up found.
    fn looked_up(&self, world: &mut World, found: bool) -> Worker {
        if found {
            self.change(world, sent(None));
            return Worker::Idle;
        }
        let again_at = world.row.trouble.as_ref().map(|_| in_ticks(Self::RETRY));
        if self.change(world, Event::LookedUpAbsent { again_at }) && again_at.is_none() {
            Worker::Claim
        } else {
            Worker::Idle
        }
    }

    /// The platform's answer, or none.
    fn answered(
        &self,
        world: &mut World,
        current: bool,
        (left, taken): (u8, bool),
        answer: Move,
    ) -> Worker {
        let lost = matches!(answer, Move::NoAnswer | Move::Dies);
        if lost && !taken && left > 0 {
            world.requests.push(OnItsWay { revision: 0, left });
        }
        let settle = if self.setting.is(Broken::ShortSettleTime) {
            0
        } else {
            self.setting.settle
        };
        match answer {
            Move::Yes => Worker::Answered(Outcome::Created {
                lease: world.lease(self.setting.lease),
            }),
            Move::NoAnswer if current => Worker::Answered(Outcome::Unknown {
                look_up_at: in_ticks(settle),
            }),
            Move::NotNow if current => Worker::Answered(Outcome::NotNow {
                until: in_ticks(Self::RETRY),
            }),
            Move::No if current => Worker::Answered(Outcome::Refused),
            _ => Worker::Idle,
        }
    }

    /// Records the platform's answer.
    fn record(&self, world: &mut World, outcome: Outcome) -> Worker {
        let attempt = world.row.attempts;
        let claim = Some(attempt);
        let before = trouble(world.row.trouble.as_ref());
        let event = match outcome {
            Outcome::Created { lease } => {
                if self.change(world, sent(Some(writer(lease))))
                    && world.row.report.lease_until == Some(lease)
                {
                    return Worker::Write(Pen {
                        revision: world.row.revision,
                        lease,
                        delivery: None,
                    });
                }
                return Worker::Idle;
            }
            Outcome::Unknown { look_up_at } => Event::OutcomeUnknown {
                attempt,
                trouble: before,
                look_up_at,
            },
            Outcome::NotNow { until } => Event::PutOff {
                claim,
                trouble: before,
                until,
            },
            Outcome::Refused => Event::Fail {
                claim,
                reason: stagecall_core::invitation::FailReason::Refused(trouble(None)),
            },
        };
        self.change(world, event);
        Worker::Idle
    }

    /// Records the end of a writer's work on whatever the row is by then.
    fn settle(&self, world: &mut World, pen: Pen, told: Told) -> Worker {
        let mut report = Report {
            revision: pen.revision,
            ..world.row.report.clone()
        };
        let event = if world.row.report.lease_until != Some(pen.lease) {
            Event::ReportDoubted
        } else {
            match told {
                Told::PutOff { .. } if self.setting.is(Broken::ForgetPutOff) => {
                    Event::Reported(report)
                }
                Told::Shown => Event::Reported(report),
                Told::PutOff { until } => Event::ReportPutOff {
                    report,
                    trouble: trouble(None),
                    until,
                },
                Told::Late => {
                    report.revision = world.row.report.revision;
                    Event::ReportProgress(report)
                }
            }
        };
        let changed = self.change(world, event);
        if !changed {
            return later(world, pen.delivery);
        }
        standing(world, pen.delivery)
    }

    /// Asks the platform for the result.
    fn ask(&self, world: &World, bringer: Bringer, old: Option<Option<u32>>) -> Worker {
        match (old, bringer) {
            (Some(known), Bringer::Delivery(delivery)) if known == Some(world.version) => {
                Worker::Done { delivery }
            }
            // It finds that the row was changed, and begins anew.
            (Some(_), _) => Worker::Idle,
            (None, _) => Worker::Asked {
                bringer,
                version: world.version,
                lease: world.lease(self.setting.lease),
            },
        }
    }

    /// Records the platform's result.
    fn observe(
        &self,
        world: &mut World,
        bringer: Bringer,
        version: u32,
        lease: Timestamp,
    ) -> Worker {
        let (marker, delivery) = match bringer {
            Bringer::Delivery(delivery) => (None, Some(delivery)),
            Bringer::Sweep(marker) => (Some(marker.to_string()), None),
        };
        let event = Event::Observed {
            finding: finding(version),
            marker,
            lease_until: Some(lease),
            carried: delivery.is_some(),
        };
        if self.change(world, event) {
            if world.row.report.lease_until == Some(lease) {
                return Worker::Write(Pen {
                    revision: world.row.revision,
                    lease,
                    delivery,
                });
            }
            return standing(world, delivery);
        }
        if world.row.is_carried() {
            later(world, delivery);
            if report_is_due(&world.row) {
                return self.begin(world, Duty::WriteBack);
            }
            return Worker::Idle;
        }
        standing(world, delivery)
    }

    /// Applies the event to the row and saves it. Returns whether it meant anything.
    fn change(&self, world: &mut World, event: Event) -> bool {
        match world.row.apply(event, now(), self.timing, None) {
            Ok(transition) => {
                world.save(transition.next);
                true
            }
            Err(_) => false,
        }
    }
}

/// Whether a write-back has something to do.
fn report_is_due(row: &Invitation) -> bool {
    let put_off = row.state.level() > 0
        && matches!(row.wake, Wake::At { at, step: Step::WriteBack } if at > now());
    row.unreported() && !row.report.leased(now()) && !put_off
}

/// The platform has it.
fn sent(writer: Option<Writer>) -> Event {
    Event::Sent {
        reference: "r".into(),
        link: None,
        adopted: writer.is_none(),
        writer,
    }
}

/// A writer with this lease.
fn writer(lease_until: Timestamp) -> Writer {
    Writer {
        lease_until,
        creates_action: false,
    }
}

/// A report that may not have been written.
fn put_off(pen: Pen) -> Worker {
    let told = Told::PutOff {
        until: in_ticks(Steps::RETRY),
    };
    Worker::Settle { pen, told }
}

/// Settles the delivery, unless the report is still left to it.
fn standing(world: &mut World, delivery: Option<u32>) -> Worker {
    match delivery {
        Some(_) if world.row.is_carried() => later(world, delivery),
        Some(delivery) => Worker::Done { delivery },
        None => Worker::Idle,
    }
}

/// The delivery comes back.
fn later(world: &mut World, delivery: Option<u32>) -> Worker {
    world.deliveries.extend(delivery);
    Worker::Idle
}
