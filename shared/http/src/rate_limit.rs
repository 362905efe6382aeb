//! Keeps a connection below the rate limit of its server.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, Interval, MissedTickBehavior, timeout_at};

use crate::{Limits, Request, Response, Transport, TransportError};

/// How fast requests may follow each other on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Concurrent requests.
    pub in_flight: NonZeroU32,
    /// Requests started per second, evenly spread.
    pub per_second: NonZeroU32,
}

/// A transport at a [`RateLimit`]. Waiting counts towards the call's time limit, so a call including its wait never takes
/// longer than its caller allowed. A call whose turn does not come in time is not sent.
pub struct Paced {
    inner: Arc<dyn Transport>,
    places: Semaphore,
    turns: Mutex<Turns>,
    pace: RateLimit,
}

/// The queue of waiting calls, and the time of the last turn.
struct Turns {
    interval: Interval,
    last_at: Option<Instant>,
}

impl Paced {
    /// `inner`, at this rate. To be called within a Tokio runtime, whose clock it uses.
    pub fn new(inner: Arc<dyn Transport>, pace: RateLimit) -> Self {
        let mut interval = tokio::time::interval(period(pace));
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            inner,
            places: Semaphore::new(pace.in_flight.get() as usize),
            turns: Mutex::new(Turns {
                interval,
                last_at: None,
            }),
            pace,
        }
    }

    /// Its rate limit.
    pub fn pace(&self) -> RateLimit {
        self.pace
    }

    /// Whether a request could start at once, so a new limiter in its place would not be faster.
    pub fn is_idle(&self) -> bool {
        let free = self.places.available_permits() == self.pace.in_flight.get() as usize;
        free && self.turns.try_lock().is_ok_and(|turns| {
            turns
                .last_at
                .is_none_or(|last| last.elapsed() >= period(self.pace))
        })
    }
}

/// The time between two turns.
fn period(pace: RateLimit) -> Duration {
    (Duration::from_secs(1) / pace.per_second.get()).max(Duration::from_nanos(1))
}

#[async_trait]
impl Transport for Paced {
    async fn send(&self, request: Request, limits: Limits) -> Result<Response, TransportError> {
        let end = Instant::now() + limits.time;
        let turn = async {
            let place = self.places.acquire().await.ok()?;
            let mut turns = self.turns.lock().await;
            turns.interval.tick().await;
            turns.last_at = Some(Instant::now());
            Some(place)
        };
        let Ok(Some(_place)) = timeout_at(end, turn).await else {
            let host = request.url.host_str().unwrap_or("?");
            return Err(TransportError::NotSent(format!(
                "{host}: too many calls are waiting for their turn"
            )));
        };
        let limits = Limits {
            time: end.saturating_duration_since(Instant::now()),
            ..limits
        };
        self.inner.send(request, limits).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::sleep;

    use super::*;
    use crate::Method;

    /// Answers after a delay, and records how many requests were concurrent.
    #[derive(Default)]
    struct Slow {
        under_way: AtomicU32,
        most: AtomicU32,
        sent: AtomicU32,
    }

    #[async_trait]
    impl Transport for Slow {
        async fn send(&self, _: Request, _: Limits) -> Result<Response, TransportError> {
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.sent.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(1)).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            Ok(Response {
                status: 200,
                headers: Vec::new(),
                body: Vec::new(),
            })
        }
    }

    fn pace(in_flight: u32, per_second: u32) -> RateLimit {
        RateLimit {
            in_flight: NonZeroU32::new(in_flight).unwrap(),
            per_second: NonZeroU32::new(per_second).unwrap(),
        }
    }

    /// Sends `count` at once through `pace`; returns the answers and how long all took together.
    async fn send(
        slow: &Arc<Slow>,
        pace: RateLimit,
        count: usize,
        limit: Duration,
    ) -> (Vec<Result<Response, TransportError>>, Duration) {
        let paced = Arc::new(Paced::new(slow.clone(), pace));
        let limits = Limits {
            time: limit,
            answer: 10,
        };
        let begun = Instant::now();
        let calls: Vec<_> = (0..count)
            .map(|_| {
                let paced = paced.clone();
                let request = Request::new(Method::Get, "https://acme.example/".parse().unwrap());
                tokio::spawn(async move { paced.send(request, limits).await })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap());
        }
        (answers, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn concurrency_is_limited() {
        let slow = Arc::new(Slow::default());
        let (answers, took) = send(&slow, pace(2, 1000), 6, Duration::from_mins(1)).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(slow.most.load(Ordering::SeqCst), 2);
        assert!(took >= Duration::from_secs(3), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_start_at_the_allowed_rate() {
        let slow = Arc::new(Slow::default());
        let (_, took) = send(&slow, pace(100, 2), 5, Duration::from_mins(1)).await;
        // Four intervals of half a second, and the last one's second.
        assert!(
            took >= Duration::from_secs(3) && took < Duration::from_millis(3200),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_idle_once_a_request_could_begin_at_once() {
        let slow = Arc::new(Slow::default());
        let paced = Arc::new(Paced::new(slow, pace(1, 2)));
        assert!(paced.is_idle());
        let request = Request::new(Method::Get, "https://acme.example/".parse().unwrap());
        let limits = Limits {
            time: Duration::from_mins(1),
            answer: 10,
        };
        let call = tokio::spawn({
            let paced = paced.clone();
            async move { paced.send(request, limits).await }
        });
        sleep(Duration::from_millis(900)).await;
        assert!(!paced.is_idle(), "its call takes a second");
        call.await.unwrap().unwrap();
        assert!(paced.is_idle(), "its turn was a second ago");
        let fast = Arc::new(Paced::new(Arc::new(Slow::default()), pace(2, 1)));
        fast.turns.lock().await.last_at = Some(Instant::now());
        sleep(Duration::from_millis(999)).await;
        assert!(!fast.is_idle());
        sleep(Duration::from_millis(1)).await;
        assert!(fast.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_turn_does_not_come_in_time_is_not_sent() {
        let slow = Arc::new(Slow::default());
        let (answers, _) = send(&slow, pace(1, 1000), 3, Duration::from_millis(1500)).await;
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, Err(TransportError::NotSent(_))));
        assert_eq!(refused.count(), 1);
        assert_eq!(slow.sent.load(Ordering::SeqCst), 2);
    }
}
