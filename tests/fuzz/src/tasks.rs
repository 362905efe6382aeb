//! What the platforms answer beside plain invitations: live interviews are made and candidates met, candidates are put
//! into pools, and what was sent is taken back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use stagecall_core::clock::Deadline;
use stagecall_core::error::CallError;
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::meeting::Appointment;
use stagecall_core::person::Person;
use stagecall_core::ports::{
    AssessmentOrder, InviteAnswer, InviteOrder, Platform, PlatformConnections as _, Task, Withdrawn,
};
use stagecall_core::report::Moment;
use stagecall_core::tenant::Settings;
use stagecall_platforms::kind;

use crate::outside::{Outside, fair, silent, tenant_with};
use crate::platforms::link;
use crate::run::{Target, block};
use crate::templates::{is_safe, written};

/// Willo's answers.
pub const WILLO: Target = Target {
    name: "willo-tasks",
    samples: &[
        "",
        r#"{"key": "0123456789abcdef0123456789abcdef", "interview": "fedcba9876543210fedcba9876543210", "name": "Ada Example", "email": "ada@example.com", "status": "invited", "invite_link": "https://app.willotalent.com/invite/AbCd12/"}"#,
        r#"{"count": 1, "next": null, "results": [{"key": "0123456789abcdef0123456789abcdef", "interview": "fedcba9876543210fedcba9876543210", "email": "ada@example.com", "status": "completed"}]}"#,
        r#"{"detail": "Ada Example cannot be deleted."}"#,
    ],
    check: |input, choice| {
        // Nobody is met live there, and nothing is made.
        let interview = ("fedcba9876543210fedcba9876543210", vec![pooled()]);
        tasks("willo", false, &[interview], input, choice)
    },
};

/// `WeCP`'s answers.
pub const WECP: Target = Target {
    name: "wecp-tasks",
    samples: &[
        r#"[{"_id": "5f0c", "name": "Support Worker [70215.talk.1]"}, {"interviewId": "5f0d", "interviewName": "Meet the team", "groupId": "0d-1"}]"#,
        r#"{"interview": {"_id": "5f0c", "interviewName": "Support Worker [70215.talk.1]", "metadata": {"preparedFor": "70215.talk.1"}}}"#,
        r#"[{"_id": "c1", "emailId": "ada@example.com", "candidateId": "c1", "interviewTime": "2025-03-25T07:00:00.000Z", "interviewDuration": 30, "interviewer": ["rita@example.com"], "interviewLink": "https://app.wecreateproblems.com/interview/c1", "status": "scheduled", "metadata": {"invitation_id": "70215.talk.1"}}]"#,
        r#"{"candidates": [{"candidateId": "c1", "candidateDetails": {"Name": "Ada Example", "Email": "ada@example.com"}, "status": "Completed", "rating": 4, "scorecard": [{"question": "Why?", "answer": "Because.", "rating": "4/5"}], "feedback": "wears a pullover", "recommendation": "hire"}]}"#,
        r#"[{"candidateId": "c1", "candidateDetails": {"Name": "Ada Example", "Email": "ada@example.com"}}]"#,
        r#"{"errorMessage": "Ada Example, ada@example.com, is in the group already", "candidateId": "c1"}"#,
        "No candidate found",
    ],
    check: |input, choice| {
        let of = [
            ("interview:5f0c", meetings()),
            ("group:0d-1", vec![pooled()]),
            ("t1", vec![pooled()]),
        ];
        tasks("wecp", true, &of, input, choice)
    },
};

/// An assessment, and what it is for.
type For = (&'static str, Vec<Task>);

/// Puts the same answer to everything that these assessments can be asked for, and where the platform makes some, to that.
fn tasks(
    platform: &str,
    makes: bool,
    assessments: &[For],
    input: &[u8],
    choice: u64,
) -> Result<(), String> {
    const STATUSES: [u16; 11] = [200, 200, 200, 201, 204, 302, 400, 404, 409, 429, 500];
    let status = STATUSES[usize::try_from(choice).unwrap_or(0) % STATUSES.len()];
    let outside = Outside::new(status, input, false);
    let settings = match platform {
        "wecp" => json!({
            "organisation": "acme",
            "removal_path": "ats/wecp/candidates/{candidate}",
        }),
        _ => json!({}),
    };
    let tenant = tenant_with(&json!({}), &settings)?;
    block(async {
        let account = outside
            .platforms()
            .platform(&tenant, &platform.into())
            .await;
        let account = account.map_err(|error| error.to_string())?;
        let asked = Asked {
            platform,
            status,
            account: account.as_ref(),
        };
        if makes {
            asked.prepare().await?;
        }
        for (assessment, tasks) in assessments {
            let assessment = AssessmentId::from(*assessment);
            asked.order(&assessment, tasks).await?;
            asked.read(&assessment).await?;
            asked.withdraw(&assessment).await?;
        }
        Ok::<_, String>(())
    })??;
    outside.strayed(kind(platform).map_or("", |kind| kind.base_url))
}

/// An account that answers alike whatever it is asked.
struct Asked<'a> {
    platform: &'a str,
    status: u16,
    account: &'a dyn Platform,
}

impl Asked<'_> {
    fn failed(&self, error: &CallError, wrote: bool) -> Result<(), String> {
        fair(error, self.status, wrote)
    }

    async fn prepare(&self) -> Result<(), String> {
        let options = json!({"group": "0d-1", "name": "{vacancy}", "record": true});
        let order = AssessmentOrder {
            client_ref: "70215.talk.1".to_owned(),
            configured: "interview".into(),
            vacancy: Some("Support Worker".to_owned()),
            options: settings(&options),
        };
        match self.account.ensure_assessment(&order).await {
            Ok(made) => {
                let made = made.as_str();
                let id = made.strip_prefix("interview:").unwrap_or_default();
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                if id.is_empty() || !id.bytes().all(plain) {
                    return Err(format!("\"{made}\" was made"));
                }
                Ok(())
            }
            Err(error) => self.failed(&error, true),
        }
    }

    async fn order(&self, assessment: &AssessmentId, tasks: &[Task]) -> Result<(), String> {
        for task in tasks {
            let order = InviteOrder {
                client_ref: "70215.talk.1".to_owned(),
                assessment: assessment.clone(),
                person: person(),
                metadata: BTreeMap::new(),
                // Without a group no live interview is scheduled, and nothing would be sent.
                options: settings(&json!({"group": "0d-1"})),
                task: task.clone(),
            };
            match self.account.invite(&order).await {
                Ok(InviteAnswer::Created {
                    reference,
                    link: to,
                }) => {
                    if reference.as_str().is_empty() || self.status >= 400 {
                        return Err(format!("{} made {reference:?}", self.status));
                    }
                    link(self.platform, to.as_deref())?;
                }
                Ok(InviteAnswer::AlreadyThere { .. }) => {}
                Err(error) => self.failed(&error, true)?,
            }
        }
        Ok(())
    }

    async fn read(&self, assessment: &AssessmentId) -> Result<(), String> {
        match self.account.list(assessment, None).await {
            Ok(page) => silent(&format!("{:?}", page.lines))?,
            Err(error) => self.failed(&error, false)?,
        }
        let (person, ours) = (person(), "70215.talk.1");
        match self
            .account
            .find(assessment, &person, ours, None, Deadline::NONE)
            .await
        {
            Ok(found) => found
                .iter()
                .try_for_each(|one| link(self.platform, one.link.as_deref()))?,
            Err(error) => self.failed(&error, false)?,
        }
        match self.account.result(assessment, &reference()).await {
            Ok(result) => {
                let shown = result.report_link.as_deref();
                link(self.platform, shown)?;
                is_safe(&written(None, &result, Moment::Completed)?.comments_html)
            }
            Err(error) => self.failed(&error, false),
        }
    }

    async fn withdraw(&self, assessment: &AssessmentId) -> Result<(), String> {
        match self.account.withdraw(assessment, &reference()).await {
            Ok(Withdrawn::Done) if self.status >= 400 && self.status != 404 => {
                Err(format!("{} is taken for taken back", self.status))
            }
            Ok(Withdrawn::Done) => Ok(()),
            Ok(Withdrawn::Impossible { why }) => silent(&why),
            Err(error) => self.failed(&error, true),
        }
    }
}

/// Met by one, and by two.
fn meetings() -> Vec<Task> {
    let appointment = Appointment {
        at: Timestamp::UNIX_EPOCH,
        minutes: 30,
    };
    [
        &["rita@example.com"][..],
        &["rita@example.com", "ron@example.com"],
    ]
    .map(|by| Task::Meet {
        appointment,
        interviewers: by.iter().map(ToString::to_string).collect(),
    })
    .into()
}

fn pooled() -> Task {
    Task::Pool {
        tags: vec!["strong".to_owned()],
    }
}

fn person() -> Person {
    Person {
        first_name: "Ada".to_owned(),
        last_name: "Example".to_owned(),
        email: Some("ada@example.com".to_owned()),
        phone: Some("+447700900123".to_owned()),
    }
}

fn reference() -> Reference {
    Reference::from("0123456789abcdef0123456789abcdef")
}

fn settings(value: &serde_json::Value) -> Settings {
    value.as_object().cloned().unwrap_or_default()
}
