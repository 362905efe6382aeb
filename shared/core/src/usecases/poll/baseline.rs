//! The baseline: the applications at a mapping's trigger when it is turned on are saved first, and invited only if
//! configured.

use std::collections::BTreeSet;

use super::cases::Reads;
use super::unread::log_set_aside;
use super::watched::Watched;
use super::{PollBudget, PollError, Poller, scan};
use crate::ids::TenantId;
use crate::ports::{Eploy, MappingStatus, TenantState};
use crate::tenant::{Mapping, Tenant, Trigger, Vacancies};

impl Poller {
    /// Records the applications at the triggers of the mappings that are being turned on.
    pub(super) async fn baseline(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        let mut watched = self.engine.watched(tenant, state).await?;
        while let Some(mut reading) = Reading::of(&watched, state) {
            let (triggers, vacancies) = scope(&reading.mappings);
            let searches = eploy.stage_searches(&triggers, &vacancies);
            let Some(search) = searches.get(reading.search as usize) else {
                // The list was longer when the reading began; it begins again.
                reading.begin(state);
                watched = self.engine.watched(tenant, state).await?;
                continue;
            };
            let read = eploy
                .applications_at(&search.triggers, &search.vacancies, reading.page)
                .await?;
            self.not_overtaken(&tenant.id, state.version).await?;
            log_set_aside(tenant, "application", &read.set_aside);
            let new = self
                .ingest_page(eploy, tenant, state, &read, Reads::WhoIsThere)
                .await?;
            *found += new;
            scan::forget_moved(state, &read.rows);
            reading.again |= new > 0;
            if read.more {
                reading.checkpoint(state);
            } else if (reading.search as usize) + 1 < searches.len() {
                reading.next_search(state);
            } else {
                reading.end(tenant, state);
            }
            watched = self.engine.watched(tenant, state).await?;
            if Reading::of(&watched, state).is_some() {
                self.checkpoint(budget, &tenant.id, state).await?;
            }
        }
        Ok(())
    }

    /// Called between reading a page of the baseline and recording it. A poll that was suspended may have been
    /// overtaken by one that turned the mapping on, and entries since then must not be recorded as baseline.
    pub(super) async fn not_overtaken(
        &self,
        tenant: &TenantId,
        version: u64,
    ) -> Result<(), PollError> {
        let stored = self.states.load_state(tenant).await?;
        if stored.map_or(0, |stored| stored.version) == version {
            Ok(())
        } else {
            Err(PollError::Overtaken)
        }
    }
}

/// The applications to read for the mappings that are being turned on: theirs, or more. `None` if there are no such
/// mappings.
pub fn turned_on(watched: &[Watched]) -> Option<(Vec<Trigger>, Vacancies)> {
    let turned_on = watched.iter().filter(|one| one.is_turned_on());
    let turned_on: Vec<Watched> = turned_on.cloned().collect();
    (!turned_on.is_empty()).then(|| scope(&turned_on))
}

fn scope(mappings: &[Watched]) -> (Vec<Trigger>, Vacancies) {
    let mut triggers = Vec::new();
    let mut only = Some(BTreeSet::new());
    for one in mappings {
        let (at, of) = one.added();
        triggers.extend(at);
        match (of, &mut only) {
            (Vacancies::Only(these), Some(only)) => only.extend(these),
            (Vacancies::All, only) => *only = None,
            (Vacancies::Only(_), None) => {}
        }
    }
    (triggers, only.map_or(Vacancies::All, Vacancies::Only))
}

/// One reading of the baseline, for all mappings that are being turned on together.
struct Reading {
    mappings: Vec<Watched>,
    /// The search in progress, from 0.
    search: u32,
    /// Its next page.
    page: u32,
    /// Whether another reading follows this one, if it has several pages.
    again: bool,
}

impl Reading {
    /// The reading in progress; `None` if there is none.
    fn of(watched: &[Watched], state: &TenantState) -> Option<Self> {
        let mut reading = Self {
            mappings: Vec::new(),
            search: u32::MAX,
            page: u32::MAX,
            again: false,
        };
        for one in watched {
            let known = state.mappings.get(&one.mapping.id);
            if let Some(MappingStatus::Baseline {
                page,
                again,
                search,
                ..
            }) = known.map(|known| &known.status)
            {
                reading.mappings.push(one.clone());
                // The least advanced one.
                (reading.search, reading.page) =
                    (reading.search, reading.page).min((*search, *page));
                reading.again |= again;
            }
        }
        (!reading.mappings.is_empty()).then_some(reading)
    }

    /// A page was processed, and there is another.
    fn checkpoint(&self, state: &mut TenantState) {
        self.note_at(state, self.search, self.page + 1);
    }

    /// The last page of a search was processed, and there is another search.
    fn next_search(&self, state: &mut TenantState) {
        self.note_at(state, self.search + 1, 1);
    }

    /// Starts from the first page.
    fn begin(&self, state: &mut TenantState) {
        self.note_at(state, 0, 1);
    }

    fn note_at(&self, state: &mut TenantState, search: u32, page: u32) {
        let again = self.again;
        self.note(state, |_, after_break| MappingStatus::Baseline {
            page,
            again,
            search,
            after_break,
        });
    }

    /// The last page was processed. Every application that was there is saved or, if the order of pages changed during
    /// the reading, was missed. Missed applications that are not to be invited are recognised later by their status
    /// history. Those to be invited are read again until a reading finds none new.
    fn end(&self, tenant: &Tenant, state: &mut TenantState) {
        let repeat = self.again && (self.page > 1 || self.search > 0);
        self.note(state, |mapping, after_break| {
            if repeat && mapping.include_current {
                return MappingStatus::Baseline {
                    page: 1,
                    again: false,
                    after_break,
                    search: 0,
                };
            }
            tracing::info!(tenant = %tenant.id, mapping = %mapping.id, "mapping turned on");
            MappingStatus::Active
        });
    }

    fn note(&self, state: &mut TenantState, status: impl Fn(&Mapping, bool) -> MappingStatus) {
        for Watched { mapping, .. } in &self.mappings {
            if let Some(known) = state.mappings.get_mut(&mapping.id)
                && let MappingStatus::Baseline { after_break, .. } = known.status
            {
                known.status = status(mapping, after_break);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::usecases::poll::mappings::adopt;
    use crate::usecases::poll::tests::{mapping, tenant};

    /// The mappings' statuses after pages with these numbers of new entries, per reading.
    fn after(tenant: &Tenant, readings: &[&[usize]]) -> Vec<MappingStatus> {
        let mut state = TenantState::new(Timestamp::UNIX_EPOCH);
        adopt(tenant, &mut state, Timestamp::UNIX_EPOCH);
        let watched: Vec<_> = tenant
            .mappings
            .iter()
            .map(|one| Watched::new(one.clone(), state.mappings[&one.id].clone()))
            .collect();
        for pages in readings {
            for (at, new) in pages.iter().enumerate() {
                let mut reading = Reading::of(&watched, &state).unwrap();
                assert_eq!(reading.page as usize, at + 1);
                reading.again |= *new > 0;
                if at + 1 < pages.len() {
                    reading.checkpoint(&mut state);
                } else {
                    reading.end(tenant, &mut state);
                }
            }
        }
        let all = state.mappings.into_values();
        all.map(|known| known.status).collect()
    }

    #[test]
    fn those_who_are_to_be_invited_are_read_until_nobody_is_new() {
        let plain = tenant(vec![mapping()]);
        let current = Mapping {
            id: "current".into(),
            include_current: true,
            ..mapping()
        };
        let asked = tenant(vec![current.clone()]);
        let on = [MappingStatus::Active];
        let once_more = [MappingStatus::Baseline {
            page: 1,
            again: false,
            after_break: false,
            search: 0,
        }];
        assert_eq!(after(&plain, &[&[0, 0, 0]]), on);
        assert_eq!(after(&asked, &[&[7]]), on, "nobody can slip from one page");
        assert_eq!(after(&asked, &[&[9, 9]]), once_more);
        assert_eq!(after(&asked, &[&[0, 0]]), once_more);
        assert_eq!(after(&asked, &[&[9, 9], &[0, 0]]), on);
        assert_eq!(after(&asked, &[&[9, 9], &[1, 0]]), once_more);
        assert_eq!(after(&asked, &[&[9, 9], &[1, 0], &[0, 0]]), on);
        // A mapping that waits for the other's second reading is on meanwhile.
        let both = tenant(vec![mapping(), current]);
        let [first, second] = after(&both, &[&[9, 9]]).try_into().unwrap();
        assert_eq!([first], once_more);
        assert_eq!([second], on);
    }
}
