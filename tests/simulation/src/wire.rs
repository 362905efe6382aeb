//! The network: carries a request of ours to the world, and its answer back.
//!
//! It has two assumptions of the whole system built in, because no client of a system without idempotency keys can avoid
//! them (ARCHITECTURE, "What is not covered"):
//!
//! * A request leaves within its time limit or not at all. A sender that is stopped between its last look at the clock
//!   and the first byte for longer than its lease, and then continues, is not simulated.
//! * A request that has left arrives soon or not at all, and the clocks of our own processes differ by seconds. Both
//!   together take less time than a lease has left when the call's time is over.

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};

use crate::event_queue::{Event, Sent, WireFate};
use crate::oracle::Oracle;
use crate::plan::SLOW_TRANSIT;
use crate::scheduler::{Fate, Millis, Outcome, Scheduler, asleep};
use crate::world::World;

/// One process's access to the network, and the oracle that watches it.
pub struct Wire(pub Arc<Scheduler>, pub Arc<Oracle>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request, limits: Limits) -> Result<Response, TransportError> {
        let Self(scheduler, oracle) = self;
        oracle.calls(&request);
        let system = World::system(request.url.host_str().unwrap_or_default());
        let end = scheduler.now() + u64::try_from(limits.time.as_millis()).unwrap_or(0);
        let fate = scheduler.gate("send").await;
        let not_sent = |why: &str| Err(TransportError::NotSent(why.to_owned()));
        match fate {
            Fate::DiesBefore => return scheduler.die().await,
            Fate::FailsBefore => return not_sent("no connection"),
            _ => {}
        }
        // The first assumption.
        let Some(left) = end.checked_sub(scheduler.now()).filter(|left| *left > 0) else {
            return not_sent("the time was up before it was sent");
        };
        let rates = scheduler.rates();
        let (on_the_wire, there, back) = scheduler.draw(|rng| {
            let back: Millis = rates.transit(rng) * if rng.u32(0..20) == 0 { 10 } else { 1 };
            (rates.wire(rng), rates.transit(rng), back)
        });
        if there.max(back) >= SLOW_TRANSIT {
            scheduler.fault("transit slow");
        }
        if on_the_wire != WireFate::Works {
            scheduler.fault(on_the_wire.name());
        }
        scheduler.record("sent", || {
            format!(
                "{} {} {}, {on_the_wire:?}",
                system,
                request.method,
                request.url.path()
            )
        });
        let slot = scheduler.slot();
        let sent = Sent {
            slot,
            begun: scheduler.running().begun,
            request,
            fate: on_the_wire,
            back,
        };
        if on_the_wire != WireFate::Lost {
            scheduler.plan(there, Event::Arrive(Box::new(sent)));
        }
        if fate == Fate::DiesAfter {
            return scheduler.die().await;
        }
        let lost = || Err(TransportError::Lost("no answer in time".to_owned()));
        // A broken connection fails at once. A hanging one gives no signal.
        let delay = if on_the_wire == WireFate::Lost && scheduler.draw(fastrand::Rng::bool) {
            left.min(there)
        } else {
            left
        };
        scheduler.plan(delay, Event::Wake(slot, Outcome::Answer(lost())));
        let outcome = scheduler.at(slot).await;
        if fate == Fate::Stalls {
            let long = scheduler.draw(asleep);
            scheduler.pass(long).await;
        }
        match outcome {
            Outcome::Answer(answer) if fate != Fate::FailsAfter => answer,
            _ => lost(),
        }
    }
}
