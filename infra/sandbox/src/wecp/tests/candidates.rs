//! Candidates of tests: their acts, and the results.

use hyper::Method;
use serde_json::{Value, json};

use super::Wecp;
use crate::control::{
    CandidateAct,
    CandidateAct::{Answer, Bounce, Decline, Expire, Open, Start},
    EditCandidate, Platform, Standing, WecpReviewerAct, WecpSettings,
};
use crate::testing::ACME;

impl Wecp {
    async fn review(&self, candidate: &str, act: WecpReviewerAct) {
        let who = [candidate.to_owned()];
        self.scene
            .player
            .wecp_reviewer(ACME, &who, &act)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_empty_test_is_a_404_in_words() {
    let wecp = Wecp::new().await;
    let raw = async || {
        let client = crate::client::Client::new(std::time::Duration::from_secs(10));
        let url = format!("{}/{}", wecp.info.base_url, wecp.candidates_path());
        let headers = [("x-api-key", wecp.info.api_key.as_str())];
        client
            .send(Method::GET, &url, &headers, Vec::new())
            .await
            .unwrap()
    };
    let empty = raw().await;
    assert_eq!(empty.status, 404);
    assert_eq!(&empty.body[..], b"No candidate found");
    assert!(
        empty.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    wecp.switch(json!({"empty_list": "array"})).await;
    assert_eq!(&raw().await.body[..], b"[]");

    wecp.invited("ada@example.com").await;
    assert_eq!(wecp.list().await.body.as_array().unwrap().len(), 1);
    wecp.switch(json!({"empty_list": "not_found", "list_unfinished": false}))
        .await;
    assert_eq!(wecp.list().await.status, 404);

    let nowhere = "ats/wecp/tests/0/candidates";
    wecp.switch(json!({"error_body": "json_string"})).await;
    let unknown = wecp.call(Method::GET, nowhere, None).await;
    assert_eq!(
        (unknown.status, unknown.body),
        (404, json!("Test not found"))
    );
    wecp.switch(json!({"names_unknown_test": false})).await;
    let unknown = wecp.call(Method::GET, nowhere, None).await;
    assert_eq!(
        (unknown.status, unknown.body),
        (404, json!("No candidate found"))
    );
}

#[tokio::test]
async fn a_candidate_goes_from_invited_to_finished() {
    let wecp = Wecp::new().await;
    let id = wecp.invited("ada@example.com").await;
    let row = wecp.list().await.body[0].clone();
    assert_eq!(row["candidateId"], json!(id));
    assert_eq!(
        row["candidateDetails"],
        json!({"Name": "Ada Example", "Email": "ada@example.com"})
    );
    assert_eq!(row["testFinished"], false);
    assert!(row.get("percentage").is_none() && row.get("testStartTime").is_none());
    for act in [Open, Start, Open] {
        wecp.act(&id, act).await;
    }
    assert_eq!(wecp.standing(&id).await, Standing::Started);
    let row = wecp.list().await.body[0].clone();
    let started = row["testStartTime"].as_str().unwrap();
    assert!(started.len() == 24 && started.ends_with('Z'), "{started}");

    wecp.act(&id, Answer).await;
    let row = wecp.list().await.body[0].clone();
    let detail = wecp.detail(&id).await;
    assert_eq!(
        (
            &row["testFinished"],
            &detail["testFinished"],
            &detail["finished"]
        ),
        (&json!(true), &json!(true), &json!(true))
    );
    assert!(detail.get("percentage").is_none());
    assert_eq!(detail["quizId"], json!(wecp.test));
    assert_eq!(
        (&detail["retry"], &detail["closed"], &detail["maxScore"]),
        (&json!(0), &json!(0), &json!(100))
    );
    let score = detail["score"].as_f64().unwrap();
    assert_eq!(row["percentage"].as_f64(), Some(score));
    assert_eq!(detail["programmingLanguagesUsed"], json!(["java"]));
    assert!(
        detail["reportLink"]
            .as_str()
            .unwrap()
            .starts_with("https://assess.wecreateproblems.com/report/")
    );
    let questions = detail["questionWiseScore"].as_object().unwrap();
    assert_eq!(questions.len(), 2);
    let (program, choice): (Vec<_>, Vec<_>) = questions
        .values()
        .partition(|it| it.get("testcasesPassed").is_some());
    assert_eq!(
        (&program[0]["language"], &program[0]["maxScore"]),
        (&json!("java"), &json!(80))
    );
    assert_eq!(
        (&choice[0]["type"], &choice[0]["maxScore"]),
        (&json!("answer"), &json!(20))
    );
    let sum: f64 = questions
        .values()
        .map(|it| it["score"].as_f64().unwrap())
        .sum();
    assert_eq!(Some(sum), detail["score"].as_f64());
    assert_eq!(detail["proctoringData"].as_object().unwrap().len(), 8);

    let who = [id];
    let again = wecp.scene.player.wecp_candidate(ACME, &who, Answer).await;
    assert!(again.is_err(), "who has finished cannot finish again");
}

#[tokio::test]
async fn other_endings_are_shown_as_far_as_switched() {
    let wecp = Wecp::new().await;
    wecp.switch(json!({"status_text": true, "not_known": "null"}))
        .await;
    for (act, standing, words, closed) in [
        (Bounce, Standing::Bounced, "Email bounced", 0),
        (Expire, Standing::Expired, "Closed", 1),
        (Start, Standing::Started, "Ongoing", 0),
    ] {
        let id = wecp.invited("ada@example.com").await;
        assert_eq!(wecp.detail(&id).await["status"], "Not started");
        wecp.act(&id, act).await;
        assert_eq!(wecp.standing(&id).await, standing);
        let detail = wecp.detail(&id).await;
        assert_eq!(
            (&detail["status"], &detail["closed"]),
            (&json!(words), &json!(closed))
        );
        assert_eq!(detail.get("score"), Some(&Value::Null));
    }
    let id = [wecp.invited("bo@example.com").await];
    assert!(
        wecp.scene
            .player
            .wecp_candidate(ACME, &id, Decline)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_is_not_known_yet_is_left_out_null_or_zero() {
    let wecp = Wecp::new().await;
    let id = wecp.invited("ada@example.com").await;
    for (switch, number, link) in [
        ("left_out", None, None),
        ("null", Some(Value::Null), Some(Value::Null)),
        ("zero", Some(json!(0)), Some(json!(""))),
    ] {
        wecp.switch(json!({"not_known": switch})).await;
        let detail = wecp.detail(&id).await;
        assert_eq!(detail["testFinished"], json!(false));
        assert_eq!(detail.get("score").cloned(), number, "{switch}");
        assert_eq!(detail.get("maxScore").cloned(), number, "{switch}");
        assert_eq!(detail.get("reportLink").cloned(), link, "{switch}");
        let begun = detail.get("testStartTime").cloned();
        assert_eq!(begun, number.map(|_| Value::Null), "{switch}");
    }
}

#[tokio::test]
async fn what_is_evaluated_again_counts_its_retries() {
    let wecp = Wecp::new().await;
    let id = wecp.invited("ada@example.com").await;
    let early =
        wecp.scene
            .player
            .wecp_reviewer(ACME, std::slice::from_ref(&id), &WecpReviewerAct::Rerun);
    assert!(early.await.is_err(), "nothing is finished yet");
    wecp.act(&id, Answer).await;
    wecp.review(&id, WecpReviewerAct::Rerun).await;
    assert_eq!(wecp.detail(&id).await["retry"], 1);
    for (question, score) in [("Sums", 20), ("Sort a list", 55)] {
        let question = question.to_owned();
        wecp.review(&id, WecpReviewerAct::Rescore { question, score })
            .await;
    }
    let detail = wecp.detail(&id).await;
    assert_eq!(
        (&detail["score"], &detail["retry"]),
        (&json!(75), &json!(3))
    );
    assert_eq!(wecp.list().await.body[0]["percentage"], json!(75.0));
    let seen = wecp
        .scene
        .player
        .wecp_participants(ACME, None)
        .await
        .unwrap();
    let scores = [
        ("Sums".to_owned(), 20.0, 20.0),
        ("Sort a list".to_owned(), 55.0, 80.0),
    ];
    assert_eq!((seen[0].scores.as_slice(), seen[0].retry), (&scores[..], 3));
    let much = WecpReviewerAct::Rescore {
        question: "Sums".to_owned(),
        score: 21,
    };
    assert!(
        wecp.scene
            .player
            .wecp_reviewer(ACME, &[id], &much)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn forms_durations_proctoring_and_metadata_are_as_switched() {
    let wecp = Wecp::new().await;
    let id = wecp.invited("ada@example.com").await;
    wecp.act(&id, Answer).await;
    for (labels, email) in [
        ("english_long", Some("E-mail address")),
        ("german", Some("E-Mail-Adresse")),
        ("hindi", Some("ईमेल")),
        ("second_address", Some("Email")),
        ("no_address", None),
        ("none", None),
    ] {
        wecp.switch(json!({"form_labels": labels})).await;
        let form = wecp.list().await.body[0]["candidateDetails"].clone();
        assert_eq!(wecp.detail(&id).await["candidateDetails"], form);
        match email {
            Some(label) => assert_eq!(form[label], "ada@example.com", "{labels}"),
            None => assert!(!form.to_string().contains('@'), "{labels}"),
        }
    }
    let duration = async |written: &str| {
        wecp.switch(json!({"test_duration": written})).await;
        wecp.detail(&id).await["testDuration"].clone()
    };
    let seconds = duration("seconds").await.as_u64().unwrap();
    assert!(seconds >= 40);
    let clock = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    assert_eq!(duration("clock").await, json!(clock));
    assert_eq!(duration("minutes").await, json!(seconds / 60));
    assert!(
        duration("milliseconds_text")
            .await
            .as_str()
            .unwrap()
            .starts_with(&seconds.to_string())
    );
    assert!(
        duration("words")
            .await
            .as_str()
            .unwrap()
            .ends_with("minutes")
    );

    for (place, pointer) in [
        ("top", Some("/proctoringData")),
        ("raw", Some("/raw/proctoringData")),
        ("none", None),
    ] {
        wecp.switch(json!({"proctoring": place})).await;
        let detail = wecp.detail(&id).await;
        for other in ["/proctoringData", "/raw/proctoringData"] {
            assert_eq!(
                detail.pointer(other).is_some(),
                pointer == Some(other),
                "{place}"
            );
        }
    }
    for (switch, listed, detailed) in [
        ("kept", false, false),
        ("detail", false, true),
        ("echoed", true, true),
    ] {
        wecp.switch(json!({"metadata": switch})).await;
        let shown = json!({"applicationId": "7"});
        assert_eq!(
            wecp.list().await.body[0]["metadata"] == shown,
            listed,
            "{switch}"
        );
        assert_eq!(
            wecp.detail(&id).await["metadata"] == shown,
            detailed,
            "{switch}"
        );
    }
}

#[tokio::test]
async fn a_removed_candidate_is_gone_for_the_api_but_not_for_the_judge() {
    let wecp = Wecp::new().await;
    let id = wecp.invited("ada@example.com").await;
    let path = format!("ats/wecp/tests/{}/candidates/{id}", wecp.test);
    let remove = async || wecp.call(Method::DELETE, &path, None).await.status;
    assert_eq!(remove().await, 404, "no such path, unless switched");
    wecp.switch(json!({"removal_path": "ats/wecp/tests/{test}/candidates/{candidate}"}))
        .await;
    assert_eq!((remove().await, remove().await), (200, 404));
    assert_eq!(wecp.list().await.status, 404);
    let gone = wecp
        .call(Method::GET, &format!("ats/wecp/candidates/{id}"), None)
        .await;
    assert_eq!(gone.status, 404);
    assert!(
        wecp.scene
            .player
            .wecp_participants(ACME, None)
            .await
            .unwrap()[0]
            .removed
    );
}

#[tokio::test]
async fn the_judgement_knows_both_platforms() {
    let wecp = Wecp::new().await;
    let (_, ids) = wecp.scene.applications(2).await;
    let people = wecp.scene.player.people().await.unwrap();
    let id = wecp.invited(&people[0].email).await;
    let interview = wecp.scene.interview().await;
    wecp.scene.invite(&interview, &people[0].email).await;
    wecp.act(&id, Answer).await;
    let candidate = wecp.scene.seen(ids[0]).await.candidate;
    let edit = EditCandidate {
        email: Some("new@example.com".to_owned()),
        ..EditCandidate::default()
    };
    wecp.scene
        .player
        .edit_candidate(ACME, candidate, &edit)
        .await
        .unwrap();
    let judged = wecp.scene.player.judgement(ACME).await.unwrap();
    let platforms: Vec<_> = judged[0]
        .participants
        .iter()
        .map(|it| it.platform)
        .collect();
    assert_eq!(platforms, [Platform::Wecp, Platform::Willo]);
    let seen = &judged[0].participants[0];
    assert_eq!(
        (&seen.key, seen.standing, seen.scores.len()),
        (&id, Standing::Completed, 2)
    );
    assert_eq!(judged[0].invitations[1].platform, Platform::Willo);
    assert!(judged[1].invitations.is_empty());
}

#[tokio::test]
async fn completions_are_called_back_where_an_address_is_set() {
    let wecp = Wecp::new().await;
    let id = wecp.invited("ada@example.com").await;
    wecp.act(&id, Answer).await;
    let player = &wecp.scene.player;
    assert_eq!(player.callbacks(0).await.unwrap().next, 0);
    let receiver = crate::testing::Receiver::new().await;
    let settings = WecpSettings {
        callback_url: Some(receiver.url.clone()),
        ..WecpSettings::default()
    };
    player.set_wecp(ACME, &settings).await.unwrap();
    for (body, pointer) in [
        ("ids", "/candidateId"),
        ("wrapped", "/data/candidateId"),
        ("dump", "/candidateId"),
    ] {
        wecp.switch(json!({"callback_body": body})).await;
        let id = wecp.invited("ada@example.com").await;
        wecp.act(&id, CandidateAct::Start).await;
        wecp.act(&id, Answer).await;
        let (_, got) = receiver.all(&wecp.scene).await.pop().unwrap();
        assert_eq!(got.pointer(pointer), Some(&json!(id)), "{body}");
    }
    let records = player.callbacks(0).await.unwrap().records;
    assert_eq!(records.len(), 3);
    assert_eq!(
        (records[0].platform, &*records[0].event, records[0].status),
        (Platform::Wecp, "completed", Some(200))
    );
}
