//! Callbacks at many times the rate of any platform, with the host killed in the middle. Every callback that got a 2xx
//! takes effect once. `tests/load` runs it for longer.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, Fault, Judged, ParticipantView, Rule, Write};
use stagecall_tests::harness::{Customer, Harness, completed, percent, until, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::callbacks::callback_path;
use super::privacy::nobody_is_left;

/// How long, in seconds, unless the environment has `STAGECALL_LOAD_SECONDS`.
const SECONDS: u64 = 6;
/// The target rate of callbacks per second. A platform accepts about one call per second itself.
const RATE: u64 = 250;
/// How many callers there are in all, in two groups of the same size.
const CALLERS: u64 = 24;
/// The number of people who have answered. Each group of callers refers to half of them.
const CANDIDATES: usize = 40;
/// The number of accepted calls before the host is killed: one second's.
const LEAST: u64 = RATE;
/// How long the platform takes for a result when the host is about to be killed: nothing that it is asked for after the
/// reviewer's score is in Eploy by then.
const SLOW: Fault = Fault::Latency { ms: 1500 };
/// More memory than this is not bounded.
const MOST_MEMORY_KIB: u64 = 300 * 1024;

/// What was sent and what became of it.
#[derive(Default)]
struct Sent {
    all: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    unanswered: AtomicU64,
    /// The participants of whom a callback was accepted after the reviewer had scored.
    told: Mutex<BTreeSet<String>>,
}

/// One call; its status, if there was an answer.
async fn call(to: SocketAddr, path: &str, body: &str) -> Option<u16> {
    let exchange = async {
        let mut connection = TcpStream::connect(to).await.ok()?;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(request.as_bytes()).await.ok()?;
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.ok()?;
        std::str::from_utf8(&answer[9..]).ok()?.parse().ok()
    };
    tokio::time::timeout(Duration::from_secs(20), exchange)
        .await
        .ok()?
}

/// Callers who speak of the same participants.
struct Group {
    callers: Vec<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

impl Group {
    /// Lets half of all callers begin, each with chance of its own.
    fn begins(
        numbers: std::ops::Range<u64>,
        to: SocketAddr,
        path: &str,
        of: &[ParticipantView],
        (scored, sent): (&Arc<AtomicBool>, &Arc<Sent>),
    ) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let keys: Vec<String> = of.iter().map(|one| one.key.clone()).collect();
        let callers = numbers
            .map(|number| {
                let (path, keys, over) = (path.to_owned(), keys.clone(), over.clone());
                let (scored, sent) = (scored.clone(), sent.clone());
                tokio::spawn(caller(number, to, path, keys, over, scored, sent))
            })
            .collect();
        Self { callers, over }
    }

    /// They make no new call.
    fn falls_silent(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Until the last of them has its answer, or knows that there is none.
    async fn ended(self) {
        self.falls_silent();
        for caller in self.callers {
            caller.await.unwrap();
        }
    }
}

/// Calls until the end: repeats, new deliveries, and unmatched ones.
async fn caller(
    number: u64,
    to: SocketAddr,
    path: String,
    keys: Vec<String>,
    over: Arc<AtomicBool>,
    scored: Arc<AtomicBool>,
    sent: Arc<Sent>,
) {
    let mut random = fastrand::Rng::with_seed(number);
    let begun = Instant::now();
    let mut turn: u64 = 0;
    while !over.load(Ordering::SeqCst) {
        let key = &keys[random.usize(..keys.len())];
        let body = match random.u8(..10) {
            0 => json!({"key": format!("{:032x}", random.u128(..))}),
            1..5 => json!({"key": key}),
            _ => json!({"key": key, "n": random.u64(..)}),
        };
        // Before the call: a callback that is accepted after the score must bring the score.
        let after = scored.load(Ordering::SeqCst);
        sent.all.fetch_add(1, Ordering::SeqCst);
        match call(to, &path, &body.to_string()).await {
            Some(200..300) => {
                sent.accepted.fetch_add(1, Ordering::SeqCst);
                if after {
                    let told = body["key"].as_str().unwrap().to_owned();
                    sent.told.lock().unwrap().insert(told);
                }
            }
            Some(_) => drop(sent.refused.fetch_add(1, Ordering::SeqCst)),
            None => drop(sent.unanswered.fetch_add(1, Ordering::SeqCst)),
        }
        turn += 1;
        let due = begun + Duration::from_micros(turn * CALLERS * 1_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
    }
}

/// Whether Eploy shows the reviewer's score.
fn shows_the_score(judged: &Judged) -> bool {
    completed(judged) && percent(judged) == Some(70.0)
}

/// Those participants whose score Eploy shows.
async fn shown(acme: &Customer) -> BTreeSet<String> {
    let all = acme.all().await;
    all.iter()
        .filter(|judged| shows_the_score(judged))
        .flat_map(|judged| judged.participants.iter().map(|one| one.key.clone()))
        .collect()
}

/// Waits until the host has requested no result for a while: everything is processed.
async fn quiet(acme: &Customer) -> usize {
    let mut before = acme.count("willo.participants.get").await;
    let done = within(Duration::from_mins(10), async || {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let now = acme.count("willo.participants.get").await;
        (std::mem::replace(&mut before, now) == now).then_some(now)
    });
    done.await.expect("it never becomes quiet")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::cast_precision_loss, reason = "figures to be read")]
async fn what_is_accepted_under_load_takes_effect_once() {
    let seconds = std::env::var("STAGECALL_LOAD_SECONDS");
    let seconds = seconds.map_or(SECONDS, |text| text.parse().unwrap());
    let (mut harness, acme) = Harness::with_one(161).await;
    harness.open_to_callbacks();
    harness.without_sweeps();
    harness.tenant("acme")["platforms"]["willo"]["settings"]["calls_per_second"] = json!(5000);
    // The platform's own callbacks are lost: the callers call instead.
    let lost = Rule::now_and_then("willo.callback", 1.0, Fault::CallbackLost);
    harness.faults(vec![lost.clone()]).await;
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    let ids: Vec<u64> = acme
        .apply(CANDIDATES.try_into().unwrap())
        .await
        .iter()
        .map(|one| one.application)
        .collect();
    acme.enter(&ids).await;
    for id in &ids {
        acme.shows(*id, "Invited").await;
    }
    let participants: Vec<_> = acme
        .all()
        .await
        .iter()
        .flat_map(|judged| judged.participants.clone())
        .collect();
    assert_eq!(participants.len(), CANDIDATES);
    acme.act(&participants, CandidateAct::Answer).await;

    let (sent, scored) = (Arc::new(Sent::default()), Arc::new(AtomicBool::new(false)));
    let begun = Instant::now();
    // Of the one half nobody speaks any more once the host is killed: what it had accepted is all that there is.
    let (before, throughout) = participants.split_at(CANDIDATES / 2);
    let group = |numbers, of| Group::begins(numbers, harness.listen(), &path, of, (&scored, &sent));
    let until_the_kill = group(0..CALLERS / 2, before);
    let to_the_end = group(CALLERS / 2..CALLERS, throughout);
    tokio::time::sleep(Duration::from_secs(seconds) / 2).await;
    let slow = Rule::now_and_then("willo.participants.get", 1.0, SLOW);
    harness.faults(vec![lost.clone(), slow]).await;
    acme.score(&participants, 7).await;
    scored.store(true, Ordering::SeqCst);
    let told_before = || -> BTreeSet<String> {
        let told = sent.told.lock().unwrap();
        let of = before.iter().map(|one| &one.key);
        of.filter(|key| told.contains(*key)).cloned().collect()
    };
    let most = before.len() * 3 / 4;
    until(
        "the score was told of most, and much accepted",
        async || {
            let enough = sent.accepted.load(Ordering::SeqCst) >= LEAST;
            (enough && told_before().len() >= most).then_some(())
        },
    )
    .await;
    // In the middle of what the score has brought.
    let mut peak = harness.memory_peak();
    until_the_kill.falls_silent();
    harness.kill();
    // None of these calls may reach the next host.
    until_the_kill.ended().await;
    let brought = shown(&acme).await;
    let owed = told_before().difference(&brought).count();
    assert!(
        owed >= before.len() / 2,
        "the host died owing only {owed} results, so hardly any could be lost"
    );
    harness.faults(vec![lost]).await;
    harness.start().await;
    tokio::time::sleep(Duration::from_secs(seconds) / 2).await;
    to_the_end.ended().await;
    let taken = begun.elapsed().as_secs_f64();
    let told = sent.told.lock().unwrap().clone();
    let expected: Vec<&str> = participants
        .iter()
        .map(|one| one.key.as_str())
        .filter(|key| told.contains(*key))
        .collect();
    assert!(
        expected.len() * 4 > CANDIDATES * 3,
        "hardly anybody was called about: {}",
        expected.len()
    );
    until("everything that was accepted is in Eploy", async || {
        let shown = shown(&acme).await;
        let all = expected.iter().all(|key| shown.contains(*key));
        all.then_some(())
    })
    .await;
    let processed = quiet(&acme).await;
    peak = peak.max(harness.memory_peak());
    let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    println!(
        "sent {}, accepted {}, refused {}, unanswered (killed) {}, results owed at the kill {owed}, results asked for {processed}, {:.0} accepted a second, memory at most {} MiB",
        count(&sent.all),
        count(&sent.accepted),
        count(&sent.refused),
        count(&sent.unanswered),
        count(&sent.accepted) as f64 / taken,
        peak / 1024,
    );
    for judged in acme.all().await {
        let id = judged.application.id;
        assert_eq!(judged.invitations.len(), 1, "{id}: invited twice");
        assert_eq!(judged.application.actions.len(), 1, "{id}: reported twice");
        let writes = acme.written(id).await;
        let updates = writes
            .iter()
            .filter(|write| **write == Write::ActionUpdated)
            .count();
        // Completed and scored, and once more if the host died in the middle of each.
        assert!(updates <= 4, "{id}: {updates} updates: {writes:?}");
    }
    assert_eq!(count(&sent.refused), 0, "the platform's calls were refused");
    assert!(peak < MOST_MEMORY_KIB, "{peak} KiB");
    assert!(!harness.log().contains("panicked"));
    nobody_is_left(&harness, &acme).await;
}
