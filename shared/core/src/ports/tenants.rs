//! Tenants: their configuration, their secrets, and the state of polling them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{ApplicationRow, Feed, Residents, Saved};
use crate::announcement::{Hire, HireKey};
use crate::error::StoreError;
use crate::ids::{AccountId, ApplicationId, CandidateId, DefinitionId, MappingId, TenantId};
use crate::invitation::{Failure, Invitation};
use crate::tenant::{Position, Tenant};

#[async_trait]
pub trait Tenants: Send + Sync {
    /// The configuration of this tenant.
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError>;
}

/// The state of polling a tenant: what Stagecall stores, as opposed to what is configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantState {
    /// The version; every save names the one it expects.
    pub version: u64,
    pub due_at: Timestamp,
    /// When it was saved, by the writer's clock, see [`crate::skew`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
    /// The state of reading changes.
    #[serde(default)]
    pub poll: PollState,
    #[serde(default)]
    pub mappings: BTreeMap<MappingId, MappingState>,
    /// The state of reading hires, where the tenant has a plan for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hires: Option<HiresState>,
    /// Why nothing works at present, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Suspension>,
    /// Triggers that Eploy's lists lacked but where applications were seen: that proves that they exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proven: Vec<Proven>,
    /// When the mappings' stages are next checked against Eploy; `None`: with the next poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_at: Option<Timestamp>,
}

impl TenantState {
    /// A tenant that was never polled, due now.
    pub fn new(now: Timestamp) -> Self {
        Self {
            version: 0,
            due_at: now,
            saved_at: None,
            poll: PollState::default(),
            mappings: BTreeMap::new(),
            hires: None,
            suspended: None,
            proven: Vec::new(),
            check_at: None,
        }
    }

    /// Takes a candidate with these invitations and hires out of what polls remember, as the next version, so that no poll under way
    /// saves what it had read. Returns how many applications that were.
    pub fn forget_candidate(
        &mut self,
        candidate: &CandidateId,
        invitations: &[Invitation],
        hires: &[HireKey],
    ) -> usize {
        let invitations = invitations.iter().map(|one| one.key.application.clone());
        let mut applications: BTreeSet<ApplicationId> = invitations.collect();
        applications.extend(hires.iter().filter_map(|key| match &key.hire {
            Hire::Application(id) => Some(id.clone()),
            Hire::Placement(_) => None,
        }));
        let again = self
            .poll
            .again
            .as_ref()
            .map_or(&[][..], |again| &again.rows);
        let theirs = again.iter().filter(|row| row.candidate == *candidate);
        applications.extend(theirs.map(|row| row.id.clone()));
        let mut forgotten = BTreeSet::new();
        let mut stays = |id: &ApplicationId| {
            let stays = !applications.contains(id);
            if !stays {
                forgotten.insert(id.clone());
            }
            stays
        };
        if let Some(again) = &mut self.poll.again {
            again.rows.retain(|row| stays(&row.id));
        }
        self.poll.again.take_if(|again| again.rows.is_empty());
        self.poll.unread.retain(|record| {
            let id = record.id.as_deref().map(ApplicationId::from);
            id.is_none_or(|id| stays(&id))
        });
        if let Some(scan) = &mut self.poll.scan {
            scan.present.retain(&mut stays);
            scan.residents.retain(&mut stays);
            scan.waiting.retain(&mut stays);
            scan.unconfirmed.retain(&mut stays);
        }
        // Also if nothing is remembered of them: a poll under way may be about to.
        self.version += 1;
        forgotten.len()
    }
}

/// The state of reading Eploy's changes. All times here are Eploy's own, as it writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollState {
    /// Everything that Eploy changed up to here is in the ledger.
    pub cursor: Option<Timestamp>,
    /// The newest change that the last complete poll saw. It becomes the cursor once another poll has gone over it.
    pub reached: Option<Timestamp>,
    /// The state of the overlap with earlier readings.
    #[serde(default, skip_serializing_if = "Overlap::is_default")]
    pub overlap: Overlap,
    /// A poll that ran out of time and is to be continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<PollProgress>,
    /// The average number of pages of changes per poll, in hundredths.
    #[serde(default)]
    pub pages_average: u32,
    /// When a poll last succeeded, by our clock.
    pub last_ok: Option<Timestamp>,
    /// Failed polls in a row.
    pub failures: u32,
    /// The failure of the last of them, unless its cause was our own or it suspended the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
    /// Records that the last poll could not read and skipped.
    #[serde(default)]
    pub set_aside: u32,
    /// The last unreadable records, for an operator. They stay until they can be read, or for a week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadRecord>,
    /// Applications to recheck, because Eploy did not give their stage when it was needed. The cursor may have passed
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<RecheckQueue>,
    /// The feed that the last poll read; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<Feed>,
    /// The stage scan, where one belongs to the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<StageScan>,
}

/// A repeated reading of the applications at the trigger stages: as the feed of changes, or to catch what the feed
/// missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageScan {
    /// When it continues, by our clock.
    pub at: Timestamp,
    /// Its next search, from 0.
    #[serde(default)]
    pub search: u32,
    /// Its next page, from 1.
    #[serde(default = "first_page")]
    pub page: u32,
    /// Who was found at a trigger so far in the present pass.
    #[serde(
        default,
        rename = "found_at",
        skip_serializing_if = "Residents::is_empty"
    )]
    pub present: Residents,
    /// Who is known to be at a trigger, and at which. Whoever of them is not found any more has left.
    #[serde(
        default,
        rename = "known_at",
        skip_serializing_if = "Residents::is_empty"
    )]
    pub residents: Residents,
    /// Those of them of whom an invitation or an announcement is still to go out. Its sender looks where they stand and may
    /// find them gone, so they are decided anew with each pass.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waiting: BTreeSet<ApplicationId>,
    /// Entries that it found first. If the feed's next reading does not show them either, the feed misses changes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unconfirmed: BTreeSet<ApplicationId>,
    /// Entries that the scan found and the feed missed.
    #[serde(default)]
    pub missed: u32,
    /// When that last happened, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_at: Option<Timestamp>,
    /// When a pass was last completed, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Why it fails, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
}

impl StageScan {
    /// A scan that begins at `at`.
    pub fn starting(at: Timestamp) -> Self {
        Self {
            at,
            search: 0,
            page: 1,
            present: Residents::default(),
            residents: Residents::default(),
            waiting: BTreeSet::new(),
            unconfirmed: BTreeSet::new(),
            missed: 0,
            missed_at: None,
            completed_at: None,
            failure: None,
        }
    }

    /// Whether nothing new is to be said of an application that is at a trigger.
    pub fn knows(&self, row: &ApplicationRow) -> bool {
        self.residents.position(&row.id) == Some(&row.position) && !self.waiting.contains(&row.id)
    }
}

fn first_page() -> u32 {
    1
}

/// An application that a poll could not read, so that nobody was invited for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadRecord {
    /// Its id, if that much could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is wrong with it, without its content.
    pub reason: String,
    /// When it was last unreadable.
    pub at: Timestamp,
}

/// Applications to check again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecheckQueue {
    /// The applications, as a search last showed them.
    pub rows: Vec<ApplicationRow>,
    /// Failed attempts in a row.
    pub times: u32,
    pub at: Timestamp,
}

/// The state of the overlap. Every reading begins with it: with what was changed shortly before the newest change seen.
/// If it holds many records, it is read again ever more rarely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overlap {
    /// For how many seconds, by our clock, polls have seen nothing newer.
    pub quiet_seconds: u32,
    /// How many readings skip the overlap before one reads it again.
    pub light_left: u32,
    /// How many readings skip it after that, unless it has become small by then.
    pub spacing: u32,
    /// When the last reading of everything ended, by our clock. Its poll may have failed after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Eploy's time when that reading began, at least: up to there it has shown everything once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_to: Option<Timestamp>,
    /// How many readings of several pages in a row have shown something newer.
    #[serde(skip_serializing_if = "is_zero")]
    pub restless: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Overlap {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a poll stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollProgress {
    /// The start of the changes that it asked for; `None`: everything.
    pub since: Option<Timestamp>,
    /// The next page, from 1.
    pub page: u32,
    /// The newest change seen so far.
    pub newest: Option<Timestamp>,
    /// Whether it skips the overlap, see [`Overlap::light_left`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub light: bool,
    /// When it began, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
}

/// The state of the plan for hires. Times of placements are Eploy's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HiresState {
    /// While the baseline of earlier hires is recorded: the next page to read, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<u32>,
    /// Meanwhile, where that takes several searches: the search that is being read, from 0, see
    /// [`Eploy::stage_searches`](super::Eploy::stage_searches).
    #[serde(default)]
    pub search: u32,
    /// When it was first seen.
    pub since: Timestamp,
    /// SHA-256 of what counts as a hire: a change of it makes a new baseline.
    pub watches: String,
    /// Every placement that changed up to here was processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Timestamp>,
    /// The newest change of a placement that the last complete reading saw, see [`PollState::reached`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Timestamp>,
    /// The state of the overlap of readings of placements.
    #[serde(default, skip_serializing_if = "Overlap::is_default")]
    pub overlap: Overlap,
    /// A reading of placements that ran out of time and is to be continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<PollProgress>,
    /// Why hires cannot be read, if so. Applications are read all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
}

/// A stage and status that an application was seen at although Eploy's lists lacked them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The stage and status.
    pub position: Position,
    /// When an application was last seen there.
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MappingState {
    pub status: MappingStatus,
    /// When the mapping was first seen, or its vacancies or triggers last changed. From then on its present definition
    /// applies.
    pub since: Timestamp,
    /// The version that polls use. A change of the mapping takes effect once everything that changed before it was read
    /// with this version. `None`, of an earlier program: see [`MappingState::watches`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<DefinitionId>,
    /// What the mapping covered before its vacancies or triggers last changed, oldest first: for that it has been on
    /// without a break.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierPart>,
    /// A digest that an earlier program stored in place of a version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub watches: String,
    /// Whether the last check missed one of its stages. A list can be incomplete once; a second check with the same
    /// outcome breaks the mapping.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubted: bool,
}

/// A version of a mapping that covered other vacancies or triggers than the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierPart {
    pub definition: DefinitionId,
    /// When it took effect.
    pub since: Timestamp,
    /// Whether it was on: its baseline was complete.
    pub on: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingStatus {
    /// Recording the applications that were at the stage before the mapping was turned on.
    Baseline {
        page: u32,
        /// Whether another reading has to follow if this one has several pages. Where applications that were there
        /// before are to be invited, one that moved between pages during the reading must not be missed.
        #[serde(default)]
        again: bool,
        /// Whether the mapping was broken before: then an application that changed since [`MappingState::since`] is not
        /// part of the baseline, unless its status history says so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        after_break: bool,
        /// The search that is being read, from 0, see [`Eploy::stage_searches`](super::Eploy::stage_searches).
        #[serde(default)]
        search: u32,
    },
    Active,
    /// Cannot work as configured.
    Broken {
        /// Why, and what to do, in words for people.
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// Whether it was on before: it continues from there when it is fixed.
        #[serde(default = "yes")]
        on: bool,
    },
}

impl MappingStatus {
    /// Whether the baseline is complete.
    pub fn is_on(&self) -> bool {
        match self {
            Self::Active => true,
            Self::Baseline { .. } => false,
            Self::Broken { on, .. } => *on,
        }
    }
}

/// An earlier program broke mappings that were on.
fn yes() -> bool {
    true
}

/// Why nothing works for a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// What is wrong and what to do.
    #[serde(alias = "trouble")]
    pub failure: Failure,
    /// When the next attempt is due.
    pub until: Timestamp,
}

/// The poll state, per tenant.
#[async_trait]
pub trait TenantStates: Send + Sync {
    /// The tenant's state, if there is one yet.
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError>;

    /// Saves `next` if the stored version is `next.version - 1`; or if there is none, `next.version` is 1 and the
    /// tenant is configured, so that a running poll leaves nothing of a tenant that was removed meanwhile.
    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError>;
}

/// Counts the calls to a tenant's Eploy, per day.
#[async_trait]
pub trait Allowance: Send + Sync {
    /// Takes `calls` from the tenant's allowance of `day` (`2026-11-22`), unless that would raise its use above
    /// `ceiling`. Returns whether it did; all or nothing.
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError>;

    /// The number of calls taken on `day`.
    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError>;
}

/// A tenant's secrets. Its debug form shows none.
#[derive(Clone, Debug)]
pub struct TenantSecret {
    pub eploy_client_id: SecretString,
    pub eploy_client_secret: SecretString,
    /// Per platform account.
    pub platforms: BTreeMap<AccountId, PlatformSecret>,
    /// What webhooks about hires are signed with, where the tenant has an HRMS.
    pub hrms: Option<SigningSecrets>,
}

/// What webhooks to the HRMS are signed with: each is `whsec_` and base64, as the Standard Webhooks specification
/// serialises a secret.
#[derive(Clone, Debug)]
pub struct SigningSecrets {
    pub current: SecretString,
    /// The one before, while a rotation leaves it valid for the receiver: everything is signed with both.
    pub previous: Option<SecretString>,
}

/// The secrets of one platform account, by the names that the platform's client asks for (`api_key`).
#[derive(Clone, Debug, Default)]
pub struct PlatformSecret(pub BTreeMap<String, SecretString>);

/// The token in a callback's path: 256 bits in hex. Its debug form does not show it.
#[derive(Clone)]
pub struct CallbackToken(pub SecretString);

impl CallbackToken {
    /// The token of these bits.
    pub fn of(bits: [u8; 32]) -> Self {
        Self(hex::encode(bits).into())
    }
}

impl fmt::Debug for CallbackToken {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("CallbackToken(…)")
    }
}

/// The tokens on which a platform account's callbacks are accepted.
#[derive(Clone, Debug)]
pub struct CallbackTokens {
    /// The token that new registrations carry.
    pub current: CallbackToken,
    /// The one before, while a rotation leaves it valid.
    pub previous: Option<CallbackToken>,
}

#[async_trait]
pub trait Secrets: Send + Sync {
    /// The tenant's credentials. `fresh`: bypass the cache, because the cached ones were refused.
    async fn secret(&self, tenant: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError>;

    /// The tokens of one platform account's callbacks; `None` if there is no such account.
    async fn callback_tokens(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError>;
}

/// The secrets, writable for operators. What is written takes effect within minutes, without a restart.
#[async_trait]
pub trait SecretsWriter: Secrets {
    /// Stores a tenant's credentials in place of `before`, the ones that they were derived from; `None`: there were
    /// none. If others are stored by now, nothing changes ([`Saved::Conflict`]). Each platform account keeps its
    /// callback token, and gets one if it has none; the tokens of removed accounts are removed.
    async fn put_secret(
        &self,
        tenant: &TenantId,
        before: Option<&TenantSecret>,
        secret: &TenantSecret,
    ) -> Result<Saved, StoreError>;

    /// Gives a platform account a new callback token, also under concurrent writes. The one before is accepted until
    /// `previous_until`.
    async fn rotate_callback_token(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        previous_until: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes a tenant's secrets. Returns whether there were any.
    async fn remove_secret(&self, tenant: &TenantId) -> Result<bool, StoreError>;
}
