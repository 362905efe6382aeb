use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use stagecall_core::ports::Queue as _;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::*;
use crate::queue::Limits;

const LIMITS: Limits = Limits {
    capacity: 100,
    max_total: 3,
    max_per_tenant: 2,
};

const GRACE: Duration = Duration::from_secs(5);

fn poll(tenant: &str) -> Work {
    Work::Poll {
        tenant: tenant.into(),
    }
}

fn delivery(tenant: &str, id: usize) -> Work {
    Work::Delivery {
        tenant: tenant.into(),
        id: id.to_string(),
    }
}

#[tokio::test]
async fn all_work_is_done_within_the_limits() {
    let (queue, workers) = WorkQueue::new(LIMITS);
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (done, mut dones) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let counting = (Arc::clone(&now), Arc::clone(&most));
    let running = tokio::spawn(workers.run(
        move |work| {
            let (now, most) = counting.clone();
            let done = done.clone();
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                done.send(work).unwrap();
            }
        },
        async { drop(stopped.await) },
        GRACE,
    ));
    let tenants = ["a", "b", "c", "d"];
    for id in 0..20 {
        queue
            .push(tenants.iter().map(|tenant| delivery(tenant, id)).collect())
            .await
            .unwrap();
    }
    let mut seen = std::collections::HashSet::new();
    for _ in 0..80 {
        assert!(seen.insert(dones.recv().await.unwrap()));
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(queue.depth(), 0);
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn a_panic_ends_its_own_work_only() {
    let (queue, workers) = WorkQueue::new(LIMITS);
    let (done, mut dones) = mpsc::unbounded_channel();
    let first = Arc::new(AtomicUsize::new(0));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(workers.run(
        move |work| {
            // Both kinds: before there is a future, and inside it.
            let count = first.fetch_add(1, Ordering::SeqCst);
            assert!(count != 0, "a panic intended by the test");
            let done = done.clone();
            async move {
                assert!(count != 1, "a panic intended by the test");
                done.send(work).unwrap();
            }
        },
        async { drop(stopped.await) },
        GRACE,
    ));
    // The same work again and again: a panic must also free its name and its tenant's share.
    let mut handled = 0;
    while handled < 3 {
        queue.push(vec![poll("a")]).await.unwrap();
        tokio::task::yield_now().await;
        while dones.try_recv().is_ok() {
            handled += 1;
        }
    }
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn the_same_work_never_runs_concurrently() {
    let (queue, workers) = WorkQueue::new(LIMITS);
    let inside = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Semaphore::new(0));
    let (begun, mut beginnings) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let (counter, door) = (Arc::clone(&inside), Arc::clone(&gate));
    let running = tokio::spawn(workers.run(
        move |_| {
            let (inside, gate, begun) = (Arc::clone(&counter), Arc::clone(&door), begun.clone());
            async move {
                begun.send(inside.fetch_add(1, Ordering::SeqCst)).unwrap();
                gate.acquire().await.unwrap().forget();
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        },
        async { drop(stopped.await) },
        GRACE,
    ));
    queue.push(vec![poll("a")]).await.unwrap();
    assert_eq!(beginnings.recv().await, Some(0));
    for _ in 0..3 {
        queue.push(vec![poll("a")]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(beginnings.try_recv().is_err());
    gate.add_permits(1);
    assert_eq!(beginnings.recv().await, Some(0));
    gate.add_permits(1);
    while inside.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
    assert!(beginnings.try_recv().is_err(), "exactly once more");
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn shutdown_finishes_running_work_and_starts_nothing_new() {
    let (queue, workers) = WorkQueue::new(LIMITS);
    let (begun, mut beginnings) = mpsc::unbounded_channel();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let list = Arc::clone(&ended);
    let running = tokio::spawn(workers.run(
        move |work| {
            let (begun, list) = (begun.clone(), Arc::clone(&list));
            async move {
                begun.send(()).unwrap();
                tokio::time::sleep(Duration::from_secs(3)).await;
                list.lock().unwrap().push(work);
            }
        },
        async { drop(stopped.await) },
        GRACE,
    ));
    queue
        .push((0..4).map(|id| delivery("a", id)).collect())
        .await
        .unwrap();
    beginnings.recv().await.unwrap();
    beginnings.recv().await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(*ended.lock().unwrap(), [delivery("a", 0), delivery("a", 1)]);
    assert_eq!(queue.depth(), 2);
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_at_most_the_grace_period() {
    let (queue, workers) = WorkQueue::new(LIMITS);
    let (begun, mut beginnings) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(workers.run(
        move |_| {
            let begun = begun.clone();
            async move {
                begun.send(()).unwrap();
                std::future::pending::<()>().await;
            }
        },
        async { drop(stopped.await) },
        GRACE,
    ));
    queue.push(vec![poll("a")]).await.unwrap();
    beginnings.recv().await.unwrap();
    let before = tokio::time::Instant::now();
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(before.elapsed().as_secs(), GRACE.as_secs());
}
