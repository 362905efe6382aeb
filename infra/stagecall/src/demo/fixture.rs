//! The fixture: simulators, and a tenant that connects them.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{MappingStatus, TenantState};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_sandbox::control::Profile;
use stagecall_sandbox::story::{self, Customer};
use stagecall_sandbox::{Options, Running, Sandbox};

use super::arguments::Arguments;
use super::hosting::Hosting;

pub(crate) use stagecall_sandbox::story::{Keys, TENANT};

/// What is set up before Stagecall starts.
pub(crate) struct Scene {
    pub(crate) sandbox: Running,
    pub(crate) customer: Customer,
    tenant: Tenant,
}

/// Short intervals, so that a script of days runs in seconds.
pub(crate) fn timing() -> Timing {
    Timing {
        call_seconds: 5.0,
        lease_seconds: 10.0,
        settle_seconds: 2.0,
        retry_seconds: 0.5,
        retry_max_seconds: 4.0,
        late_seconds: 60.0,
        give_up_seconds: 600.0,
        sweep_seconds: 1.5,
        sweep_max_seconds: 3.0,
        suspend_seconds: 1.0,
        announce_seconds: 0.05,
        ..Timing::default()
    }
}

impl Scene {
    /// Starts the simulators and sets them up.
    pub(crate) async fn set(arguments: &Arguments) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Options {
            port: 0,
            seed: arguments.seed,
        })
        .await
        .context("cannot start the sandbox")?;
        let customer = Customer::new(sandbox.player()).await?;
        let tenant = serde_json::from_value(customer.tenant.clone())
            .context("the story's tenant is not one of this version")?;
        if arguments.faults {
            let faults = Profile {
                seed: arguments.seed,
                rules: story::faults(),
            };
            customer.player.set_faults(&faults).await?;
        }
        Ok(Self {
            sandbox,
            customer,
            tenant,
        })
    }

    /// The tenant.
    pub(crate) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Its credentials.
    pub(crate) fn keys(&self) -> &Keys {
        &self.customer.keys
    }
}

/// Waits until Stagecall has read the baseline: from then on, entries and hires count.
pub(crate) async fn turned_on(host: &dyn Hosting) -> anyhow::Result<()> {
    let states = host.states();
    let began = Instant::now();
    while began.elapsed() < host.patience() {
        let remembered = states.load_state(&TenantId::new(TENANT)).await?;
        if remembered.is_some_and(|tenant| is_on(&tenant)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the mappings did not become active")
}

fn is_on(tenant: &TenantState) -> bool {
    let mut mappings = tenant.mappings.values();
    let hires = tenant.hires.as_ref();
    !tenant.mappings.is_empty()
        && mappings.all(|mapping| mapping.status == MappingStatus::Active)
        && hires.is_some_and(|hires| hires.baseline.is_none())
}
