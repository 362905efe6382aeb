//! What an edit of a tenant's mappings makes the next poll read, for a preview of the edit.

use super::baseline::turned_on;
use super::mappings::{adopt, switch};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::ports::TenantState;
use crate::tenant::{Tenant, Trigger, Vacancies};

impl Engine {
    /// The applications that a baseline reads once the tenant is as given: those of new mappings and of what was added.
    /// `None` if the edit causes no reading. Determined as polls do it, on a copy of the tenant's state.
    pub async fn reading_of_edit(
        &self,
        next: &Tenant,
        state: Option<TenantState>,
    ) -> Result<Option<(Vec<Trigger>, Vacancies)>, StoreError> {
        let now = self.now();
        let mut state = state.unwrap_or_else(|| TenantState::new(now));
        let under_way = turned_on(&self.watched(next, &state).await?);
        adopt(next, &mut state, now);
        let watched = self.watched(next, &state).await?;
        switch(next, &mut state, &watched, now);
        let reading = turned_on(&self.watched(next, &state).await?);
        Ok(reading.filter(|reading| Some(reading) != under_way.as_ref()))
    }
}
