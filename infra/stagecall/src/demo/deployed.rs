//! The functions of a stack deployed to an AWS emulator on this machine.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use stagecall_core::ports::TenantStates;
use stagecall_emulator::{Credentials, Emulator, Functions, Plan, Stack};

use super::fixture::{Scene, timing};
use super::hosting::Hosting;

pub(crate) struct Deployed {
    stack: Stack,
    // Dropped after the stack.
    _emulator: Emulator,
}

impl Deployed {
    /// Builds the functions, deploys the project's own template and adds the tenant.
    pub(crate) async fn open(scene: &Scene) -> anyhow::Result<Self> {
        let functions = Functions::build().await?;
        let emulator = Emulator::start(&functions).await?;
        let stack = emulator.deploy(&Plan::new("demo", timing()).await?).await?;
        let keys = scene.keys();
        let account = |name: &str, key: &str| {
            let secrets = BTreeMap::from([("api_key".to_owned(), key.to_owned())]);
            (name.to_owned(), secrets)
        };
        let credentials = Credentials {
            eploy: (keys.client_id.clone(), keys.client_secret.clone()),
            platforms: BTreeMap::from([account("willo", &keys.willo), account("wecp", &keys.wecp)]),
            hrms: Some(keys.hrms.clone()),
        };
        stack.admit(scene.tenant(), &credentials).await?;
        eprintln!("deployed; the schedule runs once a minute, so the demo takes some minutes");
        Ok(Self {
            stack,
            _emulator: emulator,
        })
    }
}

#[async_trait]
impl Hosting for Deployed {
    fn states(&self) -> &dyn TenantStates {
        self.stack.store()
    }

    fn addresses(&self) -> Vec<(&'static str, String)> {
        vec![
            ("callbacks", self.stack.public_url().to_string()),
            ("AWS", self.stack.endpoint().to_string()),
        ]
    }

    /// Two rounds of the schedule and a margin.
    fn patience(&self) -> Duration {
        Duration::from_mins(3)
    }

    async fn dead_letters(&self) -> anyhow::Result<Option<usize>> {
        Ok(Some(self.stack.all_dead_letters().await?))
    }

    async fn end(self: Box<Self>) -> anyhow::Result<()> {
        Ok(())
    }
}
