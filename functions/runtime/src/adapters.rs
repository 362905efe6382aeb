//! The adapters, each created once per process from its environment. A function creates those that it uses, and links no
//! others.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use lambda_runtime::Error;
use stagecall_aws::{BusEvents, ManagedSecrets, SqsQueue, Store};
use stagecall_core::clock::{Clock, SystemClock};
use stagecall_core::engine::{DefinitionCache, Engine};
use stagecall_core::ports::{Events, Queue, Secrets};
use stagecall_core::timing::Timing;
use stagecall_http::{Guard, Sender, SetUpError, Transport};

use crate::environment::Environment;
use crate::logging;
use crate::metrics;

pub struct Adapters {
    pub clock: Arc<dyn Clock>,
    pub timing: Arc<Timing>,
    environment: Environment,
    aws: SdkConfig,
    secrets: OnceLock<Arc<dyn Secrets>>,
}

impl Adapters {
    /// Starts logging, reads the environment and connects to AWS. `function` is the function's name in the metrics. A function
    /// that cannot start logs why.
    pub fn of_process(function: &'static str) -> Result<Self, Error> {
        logging::start();
        let environment = Environment::of_process().inspect_err(|error| {
            tracing::error!(function, %error, "function cannot start");
        })?;
        metrics::start(&environment.stack, function)?;
        Ok(Self {
            aws: stagecall_aws::connect_with(environment.aws.clone())?,
            clock: Arc::new(SystemClock),
            timing: Arc::new(environment.timing.clone()),
            environment,
            secrets: OnceLock::new(),
        })
    }

    pub fn store(&self) -> Arc<Store> {
        let client = aws_sdk_dynamodb::Client::new(&self.aws);
        Arc::new(Store::new(client, &self.environment.table))
    }

    /// The work queues.
    pub fn queue(&self) -> Arc<dyn Queue> {
        let client = aws_sdk_sqs::Client::new(&self.aws);
        Arc::new(SqsQueue::new(client, self.environment.queues.clone()))
    }

    pub fn events(&self) -> Arc<dyn Events> {
        let client = aws_sdk_eventbridge::Client::new(&self.aws);
        Arc::new(BusEvents::new(client, &self.environment.bus))
    }

    /// The tenants' secrets, with one cache for the process.
    pub fn secrets(&self) -> Arc<dyn Secrets> {
        let create = || -> Arc<dyn Secrets> {
            let client = aws_sdk_secretsmanager::Client::new(&self.aws);
            Arc::new(ManagedSecrets::new(
                client,
                &self.environment.secrets,
                self.clock.clone(),
            ))
        };
        self.secrets.get_or_init(create).clone()
    }

    /// The transport for calls to Eploy and the platforms.
    pub fn transport(&self) -> Result<Arc<dyn Transport>, SetUpError> {
        let guard = if self.environment.sandbox {
            Guard::Sandbox
        } else {
            Guard::Public
        };
        Ok(Arc::new(Sender::new(guard)?))
    }

    /// Connections to the tenants' Eploys, which count their calls in this store.
    pub fn eploy(
        &self,
        store: &Arc<Store>,
        transport: Arc<dyn Transport>,
    ) -> Arc<stagecall_eploy::Connections> {
        let connections = stagecall_eploy::Connections::new(
            transport,
            self.secrets(),
            store.clone(),
            self.clock.clone(),
            &self.timing,
        );
        Arc::new(connections.with_token_cache(store.clone()))
    }

    /// Connections to the tenants' platform accounts.
    pub fn platforms(
        &self,
        transport: Arc<dyn Transport>,
    ) -> Arc<stagecall_platforms::Connections> {
        Arc::new(stagecall_platforms::Connections::new(
            transport,
            self.secrets(),
            self.clock.clone(),
            &self.timing,
        ))
    }

    /// The engine over this store.
    pub fn engine(&self, store: &Arc<Store>) -> Engine {
        self.engine_publishing_to(store, self.events())
    }

    /// The engine with another publisher of events than the bus, so that the client of the bus is not linked.
    pub fn engine_publishing_to(&self, store: &Arc<Store>, events: Arc<dyn Events>) -> Engine {
        Engine {
            ledger: store.clone(),
            sweeps: store.clone(),
            tenants: store.clone(),
            definitions: DefinitionCache::over(store.clone()),
            queue: self.queue(),
            events,
            clock: self.clock.clone(),
            timing: self.timing.clone(),
        }
    }
}
