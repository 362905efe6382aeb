use stagecall_core::ports::CallbackToken;

use super::*;

pub(super) fn address(token: &str) -> CallbackAddress {
    CallbackAddress {
        public_url: Url::parse("https://hooks.example.com/").unwrap(),
        path: "callbacks/acme/willo/".to_owned(),
        token: CallbackToken(token.to_owned().into()),
    }
}

/// The body of the last request.
fn last_body(script: &Script) -> Value {
    let asked = script.asked.lock().unwrap();
    serde_json::from_slice(&asked.last().unwrap().body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn callbacks_are_registered_kept_and_changed_and_foreign_ones_are_untouched() {
    let foreign = json!({"key": "f", "url": "https://hooks.example.com/callbacks/acme/willo2/t?event=new_response",
        "event": "new_response", "interviews": ["i1"], "follow_all_interviews": false});
    let made = || answer(201, &json!({"key": "k"}));
    let first = [
        page(std::slice::from_ref(&foreign), None),
        made(),
        made(),
        made(),
        made(),
    ];
    let (platform, script) = client(first).await;
    let interviews = ["i2".into(), "i1".into()];
    let registration = platform
        .register_callbacks(&address("t1"), &interviews)
        .await
        .unwrap();
    assert_eq!(
        registration,
        Registration {
            created: 4,
            changed: 0,
            kept: 0
        }
    );
    assert_eq!(script.asked()[0], "GET webhooks/?page_size=30");
    assert!(
        script.asked()[1..]
            .iter()
            .all(|line| line == "POST webhooks/")
    );
    let registered: Vec<Value> = script.asked.lock().unwrap()[1..]
        .iter()
        .enumerate()
        .map(|(at, request)| {
            let mut hook: Value = serde_json::from_slice(&request.body).unwrap();
            hook["key"] = format!("k{at}").into();
            // As objects, and in another order than requested.
            hook["interviews"] = json!([{"key": "i2"}, {"key": "i1"}]);
            hook
        })
        .chain([foreign])
        .collect();
    assert_eq!(
        registered[0]["url"],
        "https://hooks.example.com/callbacks/acme/willo/t1?event=new_response"
    );
    assert_eq!(registered[0]["follow_all_interviews"], false);

    let (platform, script) = client([page(&registered, None)]).await;
    let registration = platform
        .register_callbacks(&address("t1"), &interviews)
        .await
        .unwrap();
    assert_eq!(
        registration,
        Registration {
            created: 0,
            changed: 0,
            kept: 4
        }
    );
    assert_eq!(script.asked().len(), 1);

    let done = || answer(200, &json!({}));
    let (platform, script) =
        client([page(&registered, None), done(), done(), done(), done()]).await;
    let registration = platform
        .register_callbacks(&address("t2"), &interviews)
        .await
        .unwrap();
    assert_eq!(
        registration,
        Registration {
            created: 0,
            changed: 4,
            kept: 0
        }
    );
    assert_eq!(script.asked()[4], "PATCH webhooks/k3/");
    assert_eq!(
        last_body(&script),
        json!({"url": "https://hooks.example.com/callbacks/acme/willo/t2?event=new_score"})
    );

    let (platform, script) =
        client([page(&registered, None), done(), done(), done(), done()]).await;
    let registration = platform
        .register_callbacks(&address("t1"), &interviews[..1])
        .await
        .unwrap();
    assert_eq!(registration.changed, 4);
    assert_eq!(
        last_body(&script),
        json!({"follow_all_interviews": false, "interviews": ["i2"]})
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_account_lacks_does_not_affect_the_others() {
    let unknown = || {
        answer(
            400,
            &json!({"event": ["\"new_comment\" is not a valid choice."]}),
        )
    };
    let made = || answer(201, &json!({"key": "k"}));
    let (platform, _) = client([page(&[], None), made(), made(), unknown(), unknown()]).await;
    let registration = platform
        .register_callbacks(&address("t"), &["i1".into()])
        .await
        .unwrap();
    assert_eq!(registration.created, 2);
    let (platform, _) = client([page(&[], None), unknown()]).await;
    assert!(
        platform
            .register_callbacks(&address("t"), &["i1".into()])
            .await
            .is_err()
    );
}
