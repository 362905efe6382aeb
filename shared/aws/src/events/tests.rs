use serde_json::{Value, json};
use stagecall_core::events::What;

use super::*;
use crate::testing::{Call, error, stand_in};

fn events(count: usize) -> Vec<DomainEvent> {
    let event = |n: usize| DomainEvent {
        at: "2026-11-22T10:00:00.5Z".parse().unwrap(),
        what: What::Resumed {
            tenant: format!("t{n}").as_str().into(),
        },
    };
    (0..count).map(event).collect()
}

fn entries(call: &Call) -> &Vec<Value> {
    call.1["Entries"].as_array().unwrap()
}

#[tokio::test]
async fn an_event_has_its_name_and_rejected_ones_are_sent_once_more() {
    let (config, calls) = stand_in(|before, call| {
        let entries = (0..entries(call).len()).map(|place| match (before, place) {
            (0, 1) => json!({"ErrorCode": "InternalFailure", "ErrorMessage": "no"}),
            _ => json!({"EventId": "e"}),
        });
        (
            200,
            json!({"FailedEntryCount": 1, "Entries": entries.collect::<Vec<_>>()}),
        )
    })
    .await;
    let bus = BusEvents::new(Client::new(&config), "stagecall-bus");
    bus.publish(events(3)).await;
    let calls = calls.all();
    assert_eq!(calls.len(), 2);
    let first = &entries(&calls[0])[0];
    assert_eq!(first["EventBusName"], "stagecall-bus");
    assert_eq!(first["Source"], "stagecall");
    assert_eq!(first["DetailType"], "tenant.resumed");
    let detail: DomainEvent = serde_json::from_str(first["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail, events(1)[0]);
    let again = entries(&calls[1]);
    assert_eq!(again.len(), 1);
    assert!(again[0]["Detail"].as_str().unwrap().contains("t1"));
}

#[tokio::test]
async fn a_failing_bus_fails_no_caller() {
    let (config, calls) = stand_in(|_, _| error("AccessDeniedException")).await;
    BusEvents::new(Client::new(&config), "stagecall-bus")
        .publish(events(1))
        .await;
    assert_eq!(calls.count(), 1);
}
