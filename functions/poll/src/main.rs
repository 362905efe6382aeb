//! Polls tenants: Eploy's changed applications into the ledger.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use stagecall_core::clock::Deadline;
use stagecall_core::usecases::{Polled, Poller};
use stagecall_core::work::Work;
use stagecall_runtime::Adapters;
use stagecall_runtime::batch::{Pace, RecordFailure, outcome, run};

/// A poll checks the time between pages, so a page and everything that follows from it has to fit into `needs`.
const PACE: Pace = Pace {
    side_by_side: 10,
    needs: Duration::from_mins(1),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("poll")?;
    let store = adapters.store();
    let eploy = stagecall_eploy::Connections::new(
        adapters.transport()?,
        adapters.secrets(),
        store.clone(),
        adapters.clock.clone(),
        &adapters.timing,
    )
    .with_token_cache(store.clone());
    let poller = Poller {
        engine: adapters.engine(&store),
        announcements: store.clone(),
        states: store,
        eploy: Arc::new(eploy),
    };
    run(PACE, move |work, deadline| {
        read(poller.clone(), work, deadline)
    })
    .await
}

async fn read(poller: Poller, work: Work, deadline: Deadline) -> Result<(), RecordFailure> {
    let Work::Poll { tenant } = work else {
        return Err(RecordFailure::Misplaced);
    };
    let result = poller.poll(&tenant, deadline).await;
    if let Ok(Polled::Unfinished) = result {
        tracing::info!(%tenant, "poll continues in another invocation");
        poller.engine.enqueue(vec![Work::Poll { tenant }]).await;
    }
    outcome(result.map(drop))
}
