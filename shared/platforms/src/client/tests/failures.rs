use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use stagecall_core::error::Phase;
use stagecall_core::ports::PlatformConnections as _;

use super::*;

async fn refusal(scripted: Answer) -> CallError {
    let (client, _) = client([scripted]).await;
    client.invite(&order()).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_failure_has_its_phase() {
    let lost = Err(TransportError::Lost("time ran out".to_owned()));
    let unsent = Err(TransportError::NotSent("no route".to_owned()));
    let guarded = Err(TransportError::Guarded("private".to_owned()));
    let half = Ok(Response {
        status: 201,
        headers: Vec::new(),
        body: b"{\"key\": \"0123".to_vec(),
    });
    for (scripted, phase, scope) in [
        (lost, Phase::Unknown, ErrorScope::Record),
        (unsent, Phase::NotSent, ErrorScope::Record),
        (guarded, Phase::NotSent, ErrorScope::Connection),
        (
            Err(TransportError::TooLarge(9)),
            Phase::Unknown,
            ErrorScope::Record,
        ),
        (half, Phase::Unknown, ErrorScope::Record),
        (
            answer(201, &json!({"ok": true})),
            Phase::Unknown,
            ErrorScope::Record,
        ),
        (answer(500, &json!({})), Phase::Unknown, ErrorScope::Record),
        (
            answer(400, &json!({"email": ["Bad."]})),
            Phase::Refused,
            ErrorScope::Record,
        ),
        (
            answer(401, &json!({"detail": "No."})),
            Phase::Refused,
            ErrorScope::Connection,
        ),
        (
            answer(403, &json!({"detail": "No."})),
            Phase::Refused,
            ErrorScope::Connection,
        ),
        (
            answer(404, &json!({"detail": "Not found."})),
            Phase::Refused,
            ErrorScope::Record,
        ),
        (
            answer(404, &json!("<html>")),
            Phase::Refused,
            ErrorScope::Connection,
        ),
        (
            answer(301, &json!({})),
            Phase::Refused,
            ErrorScope::Connection,
        ),
    ] {
        let shown = format!("{scripted:?}");
        let error = refusal(scripted).await;
        assert_eq!(
            (error.phase, error.scope),
            (phase, scope),
            "{shown}: {error}"
        );
        assert_eq!(error.operation, "invite");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_waits_as_long_as_the_platform_says_or_by_default() {
    let mut throttled = answer(429, &json!({"detail": "Request was throttled."}));
    if let Ok(throttled) = &mut throttled {
        throttled
            .headers
            .push(("retry-after".to_owned(), "7".to_owned()));
    }
    assert_eq!(
        refusal(throttled).await.retry_at,
        Some("2026-11-22T12:00:07Z".parse().unwrap())
    );
    let silent = refusal(answer(429, &json!({}))).await;
    assert_eq!(
        silent.retry_at,
        Some("2026-11-22T12:00:30Z".parse().unwrap())
    );
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_reread_once() {
    for status in [401, 403] {
        let created = answer(201, &json!({"key": KEY}));
        let script = Arc::new(Script {
            answers: Mutex::new(VecDeque::from([answer(status, &json!({})), created])),
            ..Script::default()
        });
        let account = AccountId::from("willo");
        let platform = connections(&script, "old", "new");
        let platform = platform
            .platform(&tenant(&json!({})), &account)
            .await
            .unwrap();
        platform.invite(&order()).await.unwrap();
        assert_eq!(script.keys(), ["old", "new"]);
    }

    // A secret that has not changed is not tried again.
    let (client, script) = client([answer(401, &json!({}))]).await;
    assert_eq!(
        client.invite(&order()).await.unwrap_err().code,
        "platform.unauthorized"
    );
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_be_opened_says_why() {
    let script = Arc::new(Script::default());
    let account = AccountId::from("willo");
    for (tenant, key, code, names) in [
        (tenant(&json!({})), "", "platform.no_secret", "api_key"),
        (tenant(&json!({})), "a\nb", "platform.no_secret", "api_key"),
        (
            tenant(&json!({"auth_scheme": 1})),
            "k",
            "platform.settings",
            "auth_scheme",
        ),
    ] {
        let error = connections(&script, key, key)
            .open(&tenant, &account)
            .await
            .err()
            .unwrap();
        assert_eq!((error.code, error.phase), (code, Phase::NotSent));
        assert_eq!(error.scope, ErrorScope::Connection);
        assert!(error.to_string().contains(names), "{error}");
    }
    let unknown = AccountId::from("wecp");
    let error = connections(&script, "k", "k")
        .open(&tenant(&json!({})), &unknown)
        .await;
    assert_eq!(error.err().unwrap().code, "platform.unknown_account");
}

/// A platform of two writes: create, then schedule.
struct TwoSteps;

impl Adapter for TwoSteps {
    fn assessments(&self, _: Option<&str>) -> Result<Request, PlatformError> {
        Ok(Request::new(Method::Get, Url::parse(BASE).unwrap()))
    }

    fn read_assessments(&self, _: &Response) -> Result<Page<Assessment>, PlatformError> {
        Ok(Page::of(Vec::new(), None))
    }

    fn invite(
        &self,
        _: &InviteOrder,
        answers: &[Response],
    ) -> Result<Step<InviteAnswer>, PlatformError> {
        for answer in answers {
            if !answer.is_success() {
                return Err(PlatformError::of_status("Sample", answer));
            }
        }
        match answers {
            [] | [_] => {
                let url = format!("{BASE}step/{}", answers.len());
                Ok(Step::Call(Request::new(
                    Method::Post,
                    Url::parse(&url).unwrap(),
                )))
            }
            _ => Ok(Step::Done(InviteAnswer::AlreadyThere { reference: None })),
        }
    }

    fn withdraw(
        &self,
        _: &AssessmentId,
        _: &Reference,
        _: &[Response],
    ) -> Result<Step<Withdrawn>, PlatformError> {
        Ok(Step::Done(Withdrawn::Done))
    }

    fn list(&self, _: &AssessmentId, _: Option<&str>) -> Result<Request, PlatformError> {
        self.assessments(None)
    }

    fn read_list(&self, _: &AssessmentId, _: &Response) -> Result<Page<Listed>, PlatformError> {
        Ok(Page::of(Vec::new(), None))
    }

    fn lists_everybody(&self, _: &AssessmentId) -> bool {
        false
    }

    /// Never ends.
    fn result(
        &self,
        _: &AssessmentId,
        _: &Reference,
        _: &[Response],
    ) -> Result<Step<AssessmentResult>, PlatformError> {
        Ok(Step::Call(self.assessments(None)?))
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }
}

async fn two_steps(answers: impl IntoIterator<Item = Answer>) -> (Client, Arc<Script>) {
    let (client, script) = client(answers).await;
    *client.adapter.lock().unwrap() = Arc::new(TwoSteps);
    (client, script)
}

#[tokio::test(start_paused = true)]
async fn after_the_first_of_two_writes_nothing_is_without_effect() {
    let fine = || answer(200, &json!({}));
    let (client, script) = two_steps([fine(), fine()]).await;
    client.invite(&order()).await.unwrap();
    assert_eq!(script.asked(), ["POST step/0", "POST step/1"]);

    let unsent = || Err(TransportError::NotSent("no route".to_owned()));
    let slow = || answer(429, &json!({}));
    for (answers, phase) in [
        (vec![unsent()], Phase::NotSent),
        (vec![slow()], Phase::Throttled),
        (vec![fine(), unsent()], Phase::Unknown),
        (vec![fine(), slow()], Phase::Unknown),
        (vec![fine(), answer(400, &json!({}))], Phase::Refused),
    ] {
        let (client, _) = two_steps(answers).await;
        let error = client.invite(&order()).await.unwrap_err();
        assert_eq!(error.phase, phase);
        if phase == Phase::Throttled {
            let pause = SignedDuration::from_secs(30);
            assert_eq!(error.retry_at, Some(Noon.now() + pause));
        }
    }
}

/// A clock that advances twenty seconds per read.
#[derive(Default)]
struct Hurried(AtomicI64);

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        let seconds = 20 * self.0.fetch_add(1, Ordering::SeqCst);
        Noon.now() + SignedDuration::from_secs(seconds)
    }
}

#[tokio::test(start_paused = true)]
async fn several_calls_share_the_time_limit_of_one() {
    let (mut client, script) = two_steps([answer(200, &json!({})), answer(200, &json!({}))]).await;
    client.clock = Arc::new(Hurried::default());
    client.transport = script.clone();
    client.invite(&order()).await.unwrap();
    let times: Vec<_> = script
        .times
        .lock()
        .unwrap()
        .iter()
        .map(Duration::as_secs)
        .collect();
    assert_eq!(times, [10, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_platform_without_callbacks_registers_none_and_no_conversation_is_endless() {
    let (client, script) = two_steps((0..MAX_STEPS).map(|_| answer(200, &json!({})))).await;
    let registration = client
        .register_callbacks(&callbacks::address("t"), &["i1".into()])
        .await
        .unwrap();
    assert_eq!(registration, Registration::default());
    assert_eq!(script.asked().len(), 0);
    assert!(client.result(&"i1".into(), &"r".into()).await.is_err());
    assert_eq!(script.asked().len(), MAX_STEPS);
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_list_does_not_prove_absence() {
    let (client, _) = two_steps([answer(200, &json!({}))]).await;
    let error = client
        .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
        .await;
    assert_eq!(error.unwrap_err().phase, Phase::Unknown);
}
