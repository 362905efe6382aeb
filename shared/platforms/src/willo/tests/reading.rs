use proptest::prelude::*;
use stagecall_core::error::ErrorScope;

use super::*;
use crate::error::Effect;
use crate::testing::any_json;

fn read(body: &Value) -> AssessmentResult {
    match willo(json!({})).result(&INTERVIEW.into(), &KEY.into(), &[answer(200, body)]) {
        Ok(Step::Done(result)) => result,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_or_foreign_body_is_not_a_list() {
    let willo = willo(json!({}));
    for body in [
        json!({}),
        json!("x"),
        json!({"results": null}),
        json!({"results": [], "next": 3}),
    ] {
        let fault = willo.read_assessments(&answer(200, &body)).unwrap_err();
        assert_eq!(fault.effect, Effect::Unknown, "{body}");
    }
    let html = Response {
        status: 404,
        headers: Vec::new(),
        body: b"<html>".to_vec(),
    };
    let fault = willo.read_assessments(&html).unwrap_err();
    assert_eq!(
        (fault.code, fault.scope),
        ("platform.not_the_api", ErrorScope::Connection)
    );
    let bare = willo.read_assessments(&answer(200, &json!([{"key": KEY, "title": "Sales"}])));
    assert_eq!(bare.unwrap().items[0].name, "Sales");
}

#[test]
fn an_http_link_of_a_server_behind_a_proxy_becomes_https() {
    let next = "http://api.willotalent.com/api/integrations/v2/interviews/?page=2";
    let request = willo(json!({})).assessments(Some(next)).unwrap();
    assert_eq!(request.url.as_str(), next.replace("http:", "https:"));
    let request = willo(json!({}))
        .assessments(Some("interviews/?page=2"))
        .unwrap();
    assert_eq!(request.url.as_str(), next.replace("http:", "https:"));
}

#[test]
fn a_reference_cannot_lead_to_another_address() {
    for reference in ["", "../interviews", "a/b", "a?b", "a%2fb", "ä"] {
        let step = willo(json!({})).result(&INTERVIEW.into(), &reference.into(), &[]);
        assert_eq!(
            step.unwrap_err().code,
            "platform.bad_reference",
            "{reference}"
        );
    }
    let step = willo(json!({}))
        .result(&INTERVIEW.into(), &KEY.into(), &[])
        .unwrap();
    let Step::Call(request) = step else { panic!() };
    assert!(
        request
            .url
            .as_str()
            .ends_with(&format!("/v2/participants/{KEY}/"))
    );
}

#[test]
fn a_deleted_participant_is_cancelled() {
    let willo = willo(json!({}));
    let read = |body: &[u8]| {
        let gone = Response {
            status: 404,
            headers: Vec::new(),
            body: body.to_vec(),
        };
        willo.result(&INTERVIEW.into(), &KEY.into(), &[gone])
    };
    let bare = AssessmentResult::bare(KEY.into(), Status::Cancelled);
    assert_eq!(read(b"{\"detail\": \"Not found.\"}"), Ok(Step::Done(bare)));
    // Neither a wrong address nor a proxy may cancel participants.
    for other in [
        "<html>nginx</html>",
        "",
        " ",
        r#"{"message": "no route"}"#,
        "{}",
    ] {
        let fault = read(other.as_bytes()).unwrap_err();
        assert_eq!(fault.scope, ErrorScope::Connection, "{other}");
    }
}

#[test]
fn a_full_participant_is_read() {
    let result = read(&json!({
        "key": KEY,
        "interview": {"key": INTERVIEW, "title": "Sales"},
        "external_id": "101.video.1",
        "status": "completed",
        "stage": {"key": "0f", "name": "Accepted"},
        "started_at": "2026-11-22T08:00:00Z",
        "completed_at": "2026-11-22T09:00:00Z",
        "score": 4.5,
        "scorecard": {"score": 9, "items": [{"name": "Clarity", "score": 4, "max": 5}, {"label": "Fit", "value": "Strong"}]},
        "ratings": [{"user": {"full_name": "Rae Viewer", "email": "rae@example.com"}, "rating": 4, "max": 5}],
        "comments": [{"author": "Rae Viewer", "comment": "Good <b>answers</b>"}, "Agreed", {"by": "rae@example.com", "text": "Yes"}],
        "responses": [
            {"question": {"key": "1", "text": "Why us?"}, "transcript": "Because.", "score": 3, "media_url": "https://cdn.example/1.mp4?sig=1"},
            {"question": "And you?", "transcript": [{"text": "I am"}, {"text": "Ada."}]},
            {"question": "Licence?", "answer": "Yes", "type": "multiple_choice"},
            {"question": "Show", "answer": "https://cdn.example/2.mp4"}
        ],
        "ai_summary": {"text": "A clear speaker."},
        "share_link": "https://app.willotalent.com/show/AbCd12/",
        "created": "2026-11-20T09:00:00Z"
    }));
    assert_eq!(result.status, Status::Completed);
    assert_eq!(result.assessment, Some(INTERVIEW.into()));
    assert_eq!(result.client_ref.as_deref(), Some("101.video.1"));
    assert_eq!(result.stage.as_deref(), Some("Accepted"));
    assert_eq!(
        result.completed_at,
        Some("2026-11-22T09:00:00Z".parse().unwrap())
    );
    assert_eq!(result.score.as_ref().map(|score| score.value), Some(4.5));
    let parts: Vec<_> = result
        .parts
        .iter()
        .map(|part| {
            (
                part.label.as_str(),
                part.score.as_ref().map(|score| score.value),
                part.remark.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        parts,
        [
            ("Clarity", Some(4.0), None),
            ("Fit", None, Some("Strong")),
            ("Why us?", Some(3.0), None)
        ]
    );
    assert_eq!(result.parts[0].score.as_ref().unwrap().percent, Some(80.0));
    assert_eq!(result.ratings[0].by.as_deref(), Some("Rae Viewer"));
    assert_eq!(result.ratings[0].value, "4 of 5");
    let comments: Vec<_> = result
        .comments
        .iter()
        .map(|c| (c.by.as_deref(), c.text.as_str()))
        .collect();
    assert_eq!(
        comments,
        [
            (Some("Rae Viewer"), "Good <b>answers</b>"),
            (None, "Agreed"),
            (None, "Yes")
        ]
    );
    assert_eq!(
        result.transcript.as_deref(),
        Some("Why us?\nBecause.\n\nAnd you?\nI am Ada.\n\nLicence?\nYes")
    );
    assert_eq!(result.summary.as_deref(), Some("A clear speaker."));
    assert_eq!(
        result.report_link.as_deref(),
        Some("https://app.willotalent.com/show/AbCd12/")
    );
}

#[test]
fn a_bare_or_strange_participant_is_read_too() {
    let sent = AssessmentResult::bare(KEY.into(), Status::Sent);
    for body in [
        json!({"key": KEY}),
        json!({}),
        json!({"status": null, "scores": "none", "responses": {}, "score": []}),
    ] {
        assert_eq!(read(&body), sent, "{body}");
    }
    let sparkling = read(&json!({"key": KEY, "status": "Sparkling"}));
    assert_eq!(
        (sparkling.status, sparkling.stage.as_deref()),
        (Status::Sent, Some("Sparkling"))
    );
    let wrapped = read(&json!({"data": {"key": KEY, "stage": "Rejected"}}));
    assert_eq!(
        (wrapped.status, wrapped.stage.as_deref()),
        (Status::Completed, Some("Rejected"))
    );
    let scored = read(&json!({"key": KEY, "scorecard": {"score": 9, "max": 10}}));
    assert_eq!(scored.score.unwrap().percent, Some(90.0));
}

fn sighting(row: &Value) -> stagecall_core::ports::ListedStatus {
    let body = json!({"results": [row]});
    let page = willo(json!({}))
        .read_list(&INTERVIEW.into(), &answer(200, &body))
        .unwrap();
    page.items[0].sighting.clone()
}

#[test]
fn a_change_token_changes_only_with_the_result() {
    let row = json!({
        "key": KEY, "status": "completed", "stage": {"name": "New"}, "name": "Ada Example",
        "email": "ada@example.com", "comments_count": 1, "score": null,
        "video": "https://cdn.example/a/1.mp4?Expires=1&Signature=a",
        "share_url": "https://app.willotalent.com/show/AbCd12/?t=1"
    });
    let before = sighting(&row).change_token;
    for (name, value) in [
        ("video", json!("https://other.example/b/2.mp4?Expires=2")),
        (
            "share_url",
            json!("https://app.willotalent.com/show/AbCd12/?t=2"),
        ),
        ("name", json!("Ada Sample")),
        ("email", json!("new@example.com")),
    ] {
        let mut same = row.clone();
        same[name] = value;
        assert_eq!(sighting(&same).change_token, before, "{name}");
    }
    for (name, value) in [
        ("stage", json!({"name": "Accepted"})),
        ("comments_count", json!(2)),
        ("score", json!(4)),
        ("status", json!("rejected")),
        (
            "share_url",
            json!("https://app.willotalent.com/show/Other1/"),
        ),
        ("scores", json!([{"name": "Clarity", "score": 1}])),
    ] {
        let mut changed = row.clone();
        changed[name] = value;
        assert_ne!(sighting(&changed).change_token, before, "{name}");
    }
}

#[test]
fn a_list_has_the_statuses_of_its_own_interview() {
    const OTHER: &str = "00000000000000000000000000000002";
    assert_eq!(
        sighting(&json!({"key": KEY, "status": "bounced"})).status,
        Some(Status::Bounced)
    );
    assert_eq!(sighting(&json!({"key": KEY})).status, None);
    let body = json!({"results": [
        {"key": KEY, "interview": INTERVIEW},
        {"key": "b", "interview": {"key": INTERVIEW}},
        {"key": "c", "interview": {"key": OTHER}},
        {"key": "d", "interview": OTHER},
        {"key": "e", "interview": "Sales", "interview_key": OTHER},
        {"key": "f", "interview": "Sales", "interview_key": INTERVIEW},
        {"key": "g", "interview": {"id": 4711, "title": "Sales"}},
        {"key": "h", "interview": "Sales"},
        {"key": "i", "interview": "FEDCBA98-7654-3210-FEDC-BA9876543210"},
        {"email": "no-key@example.com"},
        "nonsense"
    ]});
    let page = willo(json!({}))
        .read_list(&INTERVIEW.into(), &answer(200, &body))
        .unwrap();
    let keys: Vec<_> = page
        .items
        .iter()
        .map(|row| row.found.reference.as_str())
        .collect();
    assert_eq!(keys, [KEY, "b", "f", "g", "h", "i"]);
    assert_eq!(page.foreign, 3);
    assert!(!format!("{:?}", page.items).contains('@'));
}

#[test]
fn following_every_interview_names_none() {
    let address = stagecall_core::ports::CallbackAddress {
        public_url: Url::parse("https://hooks.example.com/").unwrap(),
        path: "callbacks/acme/willo/".to_owned(),
        token: stagecall_core::ports::CallbackToken("t".to_owned().into()),
    };
    let plan = |settings, interviews: &[AssessmentId]| {
        willo(settings).plan(&[], &address, interviews).unwrap()
    };
    assert_eq!(plan(json!({}), &[]).writes.len(), 0);
    let plan = plan(json!({"follow_all_interviews": true}), &[]);
    assert_eq!(plan.writes.len(), 4);
    let body: Value = serde_json::from_slice(&plan.writes[0].request.body).unwrap();
    assert_eq!(body["follow_all_interviews"], true);
    assert_eq!(body["interviews"], json!([]));
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused(body in any_json(NAMES), status in prop_oneof![Just(200u16), 100u16..600]) {
        let willo = willo(json!({}));
        let answer = [answer(status, &body)];
        let _ = willo.read_assessments(&answer[0]);
        let _ = willo.read_registered(&answer[0]);
        let _ = willo.read_list(&INTERVIEW.into(), &answer[0]);
        let order = invite::order();
        let _ = willo.invite(&order, &answer);
        if let Ok(Step::Done(result)) = willo.result(&INTERVIEW.into(), &KEY.into(), &answer) {
            prop_assert_eq!(result.reference, KEY.into());
        }
    }

    #[test]
    fn any_row_of_a_list_is_read_or_left_out(rows in prop::collection::vec(any_json(NAMES), 0..4)) {
        let count = rows.len();
        let page = willo(json!({})).read_list(&INTERVIEW.into(), &answer(200, &json!({"results": rows})));
        prop_assert!(page.unwrap().items.len() <= count);
    }
}
