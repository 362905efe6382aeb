//! The health of the host: it searched for due work recently, the store takes writes, and the store is not damaged.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How old the last success of either may be.
const MAX_AGE: Duration = Duration::from_secs(30);

/// The last results of the host's parts.
pub(super) struct Pulse {
    signs: Mutex<Signs>,
}

struct Signs {
    /// When due work was last found and enqueued.
    ticked: Instant,
    /// When the store last passed its check, including a write.
    wrote: Instant,
    /// Whether the last check of the store passed.
    healthy: bool,
    /// Whether the last integrity check of the whole store passed.
    intact: bool,
}

impl Pulse {
    /// The health of a host that has just started.
    pub(super) fn new() -> Self {
        Self {
            signs: Mutex::new(Signs {
                ticked: Instant::now(),
                wrote: Instant::now(),
                healthy: true,
                intact: true,
            }),
        }
    }

    /// Due work was found and enqueued.
    pub(super) fn ticked(&self) {
        self.signs().ticked = Instant::now();
    }

    /// The store was checked.
    pub(super) fn checked(&self, healthy: bool) {
        let mut signs = self.signs();
        signs.healthy = healthy;
        if healthy {
            signs.wrote = Instant::now();
        }
    }

    /// The whole store was checked.
    pub(super) fn verified(&self, intact: bool) {
        self.signs().intact = intact;
    }

    /// The problem, in general words, because anybody may ask. The log has the details.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let signs = self.signs();
        if !signs.intact {
            Some("the store is damaged; see the log")
        } else if !signs.healthy || signs.wrote.elapsed() > MAX_AGE {
            Some("the store does not take writes; see the log")
        } else if signs.ticked.elapsed() > MAX_AGE {
            Some("no due work was searched for half a minute; see the log")
        } else {
            None
        }
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_sign_has_to_be_good() {
        let pulse = Pulse::new();
        assert_eq!(pulse.problem(), None);
        tokio::time::advance(MAX_AGE + Duration::from_secs(1)).await;
        assert!(pulse.problem().unwrap().contains("store"));
        pulse.checked(true);
        assert!(pulse.problem().unwrap().contains("due work"));
        pulse.ticked();
        assert_eq!(pulse.problem(), None);
        pulse.checked(false);
        assert!(pulse.problem().unwrap().contains("store"));
        pulse.checked(true);
        assert_eq!(pulse.problem(), None);
        pulse.verified(false);
        pulse.checked(true);
        assert!(pulse.problem().unwrap().contains("damaged"));
        pulse.verified(true);
        assert_eq!(pulse.problem(), None);
    }
}
