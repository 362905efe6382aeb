//! Runs one history from its seed to its end.

mod outside;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use stagecall_core::ports::Purpose;
use stagecall_core::tenant::Tenant;
use stagecall_core::work::Work;
use stagecall_http::{Response, TransportError};

use crate::account::Account;
use crate::caught::caught;
use crate::event_queue::{Event, Sent, WireFate};
use crate::oracle::Oracle;
use crate::plan::{Plan, our_clock};
use crate::process::{Process, Shared};
use crate::scheduler::{Millis, Outcome, Running, Scheduler, asleep};
use crate::store::Memory;
use crate::world::acts::Act;
use crate::world::{World, status};

/// After the faults stop, everything must complete within this time: it may have to wait for the next day's allowance, and
/// what fails permanently is given up after two days.
const REST_TIMEOUT: Millis = 60 * 3_600_000;

/// A clock that differs by more is to be set right.
const HOUR: i64 = 3_600_000;

/// How long all processes are down: longer than any request is under way.
const DOWN: Millis = 60_000;

/// No history that completes has more events.
const MAX_EVENTS: u64 = 2_000_000;

/// The outcome of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// A digest of everything that happened.
    pub digest: u64,
    /// The number of effects that the code under test had outside its processes.
    pub effects: u64,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// The violations; empty in a good history.
    pub violations: Vec<String>,
    /// The number of invitations that the platforms accepted.
    pub accepted: usize,
}

impl Ended {
    /// A history of which only the violation is known.
    fn broken(what: String) -> Self {
        Self {
            digest: 0,
            effects: 0,
            faults: BTreeMap::new(),
            violations: vec![what],
            accepted: 0,
        }
    }
}

/// Runs the history of a seed. `aloud` prints every line of it. A panic is a violation like others, so that its seed is
/// known. A panic of the code under test ends its history like any violation. Of a panic of the simulation itself, only
/// the message is left.
pub fn run(seed: u64, aloud: bool) -> Ended {
    caught(|| to_its_end(seed, aloud)).unwrap_or_else(|panic| {
        let what = format!("the simulation {panic}");
        if aloud {
            println!("VIOLATION: {what}");
        }
        Ended::broken(what)
    })
}

fn to_its_end(seed: u64, aloud: bool) -> Ended {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    match built {
        Ok(runtime) => runtime.block_on(tokio::task::unconstrained(async {
            History::new(seed, aloud).run().await
        })),
        Err(error) => Ended::broken(format!("no runtime: {error}")),
    }
}

struct History {
    shared: Shared,
    first: Vec<Tenant>,
    /// The offset of each process's clock from the world's, in milliseconds.
    clocks: Vec<Arc<AtomicI64>>,
    processes: Vec<Arc<Process>>,
    paused: BTreeSet<usize>,
    jobs: BTreeMap<u64, Job>,
    count: u64,
    bell: Arc<Bell>,
    held: Vec<u64>,
    calm_since: Option<Millis>,
    /// How long after that the outside is quiet, too.
    quiet: Millis,
    /// Whether all processes are down.
    down: bool,
    /// Whether our clocks go ahead in this history. A tenant that is paused when they are set right stays as it is.
    clocks_go_ahead: bool,
    /// The last work that began before that.
    stormy: u64,
    over: bool,
}

struct Job {
    running: Running,
    waker: Waker,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// Collects the tasks that can continue.
#[derive(Default)]
struct Bell {
    woken: Mutex<Vec<u64>>,
    root: Mutex<Option<Waker>>,
}

struct Rope {
    job: u64,
    bell: Arc<Bell>,
}

impl Bell {
    fn woken(&self) -> MutexGuard<'_, Vec<u64>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self, job: u64) {
        self.woken().push(job);
        let mut root = self.root.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = root.take() {
            root.wake();
        }
    }

    async fn rung(&self) {
        poll_fn(|context| {
            if self.woken().is_empty() {
                let mut root = self.root.lock().unwrap_or_else(PoisonError::into_inner);
                *root = Some(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.bell.ring(self.job);
    }
}

/// The broadest purpose of a piece of work's calls to Eploy. Inviting includes reporting.
fn purpose(work: &Work) -> Purpose {
    match work {
        Work::Poll { .. } => Purpose::Poll,
        Work::Invite { .. } => Purpose::Invite,
        _ => Purpose::WriteBack,
    }
}

impl History {
    fn new(seed: u64, aloud: bool) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let plan = Plan::of(&mut rng);
        let world = Arc::new(Mutex::new(World::new(&plan, &mut rng)));
        let scheduler = Arc::new(Scheduler::new(
            rng,
            plan.rates.clone(),
            plan.begins,
            Account::new(aloud),
        ));
        let memory = Memory::default();
        let oracle = Arc::new(Oracle::new(
            scheduler.clone(),
            memory.clone(),
            world.clone(),
            plan.timing.give_up_seconds,
        ));
        let shared = Shared {
            scheduler,
            memory,
            world,
            oracle,
            timing: Arc::new(plan.timing.clone()),
            queue_keeps: plan.queue_keeps,
            queue_room: plan.queue_room,
        };
        let apart = plan.processes.iter();
        let clocks: Vec<_> = apart
            .map(|apart| Arc::new(AtomicI64::new(*apart)))
            .collect();
        let processes = clocks
            .iter()
            .map(|apart| Arc::new(Process::new(&shared, apart.clone())))
            .collect();
        let history = Self {
            processes,
            shared,
            clocks,
            first: plan.tenants.clone(),
            paused: BTreeSet::new(),
            jobs: BTreeMap::new(),
            count: 0,
            bell: Arc::default(),
            held: Vec::new(),
            calm_since: None,
            quiet: plan.quiet,
            down: false,
            clocks_go_ahead: plan.ahead.is_some(),
            stormy: 0,
            over: false,
        };
        history.begin(&plan);
        history
    }

    /// Queues the events of the plan.
    fn begin(&self, plan: &Plan) {
        for tenant in &plan.tenants {
            self.shared.oracle.configured_now(tenant);
            self.shared.memory.configure(tenant);
        }
        let scheduler = &self.shared.scheduler;
        scheduler.record("begins", || {
            format!(
                "{} clocks {:?} tenants {} {:?} willo {:?} wecp {:?}",
                plan.begins,
                plan.processes,
                plan.tenants.len(),
                plan.eploys,
                plan.willo,
                plan.wecp
            )
        });
        for _ in plan.processes.iter().filter(|apart| **apart != 0) {
            scheduler.fault("our clock apart");
        }
        for eploy in &plan.eploys {
            if eploy.apart != 0 {
                scheduler.fault("Eploy's clock apart");
            }
            if eploy.frozen {
                scheduler.fault("dates do not move");
            }
            if eploy.refused.is_some() {
                scheduler.fault("answers refused for good");
            }
        }
        for platform in [&plan.willo, &plan.wecp] {
            if platform.no_list.is_some() {
                scheduler.fault("list not readable");
            }
        }
        let sometime = |until: Millis| scheduler.draw(|rng| rng.u64(0..until));
        for _ in 0..plan.acts {
            let tenant = scheduler.draw(|rng| rng.usize(0..plan.tenants.len()));
            let act = match scheduler.draw(|rng| rng.u32(0..27)) {
                0..=5 => Act::Move,
                6 => Act::Bounce,
                7 => Act::Touch,
                8..=9 => Act::Apply,
                10..=15 => Act::Progress,
                16..=19 => Act::Configure(tenant),
                20 => Act::Rotate(tenant),
                21..=22 => Act::InviteByHand,
                23 if plan.merges => Act::Merge,
                23 => Act::Erase(tenant),
                24 => Act::Delete,
                25 => Act::Waver,
                _ => Act::Forge,
            };
            scheduler.plan(sometime(plan.storm), Event::Act(act));
        }
        for _ in 0..plan.blows {
            let process = scheduler.draw(|rng| rng.usize(0..plan.processes.len()));
            let event = match scheduler.draw(|rng| rng.u32(0..6)) {
                0 => Event::Crash(process),
                1..=2 => Event::Pause(process),
                3 => Event::SetClock(process),
                4 => Event::Outage("Eploy"),
                _ => Event::Outage(if sometime(2) == 0 { "Willo" } else { "WeCP" }),
            };
            scheduler.plan(sometime(plan.storm), event);
        }
        if let Some(at) = plan.bulk {
            scheduler.plan(at, Event::Act(Act::Bulk));
        }
        if let Some(ahead) = plan.ahead {
            scheduler.plan(ahead.at, Event::Down(ahead));
        }
        // After the faults stop, an event is always left.
        for later in [10_000, 600_000, 1_200_000, plan.quiet] {
            scheduler.plan(plan.storm + later, Event::Act(Act::Progress));
        }
        scheduler.plan(0, Event::Tick);
        scheduler.plan(plan.storm, Event::Calm);
    }

    async fn run(mut self) -> Ended {
        let scheduler = self.shared.scheduler.clone();
        let mut events = 0;
        while !self.over {
            self.go_on();
            if scheduler.account(|account| !account.violations.is_empty()) {
                break;
            }
            if let Some(event) = scheduler.next() {
                events += 1;
                if events > MAX_EVENTS {
                    let what = "it does not come to rest".to_owned();
                    self.shared.oracle.violate(what);
                }
                scheduler.run(Running::default());
                self.happen(event);
            } else {
                scheduler.wait(self.bell.rung()).await;
            }
        }
        let world = self.world();
        let accepted = world.platforms.iter().map(|one| one.ours().count()).sum();
        scheduler.account(|account| Ended {
            digest: account.digest(),
            effects: account.effects,
            faults: std::mem::take(&mut account.faults),
            violations: std::mem::take(&mut account.violations),
            accepted,
        })
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets every ready task continue, one at a time, in an order that the seed decides.
    fn go_on(&mut self) {
        let scheduler = self.shared.scheduler.clone();
        loop {
            let job = {
                let mut woken = self.bell.woken();
                match woken.len() {
                    0 => return,
                    1 => woken.swap_remove(0),
                    many => {
                        let which = scheduler.draw(|rng| rng.usize(0..many));
                        woken.swap_remove(which)
                    }
                }
            };
            let Some(work) = self.jobs.get_mut(&job) else {
                continue;
            };
            if self.paused.contains(&work.running.process) {
                self.held.push(job);
                continue;
            }
            scheduler.run(work.running);
            let waker = work.waker.clone();
            let polled = caught(|| work.future.as_mut().poll(&mut Context::from_waker(&waker)));
            match polled {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(())) => {
                    self.jobs.remove(&job);
                }
                Err(panic) => {
                    self.jobs.remove(&job);
                    self.shared
                        .oracle
                        .violate(format!("the code under test {panic}"));
                    return;
                }
            }
            for dead in scheduler.dying() {
                scheduler.record("dies", String::new);
                self.jobs.remove(&dead);
            }
        }
    }

    fn start(
        &mut self,
        what: &str,
        detail: impl FnOnce() -> String,
        purpose: Option<Purpose>,
        make: impl FnOnce(Arc<Process>) -> Pin<Box<dyn Future<Output = ()>>>,
    ) {
        let scheduler = self.shared.scheduler.clone();
        let process = scheduler.draw(|rng| rng.usize(0..self.processes.len()));
        self.count += 1;
        let job = self.count;
        let running = Running {
            job,
            process,
            begun: scheduler.now(),
            purpose,
        };
        scheduler.run(running);
        scheduler.record(what, detail);
        let rope = Rope {
            job,
            bell: self.bell.clone(),
        };
        self.jobs.insert(
            job,
            Job {
                running,
                waker: Arc::new(rope).into(),
                future: make(self.processes[process].clone()),
            },
        );
        self.bell.ring(job);
    }

    /// A process ends in the middle of its work, and a new one takes its place.
    fn restart(&mut self, process: usize) {
        self.jobs.retain(|_, job| job.running.process != process);
        let new = Process::new(&self.shared, self.clocks[process].clone());
        self.processes[process] = Arc::new(new);
    }

    fn happen(&mut self, event: Event) {
        let scheduler = self.shared.scheduler.clone();
        match event {
            Event::Wake(slot, outcome) => scheduler.wake(slot, outcome),
            Event::Arrive(sent) => self.arrive(&sent),
            Event::Deliver(_) if self.down => scheduler.fault("queue loses"),
            Event::Deliver(work) => {
                let (description, purpose) = (words::work(&work), purpose(&work));
                self.start(
                    "takes work",
                    || description,
                    Some(purpose),
                    |process| Box::pin(process.work(work)),
                );
            }
            Event::Tick => {
                let lost = scheduler.rates().tick_lost;
                if self.down || scheduler.chance(lost) {
                    scheduler.fault("tick lost");
                } else {
                    self.start("ticks", String::new, None, |process| {
                        Box::pin(process.tick())
                    });
                }
                scheduler.plan(60_000, Event::Tick);
            }
            Event::Act(act) => self.act(act),
            Event::Call(_) if self.down => scheduler.fault("callback lost"),
            Event::Call(callback) => self.start(
                "is called",
                || String::from_utf8_lossy(&callback.body).into_owned(),
                None,
                |process| Box::pin(process.receive(callback.clone())),
            ),
            Event::Pause(process) => {
                scheduler.record("pauses", || format!("p{process}"));
                scheduler.fault("process paused");
                self.paused.insert(process);
                let long = scheduler.draw(asleep);
                scheduler.plan(long, Event::Resume(process));
            }
            Event::Resume(process) => {
                scheduler.record("resumes", || format!("p{process}"));
                self.paused.remove(&process);
                for job in std::mem::take(&mut self.held) {
                    self.bell.ring(job);
                }
            }
            Event::Crash(process) => {
                scheduler.record("crashes", || format!("p{process}"));
                scheduler.fault("process died");
                self.restart(process);
            }
            Event::Down(ahead) => {
                scheduler.record("all end", String::new);
                self.down = true;
                (0..self.processes.len()).for_each(|process| self.restart(process));
                // Nothing of theirs is under way any more when they start again.
                scheduler.plan(DOWN, Event::Up(ahead));
            }
            Event::Up(ahead) => {
                scheduler.record("all start", || format!("{} ms ahead", ahead.by));
                scheduler.fault("our clocks ahead");
                self.down = false;
                self.shared.oracle.clocks_ahead();
                for clock in &self.clocks {
                    clock.fetch_add(ahead.by.cast_signed(), Ordering::Relaxed);
                }
                scheduler.plan(ahead.lasts, Event::SetRight);
            }
            Event::SetRight => {
                scheduler.record("are set right", String::new);
                for clock in &self.clocks {
                    clock.store(scheduler.draw(our_clock), Ordering::Relaxed);
                }
            }
            Event::SetClock(process) if self.clocks[process].load(Ordering::Relaxed) > HOUR => {}
            Event::SetClock(process) => {
                let apart = scheduler.draw(our_clock);
                scheduler.record("is set", || format!("p{process} to {apart}"));
                scheduler.fault("our clock set");
                self.clocks[process].store(apart, Ordering::Relaxed);
            }
            Event::Outage(system) => {
                scheduler.record("is out", || system.to_owned());
                scheduler.fault("outage");
                self.world().down.insert(system);
                let long = scheduler.draw(|rng| rng.u64(60_000..3_000_000));
                scheduler.plan(long, Event::OutageOver(system));
            }
            Event::OutageOver(system) => {
                scheduler.record("is back", || system.to_owned());
                self.world().down.remove(system);
            }
            Event::Calm => self.calm(),
            Event::Look => self.look(),
        }
    }

    /// A request arrives.
    fn arrive(&self, sent: &Sent) {
        let scheduler = &self.shared.scheduler;
        let now = scheduler.time(0).as_millisecond();
        let host = sent.request.url.host_str().unwrap_or_default();
        let mut world = self.world();
        let fate = if world.down.contains(World::system(host)) {
            WireFate::Error
        } else {
            sent.fate
        };
        let answer = match fate {
            WireFate::Error => status(503),
            WireFate::NotNow if scheduler.draw(fastrand::Rng::bool) => status(429),
            WireFate::NotNow => Response {
                headers: vec![("retry-after".to_owned(), "20".to_owned())],
                ..status(429)
            },
            _ => world.answer(&sent.request, now),
        };
        scheduler.record("arrived", || {
            format!(
                "{} {} → {}",
                sent.request.method,
                sent.request.url.path(),
                answer.status
            )
        });
        self.shared.oracle.arrived(&mut world, sent.begun);
        let answer = match fate {
            WireFate::AnswerLost => return,
            WireFate::ErrorAfter => status(500),
            WireFate::Garbled => Response {
                body: b"<html>proxy</html>".to_vec(),
                ..status(200)
            },
            _ => answer,
        };
        let answer: Result<Response, TransportError> = Ok(answer);
        scheduler.plan(sent.back, Event::Wake(sent.slot, Outcome::Answer(answer)));
    }

    /// The faults stop, and what was removed is restored.
    fn calm(&mut self) {
        let scheduler = self.shared.scheduler.clone();
        scheduler.record("calm", String::new);
        scheduler.calm();
        self.calm_since = Some(scheduler.now());
        self.stormy = self.count;
        self.world().down.clear();
        self.paused.clear();
        for job in std::mem::take(&mut self.held) {
            self.bell.ring(job);
        }
        for at in 0..self.first.len() {
            self.world().vault.follow(at);
        }
        for mut tenant in self.shared.memory.configured() {
            tenant.paused = false;
            for mapping in &mut tenant.mappings {
                mapping.paused = false;
            }
            self.shared.memory.configure(&tenant);
        }
        scheduler.plan(self.quiet + 60_000, Event::Look);
    }

    /// Checks whether everything has completed.
    fn look(&mut self) {
        let scheduler = self.shared.scheduler.clone();
        let mut open = self.shared.oracle.outstanding();
        if self.jobs.keys().any(|job| *job <= self.stormy) {
            open.push("work that began before the faults stopped still sleeps".to_owned());
        }
        if open.is_empty() {
            self.over = true;
            return;
        }
        scheduler.record("still open", || open.join("; "));
        let waited = scheduler.now() - self.calm_since.unwrap_or_default();
        if waited > REST_TIMEOUT {
            let what = format!(
                "{} hours after the last fault: {}",
                waited / 3_600_000,
                open.join("; ")
            );
            self.shared.oracle.violate(what);
            return;
        }
        let again = if waited < 3 * 3_600_000 {
            120_000
        } else {
            1_200_000
        };
        scheduler.plan(again, Event::Look);
    }
}
