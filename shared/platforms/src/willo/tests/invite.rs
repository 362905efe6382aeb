use stagecall_core::person::Person;

use super::*;
use crate::error::Effect;

pub(super) fn order() -> InviteOrder {
    InviteOrder {
        options: serde_json::Map::new(),
        task: stagecall_core::ports::Task::Invite,
        client_ref: "101.video.1".to_owned(),
        assessment: AssessmentId::from(INTERVIEW),
        person: Person {
            first_name: "Ada".to_owned(),
            last_name: "Example".to_owned(),
            email: Some(" ada@example.com".to_owned()),
            phone: Some("07700 900123".to_owned()),
        },
        metadata: BTreeMap::new(),
    }
}

fn invitation(willo: &Willo, order: &InviteOrder) -> (Request, Value) {
    match willo.invite(order, &[]).unwrap() {
        Step::Call(request) => {
            let body = serde_json::from_slice(&request.body).unwrap();
            (request, body)
        }
        Step::Done(_) => panic!("nothing was sent"),
    }
}

fn invited(answer: Response) -> Result<InviteAnswer, PlatformError> {
    match willo(json!({})).invite(&order(), &[answer])? {
        Step::Done(outcome) => Ok(outcome),
        Step::Call(_) => panic!("one call is enough"),
    }
}

#[test]
fn an_invitation_has_the_fields_used_with_the_live_api() {
    let (request, body) = invitation(&willo(json!({})), &order());
    assert_eq!(request.method, Method::Post);
    assert_eq!(
        request.url.as_str(),
        "https://api.willotalent.com/api/integrations/v2/participants/"
    );
    assert!(
        request
            .headers
            .contains(&("authorization".to_owned(), "k3y".to_owned()))
    );
    assert!(
        request
            .headers
            .contains(&("content-type".to_owned(), "application/json".to_owned()))
    );
    assert_eq!(
        body,
        json!({
            "interview": INTERVIEW,
            "name": "Ada Example",
            "first_name": "Ada",
            "last_name": "Example",
            "email": "ada@example.com",
            "phone": "+447700900123",
            "external_id": "101.video.1"
        })
    );
}

#[test]
fn settings_change_the_scheme_the_country_and_who_sends() {
    let settings = json!({"auth_scheme": "bearer", "send_invite": false, "country_code": "33"});
    let mut order = order();
    order.person.phone = Some("06 39 98 00 01".to_owned());
    let (request, body) = invitation(&willo(settings), &order);
    assert!(
        request
            .headers
            .contains(&("authorization".to_owned(), "Bearer k3y".to_owned()))
    );
    assert_eq!(body["send_invite"], false);
    assert_eq!(body["phone"], "+33639980001");
}

#[test]
fn missing_data_of_eploy_is_left_out_except_the_name() {
    let mut order = order();
    order.person.first_name.clear();
    order.person.last_name.clear();
    order.person.phone = Some("ask".to_owned());
    let (_, body) = invitation(&willo(json!({})), &order);
    assert_eq!(
        body,
        json!({"interview": INTERVIEW, "name": "ada", "email": "ada@example.com", "external_id": "101.video.1"})
    );
    order.person.email = Some(" ".to_owned());
    let fault = willo(json!({})).invite(&order, &[]).unwrap_err();
    assert_eq!(
        (fault.effect, fault.code),
        (Effect::Refused, "candidate.no_email")
    );
}

#[test]
fn the_participant_is_read_from_every_plausible_answer() {
    for body in [
        json!({"key": KEY, "id": 7, "participant": {"key": "other"}}),
        json!({"id": KEY, "interview": {"key": INTERVIEW}}),
        json!({"participant": {"key": KEY}}),
        json!({"data": {"key": KEY, "link": "https://app.willotalent.com/about"}}),
        json!({"participantKey": KEY}),
    ] {
        let created = InviteAnswer::Created {
            reference: KEY.into(),
            link: None,
        };
        assert_eq!(invited(answer(201, &body)), Ok(created), "{body}");
    }
    let linked =
        json!({"key": KEY, "links": [{"href": "https://app.willotalent.com/invite/AbCd12/"}]});
    let Ok(InviteAnswer::Created { link, .. }) = invited(answer(201, &linked)) else {
        panic!()
    };
    assert_eq!(
        link.as_deref(),
        Some("https://app.willotalent.com/invite/AbCd12/")
    );
}

#[test]
fn a_second_invitation_is_understood_however_it_is_answered() {
    let there = |reference: Option<&str>| {
        Ok(InviteAnswer::AlreadyThere {
            reference: reference.map(Reference::from),
        })
    };
    for (status, body, outcome) in [
        (409, json!({"detail": "Conflict."}), there(None)),
        (409, json!({"key": KEY}), there(Some(KEY))),
        (409, json!({"participant": {"key": KEY}}), there(Some(KEY))),
        (
            400,
            json!({"non_field_errors": ["This participant was already invited."]}),
            there(None),
        ),
        (
            400,
            json!({"non_field_errors": ["The fields interview, email must make a unique set."]}),
            there(None),
        ),
        (
            400,
            json!({"email": ["participant with this email already exists."]}),
            there(None),
        ),
        (
            400,
            json!({"email": "Already invited", "participant": {"key": KEY}}),
            there(Some(KEY)),
        ),
    ] {
        assert_eq!(invited(answer(status, &body)), outcome, "{body}");
    }
    for body in [
        json!({"email": ["Enter a valid email address."]}),
        json!({"name": ["already"]}),
        json!({"non_field_errors": ["This interview is already closed."]}),
        json!({"interview": ["Invalid pk \"1\" - object does not exist."]}),
    ] {
        assert_eq!(
            invited(answer(400, &body)).unwrap_err().effect,
            Effect::Refused,
            "{body}"
        );
    }
}

#[test]
fn a_refusal_names_fields_and_never_quotes_what_was_sent() {
    let fault = invited(answer(
        400,
        &json!({
            "email": ["ada@example.com is not deliverable."],
            "phone": ["+447700900123 is wrong."],
            "ada@example.com": ["?"],
            "detail": "ada@example.com"
        }),
    ))
    .unwrap_err();
    assert_eq!(fault.problem, "Willo does not accept: email, phone");
    assert_eq!(fault.code, "platform.refused_fields");
    assert_eq!(
        fault.remedy,
        "Check the candidate's e-mail address in Eploy."
    );
    for status in [400, 401, 403, 404, 422, 429] {
        let body = json!({"detail": "Because of Ada."});
        let fault = invited(answer(status, &body)).unwrap_err();
        assert!(!fault.problem.contains("Ada"), "{status}: {fault:?}");
        assert!(!fault.remedy.contains("Ada"), "{status}: {fault:?}");
    }
}
