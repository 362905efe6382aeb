//! Polls tenants: Eploy's changed applications into the ledger.

use std::time::Duration;

use lambda_runtime::Error;
use stagecall_core::SignedDuration;
use stagecall_core::app::App;
use stagecall_core::usecases::Poller;
use stagecall_runtime::Adapters;
use stagecall_runtime::batch::{Pace, run};

/// A poll checks the time between pages, so a page and everything that follows from it has to fit into `needs`.
const PACE: Pace = Pace {
    side_by_side: 10,
    needs: Duration::from_mins(1),
    extension: SignedDuration::ZERO,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("poll")?;
    let store = adapters.store();
    let engine = adapters.engine(&store);
    let poller = Poller {
        engine: engine.clone(),
        eploy: adapters.eploy(&store, adapters.transport()?),
        announcements: store.clone(),
        states: store,
    };
    run(PACE, App::default().with(poller), engine).await
}
