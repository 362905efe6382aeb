//! What happens outside in a history: recruiters, candidates, operators, and the platforms' calls.

use super::History;
use crate::agenda::Event;
use crate::plan::comments;
use crate::world::acts::{Act, Callback, From};

impl History {
    /// Somebody outside does something.
    pub(super) fn act(&self, act: Act) {
        let scheduler = self.shared.scheduler.clone();
        if let Some(fault) = act.fault() {
            scheduler.fault(fault);
        }
        if let Act::Configure(tenant) = act {
            return self.configure(tenant);
        }
        let now = scheduler.time(0).as_millisecond();
        let (told, callback) = {
            let mut world = self.world();
            let act = match act {
                Act::Progress => {
                    let (platform, at) = scheduler.draw(|rng| world.somebody(rng));
                    // Some are quick: the next news come while the last are being reported.
                    for _ in 0..scheduler.draw(|rng| rng.u32(0..4)) {
                        let later = scheduler.draw(|rng| rng.u64(50..6_000));
                        scheduler.plan(later, Event::Act(Act::Again(platform, at)));
                    }
                    Act::Again(platform, at)
                }
                act => act,
            };
            scheduler.draw(|rng| world.act(act, now, rng))
        };
        scheduler.tell("outside", || told);
        if let Act::Rotate(tenant) = act {
            let later = scheduler.draw(|rng| rng.u64(0..900_000));
            scheduler.plan(later, Event::Act(Act::Follow(tenant)));
            if scheduler.draw(fastrand::Rng::bool) {
                scheduler.plan(0, Event::Act(Act::Renew(tenant)));
            }
        }
        if let Some(callback) = callback {
            self.call(&callback);
        }
    }

    /// A callback goes out: it may be lost, come twice, or come late.
    fn call(&self, callback: &Callback) {
        let scheduler = &self.shared.scheduler;
        let rates = scheduler.rates();
        if scheduler.chance(rates.callback_lost) {
            scheduler.fault("callback lost");
            return;
        }
        let mut copies = 1;
        if scheduler.chance(rates.callback_repeats) {
            scheduler.fault("callback repeated");
            copies = 2;
        }
        match callback.from {
            From::Platform => {}
            From::Stranger => scheduler.fault("callback forged"),
            From::Insider => scheduler.fault("callback made up"),
        }
        for _ in 0..copies {
            let later = scheduler.draw(|rng| rng.u64(1..2_000));
            scheduler.plan(later, Event::Call(callback.clone()));
        }
    }

    /// The operator changes something.
    fn configure(&self, at: usize) {
        let scheduler = &self.shared.scheduler;
        let first = &self.first[at];
        let all = self.shared.memory.configured();
        let Some(mut tenant) = all.into_iter().find(|tenant| tenant.id == first.id) else {
            return;
        };
        let what = match scheduler.draw(|rng| rng.u32(0..7)) {
            0 => {
                tenant.paused = !tenant.paused;
                "pauses or resumes the tenant"
            }
            1 if !tenant.mappings.is_empty() => {
                tenant.mappings[0].paused = !tenant.mappings[0].paused;
                "pauses or resumes a mapping"
            }
            2 if tenant.mappings.len() == first.mappings.len() => {
                tenant.mappings.pop();
                "removes a mapping"
            }
            2 | 3 => {
                tenant.mappings.clone_from(&first.mappings);
                "puts the mappings back"
            }
            4 => {
                tenant.hires = match tenant.hires {
                    Some(_) => None,
                    None => first.hires.clone(),
                };
                "removes the plan for hires or puts it back"
            }
            5 => {
                for mapping in &mut tenant.mappings {
                    mapping.report.texts.comments =
                        Some(comments("{{ platform }}: {{ headline }}"));
                }
                "changes a text"
            }
            _ => {
                tenant.eploy.daily_calls = 150;
                "lowers the allowance"
            }
        };
        scheduler.tell("operator", || format!("{what} ({})", tenant.id));
        self.shared.judge.configured_now(&tenant);
        self.shared.memory.configure(&tenant);
    }
}
