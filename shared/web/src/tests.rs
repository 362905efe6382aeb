use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::ALLOW;
use http_body::Frame;
use http_body_util::Full;
use stagecall_core::clock::SystemClock;
use stagecall_core::engine::{DefinitionCache, Engine};
use stagecall_core::error::StoreError;
use stagecall_core::events::DomainEvent;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    CallbackToken, CallbackTokens, Events, OperatorStore as _, Secrets, TenantSecret,
};
use stagecall_core::tenant::{PlatformConnection, Settings};
use stagecall_core::timing::Timing;
use stagecall_embedded::{Limits, Store, WorkQueue};
use stagecall_http::{Transport, TransportError};
use tempfile::TempDir;

use super::callbacks::MAX_BODY_BYTES;
use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const WRONG: &str = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Every account's callbacks have the same token; nothing is sent or published.
#[derive(Default)]
struct Outside {
    secrets_fail: AtomicBool,
}

#[async_trait]
impl Secrets for Outside {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        panic!("a caller needs no tenant's secret");
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        _: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        if self.secrets_fail.load(Relaxed) {
            return Err(StoreError::new(
                "secrets",
                "reading callback tokens",
                "down",
            ));
        }
        Ok(Some(CallbackTokens {
            current: CallbackToken(TOKEN.into()),
            previous: None,
        }))
    }
}

#[async_trait]
impl Transport for Outside {
    async fn send(
        &self,
        _: stagecall_http::Request,
        _: stagecall_http::Limits,
    ) -> Result<stagecall_http::Response, TransportError> {
        panic!("a callback makes no call");
    }
}

#[async_trait]
impl Events for Outside {
    async fn publish(&self, events: Vec<DomainEvent>) {
        assert!(events.is_empty(), "a callback publishes nothing");
    }
}

/// A site with the tenant `acme`, which has the account `willo`, over a store in a folder.
struct Fixture {
    site: Site,
    outside: Arc<Outside>,
    queue: WorkQueue,
    _folder: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.db")).unwrap();
        let mut acme = stagecall_tests::sample::tenant("acme");
        let account = PlatformConnection {
            kind: "willo".into(),
            base_url: None,
            settings: Settings::new(),
        };
        acme.platforms.insert("willo".into(), account);
        store.put_tenant(&acme).await.unwrap();
        let (queue, _) = WorkQueue::new(Limits {
            capacity: 10,
            max_total: 1,
            max_per_tenant: 1,
        });
        let (ports, timing) = (Arc::new(store), Arc::new(Timing::default()));
        let (outside, clock) = (Arc::new(Outside::default()), Arc::new(SystemClock));
        let platforms = stagecall_platforms::Connections::new(
            outside.clone(),
            outside.clone(),
            clock.clone(),
            &timing,
        );
        let engine = Engine {
            ledger: ports.clone(),
            sweeps: ports.clone(),
            tenants: ports.clone(),
            definitions: DefinitionCache::over(ports.clone()),
            queue: Arc::new(queue.clone()),
            events: outside.clone(),
            clock,
            timing,
        };
        let receiver = Receiver {
            engine,
            deliveries: ports,
            secrets: outside.clone(),
            platforms: Arc::new(platforms),
        };
        Self {
            site: Site {
                receiver,
                health: None,
            },
            outside,
            queue,
            _folder: folder,
        }
    }

    /// The status and text of the answer to a request.
    async fn answer<B>(&self, method: &str, path: &str, body: B) -> (u16, String)
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let request = Request::builder().method(method).uri(path);
        let response = self.site.respond(request.body(body).unwrap()).await;
        assert!(response.headers()[http::header::CONTENT_TYPE] == "text/plain; charset=utf-8");
        (response.status().as_u16(), response.into_body().into())
    }

    async fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.answer("POST", path, Full::new(Bytes::from(body.to_owned())))
            .await
    }
}

fn address() -> String {
    format!("/callbacks/acme/willo/{TOKEN}")
}

fn said(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

/// A body that ends with an error, or that nobody may read.
enum Bad {
    Ends(fn() -> Box<dyn Error + Send + Sync>),
    Secret,
}

impl Body for Bad {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match *self {
            Self::Ends(error) => Poll::Ready(Some(Err(error()))),
            Self::Secret => panic!("a stranger's body is read"),
        }
    }
}

#[tokio::test]
async fn a_callback_is_stored_and_queued_and_the_same_again_is_the_same() {
    let on = Fixture::new().await;
    let path = format!("{}?event=new_response", address());
    for _ in 0..2 {
        let answer = on.post(&path, r#"{"key": "p1"}"#).await;
        assert_eq!(answer, said(200, "stored\n"));
        assert_eq!(on.queue.depth(), 1);
    }
    let event = format!("{}?event=response_deleted", address());
    on.post(&event, r#"{"key": "p1"}"#).await;
    assert_eq!(on.queue.depth(), 2, "the query belongs to the call");
}

#[tokio::test]
async fn no_stranger_learns_which_part_was_wrong_and_no_strangers_body_is_read() {
    let on = Fixture::new().await;
    for path in [
        format!("/callbacks/acme/willo/{WRONG}"),
        format!("/callbacks/other/willo/{TOKEN}"),
        format!("/callbacks/acme/other/{TOKEN}"),
        format!("/callbacks/acme/willo/{TOKEN}/"),
        format!("/callbacks/acme/willo/{TOKEN}/more"),
        format!("/callbacks/acme/willo/{TOKEN}0"),
        format!("/callbacks/acme/willo/{TOKEN}%20"),
        format!("/callbacks/acme//{TOKEN}"),
        format!("//callbacks/acme/willo/{TOKEN}"),
        format!("/callbacks/acme%2fwillo/{TOKEN}"),
        format!("/callbacks/acme%00/willo/{TOKEN}"),
        format!("/callbacks/%ff/willo/{TOKEN}"),
        format!("/callbacks/{}/willo/{TOKEN}", "t".repeat(129)),
        "/callbacks".to_owned(),
        "/health".to_owned(),
        "/".to_owned(),
        "*".to_owned(),
    ] {
        let answer = on.answer("POST", &path, Bad::Secret).await;
        assert_eq!(answer, said(404, "no such address\n"), "{path:.60}");
    }
    assert_eq!(on.queue.depth(), 0);
}

#[tokio::test]
async fn an_encoded_address_is_the_same_address() {
    let on = Fixture::new().await;
    let path = address()
        .replace("acme", "%61cme")
        .replace("willo", "w%69llo");
    assert_eq!(on.post(&path, "{}").await, said(200, "stored\n"));
}

#[tokio::test]
async fn a_callback_is_a_post() {
    let on = Fixture::new().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post", "BREW"] {
        let request = Request::builder().method(method).uri(address());
        let request = request.body(Bad::Secret).unwrap();
        let response = on.site.respond(request).await;
        assert_eq!(response.status().as_u16(), 405, "{method}");
        assert_eq!(response.headers()[ALLOW], "POST");
    }
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_a_larger_one_is_not() {
    let on = Fixture::new().await;
    let sized = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
    let answer = on.post(&address(), &sized(MAX_BODY_BYTES)).await;
    assert_eq!(answer, said(200, "stored\n"));
    for size in [MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES] {
        let answer = on.post(&address(), &sized(size)).await;
        assert_eq!(answer, said(413, "too large\n"));
        // The same without a length.
        let body = Unsized(Full::new(Bytes::from(sized(size))));
        let answer = on.answer("POST", &address(), body).await;
        assert_eq!(answer, said(413, "too large\n"));
    }
}

/// A body that does not say how long it is.
struct Unsized<B>(B);

impl<B: Body + Unpin> Body for Unsized<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_or_makes_no_sense_is_refused() {
    let on = Fixture::new().await;
    let slow = Bad::Ends(|| TooSlow.into());
    let answer = on.answer("POST", &address(), slow).await;
    assert_eq!(answer, said(408, "too slow\n"));
    let broken = Bad::Ends(|| "the connection was reset".into());
    let answer = on.answer("POST", &address(), broken).await;
    assert_eq!(answer, said(400, "broken off\n"));
    let answer = on.post(&address(), "[[[").await;
    assert_eq!(answer, said(400, "not understood\n"));
    assert_eq!(on.queue.depth(), 0);
}

#[tokio::test]
async fn what_cannot_be_stored_is_to_be_sent_again() {
    let on = Fixture::new().await;
    on.outside.secrets_fail.store(true, Relaxed);
    let answer = on.post(&address(), "{}").await;
    assert_eq!(answer, said(503, "not stored, please send it again\n"));
}

#[tokio::test]
async fn health_says_what_is_wrong() {
    let mut on = Fixture::new().await;
    for (problem, answer) in [
        (None, said(200, "ok\n")),
        (
            Some("the store is damaged; see the log"),
            said(503, "the store is damaged; see the log\n"),
        ),
    ] {
        on.site.health = Some(Box::new(move || problem));
        assert_eq!(on.answer("GET", "/health", Bad::Secret).await, answer);
        assert_eq!(on.answer("HEAD", "/health", Bad::Secret).await.0, answer.0);
        let refused = on.answer("POST", "/health", Bad::Secret).await;
        assert_eq!(refused, said(405, "no such method here\n"));
    }
}
