//! What the core needs from outside. The ports are narrow: a component that only reads gets no port that writes.

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
    AuditRecord, DeliveryStatus, Erased, InvitationFilter, InvitationPage, KEPT_DELIVERY_DAYS,
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

/// Enqueues work. Pushing is a hint: the `clock` function finds lost work again through what is due.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Enqueues this work. A queue that is not durable may drop some under load; a durable one fails unless it took all
    /// of it.
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError>;

    /// Whether work that was taken is delivered until it is done, even if this process dies. Nothing may depend on it
    /// for good. But what a sweep of the platform finds anyway, only later, need not be made due as well.
    fn is_durable(&self) -> bool;

    /// Whether this work is queued or running; `None`: the queue cannot say.
    fn has(&self, _work: &Work) -> Option<bool> {
        None
    }

    /// How many more items may be queued. Beyond that, the queue still takes the first of each kind of a tenant.
    fn room(&self) -> usize {
        usize::MAX
    }
}

/// Publishes domain events to subscribers.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes. The adapter logs a failure and does not return it, because nothing depends on it.
    async fn publish(&self, events: Vec<DomainEvent>);
}
