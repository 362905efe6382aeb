//! Whether the host is alive: it looked for work a moment ago, and the store took a write and hangs together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How old the last good sign of either may be.
const MAX_AGE: Duration = Duration::from_secs(30);

/// What the host's parts last saw.
pub(super) struct Pulse {
    signs: Mutex<Signs>,
}

struct Signs {
    /// When what is due was last found and handed out.
    ticked: Instant,
    /// When the store was last found in order, and took a write.
    wrote: Instant,
    /// Whether it was in order at the last look.
    in_order: bool,
    /// Whether all of it hung together when it was last read as a whole.
    intact: bool,
}

impl Pulse {
    /// Of a host that has just begun.
    pub(super) fn new() -> Self {
        Self {
            signs: Mutex::new(Signs {
                ticked: Instant::now(),
                wrote: Instant::now(),
                in_order: true,
                intact: true,
            }),
        }
    }

    /// What is due was found and handed out.
    pub(super) fn ticked(&self) {
        self.signs().ticked = Instant::now();
    }

    /// The store was looked at.
    pub(super) fn checked(&self, in_order: bool) {
        let mut signs = self.signs();
        signs.in_order = in_order;
        if in_order {
            signs.wrote = Instant::now();
        }
    }

    /// All of the store was read.
    pub(super) fn verified(&self, intact: bool) {
        self.signs().intact = intact;
    }

    /// What is wrong, for whoever asks: in general words, because anybody may. The log says more.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let signs = self.signs();
        if !signs.intact {
            Some("the store is damaged; see the log")
        } else if !signs.in_order || signs.wrote.elapsed() > MAX_AGE {
            Some("the store does not take writes; see the log")
        } else if signs.ticked.elapsed() > MAX_AGE {
            Some("nothing was handed out for half a minute; see the log")
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
        assert!(pulse.problem().unwrap().contains("handed out"));
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
