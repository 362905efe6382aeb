//! A process of ours: its own clock, its own connections with their caches, and the use cases on top.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;
use stagecall_core::Timestamp;
use stagecall_core::app::{App, Ports as UseCasePorts};
use stagecall_core::clock::{Clock, Deadline};
use stagecall_core::engine::{DefinitionCache, Engine};
use stagecall_core::error::StoreError;
use stagecall_core::events::DomainEvent;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    CallbackToken, CallbackTokens, Events, IncomingCall, PlatformSecret, Queue, Secrets,
    SigningSecrets, TenantSecret,
};
use stagecall_core::skew::TOLERANCE;
use stagecall_core::timing::{Timing, after, seconds};
use stagecall_core::usecases::{ReceiveOutcome, Receiver, Scheduler as DueScheduler, Shares};
use stagecall_core::work::{Kind, Work};

use crate::event_queue::Event;
use crate::oracle::{HandedOut, Oracle};
use crate::scheduler::{Millis, Scheduler};
use crate::store::{Memory, Ports};
use crate::wire::Wire;
use crate::world::acts::{Callback, From};
use crate::world::{World, signing_secret};

pub struct Shared {
    pub scheduler: Arc<Scheduler>,
    /// The store.
    pub memory: Memory,
    /// The world outside.
    pub world: Arc<Mutex<World>>,
    /// Watches every effect.
    pub oracle: Arc<Oracle>,
    /// The intervals.
    pub timing: Arc<Timing>,
    /// Whether the queue claims to be durable.
    pub queue_keeps: bool,
    /// The room that it says it has.
    pub queue_room: usize,
}

/// A process.
pub struct Process {
    scheduler: Arc<Scheduler>,
    oracle: Arc<Oracle>,
    clock: Arc<ProcessClock>,
    ticker: DueScheduler,
    /// The lease of what it enqueues.
    lease: Millis,
    /// What it enqueued.
    handed_out: Arc<HandedOut>,
    /// When it ticked last, by its own clock.
    ticked_at: Mutex<Option<Timestamp>>,
    app: App,
    receiver: Receiver,
}

impl Process {
    /// A new process, with a clock that is `apart` milliseconds from the world's at present.
    pub fn new(shared: &Shared, apart: Arc<AtomicI64>) -> Self {
        let scheduler = shared.scheduler.clone();
        let store = Arc::new(Ports {
            memory: shared.memory.clone(),
            scheduler: scheduler.clone(),
            oracle: shared.oracle.clone(),
        });
        let clock = Arc::new(ProcessClock {
            scheduler: scheduler.clone(),
            apart,
        });
        let handed_out = Arc::new(HandedOut::default());
        let queue_of = |handed_out| {
            Arc::new(Lossy {
                scheduler: scheduler.clone(),
                is_durable: shared.queue_keeps,
                room: shared.queue_room,
                handed_out,
            })
        };
        let secrets = Arc::new(Cached {
            scheduler: scheduler.clone(),
            world: shared.world.clone(),
            known: Mutex::default(),
        });
        let wire = Arc::new(Wire(scheduler.clone(), shared.oracle.clone()));
        let engine = Engine {
            ledger: store.clone(),
            sweeps: store.clone(),
            tenants: store.clone(),
            definitions: DefinitionCache::over(store.clone()),
            queue: queue_of(None),
            events: Arc::new(EventsForOracle(shared.oracle.clone())),
            clock: clock.clone(),
            timing: shared.timing.clone(),
        };
        let eploy = Arc::new(
            stagecall_eploy::Connections::new(
                wire.clone(),
                secrets.clone(),
                store.clone(),
                clock.clone(),
                &shared.timing,
            )
            .with_token_cache(store.clone()),
        );
        let platforms = Arc::new(stagecall_platforms::Connections::new(
            wire.clone(),
            secrets.clone(),
            clock.clone(),
            &shared.timing,
        ));
        let hrms = stagecall_hrms::HrmsClient::new(wire, secrets.clone(), &shared.timing);
        let ports = UseCasePorts {
            engine,
            states: store.clone(),
            announcements: store.clone(),
            deliveries: store.clone(),
            secrets,
            eploy,
            platforms,
            hrms: Arc::new(hrms),
        };
        Self {
            oracle: shared.oracle.clone(),
            ticker: DueScheduler::new(
                store,
                queue_of(Some(handed_out.clone())),
                clock.clone(),
                Shares {
                    share: 50,
                    lease: shared.timing.enqueue_lease(),
                },
            ),
            lease: shared
                .timing
                .enqueue_lease()
                .as_millis()
                .try_into()
                .unwrap_or(0),
            handed_out,
            ticked_at: Mutex::default(),
            app: App::new(&ports),
            receiver: ports.receiver(),
            clock,
            scheduler,
        }
    }

    /// Does a piece of work. Failed work stays due.
    pub async fn work(self: Arc<Self>, work: Work) {
        let deadline = match work.kind() {
            Kind::Poll | Kind::Sweep => self.deadline(),
            _ => Deadline::NONE,
        };
        let done = self.app.handle(work, deadline).await;
        self.oracle.done();
        self.scheduler.record("done", || match done {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        });
    }

    /// The deadline of a piece of work. Mostly none; sometimes one that allows one page to be read.
    fn deadline(&self) -> Deadline {
        if self.scheduler.chance(2_000) {
            self.scheduler.fault("poll or sweep cut short");
            Deadline::at(after(self.clock.now(), seconds(1.0)))
        } else {
            Deadline::NONE
        }
    }

    /// Runs the clock function.
    pub async fn tick(self: Arc<Self>) {
        let (began, due) = (self.scheduler.now(), self.oracle.certainly_due());
        let done = self.find_due().await;
        if done.is_ok() {
            self.oracle
                .ticked(began, &due, &self.handed_out, self.lease);
        }
        self.scheduler.record("ticked", || match done {
            Ok(count) => format!("{count} due"),
            Err(error) => error.to_string(),
        });
    }

    /// As a host does it, which looks at everything when it starts and when its clock was set back.
    async fn find_due(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let last = *self
            .ticked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| after(now, TOLERANCE) < last) {
            self.ticker.look_ahead().await?;
        }
        *self
            .ticked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(now);
        self.ticker.tick().await
    }

    /// Receives a callback. Its platform may retry one that is not accepted.
    pub async fn receive(self: Arc<Self>, mut callback: Callback) {
        let call = IncomingCall {
            query: &[],
            headers: &[],
            body: &callback.body,
        };
        let tenant = TenantId::new(format!("t{}", callback.tenant));
        let answer = async {
            let account = "willo".into();
            let caller = self
                .receiver
                .authenticate(&tenant, &account, &callback.token)
                .await?;
            match caller {
                Some(caller) => self.receiver.receive(&caller, &call).await.map(Some),
                None => Ok(None),
            }
        };
        let answer = answer.await;
        self.scheduler.record("answered", || match &answer {
            Ok(Some(answer)) => format!("{answer:?}"),
            Ok(None) => "no such address".to_owned(),
            Err(error) => error.to_string(),
        });
        match answer {
            Ok(Some(ReceiveOutcome::Accepted)) if callback.from == From::Stranger => {
                self.oracle
                    .violate("a callback with a wrong token was accepted".to_owned());
            }
            Ok(_) => {}
            Err(_) => {
                if let Some(left) = callback.tries.checked_sub(1) {
                    callback.tries = left;
                    self.scheduler.plan(20_000, Event::Call(callback));
                }
            }
        }
    }
}

/// A clock that is a little off.
struct ProcessClock {
    scheduler: Arc<Scheduler>,
    apart: Arc<AtomicI64>,
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.scheduler.time(self.apart.load(Ordering::Relaxed))
    }
}

/// A queue that loses, doubles and delays, also if it claims to be durable.
struct Lossy {
    scheduler: Arc<Scheduler>,
    is_durable: bool,
    room: usize,
    /// Where to record what is enqueued, if anywhere.
    handed_out: Option<Arc<HandedOut>>,
}

#[async_trait]
impl Queue for Lossy {
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError> {
        let handed_out = self.handed_out.as_ref().map(|to| (to, work.clone()));
        let rates = self.scheduler.rates();
        let act = async {
            for work in work {
                if self.scheduler.chance(rates.queue_loses) {
                    self.scheduler.fault("queue loses");
                    continue;
                }
                let mut copies = 1;
                if self.scheduler.chance(rates.queue_repeats) {
                    self.scheduler.fault("queue repeats");
                    copies = 3;
                }
                for _ in 0..copies {
                    let later = if self.scheduler.chance(rates.queue_delays) {
                        self.scheduler.fault("queue delays");
                        self.scheduler.draw(|rng| rng.u64(1_000..300_000))
                    } else if copies > 1 {
                        // At once, or while the first is under way for long.
                        self.scheduler.draw(|rng| {
                            let most = if rng.bool() { 2_000 } else { 60_000 };
                            rng.u64(1..most)
                        })
                    } else {
                        self.scheduler.draw(|rng| rng.u64(1..20))
                    };
                    self.scheduler.plan(later, Event::Deliver(work.clone()));
                }
            }
            Ok(())
        };
        let pushed = self.scheduler.effect("queue work", act).await;
        if let Some((to, work)) = handed_out {
            to.note(&work, self.scheduler.now());
        }
        pushed
    }

    fn is_durable(&self) -> bool {
        self.is_durable
    }

    fn room(&self) -> usize {
        self.room
    }
}

/// Passes domain events to the oracle. Nothing of ours depends on an event arriving.
struct EventsForOracle(Arc<Oracle>);

#[async_trait]
impl Events for EventsForOracle {
    async fn publish(&self, events: Vec<DomainEvent>) {
        self.0.published(&events);
    }
}

/// The secret store, with a process's cache of it.
struct Cached {
    scheduler: Arc<Scheduler>,
    world: Arc<Mutex<World>>,
    known: Mutex<BTreeMap<TenantId, String>>,
}

impl Cached {
    fn place(tenant: &TenantId) -> Result<usize, StoreError> {
        let number = tenant.as_str().strip_prefix('t');
        number
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| StoreError::new("secrets", "read", "no such tenant"))
    }
}

#[async_trait]
impl Secrets for Cached {
    async fn secret(&self, tenant: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError> {
        let at = Self::place(tenant)?;
        let known = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(tenant).filter(|_| !fresh).cloned()
        };
        let text = if let Some(text) = known {
            text
        } else {
            let act = async {
                let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(world.vault.stored(at))
            };
            let text = self.scheduler.effect("read the secret", act).await?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(tenant.clone(), text.clone());
            text
        };
        let secret = || SecretString::from(text.clone());
        let account = || PlatformSecret([("api_key".to_owned(), secret())].into_iter().collect());
        Ok(TenantSecret {
            eploy_client_id: "stagecall".to_owned().into(),
            eploy_client_secret: secret(),
            platforms: [("willo".into(), account()), ("wecp".into(), account())]
                .into_iter()
                .collect(),
            hrms: Some(SigningSecrets {
                current: signing_secret(at),
                previous: None,
            }),
        })
    }

    async fn callback_tokens(
        &self,
        tenant: &TenantId,
        _: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        let at = Self::place(tenant)?;
        let act = async {
            let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(world.vault.callback(at))
        };
        let (current, previous) = self.scheduler.effect("read the tokens", act).await?;
        let token = |text: String| CallbackToken(text.into());
        Ok(Some(CallbackTokens {
            current: token(current),
            previous: previous.map(token),
        }))
    }
}
