//! A customer in the sandbox: an Eploy system, a Willo account, a vacancy, an interview, recruiters and candidates.

use serde_json::{Value, json};
use stagecall_sandbox::control::{
    ActionView, By, CallRecord, CandidateAct, Created, Judged, NewApplications, NewVacancy,
    ParticipantView, ReviewerAct, SandboxClient, Write, WriteRecord,
};
use stagecall_sandbox::story::{SCORE_QUESTION, percent_shown};

use super::wait::until;

/// The trigger stage and its status, as every sandbox has them.
pub const TRIGGER: (&str, &str) = ("Video Interview", "To Be Completed");
/// The tenant's name for its account.
pub const PLATFORM: &str = "willo";
/// The id of the customer's mapping.
pub const MAPPING: &str = "video";
/// The question that takes the score; the next one takes the link.
pub const QUESTION: u64 = SCORE_QUESTION;

/// A customer.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The name of its tenant, of its Eploy and of its Willo account.
    pub name: String,
    /// Its vacancy.
    pub vacancy: u64,
    /// Its interview.
    pub interview: String,
    player: SandboxClient,
}

impl Customer {
    /// A customer with one vacancy and one interview.
    pub async fn new(player: SandboxClient, name: &str) -> Self {
        let vacancy = NewVacancy::called("Support Worker");
        Self {
            name: name.to_owned(),
            vacancy: player.vacancy(name, &vacancy).await.unwrap(),
            interview: player.interview(name, "Meet the team").await.unwrap(),
            player,
        }
    }

    /// The configuration of its mapping.
    pub(super) fn mapping(&self) -> Value {
        json!({
            "id": MAPPING,
            "vacancies": [self.vacancy],
            "triggers": [{"stage": "12", "statuses": ["34"]}],
            "assessment": {"platform": PLATFORM, "id": self.interview},
            "report": {
                "action": {"type": "42", "outcomes": {
                    "invited": "101", "started": "102", "completed": "103", "expired": "105",
                    "declined": "106", "bounced": "107", "cancelled": "108", "failed": "109",
                }},
                "questions": {"percent": "276", "link": "277"},
            },
        })
    }

    /// Adds `count` applications of new candidates, at the stage before the trigger.
    pub async fn apply(&self, count: u32) -> Vec<Created> {
        let new = NewApplications {
            stage: Some("Shortlist".to_owned()),
            ..NewApplications::new(self.vacancy, count)
        };
        self.player.apply(&self.name, &new).await.unwrap()
    }

    /// Adds one application, at the stage before the trigger.
    pub async fn applicant(&self) -> Created {
        self.apply(1).await[0]
    }

    /// The recruiter moves applications to the trigger stage.
    pub async fn enter(&self, applications: &[u64]) {
        self.move_to(applications, TRIGGER.0, Some(TRIGGER.1)).await;
    }

    /// The recruiter moves applications back to the stage before it.
    pub async fn leave(&self, applications: &[u64]) {
        self.move_to(applications, "Shortlist", None).await;
    }

    /// The recruiter moves applications.
    pub async fn move_to(&self, applications: &[u64], stage: &str, status: Option<&str>) {
        let moved = self.player.move_to(&self.name, applications, stage, status);
        moved.await.unwrap();
    }

    /// Adds an application that enters the trigger stage and is invited once.
    pub async fn invitee(&self) -> Judged {
        let application = self.applicant().await.application;
        self.enter(&[application]).await;
        self.invited(application).await
    }

    /// The sandbox's view of every application.
    pub async fn all(&self) -> Vec<Judged> {
        self.player.judgement(&self.name).await.unwrap()
    }

    /// The sandbox's view of an application.
    pub async fn judged(&self, application: u64) -> Judged {
        let all = self.all().await;
        all.into_iter()
            .find(|one| one.application.id == application)
            .unwrap()
    }

    /// Waits until an application is invited.
    pub async fn invited(&self, application: u64) -> Judged {
        until(
            &format!("{} has invited {application}", self.name),
            async || {
                let judged = self.judged(application).await;
                (!judged.participants.is_empty()).then_some(judged)
            },
        )
        .await
    }

    /// Waits until the last action of an application has this outcome, and returns it.
    pub async fn shows(&self, application: u64, outcome: &str) -> ActionView {
        let what = format!("{} shows {outcome} on {application}", self.name);
        until(&what, async || {
            let judged = self.judged(application).await;
            let action = judged.application.actions.last()?;
            (action.outcome.as_deref() == Some(outcome)).then(|| action.clone())
        })
        .await
    }

    /// Waits until Eploy has this percentage for an application.
    pub async fn scored(&self, application: u64, score: f64) -> Judged {
        until(
            &format!("{} shows {score} % on {application}", self.name),
            async || {
                let judged = self.judged(application).await;
                (percent_shown(&judged) == Some(score)).then_some(judged)
            },
        )
        .await
    }

    /// The candidates behind these participants act.
    pub async fn act(&self, participants: &[ParticipantView], act: CandidateAct) {
        let keys = keys(participants);
        self.player.candidate(&self.name, &keys, act).await.unwrap();
    }

    /// A reviewer acts on these participants.
    pub async fn review(&self, participants: &[ParticipantView], act: ReviewerAct) {
        let keys = keys(participants);
        self.player.reviewer(&self.name, &keys, &act).await.unwrap();
    }

    /// A reviewer rates these participants, out of ten points.
    pub async fn score(&self, participants: &[ParticipantView], points: u8) {
        let score = ReviewerAct::Score {
            title: "Communication".to_owned(),
            value: f64::from(points),
            max: 10.0,
        };
        self.review(participants, score).await;
    }

    /// The calls that its Eploy and its Willo received, without the first `since` of all calls, and the number of all.
    pub async fn calls(&self, since: usize) -> (Vec<CallRecord>, usize) {
        let part = self.player.calls(since).await.unwrap();
        let mut calls = part.records;
        calls.retain(|call| call.system == self.name);
        (calls, part.next)
    }

    /// The number of calls of this operation that it received.
    pub async fn count(&self, operation: &str) -> usize {
        let (calls, _) = self.calls(0).await;
        calls
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// Waits until two more polls have ended: everything that Eploy showed before has been seen.
    pub async fn polled(&self) {
        self.polled_by(&["eploy.applications.search"]).await;
    }

    /// The same, for polls that search by one of these operations.
    pub async fn polled_by(&self, searches: &[&str]) {
        let mut before = Vec::new();
        for search in searches {
            before.push(self.count(search).await);
        }
        // A third poll has begun.
        until(&format!("{} is polled", self.name), async || {
            for (search, before) in searches.iter().zip(&before) {
                if self.count(search).await >= before + 3 {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    /// What Stagecall wrote to an application.
    pub async fn written(&self, application: u64) -> Vec<Write> {
        let part = self.player.writes(0).await.unwrap();
        let ours = |write: &WriteRecord| {
            write.system == self.name && write.application == application && write.by == By::Api
        };
        part.records
            .iter()
            .filter(|write| ours(write))
            .map(|write| write.write)
            .collect()
    }
}

fn keys(participants: &[ParticipantView]) -> Vec<String> {
    participants.iter().map(|one| one.key.clone()).collect()
}

/// Whether an application has exactly one invitation, one participant, and one action with the outcome "Completed".
pub fn completed(judged: &Judged) -> bool {
    let [action] = judged.application.actions.as_slice() else {
        return false;
    };
    judged.invitations.len() == 1
        && judged.participants.len() == 1
        && action.outcome.as_deref() == Some("Completed")
}
