use proptest::prelude::*;
use stagecall_core::error::ErrorScope;
use stagecall_core::ports::ListedStatus;

use super::*;
use crate::error::Effect;
use crate::testing::any_json;

/// A candidate in full, as REFERENCE.md §14 has it.
fn detail() -> Value {
    json!({
        "candidateId": CANDIDATE,
        "candidateDetails": {"Name": "Ada Example", "Email": "ada@example.com", "Github URL": "https://git.example/ada"},
        "quizId": TEST, "retry": 0, "closed": 0, "finished": true, "testFinished": true,
        "testStartTime": "2026-11-20T09:00:00.000Z", "finishTime": "2026-11-20T10:12:30.000Z",
        "testDuration": "01:30:00",
        "score": 70, "maxScore": 80,
        "reportLink": "https://assess.wecreateproblems.com/reports/9",
        "programmingLanguagesUsed": ["Java", "Python"],
        "questionWiseScore": {
            "q1": {"score": 5, "maxScore": 5, "timeSpent": 252_000, "totalAttempts": 1, "type": "answer", "status": true, "versionId": "v"},
            "q2": {"score": 65, "maxScore": 75, "timeSpent": 3_600_000, "totalAttempts": 3, "language": "java", "testcasesPassed": 3},
            "q3": {"score": 0, "maxScore": 0, "timeSpent": 0, "totalAttempts": 0}
        },
        "proctoringData": {"pasteContent": 2, "fullScreenViolation": 0, "multipleFaces": 0, "tabChanged": 4}
    })
}

/// A row of a test's array (§13).
fn row() -> Value {
    json!({
        "candidateId": CANDIDATE,
        "candidateDetails": {"Name": "Ada Example", "Email": "ada@example.com"},
        "percentage": 78, "testFinished": true,
        "testStartTime": "2026-11-20T09:00:00.000Z", "testDuration": "01:30:00"
    })
}

fn with(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value
}

fn fetched(answer: Response) -> Result<AssessmentResult, PlatformError> {
    match wecp(json!({})).result(&TEST.into(), &CANDIDATE.into(), &[answer])? {
        Step::Done(result) => Ok(result),
        Step::Call(_) => panic!("one call is enough"),
    }
}

fn read(body: &Value) -> AssessmentResult {
    fetched(answer(200, body)).unwrap()
}

fn list(answer: &Response) -> Result<Vec<Listed>, PlatformError> {
    let page = wecp(json!({})).read_list(&TEST.into(), answer)?;
    assert_eq!(page.next, None);
    Ok(page.items)
}

fn sighting(row: &Value) -> ListedStatus {
    list(&answer(200, &json!([row]))).unwrap()[0]
        .sighting
        .clone()
}

/// The parts as lines: label, points, remark.
fn lines(result: &AssessmentResult) -> Vec<String> {
    result
        .parts
        .iter()
        .map(|part| {
            let score = part.score.as_ref().map(|score| match score.max {
                Some(max) => format!(": {} of {max}", score.value),
                None => format!(": {}", score.value),
            });
            let remark = part.remark.as_ref().map(|remark| format!(" ({remark})"));
            [Some(part.label.clone()), score, remark]
                .into_iter()
                .flatten()
                .collect()
        })
        .collect()
}

#[test]
fn tests_are_listed_under_whatever_names() {
    let read = |answer: &Response| {
        let page = wecp(json!({})).read_assessments(answer)?;
        Ok::<_, PlatformError>(
            page.items
                .into_iter()
                .map(|test| (test.id.as_str().to_owned(), test.name, test.kind))
                .collect::<Vec<_>>(),
        )
    };
    let rows = json!([
        {"testId": "t1", "testName": "Java"},
        {"quizId": "t2", "name": "Rust"},
        {"id": 3, "title": "Go"},
        {"_id": "t4"},
        {"name": "no id"},
        "nonsense"
    ]);
    let named = |id: &str, name: &str| (id.to_owned(), name.to_owned(), AssessmentKind::Test);
    let expected = [
        named("t1", "Java"),
        named("t2", "Rust"),
        named("3", "Go"),
        named("t4", "t4"),
    ];
    assert_eq!(read(&answer(200, &rows)).unwrap(), expected);
    assert_eq!(
        read(&answer(200, &json!({"tests": rows}))).unwrap(),
        expected
    );
    assert_eq!(read(&text(404, "No test found")).unwrap(), []);
    assert_eq!(
        read(&text(404, "Cannot GET /ats/wecp/tests"))
            .unwrap_err()
            .code,
        "platform.not_the_api"
    );
    assert_eq!(
        read(&answer(200, &json!({"ok": true}))).unwrap_err().effect,
        Effect::Unknown
    );
}

#[test]
fn a_test_without_candidates_is_an_empty_list_and_a_wrong_address_is_not() {
    for none in [
        text(404, "No candidate found"),
        text(404, "no candidates found.\n"),
        answer(404, &json!("No candidate found")),
        answer(404, &json!({"errorMessage": "No candidate found"})),
        answer(200, &json!([])),
    ] {
        assert_eq!(list(&none), Ok(Vec::new()));
    }
    for (wrong, code) in [
        (text(404, "Test not found"), "platform.not_found"),
        (
            text(404, "<html>No candidate found</html>"),
            "platform.not_the_api",
        ),
        (text(404, "Not Found"), "platform.not_the_api"),
        (text(404, ""), "platform.not_the_api"),
        (text(500, "No candidate found"), "platform.unavailable"),
        (answer(200, &json!(null)), "platform.unreadable"),
        (text(200, "No candidate found"), "platform.unreadable"),
    ] {
        assert_eq!(list(&wrong).unwrap_err().code, code);
    }
}

#[test]
fn candidates_are_found_by_our_reference_and_by_any_value_that_is_an_address() {
    let rows = json!([
        {"candidateId": "c1", "candidateDetails": {"Nom": "Ada", "Courriel": " Ada@Example.com ", "Référence": "r@example.com"},
         "metadata": {"candidateId": "201", "user_email": "rae@example.com", "invitationId": "101.test.1"}},
        {"candidateId": "c2", "candidateDetails": [{"label": "E-Mail-Adresse", "value": "bo@example.com"}], "metadata": "{\"invitationId\": \"102.test.1\"}"},
        {"candidateId": "c3", "candidateDetails": {"registrationNumber": "7"}, "email": "cy@example.com"},
        {"candidateId": "c4", "candidateDetails": null, "metadata": {"applicationId": "104"}},
        {"candidateDetails": {"Email": "nobody@example.com"}},
        7
    ]);
    let listed = list(&answer(200, &rows)).unwrap();
    let seen: Vec<_> = listed
        .iter()
        .map(|row| {
            (
                row.found.reference.as_str(),
                row.found.client_ref.as_deref(),
                row.emails.iter().map(String::as_str).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                "c1",
                Some("101.test.1"),
                vec!["Ada@Example.com", "r@example.com"]
            ),
            ("c2", Some("102.test.1"), vec!["bo@example.com"]),
            ("c3", None, vec!["cy@example.com"]),
            ("c4", None, vec![]),
        ]
    );
    assert!(!format!("{listed:?}").contains('@'));
}

#[test]
fn a_finished_candidate_is_read_in_full() {
    let result = read(&detail());
    assert_eq!(result.status, Status::Completed);
    assert_eq!(
        result.started_at,
        Some("2026-11-20T09:00:00Z".parse().unwrap())
    );
    assert_eq!(
        result.completed_at,
        Some("2026-11-20T10:12:30Z".parse().unwrap())
    );
    let score = result.score.as_ref().unwrap();
    assert_eq!(
        (score.value, score.max, score.percent),
        (70.0, Some(80.0), Some(87.5))
    );
    assert_eq!(
        lines(&result),
        [
            "Time taken (1 h 12 min)",
            "Test duration (1 h 30 min)",
            "Programming languages (Java, Python)",
            "Question 1: 5 of 5 (attempts: 1, 4 min 12 s)",
            "Question 2: 65 of 75 (java, test cases passed: 3, attempts: 3, 1 h)",
            "Question 3: 0",
        ]
    );
    assert!(result.integrity.contains(&("Tab changed".to_owned(), 4)));
    assert!(result.integrity.contains(&("Paste content".to_owned(), 2)));
    assert_eq!(
        result.report_link.as_deref(),
        Some("https://assess.wecreateproblems.com/reports/9")
    );
}

#[test]
fn a_duration_is_reported_if_meaningful() {
    let of = |duration: Value| {
        let parts = read(&json!({"testFinished": true, "testDuration": duration})).parts;
        parts.into_iter().find_map(|part| part.remark)
    };
    for (duration, lines) in [
        (json!("01:30:00"), Some("1 h 30 min")),
        (json!("1 hour 30 minutes"), Some("1 h 30 min")),
        (json!("PT45M"), Some("45 min")),
        (json!("an hour"), Some("an hour")),
        (json!("5400000"), None),
        (json!(5400), None),
        (json!("00:00:00"), None),
        (json!("x".repeat(41)), None),
    ] {
        assert_eq!(of(duration.clone()).as_deref(), lines, "{duration}");
    }
}

#[test]
fn proctoring_is_read_wherever_it_is() {
    let mut bare = detail();
    let counts = bare
        .as_object_mut()
        .unwrap()
        .remove("proctoringData")
        .unwrap();
    let expected = read(&detail()).integrity;
    assert_eq!(expected.len(), 4);
    assert_eq!(read(&with(bare.clone(), &counts)).integrity, expected);
    let raw = json!({"raw": {"proctoringData": counts}});
    assert_eq!(read(&with(bare.clone(), &raw)).integrity, expected);
    assert_eq!(read(&bare).integrity, []);
}

#[test]
fn a_score_is_read_from_points_or_a_percentage() {
    let of = |score: Value| {
        let score = read(&with(json!({"testFinished": true}), &score)).score?;
        Some((score.value, score.max, score.percent))
    };
    assert_eq!(
        of(json!({"score": 70, "maxScore": 100})),
        Some((70.0, Some(100.0), Some(70.0)))
    );
    assert_eq!(
        of(json!({"score": 7, "maxScore": 0})),
        Some((7.0, Some(0.0), None))
    );
    assert_eq!(
        of(json!({"score": 7, "maxScore": 9, "percentage": 78})),
        Some((7.0, Some(9.0), Some(78.0)))
    );
    assert_eq!(
        of(json!({"percentage": "78%"})),
        Some((78.0, Some(100.0), Some(78.0)))
    );
    assert_eq!(of(json!({"score": "good"})), None);
}

#[test]
fn an_unfinished_run_has_no_result() {
    let going = with(
        detail(),
        &json!({"testFinished": false, "finished": false, "finishTime": null}),
    );
    let result = read(&going);
    assert_eq!(result.status, Status::Started);
    assert_eq!(
        (result.score, result.report_link, result.completed_at),
        (None, None, None)
    );
    assert_eq!((result.parts, result.integrity), (vec![], vec![]));
    let bare = read(&json!({}));
    assert_eq!(bare, AssessmentResult::bare(CANDIDATE.into(), Status::Sent));
}

#[test]
fn a_re_run_is_a_change_while_running_and_with_the_same_score() {
    let first = read(&detail());
    let going = with(
        detail(),
        &json!({"retry": 1, "testFinished": false, "finished": false}),
    );
    assert_eq!(lines(&read(&going)), ["Re-runs (1, not finished yet)"]);
    let second = read(&with(detail(), &json!({"retry": 1})));
    assert_eq!(second.score, first.score);
    assert_ne!(second.snapshot().digest, first.snapshot().digest);
    assert_eq!(lines(&second)[0], "Re-runs (1)");
}

#[test]
fn a_deleted_candidate_is_cancelled_and_a_wrong_address_cancels_nobody() {
    let gone = AssessmentResult::bare(CANDIDATE.into(), Status::Cancelled);
    for answer in [
        text(404, "No candidate found"),
        text(404, "Candidate not found"),
        answer(404, &json!({"errorMessage": "Not found"})),
        text(410, "This candidate was removed"),
    ] {
        assert_eq!(fetched(answer), Ok(gone.clone()));
    }
    for wrong in [
        text(404, "<html>Candidate not found</html>"),
        text(404, "Cannot GET /ats/wecp/candidates/1"),
        text(404, ""),
        answer(404, &json!({"message": "Not Found"})),
    ] {
        assert_eq!(fetched(wrong).unwrap_err().scope, ErrorScope::Connection);
    }
    assert_eq!(
        fetched(answer(200, &json!([]))).unwrap_err().effect,
        Effect::Unknown
    );
}

#[test]
fn a_report_on_another_host_is_not_shown() {
    for link in [
        "http://assess.wecreateproblems.com/reports/9",
        "https://evilwecreateproblems.com/reports/9",
        "https://rae:x@assess.wecreateproblems.com/reports/9",
        "http://127.0.0.1:4010/reports/9",
        "javascript:alert(1)",
        "reports/9",
    ] {
        let result = read(&with(detail(), &json!({"reportLink": link})));
        assert_eq!(result.report_link, None, "{link}");
    }
    let mut sandbox = account(json!({}), &[("api_key", "k")]);
    sandbox.base = Url::parse("http://127.0.0.1:4010/wecp/acme/").unwrap();
    let sandbox = Wecp::new(sandbox).unwrap();
    let body = with(
        detail(),
        &json!({"reportLink": "http://127.0.0.1:4010/reports/9"}),
    );
    let step = sandbox.result(&TEST.into(), &CANDIDATE.into(), &[answer(200, &body)]);
    let Ok(Step::Done(result)) = step else {
        panic!()
    };
    assert!(result.report_link.is_some());
    let tests = sandbox.assessments(None).unwrap();
    assert_eq!(
        tests.url.as_str(),
        "http://127.0.0.1:4010/wecp/acme/ats/wecp/tests"
    );
}

#[test]
fn a_reference_cannot_lead_to_another_address() {
    for reference in ["", "..", "a/b", "a?b", "a%2fb", "ä"] {
        let step = wecp(json!({})).result(&TEST.into(), &reference.into(), &[]);
        assert_eq!(
            step.unwrap_err().code,
            "platform.bad_reference",
            "{reference}"
        );
        let step = wecp(json!({})).list(&reference.into(), None);
        assert_eq!(
            step.unwrap_err().code,
            "platform.bad_reference",
            "{reference}"
        );
    }
    let step = wecp(json!({})).result(&TEST.into(), &CANDIDATE.into(), &[]);
    let Ok(Step::Call(request)) = step else {
        panic!()
    };
    assert_eq!(
        request.url.path(),
        format!("/ats/wecp/candidates/{CANDIDATE}")
    );
}

#[test]
fn a_change_token_changes_only_with_the_result() {
    let finished = sighting(&row());
    assert_eq!(finished.status, Some(Status::Completed));
    for same in [
        json!({"candidateDetails": {"Name": "Ada Sample"}}),
        json!({"lastSeen": "2026-11-22T09:00:00Z", "__v": 7}),
        json!({"reportLink": "https://evil.example/1"}),
    ] {
        assert_eq!(
            sighting(&with(row(), &same)).change_token,
            finished.change_token,
            "{same}"
        );
    }
    let linked = |query: &str| {
        let link = format!("https://assess.wecreateproblems.com/reports/9?{query}");
        sighting(&with(row(), &json!({"reportLink": link}))).change_token
    };
    assert_eq!(linked("signature=1"), linked("signature=2"));
    for change in [
        json!({"percentage": 80}),
        json!({"testFinished": false}),
        json!({"testStartTime": "2026-11-21T09:00:00.000Z"}),
        json!({"retry": 1}),
        json!({"reportLink": "https://assess.wecreateproblems.com/reports/9"}),
    ] {
        assert_ne!(
            sighting(&with(row(), &change)).change_token,
            finished.change_token,
            "{change}"
        );
    }
    // Progress of a running candidate is not a change.
    let going = with(
        row(),
        &json!({"testFinished": false, "percentage": 10, "testDuration": "00:10:00"}),
    );
    let later = with(
        going.clone(),
        &json!({"percentage": 20, "testDuration": "00:20:00"}),
    );
    assert_eq!(sighting(&going), sighting(&later));
    let waiting = with(
        row(),
        &json!({"testFinished": false, "testStartTime": null, "percentage": null}),
    );
    assert_eq!(sighting(&waiting).status, Some(Status::Sent));
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused(body in any_json(NAMES), status in prop_oneof![Just(200u16), 100u16..600]) {
        let wecp = wecp(json!({}));
        let answer = [answer(status, &body)];
        let _ = wecp.read_assessments(&answer[0]);
        let _ = wecp.read_list(&TEST.into(), &answer[0]);
        let _ = wecp.invite(&order(), &answer);
        if let Ok(Step::Done(result)) = wecp.result(&TEST.into(), &CANDIDATE.into(), &answer) {
            prop_assert_eq!(result.reference, CANDIDATE.into());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>, status in 100u16..600) {
        let wecp = wecp(json!({}));
        let answer = [Response { status, headers: Vec::new(), body }];
        let _ = wecp.read_assessments(&answer[0]);
        let _ = wecp.read_list(&TEST.into(), &answer[0]);
        let _ = wecp.invite(&order(), &answer);
        let _ = wecp.result(&TEST.into(), &CANDIDATE.into(), &answer);
    }

    #[test]
    fn any_row_of_a_list_is_read_or_left_out_and_always_alike(rows in prop::collection::vec(any_json(NAMES), 0..4)) {
        let answer = answer(200, &json!(rows));
        let listed = list(&answer).unwrap();
        prop_assert!(listed.len() <= rows.len());
        prop_assert_eq!(&listed, &list(&answer).unwrap());
    }
}
