//! Sending: `usecases/invite.rs`.

use stagecall_core::invitation::{Event, FailReason, SkipReason, Writer};

use crate::setting::Broken;
use crate::steps::{Steps, failure, writer};
use crate::worker::{Move, Outcome, Pen, Worker};
use crate::world::{OnItsWay, World, in_ticks};

impl Steps<'_> {
    /// A sender's move.
    pub fn sender_makes(&self, world: &mut World, worker: Worker, make: Move) -> Worker {
        match (worker, make) {
            (Worker::LookUp, Move::NotNow) => {
                let event = Event::LookupDeferred {
                    failure: failure(world.row.failure.as_ref()),
                    until: in_ticks(Self::RETRY),
                };
                self.change(world, event);
                Worker::Idle
            }
            (Worker::LookUp, Move::Go) if self.setting.is(Broken::SkipLookUp) => {
                Worker::LookedUp { found: false }
            }
            (Worker::LookUp, Move::Go) => Worker::LookedUp {
                found: world.accepted > 0,
            },
            (Worker::LookedUp { found }, Move::Go) => self.looked_up(world, found),
            (Worker::Claim, Move::NotNow) => {
                let event = Event::Deferred {
                    claim: None,
                    failure: failure(world.row.failure.as_ref()),
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
                    sent_to: None,
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
            (_, _) => Worker::Idle,
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

    /// Records what a lookup found.
    fn looked_up(&self, world: &mut World, found: bool) -> Worker {
        if found {
            self.change(world, sent(None));
            return Worker::Idle;
        }
        let again_at = world.row.failure.as_ref().map(|_| in_ticks(Self::RETRY));
        if self.change(world, Event::LookupNotFound { again_at }) && again_at.is_none() {
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
        let before = failure(world.row.failure.as_ref());
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
                failure: before,
                look_up_at,
            },
            Outcome::NotNow { until } => Event::Deferred {
                claim,
                failure: before,
                until,
            },
            Outcome::Refused => Event::Fail {
                claim,
                reason: FailReason::Refused(failure(None)),
            },
        };
        self.change(world, event);
        Worker::Idle
    }
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
