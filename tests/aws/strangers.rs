//! Strangers call the HTTP API: each gets its answer, and nothing of it is kept. The platform's own calls are kept once,
//! also when the function dies over them.

use std::cell::Cell;

use futures::future::join_all;
use secrecy::ExposeSecret as _;
use stagecall_core::Timestamp;
use stagecall_core::ports::{CallbackToken, CallbackTokens, Secrets as _, SecretsWriter as _};
use stagecall_emulator::Function;
use stagecall_tests::harness::{PLATFORM, Reply, request};

use crate::data_residue::table;
use crate::member::Member;
use crate::scene::Scene;

/// What every attack speaks of: nothing may know it afterwards.
const ATTACK: &str = "a77ac000a77ac000a77ac000a77ac000";
/// What the platform's own call speaks of.
const GENUINE: &str = "9e1111119e1111119e1111119e111111";
/// How many calls are under way when the function dies.
const CALLS: u32 = 8;

/// Strangers call about one member with its tokens that are over and with another's; the platform with the one that is
/// valid. Nobody else calls about these two.
pub async fn call(scene: &Scene<'_>, attacked: &Member, other: &Member) {
    let over = tokens(scene, attacked).await.current;
    rotate(scene, attacked, Timestamp::UNIX_EPOCH).await;
    let valid = tokens(scene, attacked).await;
    assert!(valid.previous.is_none(), "its time is over");
    let oldest = tokens(scene, other).await.current;
    rotate(scene, other, Timestamp::MAX).await;
    rotate(scene, other, Timestamp::MAX).await;
    let of_other = tokens(scene, other).await;
    refused(scene, attacked, &valid.current, &[&over, &of_other.current]).await;
    let reply = post(scene, &path(other, &oldest), &body(ATTACK)).await;
    assert_eq!(reply.status, 404, "a token older than the previous one");

    // The platform, once and again, with the token that it was told before and with the present one.
    let previous = of_other.previous.unwrap();
    for token in [&previous, &of_other.current, &of_other.current] {
        let reply = post(scene, &path(other, token), &body(GENUINE)).await;
        assert_eq!(reply.status, 200, "the platform is let in: {}", reply.body);
    }
    let dying = dies_over_calls(scene, &path(attacked, &valid.current)).await;

    let items = table(scene.stack).await;
    let with = |key: &str| items.iter().filter(|item| item.contains(key)).count();
    assert_eq!(with(ATTACK), 0, "something was kept");
    for key in dying.iter().map(String::as_str).chain([GENUINE]) {
        assert_eq!(with(key), 1, "{key} is not kept once");
    }
    scene.tell("strangers have called, and nothing of it is kept");
}

/// Whatever a stranger sends is refused, each in its way.
async fn refused(
    scene: &Scene<'_>,
    attacked: &Member,
    valid: &CallbackToken,
    wrong: &[&CallbackToken],
) {
    let right = path(attacked, valid);
    let token = valid.0.expose_secret();
    let mut addresses: Vec<String> = wrong.iter().map(|token| path(attacked, token)).collect();
    let flipped = if token.ends_with('0') { "1" } else { "0" };
    addresses.extend([
        right.replace(token, &format!("{}{flipped}", &token[..63])),
        right.replace(token, &token[..63]),
        right.replace(token, &format!("{token}0")),
        right.replace(token, &format!("{token}/more")),
        right.replace("/kilo/", "/nobody/"),
        right.replace("/kilo/", "//kilo/"),
        right.replace("/kilo/willo/", "/kilo%2fwillo/1/"),
        right.replace("/callbacks/", "/"),
    ]);
    for address in &addresses {
        let reply = post(scene, address, &body(ATTACK)).await;
        let shown = address.replace(token, "TOKEN");
        assert_eq!(reply.status, 404, "{shown}");
        assert!(!reply.body.contains("kilo"), "{shown}: {}", reply.body);
    }
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let reply = send(scene, method, &right, &body(ATTACK)).await;
        assert_eq!(reply.status, 404, "{method} has a route");
    }
    let deep = [
        "[".repeat(100_000),
        format!("\"{ATTACK}\""),
        "]".repeat(100_000),
    ];
    let twice = body(ATTACK).repeat(2);
    let large = format!("{{\"key\": \"{ATTACK}{}\"}}", "a".repeat(256 * 1024));
    for (what, body, wanted) in [
        ("deep arrays", deep.concat(), 400),
        ("two values", twice, 400),
        ("a form", format!("key={ATTACK}"), 400),
        ("too large", large, 413),
    ] {
        let reply = post(scene, &right, &body).await;
        assert_eq!(reply.status, wanted, "{what}: {}", reply.body);
    }
}

/// The callback function is killed until a call has met that. Whoever was not answered well calls again, as a platform
/// does. Returns of whom they spoke.
async fn dies_over_calls(scene: &Scene<'_>, path: &str) -> Vec<String> {
    let keys: Vec<String> = (1..=CALLS).map(|number| format!("{number:032x}")).collect();
    let met = Cell::new(0);
    let accepted = async |key: &String| {
        crate::until("a call is accepted", async || {
            let status = post(scene, path, &body(key)).await.status;
            met.set(met.get() + u32::from(status != 200));
            (status == 200 && met.get() > 0).then_some(())
        })
        .await;
    };
    let calls = join_all(keys.iter().map(accepted));
    let dies = crate::until("a call has met the end", async || {
        scene.stack.kill(Function::Callback).await.unwrap();
        (met.get() > 0).then_some(())
    });
    tokio::join!(calls, dies);
    let met = met.get();
    scene.tell(&format!(
        "the callback function was killed over {met} of {CALLS} calls"
    ));
    keys
}

async fn tokens(scene: &Scene<'_>, member: &Member) -> CallbackTokens {
    let secrets = scene.stack.secrets();
    let account = PLATFORM.into();
    let tokens = secrets.callback_tokens(&member.tenant.id, &account).await;
    tokens.unwrap().unwrap()
}

async fn rotate(scene: &Scene<'_>, member: &Member, previous_until: Timestamp) {
    let secrets = scene.stack.secrets();
    secrets
        .rotate_callback_token(&member.tenant.id, &PLATFORM.into(), previous_until)
        .await
        .unwrap();
}

fn path(member: &Member, token: &CallbackToken) -> String {
    let (tenant, token) = (&member.tenant.id, token.0.expose_secret());
    format!("/callbacks/{tenant}/{PLATFORM}/{token}")
}

fn body(key: &str) -> String {
    format!("{{\"key\": \"{key}\"}}")
}

async fn post(scene: &Scene<'_>, path: &str, body: &str) -> Reply {
    send(scene, "POST", path, body).await
}

async fn send(scene: &Scene<'_>, method: &str, path: &str, body: &str) -> Reply {
    let url = scene.stack.public_url();
    let there = url.socket_addrs(|| None).unwrap()[0];
    let path = format!("{}{path}", url.path().trim_end_matches('/'));
    let headers = [("content-type", "application/json")];
    request(there, method, &path, &headers, body.as_bytes()).await
}
