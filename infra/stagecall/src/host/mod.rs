//! The embedded host: the use cases at work in one process over one store.

mod handler;
mod listener;
mod pulse;
mod registration;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use stagecall_core::clock::Clock;
use stagecall_core::events::DomainEvent;
use stagecall_core::ports::{EployConnections, Events, PlatformConnections, Secrets};
use stagecall_core::skew::TOLERANCE;
use stagecall_core::timing::{Timing, after, seconds};
use stagecall_core::usecases::{
    DefinitionCache, Engine, HireNotifier, Inviter, Poller, Receiver, Registrar, Retention,
    Scheduler, Shares, Sweeper, WriteBack,
};
use stagecall_embedded::{Limits, Store, WorkQueue, Workers};
use stagecall_http::Transport;
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use handler::Handler;
use pulse::Pulse;

/// How often the host looks for what is due. Looking is a few indexed queries for each tenant.
const TICK: Duration = Duration::from_millis(200);

/// How often it is looked for what was kept for long enough. Looking reads all invitations of tenants that say so.
const FORGETTING: Duration = Duration::from_hours(24);

/// How soon after a failure it is tried again.
const FORGETTING_AGAIN: Duration = Duration::from_mins(15);

/// How much work may wait in the process, beside the first of each kind of a tenant; the rest waits in the store.
const CAPACITY: usize = 1000;

/// How much of one tenant and kind may be in the process at a time.
const SHARE: usize = 64;

/// How often it is looked whether the store is in order.
const CHECK: Duration = Duration::from_secs(10);

/// How often the whole store is read to see whether it hangs together: a third of a second of one core for 300,000 invitations.
const VERIFY: Duration = Duration::from_hours(1);

/// How long running work may take to finish at shutdown.
const GRACE: Duration = Duration::from_secs(10);

/// What a host is made of.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timing: Timing,
    pub(crate) workers: usize,
    pub(crate) workers_per_tenant: usize,
    /// Where it listens for callbacks.
    pub(crate) listen: SocketAddr,
    /// Under which address platforms reach that listener.
    pub(crate) public_url: Option<Url>,
}

/// The host, ready to run.
pub(crate) struct Host {
    store: Store,
    clock: Arc<dyn Clock>,
    handler: Handler,
    ticker: Scheduler,
    workers: Workers,
    listener: TcpListener,
    eploy: Arc<dyn EployConnections>,
    registration: Option<registration::Registration>,
    retention: Retention,
}

impl Host {
    /// Puts the parts together and binds the listener.
    #[allow(clippy::too_many_lines, reason = "one use case after the other")]
    pub(crate) fn new(parts: Parts) -> anyhow::Result<Self> {
        let store = Arc::new(parts.store.clone());
        let timing = Arc::new(parts.timing);
        let (queue, workers) = WorkQueue::new(Limits {
            capacity: CAPACITY,
            max_total: parts.workers,
            max_per_tenant: parts.workers_per_tenant,
        });
        let eploy: Arc<dyn EployConnections> = Arc::new(
            stagecall_eploy::Connections::new(
                parts.transport.clone(),
                parts.secrets.clone(),
                store.clone(),
                parts.clock.clone(),
                &timing,
            )
            .with_token_cache(store.clone()),
        );
        let hrms = stagecall_hrms::HrmsClient::new(
            parts.transport.clone(),
            parts.secrets.clone(),
            &timing,
        );
        let platforms: Arc<dyn PlatformConnections> =
            Arc::new(stagecall_platforms::Connections::new(
                parts.transport,
                parts.secrets.clone(),
                parts.clock.clone(),
                &timing,
            ));
        let engine = Engine {
            ledger: store.clone(),
            sweeps: store.clone(),
            tenants: store.clone(),
            definitions: DefinitionCache::over(store.clone()),
            queue: Arc::new(queue.clone()),
            events: Arc::new(LoggedEvents),
            clock: parts.clock.clone(),
            timing,
        };
        let (kept, records) = (engine.clone(), store.clone());
        let write_back = WriteBack {
            engine: engine.clone(),
            eploy: eploy.clone(),
            platforms: platforms.clone(),
        };
        let shares = Shares {
            share: SHARE,
            lease: seconds(engine.timing.retry_seconds),
        };
        let handler = Handler {
            poller: Poller {
                engine: engine.clone(),
                states: store.clone(),
                announcements: store.clone(),
                eploy: eploy.clone(),
            },
            announcer: HireNotifier {
                engine: engine.clone(),
                announcements: store.clone(),
                eploy: eploy.clone(),
                hrms: Arc::new(hrms),
            },
            inviter: Inviter {
                engine: engine.clone(),
                eploy: eploy.clone(),
                platforms: platforms.clone(),
            },
            sweeper: Sweeper {
                engine: engine.clone(),
                platforms: platforms.clone(),
                write_back: write_back.clone(),
            },
            receiver: Receiver {
                engine,
                deliveries: store.clone(),
                secrets: parts.secrets.clone(),
                platforms: platforms.clone(),
            },
            write_back,
        };
        let ticker = Scheduler::new(store, Arc::new(queue), parts.clock.clone(), shares);
        let listener = listener::bind(parts.listen)
            .with_context(|| format!("cannot listen on {}", parts.listen))?;
        let registration = parts.public_url.map(|public_url| {
            registration::Registration(Registrar {
                public_url,
                platforms,
                secrets: parts.secrets,
            })
        });
        Ok(Self {
            store: parts.store,
            clock: parts.clock,
            handler,
            ticker,
            workers,
            listener,
            eploy,
            registration,
            retention: Retention {
                engine: kept,
                records,
            },
        })
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// The ways into Eploy, for setting up.
    pub(crate) fn eploy(&self) -> Arc<dyn EployConnections> {
        self.eploy.clone()
    }

    /// Serves until `stop` says so, then finishes what runs.
    ///
    /// # Errors
    /// A part of it has ended, and with it the host: half of one would only look alive.
    pub(crate) async fn run(self, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let handler = Arc::new(self.handler);
        let receiver = handler.receiver.clone();
        let pulse = Arc::new(Pulse::new());
        let listening = listener::serve(
            self.listener,
            receiver,
            pulse.clone(),
            stopped(stop.clone()),
        );
        let work = {
            let handler = handler.clone();
            move |work| {
                let handler = handler.clone();
                async move { handler.handle(work).await }
            }
        };
        let working = self.workers.run(work, stopped(stop.clone()), GRACE);
        let ticking = tick(self.ticker, &*self.clock, &pulse, stop.clone());
        let checking = repeat(stop.clone(), || check(&self.store, &*self.clock, &pulse));
        let verifying = repeat(stop.clone(), || verify(&self.store, &pulse));
        let registering = async {
            match self.registration {
                Some(registration) => registration.keep(&self.store, stop.clone()).await,
                None => stopped(stop.clone()).await,
            }
        };
        let retaining = repeat(stop.clone(), || retain(&self.retention));
        // A caller that never ends its request must not keep the host from ending.
        let too_long = async {
            stopped(stop.clone()).await;
            tokio::time::sleep(GRACE * 2).await;
        };
        let parts = async {
            tokio::try_join!(
                until(&stop, "the listener", listening),
                until(&stop, "the workers", working),
                until(&stop, "the clock", ticking),
                until(&stop, "the check of the store", checking),
                until(&stop, "the verification of the store", verifying),
                until(&stop, "the registration of callbacks", registering),
                until(&stop, "retention", retaining),
            )
        };
        tokio::select! {
            ended = parts => ended.map(drop),
            () = self.store.writer_ended() => Err(anyhow::anyhow!(
                "the thread that writes to the store has ended; the log says why. Start the host again"
            )),
            () = too_long => {
                tracing::warn!("a connection was cut off at shutdown");
                Ok(())
            }
        }
    }
}

/// Runs a part of the host, which has to end when `stop` says so and not before.
async fn until(
    stop: &watch::Receiver<bool>,
    part: &'static str,
    runs: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    runs.await;
    // Whoever was to say it may be gone, which says it, too.
    anyhow::ensure!(
        *stop.borrow() || stop.has_changed().is_err(),
        "{part} has ended by itself. Start the host again"
    );
    Ok(())
}

/// Does something again and again, until `stop` says so. It says itself how long it is until the next time.
async fn repeat<F>(stop: watch::Receiver<bool>, once: impl Fn() -> F)
where
    F: Future<Output = Duration>,
{
    let mut stopped = std::pin::pin!(stopped(stop));
    loop {
        let pause = tokio::select! {
            () = &mut stopped => return,
            pause = once() => pause,
        };
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Looks whether the store is in order.
async fn check(store: &Store, clock: &dyn Clock, pulse: &Pulse) -> Duration {
    let checked = store.check(clock.now()).await;
    if let Err(error) = &checked {
        tracing::error!(%error, "the store is not in order");
    }
    pulse.checked(checked.is_ok());
    CHECK
}

/// Looks whether all of the store hangs together.
async fn verify(store: &Store, pulse: &Pulse) -> Duration {
    let verified = store.verify().await;
    if let Err(error) = &verified {
        tracing::error!(%error, "the store is damaged or cannot be read");
    }
    pulse.verified(verified.is_ok());
    VERIFY
}

/// Hands out what is due, again and again.
async fn tick(ticker: Scheduler, clock: &dyn Clock, pulse: &Pulse, stop: watch::Receiver<bool>) {
    let mut stopped = std::pin::pin!(stopped(stop));
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // What a clock that was ahead has put off is not due by the store: at the start, and when the clock went back.
    let mut last = None;
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = interval.tick() => {}
        }
        let now = clock.now();
        if last.is_none_or(|last| after(now, TOLERANCE) < last)
            && let Err(error) = ticker.look_ahead().await
        {
            tracing::error!(%error, "what a clock that was ahead may have put off could not be found");
            continue;
        }
        last = Some(now);
        match ticker.tick().await {
            Ok(_) => pulse.ticked(),
            Err(error) => {
                tracing::error!(%error, "what is due could not be found; looking again");
            }
        }
    }
}

/// Forgets what is over.
async fn retain(retention: &Retention) -> Duration {
    let Err(error) = retention.purge_expired().await else {
        return FORGETTING;
    };
    let retry_seconds = FORGETTING_AGAIN.as_secs();
    tracing::error!(%error, retry_seconds, "not everything that is over could be forgotten");
    FORGETTING_AGAIN
}

/// Resolves when `stop` says so, or nobody is left to say it.
async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it whoever wanted the host to run.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Resolves on the signals that ask a program to end.
pub(crate) async fn interrupted() {
    let mut terminated =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(error) => {
                tracing::warn!(%error, "the signal to terminate cannot be heard; ctrl-c can");
                let _ = tokio::signal::ctrl_c().await;
                return;
            }
        };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

/// Domain events of the embedded host go to its log.
struct LoggedEvents;

#[async_trait]
impl Events for LoggedEvents {
    async fn publish(&self, events: Vec<DomainEvent>) {
        for event in events {
            tracing::debug!(event = event.what.name(), "domain event");
        }
    }
}
