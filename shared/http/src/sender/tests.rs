use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Serves one connection: reads one request's head, returns it to the test, and writes `answer`; then closes, unless
/// `hang` is set.
async fn serve(answer: &'static [u8], hang: bool) -> (Url, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/secret-path?secret=query",
        listener.local_addr().unwrap()
    );
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = Vec::new();
        let mut buffer = [0; 4096];
        while !got.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the request ended early");
            got.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(answer).await.unwrap();
        if hang {
            // Until the client gives up.
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
        }
        String::from_utf8(got).unwrap()
    });
    (url.parse().unwrap(), served)
}

fn sandbox() -> Sender {
    Sender::new(Guard::Sandbox).unwrap()
}

fn limits(milliseconds: u64, answer: usize) -> Limits {
    Limits {
        time: Duration::from_millis(milliseconds),
        answer,
    }
}

async fn get(url: Url, limits: Limits) -> Result<Response, TransportError> {
    sandbox().send(Request::new(Method::Get, url), limits).await
}

/// The text of an error, after checking that it names the host and nothing secret.
fn text(error: &TransportError) -> String {
    let text = error.to_string();
    assert!(text.contains("127.0.0.1"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    text
}

#[tokio::test]
async fn a_request_arrives_and_its_answer_is_read() {
    let (url, served) = serve(
        b"HTTP/1.1 201 Created\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}",
        false,
    )
    .await;
    let request = Request::new(Method::Patch, url)
        .header("X-Key", "word")
        .json(&serde_json::json!({"a": 1}));
    let answer = sandbox().send(request, limits(5000, 100)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (201, &b"{}"[..]));
    assert_eq!(answer.header("retry-after"), Some("3"));
    let got = served.await.unwrap();
    assert!(
        got.starts_with("PATCH /secret-path?secret=query HTTP/1.1\r\n"),
        "{got}"
    );
    assert!(got.contains("x-key: word"), "{got}");
    assert!(got.contains("content-type: application/json"), "{got}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (url, _served) = serve(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        false,
    )
    .await;
    assert_eq!(get(url, limits(5000, 100)).await.unwrap().status, 302);
}

#[tokio::test]
async fn a_port_that_refuses_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret", listener.local_addr().unwrap());
    drop(listener);
    let error = get(url.parse().unwrap(), limits(5000, 100))
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
    assert!(!error.is_unresolved());
    text(&error);
}

#[tokio::test]
async fn a_name_that_does_not_exist_means_not_sent() {
    // Reserved as non-existent (RFC 6761).
    let url = "http://acme.invalid/secret".parse().unwrap();
    let error = get(url, limits(5000, 100)).await.unwrap_err();
    assert!(error.is_unresolved(), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_failed_handshake_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/secret", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    });
    let error = get(url.parse().unwrap(), limits(5000, 100))
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
    text(&error);
}

/// A server that supports HTTP/2 would choose it if it were offered, and the client could not read the response.
#[tokio::test]
async fn only_the_supported_protocol_is_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).await.unwrap();
        hello.truncate(length);
        hello
    });
    get(url.parse().unwrap(), limits(5000, 100))
        .await
        .unwrap_err();
    let hello = hello.await.unwrap();
    // The extension as RFC 7301 writes it: 16, its length, the list's length, and each name after its length.
    let offered = b"\x00\x10\x00\x0b\x00\x09\x08http/1.1";
    assert!(
        hello
            .windows(offered.len())
            .any(|part| part == offered.as_slice())
    );
}

#[tokio::test]
async fn a_connection_that_drops_before_the_answer_means_lost() {
    let (url, _served) = serve(b"", false).await;
    let error = get(url, limits(5000, 100)).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error:?}");
    text(&error);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_means_lost() {
    for begun in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    ] {
        let (url, _served) = serve(begun, true).await;
        let error = get(url, limits(80, 100)).await.unwrap_err();
        assert!(matches!(error, TransportError::Lost(_)), "{error:?}");
        assert!(text(&error).contains("within 0.08 s"));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_means_lost() {
    let (url, _served) = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false).await;
    let error = get(url, limits(5000, 100)).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error:?}");
    text(&error);
}

#[tokio::test]
async fn a_larger_answer_is_aborted_announced_or_not() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345"[..],
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345",
    ] {
        let (url, _served) = serve(answer, false).await;
        assert_eq!(
            get(url, limits(5000, 4)).await,
            Err(TransportError::TooLarge(4))
        );
        let (url, _served) = serve(answer, false).await;
        assert_eq!(get(url, limits(5000, 5)).await.unwrap().body, b"12345");
    }
}

#[tokio::test]
async fn the_public_guard_refuses_loopback_by_address_and_by_name() {
    let sender = Sender::new(Guard::Public).unwrap();
    for url in [
        "https://127.0.0.1:9/secret",
        "https://localhost:9/secret",
        "http://acme.example/",
    ] {
        let request = Request::new(Method::Get, url.parse().unwrap());
        let error = sender.send(request, limits(5000, 100)).await.unwrap_err();
        assert!(
            matches!(error, TransportError::Guarded(_)),
            "{url}: {error:?}"
        );
        assert!(!error.to_string().contains("secret"));
    }
}

/// Whatever a name resolves to, the connection goes to an allowed address or fails. That includes names with several
/// addresses, and names that resolve differently the second time.
#[tokio::test]
async fn a_name_leads_only_to_allowed_addresses() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    #[allow(clippy::needless_pass_by_value, reason = "the type of a look-up")]
    fn look_up(host: String) -> crate::guard::LookingUp {
        let found: &[&str] = match host.as_str() {
            "loopback.example" => &["127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"],
            "metadata.example" => &["169.254.169.254:0"],
            "private.example" => &["10.0.0.1:0", "[fd00::1]:0"],
            // Nothing forbidden at first, so a check that resolves only once would let it pass.
            "rebinding.example" if ASKED.fetch_add(1, Ordering::SeqCst) == 0 => &[],
            "rebinding.example" => &["127.0.0.1:0"],
            other => panic!("{other} is looked up"),
        };
        let found = found.iter().map(|text| text.parse().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    }
    let sender = Sender::resolving(Guard::Public, look_up).unwrap();
    let send = async |host: &str| {
        let url = format!("https://{host}/secret").parse().unwrap();
        let request = Request::new(Method::Get, url);
        sender.send(request, limits(5000, 100)).await.unwrap_err()
    };
    for host in [
        "loopback.example",
        "metadata.example",
        "private.example",
        "LOOPBACK.example",
    ] {
        let error = send(host).await;
        assert!(
            matches!(error, TransportError::Guarded(_)),
            "{host}: {error:?}"
        );
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(matches!(
        send("rebinding.example").await,
        TransportError::NotSent(_)
    ));
    assert!(matches!(
        send("rebinding.example").await,
        TransportError::Guarded(_)
    ));
}

/// A redirect into a private network is returned like any other response: its target is not even resolved.
#[tokio::test]
async fn no_redirect_is_followed_into_a_private_network() {
    for to in [
        "http://169.254.169.254/",
        "http://127.0.0.1:1/",
        "//evil.example/",
        "file:///etc/passwd",
    ] {
        for status in [301, 302, 303, 307, 308] {
            let answer =
                format!("HTTP/1.1 {status} Go\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            let (url, _served) =
                serve(Box::leak(answer.into_bytes().into_boxed_slice()), false).await;
            assert_eq!(
                get(url, limits(5000, 100)).await.unwrap().status,
                status,
                "{to}"
            );
        }
    }
}

#[tokio::test]
async fn a_compressed_answer_is_decoded_within_the_limit() {
    // "{}", stored and not deflated.
    let packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x02\0\xfd\xff{}\0\0\0\0\0\0\0\0";
    let (url, _served) = serve(packed, false).await;
    assert_eq!(get(url, limits(5000, 100)).await.unwrap().body, b"{}");
    let (url, _served) = serve(packed, false).await;
    let error = get(url, limits(5000, 25)).await;
    assert_eq!(error.unwrap().body, b"{}");
    let other = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}";
    let (url, _served) = serve(other, false).await;
    let error = get(url, limits(5000, 100)).await.unwrap_err();
    assert_eq!(error, TransportError::Encoded("br".to_owned()));
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_not_sent() {
    let request = Request::new(Method::Get, "http://127.0.0.1:9/".parse().unwrap())
        .header("authorization", "two\r\nlines");
    let error = sandbox()
        .send(request, limits(5000, 100))
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
    assert!(!error.to_string().contains("lines"));
}
