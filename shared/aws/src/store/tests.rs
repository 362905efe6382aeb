use serde_json::{Value, json};
use stagecall_core::Timestamp;
use stagecall_core::ids::{AssessmentRef, InvitationKey};
use stagecall_core::invitation::{Entry, Happening, Invitation};
use stagecall_core::ports::{Deliveries as _, Delivery, DeliveryFate, Inserted, Ledger as _};

use super::*;
use crate::testing::{Call, Calls, error, stand_in};

async fn store(
    answer: impl Fn(usize, &Call) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (Store, Calls) {
    let (config, calls) = stand_in(answer).await;
    (Store::new(Client::new(&config), "stagecall"), calls)
}

fn invitation() -> Invitation {
    Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: "1".into(),
            mapping: "video".into(),
            round: 1,
        },
        "7".into(),
        "8".into(),
        AssessmentRef {
            account: "willo".into(),
            assessment: "i1".into(),
        },
        Entry {
            seen_at: "2026-11-22T10:00:00Z".parse().unwrap(),
            entered_at: None,
            history: None,
            modified: None,
            left_at: None,
            not_before: None,
        },
    )
}

#[tokio::test]
async fn throttling_is_waited_out_for_a_while_and_then_said() {
    let (waiting, calls) = store(|before, _| match before {
        0 | 1 => error("ProvisionedThroughputExceededException"),
        _ => (200, json!({})),
    })
    .await;
    assert_eq!(waiting.insert(&invitation()).await.unwrap(), Inserted::New);
    // With the look for a tombstone before.
    assert_eq!(calls.count(), 4);
    let (throttled, _) = store(|_, _| error("ProvisionedThroughputExceededException")).await;
    let problem = throttled
        .insert(&invitation())
        .await
        .unwrap_err()
        .to_string();
    assert!(problem.contains("throttles"), "{problem}");
}

#[tokio::test]
async fn what_a_batch_leaves_out_is_read_again() {
    let (store, calls) = store(|before, (_, request)| {
        let keys = request["RequestItems"]["stagecall"]["Keys"]
            .as_array()
            .unwrap();
        let (now, later) = keys.split_at(if before == 0 { 1 } else { keys.len() });
        let left: Value = if later.is_empty() {
            json!({})
        } else {
            json!({"stagecall": {"Keys": later}})
        };
        (
            200,
            json!({"Responses": {"stagecall": now}, "UnprocessedKeys": left}),
        )
    })
    .await;
    let places = ["a", "b", "c"].map(|tenant| Place::tenant(&tenant.into()));
    let found = store.get_all("read", &places, None).await.unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(calls.count(), 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let row = |document: Value| json!({"Item": {"pk": {"S": "acme#app#1"}, "sk": {"S": "video#1"}, "doc": document}});
    for document in [json!({"S": "{}"}), json!({"B": "AAAA"}), json!({"N": "1"})] {
        let item = row(document);
        let (store, _) = store(move |_, _| (200, item.clone())).await;
        let problem = store.load(&invitation().key).await.unwrap_err().to_string();
        assert!(
            problem.contains("the row acme#app#1 video#1 cannot be read"),
            "{problem}"
        );
    }
}

/// DynamoDB removes what was handled, thirty days after it arrived, and nothing that somebody still has to see.
#[tokio::test]
async fn only_what_was_handled_expires() {
    let (store, calls) = store(|_, _| (200, json!({}))).await;
    let delivery = Delivery {
        id: "d".to_owned(),
        tenant: "acme".into(),
        account: "willo".into(),
        at: Timestamp::from_second(1000).unwrap(),
        event: None,
        references: Vec::new(),
        tries: 0,
    };
    for fate in [
        DeliveryFate::Handled,
        DeliveryFate::Unmatched,
        DeliveryFate::Again(Timestamp::UNIX_EPOCH),
    ] {
        store.settle(&delivery, &fate).await.unwrap();
    }
    let expires: Vec<_> = calls
        .all()
        .iter()
        .map(|(_, request)| request["Item"]["expires"]["N"].clone())
        .collect();
    assert_eq!(expires, [json!("2593000"), Value::Null, Value::Null]);
}

/// A story as long as it gets costs a few write units and not dozens.
#[test]
fn a_document_packs_well_and_reads_back() {
    let mut row = invitation();
    let json = serde_json::to_vec(&row).unwrap().len();
    for n in 1..i64::try_from(Invitation::LONGEST_STORY).unwrap() {
        row.story.push(Happening {
            at: Timestamp::new(1_800_000_000 + n * 977, 123_456_789).unwrap(),
            what: "put_off".to_owned(),
            detail: Some("platform.unreachable".to_owned()),
        });
    }
    let packed = item::packed(&row).unwrap();
    assert!(
        packed.as_b().unwrap().as_ref().len() < 2 * json,
        "{} of {json}",
        packed.as_b().unwrap().as_ref().len()
    );
    let item = Item::from([(layout::DOCUMENT.to_owned(), packed)]);
    assert_eq!(item::document::<Invitation>(&item).unwrap(), row);
}
