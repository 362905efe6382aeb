//! Hires are announced to the customer's HRMS: once, signed, and with only the configured fields.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use stagecall_core::announcement::{FailReason, Hire, HireKey, Outcome, State};
use stagecall_core::clock::SystemClock;
use stagecall_core::engine::Engine;
use stagecall_core::error::{CallError, StoreError};
use stagecall_core::events::DomainEvent;
use stagecall_core::ports::{
    Announcements as _, Eploy, EployConnections, Events, Hrms, HrmsAnswer, Purpose, Queue, Webhook,
};
use stagecall_core::tenant::{HrmsEndpoint, Tenant};
use stagecall_core::timing::Timing;
use stagecall_core::usecases::{HireNotifier, Redelivery};
use stagecall_core::work::Work;
use stagecall_embedded::Store;
use stagecall_sandbox::control::{Fault, Rule, WebhookRecord};
use stagecall_tests::harness::{Customer, Harness, stagecall, until};
use standardwebhooks::Webhook as Verifier;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLDER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Sets the customer's plan, with its own HRMS as the endpoint.
async fn plan(harness: &mut Harness, what: Value, endpoint: Value) {
    // The second try follows at once, the third half a second later, the fourth after four.
    harness.config["timing"]["announce_seconds"] = json!(0.01);
    let url = harness.player.hrms("acme").await.unwrap().url;
    let mut hires = what;
    hires["endpoint"] = endpoint;
    hires["endpoint"]["url"] = url.into();
    hires["endpoint"]["secret"] = harness.secret("acme-hrms", SECRET);
    harness.tenant("acme")["hires"] = hires;
}

/// A customer for whom entering the stage of offers is a hire.
pub(super) async fn by_stage(seed: u64, endpoint: Value) -> (Harness, Customer) {
    let (mut harness, acme) = Harness::with_one(seed).await;
    plan(&mut harness, json!({"stages": [{"stage": "15"}]}), endpoint).await;
    (harness, acme)
}

/// Starts the host, and waits until hires count.
pub(super) async fn start(harness: &mut Harness, acme: &Customer) {
    harness.start_for(&[acme]).await;
    harness
        .logged(&["plan for hires turned on", "tenant=acme"])
        .await;
}

/// An application whose candidate is hired.
pub(super) async fn hire(harness: &Harness, acme: &Customer) -> u64 {
    let application = acme.applicant().await.application;
    harness.player.hire("acme", &[application]).await.unwrap();
    application
}

/// Waits until the HRMS has accepted this many webhooks.
pub(super) async fn webhooks(harness: &Harness, count: usize) -> Vec<WebhookRecord> {
    until(&format!("the HRMS has {count} webhooks"), async || {
        let taken = harness.player.webhooks(0).await.unwrap().records;
        (taken.len() >= count).then_some(taken)
    })
    .await
}

fn header<'a>(of: &'a WebhookRecord, name: &str) -> &'a str {
    let found = of.headers.iter().find(|(key, _)| key == name);
    &found.unwrap().1
}

/// Whether an independent implementation of the specification accepts this webhook.
fn verified(webhook: &WebhookRecord, secret: &str) -> bool {
    let headers: HeaderMap = webhook
        .headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect();
    let verifier = Verifier::new(secret).unwrap();
    verifier.verify(webhook.body.as_bytes(), &headers).is_ok()
}

fn data(webhook: &WebhookRecord) -> Value {
    let body: Value = serde_json::from_str(&webhook.body).unwrap();
    assert_eq!(body["type"], "candidate.hired");
    body["data"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_hired_is_announced_once_and_who_was_before_is_not() {
    let (mut harness, acme) = by_stage(601, json!({})).await;
    let before = [hire(&harness, &acme).await, hire(&harness, &acme).await];
    start(&mut harness, &acme).await;
    let hired = hire(&harness, &acme).await;
    let taken = webhooks(&harness, 1).await;
    // Also after further changes and restarts.
    acme.move_to(
        &[hired, before[0]],
        "Offers & Placements",
        Some("Contract Accepted"),
    )
    .await;
    acme.polled().await;
    harness.kill();
    harness.start().await;
    acme.polled().await;
    assert_eq!(harness.player.webhooks(0).await.unwrap().next, 1);

    let webhook = &taken[0];
    assert!(verified(webhook, SECRET));
    assert!(!verified(webhook, OLDER));
    let mut forged = webhook.clone();
    forged.body = forged.body.replace(&hired.to_string(), "1");
    assert!(!verified(&forged, SECRET));
    let sent = data(webhook);
    let judged = acme.judged(hired).await.application;
    assert_eq!(sent["application"]["id"], hired.to_string());
    assert_eq!(sent["candidate"]["id"], judged.candidate.to_string());
    assert_eq!(sent["vacancy"]["id"], acme.vacancy.to_string());
    let base = harness.player.eploy("acme").await.unwrap().base_url;
    let link = format!("{base}/api/applications/{hired}");
    assert_eq!(sent["application"]["url"], link);
    // No more fields were requested, so nothing was read, and nothing was written to Eploy.
    assert_eq!(sent.get("person"), None);
    assert_eq!(acme.count("eploy.candidates.get").await, 0);
    assert_eq!(acme.count("eploy.placements.search").await, 0);
    assert!(acme.written(hired).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_named_fields_are_sent_and_none_is_stored() {
    let person = json!({"person": ["last_name", "email"]});
    let (mut harness, acme) = by_stage(602, person).await;
    harness.logs = "info,stagecall=trace,stagecall_core=trace,stagecall_hrms=trace,stagecall_http=trace,stagecall_eploy=trace";
    start(&mut harness, &acme).await;
    // First the read of the candidate fails, then the webhook.
    harness
        .faults(vec![
            Rule::next("eploy.candidates", 1, Fault::ErrorBefore { status: 500 }),
            Rule::next("hrms.webhook", 1, Fault::ErrorBefore { status: 500 }),
        ])
        .await;
    hire(&harness, &acme).await;
    let taken = webhooks(&harness, 1).await;
    let people = harness.player.people().await.unwrap();
    let ada = people.last().unwrap();
    assert_eq!(
        data(&taken[0])["person"],
        json!({"last_name": ada.surname, "email": ada.email})
    );
    assert!(verified(&taken[0], SECRET));
    harness.stop().await;
    for file in ["stagecall.db", "stderr.log", "stdout.log"] {
        let bytes = std::fs::read(harness.file(file)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for needle in [ada.email.as_str(), &ada.surname, SECRET, &SECRET[6..]] {
            assert!(!text.contains(needle), "{needle} is in {file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_webhook_is_retried_with_the_same_id() {
    let (mut harness, acme) = by_stage(603, json!({})).await;
    start(&mut harness, &acme).await;
    harness
        .faults(vec![
            Rule::next("hrms.webhook", 1, Fault::DropAfter),
            Rule::next(
                "hrms.webhook",
                1,
                Fault::TooMany {
                    retry_after: Some(2),
                },
            ),
            Rule::next("hrms.webhook", 1, Fault::ErrorAfter { status: 502 }),
        ])
        .await;
    let hired = hire(&harness, &acme).await;
    let taken = webhooks(&harness, 3).await;
    assert!(taken.iter().all(|webhook| verified(webhook, SECRET)));
    let id = header(&taken[0], "webhook-id");
    assert!(taken.iter().all(|one| header(one, "webhook-id") == id));
    assert_eq!(data(&taken[0]), data(&taken[2]));
    let times: Vec<u64> = taken
        .iter()
        .map(|one| header(one, "webhook-timestamp").parse().unwrap())
        .collect();
    // The receiver's wish for two seconds was honoured, and each attempt has its own time.
    assert!(times[1] >= times[0] + 2, "{times:?}");
    let row = delivered(&harness, hired).await;
    let outcomes: Vec<_> = row.attempts.into_iter().map(|one| one.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Unanswered("hrms.no_answer".to_owned()),
            Outcome::Answered(429),
            Outcome::Answered(502),
            Outcome::Answered(204),
        ]
    );
    assert_eq!(harness.player.webhooks(0).await.unwrap().next, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_ends_delivery_until_an_operator_redelivers() {
    let (mut harness, acme) = by_stage(604, json!({})).await;
    let before = hire(&harness, &acme).await;
    start(&mut harness, &acme).await;
    harness
        .faults(vec![Rule::next(
            "hrms.webhook",
            1,
            Fault::ErrorBefore { status: 410 },
        )])
        .await;
    let hired = hire(&harness, &acme).await;
    harness
        .logged(&["ERROR", "hire not delivered to the HRMS", "reason=\"gone\""])
        .await;
    acme.polled().await;
    assert_eq!(harness.player.webhooks(0).await.unwrap().next, 0);
    let row = row(&harness, hired).await;
    assert_eq!(row.state, State::Failed(FailReason::Gone));

    let announcer = announcer(&harness);
    let redelivery = announcer.redeliver(&key(hired)).await.unwrap();
    assert_eq!(redelivery, Redelivery::Due);
    let taken = webhooks(&harness, 1).await;
    assert_eq!(header(&taken[0], "webhook-id"), key(hired).webhook_id());
    assert_eq!(delivered(&harness, hired).await.attempts.len(), 2);
    // On request, a delivered hire is delivered again, and one of the baseline for the first time.
    for (count, application) in [(2, hired), (3, before)] {
        let redelivery = announcer.redeliver(&key(application)).await.unwrap();
        assert_eq!(redelivery, Redelivery::Due);
        let taken = webhooks(&harness, count).await;
        let sent = data(&taken[count - 1]);
        assert_eq!(sent["application"]["id"], application.to_string());
        delivered(&harness, application).await;
    }
    let unknown = announcer.redeliver(&key(1)).await.unwrap();
    assert_eq!(unknown, Redelivery::Unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_placement_is_a_hire_when_it_comes_to_its_status() {
    let (mut harness, acme) = Harness::with_one(605).await;
    let what = json!({"placement_statuses": ["4", "6"]});
    plan(&mut harness, what, json!({})).await;
    let before = hire(&harness, &acme).await;
    acme.move_to(&[before], "Offers & Placements", Some("Contract Accepted"))
        .await;
    start(&mut harness, &acme).await;
    let offered = hire(&harness, &acme).await;
    acme.polled().await;
    assert_eq!(harness.player.webhooks(0).await.unwrap().next, 0);
    acme.move_to(&[offered], "Offers & Placements", Some("Contract Accepted"))
        .await;
    let taken = webhooks(&harness, 1).await;
    // From one status of a hire to the other, it is the same hire.
    let ready = Some("Onboarding Checked - Candidate Ready");
    acme.move_to(&[before, offered], "Offers & Placements", ready)
        .await;
    acme.polled().await;
    assert_eq!(harness.player.webhooks(0).await.unwrap().next, 1);
    assert!(verified(&taken[0], SECRET));
    let sent = data(&taken[0]);
    assert_eq!(sent["application"]["id"], offered.to_string());
    let placement = sent["placement"]["id"].as_str().unwrap();
    let base = harness.player.eploy("acme").await.unwrap().base_url;
    let link = format!("{base}/api/placements/{placement}");
    assert_eq!(sent["placement"]["url"], link);
}

/// A key without the right to read placements stops the hires, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_placements_do_not_stop_invitations() {
    let (mut harness, acme) = Harness::with_one(606).await;
    let what = json!({"placement_statuses": ["4"]});
    plan(&mut harness, what, json!({})).await;
    let refused = Fault::ErrorBefore { status: 403 };
    harness.always("eploy.placements", refused).await;
    harness.start_for(&[&acme]).await;
    harness
        .logged(&["ERROR", "hires not read", "tenant=acme "])
        .await;
    acme.invitee().await;
    harness.no_faults().await;
    harness
        .logged(&["plan for hires turned on", "tenant=acme"])
        .await;
    let hired = hire(&harness, &acme).await;
    acme.move_to(&[hired], "Offers & Placements", Some("Contract Accepted"))
        .await;
    webhooks(&harness, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_a_rotation_both_secrets_verify_and_a_bad_one_sends_nothing() {
    let (mut harness, acme) = by_stage(607, json!({})).await;
    let older = harness.secret("acme-hrms-older", OLDER);
    harness.tenant("acme")["hires"]["endpoint"]["previous_secret"] = older;
    harness.secret("acme-hrms", "whsec_");
    start(&mut harness, &acme).await;
    hire(&harness, &acme).await;
    let line = harness
        .logged(&[
            "delivery of a hire to the HRMS failed",
            "hrms.secret_unusable",
        ])
        .await;
    assert!(line.contains("hrms.current"), "{line}");
    assert_eq!(harness.player.webhooks(0).await.unwrap().next, 0);
    // Fixed under the running host: the next attempt reads it again.
    harness.secret("acme-hrms", SECRET);
    let taken = webhooks(&harness, 1).await;
    assert!(verified(&taken[0], SECRET) && verified(&taken[0], OLDER));
}

/// Webhooks are signed with the present secret only. A receiver with the previous one rejects them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_of_before_that_cannot_be_used_is_named_by_the_doctor() {
    let (mut harness, acme) = by_stage(608, json!({})).await;
    let older = harness.secret("acme-hrms-older", "whsec_AAAA");
    harness.tenant("acme")["hires"]["endpoint"]["previous_secret"] = older;
    start(&mut harness, &acme).await;
    hire(&harness, &acme).await;
    let taken = webhooks(&harness, 1).await;
    assert!(verified(&taken[0], SECRET));
    let doctor = async |code: i32| {
        let mut doctor = stagecall();
        doctor.arg("doctor").arg("--config");
        doctor.arg(harness.file("stagecall.toml"));
        let done = doctor.output().unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        assert_eq!(done.status.code(), Some(code), "{out}");
        out
    };
    let out = doctor(3).await;
    assert!(out.contains("hrms.previous: it has 3 bytes"), "{out}");
    harness.secret("acme-hrms-older", OLDER);
    doctor(0).await;
}

fn key(application: u64) -> HireKey {
    HireKey {
        tenant: "acme".into(),
        hire: Hire::Application(application.to_string().as_str().into()),
    }
}

fn store(harness: &Harness) -> Store {
    Store::open(&harness.file("stagecall.db")).unwrap()
}

/// The announcement of an application, as the host has it.
async fn row(harness: &Harness, application: u64) -> stagecall_core::announcement::Announcement {
    let loaded = store(harness).load_announcement(&key(application)).await;
    loaded.unwrap().unwrap()
}

/// The same, once it is delivered.
async fn delivered(
    harness: &Harness,
    application: u64,
) -> stagecall_core::announcement::Announcement {
    until("the announcement is delivered", async || {
        let row = row(harness, application).await;
        (row.state == State::Delivered).then_some(row)
    })
    .await
}

/// The adapters of an operator's command: the store, and no connections.
fn announcer(harness: &Harness) -> HireNotifier {
    let store = Arc::new(store(harness));
    HireNotifier {
        engine: Engine {
            ledger: store.clone(),
            sweeps: store.clone(),
            tenants: store.clone(),
            definitions: store.clone(),
            queue: Arc::new(Nobody),
            events: Arc::new(Nobody),
            clock: Arc::new(SystemClock),
            timing: Arc::new(Timing::default()),
        },
        announcements: store,
        eploy: Arc::new(Nobody),
        hrms: Arc::new(Nobody),
    }
}

struct Nobody;

#[async_trait]
impl Queue for Nobody {
    async fn push(&self, _: Vec<Work>) -> Result<(), StoreError> {
        Ok(())
    }
    fn is_durable(&self) -> bool {
        false
    }
}

#[async_trait]
impl Events for Nobody {
    async fn publish(&self, _: Vec<DomainEvent>) {}
}

#[async_trait]
impl EployConnections for Nobody {
    async fn eploy(&self, _: &Tenant, _: Purpose) -> Result<Arc<dyn Eploy>, CallError> {
        unreachable!("a redelivery only makes it due")
    }
}

#[async_trait]
impl Hrms for Nobody {
    async fn deliver(
        &self,
        _: &Tenant,
        _: &HrmsEndpoint,
        _: &Webhook,
    ) -> Result<HrmsAnswer, CallError> {
        unreachable!("a redelivery only makes it due")
    }
}
