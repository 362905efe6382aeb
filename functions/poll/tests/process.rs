//! The function's own binary on a simulator of Lambda's runtime API, without AWS: unusable records are returned as failed,
//! one by one.

use std::time::Duration;

use lambda_simulator::process::{ProcessConfig, ProcessRole};
use lambda_simulator::{InvocationStatus, Simulator};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_not_polls_are_returned_as_failed() {
    let simulator = Simulator::builder()
        .function_name("poll")
        .build()
        .await
        .unwrap();
    let function = [
        "STACK",
        "TABLE",
        "POLL_QUEUE",
        "INVITE_QUEUE",
        "RESULT_QUEUE",
        "BUS",
        "SECRETS",
    ]
    .iter()
    .fold(
        ProcessConfig::new(env!("CARGO_BIN_EXE_stagecall-poll"), ProcessRole::Runtime)
            .inherit_stdio(false)
            .env("AWS_ACCESS_KEY_ID", "none")
            .env("AWS_SECRET_ACCESS_KEY", "none"),
        |function, name| function.env(format!("STAGECALL_{name}"), "test"),
    );
    let _function = simulator.spawn_process_with_config(function).unwrap();

    let event: Value =
        serde_json::from_str(include_str!("../../../tests/events/writeback.json")).unwrap();
    let mut batch = event;
    batch["Records"][1]["body"] = json!("not json");
    // Twice, to see that the process keeps running.
    for _ in 0..2 {
        let id = simulator.enqueue_payload(batch.clone()).await;
        let state = simulator
            .wait_for_invocation_complete(&id, Duration::from_secs(20))
            .await
            .unwrap();
        assert_eq!(state.status, InvocationStatus::Success, "{:?}", state.error);
        let answer = state.response.unwrap().payload;
        let mut failed: Vec<_> = answer["batchItemFailures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned())
            .collect();
        failed.sort();
        assert_eq!(
            failed,
            [1, 2, 3].map(|n| format!("00000000-0000-4000-8000-00000000000{n}"))
        );
    }
}
