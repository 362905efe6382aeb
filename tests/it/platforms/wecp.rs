//! `WeCP` on the sandbox, and its dialects: what the reference leaves open, as a quirk of the sandbox and a setting of the
//! driver.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use stagecall_core::clock::Deadline;
use stagecall_core::error::{ErrorScope, Phase};
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::ports::InviteAnswer;
use stagecall_core::result::Status;
use stagecall_platforms::kind;
use stagecall_sandbox::control::{
    ByHand, CandidateAct, NewTest, SandboxClient, WecpInfo, WecpReviewerAct,
};

use super::fixture::PlatformFixture;
use super::{ACCOUNT, Scene, client_ref, email, open, person};

/// An account.
pub struct Wecp {
    player: SandboxClient,
    info: WecpInfo,
}

impl Wecp {
    /// The account, created. It shows a candidate's status in words, without which a bounce is invisible.
    pub async fn new(player: SandboxClient) -> Self {
        let words = json!({"status_text": true});
        let info = player.switch_wecp(ACCOUNT, words).await;
        let info = info.unwrap();
        Self { player, info }
    }
}

#[async_trait(?Send)]
impl PlatformFixture for Wecp {
    fn base_url(&self) -> String {
        format!("{}/", self.info.base_url)
    }

    fn settings(&self) -> Value {
        json!({"user_email": self.info.users[0].0, "organisation": self.info.org})
    }

    fn secrets(&self) -> BTreeMap<String, SecretString> {
        [
            ("api_key", &self.info.api_key),
            ("partner_key", &self.info.partner_key),
            ("partner_secret", &self.info.partner_secret),
        ]
        .map(|(name, secret)| (name.to_owned(), secret.as_str().into()))
        .into()
    }

    fn invites(&self) -> &'static str {
        "wecp.candidates.create"
    }

    fn lists(&self) -> &'static str {
        "wecp.candidates.list"
    }

    fn reads(&self) -> &'static str {
        "wecp.candidates.get"
    }

    async fn assessment(&self, title: &str) -> AssessmentId {
        let new = NewTest {
            name: title.to_owned(),
            questions: Vec::new(),
        };
        AssessmentId::new(self.player.wecp_test(ACCOUNT, &new).await.unwrap())
    }

    async fn by_hand(&self, assessment: &AssessmentId, email: &str) -> Reference {
        let guest = ByHand {
            interview: assessment.to_string(),
            name: "Ada Example".to_owned(),
            email: email.to_owned(),
        };
        let id = self.player.wecp_invite_by_hand(ACCOUNT, &guest).await;
        Reference::new(id.unwrap())
    }

    async fn invitations(&self, email: &str) -> usize {
        let all = self.player.wecp_participants(ACCOUNT, Some(email)).await;
        all.unwrap().len()
    }

    async fn bring_to(&self, invitation: &Reference, status: Status) -> bool {
        let which = [invitation.to_string()];
        let act = match status {
            Status::Sent => return true,
            Status::Bounced => CandidateAct::Bounce,
            Status::Started => CandidateAct::Start,
            Status::Completed => CandidateAct::Answer,
            Status::Expired => CandidateAct::Expire,
            Status::Cancelled => {
                let remove = WecpReviewerAct::Remove;
                let removed = self.player.wecp_reviewer(ACCOUNT, &which, &remove);
                return removed.await.is_ok();
            }
            _ => return false,
        };
        let done = self.player.wecp_candidate(ACCOUNT, &which, act).await;
        done.unwrap();
        true
    }

    async fn score_again(&self, invitation: &Reference) {
        let all = self.player.wecp_participants(ACCOUNT, None).await.unwrap();
        let one = all.iter().find(|one| one.key == invitation.as_str());
        let (question, points, _) = one.unwrap().scores[0].clone();
        let act = WecpReviewerAct::Rescore {
            question,
            score: if points > 4.0 { 4 } else { 5 },
        };
        let which = [invitation.to_string()];
        let done = self.player.wecp_reviewer(ACCOUNT, &which, &act).await;
        done.unwrap();
    }

    fn duplicates(&self) -> Vec<Value> {
        let mut all = vec![json!({"duplicate": "conflict", "error_body": "error_message"})];
        all.extend(
            [
                "same_id",
                "same_id_sent_again",
                "new_id",
                "bad_request",
                "conflict",
            ]
            .map(|how| json!({"duplicate": how, "error_body": "text"})),
        );
        all
    }

    fn refusals(&self) -> Vec<Value> {
        [(401, "json"), (401, "text"), (403, "json"), (403, "text")]
            .map(|(status, body)| json!({"key_refused": status, "key_refused_body": body}))
            .to_vec()
    }

    fn makes_interviews(&self) -> Option<(Value, AssessmentId)> {
        let scorecard = json!([{"question": "Overall", "type_of_question": "star"}]);
        let group = &self.info.groups[0].0;
        let options = json!({"group": group, "record": true, "scorecard": scorecard});
        Some((options, "interview".into()))
    }

    fn makes(&self) -> &'static str {
        "wecp.interviews.create"
    }

    fn arranges(&self) -> &'static str {
        "wecp.interviews.schedule"
    }

    fn lists_met(&self) -> &'static str {
        "wecp.interviews.candidates"
    }

    async fn met(&self, invitation: &Reference) -> Option<(Timestamp, u32, Vec<String>, bool)> {
        let all = self.player.wecp_participants(ACCOUNT, None).await.unwrap();
        let one = all.iter().find(|one| one.key == invitation.as_str())?;
        let meeting = one.meeting.clone()?;
        let sent = self.player.invitations(0).await.unwrap();
        let mailed = sent
            .records
            .iter()
            .any(|record| record.participant == one.key && record.mailed);
        Some((meeting.at, meeting.minutes, meeting.interviewers, mailed))
    }

    async fn interviews(&self) -> Vec<AssessmentId> {
        let all = self.player.wecp_interviews(ACCOUNT).await.unwrap();
        all.iter()
            .map(|one| AssessmentId::new(format!("interview:{}", one.id)))
            .collect()
    }

    async fn pools(&self) -> Vec<AssessmentId> {
        let group = &self.info.groups[1].0;
        vec![
            self.assessment("Everybody").await,
            AssessmentId::new(format!("group:{group}")),
        ]
    }

    async fn tags(&self, place: &Reference) -> Vec<String> {
        let all = self.player.wecp_participants(ACCOUNT, None).await.unwrap();
        let one = all.iter().find(|one| one.key == place.as_str()).unwrap();
        let tags = one.metadata["tags"].as_array().unwrap();
        tags.iter()
            .map(|tag| tag.as_str().unwrap().to_owned())
            .collect()
    }

    async fn switch(&self, quirks: Value) {
        self.player.switch_wecp(ACCOUNT, quirks).await.unwrap();
    }
}

/// `WeCP` with these quirks, called with these settings, and the account's secrets of these names.
async fn scene(quirks: Value, settings: Value, secrets: &[&str]) -> Scene {
    let mut scene = Scene::new(kind("wecp").unwrap()).await;
    scene.stand.switch(quirks).await;
    let mut given = scene.stand.secrets();
    given.retain(|name, _| secrets.contains(&name.as_str()));
    let base_url = scene.stand.base_url();
    scene.platform = open(scene.kind, &base_url, settings, given).await;
    scene
}

const KEY: [&str; 1] = ["api_key"];

/// From the list of tests to the result of a candidate who was looked up.
async fn whole_way(quirks: Value, settings: Value) {
    let shown = format!("{quirks}, {settings}");
    let scene = scene(quirks, settings, &KEY).await;
    let tests = scene.platform.assessments().await.unwrap();
    let care = tests.iter().find(|test| test.name == "Care basics");
    assert_eq!(care.unwrap().id, scene.first, "{shown}");
    assert_eq!(scene.list().await, [], "{shown}");

    let answer = scene.platform.invite(&scene.order(1)).await;
    let invited = match answer {
        Ok(InviteAnswer::Created { reference, .. }) => Some(reference),
        Ok(there @ InviteAnswer::AlreadyThere { .. }) => panic!("{shown}: {there:?}"),
        Err(error) => {
            assert_eq!(error.phase, Phase::Unknown, "{shown}: {error}");
            None
        }
    };
    let found = scene.find(1).await;
    assert_eq!(found.len(), 1, "{shown}");
    let reference = &found[0].reference;
    assert!(
        invited.is_none_or(|invited| invited == *reference),
        "{shown}"
    );

    assert!(scene.stand.bring_to(reference, Status::Completed).await);
    assert_eq!(scene.list().await[0].status, Some(Status::Completed));
    let result = scene
        .platform
        .result(&scene.first, reference)
        .await
        .unwrap();
    assert_eq!(result.status, Status::Completed, "{shown}");
    assert!(result.score.unwrap().percent.is_some(), "{shown}");
    assert!(!result.parts.is_empty(), "{shown}");
    scene.stand.bring_to(reference, Status::Cancelled).await;
    let gone = scene.platform.result(&scene.first, reference).await;
    assert_eq!(gone.unwrap().status, Status::Cancelled, "{shown}");
    scene.done().await;
}

#[tokio::test]
async fn what_is_read_tolerantly_needs_no_setting() {
    for quirks in [
        json!({}),
        json!({"tests_in": "tests", "test_id_field": "quizId", "test_name_field": "testName"}),
        json!({"test_id_field": "id", "not_known": "null", "empty_list": "array"}),
        json!({"not_known": "zero", "test_duration": "seconds"}),
        json!({"invite_answer": "list", "metadata": "echoed", "invite_link": false}),
        json!({"invite_answer": "message", "metadata": "detail"}),
        json!({"error_body": "error_message", "proctoring": "raw"}),
        json!({"error_body": "json_string", "proctoring": "none", "status_text": false}),
        json!({"form_labels": "hindi", "test_duration": "words"}),
        json!({"form_labels": "german", "test_duration": "minutes"}),
        json!({"form_labels": "second_address", "test_duration": "milliseconds_text"}),
        json!({"form_labels": "none", "metadata": "echoed"}),
    ] {
        whole_way(quirks, json!({})).await;
    }
}

#[tokio::test]
async fn zeros_without_a_start_are_no_score() {
    for not_known in ["left_out", "null", "zero"] {
        let scene = Scene::new(kind("wecp").unwrap()).await;
        scene.stand.switch(json!({"not_known": not_known})).await;
        let reference = scene.invited(1).await;
        let read = async || scene.platform.result(&scene.first, &reference).await;
        let waiting = read().await.unwrap();
        assert_eq!((waiting.status, waiting.score), (Status::Sent, None));
        scene.stand.bring_to(&reference, Status::Expired).await;
        let expired = read().await.unwrap();
        assert_eq!((expired.status, expired.score), (Status::Expired, None));
        assert_eq!(expired.report_link, None, "{not_known}");
        scene.done().await;
    }
}

#[tokio::test]
async fn unknown_behaviour_is_a_setting() {
    for (quirks, settings) in [
        (
            json!({"tests_path": "v2/quizzes"}),
            json!({"tests_path": "v2/quizzes"}),
        ),
        (
            json!({"invite_path": "v2/tests/{test}/invite"}),
            json!({"invite_path": "v2/tests/{test}/invite"}),
        ),
        (
            json!({"invite_path": "v2/invite"}),
            json!({"invite_path": "v2/invite"}),
        ),
        (
            json!({"invite_body": "list", "invite_list_field": "invitees", "invite_email_field": "emailId"}),
            json!({"invite_body": "list", "invite_list_field": "invitees", "invite_email_field": "emailId"}),
        ),
        (
            json!({"invite_body": "details", "invite_name_field": "fullName"}),
            json!({"invite_body": "details", "invite_name_field": "fullName"}),
        ),
    ] {
        whole_way(quirks, settings).await;
    }
}

#[tokio::test]
async fn a_wrong_setting_concerns_the_connection() {
    let scene = scene(
        json!({"tests_path": "v2/quizzes", "invite_path": "v2/invite"}),
        json!({}),
        &KEY,
    )
    .await;
    let tests = scene.platform.assessments().await.unwrap_err();
    let invite = scene.platform.invite(&scene.order(1)).await.unwrap_err();
    for (error, setting) in [(tests, "tests_path"), (invite, "invite_path")] {
        assert_eq!(
            (error.phase, error.scope),
            (Phase::Refused, ErrorScope::Connection)
        );
        assert!(error.remedy.contains(setting), "{error}");
    }
    scene.done().await;
}

/// A candidate whom the list cannot show does not count as absent.
#[tokio::test]
async fn a_list_without_addresses_proves_nothing() {
    for (quirks, settings) in [
        (json!({"form_labels": "none"}), json!({})),
        (json!({"form_labels": "no_address"}), json!({})),
        (
            json!({"list_unfinished": false}),
            json!({"lists_unfinished": false}),
        ),
    ] {
        let shown = quirks.to_string();
        let scene = scene(quirks, settings, &KEY).await;
        scene.invited(1).await;
        let (person, reference) = (person(1), client_ref(1));
        let found = scene
            .platform
            .find(&scene.first, &person, &reference, None, Deadline::NONE)
            .await;
        assert_eq!(found.unwrap_err().phase, Phase::Unknown, "{shown}");
        scene.done().await;
    }
}

#[tokio::test]
async fn a_partner_is_let_in_with_everything_and_with_nothing_less() {
    let strict =
        json!({"partner": "required", "acting_user": "required", "requires_metadata": true});
    let all = ["api_key", "partner_key", "partner_secret"];
    let scene = scene(strict, json!({"user_email": "nobody@example.com"}), &all).await;
    let error = scene.platform.invite(&scene.order(1)).await.unwrap_err();
    assert_eq!(
        (error.phase, error.scope),
        (Phase::Refused, ErrorScope::Connection)
    );
    assert!(error.remedy.contains("user_email") && !error.to_string().contains('@'));

    let base_url = scene.stand.base_url();
    let user = scene.stand.settings();
    let mut keyless = scene.stand.secrets();
    keyless.retain(|name, _| name == "api_key");
    let platform = open(scene.kind, &base_url, user.clone(), keyless).await;
    let error = platform.assessments().await.unwrap_err();
    assert_eq!(error.scope, ErrorScope::Connection);

    let platform = open(scene.kind, &base_url, user.clone(), scene.stand.secrets()).await;
    platform.invite(&scene.order(1)).await.unwrap();
    let player = scene.sandbox.player();
    let all = player.wecp_participants(ACCOUNT, Some(&email(1))).await;
    let metadata = &all.unwrap()[0].metadata;
    assert_eq!(
        *metadata,
        json!({
            "candidateId": "21",
            "applicationId": "11",
            "invitationId": client_ref(1),
            "user_email": user["user_email"],
        })
    );
    scene.done().await;
}

#[tokio::test]
async fn a_personal_token_takes_the_place_of_the_key() {
    let scene = scene(json!({}), json!({}), &KEY).await;
    let info = scene.sandbox.player().wecp(ACCOUNT).await.unwrap();
    let (user, token) = info.users[0].clone();
    let secrets = BTreeMap::from([("api_key".to_owned(), token.into())]);
    let settings = json!({"user_email": user});
    let platform = open(scene.kind, &scene.stand.base_url(), settings, secrets).await;
    platform.invite(&scene.order(1)).await.unwrap();
    scene.done().await;
}

#[tokio::test]
async fn a_re_run_is_another_finding() {
    let scene = scene(json!({}), json!({}), &KEY).await;
    let reference = scene.invited(1).await;
    scene.stand.bring_to(&reference, Status::Completed).await;
    let first = scene.platform.result(&scene.first, &reference).await;
    let which = [reference.to_string()];
    let player = scene.sandbox.player();
    let rerun = player.wecp_reviewer(ACCOUNT, &which, &WecpReviewerAct::Rerun);
    rerun.await.unwrap();
    let second = scene.platform.result(&scene.first, &reference).await;
    assert_ne!(first.unwrap().snapshot(), second.unwrap().snapshot());
    scene.done().await;
}
