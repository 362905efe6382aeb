use std::sync::atomic::{AtomicBool, Ordering};

use stagecall_core::Timestamp;
use stagecall_core::clock::Clock;
use stagecall_core::timing::Timing;
use stagecall_http::Guard;

use super::*;

/// A clock that panics on demand, and with it the host's ticker.
#[derive(Default)]
struct Breaking(AtomicBool);

impl Clock for Breaking {
    fn now(&self) -> Timestamp {
        assert!(!self.0.load(Ordering::Relaxed), "intended panic");
        Timestamp::now()
    }
}

/// A host without tenants, on a free port.
fn host(path: &Path, clock: Arc<dyn Clock>) -> Host {
    Host::new(Parts {
        store: Store::open_exclusive(path).unwrap(),
        secrets: Arc::new(Vault::beside(path, Arc::new(SystemClock))),
        transport: Arc::new(Sender::new(Guard::Sandbox).unwrap()),
        clock,
        timing: Timing::default(),
        workers: 1,
        workers_per_tenant: 1,
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
    })
    .unwrap()
}

/// A host with a stopped part would look alive while no due work is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_with_a_part_that_panics_returns_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Breaking::default());
    let host = host(&folder.path().join("stagecall.db"), clock.clone());
    clock.0.store(true, Ordering::Relaxed);
    let ended = until_interrupted(host, std::future::pending()).await;
    assert_eq!(ended.unwrap_err().to_string(), "the host panicked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_host_exits_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(&folder.path().join("stagecall.db"), Arc::new(SystemClock));
    assert_eq!(until_interrupted(host, async {}).await.unwrap(), exit::OK);
}
