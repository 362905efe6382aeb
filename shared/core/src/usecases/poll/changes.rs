//! Reads the changed applications.

use super::cases::Reads;
use super::feed::Changes;
use super::overlap::Feed;
use super::unread::{log_set_aside, remember_unread};
use super::{PollBudget, PollError, Poller, feed, mappings, newest, pages, passed, scan};
use crate::ports::{Eploy, PollState, TenantState};
use crate::tenant::Tenant;

impl Poller {
    /// Reads the changes, page by page, and moves the cursor.
    pub(super) async fn changes(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        let now = self.engine.now();
        if mappings::any_turned_on(state) || mappings::is_changed(tenant, state) {
            // None may be left for later and then count as part of the baseline.
            state.poll.overlap.light_left = 0;
            state.poll.progress.take_if(|reading| reading.light);
        }
        let mut progress = (state.poll.progress.clone())
            .unwrap_or_else(|| position(&mut state.poll).begin(now, |since| eploy.overlap(since)));
        let mut set_aside = 0;
        loop {
            let Changes { page, dates } = self
                .read_changes(eploy, tenant, state, progress.since, progress.page)
                .await?;
            budget.pages += 1;
            set_aside += log_set_aside(tenant, "application", &page.set_aside);
            remember_unread(&mut state.poll.unread, &page, self.engine.now());
            let newer = pages::newer(state, &page);
            *found += self
                .ingest_page(eploy, tenant, state, &newer, Reads::Changes)
                .await?;
            *found += self.hired_applications(tenant, state, &page).await?;
            self.note_residents(tenant, state, &page.rows).await?;
            scan::confirm(state, &feed::shown(&dates));
            let dates = dates.iter().map(|(id, at)| (id.as_str(), *at));
            let newest = newest(tenant, "application", self.engine.now(), dates);
            progress.newest = progress.newest.max(newest);
            if !page.more {
                break;
            }
            progress.page += 1;
            state.poll.progress = Some(progress.clone());
            self.checkpoint(budget, &tenant.id, state).await?;
        }
        state.poll.progress = None;
        state.poll.set_aside = set_aside;
        // A light reading skips what the next one shows.
        if !progress.light {
            scan::count_missed(tenant, state, self.engine.now());
        }
        // Changes during a mapping's baseline are read once more after it.
        if !mappings::any_turned_on(state) {
            let before = state.poll.overlap.read_at.or(state.poll.last_ok);
            let passed = passed(tenant, before, &progress, now);
            position(&mut state.poll).complete(&progress, passed);
            state.poll.overlap.read_at = Some(self.engine.now());
        }
        Ok(())
    }
}

/// The state of reading the changes of applications.
fn position(poll: &mut PollState) -> Feed<'_> {
    Feed {
        cursor: &mut poll.cursor,
        reached: &mut poll.reached,
        overlap: &mut poll.overlap,
    }
}
