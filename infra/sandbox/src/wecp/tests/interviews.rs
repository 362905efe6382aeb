//! Live interviews.

use hyper::Method;
use serde_json::{Value, json};

use super::Wecp;
use crate::control::{CandidateAct, NewWecpInterview, Standing, WecpReviewerAct};
use crate::testing::{ACME, Seen};

const SCHEDULE: &str = "ats/wecp/scheduleInterviews";

impl Wecp {
    async fn create(&self) -> Value {
        let body = json!({
            "interviewName": "Talk", "groupId": self.info.groups[0].0, "recordInterview": true,
            "scorecard": [
                {"question": "Clarity", "required": true, "type_of_question": "star"},
                {"question": "Hire?", "required": true, "type_of_question": "objective", "option": ["yes", "no"]},
                {"question": "Notes", "required": false, "type_of_question": "text"},
            ],
            "metadata": {"applicationId": "7"},
        });
        let made = self
            .call(Method::POST, "ats/wecp/createInterview", Some(body))
            .await;
        assert_eq!(made.status, 200);
        made.body
    }

    async fn schedule(&self, path: &str, interview: &str, email: &str) -> Seen {
        let body = json!({
            "interviewId": interview, "sendEmail": false, "metadata": {"applicationId": "7"},
            "schedules": [{"emailId": email, "interviewDuration": 45,
                "interviewer": "robin.example@example.com", "interviewTime": "2030-03-04T10:00:00+01:00"}],
        });
        self.call(Method::POST, path, Some(body)).await
    }

    fn in_group(&self, interview: &str) -> String {
        let (org, group) = (&self.info.org, &self.info.groups[0].0);
        format!("orgs/{org}/groups/{group}/interviews/{interview}/scheduleInterviews")
    }
}

fn id_of(interview: &Value) -> String {
    interview["interviewId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_interview_is_created_with_a_scorecard() {
    let wecp = Wecp::new().await;
    let made = wecp.create().await;
    assert_eq!(
        (&made["name"], &made["recordInterview"]),
        (&json!("Talk"), &json!(true))
    );
    assert!(made["createdAt"].is_string() && made.get("interviewLink").is_none());
    let seen = wecp.scene.player.wecp_interviews(ACME).await.unwrap();
    assert_eq!(
        (seen[0].id.clone(), seen[0].scorecard.len(), seen[0].by_api),
        (id_of(&made), 3, true)
    );
    assert_eq!(seen[0].metadata, json!({"applicationId": "7"}));
    let group = &wecp.info.groups[0].0;
    for wrong in [
        json!({"groupId": group}),
        json!({"interviewName": "Talk", "groupId": "another"}),
        json!({"interviewName": "Talk", "groupId": group, "scorecard": [{"question": "Hire?", "type_of_question": "objective"}]}),
        json!({"interviewName": "Talk", "groupId": group, "scorecard": [{"question": "Hire?", "type_of_question": "guess"}]}),
    ] {
        let refused = wecp
            .call(Method::POST, "ats/wecp/createInterview", Some(wrong))
            .await;
        assert_eq!(refused.status, 400);
    }
    let by_hand = NewWecpInterview {
        name: "Chat".to_owned(),
        ..NewWecpInterview::default()
    };
    wecp.scene
        .player
        .wecp_interview(ACME, &by_hand)
        .await
        .unwrap();
    let listed = wecp.call(Method::GET, "ats/wecp/interviews", None).await;
    assert_eq!(
        (&listed.body[0]["name"], &listed.body[1]["name"]),
        (&json!("Talk"), &json!("Chat"))
    );
    wecp.switch(json!({"interview_reads": false})).await;
    assert_eq!(
        wecp.call(Method::GET, "ats/wecp/interviews", None)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn scheduling_answers_with_what_was_scheduled_or_with_nothing() {
    let wecp = Wecp::new().await;
    let interview = id_of(&wecp.create().await);
    for (switch, path) in [
        ("ats_schedule", SCHEDULE.to_owned()),
        ("org_schedule", wecp.in_group(&interview)),
    ] {
        for (does, status, answered, scheduled) in [
            ("answered", 200, Some(1), 1),
            ("answered_empty", 200, Some(0), 1),
            ("nothing", 200, Some(0), 0),
            ("absent", 404, None, 0),
        ] {
            wecp.switch(json!({switch: does})).await;
            let before = wecp.scene.player.invitations(0).await.unwrap().next;
            let answer = wecp.schedule(&path, &interview, "ada@example.com").await;
            assert_eq!(answer.status, status, "{does}");
            assert_eq!(answer.body.as_array().map(Vec::len), answered, "{does}");
            let sent = wecp.scene.player.invitations(before).await.unwrap().records;
            assert_eq!(sent.len(), scheduled, "{does}");
            assert!(sent.iter().all(|sent| !sent.mailed));
        }
    }
    let elsewhere = wecp
        .in_group(&interview)
        .replace(&wecp.info.groups[0].0, &wecp.info.groups[1].0);
    wecp.switch(json!({"org_schedule": "answered", "ats_schedule": "answered"}))
        .await;
    assert_eq!(
        wecp.schedule(&elsewhere, &interview, "ada@example.com")
            .await
            .status,
        404
    );
    assert_eq!(
        wecp.schedule(SCHEDULE, "0", "ada@example.com").await.status,
        404
    );
    assert_eq!(wecp.schedule(SCHEDULE, &interview, "ada").await.status, 400);
}

#[tokio::test]
async fn an_interview_is_held_and_its_scorecard_filled_in() {
    let wecp = Wecp::new().await;
    let interview = id_of(&wecp.create().await);
    let made = wecp
        .schedule(SCHEDULE, &interview, "ada@example.com")
        .await
        .body[0]
        .clone();
    let id = made["_id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["user"], &made["interviewDuration"]),
        (&json!("ada@example.com"), &json!(45))
    );
    assert_eq!(made["interviewer"], "robin.example@example.com");
    assert_eq!(made["interviewTime"], "2030-03-04T09:00:00.000Z");
    assert!(made["link"].as_str().unwrap().contains("/interview/"));
    wecp.act(&id, CandidateAct::Start).await;
    let fill = |answers: Value| WecpReviewerAct::Conduct {
        answers: serde_json::from_value(answers).unwrap(),
    };
    let who = [id.clone()];
    let player = &wecp.scene.player;
    assert!(
        player
            .wecp_reviewer(ACME, &who, &fill(json!([3])))
            .await
            .is_err(),
        "three lines"
    );
    player
        .wecp_reviewer(ACME, &who, &fill(json!([])))
        .await
        .unwrap();
    player
        .wecp_reviewer(ACME, &who, &fill(json!([4, "yes", "Well said"])))
        .await
        .unwrap();
    assert!(
        player
            .wecp_reviewer(ACME, &who, &WecpReviewerAct::Rerun)
            .await
            .is_err()
    );

    let path = format!("ats/wecp/interviews/{interview}/candidates");
    let read = wecp.call(Method::GET, &path, None).await.body[0].clone();
    assert_eq!(
        (&read["_id"], &read["finished"]),
        (&json!(id), &json!(true))
    );
    let answers: Vec<_> = read["scorecard"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["answer"])
        .collect();
    assert_eq!(answers, [&json!(4), &json!("yes"), &json!("Well said")]);
    assert!(read["reportLink"].is_string() && read["recordingLink"].is_string());
    let seen = player
        .wecp_participants(ACME, None)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((seen.standing, seen.retry), (Standing::Completed, 1));
    assert_eq!(seen.scores, [("Clarity".to_owned(), 4.0, 5.0)]);
    assert_eq!(seen.meeting.unwrap().minutes, 45);
}

#[tokio::test]
async fn scheduling_the_same_candidate_again_moves_the_interview_if_switched() {
    let wecp = Wecp::new().await;
    let interview = id_of(&wecp.create().await);
    wecp.switch(json!({"duplicate": "same_id"})).await;
    let first = wecp.schedule(SCHEDULE, &interview, "ada@example.com").await;
    let body = json!({
        "interviewId": interview,
        "schedules": [{"emailId": "ada@example.com", "interviewDuration": 30,
            "interviewer": ["a@example.com", "b@example.com"], "interviewTime": "2030-03-05T10:00:00Z"}],
    });
    let second = wecp.call(Method::POST, SCHEDULE, Some(body)).await;
    assert_eq!(first.body[0]["_id"], second.body[0]["_id"]);
    assert_eq!(second.body[0]["interviewTime"], "2030-03-05T10:00:00.000Z");
    assert_eq!(
        second.body[0]["interviewer"],
        json!(["a@example.com", "b@example.com"])
    );
    assert_eq!(wecp.scene.player.invitations(0).await.unwrap().next, 1);
    wecp.switch(json!({"duplicate": "conflict"})).await;
    assert_eq!(
        wecp.schedule(SCHEDULE, &interview, "ada@example.com")
            .await
            .status,
        409
    );
}
