//! Sends invitations.

use std::time::Duration;

use lambda_runtime::Error;
use stagecall_core::SignedDuration;
use stagecall_core::app::App;
use stagecall_core::usecases::{Inviter, WriteBack};
use stagecall_runtime::Adapters;
use stagecall_runtime::batch::{Pace, run};

/// Three calls in a row: the application's stage, the candidate, and the invitation itself. A search of the platform may
/// take longer.
const PACE: Pace = Pace {
    side_by_side: 10,
    needs: Duration::from_secs(100),
    extension: SignedDuration::from_secs(60),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("invite")?;
    let (store, transport) = (adapters.store(), adapters.transport()?);
    let engine = adapters.engine(&store);
    let inviter = Inviter::new(WriteBack {
        engine: engine.clone(),
        eploy: adapters.eploy(&store, transport.clone()),
        platforms: adapters.platforms(transport),
    });
    run(PACE, App::default().with(inviter), engine).await
}
