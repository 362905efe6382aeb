//! A tenant's token, as long as it is held.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use stagecall_core::error::CallError;
use stagecall_core::skew::TOLERANCE;
use stagecall_core::timing::after;
use tokio::sync::Mutex;

/// The longest life of a token in seconds, whatever Eploy says: the documented one is 3599 (REFERENCE.md §1).
pub(crate) const MAX_LIFETIME_SECONDS: u64 = 3600;

/// A token that Eploy issued.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The whole `Authorization` header.
    pub(crate) authorization: SecretString,
    /// The granted scopes, if Eploy names them.
    pub(crate) scopes: Option<BTreeSet<String>>,
    /// Whether it came from the cache.
    pub(crate) cached: bool,
    pub(crate) asked_at: Timestamp,
    pub(crate) renew_at: Timestamp,
}

impl Token {
    /// Whether it is still usable. One issued in the future is not: the clock was ahead, so its expiry is unknown.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        let longest = after(
            self.asked_at,
            SignedDuration::from_secs(MAX_LIFETIME_SECONDS.cast_signed()),
        );
        now < self.renew_at.min(longest) && self.asked_at <= after(now, TOLERANCE)
    }
}

#[derive(Default)]
pub(crate) struct Tokens {
    pub(super) state: Mutex<State>,
    /// The number of finished token requests.
    pub(super) ended: AtomicU64,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) token: Option<Arc<Token>>,
    /// The last failure, with the number of its request.
    pub(super) failure: Option<(u64, CallError)>,
}
