//! Two workers ask the platform about one invitation at the same time.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{News, WriteBack};
use crate::clock::Clock;
use crate::error::{CallError, StoreError};
use crate::events::DomainEvent;
use crate::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, InvitationKey, Reference, TenantId,
};
use crate::invitation::{Entry, Event, FailReason, Invitation, State};
use crate::ports::*;
use crate::result::{AssessmentResult, Score, Status};
use crate::tenant::{EployConnection, PlatformConnection, Tenant};
use crate::timing::{Timing, after, seconds};
use crate::usecases::Desk;
use crate::work::Work;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn scored(points: f64) -> AssessmentResult {
    let mut result = AssessmentResult::bare("r".into(), Status::Completed);
    result.score = Some(Score::of(points, Some(10.0)));
    result
}

fn observed(result: &AssessmentResult) -> Event {
    Event::Observed {
        finding: result.finding(),
        marker: None,
        lease_until: None,
        carried: false,
    }
}

/// A world with one invitation. Whoever asks the platform first gets an old score, and by the time the answer arrives,
/// another worker has asked for and saved the new one.
struct World {
    row: Mutex<Invitation>,
    asked: Mutex<u32>,
}

impl World {
    fn apply(row: &Invitation, event: Event) -> Invitation {
        row.apply(event, now(), &Timing::default(), None)
            .unwrap()
            .next
    }

    fn entered() -> Invitation {
        let key = InvitationKey {
            tenant: "acme".into(),
            application: "1".into(),
            mapping: "m".into(),
            round: 1,
        };
        let assessment = AssessmentRef {
            account: "w".into(),
            assessment: "k".into(),
        };
        let entry = Entry {
            seen_at: now(),
            entered_at: None,
            history: None,
            modified: None,
            left_at: None,
            not_before: None,
        };
        Invitation::detected(key, "2".into(), "3".into(), assessment, entry)
    }

    fn new() -> Arc<Self> {
        let sent = Event::Sent {
            reference: "r".into(),
            link: None,
            adopted: false,
            writer: None,
        };
        Arc::new(Self {
            row: Mutex::new(Self::apply(&Self::entered(), sent)),
            asked: Mutex::new(0),
        })
    }
}

#[async_trait]
impl Platform for World {
    fn capabilities(&self) -> Capabilities {
        unreachable!()
    }
    async fn assessments(&self) -> Result<Vec<Assessment>, CallError> {
        unreachable!()
    }
    async fn invite(&self, _: &InviteOrder) -> Result<InviteAnswer, CallError> {
        unreachable!()
    }
    async fn prepare(&self, _: &PrepareOrder) -> Result<AssessmentId, CallError> {
        unreachable!()
    }
    async fn withdraw(&self, _: &AssessmentId, _: &Reference) -> Result<Withdrawn, CallError> {
        unreachable!()
    }
    async fn find(
        &self,
        _: &AssessmentId,
        _: &crate::person::Person,
        _: &str,
    ) -> Result<Vec<Found>, CallError> {
        unreachable!()
    }
    async fn result(&self, _: &AssessmentId, _: &Reference) -> Result<AssessmentResult, CallError> {
        let mut asked = self.asked.lock().unwrap();
        *asked += 1;
        if *asked > 1 {
            return Ok(scored(9.0));
        }
        let mut row = self.row.lock().unwrap();
        *row = Self::apply(&row, observed(&scored(9.0)));
        Ok(scored(4.0))
    }
    async fn list(
        &self,
        _: &AssessmentId,
        _: Option<Timestamp>,
        _: Option<&str>,
    ) -> Result<SweepPage, CallError> {
        unreachable!()
    }
    async fn register_callbacks(
        &self,
        _: &CallbackAddress,
        _: &[AssessmentId],
    ) -> Result<Registration, CallError> {
        unreachable!()
    }
}

/// The world, as the ports see it.
#[derive(Clone)]
struct Ports(Arc<World>);

#[async_trait]
impl PlatformConnections for Ports {
    async fn platform(&self, _: &Tenant, _: &AccountId) -> Result<Arc<dyn Platform>, CallError> {
        Ok(self.0.clone())
    }
    fn reader(&self, _: &Tenant, _: &AccountId) -> Option<Arc<dyn DeliveryReader>> {
        None
    }
}

#[async_trait]
impl EployConnections for Ports {
    async fn eploy(&self, _: &Tenant, _: Purpose) -> Result<Arc<dyn Eploy>, CallError> {
        unreachable!()
    }
}

#[async_trait]
impl Ledger for Ports {
    async fn insert(&self, _: &Invitation) -> Result<Inserted, StoreError> {
        unreachable!()
    }
    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        let mut row = self.0.row.lock().unwrap();
        if row.version + 1 != next.version {
            return Ok(Saved::Conflict);
        }
        *row = next.clone();
        Ok(Saved::Saved)
    }
    async fn load(&self, _: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        Ok(Some(self.0.row.lock().unwrap().clone()))
    }
    async fn of_applications(
        &self,
        _: &TenantId,
        _: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        unreachable!()
    }
    async fn bind(
        &self,
        _: &AccountId,
        _: &Reference,
        _: &InvitationKey,
    ) -> Result<Bound, StoreError> {
        unreachable!()
    }
    async fn bound(
        &self,
        _: &TenantId,
        _: &AccountId,
        _: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        unreachable!()
    }
    async fn prepared(
        &self,
        _: &TenantId,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        unreachable!()
    }
    async fn save_prepared(
        &self,
        _: &TenantId,
        _: &AccountId,
        _: &str,
        _: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        unreachable!()
    }
    async fn waiting(&self, _: &TenantId, _: &AssessmentRef) -> Result<Vec<Waiting>, StoreError> {
        unreachable!()
    }
}

#[async_trait]
impl Sweeps for Ports {
    async fn arm(&self, _: &TenantId, _: &AssessmentRef, _: Timestamp) -> Result<(), StoreError> {
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
        unreachable!()
    }
}

#[async_trait]
impl Tenants for Ports {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let willo = PlatformConnection {
            kind: "willo".to_owned(),
            base_url: None,
            settings: serde_json::Map::default(),
        };
        Ok(Some(Tenant {
            id: id.clone(),
            paused: false,
            eploy: EployConnection {
                base_url: "https://acme.eploy.net/".parse().unwrap(),
                daily_calls: 1000,
                poll_seconds: 60,
                dialect: serde_json::Map::default(),
            },
            platforms: [("w".into(), willo)].into(),
            mappings: Vec::new(),
            hires: None,
            retention_days: None,
        }))
    }
}

#[async_trait]
impl Queue for Ports {
    async fn push(&self, _: Vec<Work>) -> Result<(), StoreError> {
        Ok(())
    }
    fn keeps(&self) -> bool {
        false
    }
}

#[async_trait]
impl Events for Ports {
    async fn publish(&self, _: Vec<DomainEvent>) {}
}

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        now()
    }
}

fn write_back(world: &Arc<World>) -> WriteBack {
    let ports = Arc::new(Ports(world.clone()));
    WriteBack {
        desk: Desk {
            ledger: ports.clone(),
            sweeps: ports.clone(),
            tenants: ports.clone(),
            queue: ports.clone(),
            events: ports.clone(),
            clock: ports.clone(),
            timing: Arc::new(Timing::default()),
        },
        eploy: ports.clone(),
        platforms: ports,
    }
}

/// A writer that a delivery had sent died after it had saved what it saw. Nothing but the delivery comes back to the row.
#[tokio::test]
async fn what_a_writer_left_behind_is_told_when_its_delivery_comes_back() {
    let world = World::new();
    *world.asked.lock().unwrap() = 1;
    let key = world.row.lock().unwrap().key.clone();
    let shown = {
        let row = world.row.lock().unwrap();
        let mut report = row.report.clone();
        report.revision = row.revision;
        World::apply(&row, Event::Reported(report))
    };
    let left = |begun: i64| {
        let begun = Timestamp::from_second(now().as_second() + begun).unwrap();
        let seen = Event::Observed {
            finding: scored(9.0).finding(),
            marker: None,
            lease_until: Some(after(begun, seconds(60.0))),
            carried: true,
        };
        let row = shown.apply(seen, begun, &Timing::default(), None);
        row.unwrap().next
    };
    let write_back = write_back(&world);
    let reference = Reference::new("c1");
    let bring = async || {
        let news = write_back.bring_news(&key, None, Some(&reference));
        news.await.unwrap()
    };

    // For all that anybody knows it is still at work.
    *world.row.lock().unwrap() = left(-59);
    assert_eq!(bring().await, News::Later);
    assert!(world.row.lock().unwrap().is_carried());

    *world.row.lock().unwrap() = left(-60);
    assert_eq!(bring().await, News::Later);
    assert!(!world.row.lock().unwrap().unreported());
    assert_eq!(bring().await, News::Recorded);
}

/// Its sender bound the reference and came no further, and the invitation was given up. Then the candidate took part.
#[tokio::test]
async fn a_callback_brings_home_an_invitation_that_was_given_up() {
    let world = World::new();
    *world.asked.lock().unwrap() = 1;
    let claim = |lease: i64| Event::Claim {
        lease_until: Timestamp::from_second(now().as_second() + lease).unwrap(),
        entered_at: None,
        history: None,
    };
    let write_back = write_back(&world);
    let reference = Reference::from("r");
    let key = World::entered().key;
    let bring = async || {
        let news = write_back.bring_news(&key, None, Some(&reference));
        news.await.unwrap()
    };

    let sending = World::apply(&World::entered(), claim(60));
    *world.row.lock().unwrap() = sending;
    assert_eq!(bring().await, News::Later, "its sender may be at work");
    assert_eq!(world.row.lock().unwrap().reference, None);

    let given_up = Event::Fail {
        claim: Some(1),
        reason: FailReason::NoEmail,
    };
    for left in [claim(0), given_up] {
        let row = match &left {
            Event::Claim { .. } => World::apply(&World::entered(), left),
            _ => World::apply(&World::apply(&World::entered(), claim(60)), left),
        };
        *world.row.lock().unwrap() = row;
        assert_eq!(bring().await, News::Recorded);
        let row = world.row.lock().unwrap().clone();
        assert_eq!(row.reference, Some(reference.clone()));
        assert_eq!(row.state, State::Completed);
    }
    // Without a delivery there is nothing to put on record.
    *world.row.lock().unwrap() = World::apply(&World::entered(), claim(0));
    let news = write_back.bring_news(&key, None, None).await.unwrap();
    assert_eq!(news, News::Later);
}

#[tokio::test]
async fn what_was_asked_for_earlier_never_replaces_what_was_asked_for_later() {
    let world = World::new();
    let write_back = write_back(&world);
    let key = world.row.lock().unwrap().key.clone();
    let news = write_back.bring_news(&key, None, None).await.unwrap();
    assert_eq!(news, News::Recorded);
    assert_eq!(*world.asked.lock().unwrap(), 2);
    let row = world.row.lock().unwrap().clone();
    assert_eq!(row.finding, Some(scored(9.0).finding()));
}

#[test]
fn no_two_invitations_share_the_start_that_their_action_is_found_by() {
    let one = World::new().row.lock().unwrap().clone();
    let start_of = |application: &str, mapping: &str, round: u32| {
        let mut other = one.clone();
        other.key.application = application.into();
        other.key.mapping = mapping.into();
        other.key.round = round;
        super::action_start(&other)
    };
    let starts = [
        start_of("1", "m", 1),
        start_of("1", "n", 1),
        start_of("2", "m", 1),
        start_of("1", "m", 2),
    ];
    for (at, start) in starts.iter().enumerate() {
        // Even where no more than the second is kept.
        let second = |start: &Timestamp| start.as_second();
        let others = starts[..at].iter().map(second);
        assert!(
            others.into_iter().all(|other| other != second(start)),
            "{starts:?}"
        );
        let before = one.entry.seen_at.duration_since(*start);
        assert!((0..60).contains(&before.as_secs()), "{before}");
    }
}
