use serde_json::{Value, json};
use stagecall_core::Timestamp;
use stagecall_core::ids::{AssessmentRef, InvitationKey, TenantId};
use stagecall_core::invitation::{Entry, HistoryEntry, Invitation};
use stagecall_core::ports::{
    Allowance as _, Deliveries as _, Delivery, DeliveryOutcome, Inserted, InvitationFilter,
    Ledger as _, OperatorStore as _, SweepState, Sweeps as _, TenantStates as _,
};

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
        Entry::seen("2026-11-22T10:00:00Z".parse().unwrap()),
    )
}

#[tokio::test]
async fn throttling_is_retried_for_a_while_and_then_reported() {
    let (waiting, calls) = store(|before, _| match before {
        0 | 1 => error("ProvisionedThroughputExceededException"),
        _ => (200, json!({})),
    })
    .await;
    assert_eq!(waiting.insert(&invitation()).await.unwrap(), Inserted::New);
    // With the tombstone check before.
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
async fn rows_left_out_of_a_batch_are_read_again() {
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
    let places = ["a", "b", "c"].map(|tenant| RowKey::tenant(&tenant.into()));
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
        let error = store.load(&invitation().key).await.unwrap_err();
        assert!(error.lasting, "{error}");
        let problem = error.to_string();
        assert!(
            problem.contains("the row acme#app#1 video#1 cannot be read"),
            "{problem}"
        );
    }
}

/// An invalid number treated as missing would restart running work.
#[tokio::test]
async fn an_invalid_attribute_is_not_treated_as_missing() {
    let of = |name: &str, value: Value| {
        let mut item = json!({"pk": {"S": "acme#x"}, "sk": {"S": "x"}});
        item[name] = value;
        store(move |_, _| (200, json!({"Item": item})))
    };
    let assessment = AssessmentRef {
        account: "willo".into(),
        assessment: "i1".into(),
    };
    let tenant = TenantId::from("acme");
    for (name, value) in [
        (layout::SWEEP_DUE, json!({"S": "soon"})),
        (layout::SWEEP_DUE, json!({"N": "1.5"})),
        (layout::SWEEP_LAST, json!({"N": "1E+30"})),
        (layout::SWEEP_FAILURES, json!({"N": "-1"})),
        (layout::SWEEP_FAILURES, json!({"NULL": true})),
        (layout::SWEEP_READING, json!({"B": "AAAA"})),
        (
            layout::SWEEP_READING,
            json!({"S": r#"{"next": ["Ada Example"]}"#}),
        ),
    ] {
        let (store, _) = of(name, value).await;
        let error = store.load_sweep(&tenant, &assessment).await.unwrap_err();
        assert!(error.lasting, "{error}");
        let problem = error.to_string();
        let named = format!("the row acme#x x cannot be read: {name}");
        assert!(problem.contains(&named), "{problem}");
        assert!(!problem.contains("Ada"), "{problem}");
    }
    let (sweep, _) = of("due_pk", json!({"S": "x"})).await;
    let rests = sweep.load_sweep(&tenant, &assessment).await.unwrap();
    assert_eq!(rests, SweepState::default());

    for value in [json!({"S": "3"}), json!({"N": "4294967296"})] {
        let (store, _) = of(layout::CALLS, value).await;
        assert!(store.taken(&tenant, "2026-11-22").await.is_err());
    }
    let (unversioned, _) = of(layout::DOCUMENT, json!({"S": "{}"})).await;
    let error = unversioned.load_state(&tenant).await.unwrap_err();
    assert!(error.to_string().contains("it has no version"), "{error}");
    let (never_polled, _) = of("due_pk", json!({"S": "x"})).await;
    assert_eq!(never_polled.load_state(&tenant).await.unwrap(), None);
}

#[tokio::test]
async fn an_invalid_cursor_is_refused() {
    let (store, _) = store(|_, _| (200, json!({"Items": []}))).await;
    let filter = InvitationFilter::default();
    let tenant = TenantId::from("acme");
    for next in ["", "16", "255", "256", "-1", "x#y"] {
        let asked = store.invitations(&tenant, &filter, 10, Some(next)).await;
        assert!(asked.is_err(), "{next}");
    }
    let last = store.invitations(&tenant, &filter, 10, Some("15#a")).await;
    assert_eq!(last.unwrap().next, None);
}

/// DynamoDB removes handled deliveries thirty days after their arrival, and no others.
#[tokio::test]
async fn only_handled_deliveries_expire() {
    let (store, calls) = store(|_, _| (200, json!({}))).await;
    let delivery = Delivery {
        id: "d".to_owned(),
        tenant: "acme".into(),
        account: "willo".into(),
        at: Timestamp::from_second(1000).unwrap(),
        event: None,
        references: Vec::new(),
        tries: 0,
        given_up: false,
    };
    for fate in [
        DeliveryOutcome::Handled,
        DeliveryOutcome::Unmatched,
        DeliveryOutcome::Again(Timestamp::UNIX_EPOCH),
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

/// The longest history costs a few write units and not dozens.
#[test]
fn a_document_packs_well_and_reads_back() {
    let mut row = invitation();
    let json = serde_json::to_vec(&row).unwrap().len();
    for n in 1..i64::try_from(Invitation::MAX_HISTORY_ENTRIES).unwrap() {
        row.history.push(HistoryEntry {
            at: Timestamp::new(1_800_000_000 + n * 977, 123_456_789).unwrap(),
            what: "deferred".to_owned(),
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
