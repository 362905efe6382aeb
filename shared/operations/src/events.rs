//! What happens to invitations, as it happens.

use std::collections::HashMap;

use serde::Serialize;
use stagecall_core::Timestamp;
use stagecall_core::ids::{InvitationKey, TenantId};
use stagecall_core::invitation::HistoryEntry;
use stagecall_core::ports::InvitationFilter;
use stagecall_core::timing::{after, seconds};

use crate::error::Result;
use crate::installation::Installation;
use crate::invitations;

/// The overlap of two reads in a row, in seconds: a process that writes at the same time may be a little behind.
const OVERLAP_SECONDS: f64 = 60.0;

/// An entry of an invitation's history.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// The invitation.
    #[serde(skip)]
    pub key: InvitationKey,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name.
    pub invitation: String,
    /// What happened to it.
    #[serde(flatten)]
    pub entry: HistoryEntry,
}

/// Reads new events again and again, each once.
#[derive(Debug)]
pub struct Follower {
    tenant: Option<String>,
    begin: Timestamp,
    /// The time of the latest event.
    latest: Timestamp,
    /// For each invitation, the time up to which its history was returned, and the number of entries at that very time.
    returned: HashMap<InvitationKey, (Timestamp, usize)>,
}

impl Follower {
    /// Begins with the events after `since`, of this tenant or of all.
    pub fn new(tenant: Option<String>, since: Timestamp) -> Self {
        Self {
            tenant,
            begin: since,
            latest: since,
            returned: HashMap::new(),
        }
    }

    /// The events since the last call, in order.
    ///
    /// # Errors
    /// There is no such tenant, or the store fails.
    pub async fn next(&mut self, on: &Installation) -> Result<Vec<Event>> {
        let since = after(self.latest, seconds(-OVERLAP_SECONDS)).max(self.begin);
        let filter = InvitationFilter {
            since: Some(since),
            ..InvitationFilter::default()
        };
        let mut events = Vec::new();
        for tenant in on.named_or_all(self.tenant.as_deref()).await? {
            for one in invitations::all(on, &tenant, &filter).await? {
                let known = self.returned.get(&one.key).copied();
                let (until, count) = known.unwrap_or((self.begin, 0));
                let mut same = 0;
                for entry in &one.history {
                    same += usize::from(entry.at == until);
                    if entry.at > until || (entry.at == until && same > count) {
                        events.push(Event {
                            key: one.key.clone(),
                            tenant: one.key.tenant.clone(),
                            invitation: one.key.name(),
                            entry: entry.clone(),
                        });
                    }
                }
                let last = one.touched_at();
                let at_last = one.history.iter().filter(|entry| entry.at == last).count();
                self.returned.insert(one.key, (last, at_last));
            }
        }
        events.sort_by_key(|event| event.entry.at);
        if let Some(last) = events.last() {
            self.latest = self.latest.max(last.entry.at);
        }
        Ok(events)
    }
}
