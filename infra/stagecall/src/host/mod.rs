//! The embedded host: the use cases in one process over one store.

mod listener;
mod pulse;
mod registration;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use stagecall_core::app::{App, Ports};
use stagecall_core::clock::{Clock, Deadline};
use stagecall_core::engine::{DefinitionCache, Engine};
use stagecall_core::error::Error;
use stagecall_core::events::DomainEvent;
use stagecall_core::ports::{
    EployConnections, Events, OperatorStore as _, PlatformConnections, Secrets,
};
use stagecall_core::skew::TOLERANCE;
use stagecall_core::timing::{Timing, after, seconds};
use stagecall_core::usecases::{Receiver, Registrar, Retention, Scheduler, Shares};
use stagecall_core::work::Work;
use stagecall_embedded::{Limits, Store, WorkQueue, Workers};
use stagecall_http::Transport;
use stagecall_web::Site;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::Instrument as _;
use url::Url;

use pulse::Pulse;

/// The interval between searches for due work. A search is a few indexed queries for each tenant.
const TICK_INTERVAL: Duration = Duration::from_millis(200);

/// The interval between purges of expired results. A purge reads all invitations of tenants with a retention.
const PURGE_INTERVAL: Duration = Duration::from_hours(24);

/// The pause after a failed purge.
const PURGE_RETRY: Duration = Duration::from_mins(15);

/// The amount of work that waits in the process, beside the first of each kind of a tenant; the rest waits in the store.
const MAX_QUEUED: usize = 1000;

/// The amount of one tenant's work of one kind in the process.
const MAX_QUEUED_PER_TENANT: usize = 64;

/// The interval between health checks of the store.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// The interval between integrity checks of the whole store: each takes a third of a second of one core for 300,000
/// invitations.
const VERIFY_INTERVAL: Duration = Duration::from_hours(1);

/// The time for running work to finish at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timing: Timing,
    pub(crate) workers: usize,
    pub(crate) workers_per_tenant: usize,
    /// The address to listen on for callbacks.
    pub(crate) listen: SocketAddr,
    /// The URL of that listener for platforms.
    pub(crate) public_url: Option<Url>,
}

/// The host, ready to run.
pub(crate) struct Host {
    store: Store,
    clock: Arc<dyn Clock>,
    app: App,
    receiver: Receiver,
    ticker: Scheduler,
    workers: Workers,
    listener: TcpListener,
    eploy: Arc<dyn EployConnections>,
    registration: Option<registration::Registration>,
    retention: Retention,
}

impl Host {
    /// Builds the parts and binds the listener.
    pub(crate) fn new(parts: Parts) -> anyhow::Result<Self> {
        let store = Arc::new(parts.store.clone());
        let timing = Arc::new(parts.timing);
        let (queue, workers) = WorkQueue::new(Limits {
            capacity: MAX_QUEUED,
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
        let retention = Retention {
            engine: engine.clone(),
            records: store.clone(),
        };
        let shares = Shares {
            share: MAX_QUEUED_PER_TENANT,
            lease: seconds(engine.timing.retry_seconds),
        };
        let use_case_ports = Ports {
            engine,
            states: store.clone(),
            announcements: store.clone(),
            deliveries: store.clone(),
            secrets: parts.secrets.clone(),
            eploy: eploy.clone(),
            platforms: platforms.clone(),
            hrms: Arc::new(hrms),
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
            app: App::new(&use_case_ports),
            receiver: use_case_ports.receiver(),
            ticker,
            workers,
            listener,
            eploy,
            registration,
            retention,
        })
    }

    /// The address that it listens on.
    pub(crate) fn addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Connections to the tenants' Eploys.
    pub(crate) fn eploy(&self) -> Arc<dyn EployConnections> {
        self.eploy.clone()
    }

    /// Serves until `stop` is set, then finishes running work.
    ///
    /// # Errors
    /// A part has stopped, and so the host stops: with a part missing it would only look alive.
    pub(crate) async fn run(self, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let pulse = Arc::new(Pulse::new());
        let site = Site {
            receiver: self.receiver,
            health: Some({
                let pulse = pulse.clone();
                Box::new(move || pulse.problem())
            }),
        };
        let listening = listener::serve(self.listener, site, stopped(stop.clone()));
        let app = self.app;
        let work = move |work| handle(app.clone(), work);
        let working = self
            .workers
            .run(work, stopped(stop.clone()), SHUTDOWN_GRACE);
        let ticking = tick(self.ticker, &*self.clock, &pulse, stop.clone());
        let checking = repeat(stop.clone(), || check(&self.store, &*self.clock, &pulse));
        let verifying = repeat(stop.clone(), || verify(&self.store, &pulse));
        let registering = async {
            match self.registration {
                Some(registration) => registration.run(&self.store, stop.clone()).await,
                None => stopped(stop.clone()).await,
            }
        };
        let retaining = repeat(stop.clone(), || retain(&self.retention));
        // A caller that never ends its request must not keep the host from ending.
        let too_long = async {
            stopped(stop.clone()).await;
            tokio::time::sleep(SHUTDOWN_GRACE * 2).await;
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
                "the thread that writes to the store has stopped; see the log for the reason. Restart the host"
            )),
            () = too_long => {
                tracing::warn!("connections cut off at shutdown");
                Ok(())
            }
        }
    }
}

/// Runs a part of the host, which must stop when `stop` is set and not before.
async fn until(
    stop: &watch::Receiver<bool>,
    part: &'static str,
    runs: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    runs.await;
    // A dropped sender also means stop.
    anyhow::ensure!(
        *stop.borrow() || stop.has_changed().is_err(),
        "{part} has stopped unexpectedly. Restart the host"
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

/// Checks the store.
async fn check(store: &Store, clock: &dyn Clock, pulse: &Pulse) -> Duration {
    let checked = store.check(clock.now()).await;
    if let Err(error) = &checked {
        tracing::error!(%error, "store check failed");
    }
    pulse.checked(checked.is_ok());
    CHECK_INTERVAL
}

/// Verifies all of the store.
async fn verify(store: &Store, pulse: &Pulse) -> Duration {
    let verified = store.verify().await;
    if let Err(error) = &verified {
        tracing::error!(%error, "store damaged or unreadable");
    }
    pulse.verified(verified.is_ok());
    VERIFY_INTERVAL
}

/// Handles an item of work. An error is logged; the work stays due and is enqueued again when its lease ends.
async fn handle(app: App, work: Work) {
    let (tenant, span) = (work.tenant().clone(), Work::span());
    work.record_in(&span);
    let handling = async {
        match app.handle(work, Deadline::NONE).await {
            Ok(_) => {}
            Err(Error::UnknownTenant(_)) => tracing::warn!(%tenant, "work dropped, tenant unknown"),
            Err(error) => tracing::error!(%tenant, %error, "work failed"),
        }
    };
    handling.instrument(span).await;
}

/// Enqueues due work at intervals.
async fn tick(ticker: Scheduler, clock: &dyn Clock, pulse: &Pulse, stop: watch::Receiver<bool>) {
    let mut stopped = std::pin::pin!(stopped(stop));
    let mut interval = tokio::time::interval(TICK_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Work that a clock that was ahead has deferred is not due in the store: searched at the start, and when the clock went back.
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
            tracing::error!(%error, "work deferred by a clock that was ahead not searched for");
            continue;
        }
        last = Some(now);
        match ticker.tick().await {
            Ok(_) => pulse.ticked(),
            Err(error) => {
                tracing::error!(%error, "due work not enqueued");
            }
        }
    }
}

/// Purges expired results.
async fn retain(retention: &Retention) -> Duration {
    let Err(error) = retention.purge_expired().await else {
        return PURGE_INTERVAL;
    };
    let retry_seconds = PURGE_RETRY.as_secs();
    tracing::error!(%error, retry_seconds, "expired results not purged");
    PURGE_RETRY
}

/// Resolves when `stop` is set or its sender is gone.
async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Resolves on SIGTERM or ctrl-c.
pub(crate) async fn interrupted() {
    let mut terminated =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(error) => {
                tracing::warn!(%error, "SIGTERM handler not installed; only ctrl-c stops the host");
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
            tracing::debug!(event = event.what.name(), "domain event published");
        }
    }
}
