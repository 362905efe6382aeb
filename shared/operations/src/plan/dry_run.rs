//! A poll's decisions without their effects, on a copy of what the last poll left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stagecall_core::app::Ports;
use stagecall_core::engine::Engine;
use stagecall_core::ids::{ApplicationId, CandidateId};
use stagecall_core::ports::{
    ApplicationRow, Eploy, EployConnections, MappingStatus, Purpose, TenantState,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::{
    Inviter, Reads, adopt, broken, prove, switch, turned_on, with_proven,
};

use super::Scope;
use super::decided::{Decided, Shown};
use crate::error::{Error, Result};
use crate::installation::Installation;

const MAX_PAGES: u32 = 10_000;

/// Applications as last read.
pub(super) type Rows = BTreeMap<ApplicationId, ApplicationRow>;

/// A poll that only decides.
pub(super) struct DryRun<'a> {
    on: &'a Installation,
    engine: Engine,
    tenant: &'a Tenant,
    /// What the last poll left, and what this one would make of it.
    state: TenantState,
    eploy: Arc<dyn Eploy>,
    erased: BTreeSet<CandidateId>,
    /// Asked about those who entered.
    inviter: Option<Inviter>,
}

impl<'a> DryRun<'a> {
    /// Begins as a poll does, with calls for this purpose. With `deep`, the inviter is asked about those who entered.
    pub(super) async fn begin(
        on: &'a Installation,
        tenant: &'a Tenant,
        connections: Arc<dyn EployConnections>,
        purpose: Purpose,
        deep: bool,
    ) -> Result<Self> {
        let eploy = connections.eploy(tenant, purpose).await?;
        let ports = Ports {
            eploy: connections,
            ..on.ports()
        };
        let now = on.clock.now();
        let stored = on.states.load_state(&tenant.id).await?;
        let mut state = stored.unwrap_or_else(|| TenantState::new(now));
        adopt(tenant, &mut state, now);
        Ok(Self {
            on,
            inviter: deep.then(|| ports.inviter()),
            engine: ports.engine,
            tenant,
            state,
            eploy,
            erased: on.ledger.erased(&tenant.id).await?,
        })
    }

    /// What the poll would have of the tenant now.
    pub(super) fn into_state(self) -> TenantState {
        self.state
    }

    /// Checks whether the mappings' stages still exist.
    pub(super) async fn check_mappings(&mut self) -> Result<()> {
        let now = self.on.clock.now();
        let directory = self.eploy.directory().await?;
        let directory = with_proven(directory, &mut self.state, now);
        for one in self.engine.watched(self.tenant, &self.state).await? {
            if let (Some(reason), Some(of)) = (
                broken(&one.mapping, &directory),
                self.state.mappings.get_mut(&one.mapping.id),
            ) {
                of.status = MappingStatus::Broken {
                    reason,
                    at: Some(now),
                    on: of.status.is_on(),
                };
            }
        }
        Ok(())
    }

    /// An application; `None` if Eploy does not have it.
    pub(super) async fn application(&self, id: &ApplicationId) -> Result<Option<ApplicationRow>> {
        Ok(self.eploy.application(id).await?)
    }

    /// The applications that changed.
    pub(super) async fn changed(&self, scope: Scope) -> Result<Rows> {
        let since = match scope {
            Scope::All => None,
            Scope::Since(since) => Some(since),
            Scope::SincePoll => self.state.poll.cursor.or_else(|| Some(self.on.clock.now())),
        };
        let mut rows = Rows::new();
        for page in 1..MAX_PAGES {
            let read = self.eploy.changed_applications(since, page).await?;
            rows.extend(read.rows.into_iter().map(|row| (row.id.clone(), row)));
            if !read.more {
                break;
            }
        }
        Ok(rows)
    }

    /// Decides like a poll: first the changes, by the mappings as the last poll left them; then the applications at the
    /// stages of what was added since, which are among the changes if these are `all` there are. Returns the number of
    /// applications, and the decisions.
    pub(super) async fn decide(
        &mut self,
        changed: Rows,
        all: bool,
    ) -> Result<(usize, Vec<Decided>)> {
        let mut decided = self.decide_rows(&changed, Reads::Changes).await?;
        let watched = self.engine.watched(self.tenant, &self.state).await?;
        switch(self.tenant, &mut self.state, &watched, self.on.clock.now());
        let at_stages = if all {
            changed.clone()
        } else {
            self.at_stages().await?
        };
        let of_whom = |one: &Decided| (one.application.clone(), one.mapping.clone());
        let known: BTreeSet<_> = decided.iter().map(of_whom).collect();
        let added = self.decide_rows(&at_stages, Reads::WhoIsThere).await?;
        let added = added.into_iter();
        decided.extend(added.filter(|one| !known.contains(&of_whom(one))));
        let mut rows = changed;
        rows.extend(at_stages);
        let concerned: BTreeSet<_> = decided.iter().map(|one| one.application.clone()).collect();
        let others = rows.values().filter(|row| !concerned.contains(&row.id));
        decided.extend(others.map(Decided::nothing));
        decided.sort_by(|a, b| a.application.cmp(&b.application));
        Ok((rows.len(), decided))
    }

    /// The applications at the stages of mappings that are being turned on.
    async fn at_stages(&self) -> Result<Rows> {
        let mut rows = Rows::new();
        let watched = self.engine.watched(self.tenant, &self.state).await?;
        let Some((triggers, vacancies)) = turned_on(&watched) else {
            return Ok(rows);
        };
        for search in self.eploy.stage_searches(&triggers, &vacancies) {
            for page in 1..MAX_PAGES {
                let read = self
                    .eploy
                    .applications_at(&search.triggers, &search.vacancies, page)
                    .await?;
                rows.extend(read.rows.into_iter().map(|row| (row.id.clone(), row)));
                if !read.more {
                    break;
                }
            }
        }
        Ok(rows)
    }

    /// The decision about each application, for each mapping that matches.
    async fn decide_rows(&mut self, rows: &Rows, reads: Reads) -> Result<Vec<Decided>> {
        let ids: Vec<ApplicationId> = rows.keys().cloned().collect();
        let ledger = &self.on.ledger;
        let mut known = ledger.of_applications(&self.tenant.id, &ids).await?;
        let now = self.on.clock.now();
        for row in &mut known {
            if let Some(right) = row.set_back(now, &self.on.timing) {
                *row = right;
            }
        }
        let all: Vec<ApplicationRow> = rows.values().cloned().collect();
        let mut watched = self.engine.watched(self.tenant, &self.state).await?;
        if prove(&watched, &mut self.state, &all, now) {
            watched = self.engine.watched(self.tenant, &self.state).await?;
        }
        let rows: Vec<&ApplicationRow> = all.iter().collect();
        let cases: Vec<_> = self
            .engine
            .decide_rows::<Error>(&*self.eploy, self.tenant, &watched, &rows, &known, reads)
            .await?;
        let mut decided = Vec::new();
        for (case, decision) in cases {
            let shown = Shown {
                case,
                tenant: self.tenant,
                erased: self.erased.contains(&case.row.candidate),
                now,
            };
            decided.extend(shown.show(decision, self.inviter.as_ref()).await);
        }
        Ok(decided)
    }
}
