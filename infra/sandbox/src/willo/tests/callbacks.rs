//! Callbacks, to a receiver of the test.

use axum::http::StatusCode;
use hyper::Method;
use serde_json::json;

use super::key_of;
use crate::control::{ByHand, CandidateAct, Fault, Profile, ReviewerAct, Rule};
use crate::testing::{ACME, Receiver, Scene, settle};

impl Receiver {
    async fn follow(&self, scene: &Scene, event: &str, interview: &str) {
        let webhook = json!({
            "url": format!("{}?event={event}", self.url), "event": event,
            "follow_all_interviews": false, "interviews": [interview],
        });
        let made = scene.willo(Method::POST, "webhooks/", Some(webhook)).await;
        assert_eq!(made.status, 201);
        assert_eq!(made.body["api_version"], "v1");
        assert_eq!(made.body["status"], "active");
    }
}

#[tokio::test]
async fn callbacks_have_the_switched_body_and_no_event() {
    let scene = Scene::new().await;
    let receiver = Receiver::new().await;
    let interview = scene.interview().await;
    receiver.follow(&scene, "new_response", &interview).await;
    receiver.follow(&scene, "new_score", &interview).await;
    let key = key_of(&scene.invite(&interview, "ada@example.com").await.body);
    let who = [key.clone()];
    for act in [
        CandidateAct::Open,
        CandidateAct::Start,
        CandidateAct::Answer,
    ] {
        scene.player.candidate(ACME, &who, act).await.unwrap();
    }
    let got = receiver.all(&scene).await;
    assert_eq!(
        got,
        [(
            "event=new_response".to_owned(),
            json!({"key": key, "interview": interview, "stage": "New"})
        )]
    );

    let score = ReviewerAct::Score {
        title: "Clarity".to_owned(),
        value: 4.0,
        max: 5.0,
    };
    for (variant, pointer) in [
        ("nested", "/participant/key"),
        ("data", "/data/key"),
        ("dump", "/key"),
    ] {
        scene
            .player
            .switch_willo(ACME, json!({"callback_body": variant}))
            .await
            .unwrap();
        scene.player.reviewer(ACME, &who, &score).await.unwrap();
        let (query, body) = receiver.all(&scene).await.pop().unwrap();
        assert_eq!(query, "event=new_score");
        assert_eq!(body.pointer(pointer), Some(&json!(key)), "{variant}");
        for name in ["event", "type", "event_type", "trigger", "action"] {
            assert!(body.get(name).is_none());
        }
    }
    let comment = ReviewerAct::Comment {
        text: "Well said".to_owned(),
    };
    scene.player.reviewer(ACME, &who, &comment).await.unwrap();
    let stage = json!({"stage": "Accepted"});
    let read = scene
        .willo(Method::PATCH, &format!("participants/{key}/"), Some(stage))
        .await;
    assert_eq!(
        receiver.all(&scene).await.len(),
        4,
        "no webhook follows comments and stages"
    );
    assert_eq!(read.body["stage"], "Accepted");
    assert_eq!(read.body["status"], "completed");
    assert_eq!(read.body["responses"].as_array().unwrap().len(), 2);
    assert_eq!(read.body["scores"][0]["score"], 4.0);
    assert_eq!(read.body["comments"][0]["text"], "Well said");
    assert!(
        read.body["share_link"]
            .as_str()
            .unwrap()
            .starts_with("https://app.willotalent.com/show/")
    );
    let again = scene
        .player
        .candidate(ACME, &who, CandidateAct::Decline)
        .await;
    assert!(again.is_err(), "who has answered cannot decline");
}

#[tokio::test]
async fn callbacks_are_retried_lost_and_doubled() {
    let scene = Scene::new().await;
    let receiver = Receiver::new().await;
    let interview = scene.interview().await;
    receiver.follow(&scene, "new_response", &interview).await;
    let quirks = json!({"callback_retries": 2, "callback_retry_ms": 1});
    scene.player.switch_willo(ACME, quirks).await.unwrap();
    let mut keys = Vec::new();
    for number in 0..4 {
        keys.push(key_of(
            &scene
                .invite(&interview, &format!("ada{number}@example.com"))
                .await
                .body,
        ));
    }
    *receiver.answers.lock().unwrap() = vec![StatusCode::BAD_GATEWAY; 2];
    scene
        .player
        .candidate(ACME, &keys[..1], CandidateAct::Answer)
        .await
        .unwrap();
    assert_eq!(receiver.all(&scene).await.len(), 3);

    for (place, fault, arrives) in [
        (1, Fault::CallbackLost, 3),
        (2, Fault::CallbackTwice, 5),
        (3, Fault::CallbackLate { ms: 20 }, 6),
    ] {
        let profile = Profile {
            seed: 1,
            rules: vec![Rule::next("willo.callback", 1, fault)],
        };
        scene.player.set_faults(&profile).await.unwrap();
        scene
            .player
            .candidate(ACME, &keys[place..=place], CandidateAct::Answer)
            .await
            .unwrap();
        assert_eq!(receiver.all(&scene).await.len(), arrives);
    }
    let records = scene.player.callbacks(0).await.unwrap().records;
    let attempts: Vec<_> = records
        .iter()
        .map(|record| (record.attempt, record.status))
        .collect();
    assert_eq!(
        attempts,
        [
            (1, Some(502)),
            (2, Some(502)),
            (3, Some(200)),
            (1, None),
            (1, Some(200)),
            (1, Some(200)),
            (1, Some(200))
        ]
    );
    let injected = scene.player.faults().await.unwrap().injected;
    assert_eq!(
        (
            injected["callback_lost"],
            injected["callback_twice"],
            injected["callback_late"]
        ),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn nothing_is_sent_beyond_the_loopback() {
    let scene = Scene::new().await;
    let interview = scene.interview().await;
    let hook = json!({"url": "http://hooks.example.com/", "event": "new_response", "follow_all_interviews": true});
    scene.willo(Method::POST, "webhooks/", Some(hook)).await;
    let guest = ByHand {
        interview,
        name: "Ada Example".to_owned(),
        email: "ada@example.com".to_owned(),
    };
    let key = scene.player.invite_by_hand(ACME, &guest).await.unwrap();
    scene
        .player
        .candidate(ACME, &[key], CandidateAct::Answer)
        .await
        .unwrap();
    settle(&scene).await;
    let records = scene.player.callbacks(0).await.unwrap().records;
    assert!(records[0].problem.as_deref().unwrap().contains("loopback"));
    assert!(!scene.player.invitations(0).await.unwrap().records[0].by_api);
}
