//! Fake ports for the tests of use cases: the stores, Eploy, a platform and the HRMS, with their state and the calls
//! that they got. A test sets the state up, runs a use case, and checks the state.

mod outside;
mod records;
mod stores;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::announcement::{Announcement, HireKey};
use crate::app::{App, Ports};
use crate::clock::{Clock, Deadline};
use crate::engine::Engine;
use crate::error::{CallError, ErrorScope, Phase, StoreError, System};
use crate::events::{DomainEvent, What};
use crate::ids::{
    AccountId, ActionId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, DefinitionId,
    ExportPackageId, InvitationKey, MappingId, QuestionId, Reference, StageId, StatusId, TenantId,
};
use crate::invitation::{Entry, Event, Invitation, Report};
use crate::person::Person;
use crate::ports::*;
use crate::result::{AssessmentResult, Status};
use crate::tenant::{
    EployConnection, Mapping, MappingKind, PlatformConnection, Position, Reentry, ReportPlan,
    Settings, Tenant, Trigger, Vacancies,
};
use crate::timing::Timing;
use crate::work::{Handled, Kind, Work};

/// A hook that runs during a call.
pub(crate) type OnCall = Box<dyn FnOnce(&mut FakeState) + Send>;

/// What was written to Eploy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wrote {
    Action(NewAction),
    Update(ActionId, ActionUpdate),
    Note(String),
    Answers(BTreeMap<QuestionId, Answer>),
    Move(StageId, Option<StatusId>),
    Export(ExportPackageId),
}

/// The state behind the fake ports.
pub(crate) struct FakeState {
    pub now: Timestamp,
    pub tenant: Tenant,

    /// The calls that were made, by name.
    pub calls: Vec<&'static str>,
    /// How long each takes.
    pub calls_take: SignedDuration,
    /// Hooks for the next call, or save, of this name.
    pub on_call: BTreeMap<&'static str, OnCall>,
    /// The error of every call of this name. If its phase is unknown, the call has taken effect.
    pub fails: BTreeMap<&'static str, CallError>,

    pub rows: BTreeMap<InvitationKey, Invitation>,
    /// Invitations that cannot be loaded, each with its error.
    pub rows_fail: BTreeMap<InvitationKey, StoreError>,
    /// The saved versions of mappings.
    pub definitions: BTreeMap<(MappingId, DefinitionId), Mapping>,
    pub references: BTreeMap<(AccountId, Reference), InvitationKey>,
    pub prepared: BTreeMap<String, AssessmentId>,
    pub withdrawn: Vec<Reference>,
    /// The deadline of the last search of the platform.
    pub found_until: Option<Deadline>,
    /// The digest of the last lookup.
    pub looked_up_by: Option<String>,
    pub announcements: BTreeMap<HireKey, Announcement>,
    pub tokens: BTreeMap<AccountId, CallbackTokens>,
    pub due: Vec<DueItem>,
    /// How long a save takes.
    pub saving_takes: SignedDuration,
    /// How many further saves conflict with a faster writer.
    pub conflicts: u32,
    pub armed: Vec<AssessmentRef>,
    pub sweeps: BTreeMap<AssessmentRef, SweepState>,
    /// Each with when it is due, or its outcome.
    pub deliveries: BTreeMap<String, (Delivery, DeliveryState)>,
    pub state: Option<TenantState>,
    /// The error of the next save, if it fails.
    pub state_fails: Option<StoreError>,
    /// The error of saving the next definition, if it fails.
    pub definition_fails: Option<StoreError>,
    pub erased: BTreeSet<CandidateId>,
    /// Another tenant, whose invitations cannot be listed.
    pub unlistable: Option<Tenant>,
    /// When handled deliveries were expired.
    pub deliveries_expired: Vec<Timestamp>,
    pub queued: Vec<Work>,
    /// Whether the queue is durable.
    pub queue_keeps: bool,
    /// Whether it refuses everything.
    pub queue_fails: bool,
    pub published: Vec<What>,

    pub stage_info: StageInfo,
    /// The position in the application's own record.
    pub position: Option<Position>,
    /// Candidates that do not exist any more, because they were merged into another or deleted.
    pub merged: BTreeSet<CandidateId>,
    pub person: Person,
    pub answers: BTreeMap<QuestionId, Answer>,
    /// The application of every candidate for every vacancy.
    pub application: Option<ApplicationId>,
    /// The error of every call to Eploy, if it fails.
    pub eploy_fails: Option<CallError>,
    /// The changed applications, by page, and which pages were requested since when.
    pub changed: Vec<ApplicationPage>,
    pub asked_since: Vec<(Option<Timestamp>, u32)>,
    /// In place of those pages: all applications, which a search filters by change, and the overlap of the client.
    pub applications: Vec<ApplicationRow>,
    pub overlap: SignedDuration,
    /// The applications at a trigger, by page; the same in every search.
    pub at_triggers: Vec<ApplicationPage>,
    pub feed: Feed,
    /// Changes of stage by the status history, by page.
    pub stage_changes: Vec<StageChangePage>,
    /// The single applications.
    pub records: BTreeMap<ApplicationId, ApplicationRow>,
    /// How many searches a reading of stages consists of.
    pub searches: usize,
    pub placements: Vec<PlacementPage>,
    pub placed: Vec<PlacementPage>,
    pub directory: Directory,
    pub allowance: u32,
    /// What was written, oldest first.
    pub wrote: Vec<Wrote>,

    pub capabilities: Capabilities,
    /// The answers to invitations, one after the other; after that every one is created.
    pub invited: VecDeque<Result<InviteAnswer, CallError>>,
    pub orders: Vec<InviteOrder>,
    pub made: Vec<AssessmentOrder>,
    /// What another worker creates at the same time, and saves first.
    pub made_elsewhere: Option<AssessmentId>,
    pub registered: Vec<(CallbackAddress, Vec<AssessmentId>)>,
    /// Results by invitation; any other is only sent.
    pub results: BTreeMap<Reference, AssessmentResult>,
    pub found: Vec<Found>,
    /// The platform's list, by page, and the pages requested.
    pub list: Vec<SweepPage>,
    /// The parsed callback; `None`: there is no parser.
    pub reads: Option<(SignatureCheck, Result<WebhookHint, Unreadable>)>,

    /// The answers of the HRMS, one after the other; after that it accepts everything.
    pub hrms: VecDeque<Result<HrmsAnswer, CallError>>,
    pub notices: Vec<Webhook>,
}

/// The state of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryState {
    Stored(Option<Timestamp>),
    Settled(DeliveryOutcome),
}

/// The fake ports, with shared state.
#[derive(Clone)]
pub(crate) struct FakePorts(Arc<Mutex<FakeState>>);

/// The start of the tests' time.
pub(crate) fn start() -> Timestamp {
    // A Friday, 08:00 in London.
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// This many seconds after the start.
pub(crate) fn time(second: i64) -> Timestamp {
    start() + SignedDuration::from_secs(second)
}

impl FakePorts {
    /// One tenant with one mapping; one application, at its trigger.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(FakeState {
            now: start(),
            tenant: tenant(vec![mapping("video")]),
            calls: Vec::new(),
            calls_take: SignedDuration::ZERO,
            on_call: BTreeMap::new(),
            fails: BTreeMap::new(),
            rows: BTreeMap::new(),
            rows_fail: BTreeMap::new(),
            definitions: BTreeMap::new(),
            references: BTreeMap::new(),
            prepared: BTreeMap::new(),
            withdrawn: Vec::new(),
            found_until: None,
            looked_up_by: None,
            announcements: BTreeMap::new(),
            tokens: BTreeMap::new(),
            due: Vec::new(),
            saving_takes: SignedDuration::ZERO,
            conflicts: 0,
            armed: Vec::new(),
            sweeps: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            state: None,
            state_fails: None,
            definition_fails: None,
            erased: BTreeSet::new(),
            unlistable: None,
            deliveries_expired: Vec::new(),
            queued: Vec::new(),
            queue_keeps: false,
            queue_fails: false,
            published: Vec::new(),
            stage_info: StageInfo::Position(at_trigger()),
            position: Some(at_trigger()),
            merged: BTreeSet::new(),
            person: Person {
                first_name: "Robin".to_owned(),
                last_name: "Example".to_owned(),
                email: Some("robin@example.com".to_owned()),
                phone: None,
            },
            answers: BTreeMap::new(),
            application: None,
            eploy_fails: None,
            changed: Vec::new(),
            asked_since: Vec::new(),
            applications: Vec::new(),
            overlap: SignedDuration::from_mins(10),
            at_triggers: Vec::new(),
            feed: Feed {
                settled: true,
                ..Feed::default()
            },
            stage_changes: Vec::new(),
            records: BTreeMap::new(),
            searches: 1,
            placements: Vec::new(),
            placed: Vec::new(),
            directory: Directory::default(),
            allowance: 100_000,
            wrote: Vec::new(),
            capabilities: Capabilities {
                callbacks: true,
                list_from: 5,
                statuses: Vec::new(),
                live_interviews: true,
                pools: true,
            },
            invited: VecDeque::new(),
            orders: Vec::new(),
            made: Vec::new(),
            made_elsewhere: None,
            registered: Vec::new(),
            results: BTreeMap::new(),
            found: Vec::new(),
            list: Vec::new(),
            reads: Some((SignatureCheck::TokenOnly, Ok(WebhookHint::default()))),
            hrms: VecDeque::new(),
            notices: Vec::new(),
        })))
    }

    /// The state.
    pub fn data(&self) -> MutexGuard<'_, FakeState> {
        self.0.lock().unwrap()
    }

    /// Changes the state.
    pub fn set(&self, change: impl FnOnce(&mut FakeState)) {
        change(&mut self.data());
    }

    /// Advances the clock by this many seconds.
    pub fn pass(&self, seconds: i64) {
        self.data().now += SignedDuration::from_secs(seconds);
    }

    /// Saves a new invitation for this mapping.
    pub fn enter(&self, application: &str, mapping: &str) -> InvitationKey {
        let mut data = self.data();
        let mapping = data.tenant.mapping(&mapping.into()).unwrap();
        let version = mapping.definition_id();
        let row = entered(application, mapping, data.now).under(version.clone());
        let key = row.key.clone();
        let definition = mapping.as_definition();
        data.definitions
            .insert((key.mapping.clone(), version), definition);
        data.rows.insert(key.clone(), row);
        key
    }

    /// The saved invitation.
    pub fn row(&self, key: &InvitationKey) -> Invitation {
        self.data().rows[key].clone()
    }

    /// An engine on these ports.
    pub fn engine(&self) -> Engine {
        let ports = Arc::new(self.clone());
        Engine {
            ledger: ports.clone(),
            sweeps: ports.clone(),
            tenants: ports.clone(),
            definitions: ports.clone(),
            queue: ports.clone(),
            events: ports.clone(),
            clock: ports,
            timing: Arc::new(Timing::default()),
        }
    }

    /// Does a piece of work.
    pub async fn handle(&self, work: Work) -> Handled {
        let app = App::new(&self.ports());
        app.handle(work, Deadline::NONE).await.unwrap()
    }

    /// Saves an invitation for this mapping that the platform has and Eploy shows.
    pub fn invited(&self, application: &str, mapping: &str) -> InvitationKey {
        let key = self.enter(application, mapping);
        let reference = Reference::new(format!("r-{application}"));
        let account = "acc".into();
        let place = (account, reference.clone());
        self.data().references.insert(place, key.clone());
        let row = self.happens(&key, sent(reference));
        self.happens(&key, Event::Reported(fully_shown(&row)));
        key
    }

    /// The ports of the use cases.
    pub fn ports(&self) -> Ports {
        let ports = Arc::new(self.clone());
        Ports {
            engine: self.engine(),
            states: ports.clone(),
            announcements: ports.clone(),
            deliveries: ports.clone(),
            secrets: ports.clone(),
            eploy: ports.clone(),
            platforms: ports.clone(),
            hrms: ports,
        }
    }

    /// Sets the platform's result for the invitation of this application.
    pub fn results_in(&self, application: &str, status: Status) {
        let reference = Reference::new(format!("r-{application}"));
        let result = AssessmentResult::bare(reference.clone(), status);
        self.data().results.insert(reference, result);
    }

    /// Replaces the saved invitation with the one after this event at the present time.
    pub fn happens(&self, key: &InvitationKey, event: Event) -> Invitation {
        let mut data = self.data();
        let now = data.now;
        data.happens(key, event, now)
    }

    /// A call is made: time passes, hooks run, and it may fail.
    fn call(&self, name: &'static str) -> Result<(), CallError> {
        let mut data = self.data();
        data.calls.push(name);
        let takes = data.calls_take;
        data.now += takes;
        data.run_hook(name);
        data.fails.get(name).cloned().map_or(Ok(()), Err)
    }

    /// Before a save: time passes, and another writer may be faster.
    fn saves(&self) -> bool {
        let mut data = self.data();
        data.run_hook("save");
        let takes = data.saving_takes;
        data.now += takes;
        let conflict = data.conflicts > 0;
        data.conflicts = data.conflicts.saturating_sub(1);
        !conflict
    }
}

impl FakeState {
    /// The invitation after this event, saved.
    pub fn happens(&mut self, key: &InvitationKey, event: Event, at: Timestamp) -> Invitation {
        let row = self.rows.get_mut(key).unwrap();
        *row = row.apply(event, at, &Timing::default(), None).unwrap().next;
        row.clone()
    }

    /// Runs a hook during a call of this name, after this many others of it.
    pub(crate) fn on_later_call(&mut self, name: &'static str, others: u32, act: OnCall) {
        let act = match others.checked_sub(1) {
            Some(others) => Box::new(move |data: &mut Self| data.on_later_call(name, others, act)),
            None => act,
        };
        self.on_call.insert(name, act);
    }

    fn run_hook(&mut self, name: &'static str) {
        if let Some(happens) = self.on_call.remove(name) {
            happens(self);
        }
    }
}

/// The platform has it, under this reference.
pub(crate) fn sent(reference: Reference) -> Event {
    Event::Sent {
        reference,
        link: None,
        adopted: false,
        writer: None,
    }
}

/// The report when Eploy shows everything.
pub(crate) fn fully_shown(row: &Invitation) -> Report {
    Report {
        revision: row.revision,
        ..row.report.clone()
    }
}

/// The position of a candidate to be invited.
pub(crate) fn at_trigger() -> Position {
    at("12", "34")
}

/// A position.
pub(crate) fn at(stage: &str, status: &str) -> Position {
    Position {
        stage: Some(stage.into()),
        status: Some(status.into()),
    }
}

/// A tenant with these mappings, and an account `acc` on a platform.
pub(crate) fn tenant(mappings: Vec<Mapping>) -> Tenant {
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

/// A mapping with this name, from the trigger to the assessment `a1`.
pub(crate) fn mapping(id: &str) -> Mapping {
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
        allow_overlap: false,
        expires_after_days: None,
        report: ReportPlan::default(),
    }
}

/// The first entry of an application of candidate 9001 for vacancy 4101.
pub(crate) fn entered(application: &str, mapping: &Mapping, at: Timestamp) -> Invitation {
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
        Entry::seen(at),
    );
    match &mapping.kind {
        MappingKind::Pool(_) => row.for_pool(),
        _ => row,
    }
}

/// A call that failed in this phase.
pub(crate) fn failing(phase: Phase) -> CallError {
    CallError {
        system: System::Eploy,
        operation: "read",
        phase,
        scope: ErrorScope::Record,
        code: "test.failed",
        problem: "it did not work".to_owned(),
        remedy: "Mend it.".to_owned(),
        retry_at: None,
    }
}

/// A call that was answered with "not now", and until when, if given.
pub(crate) fn throttled(until: Option<Timestamp>) -> CallError {
    CallError {
        retry_at: until,
        ..failing(Phase::Throttled)
    }
}

impl Clock for FakePorts {
    fn now(&self) -> Timestamp {
        self.data().now
    }
}

#[async_trait]
impl Due for FakePorts {
    async fn due(
        &self,
        now: Timestamp,
        kinds: &[Kind],
        each: usize,
    ) -> Result<Vec<DueSince>, StoreError> {
        let data = self.data();
        assert!(now >= data.now);
        let due = data.due.iter().filter(|item| kinds.contains(&item.kind()));
        let due = due.map(|item| DueSince {
            since: start(),
            item: item.clone(),
        });
        Ok(longest_due(due.collect(), each))
    }
}

#[async_trait]
impl Secrets for FakePorts {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        unimplemented!()
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        account: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        self.data().calls.push("callback_tokens");
        Ok(self.data().tokens.get(account).cloned())
    }
}

#[async_trait]
impl Tenants for FakePorts {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let tenant = self.data().tenant.clone();
        Ok((tenant.id == *id).then_some(tenant))
    }
}

#[async_trait]
impl Queue for FakePorts {
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError> {
        assert!(!work.is_empty(), "an errand for nothing");
        let mut data = self.data();
        if data.queue_fails {
            return Err(StoreError::new("queue", "enqueue work", "it is full"));
        }
        data.queued.extend(work);
        Ok(())
    }

    fn is_durable(&self) -> bool {
        self.data().queue_keeps
    }
}

#[async_trait]
impl Events for FakePorts {
    async fn publish(&self, events: Vec<DomainEvent>) {
        let what = events.into_iter().map(|event| event.what);
        self.data().published.extend(what);
    }
}
