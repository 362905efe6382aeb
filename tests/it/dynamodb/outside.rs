//! An Eploy and a platform that accept everything, and the rest of what is outside the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::SecretString;
use stagecall_core::clock::Clock;
use stagecall_core::clock::Deadline;
use stagecall_core::error::{CallError, StoreError};
use stagecall_core::events::DomainEvent;
use stagecall_core::ids::{
    AccountId, ActionId, ApplicationId, AssessmentId, CandidateId, ExportPackageId,
    PlacementStatusId, QuestionId, Reference, StageId, StatusId, TenantId, VacancyId,
};
use stagecall_core::person::Person;
use stagecall_core::ports::{
    ActionLookUp, ActionUpdate, AllowanceLeft, Answer, ApplicationPage, ApplicationRow, Assessment,
    AssessmentOrder, CallbackAddress, CallbackToken, CallbackTokens, Capabilities, Directory,
    Eploy, EployConnections, Events, Feed, Found, HistoryRow, Hrms, HrmsAnswer, IncomingCall,
    InviteAnswer, InviteOrder, NewAction, PlacementPage, Platform, PlatformConnections, Purpose,
    QuestionsOf, Queue, Registration, Secrets, SignatureCheck, StageChangePage, StageInfo,
    StageSearch, SweepPage, TenantSecret, Unreadable, Vacancy, Webhook, WebhookHint, WebhookParser,
    Withdrawn,
};
use stagecall_core::result::{AssessmentResult, Score, Status};
use stagecall_core::tenant::{HrmsEndpoint, Position, Tenant, Trigger, Vacancies};
use stagecall_core::timing::{after, seconds};
use stagecall_core::work::Work;
use stagecall_core::{SignedDuration, Timestamp};
use stagecall_tests::sample::at;

use super::life::Life;

/// The token of the callbacks.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Everything outside the store. Clones are the same world.
#[derive(Clone, Default)]
pub struct Outside(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    /// Seconds since the beginning.
    later: f64,
    /// Whether the application is at the trigger.
    entered: bool,
    queued: VecDeque<Work>,
    /// The number of queued messages.
    messages: usize,
}

impl Outside {
    pub fn pass(&self, span: f64) {
        self.0.lock().unwrap().later += span;
    }

    pub fn enter(&self) {
        self.0.lock().unwrap().entered = true;
    }

    /// The number of queued messages.
    pub fn messages(&self) -> usize {
        self.0.lock().unwrap().messages
    }

    /// The next piece of work from the queue.
    pub fn next(&self) -> Option<Work> {
        self.0.lock().unwrap().queued.pop_front()
    }
}

fn position() -> Position {
    Position {
        stage: Some("12".into()),
        status: Some("34".into()),
    }
}

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        after(at(0.0), seconds(self.0.lock().unwrap().later))
    }
}

#[async_trait]
impl Queue for Outside {
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError> {
        let mut world = self.0.lock().unwrap();
        world.messages += work.len();
        world.queued.extend(work);
        Ok(())
    }

    /// As SQS does.
    fn is_durable(&self) -> bool {
        true
    }
}

#[async_trait]
impl Events for Outside {
    async fn publish(&self, _: Vec<DomainEvent>) {}
}

#[async_trait]
impl Secrets for Outside {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        Err(StoreError::new("secrets", "read", "nobody needs one here"))
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        _: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        let current = CallbackToken(SecretString::from(TOKEN));
        Ok(Some(CallbackTokens {
            current,
            previous: None,
        }))
    }
}

#[async_trait]
impl EployConnections for Outside {
    async fn eploy(&self, _: &Tenant, _: Purpose) -> Result<Arc<dyn Eploy>, CallError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Eploy for Outside {
    async fn allowance_left(&self) -> Result<AllowanceLeft, CallError> {
        Ok(AllowanceLeft {
            calls: 10_000,
            resets_at: after(self.now(), seconds(3600.0)),
        })
    }

    fn overlap(&self, _: Timestamp) -> SignedDuration {
        SignedDuration::ZERO
    }

    async fn changed_applications(
        &self,
        _: Option<Timestamp>,
        _: u32,
    ) -> Result<ApplicationPage, CallError> {
        let row = ApplicationRow {
            id: Life::key().application,
            candidate: "2345678".into(),
            vacancy: "45678".into(),
            position: position(),
            modified: Some(self.now()),
        };
        Ok(ApplicationPage {
            rows: if self.0.lock().unwrap().entered {
                vec![row]
            } else {
                Vec::new()
            },
            set_aside: Vec::new(),
            more: false,
        })
    }

    fn feed(&self) -> Feed {
        Feed {
            settled: true,
            ..Feed::default()
        }
    }

    async fn stage_changes(
        &self,
        _: Option<Timestamp>,
        _: u32,
    ) -> Result<StageChangePage, CallError> {
        unreachable!("the feed is by modification dates")
    }

    async fn application(&self, _: &ApplicationId) -> Result<Option<ApplicationRow>, CallError> {
        unreachable!("the feed is by modification dates")
    }

    fn stage_searches(&self, triggers: &[Trigger], vacancies: &Vacancies) -> Vec<StageSearch> {
        vec![StageSearch {
            triggers: triggers.to_vec(),
            vacancies: vacancies.clone(),
        }]
    }

    async fn applications_at(
        &self,
        _: &[Trigger],
        _: &Vacancies,
        _: u32,
    ) -> Result<ApplicationPage, CallError> {
        Ok(ApplicationPage {
            rows: Vec::new(),
            set_aside: Vec::new(),
            more: false,
        })
    }

    async fn changed_placements(
        &self,
        _: Option<Timestamp>,
        _: u32,
    ) -> Result<PlacementPage, CallError> {
        unreachable!("the tenant has no plan for hires")
    }

    async fn placements_with(
        &self,
        _: &BTreeSet<PlacementStatusId>,
        _: u32,
    ) -> Result<PlacementPage, CallError> {
        unreachable!("the tenant has no plan for hires")
    }

    async fn application_of(
        &self,
        _: &CandidateId,
        _: &VacancyId,
    ) -> Result<Option<ApplicationId>, CallError> {
        unreachable!("the tenant has no plan for hires")
    }

    async fn stage_info(&self, _: &ApplicationId) -> Result<StageInfo, CallError> {
        Ok(StageInfo::History(vec![HistoryRow {
            id: "98765432".into(),
            at: Some(at(-12.0)),
            position: position(),
        }]))
    }

    async fn position(&self, _: &ApplicationId) -> Result<Option<Position>, CallError> {
        Ok(Some(position()))
    }

    async fn candidate(&self, _: &CandidateId) -> Result<Person, CallError> {
        Ok(Person {
            first_name: "Ada".to_owned(),
            last_name: "Example".to_owned(),
            email: Some("ada@example.com".to_owned()),
            phone: Some("+447700900123".to_owned()),
        })
    }

    async fn vacancy(&self, id: &VacancyId) -> Result<Vacancy, CallError> {
        Ok(Vacancy {
            id: id.clone(),
            title: "Graduate engineer".to_owned(),
            company: Some("7".into()),
        })
    }

    async fn directory(&self) -> Result<Directory, CallError> {
        Ok(Directory::default())
    }

    async fn create_action(&self, _: &NewAction) -> Result<ActionId, CallError> {
        Ok("8765432".into())
    }

    async fn update_action(&self, _: &ActionId, _: &ActionUpdate) -> Result<(), CallError> {
        Ok(())
    }

    async fn find_action(&self, _: &ActionLookUp) -> Result<Option<ActionId>, CallError> {
        Ok(None)
    }

    async fn add_note(&self, _: &ApplicationId, _: &str) -> Result<(), CallError> {
        Ok(())
    }

    async fn answer(&self, _: &QuestionsOf, _: &QuestionId) -> Result<Option<Answer>, CallError> {
        Ok(None)
    }

    async fn answer_questions(
        &self,
        _: &ApplicationId,
        _: &BTreeMap<QuestionId, Answer>,
    ) -> Result<(), CallError> {
        Ok(())
    }

    async fn move_application(
        &self,
        _: &ApplicationId,
        _: &StageId,
        _: Option<&StatusId>,
    ) -> Result<(), CallError> {
        Ok(())
    }

    async fn mark_exported(&self, _: &ApplicationId, _: &ExportPackageId) -> Result<(), CallError> {
        Ok(())
    }
}

#[async_trait]
impl Hrms for Outside {
    async fn deliver(
        &self,
        _: &Tenant,
        _: &HrmsEndpoint,
        _: &Webhook,
    ) -> Result<HrmsAnswer, CallError> {
        unreachable!("nobody is hired")
    }
}

#[async_trait]
impl PlatformConnections for Outside {
    async fn platform(&self, _: &Tenant, _: &AccountId) -> Result<Arc<dyn Platform>, CallError> {
        Ok(Arc::new(self.clone()))
    }

    fn title(&self, _: &Tenant, _: &AccountId) -> String {
        "Willo".to_owned()
    }

    fn reader(&self, _: &Tenant, _: &AccountId) -> Option<Arc<dyn WebhookParser>> {
        Some(Arc::new(self.clone()))
    }
}

/// As long as a real platform's.
const REFERENCE: &str = "p7Yk2Lw9QxT4";

impl WebhookParser for Outside {
    fn verify(&self, _: &IncomingCall<'_>) -> SignatureCheck {
        SignatureCheck::TokenOnly
    }

    fn read(&self, _: &IncomingCall<'_>) -> Result<WebhookHint, Unreadable> {
        Ok(WebhookHint {
            event: Some("new_response".to_owned()),
            references: vec![REFERENCE.into()],
        })
    }
}

#[async_trait]
impl Platform for Outside {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            callbacks: true,
            list_from: 0,
            statuses: vec![Status::Sent, Status::Completed],
            live_interviews: false,
            pools: false,
        }
    }

    async fn assessments(&self) -> Result<Vec<Assessment>, CallError> {
        Ok(Vec::new())
    }

    async fn invite(&self, _: &InviteOrder) -> Result<InviteAnswer, CallError> {
        Ok(InviteAnswer::Created {
            reference: REFERENCE.into(),
            link: Some(format!(
                "https://app.willotalent.com/invite/{REFERENCE}aaBBccDDee"
            )),
        })
    }

    async fn ensure_assessment(&self, order: &AssessmentOrder) -> Result<AssessmentId, CallError> {
        Ok(order.configured.clone())
    }

    async fn withdraw(&self, _: &AssessmentId, _: &Reference) -> Result<Withdrawn, CallError> {
        Ok(Withdrawn::Done)
    }

    fn address_digest(&self, _: &str) -> Option<String> {
        Some("0123456789abcdef0123456789abcdef".to_owned())
    }

    async fn find(
        &self,
        _: &AssessmentId,
        _: &Person,
        _: &str,
        _: Option<&str>,
        _: Deadline,
    ) -> Result<Vec<Found>, CallError> {
        Ok(Vec::new())
    }

    async fn result(
        &self,
        _: &AssessmentId,
        reference: &Reference,
    ) -> Result<AssessmentResult, CallError> {
        Ok(AssessmentResult {
            completed_at: Some(self.now()),
            score: Some(Score::of(72.5, Some(100.0))),
            ..AssessmentResult::bare(reference.clone(), Status::Completed)
        })
    }

    async fn list(&self, _: &AssessmentId, _: Option<&str>) -> Result<SweepPage, CallError> {
        Ok(SweepPage {
            lines: Vec::new(),
            next: None,
            set_aside: 0,
        })
    }

    async fn register_callbacks(
        &self,
        _: &CallbackAddress,
        _: &[AssessmentId],
    ) -> Result<Registration, CallError> {
        Ok(Registration::default())
    }
}
