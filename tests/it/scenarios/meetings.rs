//! Live interviews through the real host: scheduled once, at the time of the rule or of Eploy, whatever answers are lost.

use jiff::{Timestamp, ToSpan as _, civil::Weekday};
use serde_json::{Value, json};
use stagecall_sandbox::control::{
    ActionView, AnswerType, Asked, Fault, NewAnswer, NewQuestion, ParticipantView, Rule, WecpInfo,
    WecpReviewerAct, WecpSettings,
};
use stagecall_tests::harness::{Customer, Harness, completed, stagecall, until};

/// The `WeCP` account's name.
const ACCOUNT: &str = "acme-wecp";
const ROBIN: &str = "robin.example@example.com";
const SAM: &str = "sam.example@example.com";
/// The date question of applications that every sandbox has.
const DATE: u64 = 307;

/// A customer whose mapping schedules live interviews.
async fn scene(seed: u64, meeting: Value) -> (Harness, Customer, WecpInfo) {
    let (mut harness, acme) = Harness::with_one(seed).await;
    let info = harness.player.wecp(ACCOUNT).await.unwrap();
    harness.tenant("acme")["platforms"]["wecp"] = json!({
        "kind": "wecp",
        "base_url": format!("{}/", info.base_url),
        "secrets": {"api_key": harness.secret("wecp-api-key", &info.api_key)},
        "settings": {"calls_per_second": 100, "user_email": ROBIN, "organisation": info.org},
    });
    let mapping = harness.mapping("acme");
    mapping["assessment"] =
        json!({"platform": "wecp", "create": "interview", "once_per": "vacancy"});
    mapping["meeting"] = meeting;
    mapping["options"] = json!({
        "name": "{vacancy}, live",
        "group": info.groups[0].0,
        "scorecard": [{"question": "Overall", "type_of_question": "star", "required": true}],
    });
    (harness, acme, info)
}

/// The participant of an application that has exactly one, whose join link the action shows.
async fn met(acme: &Customer, id: u64) -> (ParticipantView, ActionView) {
    let action = acme.shows(id, "Invited").await;
    let judged = acme.judged(id).await;
    assert_eq!(judged.invitations.len(), 1, "{judged:#?}");
    let [participant] = judged.participants.as_slice() else {
        panic!("not one participant: {judged:#?}")
    };
    assert!(participant.link.is_some());
    assert_eq!(action.link, participant.link);
    let comments = action.comments_html.clone().unwrap_or_default();
    assert!(comments.contains("Interview: "), "{comments}");
    assert!(comments.contains("Open in WeCP</a>"), "{comments}");
    (participant.clone(), action)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_is_arranged_once_whatever_answers_get_lost() {
    let rule = json!({"working_days": 1, "time": "10:00", "minutes": 45, "interviewers": [ROBIN]});
    let (mut harness, acme, _) = scene(92, rule).await;
    harness
        .faults(vec![
            Rule::next("wecp.interviews.create", 1, Fault::DropAfter),
            Rule::next("wecp.interviews.schedule", 1, Fault::DropAfter),
        ])
        .await;
    let begun = Timestamp::now();
    harness.start_for(&[&acme]).await;
    let first = acme.applicant().await.application;
    acme.enter(&[first]).await;
    let (participant, _) = met(&acme, first).await;
    let meeting = participant.meeting.clone().unwrap();
    let at = meeting.at.to_zoned(jiff::tz::get!("Europe/London"));
    assert_eq!((at.hour(), at.minute(), meeting.minutes), (10, 0, 45));
    assert!(!matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday));
    assert!(meeting.at > begun && meeting.at < begun + (4 * 24).hours());
    assert_eq!(meeting.interviewers, [ROBIN]);
    assert_eq!(participant.metadata["applicationId"], first.to_string());
    assert_eq!(participant.metadata["user_email"], ROBIN);

    // The next one is met in the same interview, the only one that was made.
    harness.no_faults().await;
    let second = acme.applicant().await.application;
    acme.enter(&[second]).await;
    let (other, _) = met(&acme, second).await;
    assert_eq!(other.interview, participant.interview);
    let interviews = harness.player.wecp_interviews(ACCOUNT).await.unwrap();
    assert_eq!(interviews.len(), 1, "{interviews:#?}");
    assert!(
        interviews[0]
            .name
            .starts_with("Support Worker, live [video.")
    );

    // What the interviewer says reaches Eploy.
    let which = [participant.key];
    let held = WecpReviewerAct::Conduct {
        answers: vec![json!(4)],
    };
    harness
        .player
        .wecp_reviewer(ACCOUNT, &which, &held)
        .await
        .unwrap();
    let action = acme.shows(first, "Completed").await;
    assert!(action.comments_html.unwrap().contains("Overall: 4 stars"));
    assert!(completed(&acme.judged(first).await));
    assert_eq!(acme.judged(second).await.participants.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_date_and_the_interviewers_may_stand_in_eploy() {
    let (mut harness, acme, _) = scene(93, json!({})).await;
    let panel = NewQuestion {
        of: Asked::Vacancies,
        title: "Interview panel".to_owned(),
        answer_type: AnswerType::Text,
    };
    let panel = harness.player.question("acme", &panel).await.unwrap();
    harness.mapping("acme")["meeting"] = json!({
        "date_question": DATE.to_string(), "time": "14:30", "minutes": 60,
        "interviewers_question": panel.to_string(),
    });
    // Short enough that the missing date is reported to the recruiter during the test.
    harness.config["timing"]["late_seconds"] = json!(0.1);
    harness.start_for(&[&acme]).await;
    let ids: Vec<u64> = acme
        .apply(3)
        .await
        .iter()
        .map(|one| one.application)
        .collect();
    let [dated, past, undated] = ids[..] else {
        panic!("three applied")
    };
    let answer = async |of, record, question, answer: &str| {
        let new = NewAnswer {
            of,
            record,
            question,
            answer: answer.into(),
        };
        harness.player.answer("acme", &new).await.unwrap();
    };
    answer(Asked::Applications, dated, DATE, "2030-07-15T00:00:00Z").await;
    answer(Asked::Applications, past, DATE, "2020-07-15T00:00:00Z").await;
    answer(
        Asked::Vacancies,
        acme.vacancy,
        panel,
        "robin.example@example.com; sam.example@example.com",
    )
    .await;
    acme.enter(&[dated, past, undated]).await;

    let (participant, action) = met(&acme, dated).await;
    let meeting = participant.meeting.unwrap();
    assert_eq!(meeting.at, "2030-07-15T13:30:00Z".parse().unwrap());
    assert_eq!(meeting.interviewers, [ROBIN, SAM]);
    let comments = action.comments_html.unwrap();
    assert!(comments.contains("15 Jul 2030, 14:30"), "{comments}");

    let text = acme.shows(past, "Not Invited").await.comments_html.unwrap();
    assert!(text.contains("in the past"), "{text}");
    until(
        "the recruiter is told that the date is missing",
        async || {
            let judged = acme.judged(undated).await;
            let text = judged.application.actions.last()?.comments_html.clone()?;
            text.contains("no date for the interview").then_some(())
        },
    )
    .await;
    // As soon as it is set, the interview is scheduled.
    answer(Asked::Applications, undated, DATE, "2030-01-15T00:00:00Z").await;
    let (participant, _) = met(&acme, undated).await;
    let meeting = participant.meeting.unwrap();
    assert_eq!(meeting.at, "2030-01-15T14:30:00Z".parse().unwrap());
    assert_eq!(acme.judged(past).await.participants.len(), 0);
}

/// The doctor's findings about the customer's connections.
fn problems(harness: &Harness) -> Vec<Value> {
    let done = stagecall()
        .args(["doctor", "acme", "--json", "--config"])
        .arg(harness.file("stagecall.toml"))
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    let findings = said["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["verdict"] == "problem")
        .cloned()
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_knows_who_acts_and_does_not_miss_an_interview_that_is_still_to_be_made() {
    let rule = json!({"working_days": 1, "time": "10:00", "minutes": 45, "interviewers": [ROBIN]});
    let (mut harness, acme, _) = scene(96, rule).await;
    harness.start_for(&[&acme]).await;
    assert_eq!(problems(&harness), Vec::<Value>::new());

    // The user who acts leaves the customer.
    let settings = WecpSettings {
        users: Some(vec![SAM.to_owned()]),
        ..WecpSettings::default()
    };
    harness.player.set_wecp(ACCOUNT, &settings).await.unwrap();
    let found = problems(&harness);
    let [problem] = found.as_slice() else {
        panic!("not one problem: {found:#?}")
    };
    let mend = problem["fix"].as_str().unwrap();
    assert!(mend.contains("user_email"), "{problem}");
}
