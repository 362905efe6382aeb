//! Reporting and fetching results: `usecases/write_back.rs`, and what calls it in `delivery.rs` and `sweep.rs`.

use jiff::Timestamp;
use stagecall_core::invitation::{Event, Report};
use stagecall_core::timing::{after, seconds};

use crate::setting::Broken;
use crate::steps::{Steps, failure, report_is_due, snapshot, writer};
use crate::worker::{Bringer, Duty, Move, Pen, Read, Reporting, Worker};
use crate::world::{OnItsWay, World, in_ticks, now};

impl Steps<'_> {
    /// A writer's move.
    pub fn writer_makes(&self, world: &mut World, worker: Worker, make: Move) -> Worker {
        match (worker, make) {
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
            (Worker::Write(pen), Move::NotNow) => defer_report(pen),
            (Worker::Write(pen), Move::Go) => {
                let end = after(now(), seconds(self.timing.call_seconds));
                if end > pen.lease && !self.setting.is(Broken::IgnoreWriterLease) {
                    let outcome = Reporting::Late;
                    Worker::Settle { pen, outcome }
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
                let outcome = Reporting::Shown;
                Worker::Settle { pen, outcome }
            }
            (Worker::Writing { pen, left, landed }, end) => {
                let arrives = end == Move::Dies || self.setting.is(Broken::LateWrite);
                if arrives && !landed && left > 0 {
                    world.writes.push(OnItsWay {
                        revision: pen.revision,
                        left,
                    });
                }
                if end == Move::Dies {
                    Worker::Idle
                } else {
                    defer_report(pen)
                }
            }
            (Worker::Settle { pen, outcome }, Move::Go) => self.settle(world, pen, outcome),
            (_, _) => Worker::Idle,
        }
    }

    /// A move of the worker that fetches a result.
    pub fn bringer_makes(&self, world: &mut World, worker: Worker, make: Move) -> Worker {
        match (worker, make) {
            (Worker::Ask { bringer, read }, Move::Go) => self.ask(world, bringer, read),
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

    /// Sends the first byte of a report.
    fn call_eploy(&self, pen: Pen) -> Worker {
        Worker::Writing {
            pen,
            left: self.setting.call,
            landed: false,
        }
    }

    /// Records the outcome of a write on the row as it is by then.
    fn settle(&self, world: &mut World, pen: Pen, outcome: Reporting) -> Worker {
        let mut report = Report {
            revision: pen.revision,
            ..world.row.report.clone()
        };
        let mine = world.row.report.lease_until == Some(pen.lease);
        let event = match outcome {
            _ if !mine => Event::ReportStale,
            Reporting::Deferred { .. } if self.setting.is(Broken::ForgetPutOff) => {
                Event::Reported(report)
            }
            Reporting::Shown => Event::Reported(report),
            Reporting::Deferred { until } => {
                report.failure = Some(failure(None));
                Event::ReportDeferred { report, until }
            }
            Reporting::Late => {
                report.revision = world.row.report.revision;
                Event::ReportProgress(report)
            }
        };
        let changed = self.change(world, event);
        if !changed {
            return retry_later(world, pen.delivery);
        }
        settle_delivery(world, pen.delivery)
    }

    /// Asks the platform for the result.
    fn ask(&self, world: &World, bringer: Bringer, read: Read) -> Worker {
        match (read, bringer) {
            (Read::Old { known }, Bringer::Delivery(delivery)) if known == Some(world.version) => {
                Worker::Done { delivery }
            }
            // It finds that the row was changed, and starts again.
            (Read::Old { .. }, _) => Worker::Idle,
            (Read::Current, _) => Worker::Asked {
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
        let (change_token, delivery) = match bringer {
            Bringer::Delivery(delivery) => (None, Some(delivery)),
            Bringer::Sweep(change_token) => (Some(change_token.to_string()), None),
        };
        let event = Event::Observed {
            snapshot: snapshot(version),
            change_token,
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
            return settle_delivery(world, delivery);
        }
        if world.row.awaits_delivery() {
            retry_later(world, delivery);
            if report_is_due(&world.row) {
                return self.begin(world, Duty::WriteBack);
            }
            return Worker::Idle;
        }
        settle_delivery(world, delivery)
    }
}

/// A report that may not have been written.
fn defer_report(pen: Pen) -> Worker {
    let outcome = Reporting::Deferred {
        until: in_ticks(Steps::RETRY),
    };
    Worker::Settle { pen, outcome }
}

/// Settles the delivery, unless the report is still left to it.
fn settle_delivery(world: &mut World, delivery: Option<u32>) -> Worker {
    match delivery {
        Some(_) if world.row.awaits_delivery() => retry_later(world, delivery),
        Some(delivery) => Worker::Done { delivery },
        None => Worker::Idle,
    }
}

/// The delivery is retried later.
fn retry_later(world: &mut World, delivery: Option<u32>) -> Worker {
    world.deliveries.extend(delivery);
    Worker::Idle
}
