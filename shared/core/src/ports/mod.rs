//! What the core needs from outside: narrow, so that whoever may only read cannot write.

mod announcements;
mod definitions;
mod due;
mod eploy;
mod hrms;
mod ledger;
mod platform;
mod records;
mod residents;
mod tenants;
mod tokens;

use async_trait::async_trait;

pub use announcements::Announcements;
pub use definitions::Definitions;
pub use due::{Due, DueItem, DueSince, longest_due};
pub use eploy::{
    ActionLookUp, ActionUpdate, AllowanceLeft, Answer, ApplicationPage, ApplicationRow, ChangeFeed,
    Directory, Eploy, EployConnections, Feed, HistoryRow, NamedId, NewAction, PlacementPage,
    PlacementRow, Purpose, QuestionsOf, StageChange, StageChangePage, StageInfo, StageSearch,
    UnparsableRecord, Vacancy,
};
pub use hrms::{Hrms, HrmsAnswer, Webhook};
pub use ledger::{
    Bound, Deliveries, Delivery, DeliveryOutcome, Inserted, Ledger, Saved, SweepFailing,
    SweepReading, SweepState, Sweeps, WatchedInvitation,
};
pub use platform::{
    Assessment, AssessmentKind, AssessmentOrder, CallbackAddress, Capabilities, Found,
    IncomingCall, InviteAnswer, InviteOrder, ListedStatus, Platform, PlatformConnections,
    Registration, SignatureCheck, SweepPage, Task, Unreadable, WebhookHint, WebhookParser,
    Withdrawn,
};
pub use records::{
    AuditRecord, DeliveryStanding, Erased, InvitationFilter, InvitationPage, KEPT_DELIVERY_DAYS,
    OperatorStore, StateCount, Tombstone,
};
pub use residents::Residents;
pub use tenants::{
    Allowance, CallbackToken, CallbackTokens, EarlierPart, HiresState, MappingState, MappingStatus,
    Overlap, PlatformSecret, PollProgress, PollState, Proven, RecheckQueue, Secrets, SecretsWriter,
    SigningSecrets, StageScan, Suspension, TenantSecret, TenantState, TenantStates, Tenants,
    UnreadRecord,
};
pub use tokens::TokenCache;

use crate::error::StoreError;
use crate::events::DomainEvent;
use crate::work::Work;

/// Hands out work. Pushing is a hint: work that is lost is found again by what is due.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Hands out these pieces of work. One that keeps nothing may drop some under load; one that keeps what it takes fails
    /// unless it took all.
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError>;

    /// Whether whatever it took is handed out until it is done, whatever becomes of this process. Nothing may depend on
    /// it for good; but what a sweep of the platform finds anyway, only later, need not be made due beside it.
    fn is_durable(&self) -> bool;

    /// Whether this work waits here or is being done; `None`: the queue cannot tell.
    fn has(&self, _work: &Work) -> Option<bool> {
        None
    }

    /// How much more may wait here. Beyond that, the first of each kind of a tenant is taken still.
    fn room(&self) -> usize {
        usize::MAX
    }
}

/// Tells subscribers.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes; failing to is logged by the adapter and goes no further, because nothing depends on it.
    async fn publish(&self, events: Vec<DomainEvent>);
}
