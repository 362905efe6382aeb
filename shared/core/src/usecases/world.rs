//! A small world for the tests of use cases: what the stores, Eploy, a platform and the HRMS hold, and what they were
//! asked. A test sets it up, lets a use case at it, and looks at what has become of it.

mod outside;
mod records;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Desk;
use crate::announcement::{Announcement, HireKey};
use crate::clock::Clock;
use crate::error::{CallError, Phase, Reach, StoreError, System};
use crate::events::{DomainEvent, What};
use crate::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, InvitationKey, QuestionId, Reference,
    TenantId,
};
use crate::invitation::{Entry, Invitation};
use crate::person::Person;
use crate::ports::*;
use crate::tenant::{
    EployConnection, Mapping, MappingKind, PlatformConnection, Position, Reentry, ReportPlan,
    Settings, Tenant, Trigger, Vacancies,
};
use crate::timing::Timing;
use crate::work::Work;

/// What is in the world at present.
pub(super) struct Holds {
    pub now: Timestamp,
    pub tenant: Tenant,

    pub rows: BTreeMap<InvitationKey, Invitation>,
    pub references: BTreeMap<(AccountId, Reference), InvitationKey>,
    pub prepared: BTreeMap<String, AssessmentId>,
    pub announcements: BTreeMap<HireKey, Announcement>,
    pub tokens: BTreeMap<AccountId, CallbackTokens>,
    pub due: Vec<DueItem>,
    /// So long a change takes to be saved.
    pub saving_takes: SignedDuration,
    /// So many saves to come find that somebody else was faster.
    pub conflicts: u32,
    pub armed: Vec<AssessmentRef>,
    pub queued: Vec<Work>,
    /// Whether the queue keeps what it takes.
    pub queue_keeps: bool,
    /// Whether it takes nothing.
    pub queue_fails: bool,
    pub published: Vec<What>,

    pub standing: Standing,
    /// What the application's own record says.
    pub position: Option<Position>,
    pub person: Person,
    pub answers: BTreeMap<QuestionId, Answer>,
    /// The application of every candidate for every vacancy.
    pub application: Option<ApplicationId>,
    /// What every call to Eploy comes to, if not its answer.
    pub eploy_fails: Option<CallError>,

    pub capabilities: Capabilities,
    /// What invitations are answered with, one after the other; after that every one is created.
    pub invited: VecDeque<Result<InviteAnswer, CallError>>,
    pub orders: Vec<InviteOrder>,
    pub made: Vec<PrepareOrder>,
    /// What somebody else makes at the same time, and puts on record first.
    pub made_elsewhere: Option<AssessmentId>,
    pub registered: Vec<(CallbackAddress, Vec<AssessmentId>)>,

    /// What the HRMS answers, one after the other; after that it takes everything.
    pub hrms: VecDeque<Result<HrmsAnswer, CallError>>,
    pub notices: Vec<Notice>,
}

/// The world, as the ports see it.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Holds>>);

/// The beginning.
pub(super) fn start() -> Timestamp {
    // A Friday, 08:00 in London.
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// So many seconds after the beginning.
pub(super) fn time(second: i64) -> Timestamp {
    start() + SignedDuration::from_secs(second)
}

impl World {
    /// One tenant with one mapping; one application, at its trigger.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Holds {
            now: start(),
            tenant: tenant(vec![mapping("video")]),
            rows: BTreeMap::new(),
            references: BTreeMap::new(),
            prepared: BTreeMap::new(),
            announcements: BTreeMap::new(),
            tokens: BTreeMap::new(),
            due: Vec::new(),
            saving_takes: SignedDuration::ZERO,
            conflicts: 0,
            armed: Vec::new(),
            queued: Vec::new(),
            queue_keeps: false,
            queue_fails: false,
            published: Vec::new(),
            standing: Standing::Position(at_trigger()),
            position: Some(at_trigger()),
            person: Person {
                first_name: "Robin".to_owned(),
                last_name: "Example".to_owned(),
                email: Some("robin@example.com".to_owned()),
                phone: None,
            },
            answers: BTreeMap::new(),
            application: None,
            eploy_fails: None,
            capabilities: Capabilities {
                invites_by_email: true,
                returns_candidate_link: false,
                echoes_client_ref: false,
                callbacks: true,
                list_from: 5,
                statuses: Vec::new(),
                live_interviews: true,
                pools: true,
                withdraws: true,
            },
            invited: VecDeque::new(),
            orders: Vec::new(),
            made: Vec::new(),
            made_elsewhere: None,
            registered: Vec::new(),
            hrms: VecDeque::new(),
            notices: Vec::new(),
        })))
    }

    /// What is in it.
    pub fn holds(&self) -> MutexGuard<'_, Holds> {
        self.0.lock().unwrap()
    }

    /// Lets so many seconds pass.
    pub fn pass(&self, seconds: i64) {
        self.holds().now += SignedDuration::from_secs(seconds);
    }

    /// Puts a new invitation for this mapping on record.
    pub fn enter(&self, application: &str, mapping: &str) -> InvitationKey {
        let mut holds = self.holds();
        let mapping = holds.tenant.mapping(&mapping.into()).unwrap();
        let row = entered(application, mapping, holds.now);
        let key = row.key.clone();
        holds.rows.insert(key.clone(), row);
        key
    }

    /// The invitation, as it is on record.
    pub fn row(&self, key: &InvitationKey) -> Invitation {
        self.holds().rows[key].clone()
    }

    /// A desk in this world.
    pub fn desk(&self) -> Desk {
        let ports = Arc::new(self.clone());
        Desk {
            ledger: ports.clone(),
            sweeps: ports.clone(),
            tenants: ports.clone(),
            queue: ports.clone(),
            events: ports.clone(),
            clock: ports,
            timing: Arc::new(Timing::default()),
        }
    }

    /// Before a save: time passes, and somebody else may be faster.
    fn saves(&self) -> bool {
        let mut holds = self.holds();
        let takes = holds.saving_takes;
        holds.now += takes;
        let conflict = holds.conflicts > 0;
        holds.conflicts = holds.conflicts.saturating_sub(1);
        !conflict
    }
}

/// Where whoever is to be invited stands.
pub(super) fn at_trigger() -> Position {
    at("12", "34")
}

/// A position.
pub(super) fn at(stage: &str, status: &str) -> Position {
    Position {
        stage: Some(stage.into()),
        status: Some(status.into()),
    }
}

/// A tenant with these mappings, and an account `acc` on a platform.
pub(super) fn tenant(mappings: Vec<Mapping>) -> Tenant {
    let account = PlatformConnection {
        kind: "willo".to_owned(),
        base_url: None,
        settings: Settings::new(),
    };
    Tenant {
        id: "acme".into(),
        paused: false,
        eploy: EployConnection {
            base_url: "https://acme.eploy.net/".parse().unwrap(),
            daily_calls: 1000,
            poll_seconds: 60,
            dialect: Settings::new(),
        },
        platforms: [("acc".into(), account)].into(),
        mappings,
        hires: None,
        retention_days: None,
    }
}

/// A mapping of this name from the trigger to the assessment `a1`.
pub(super) fn mapping(id: &str) -> Mapping {
    Mapping {
        id: id.into(),
        paused: false,
        vacancies: Vacancies::All,
        triggers: vec![Trigger {
            stage: "12".into(),
            stage_name: None,
            statuses: vec!["34".into()],
        }],
        assessment: AssessmentRef {
            account: "acc".into(),
            assessment: "a1".into(),
        },
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: Reentry::Once,
        include_current: false,
        expires_after_days: None,
        report: ReportPlan::default(),
    }
}

/// The first entry of an application of candidate 9001 for vacancy 4101.
pub(super) fn entered(application: &str, mapping: &Mapping, at: Timestamp) -> Invitation {
    let row = Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: application.into(),
            mapping: mapping.id.clone(),
            round: 1,
        },
        "9001".into(),
        "4101".into(),
        mapping.assessment.clone(),
        Entry {
            seen_at: at,
            entered_at: None,
            history: None,
            modified: None,
            left_at: None,
            not_before: None,
        },
    );
    match &mapping.kind {
        MappingKind::Pool(_) => row.for_pool(),
        _ => row,
    }
}

/// A call that failed in this way.
pub(super) fn failing(phase: Phase) -> CallError {
    CallError {
        system: System::Eploy,
        operation: "read",
        phase,
        reach: Reach::Record,
        code: "test.failed",
        problem: "it did not work".to_owned(),
        remedy: "Mend it.".to_owned(),
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.holds().now
    }
}

#[async_trait]
impl Due for World {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueItem>, StoreError> {
        let holds = self.holds();
        assert_eq!(now, holds.now);
        Ok(holds.due.iter().take(limit).cloned().collect())
    }
}

#[async_trait]
impl Secrets for World {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        unimplemented!()
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        account: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        Ok(self.holds().tokens.get(account).cloned())
    }
}

#[async_trait]
impl Tenants for World {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let tenant = self.holds().tenant.clone();
        Ok((tenant.id == *id).then_some(tenant))
    }
}

#[async_trait]
impl Queue for World {
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError> {
        assert!(!work.is_empty(), "an errand for nothing");
        let mut holds = self.holds();
        if holds.queue_fails {
            return Err(StoreError::new("queue", "hand out work", "it is full"));
        }
        holds.queued.extend(work);
        Ok(())
    }

    fn keeps(&self) -> bool {
        self.holds().queue_keeps
    }
}

#[async_trait]
impl Events for World {
    async fn publish(&self, events: Vec<DomainEvent>) {
        let what = events.into_iter().map(|event| event.what);
        self.holds().published.extend(what);
    }
}

#[async_trait]
impl Ledger for World {
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError> {
        let mut holds = self.holds();
        if holds.rows.contains_key(&invitation.key) {
            return Ok(Inserted::Existed);
        }
        holds
            .rows
            .insert(invitation.key.clone(), invitation.clone());
        Ok(Inserted::New)
    }

    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        let free = self.saves();
        let mut holds = self.holds();
        match holds.rows.get_mut(&next.key) {
            Some(row) if free && row.version + 1 == next.version => {
                *row = next.clone();
                Ok(Saved::Saved)
            }
            _ => Ok(Saved::Conflict),
        }
    }

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        Ok(self.holds().rows.get(key).cloned())
    }

    async fn of_applications(
        &self,
        _: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        let holds = self.holds();
        let rows = holds.rows.values();
        Ok(rows
            .filter(|row| applications.contains(&row.key.application))
            .cloned()
            .collect())
    }

    async fn bind(
        &self,
        account: &AccountId,
        reference: &Reference,
        key: &InvitationKey,
    ) -> Result<Bound, StoreError> {
        let mut holds = self.holds();
        let place = (account.clone(), reference.clone());
        let owner = holds.references.entry(place).or_insert_with(|| key.clone());
        Ok(if owner == key {
            Bound::Ours
        } else {
            Bound::Other(owner.clone())
        })
    }

    async fn bound(
        &self,
        _: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        let place = (account.clone(), reference.clone());
        Ok(self.holds().references.get(&place).cloned())
    }

    async fn prepared(
        &self,
        _: &TenantId,
        _: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        Ok(self.holds().prepared.get(name).cloned())
    }

    async fn save_prepared(
        &self,
        _: &TenantId,
        _: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        let mut holds = self.holds();
        let used = holds.prepared.entry(name.to_owned());
        Ok(used.or_insert_with(|| made.clone()).clone())
    }

    async fn waiting(&self, _: &TenantId, _: &AssessmentRef) -> Result<Vec<Waiting>, StoreError> {
        unimplemented!()
    }
}

#[async_trait]
impl Sweeps for World {
    async fn arm(
        &self,
        _: &TenantId,
        assessment: &AssessmentRef,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        self.holds().armed.push(assessment.clone());
        Ok(())
    }

    async fn load_sweep(&self, _: &TenantId, _: &AssessmentRef) -> Result<SweepState, StoreError> {
        Ok(SweepState::default())
    }

    async fn save_sweep(
        &self,
        _: &TenantId,
        _: &AssessmentRef,
        _: &SweepState,
        _: &SweepState,
    ) -> Result<Saved, StoreError> {
        unimplemented!()
    }
}

#[async_trait]
impl Announcements for World {
    async fn insert_announcement(&self, new: &Announcement) -> Result<Inserted, StoreError> {
        let mut holds = self.holds();
        if holds.announcements.contains_key(&new.key) {
            return Ok(Inserted::Existed);
        }
        holds.announcements.insert(new.key.clone(), new.clone());
        Ok(Inserted::New)
    }

    async fn save_announcement(&self, next: &Announcement) -> Result<Saved, StoreError> {
        let free = self.saves();
        let mut holds = self.holds();
        match holds.announcements.get_mut(&next.key) {
            Some(row) if free && row.version + 1 == next.version => {
                *row = next.clone();
                Ok(Saved::Saved)
            }
            _ => Ok(Saved::Conflict),
        }
    }

    async fn load_announcement(&self, key: &HireKey) -> Result<Option<Announcement>, StoreError> {
        Ok(self.holds().announcements.get(key).cloned())
    }

    async fn announcements(&self, _: &TenantId, _: usize) -> Result<Vec<Announcement>, StoreError> {
        unimplemented!()
    }
}
