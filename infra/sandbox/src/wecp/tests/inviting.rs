//! Tests, and inviting to one.

use hyper::Method;
use serde_json::{Value, json};

use super::Wecp;
use crate::control::{ByHand, NewTest, Standing};
use crate::testing::ACME;

#[tokio::test]
async fn tests_are_listed_under_the_switched_path_and_names() {
    let wecp = Wecp::new().await;
    let tests = wecp.call(Method::GET, "ats/wecp/tests", None).await;
    assert_eq!(tests.status, 200);
    assert_eq!(tests.body[0]["testId"], json!(wecp.test));
    assert_eq!(tests.body[0]["name"], "Numbers and words");
    wecp.switch(json!({
        "tests_path": "ats/wecp/quizzes", "tests_in": "data",
        "test_id_field": "quizId", "test_name_field": "testName",
    }))
    .await;
    let gone = wecp.call(Method::GET, "ats/wecp/tests", None).await;
    assert_eq!(gone.status, 404);
    let tests = wecp.call(Method::GET, "ats/wecp/quizzes", None).await;
    assert_eq!(tests.body["data"][0]["quizId"], json!(wecp.test));
    assert_eq!(tests.body["data"][0]["testName"], "Numbers and words");
}

#[tokio::test]
async fn an_invitation_is_recorded_with_what_came_along() {
    let wecp = Wecp::new().await;
    let id = wecp.invited("Ada@example.com").await;
    let records = wecp.scene.player.invitations(0).await.unwrap().records;
    assert_eq!(records.len(), 1);
    let sent = &records[0];
    assert_eq!((&sent.participant, &sent.interview), (&id, &wecp.test));
    assert_eq!(sent.email, "ada@example.com");
    assert_eq!(sent.user.as_ref(), Some(&wecp.info.users[0].0));
    assert!(sent.by_api && sent.mailed && !sent.again);
    let seen = wecp
        .scene
        .player
        .wecp_participants(ACME, Some("ada@EXAMPLE.com"));
    let seen = &seen.await.unwrap()[0];
    assert_eq!(seen.metadata, json!({"applicationId": "7"}));
    assert_eq!(seen.standing, Standing::Invited);
    assert!(
        seen.link
            .as_ref()
            .unwrap()
            .ends_with(&format!("/test/{id}"))
    );

    let unsent = json!({"email": "bo@example.com", "sendEmail": false});
    let path = wecp.candidates_path();
    wecp.call(Method::POST, &path, Some(unsent.clone())).await;
    wecp.switch(json!({"honours_send_email": true})).await;
    wecp.call(Method::POST, &path, Some(unsent)).await;
    let by_hand = ByHand {
        interview: wecp.test.clone(),
        name: "Cy Example".to_owned(),
        email: "cy@example.com".to_owned(),
    };
    wecp.scene
        .player
        .wecp_invite_by_hand(ACME, &by_hand)
        .await
        .unwrap();
    let records = wecp.scene.player.invitations(1).await.unwrap().records;
    let mailed: Vec<_> = records
        .iter()
        .map(|sent| (sent.mailed, sent.by_api))
        .collect();
    assert_eq!(mailed, [(true, true), (false, true), (true, false)]);
}

#[tokio::test]
async fn the_body_and_the_answer_have_the_switched_form() {
    let wecp = Wecp::new().await;
    let ask = async |body: Value| {
        wecp.call(Method::POST, &wecp.candidates_path(), Some(body))
            .await
    };
    assert_eq!(ask(json!({"name": "Ada Example"})).await.status, 400);
    assert_eq!(ask(json!(["ada@example.com"])).await.status, 400);
    let nowhere = "ats/wecp/tests/0/candidates";
    let body = Some(json!({"email": "ada@example.com"}));
    assert_eq!(wecp.call(Method::POST, nowhere, body).await.status, 404);

    wecp.switch(
        json!({"invite_body": "list", "invite_list_field": "emails", "invite_answer": "list"}),
    )
    .await;
    let two = json!({"emails": ["ada@example.com", {"email": "bo@example.com", "metadata": {"x": 1}}],
        "metadata": {"x": 0}});
    let made = ask(two).await;
    assert_eq!(made.body.as_array().unwrap().len(), 2);
    assert!(made.body[0]["link"].is_string());
    let kept: Vec<_> = wecp
        .scene
        .player
        .wecp_participants(ACME, None)
        .await
        .unwrap();
    assert_eq!(
        (&kept[0].metadata["x"], &kept[1].metadata["x"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(ask(json!({"emails": []})).await.status, 400);

    wecp.switch(
        json!({"invite_body": "details", "invite_name_field": "Name",
        "invite_email_field": "Email", "invite_answer": "message", "requires_metadata": true}),
    )
    .await;
    let details = json!({"candidateDetails": {"Name": "Cy Example", "Email": "cy@example.com"}});
    assert_eq!(ask(details.clone()).await.status, 400, "without metadata");
    let mut details = details;
    details["metadata"] = json!({});
    let made = ask(details).await;
    assert_eq!(made.status, 200);
    assert!(made.body.get("candidateId").is_none());

    let quirks = json!({"invite_path": "ats/wecp/invite", "invite_body": "flat",
        "invite_name_field": "candidateName", "invite_email_field": "emailId"});
    wecp.switch(quirks).await;
    assert_eq!(ask(json!({})).await.status, 404);
    let body = json!({"testId": wecp.test, "emailId": "di@example.com",
        "metadata": {"invitationId": "i-1"}});
    let made = wecp.call(Method::POST, "ats/wecp/invite", Some(body)).await;
    assert_eq!(made.status, 200);
    let sent = wecp.scene.player.invitations(0).await.unwrap().records;
    let last = sent.last().unwrap();
    assert_eq!(last.external_id.as_deref(), Some("i-1"));
    assert_eq!(
        (&last.interview, last.email.as_str()),
        (&wecp.test, "di@example.com")
    );
}

#[tokio::test]
async fn a_second_invitation_does_what_is_switched() {
    let mut wecp = Wecp::new().await;
    for (duplicate, status, same, sent) in [
        ("new_id", 200, false, 2),
        ("same_id", 200, true, 1),
        ("same_id_sent_again", 200, true, 2),
        ("bad_request", 400, false, 1),
        ("conflict", 409, false, 1),
    ] {
        wecp.switch(json!({"duplicate": duplicate})).await;
        let new = NewTest {
            name: duplicate.to_owned(),
            questions: Vec::new(),
        };
        wecp.test = wecp.scene.player.wecp_test(ACME, &new).await.unwrap();
        let before = wecp.scene.player.invitations(0).await.unwrap().next;
        let first = wecp.invited("ada@example.com").await;
        let second = wecp.invite("ADA@example.com").await;
        assert_eq!(second.status, status, "{duplicate}");
        assert_eq!(
            second.body["candidateId"] == json!(first),
            same,
            "{duplicate}"
        );
        let records = wecp.scene.player.invitations(before).await.unwrap().records;
        assert_eq!(records.len(), sent, "{duplicate}");
    }
}
