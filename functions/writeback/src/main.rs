//! Fetches results from the platforms and updates Eploy, as callbacks, sweeps and the clock ask for. Also announces hires:
//! they are few, and as tolerant of delay as a report.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use stagecall_core::clock::Deadline;
use stagecall_core::usecases::{HireNotifier, Receiver, Sweeper, Swept, WriteBack};
use stagecall_core::work::Work;
use stagecall_runtime::Adapters;
use stagecall_runtime::batch::{Pace, RecordFailure, outcome, run};

/// A result takes one call and a report a few. A sweep checks the time between pages.
const PACE: Pace = Pace {
    side_by_side: 10,
    needs: Duration::from_mins(2),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("writeback")?;
    let (store, secrets, transport) = (adapters.store(), adapters.secrets(), adapters.transport()?);
    let (clock, timing) = (&adapters.clock, &adapters.timing);
    let platforms = Arc::new(stagecall_platforms::Connections::new(
        transport.clone(),
        secrets.clone(),
        clock.clone(),
        timing,
    ));
    let eploy = Arc::new(
        stagecall_eploy::Connections::new(
            transport.clone(),
            secrets.clone(),
            store.clone(),
            clock.clone(),
            timing,
        )
        .with_token_cache(store.clone()),
    );
    let engine = adapters.engine(&store);
    let announcer = HireNotifier {
        engine: engine.clone(),
        announcements: store.clone(),
        eploy: eploy.clone(),
        hrms: Arc::new(stagecall_hrms::HrmsClient::new(
            transport,
            secrets.clone(),
            timing,
        )),
    };
    let write_back = WriteBack {
        engine: engine.clone(),
        eploy,
        platforms: platforms.clone(),
    };
    let sweeper = Sweeper {
        engine: engine.clone(),
        platforms: platforms.clone(),
        write_back: write_back.clone(),
    };
    let receiver = Receiver {
        engine,
        deliveries: store.clone(),
        secrets,
        platforms,
    };
    run(PACE, move |work, deadline| {
        follow(
            write_back.clone(),
            sweeper.clone(),
            receiver.clone(),
            announcer.clone(),
            work,
            deadline,
        )
    })
    .await
}

async fn follow(
    write_back: WriteBack,
    sweeper: Sweeper,
    receiver: Receiver,
    announcer: HireNotifier,
    work: Work,
    deadline: Deadline,
) -> Result<(), RecordFailure> {
    outcome(match work {
        Work::WriteBack {
            key,
            news,
            change_token,
        } => write_back.handle(&key, news, change_token).await,
        Work::Sweep { tenant, assessment } => {
            let swept = sweeper.sweep(&tenant, &assessment, deadline).await;
            if let Ok(Swept::Unfinished) = swept {
                tracing::info!(%tenant, %assessment, "sweep continues in another invocation");
                let rest = Work::Sweep { tenant, assessment };
                sweeper.engine.enqueue(vec![rest]).await;
            }
            swept.map(drop)
        }
        Work::Delivery { tenant, id } => receiver.process_delivery(&write_back, &tenant, &id).await,
        Work::Announce { key } => announcer.announce(&key).await,
        Work::Poll { .. } | Work::Invite { .. } => return Err(RecordFailure::Misplaced),
    })
}
