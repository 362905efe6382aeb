//! Who is at the trigger of a mapping when it is turned on: put on record first, and invited only if asked to.

use std::collections::BTreeSet;

use super::{Poller, Stop, Turn, tell_set_aside};
use crate::ids::{MappingId, TenantId};
use crate::ports::{Eploy, MappingStatus, TenantState};
use crate::tenant::{Mapping, Tenant, Trigger, Vacancies};

impl Poller {
    /// Records who is at the trigger of the mappings that are being turned on.
    pub(super) async fn baseline(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        turn: &mut Turn,
        found: &mut usize,
    ) -> Result<(), Stop> {
        while let Some(mut reading) = Reading::of(tenant, state) {
            let read = eploy
                .applications_at(&reading.triggers(), &reading.vacancies(), reading.page)
                .await?;
            self.not_overtaken(&tenant.id, state.version).await?;
            tell_set_aside(tenant, "application", &read.set_aside);
            let new = self
                .take_in(eploy, tenant, state, &read, |id| reading.concerns(id))
                .await?;
            *found += new;
            reading.again |= new > 0;
            if read.more {
                reading.go_on(state);
            } else {
                reading.end(tenant, state);
            }
            if Reading::of(tenant, state).is_some() {
                self.go_on(turn, &tenant.id, state).await?;
            }
        }
        Ok(())
    }

    /// Asked between reading a page of who was there before and recording it: a poll that slept may have been overtaken
    /// by one that turned the mapping on, and who entered since then must not be recorded as having been there.
    pub(super) async fn not_overtaken(&self, tenant: &TenantId, version: u64) -> Result<(), Stop> {
        let stored = self.states.load_state(tenant).await?;
        if stored.map_or(0, |stored| stored.version) == version {
            Ok(())
        } else {
            Err(Stop::Overtaken)
        }
    }
}

/// One reading of everybody who is there, for all mappings that are being turned on together.
struct Reading<'a> {
    mappings: Vec<&'a Mapping>,
    /// The next page.
    page: u32,
    /// Whether another reading follows this one, if it has several pages.
    again: bool,
}

impl<'a> Reading<'a> {
    /// The reading that is under way; `None` if there is none.
    fn of(tenant: &'a Tenant, state: &TenantState) -> Option<Self> {
        let mut reading = Self {
            mappings: Vec::new(),
            page: u32::MAX,
            again: false,
        };
        for mapping in &tenant.mappings {
            let status = state.mappings.get(&mapping.id).map(|known| &known.status);
            if let Some(MappingStatus::Baseline { page, again }) = status {
                reading.mappings.push(mapping);
                reading.page = reading.page.min(*page);
                reading.again |= again;
            }
        }
        (!reading.mappings.is_empty()).then_some(reading)
    }

    fn concerns(&self, id: &MappingId) -> bool {
        self.mappings.iter().any(|mapping| mapping.id == *id)
    }

    fn triggers(&self) -> Vec<Trigger> {
        let all = self.mappings.iter().flat_map(|mapping| &mapping.triggers);
        all.cloned().collect()
    }

    /// All vacancies of the mappings.
    fn vacancies(&self) -> Vacancies {
        let mut only = BTreeSet::new();
        for mapping in &self.mappings {
            match &mapping.vacancies {
                Vacancies::All => return Vacancies::All,
                Vacancies::Only(these) => only.extend(these.iter().cloned()),
            }
        }
        Vacancies::Only(only)
    }

    /// The page was taken in, and there is another.
    fn go_on(&self, state: &mut TenantState) {
        let (page, again) = (self.page + 1, self.again);
        self.note(state, |_| MappingStatus::Baseline { page, again });
    }

    /// The last page was taken in. Everybody who was there is on record or, if the order of pages changed while they were
    /// read, was missed. Of those who are not to be invited, their status history tells later. The others are read again
    /// until a reading finds nobody new.
    fn end(&self, tenant: &Tenant, state: &mut TenantState) {
        let repeat = self.again && self.page > 1;
        self.note(state, |mapping| {
            if repeat && mapping.include_current {
                return MappingStatus::Baseline {
                    page: 1,
                    again: false,
                };
            }
            tracing::info!(tenant = %tenant.id, mapping = %mapping.id, "the mapping is on");
            MappingStatus::Active
        });
    }

    fn note(&self, state: &mut TenantState, status: impl Fn(&Mapping) -> MappingStatus) {
        for mapping in &self.mappings {
            if let Some(known) = state.mappings.get_mut(&mapping.id) {
                known.status = status(mapping);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::usecases::poll::mappings::reconcile;
    use crate::usecases::poll::tests::{mapping, tenant};

    /// How the mappings stand after pages with so many new entries were read, of readings with so many pages.
    fn after(tenant: &Tenant, readings: &[&[usize]]) -> Vec<MappingStatus> {
        let mut state = TenantState::new(Timestamp::UNIX_EPOCH);
        reconcile(tenant, &mut state, Timestamp::UNIX_EPOCH);
        for pages in readings {
            for (at, new) in pages.iter().enumerate() {
                let mut reading = Reading::of(tenant, &state).unwrap();
                assert_eq!(reading.page as usize, at + 1);
                reading.again |= *new > 0;
                if at + 1 < pages.len() {
                    reading.go_on(&mut state);
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
        }];
        assert_eq!(after(&plain, &[&[0, 0, 0]]), on);
        assert_eq!(after(&asked, &[&[7]]), on, "nobody can slip from one page");
        assert_eq!(after(&asked, &[&[9, 9]]), once_more);
        assert_eq!(after(&asked, &[&[0, 0]]), once_more);
        assert_eq!(after(&asked, &[&[9, 9], &[0, 0]]), on);
        assert_eq!(after(&asked, &[&[9, 9], &[1, 0]]), once_more);
        assert_eq!(after(&asked, &[&[9, 9], &[1, 0], &[0, 0]]), on);
        // One that waits for the other to be read again is on meanwhile.
        let both = tenant(vec![mapping(), current]);
        let [first, second] = after(&both, &[&[9, 9]]).try_into().unwrap();
        assert_eq!([first], once_more);
        assert_eq!([second], on);
    }
}
