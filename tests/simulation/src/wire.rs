//! The network: takes a request of ours to the world and brings back its answer, if it does.
//!
//! Two assumptions of the whole system are built in here, because no client of a system without idempotency keys can do
//! without them (ARCHITECTURE, "What is not covered"):
//!
//! * A request leaves within its time limit or not at all. A sender that is stopped between its last look at the clock
//!   and the first byte, for longer than its lease, and then goes on, is not simulated.
//! * A request that has left arrives soon or not at all, and the clocks of our own processes differ by seconds: both
//!   together by less than what a lease has left when the call's time is over.

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};

use crate::event_queue::{Event, Sent, WireFate};
use crate::oracle::Oracle;
use crate::plan::SLOW_WIRE;
use crate::scheduler::{Fate, Millis, Outcome, Scheduler, asleep};
use crate::world::World;

/// One process's way to the network, and who watches it.
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
        if there.max(back) >= SLOW_WIRE {
            scheduler.fault("transit slow");
        }
        if on_the_wire != WireFate::Works {
            scheduler.fault(on_the_wire.name());
        }
        scheduler.tell("sent", || {
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
        // A connection that breaks tells at once, one that hangs tells nothing.
        let told = if on_the_wire == WireFate::Lost && scheduler.draw(fastrand::Rng::bool) {
            left.min(there)
        } else {
            left
        };
        scheduler.plan(told, Event::Wake(slot, Outcome::Answer(lost())));
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
