//! Sends invitations.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use stagecall_core::SignedDuration;
use stagecall_core::clock::Deadline;
use stagecall_core::usecases::Inviter;
use stagecall_core::work::Work;
use stagecall_runtime::Adapters;
use stagecall_runtime::batch::{Pace, RecordFailure, outcome, run};

/// Three calls in a row: the application's stage, the candidate, and the invitation itself.
const PACE: Pace = Pace {
    side_by_side: 10,
    needs: Duration::from_secs(100),
};

/// How long a search of the platform may continue after no new work is started. Shorter than `needs` by the time for its
/// last call and for saving its result.
const SEARCH_EXTENSION: SignedDuration = SignedDuration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("invite")?;
    let (store, secrets, transport) = (adapters.store(), adapters.secrets(), adapters.transport()?);
    let (clock, timing) = (&adapters.clock, &adapters.timing);
    let platforms = stagecall_platforms::Connections::new(
        transport.clone(),
        secrets.clone(),
        clock.clone(),
        timing,
    );
    let eploy =
        stagecall_eploy::Connections::new(transport, secrets, store.clone(), clock.clone(), timing)
            .with_token_cache(store.clone());
    let inviter = Inviter {
        engine: adapters.engine(&store),
        eploy: Arc::new(eploy),
        platforms: Arc::new(platforms),
    };
    run(PACE, move |work, deadline| {
        invite(inviter.clone(), work, deadline)
    })
    .await
}

async fn invite(inviter: Inviter, work: Work, deadline: Deadline) -> Result<(), RecordFailure> {
    let Work::Invite { key } = work else {
        return Err(RecordFailure::Misplaced);
    };
    outcome(inviter.invite(&key, deadline.later(SEARCH_EXTENSION)).await)
}
