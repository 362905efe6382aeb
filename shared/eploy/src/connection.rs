//! What all clients of one tenant share: token, allowance, and a cache of facts about its Eploy.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use stagecall_core::clock::Clock;
use stagecall_core::error::{CallError, Phase};
use stagecall_core::ids::{TenantId, VacancyId};
use stagecall_core::ports::{Purpose, Secrets, TokenCache, Vacancy};
use stagecall_core::skew::TOLERANCE;
use stagecall_core::timing::after;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};
use tokio::time::Instant;
use url::Url;

use crate::allowance::{Budget, BudgetExhausted};
use crate::dialect::Dialect;
use crate::errors::{Permission, Problem};
use crate::token::Tokens;
use crate::wire::Page;

/// The maximum response size in bytes: a page of a thousand records with room to spare.
const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// How long a vacancy is cached: titles and companies hardly ever change.
const VACANCY_TTL: SignedDuration = SignedDuration::from_hours(1);
const MAX_CACHED_VACANCIES: usize = 500;

/// How long the history is not tried again after Eploy refused it: long enough to save calls, short enough to notice a
/// granted permission.
const HISTORY_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// How long a successful call proves its permission.
const PERMISSION_TTL: SignedDuration = SignedDuration::from_hours(1);

/// The maximum number of multi-page reads tracked at a time; a tenant seldom has more than three.
const MAX_TRACKED_READINGS: usize = 20;

/// A digest for comparison within this process.
pub(crate) fn digest(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    hasher.finish()
}

/// One tenant's Eploy, as this process knows it.
pub(crate) struct Connection {
    pub(crate) tenant: TenantId,
    /// The API's address, ending in `/api/`.
    pub(crate) api: Url,
    pub(crate) dialect: Dialect,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) transport: Arc<dyn Transport>,
    /// The time limit of one call, including a token request, its renewal and a second attempt.
    pub(crate) call_limit: Duration,
    pub(crate) budget: Budget,
    pub(crate) token_cache: Option<Arc<dyn TokenCache>>,
    pub(crate) tokens: Tokens,
    pub(crate) cache: Mutex<Cache>,
}

/// Cached facts about a tenant's Eploy.
#[derive(Default)]
pub(crate) struct Cache {
    vacancies: HashMap<VacancyId, (Vacancy, Timestamp)>,
    history_rests_until: Option<Timestamp>,
    /// When a call that needs a permission last succeeded, by scope.
    permitted_at: HashMap<String, Timestamp>,
    /// Of unfinished reads: the page read last, by a digest of the search.
    pages: HashMap<u64, ReadPage>,
}

/// A page that was read and is not the last.
struct ReadPage {
    number: u32,
    /// A digest of each of its records.
    records: HashSet<u64>,
}

impl Connection {
    /// Sends one request: counts it, keeps to the time limit, and maps a missing response to an error.
    pub(crate) async fn exchange(
        &self,
        purpose: Purpose,
        operation: &'static str,
        request: Request,
        end: Instant,
    ) -> Result<Response, CallError> {
        self.budget
            .take(purpose, self.clock.now())
            .await
            .map_err(|spent| match spent {
                BudgetExhausted::Until(next) => {
                    let mut error = Problem::AllowanceOurs.error(operation, "");
                    error.retry_at = Some(next);
                    error
                }
                BudgetExhausted::Store(error) => {
                    Problem::AllowanceStore.error(operation, &error.to_string())
                }
            })?;
        // Counting may have taken long. A lease holder relies on nothing being sent after the deadline.
        let time = end.saturating_duration_since(Instant::now());
        if time.is_zero() {
            let mut late =
                Problem::NoAnswer.error(operation, "the time was up before the request was sent");
            late.phase = Phase::NotSent;
            return Err(late);
        }
        let limits = Limits {
            time,
            answer: MAX_RESPONSE_BYTES,
        };
        self.transport
            .send(request, limits)
            .await
            .map_err(|error| match error {
                TransportError::NotSent(_) if error.is_unresolved() => {
                    Problem::HostUnknown.error(operation, &error.to_string())
                }
                TransportError::NotSent(why) => Problem::Unreachable.error(operation, &why),
                TransportError::Guarded(why) => Problem::Guarded.error(operation, &why),
                TransportError::Lost(why) => Problem::NoAnswer.error(operation, &why),
                TransportError::TooLarge(limit) => {
                    Problem::TooLarge.error(operation, &format!("more than {limit} bytes"))
                }
                TransportError::Encoded(_) => {
                    Problem::Unreadable.error(operation, &error.to_string())
                }
            })
    }

    /// A vacancy read a short while ago.
    pub(crate) fn known_vacancy(&self, id: &VacancyId) -> Option<Vacancy> {
        let cache = self.cache();
        let (vacancy, read_at) = cache.vacancies.get(id)?;
        let now = self.clock.now();
        let fresh = now < after(*read_at, VACANCY_TTL) && *read_at <= after(now, TOLERANCE);
        fresh.then(|| vacancy.clone())
    }

    /// Caches a vacancy, in place of the oldest if the cache is full.
    pub(crate) fn learn_vacancy(&self, vacancy: &Vacancy) {
        let now = self.clock.now();
        let vacancies = &mut self.cache().vacancies;
        if vacancies.len() >= MAX_CACHED_VACANCIES
            && let Some(oldest) = vacancies
                .iter()
                .min_by_key(|(_, (_, read_at))| *read_at)
                .map(|(id, _)| id.clone())
        {
            vacancies.remove(&oldest);
        }
        vacancies.insert(vacancy.id.clone(), (vacancy.clone(), now));
    }

    /// Whether Eploy refused the history a short while ago.
    pub(crate) fn history_rests(&self) -> bool {
        self.cache().history_rests_until.is_some_and(|until| {
            let now = self.clock.now();
            now < until && until <= after(now, HISTORY_RETRY_AFTER + TOLERANCE)
        })
    }

    /// Records that Eploy refuses the history.
    pub(crate) fn rest_history(&self) {
        self.cache().history_rests_until = Some(after(self.clock.now(), HISTORY_RETRY_AFTER));
    }

    /// Records that a call with this permission succeeded.
    pub(crate) fn note_permitted(&self, permission: Permission) {
        let now = self.clock.now();
        self.cache().permitted_at.insert(permission.scope(), now);
    }

    /// Whether a call with this permission succeeded a short while ago. If so, a refusal is about the record.
    pub(crate) fn was_permitted(&self, permission: Permission) -> bool {
        let cache = self.cache();
        let at = cache.permitted_at.get(&permission.scope());
        at.is_some_and(|at| self.clock.now() < after(*at, PERMISSION_TTL))
    }

    /// Whether a page has a record that the page before did not have, if both were read by this process. A server that
    /// ignores the page number returns the same page for ever.
    pub(crate) fn gets_on(&self, search: u64, number: u32, page: &Page) -> bool {
        let records: HashSet<u64> = page.records.iter().map(digest).collect();
        let pages = &mut self.cache().pages;
        let before = pages.remove(&search);
        let repeats = before.is_some_and(|before| {
            before.number + 1 == number && !records.is_empty() && records.is_subset(&before.records)
        });
        if page.more {
            if pages.len() >= MAX_TRACKED_READINGS {
                pages.clear();
            }
            pages.insert(search, ReadPage { number, records });
        }
        !repeats
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
