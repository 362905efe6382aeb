//! The function's own binary on a simulator of Lambda's runtime API, without AWS: its answers without a store.

use std::time::Duration;

use lambda_simulator::process::{ProcessConfig, ProcessRole};
use lambda_simulator::{InvocationStatus, Simulator};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_stagecall-callback");

fn function() -> ProcessConfig {
    let function = ProcessConfig::new(BINARY, ProcessRole::Runtime)
        .inherit_stdio(false)
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none");
    [
        "STACK",
        "TABLE",
        "POLL_QUEUE",
        "INVITE_QUEUE",
        "RESULT_QUEUE",
        "BUS",
        "SECRETS",
    ]
    .iter()
    .fold(function, |function, name| {
        function.env(format!("STAGECALL_{name}"), "test")
    })
}

#[allow(clippy::unwrap_used, reason = "a part of the tests")]
async fn answer(simulator: &Simulator, event: Value) -> Value {
    let id = simulator.enqueue_payload(event).await;
    let state = simulator
        .wait_for_invocation_complete(&id, Duration::from_secs(20))
        .await
        .unwrap();
    assert_eq!(state.status, InvocationStatus::Success, "{:?}", state.error);
    state.response.unwrap().payload
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_call_is_answered_without_a_store() {
    let simulator = Simulator::builder()
        .function_name("callback")
        .build()
        .await
        .unwrap();
    let _function = simulator.spawn_process_with_config(function()).unwrap();
    let call: Value =
        serde_json::from_str(include_str!("../../../tests/events/callback.json")).unwrap();

    let mut large = call.clone();
    large["body"] = json!("x".repeat(256 * 1024 + 1));
    assert_eq!(answer(&simulator, large).await["statusCode"], 413);

    let mut strange = call.clone();
    strange["pathParameters"]["token"] = json!("guess");
    assert_eq!(answer(&simulator, strange).await["statusCode"], 404);

    // Text from the address is neither looked up nor repeated.
    for (part, text) in [
        ("tenant", "../../acme".to_owned()),
        ("tenant", "acme\r\nERROR forged".to_owned()),
        ("tenant", "acme\0".to_owned()),
        ("tenant", "a".repeat(129)),
        ("account", "willo\n".to_owned()),
        ("account", "a".repeat(129)),
        ("token", "0".repeat(63)),
        ("token", "0".repeat(64 * 1024)),
        ("token", format!("{}\n", "0".repeat(63))),
    ] {
        let mut strange = call.clone();
        strange["pathParameters"][part] = json!(text);
        let answer = answer(&simulator, strange).await;
        assert_eq!(
            (&answer["statusCode"], &answer["body"]),
            (&json!(404), &json!("no such address\n")),
            "{part}: {text:.40}"
        );
    }

    let mut garbled = call;
    garbled["isBase64Encoded"] = json!(true);
    let answer = answer(&simulator, garbled).await;
    assert_eq!(
        (&answer["statusCode"], &answer["body"]),
        (&json!(400), &json!("not understood\n"))
    );
}

#[test]
fn without_its_environment_it_names_what_is_missing_and_exits() {
    let ended = std::process::Command::new(BINARY)
        .env_clear()
        .env("STAGECALL_TABLE", "test")
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let log = String::from_utf8(ended.stdout).unwrap();
    for name in [
        "STACK",
        "POLL_QUEUE",
        "INVITE_QUEUE",
        "RESULT_QUEUE",
        "BUS",
        "SECRETS",
    ] {
        assert!(
            log.contains(&format!("STAGECALL_{name} is missing")),
            "{name}: {log}"
        );
    }
    assert!(!log.contains("STAGECALL_TABLE is missing"), "{log}");
}
