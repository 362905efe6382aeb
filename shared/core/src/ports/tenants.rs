//! Tenants: what is configured, what is secret, and how polling stands.

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

/// The configured tenants.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// The configuration of this tenant.
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError>;
}

/// How polling a tenant stands: what Stagecall remembers, as opposed to what is configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantState {
    /// Counts the changes; every save names the version it expects.
    pub version: u64,
    /// When the next poll is due.
    pub due_at: Timestamp,
    /// When it was saved, by the clock of whoever did, see [`crate::skew`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
    /// Polling.
    #[serde(default)]
    pub poll: PollState,
    /// The mappings, by id.
    #[serde(default)]
    pub mappings: BTreeMap<MappingId, MappingState>,
    /// How looking for hires stands, where the tenant has a plan for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hires: Option<HiresState>,
    /// Why nothing works at present, if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Suspension>,
    /// Where applications were seen at a trigger that Eploy's lists lacked: that proves that it exists.
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

/// Where reading Eploy's changes stands. All times here are Eploy's own, as it writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollState {
    /// Everything that Eploy changed up to here is in the ledger.
    pub cursor: Option<Timestamp>,
    /// The newest change that the last complete poll saw. It becomes the cursor once another poll has gone over it.
    pub reached: Option<Timestamp>,
    /// How far readings go over what was read before.
    #[serde(default, skip_serializing_if = "Overlap::is_default")]
    pub overlap: Overlap,
    /// A poll that ran out of time, to be continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<PollProgress>,
    /// Pages of changes that a poll reads, on average, in hundredths.
    #[serde(default)]
    pub pages_average: u32,
    /// When a poll last succeeded, in our time.
    pub last_ok: Option<Timestamp>,
    /// Polls in a row that failed.
    pub failures: u32,
    /// What the last of them failed with, unless that was of our own or suspended the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
    /// Records set aside in the last poll because they could not be read.
    #[serde(default)]
    pub set_aside: u32,
    /// Those that were set aside last, so that somebody can look at them. They stay until they can be read, or for a week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadRecord>,
    /// Who has to be looked at again, because Eploy did not say where they stand when that was needed. The cursor may have
    /// passed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<RecheckQueue>,
    /// The feed that the last poll read; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<Feed>,
    /// The stage scan, where one belongs to the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<StageScan>,
}

/// A reading of who is at the trigger stages, done again and again: as the feed of changes, or to catch what the feed
/// missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageScan {
    /// When it goes on, in our time.
    pub at: Timestamp,
    /// The search of it that comes next, from 0.
    #[serde(default)]
    pub search: u32,
    /// The page of it that comes next, from 1.
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
    /// How many entries it found that the feed missed.
    #[serde(default)]
    pub missed: u32,
    /// When that last came out, in our time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_at: Option<Timestamp>,
    /// When a pass was last completed, in our time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Why it cannot be made, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
}

impl StageScan {
    /// One that begins at `at`.
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

/// An application that a poll could not read, and so could invite nobody for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadRecord {
    /// Its id, if at least that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is wrong with it, without its content.
    pub reason: String,
    /// When it was last seen so.
    pub at: Timestamp,
}

/// Applications that have to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecheckQueue {
    /// As a search last showed them.
    pub rows: Vec<ApplicationRow>,
    /// How often that was in vain in a row.
    pub times: u32,
    /// When.
    pub at: Timestamp,
}

/// How the overlap of readings stands, which every reading begins with: what was changed shortly before the newest change
/// that was seen. Where that is many records, it is gone over ever more rarely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overlap {
    /// For how many seconds, by our clock, polls have seen nothing newer.
    pub quiet_seconds: u32,
    /// How many readings leave the overlap out, before one goes over it again.
    pub light_left: u32,
    /// How many will after that one, unless there is little to go over by then.
    pub spacing: u32,
    /// When the last reading of everything ended, by our clock. The poll that made it may have failed after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Where Eploy's time was at least when that reading began: up to there it has shown everything once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_to: Option<Timestamp>,
}

impl Overlap {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a poll stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollProgress {
    /// What it asked for: changes since then, or everything.
    pub since: Option<Timestamp>,
    /// The next page, from 1.
    pub page: u32,
    /// The newest change seen so far.
    pub newest: Option<Timestamp>,
    /// Whether it leaves the overlap out, see [`Overlap::light_left`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub light: bool,
    /// When it began, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
}

/// What is remembered of the plan for hires. Times of placements are Eploy's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HiresState {
    /// While recording who was hired before the plan was turned on: the next page to read, from 1.
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
    /// Every placement that changed up to here was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Timestamp>,
    /// The newest change of a placement that the last complete reading saw, see [`PollState::reached`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Timestamp>,
    /// How far readings of placements go over what was read before.
    #[serde(default, skip_serializing_if = "Overlap::is_default")]
    pub overlap: Overlap,
    /// A reading of placements that ran out of time, to be continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<PollProgress>,
    /// Why hires cannot be read, if they cannot. Applications are read all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
}

/// Where an application was seen although Eploy's lists lacked its stage or status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// Where.
    pub position: Position,
    /// When last.
    pub at: Timestamp,
}

/// What is remembered of a mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MappingState {
    /// How it stands.
    pub status: MappingStatus,
    /// Since when it takes whom it takes: when it was first seen, or its vacancies or triggers last changed.
    pub since: Timestamp,
    /// The version that polls read by. A change of the mapping counts from when everything that changed before was read by
    /// this one. `None`, of an earlier program: see [`MappingState::watches`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<DefinitionId>,
    /// Whom it took before its vacancies or triggers last changed, oldest first: of them it is on without a break.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierPart>,
    /// A digest that an earlier program kept in place of a version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub watches: String,
    /// Whether the last check missed one of its stages. A list can be short for once; a second check that agrees breaks the
    /// mapping.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubted: bool,
}

/// A version of a mapping that took others than the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierPart {
    /// Which.
    pub definition: DefinitionId,
    /// Since when it took them.
    pub since: Timestamp,
    /// Whether it was on: the reading of who was there had come to its end.
    pub on: bool,
}

/// How a mapping stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingStatus {
    /// Recording who was at the stage before it was turned on; the next page, from 1.
    Baseline {
        /// The next page to read.
        page: u32,
        /// Whether another reading has to follow this one if it has several pages: where those who were there are to be
        /// invited, whoever slipped from one page to another while they were read must not be missed.
        #[serde(default)]
        again: bool,
        /// Whether it was broken before: then whoever changed since [`MappingState::since`] is not of those who were there,
        /// unless their status history says so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        after_break: bool,
        /// The search that is being read, from 0, see [`Eploy::stage_searches`](super::Eploy::stage_searches).
        #[serde(default)]
        search: u32,
    },
    /// Inviting.
    Active,
    /// Cannot work as configured; in words for people.
    Broken {
        /// Why, and what to do.
        reason: String,
        /// Since when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// Whether it was on before: it goes on where it was when it is mended.
        #[serde(default = "yes")]
        on: bool,
    },
}

impl MappingStatus {
    /// Whether the reading of who was there has come to its end.
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
    /// When it will be tried again.
    pub until: Timestamp,
}

/// How polling stands, per tenant.
#[async_trait]
pub trait TenantStates: Send + Sync {
    /// The tenant's state, if it has one yet.
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError>;

    /// Saves `next` if the stored version is `next.version - 1`; or if there is none, `next.version` is 1 and the tenant is
    /// configured, so that a poll under way leaves nothing of a tenant that was removed meanwhile.
    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError>;
}

/// Counts the calls to a tenant's Eploy, per day.
#[async_trait]
pub trait Allowance: Send + Sync {
    /// Takes `calls` from the tenant's allowance of `day` (`2026-11-22`), unless that would bring its use above
    /// `ceiling`. Returns whether it did; all or nothing.
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError>;

    /// How many were taken on `day`.
    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError>;
}

/// A tenant's secrets. Does not print.
#[derive(Clone, Debug)]
pub struct TenantSecret {
    /// Eploy's client id.
    pub eploy_client_id: SecretString,
    /// Eploy's client secret.
    pub eploy_client_secret: SecretString,
    /// Per platform account.
    pub platforms: BTreeMap<AccountId, PlatformSecret>,
    /// What hires are signed with, where the tenant's HRMS is told of them.
    pub hrms: Option<SigningSecrets>,
}

/// What webhooks to the HRMS are signed with: each is `whsec_` and base64, as the Standard Webhooks specification
/// serialises a secret.
#[derive(Clone, Debug)]
pub struct SigningSecrets {
    /// The one that is valid from now on.
    pub current: SecretString,
    /// The one before, for as long as a rotation leaves the receiver with it: everything is signed with both.
    pub previous: Option<SecretString>,
}

/// The secrets of one platform account, by the names that the platform's client asks for (`api_key`).
#[derive(Clone, Debug, Default)]
pub struct PlatformSecret(pub BTreeMap<String, SecretString>);

/// The token in a callback's path: 256 bits in hex. Does not print.
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
    /// The one that new registrations carry.
    pub current: CallbackToken,
    /// The one before, for as long as a rotation leaves it valid.
    pub previous: Option<CallbackToken>,
}

/// The secrets.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The tenant's credentials. `fresh`: do not answer from a cache, because what it had was refused.
    async fn secret(&self, tenant: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError>;

    /// The tokens of one platform account's callbacks; `None` if there is no such account.
    async fn callback_tokens(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError>;
}

/// The secrets, in the hands of an operator. What is written is in use within minutes, without a restart.
#[async_trait]
pub trait SecretsWriter: Secrets {
    /// Stores a tenant's credentials in place of `before`, the ones that they were made from; `None`: there were none. If
    /// others are stored by now, nothing changes ([`Saved::Conflict`]). Each platform account keeps its callback token, and
    /// gets one if it has none; the token of an account that is no more goes.
    async fn put_secret(
        &self,
        tenant: &TenantId,
        before: Option<&TenantSecret>,
        secret: &TenantSecret,
    ) -> Result<Saved, StoreError>;

    /// Gives a platform account a new callback token, whoever else writes at the same time. The one before is accepted
    /// until `previous_until`.
    async fn rotate_callback_token(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        previous_until: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes a tenant's secrets. Returns whether there were any.
    async fn remove_secret(&self, tenant: &TenantId) -> Result<bool, StoreError>;
}
