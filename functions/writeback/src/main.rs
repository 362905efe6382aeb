//! Fetches results from the platforms and updates Eploy, as callbacks, sweeps and the clock ask for. Also announces hires:
//! they are few, and as tolerant of delay as a report.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use stagecall_core::SignedDuration;
use stagecall_core::app::App;
use stagecall_core::usecases::{DeliveryProcessor, HireNotifier, Sweeper, WriteBack};
use stagecall_runtime::Adapters;
use stagecall_runtime::batch::{Pace, run};

/// A result takes one call and a report a few. A sweep checks the time between pages.
const PACE: Pace = Pace {
    side_by_side: 10,
    needs: Duration::from_mins(2),
    extension: SignedDuration::ZERO,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("writeback")?;
    let (store, transport) = (adapters.store(), adapters.transport()?);
    let engine = adapters.engine(&store);
    let write_back = WriteBack {
        engine: engine.clone(),
        eploy: adapters.eploy(&store, transport.clone()),
        platforms: adapters.platforms(transport.clone()),
    };
    let hire_notifier = HireNotifier {
        engine: engine.clone(),
        announcements: store.clone(),
        eploy: write_back.eploy.clone(),
        hrms: Arc::new(stagecall_hrms::HrmsClient::new(
            transport,
            adapters.secrets(),
            &adapters.timing,
        )),
    };
    let deliveries = store.clone();
    let app = App::default()
        .with(Sweeper::new(write_back.clone()))
        .with(DeliveryProcessor::new(write_back.clone(), deliveries))
        .with(write_back)
        .with(hire_notifier);
    run(PACE, app, engine).await
}
