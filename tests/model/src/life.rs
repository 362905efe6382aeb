//! The life of one invitation as a model: what can happen next, and what must hold.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use stagecall_core::invitation::{Event, FailReason, Invitation, Schedule, State, Step};
use stagecall_core::timing::Timing;
use stateright::{Model, Property};

use crate::setting::Setting;
use crate::steps::{Steps, sweep_sees_change};
use crate::worker::{Bringer, Duty, Move, Worker};
use crate::world::{World, now};

/// A step of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happens {
    /// Time passes.
    Tick,
    /// A request whose caller has died arrives at the platform.
    LateRequest(usize),
    /// A report whose caller has died arrives in Eploy.
    LateWrite(usize),
    /// The candidate or the platform makes progress, and the callback arrives or is lost.
    Progress { called_back: bool },
    /// A poll sees that the application has left the stage.
    Leaves,
    /// A worker makes a move.
    Does(usize, Move),
}

/// The life cycle of one invitation.
pub struct Life {
    setting: Setting,
    timing: Timing,
    calm: Mutex<HashMap<World, bool>>,
}

/// The promises that must hold.
pub const AT_MOST_ONE: &str = "at most one invitation is accepted by the platform";
const NEVER_FALLS: &str = "an invitation's level never falls";
const IS_SCHEDULED: &str = "every unfinished invitation is scheduled";
pub const COMES_TO_REST: &str = "once faults stop, it is sent or ended, and Eploy shows the latest";

impl Life {
    /// The number of ticks, after the faults stop, within which everything must be done.
    const MAX_TICKS: usize = 60;

    pub fn new(setting: Setting) -> Self {
        Self {
            timing: setting.timing(),
            setting,
            calm: Mutex::default(),
        }
    }

    fn steps(&self) -> Steps<'_> {
        Steps {
            setting: &self.setting,
            timing: &self.timing,
        }
    }

    /// Whether everything completes if all busy workers die now, and a single worker whose calls all succeed then gets
    /// what is due and what a sweep of the platform's list sees. Checked with the stored deliveries, and also with none
    /// of them enqueued again. Other endings are covered by other worlds.
    fn ends_well(&self, world: &World) -> bool {
        let calm = |deliveries| World {
            workers: vec![Worker::Idle],
            requests: Vec::new(),
            writes: Vec::new(),
            deliveries,
            ..world.clone()
        };
        self.comes_to_rest(calm(world.deliveries.clone()))
            && (world.deliveries.is_empty() || self.comes_to_rest(calm(BTreeSet::new())))
    }

    fn comes_to_rest(&self, mut world: World) -> bool {
        let known = |calm: &HashMap<World, bool>| calm.get(&world).copied();
        if let Some(well) = known(&self.calm.lock().unwrap_or_else(PoisonError::into_inner)) {
            return well;
        }
        let first = world.clone();
        for _ in 0..Self::MAX_TICKS {
            let deliveries: Vec<u32> = world.deliveries.iter().copied().collect();
            for delivery in deliveries {
                if world.row.reference.is_some() {
                    self.work_off(&mut world, Duty::News(Bringer::Delivery(delivery)));
                }
            }
            if let Schedule::At { at, step } = world.row.schedule
                && at <= now()
            {
                let duty = match step {
                    Step::Invite => Duty::Invite,
                    Step::WriteBack => Duty::WriteBack,
                };
                self.work_off(&mut world, duty);
            } else if sweep_sees_change(&world) {
                let bringer = Bringer::Sweep(world.version);
                self.work_off(&mut world, Duty::News(bringer));
                self.work_off(&mut world, Duty::WriteBack);
            }
            world = world.tick(self.setting.deadline_ticks.1);
        }
        let well = is_at_rest(&world);
        self.calm
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(first, well);
        well
    }

    /// One worker does one task, and every call succeeds.
    fn work_off(&self, world: &mut World, duty: Duty) {
        let steps = self.steps();
        let mut moves = Vec::new();
        steps.moves(world, &world.workers[0], &mut moves);
        if !moves.contains(&Move::Begin(duty)) {
            return;
        }
        *world = steps.after(world, 0, Move::Begin(duty));
        while world.workers[0] != Worker::Idle {
            moves.clear();
            steps.moves(world, &world.workers[0], &mut moves);
            let good = [Move::Yes, Move::Arrives, Move::Go];
            let next = good.into_iter().find(|good| moves.contains(good));
            *world = steps.after(world, 0, next.unwrap_or(Move::Dies));
        }
    }
}

/// Whether everything that is known is reported.
fn is_at_rest(world: &World) -> bool {
    let row = &world.row;
    let reported = !row.unreported() && world.shows == row.revision;
    let ended = row.state.level() > 0 && !matches!(row.schedule, Schedule::At { .. });
    let found = world.accepted == 0
        || row.reference.is_some()
        || matches!(row.state, State::Failed(FailReason::OutcomeUnknown(_)));
    let news = row.reference.is_none() || world.version < 2 || {
        let known = row
            .snapshot
            .as_ref()
            .map(|snapshot| snapshot.digest.clone());
        known == Some(world.version.to_string())
    };
    // A delivery that belongs to no row known to be sent is parked in the end.
    let settled = world.deliveries.is_empty() || row.reference.is_none();
    reported && ended && found && news && settled
}

impl Model for Life {
    type State = World;
    type Action = Happens;

    fn init_states(&self) -> Vec<World> {
        let mut world = World::new(self.setting.workers);
        if self.setting.sent {
            self.work_off(&mut world, Duty::Invite);
            world.version = 2;
            world.deliveries.insert(2);
            self.work_off(&mut world, Duty::News(Bringer::Delivery(2)));
            world.deliveries.insert(2);
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happens>) {
        actions.push(Happens::Tick);
        for (index, one) in world.requests.iter().enumerate() {
            if index == 0 || world.requests[index - 1] != *one {
                actions.push(Happens::LateRequest(index));
            }
        }
        for (index, one) in world.writes.iter().enumerate() {
            if index == 0 || world.writes[index - 1] != *one {
                actions.push(Happens::LateWrite(index));
            }
        }
        if world.accepted > 0 && world.version < self.setting.versions {
            actions.extend([true, false].map(|called_back| Happens::Progress { called_back }));
        }
        if self.setting.leaves && world.row.entry.left_at.is_none() {
            actions.push(Happens::Leaves);
        }
        let steps = self.steps();
        let mut moves = Vec::new();
        for (index, worker) in world.workers.iter().enumerate() {
            if index > 0 && world.workers[index - 1] == *worker {
                continue;
            }
            moves.clear();
            steps.moves(world, worker, &mut moves);
            actions.extend(moves.iter().map(|make| Happens::Does(index, *make)));
        }
    }

    fn next_state(&self, before: &World, happens: Happens) -> Option<World> {
        let mut world = before.clone();
        match happens {
            Happens::Tick => world = world.tick(self.setting.deadline_ticks.1),
            Happens::LateRequest(index) => {
                world.requests.remove(index);
                world.accepted += 1;
                world.version = world.version.max(1);
            }
            Happens::LateWrite(index) => world.shows = world.writes.remove(index).revision,
            Happens::Progress { called_back } => {
                world.version += 1;
                if called_back {
                    world.deliveries.insert(world.version);
                }
            }
            Happens::Leaves => {
                let left =
                    world
                        .row
                        .apply(Event::Left { modified: None }, now(), &self.timing, None);
                world.save(left.ok()?.next);
            }
            Happens::Does(index, make) => world = self.steps().after(before, index, make),
        }
        let world = world.in_order();
        (world != *before).then_some(world)
    }

    /// A world that cannot recover is not explored further.
    fn within_boundary(&self, world: &World) -> bool {
        world.accepted <= 2
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(AT_MOST_ONE, |_, world: &World| world.accepted <= 1),
            Property::always(NEVER_FALLS, |_, world: &World| !world.fell),
            Property::always(IS_SCHEDULED, |_, world: &World| is_scheduled(&world.row)),
            Property::always(COMES_TO_REST, |life: &Life, world| life.ends_well(world)),
            Property::sometimes(
                "the last version is reported",
                |life: &Life, world: &World| {
                    world.version == life.setting.versions && is_at_rest(world)
                },
            ),
        ];
        if !self.setting.sent {
            properties.push(Property::sometimes(
                "the platform has it and no worker knows",
                |_, world: &World| {
                    let idle = world.workers.iter().all(|worker| *worker == Worker::Idle);
                    world.accepted == 1 && world.row.reference.is_none() && idle
                },
            ));
        }
        properties
    }
}

/// Whether the row is due for what is not finished, or found by a sweep.
fn is_scheduled(row: &Invitation) -> bool {
    let unsent = row.state.level() == 0;
    match row.schedule {
        Schedule::Never => !unsent && !row.unreported(),
        Schedule::At { .. } => unsent || row.unreported(),
        Schedule::Sweep { .. } => !unsent && row.reference.is_some(),
    }
}
