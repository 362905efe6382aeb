//! What a worker can do next. Its moves are delegated to `inviting.rs` and `reporting.rs`.

use jiff::Timestamp;
use stagecall_core::invitation::{Event, Failure, Invitation, Schedule, State, Step, Writer};
use stagecall_core::result::{ResultSnapshot, Status};
use stagecall_core::timing::Timing;

use crate::setting::Setting;
use crate::worker::{Bringer, Duty, Move, Read, Worker};
use crate::world::{World, now};

/// One worker's steps.
pub struct Steps<'a> {
    /// What may happen.
    pub setting: &'a Setting,
    pub timing: &'a Timing,
}

impl Steps<'_> {
    /// The time until a failed task is retried, in ticks.
    pub const RETRY: u8 = 1;

    /// What a worker may do in `world`.
    pub fn moves(&self, world: &World, worker: &Worker, moves: &mut Vec<Move>) {
        let row = &world.row;
        match worker {
            Worker::Idle => {
                let waits = row.retry_at.is_some_and(|at| at > now());
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
                    if sweep_sees_change(world) {
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
    /// Makes a move. Returns the worker's next state.
    fn made(&self, world: &mut World, worker: Worker, make: Move) -> Worker {
        match worker {
            Worker::Idle => match make {
                Move::Begin(duty) => self.begin(world, duty),
                _ => Worker::Idle,
            },
            Worker::LookUp
            | Worker::LookedUp { .. }
            | Worker::Claim
            | Worker::Claimed { .. }
            | Worker::Sure { .. }
            | Worker::Calling { .. }
            | Worker::Answered(_) => self.sender_makes(world, worker, make),
            Worker::Begin { .. }
            | Worker::Write(_)
            | Worker::SureToWrite(_)
            | Worker::Writing { .. }
            | Worker::Settle { .. } => self.writer_makes(world, worker, make),
            Worker::Ask { .. } | Worker::Asked { .. } | Worker::Done { .. } => {
                self.bringer_makes(world, worker, make)
            }
        }
    }

    /// Reads the row and begins.
    pub fn begin(&self, world: &World, duty: Duty) -> Worker {
        match duty {
            Duty::Invite if world.row.state == State::Detected => Worker::Claim,
            Duty::Invite => Worker::LookUp,
            Duty::WriteBack => Worker::Begin {
                lease: world.lease(self.setting.lease),
            },
            Duty::News(bringer) => Worker::Ask {
                bringer,
                read: Read::Current,
            },
        }
    }

    /// Applies the event to the row and saves it. Returns whether it changed the row.
    pub fn change(&self, world: &mut World, event: Event) -> bool {
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
pub fn report_is_due(row: &Invitation) -> bool {
    let deferred = row.state.level() > 0
        && matches!(row.schedule, Schedule::At { at, step: Step::WriteBack } if at > now());
    row.unreported() && !row.report.leased(now()) && !deferred
}

/// A writer with this lease.
pub fn writer(lease_until: Timestamp) -> Writer {
    Writer {
        lease_until,
        creates_action: false,
    }
}

/// The platform's result at `version`.
pub fn snapshot(version: u32) -> ResultSnapshot {
    ResultSnapshot {
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

/// A failure that follows `before`. Every attempt counts as the tenth, so giving up depends on time alone.
pub fn failure(before: Option<&Failure>) -> Failure {
    Failure {
        code: "failure".to_owned(),
        problem: String::new(),
        remedy: String::new(),
        first_failed_at: before.map_or(now(), |failure| failure.first_failed_at),
        attempts: 10,
    }
}

/// Whether a sweep that reads the platform's list sees a change, as `usecases/sweep.rs` decides.
pub fn sweep_sees_change(world: &World) -> bool {
    let row = &world.row;
    let Schedule::Sweep { level, .. } = row.schedule else {
        return false;
    };
    if world.version == 0 {
        return false;
    }
    match &row.change_token {
        Some(change_token) => *change_token != world.version.to_string(),
        None => {
            let says = State::of(snapshot(world.version).status).level();
            level > State::Started.level() || says > level
        }
    }
}
