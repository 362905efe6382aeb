//! Attacks on the listener: everything a stranger sends is answered, nothing of it is stored, and the host continues.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use stagecall_sandbox::control::CandidateAct;
use stagecall_tests::harness::{Customer, Harness, PLATFORM, raw, request, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::callbacks::{callback_path, registered_path};
use super::privacy::nobody_is_left;

mod encoded;

/// The reference in every attack. It must not be stored anywhere.
const ATTACK: &str = "a77ac000a77ac000a77ac000a77ac000";
/// The reference in the platform's own call.
const GENUINE: &str = "9e1111119e1111119e1111119e111111";

/// Far above what a host needs, far below what it would need to keep what it is sent.
const MAX_MEMORY_KIB: u64 = 300 * 1024;

fn body(key: &str) -> String {
    format!("{{\"key\": \"{key}\"}}")
}

/// The statuses of the answers in what came back.
fn statuses(answer: &str) -> Vec<u16> {
    answer
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, _)| answer[at + 9..].get(..3)?.parse().ok())
        .collect()
}

/// Sends a request with this head and body, and no more; the statuses that come back before the connection ends.
async fn sent(to: SocketAddr, head: &str, body: &[u8]) -> Vec<u16> {
    let bytes = [head.as_bytes(), b"\r\n\r\n", body].concat();
    let shown = head.lines().next().unwrap_or_default();
    let answer = raw(to, &bytes).await;
    statuses(&answer.unwrap_or_else(|| panic!("the connection is never closed after {shown:.60}")))
}

/// The files of the host that have this text.
fn files_with(harness: &Harness, text: &str) -> Vec<String> {
    let has = |bytes: &[u8]| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    std::fs::read_dir(harness.folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && has(&std::fs::read(path).unwrap()))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

/// After everything: the host is up, accepts the platform and invites, and has stored nothing of the attacks.
async fn unimpressed(harness: &Harness, acme: &Customer, path: &str) {
    let headers = [("content-type", "application/json")];
    let genuine = body(GENUINE);
    let reply = request(harness.listen(), "POST", path, &headers, genuine.as_bytes()).await;
    assert_eq!(reply.status, 200, "the platform is accepted");
    assert_eq!(files_with(harness, ATTACK), [""; 0], "something was stored");
    let kept = files_with(harness, GENUINE);
    assert!(
        kept.iter().any(|file| file.starts_with("stagecall.db")),
        "the search finds nothing: {kept:?}"
    );
    let log = harness.log();
    for bad in ["panicked", "ERROR"] {
        assert!(!log.contains(bad), "the log has {bad}");
    }
    let peak = harness.memory_peak();
    assert!(peak < MAX_MEMORY_KIB, "{peak} KiB");
    let invited = acme.invitee().await.application.id;
    acme.shows(invited, "Invited").await;
    nobody_is_left(harness, acme).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_stranger_is_kept() {
    let mut harness = Harness::new(141).await;
    let (acme, other) = (
        harness.customer("acme").await,
        harness.customer("other").await,
    );
    harness.open_to_callbacks();
    harness.start_for(&[&acme, &other]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    let foreign = callback_path(&harness, &other, "new_response").await;
    let token_of = |path: &str| {
        let token = path.split(['/', '?']).find(|part| part.len() == 64);
        token.unwrap().to_owned()
    };
    let (token, foreign) = (token_of(&path), token_of(&foreign));
    let flipped = format!(
        "{}{}",
        &token[..63],
        if token.ends_with('0') { '1' } else { '0' }
    );
    let base = format!("/callbacks/acme/willo/{token}");

    // Addresses: all are answered alike.
    let mut addresses = vec![
        format!("/callbacks/acme/willo/{flipped}"),
        format!("/callbacks/acme/willo/{foreign}"),
        format!("/callbacks/acme/willo/{}", &token[..63]),
        format!("/callbacks/acme/willo/{}", &token[..32]),
        format!("{base}0"),
        format!("/callbacks/acme/willo/{}", "0".repeat(16 * 1024)),
        format!("{base}%00"),
        format!("{base}%20"),
        format!("{base}%0a"),
        format!("{base}/"),
        format!("{base}/more"),
        format!("{base};a=b"),
        format!("/{base}"),
        format!("/callbacks//acme/willo/{token}"),
        format!("/callbacks/acme//{token}"),
        format!("/callbacks/other/../acme/willo/{token}"),
        format!("/callbacks/./acme/willo/{token}"),
        format!("/callbacks/%2e%2e/willo/{token}"),
        format!("/callbacks/acme%2fwillo/{token}"),
        format!("/callbacks/acme%2fwillo/1/{token}"),
        format!("/callbacks/..%2f..%2facme/willo/{token}"),
        format!("/callbacks/acme%00/willo/{token}"),
        format!("/callbacks/a%0d%0aERROR%20forged/willo/{token}"),
        format!("/callbacks/ACME/willo/{token}"),
        format!("/callbacks/acme/WILLO/{token}"),
        format!("/callbacks/{}/willo/{token}", "t".repeat(129)),
        format!("/callbacks/acme/{}/{token}", "a".repeat(129)),
        format!("/CALLBACKS/acme/willo/{token}"),
        format!("/callbacks\\acme\\willo\\{token}"),
        "/".to_owned(),
        "/callbacks".to_owned(),
        "/stagecall.db".to_owned(),
        "/../stagecall.key".to_owned(),
        "/%2e%2e/stagecall.key".to_owned(),
    ];
    if token.chars().any(|digit| digit.is_ascii_lowercase()) {
        addresses.push(format!("/callbacks/acme/willo/{}", token.to_uppercase()));
    }
    let attack = body(ATTACK);
    for address in &addresses {
        let reply = request(harness.listen(), "POST", address, &[], attack.as_bytes()).await;
        let shown = address.replace(&token, "TOKEN");
        assert_eq!(reply.status, 404, "{shown:.80}");
        assert!(!reply.body.contains("acme"), "{shown:.80}: {}", reply.body);
    }

    // Methods, with the right address.
    for method in [
        "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "BREW",
    ] {
        let overridden = [
            ("x-http-method-override", "POST"),
            ("x-method-override", "POST"),
        ];
        let reply = request(
            harness.listen(),
            method,
            &path,
            &overridden,
            attack.as_bytes(),
        )
        .await;
        assert_eq!(reply.status, 405, "{method}");
    }

    // Bodies, with the right address.
    let wrapped = |open: &str, close: &str, depth: usize| {
        format!("{}\"{ATTACK}\"{}", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    let bodies: Vec<(&str, Vec<u8>, u16)> = vec![
        ("deep arrays", wrapped("[", "]", 100_000), 400),
        ("deep objects", wrapped("{\"a\":", "}", 40_000), 400),
        ("open arrays", b"[".repeat(200_000), 400),
        (
            "two values",
            [attack.as_bytes(), attack.as_bytes()].concat(),
            400,
        ),
        ("a form", format!("key={ATTACK}").into_bytes(), 400),
        (
            "XML",
            format!("<!DOCTYPE x [<!ENTITY a \"{ATTACK}\">]><x>&a;</x>").into_bytes(),
            400,
        ),
        (
            "no UTF-8",
            // One broken character hides nothing else: the body is read, and has no reference.
            b"{\"key\": \"\xff\xfe\"}".to_vec(),
            200,
        ),
        (
            "UTF-16",
            body("nobody")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
            // Every other byte is a control character, which a text may have here. It has no reference.
            200,
        ),
        (
            "a huge number",
            b"1e".iter().chain(&b"9".repeat(1000)).copied().collect(),
            // A number that JSON does not allow counts as none.
            200,
        ),
        (
            "too large",
            format!("{{\"key\": \"{ATTACK}{}\"}}", "a".repeat(256 * 1024)).into_bytes(),
            413,
        ),
        ("far too large", vec![b' '; 8 * 1024 * 1024], 413),
    ];
    for (what, body, wanted) in &bodies {
        let reply = request(harness.listen(), "POST", &path, &[], body).await;
        assert_eq!(reply.status, *wanted, "{what}");
    }
    // What would be accepted if it were decoded, and what would then fill the memory.
    let word = attack.as_bytes();
    for (encoding, body) in [
        ("gzip", encoded::gzip(word)),
        ("identity, gzip", encoded::gzip(word)),
        ("deflate", encoded::zlib(word)),
        ("br", encoded::brotli(word)),
        ("zstd", encoded::zstd(word)),
        ("gzip", encoded::bomb(word)),
    ] {
        let headers = [
            ("content-encoding", encoding),
            ("content-type", "application/json"),
        ];
        let reply = request(harness.listen(), "POST", &path, &headers, &body).await;
        let length = body.len();
        assert_eq!(reply.status, 400, "{encoding} of {length} bytes is decoded");
    }
    unimpressed(&harness, &acme, &path).await;
    assert!(!harness.log().contains(&token), "the token is in the log");
    assert!(
        !harness.log().contains("forged"),
        "a stranger writes into the log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_http_is_refused() {
    let (mut harness, acme) = Harness::with_one(142).await;
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    let to = harness.listen();
    let attack = body(ATTACK);
    let length = attack.len();
    let post = format!("POST {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close");
    let chunk = format!("{length:x}\r\n{attack}\r\n");

    // Lengths that cannot be, and bodies that are not what was announced.
    let huge = u64::MAX;
    let refused: [(String, Vec<u8>, &[u16]); 10] = [
        (
            format!("{post}\r\ncontent-length: {length}\r\ncontent-length: 3"),
            attack.clone().into(),
            &[400],
        ),
        (
            format!("{post}\r\ncontent-length: -1"),
            attack.clone().into(),
            &[400],
        ),
        (
            format!("{post}\r\ncontent-length: +{length}"),
            attack.clone().into(),
            &[400],
        ),
        (
            format!("{post}\r\ncontent-length: {huge}0"),
            attack.clone().into(),
            &[400],
        ),
        (
            format!("{post}\r\ntransfer-encoding: gzip"),
            attack.clone().into(),
            &[400],
        ),
        (
            format!("{post}\r\ntransfer-encoding: chunked, gzip"),
            chunk.clone().into(),
            &[400],
        ),
        (
            format!("{post}\r\ntransfer-encoding: chunked"),
            format!("zz\r\n{attack}\r\n0\r\n\r\n").into(),
            &[400, 413],
        ),
        (
            format!("{post}\r\ntransfer-encoding: chunked"),
            format!("fffffffffffffffff\r\n{attack}").into(),
            &[400, 413],
        ),
        (
            format!("{post}\r\ncontent-length : {length}"),
            attack.clone().into(),
            &[400],
        ),
        (
            format!("{post}\r\nx: a\0b\r\ncontent-length: {length}"),
            attack.clone().into(),
            &[400],
        ),
    ];
    for (head, body, wanted) in &refused {
        let got = sent(to, head, body).await;
        let shown: Vec<_> = head.lines().skip(3).collect();
        assert!(
            got.len() == 1 && wanted.contains(&got[0]),
            "{shown:?}: {got:?}"
        );
    }

    // No end of chunks.
    let endless = [
        chunk.as_bytes(),
        b"10000\r\n",
        &vec![b'a'; 0x10000],
        b"\r\n",
    ]
    .concat()
    .repeat(20);
    let got = sent(
        to,
        &format!("{post}\r\ntransfer-encoding: chunked"),
        &endless,
    )
    .await;
    assert!(got.is_empty() || got == [413], "{got:?}");

    // Heads that are too large or have too much in them.
    let mut many = post.clone();
    for number in 0..400 {
        write!(many, "\r\nx-{number}: {ATTACK}").unwrap();
    }
    for head in [
        many,
        format!("{post}\r\nx: {}", ATTACK.repeat(10_000)),
        format!(
            "POST {path}&x={} HTTP/1.1\r\nhost: {to}",
            "a".repeat(60_000)
        ),
    ] {
        let got = sent(to, &format!("{head}\r\ncontent-length: 0"), b"").await;
        assert!(
            got.is_empty() || got == [431] || got == [414],
            "{} bytes of head: {got:?}",
            head.len()
        );
    }

    // One request that a proxy and we could see as two: only the first is one.
    let wrong = path.replace("/acme/", "/nobody/");
    let smuggled = format!(
        "0\r\n\r\nPOST {path} HTTP/1.1\r\nhost: {to}\r\ncontent-length: {length}\r\n\r\n{attack}"
    );
    let both = format!(
        "POST {wrong} HTTP/1.1\r\nhost: {to}\r\ncontent-length: {}\r\ntransfer-encoding: chunked",
        smuggled.len()
    );
    let got = sent(to, &both, smuggled.as_bytes()).await;
    assert!(got == [400] || got == [404], "a length and chunks: {got:?}");

    // What is no request for us at all.
    for bytes in [
        &b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\0",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/3.0\r\n\r\n",
        b"GET /he alth HTTP/1.1\r\n\r\n",
        b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ] {
        let answer = raw(to, bytes).await.expect("the connection is closed");
        assert!(
            statuses(&answer)
                .iter()
                .all(|status| (400..500).contains(status)),
            "{bytes:?}: {answer}"
        );
    }
    // An address with a host in it is its path: nothing is fetched from anywhere.
    let elsewhere = "GET http://169.254.169.254/health HTTP/1.1\r\nhost: x\r\nconnection: close";
    assert_eq!(sent(to, elsewhere, b"").await, [200]);
    let elsewhere = format!(
        "POST http://{to}{wrong} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}"
    );
    assert_eq!(sent(to, &elsewhere, attack.as_bytes()).await, [404]);
    unimpressed(&harness, &acme, &path).await;
}

/// A slow client is disconnected, in the head and in the body, and cannot keep others out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_callers_are_cut_off() {
    let (mut harness, acme) = Harness::with_one(143).await;
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    let to = harness.listen();
    let begun = Instant::now();
    let trickle = |head: String| async move {
        let mut connection = TcpStream::connect(to).await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = connection.into_split();
        // A byte at a time, as long as it is accepted.
        let dripping = tokio::spawn(async move {
            while writing.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        let mut answer = Vec::new();
        let _ = reading.read_to_end(&mut answer).await;
        dripping.abort();
        (begun.elapsed(), statuses(&String::from_utf8_lossy(&answer)))
    };
    let post = format!("POST {path} HTTP/1.1\r\nhost: {to}\r\n");
    // An incomplete head is not answered. A request is.
    let heads: [(String, &[u16]); 5] = [
        (String::new(), &[]),
        (post.clone(), &[]),
        (format!("{post}x: {ATTACK}"), &[]),
        (
            format!("{post}content-length: 1000\r\n\r\n{{\"key\": \"{ATTACK}"),
            &[408],
        ),
        (
            format!("{post}transfer-encoding: chunked\r\n\r\nfff\r\n{{\"key\": \"{ATTACK}"),
            &[408],
        ),
    ];
    // More of them than the host allows.
    let callers = (0..300).map(|number| trickle(heads[number % heads.len()].0.clone()));
    let crowd = join_all(callers.collect::<Vec<_>>());
    let crowd = tokio::spawn(crowd);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let genuine = tokio::time::timeout(
        Duration::from_mins(1),
        request(to, "GET", "/health", &[], b""),
    );
    assert_eq!(genuine.await.expect("others are kept out").status, 200);
    let crowd = tokio::time::timeout(Duration::from_secs(90), crowd);
    let crowd = crowd.await.expect("the slow are never cut off").unwrap();
    for (number, (time, answer)) in crowd.into_iter().enumerate() {
        let (head, wanted) = &heads[number % heads.len()];
        let shown = head.get(post.len()..).unwrap_or_default();
        assert_eq!(answer, *wanted, "{shown:?} after {time:?}");
    }
    unimpressed(&harness, &acme, &path).await;
}

/// The previous token is accepted while the host is configured so. An older one never is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retired_token_is_refused() {
    let (mut harness, acme) = Harness::with_one(145).await;
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    let mut paths = vec![callback_path(&harness, &acme, "new_response").await];
    // The status of a call with each token so far, the oldest first.
    let answers = async |harness: &Harness, paths: &[String]| {
        let mut answers = Vec::new();
        for (number, path) in paths.iter().enumerate() {
            let spoken_of = body(&format!("{number:032x}"));
            let reply = request(harness.listen(), "POST", path, &[], spoken_of.as_bytes()).await;
            answers.push(reply.status);
        }
        answers
    };
    assert_eq!(answers(&harness, &paths).await, [200]);
    for (generation, accept_previous, wanted) in [
        (2, true, &[200, 200][..]),
        (3, true, &[404, 200, 200]),
        (3, false, &[404, 404, 200]),
    ] {
        assert_eq!(harness.stop().await.code(), Some(0));
        harness.tenant("acme")["platforms"][PLATFORM]["callback"] =
            json!({"generation": generation, "accept_previous": accept_previous});
        harness.start().await;
        if paths.len() < generation {
            let path = until("the new token is registered", async || {
                let path = registered_path(&harness, &acme, "new_response").await?;
                (!paths.contains(&path)).then_some(path)
            });
            paths.push(path.await);
        }
        let got = answers(&harness, &paths).await;
        assert_eq!(got, wanted, "generation {generation}, {accept_previous}");
    }
}

/// Repeats of a call change nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_has_no_effect() {
    let (mut harness, acme) = Harness::with_one(144).await;
    harness.open_to_callbacks();
    harness.without_sweeps();
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(id, "Completed").await;
    let before = acme.written(id).await;
    let key = &judged.participants[0].key;
    for variant in 0..40 {
        // Half of them are identical.
        let body = format!("{{\"key\": \"{key}\", \"n\": {}}}", variant / 2);
        let reply = request(harness.listen(), "POST", &path, &[], body.as_bytes()).await;
        assert_eq!(reply.status, 200);
    }
    acme.polled().await;
    assert_eq!(acme.written(id).await, before, "a replay was reported");
    let judged = acme.judged(id).await;
    assert_eq!(
        (judged.invitations.len(), judged.application.actions.len()),
        (1, 1)
    );
}
