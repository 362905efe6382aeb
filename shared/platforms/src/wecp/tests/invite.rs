use stagecall_core::error::ErrorScope;

use super::*;
use crate::error::Effect;

fn invitation(wecp: &Wecp) -> (Request, Value) {
    match wecp.invite(&order(), &[]).unwrap() {
        Step::Call(request) => {
            let body = serde_json::from_slice(&request.body).unwrap();
            (request, body)
        }
        Step::Done(_) => panic!("nothing was sent"),
    }
}

fn invited(answer: Response) -> Result<InviteAnswer, PlatformError> {
    match wecp(json!({})).invite(&order(), &[answer])? {
        Step::Done(outcome) => Ok(outcome),
        Step::Call(_) => panic!("one call is enough"),
    }
}

#[test]
fn an_invitation_has_our_ids_and_only_needed_data() {
    let (request, body) = invitation(&wecp(json!({})));
    assert_eq!(request.method, Method::Post);
    assert_eq!(
        request.url.as_str(),
        "https://api.wecreateproblems.com/ats/wecp/tests/t-501/candidates"
    );
    assert_eq!(
        headers(&request),
        BTreeMap::from([
            ("x-api-key", "k3y"),
            ("accept", "application/json"),
            ("content-type", "application/json")
        ])
    );
    assert_eq!(
        body,
        json!({
            "email": "ada@example.com",
            "name": "Ada Example",
            "metadata": {"candidateId": "201", "applicationId": "101", "invitationId": "101.test.1"}
        })
    );
}

#[test]
fn a_partner_calls_with_its_credentials_and_an_acting_user() {
    let secrets = [
        ("api_key", "k3y"),
        ("partner_key", "pk"),
        ("partner_secret", "p:s"),
    ];
    let settings = json!({"user_email": "rae@example.com"});
    let wecp = Wecp::new(account(settings, &secrets)).unwrap();
    let (request, body) = invitation(&wecp);
    // base64 of "pk:p:s"
    assert_eq!(
        headers(&request)["x-wecp-partner-authorization"],
        "cGs6cDpz"
    );
    assert_eq!(headers(&request)["wecp-user-email"], "rae@example.com");
    assert_eq!(body["metadata"]["user_email"], "rae@example.com");
    let read = wecp.list(&TEST.into(), None).unwrap();
    assert_eq!(headers(&read)["x-wecp-partner-authorization"], "cGs6cDpz");

    for (settings, secrets, names) in [
        (json!({}), &secrets[..], "acting user"),
        (
            json!({"user_email": "rae@example.com"}),
            &secrets[..2],
            "partner_secret",
        ),
    ] {
        let fault = Wecp::new(account(settings, secrets)).err().unwrap();
        assert_eq!(
            (fault.effect, fault.scope),
            (Effect::NotSent, ErrorScope::Connection)
        );
        assert!(fault.problem.contains(names), "{}", fault.problem);
    }
}

#[test]
fn the_dialect_is_set_and_not_built_in() {
    let (request, body) = invitation(&wecp(json!({
        "key_header": "Api-Token",
        "invite_path": "v2/invites",
        "invite_body": "list",
        "invite_list_field": "invitees",
        "invite_email_field": "emailId",
        "invite_name_field": "fullName",
        "sender_name": "Acme Hiring",
        "reply_email": "jobs@example.com",
        "subject": "Your test"
    })));
    assert_eq!(
        request.url.as_str(),
        "https://api.wecreateproblems.com/v2/invites"
    );
    assert_eq!(headers(&request)["Api-Token"], "k3y");
    assert_eq!(
        body,
        json!({
            "invitees": [{"emailId": "ada@example.com", "fullName": "Ada Example"}],
            "metadata": {"candidateId": "201", "applicationId": "101", "invitationId": "101.test.1"},
            "senderName": "Acme Hiring",
            "replyEmail": "jobs@example.com",
            "subject": "Your test",
            "testId": TEST
        })
    );
    let (_, body) = invitation(&wecp(json!({"invite_body": "details"})));
    assert_eq!(
        body["candidateDetails"],
        json!({"email": "ada@example.com", "name": "Ada Example"})
    );
    let tests = wecp(json!({"tests_path": "v2/quizzes"}))
        .assessments(None)
        .unwrap();
    assert_eq!(
        tests.url.as_str(),
        "https://api.wecreateproblems.com/v2/quizzes"
    );
}

#[test]
fn a_missing_address_or_an_invalid_test_id_sends_nothing() {
    let mut nobody = order();
    nobody.person.email = Some(" ".to_owned());
    let fault = wecp(json!({})).invite(&nobody, &[]).unwrap_err();
    assert_eq!(fault.code, "candidate.no_email");
    let mut strange = order();
    strange.assessment = "../orgs".into();
    let fault = wecp(json!({})).invite(&strange, &[]).unwrap_err();
    assert_eq!(fault.code, "platform.bad_reference");
}

#[test]
fn the_candidate_is_read_from_every_plausible_answer() {
    for body in [
        json!({"candidateId": CANDIDATE, "id": "x", "link": "https://evil.example/take/1"}),
        json!({"_id": CANDIDATE}),
        json!({"id": CANDIDATE}),
        json!({"candidate": {"_id": CANDIDATE}}),
        json!({"data": {"candidateId": CANDIDATE}}),
        json!([{"candidateId": CANDIDATE, "email": "whoever@example.com"}]),
        json!({"testId": TEST, "candidates": [{"id": CANDIDATE}]}),
        json!({"candidates": [
            {"id": "other", "email": "bo@example.com"},
            {"id": CANDIDATE, "email": "ADA@example.com"}
        ]}),
    ] {
        let created = InviteAnswer::Created {
            reference: CANDIDATE.into(),
            link: None,
        };
        assert_eq!(invited(answer(201, &body)), Ok(created), "{body}");
    }
    let linked = json!({"candidateId": CANDIDATE, "testLink": "https://assess.wecreateproblems.com/tests/take/9"});
    let Ok(InviteAnswer::Created { link, .. }) = invited(answer(200, &linked)) else {
        panic!()
    };
    assert_eq!(
        link.as_deref(),
        Some("https://assess.wecreateproblems.com/tests/take/9")
    );
}

#[test]
fn a_success_without_a_candidate_is_an_unknown_outcome() {
    for answer in [
        text(200, "Invited"),
        answer(200, &json!([])),
        answer(200, &json!({"success": true})),
        answer(200, &json!({"candidates": [{"id": "a"}, {"id": "b"}]})),
        text(200, ""),
    ] {
        assert_eq!(invited(answer).unwrap_err().effect, Effect::Unknown);
    }
}

#[test]
fn an_existing_candidate_is_not_a_failure() {
    let there = |reference: Option<&str>| {
        Ok(InviteAnswer::AlreadyThere {
            reference: reference.map(Reference::from),
        })
    };
    for (answer, outcome) in [
        (text(409, "Conflict"), there(None)),
        (text(400, "Candidate already invited"), there(None)),
        (
            answer(
                422,
                &json!({"errorMessage": "Duplicate candidate", "candidateId": CANDIDATE}),
            ),
            there(Some(CANDIDATE)),
        ),
    ] {
        assert_eq!(invited(answer), outcome);
    }
    for answer in [
        text(400, "Test is already closed"),
        answer(400, &json!({"errorMessage": "email is not valid"})),
        text(500, "already"),
    ] {
        assert!(invited(answer).is_err());
    }
}

#[test]
fn a_refusal_has_its_scope_and_never_quotes() {
    use ErrorScope::{Connection, Record};
    for (answer, code, scope) in [
        (
            text(401, "Invalid API key k3y"),
            "platform.unauthorized",
            Connection,
        ),
        (
            answer(403, &json!({"errorMessage": "rae@example.com may not"})),
            "platform.forbidden",
            Connection,
        ),
        (text(403, "Forbidden"), "platform.forbidden", Connection),
        (
            text(400, "WECP-User-Email rae@example.com is no user"),
            "platform.caller_refused",
            Connection,
        ),
        (
            answer(
                400,
                &json!({"errorMessage": "ada@example.com is no valid email"}),
            ),
            "platform.refused_fields",
            Record,
        ),
        (text(422, "Ada Example: no"), "platform.refused", Record),
        (text(404, "Test not found"), "platform.not_found", Record),
        (
            answer(404, &json!({"errorMessage": "Not found"})),
            "platform.not_found",
            Record,
        ),
        (
            text(404, "Cannot POST /ats/wecp/tests/t-501/candidates"),
            "platform.not_the_api",
            Connection,
        ),
        (
            text(404, "<html>test</html>"),
            "platform.not_the_api",
            Connection,
        ),
        (text(404, ""), "platform.not_the_api", Connection),
        (text(429, "Slow down"), "platform.throttled", Record),
        (text(503, "Down"), "platform.unavailable", Record),
    ] {
        let shown = String::from_utf8_lossy(&answer.body).into_owned();
        let fault = invited(answer).unwrap_err();
        assert_eq!((fault.code, fault.scope), (code, scope), "{shown}");
        for secret in ["k3y", "@", "Ada"] {
            let shown_text = format!("{} {}", fault.problem, fault.remedy);
            assert!(!shown_text.contains(secret), "{shown_text}");
        }
    }
}
