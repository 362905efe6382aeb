//! What the platforms answer, up to what a recruiter reads of it.

use serde_json::json;
use stagecall_core::clock::Deadline;
use stagecall_core::error::CallError;
use stagecall_core::ids::Reference;
use stagecall_core::person::Person;
use stagecall_core::ports::{
    CallbackAddress, CallbackToken, InviteAnswer, InviteOrder, PlatformConnections as _, Task,
};
use stagecall_core::report::Moment;
use stagecall_core::tenant::Settings;
use stagecall_platforms::kind;
use url::Url;

use crate::outside::{Outside, fair, silent, tenant};
use crate::run::{Target, block};
use crate::templates::{is_safe, written};

/// Willo's answers.
pub const WILLO: Target = Target {
    name: "willo-answers",
    samples: &[
        r#"{"key": "0123456789abcdef0123456789abcdef", "interview": "fedcba9876543210fedcba9876543210", "name": "Ada Example", "email": "ada@example.com", "phone": "+447700900123", "external_id": "70215.video.1", "status": "completed", "stage": {"key": "1", "name": "Accepted"}, "invite_link": "https://app.willotalent.com/invite/AbCd12/", "started_at": "2026-10-04T12:00:00Z", "completed_at": "2026-10-04T12:30:00Z", "share_link": "https://app.willotalent.com/show/AbCd12/", "summary": "Clear answers.", "responses": [{"key": "1", "question": "Why?", "media_url": "https://cdn.example/x.mp4", "transcript": "Because.", "score": 4}], "scores": [{"user": {"full_name": "Rita Reviewer"}, "title": "Communication", "score": 7, "max_score": 10}], "ratings": [{"user": {"full_name": "Rita Reviewer"}, "rating": 4}], "comments": [{"user": {"full_name": "Rita Reviewer"}, "text": "wears a pullover"}]}"#,
        r#"{"count": 2, "next": "https://api.willotalent.com/api/integrations/v2/participants/?page=2", "previous": null, "results": [{"key": "0123456789abcdef0123456789abcdef", "interview": "fedcba9876543210fedcba9876543210", "email": "ada@example.com", "status": "invited", "invite_link": "https://app.willotalent.com/invite/AbCd12/"}, {"key": "1123456789abcdef0123456789abcdef", "interview": {"key": "fedcba9876543210fedcba9876543210"}, "stage": "New"}]}"#,
        r#"{"count": 1, "next": null, "results": [{"key": "fedcba9876543210fedcba9876543210", "title": "Meet the team", "owner": {"key": "1", "email": "ada@example.com", "full_name": "Ada Example"}}]}"#,
        r#"{"count": 1, "next": null, "results": [{"key": "2123456789abcdef0123456789abcdef", "url": "https://hooks.example.com/callbacks/acme/willo/old?event=new_response", "event": "new_response", "interviews": [], "follow_all_interviews": true, "status": "active"}]}"#,
        r#"{"name": ["This field is required."], "email": ["ada@example.com is taken"], "non_field_errors": ["Ada Example"]}"#,
        r#"{"detail": "Not found."}"#,
    ],
    check: |input, choice| answers("willo", input, choice),
};

/// `WeCP`'s answers.
pub const WECP: Target = Target {
    name: "wecp-answers",
    samples: &[
        r#"[{"candidateId": "c1", "candidateDetails": {"Name": "Ada Example", "Email": "ada@example.com", "Github URL": "https://example.com/ada", "registrationNumber": "7"}, "percentage": 78, "testFinished": true, "testStartTime": "2025-03-25T07:00:00.000Z", "testDuration": "01:30:00"}]"#,
        r#"{"candidateId": "c1", "candidateDetails": {"Name": "Ada Example", "Email": "ada@example.com"}, "quizId": "t1", "retry": 1, "closed": 0, "finished": true, "testFinished": true, "testStartTime": "2025-03-25T07:00:00Z", "finishTime": "2025-03-25T08:00:00Z", "testDuration": "PT1H30M", "score": 70, "maxScore": 100, "reportLink": "https://app.wecreateproblems.com/report/c1", "programmingLanguagesUsed": ["Java"], "questionWiseScore": {"q1": {"score": 1, "maxScore": 2, "timeSpent": 90000, "totalAttempts": 3, "type": "answer", "language": "java", "testcasesPassed": 3}}, "proctoringData": {"pasteContent": 2, "tabChanged": 0, "multipleFaces": [1, 2]}, "metadata": {"invitation_id": "70215.video.1"}}"#,
        r#"[{"testId": "t1", "testName": "Java for beginners"}]"#,
        r#"{"errorMessage": "Ada Example, ada@example.com, was invited before", "candidateId": "c1"}"#,
        "No candidate found",
    ],
    check: |input, choice| answers("wecp", input, choice),
};

/// Puts the same answer to everything that a platform can be asked.
fn answers(platform: &str, input: &[u8], choice: u64) -> Result<(), String> {
    const STATUSES: [u16; 12] = [200, 200, 200, 200, 201, 302, 400, 403, 404, 409, 429, 500];
    let status = STATUSES[usize::try_from(choice).unwrap_or(0) % STATUSES.len()];
    let outside = Outside::new(status, input, false);
    let base = kind(platform).map_or("", |kind| kind.base_url);
    let tenant = tenant(&json!({}))?;
    let assessment = "fedcba9876543210fedcba9876543210".into();
    let reference = Reference::from("0123456789abcdef0123456789abcdef");
    let person = Person {
        first_name: "Ada".to_owned(),
        last_name: "Example".to_owned(),
        email: Some("ada@example.com".to_owned()),
        phone: Some("+447700900123".to_owned()),
    };
    let failed = |error: CallError, wrote| fair(&error, status, wrote);
    block(async {
        let account = outside
            .platforms()
            .platform(&tenant, &platform.into())
            .await;
        let account = account.map_err(|error| error.to_string())?;
        let listed = account.assessments().await;
        listed.map(drop).or_else(|error| failed(error, false))?;
        match account.list(&assessment, None).await {
            Ok(page) => silent(&format!("{:?}", page.lines))?,
            Err(error) => failed(error, false)?,
        }
        match account
            .find(&assessment, &person, "70215.video.1", None, Deadline::NONE)
            .await
        {
            Ok(found) => found
                .iter()
                .try_for_each(|one| link(platform, one.link.as_deref()))?,
            Err(error) => failed(error, false)?,
        }
        match account.result(&assessment, &reference).await {
            Ok(result) => {
                link(platform, result.report_link.as_deref())?;
                let report = written(None, &result, Moment::Completed)?;
                is_safe(&report.comments_html)?;
                // What is kept of it can be kept and read again.
                let snapshot = result.snapshot();
                let kept = serde_json::to_string(&snapshot).map_err(|error| error.to_string())?;
                silent(&kept)?;
                if serde_json::from_str(&kept).ok() != Some(snapshot) {
                    return Err(format!("a finding is not read back as it was kept: {kept}"));
                }
            }
            Err(error) => failed(error, false)?,
        }
        let order = InviteOrder {
            client_ref: "70215.video.1".to_owned(),
            assessment: assessment.clone(),
            person: person.clone(),
            metadata: std::collections::BTreeMap::new(),
            options: Settings::new(),
            task: Task::Invite,
        };
        match account.invite(&order).await {
            Ok(InviteAnswer::Created {
                reference,
                link: to,
            }) => {
                if reference.as_str().is_empty() || status >= 400 {
                    return Err(format!("{status} made the participant {reference:?}"));
                }
                link(platform, to.as_deref())?;
            }
            Ok(InviteAnswer::AlreadyThere { .. }) => {}
            Err(error) => failed(error, true)?,
        }
        let address = CallbackAddress {
            public_url: Url::parse("https://hooks.example.com/")
                .map_err(|error| error.to_string())?,
            path: format!("callbacks/acme/{platform}/"),
            token: CallbackToken::of([7; 32]),
        };
        let registered = account
            .register_callbacks(&address, std::slice::from_ref(&assessment))
            .await;
        registered.map(drop).or_else(|error| failed(error, false))
    })??;
    outside.strayed(base)
}

/// A link that people are shown leads to the platform, over https.
pub fn link(platform: &str, link: Option<&str>) -> Result<(), String> {
    let (Some(link), Some(kind)) = (link, kind(platform)) else {
        return Ok(());
    };
    let leads_there = Url::parse(link).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && kind
                .hosts
                .iter()
                .any(|own| host == *own || host.ends_with(&format!(".{own}")))
    });
    if leads_there {
        Ok(())
    } else {
        Err(format!("a link leads to {link}"))
    }
}
