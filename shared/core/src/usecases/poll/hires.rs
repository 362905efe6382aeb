//! Hires in what a poll reads. Hires from before the plan was turned on are recorded first, and never announced.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::overlap::Feed;
use super::unread::log_set_aside;
use super::{PollBudget, PollError, Poller, newest, passed};
use crate::announcement::{Announcement, Event, Hire, HireKey, SkipReason, State};
use crate::error::{CallError, ErrorScope, Phase};
use crate::ids::{CandidateId, PlacementStatusId, VacancyId};
use crate::invitation::Failure;
use crate::ports::{
    ApplicationPage, ApplicationRow, Eploy, HiresState, Inserted, Overlap, PlacementPage,
    PlacementRow, Saved, TenantState,
};
use crate::tenant::{HirePlan, HiredWhen, Position, Tenant, Trigger, Vacancies};
use crate::work::Work;

/// A hire as a page shows it.
struct Sighting {
    hire: Hire,
    candidate: CandidateId,
    vacancy: VacancyId,
}

/// Brings the state in line with the configured plan: a new or changed plan starts with a baseline.
pub fn reconcile(tenant: &Tenant, state: &mut TenantState, now: Timestamp) {
    let Some(plan) = &tenant.hires else {
        state.hires = None;
        return;
    };
    let watches = watches(plan);
    if state
        .hires
        .as_ref()
        .is_none_or(|known| known.watches != watches)
    {
        state.hires = Some(HiresState {
            baseline: Some(1),
            search: 0,
            since: now,
            watches,
            // Early enough for an Eploy whose clock or time zone differs from ours. Hires by then are in the baseline.
            cursor: now.checked_sub(SignedDuration::from_mins(65)).ok(),
            reached: None,
            overlap: Overlap::default(),
            progress: None,
            failure: None,
        });
    }
}

/// A digest of what counts as a hire: if it changes, the present hires count as earlier ones.
fn watches(plan: &HirePlan) -> String {
    let triggers: Vec<_> = plan
        .triggers()
        .iter()
        .map(|trigger| (&trigger.stage, &trigger.statuses))
        .collect();
    let statuses = match &plan.when {
        HiredWhen::Stages(_) => None,
        HiredWhen::Placements(statuses) => Some(statuses),
    };
    let bytes = serde_json::to_vec(&(triggers, statuses)).unwrap_or_default();
    hex::encode(&Sha256::digest(&bytes)[..8])
}

impl Poller {
    /// Records the hires from before the plan was turned on, page by page.
    pub(super) async fn hires_baseline(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
    ) -> Result<(), PollError> {
        while let (Some(plan), Some(hires)) = (&tenant.hires, &mut state.hires) {
            let Some(page) = hires.baseline else {
                break;
            };
            let at = (hires.search, page);
            let (sightings, next) = match read_hired(eploy, tenant, plan, at).await {
                Ok(read) => read,
                Err(error) => return set_aside(tenant, hires, error, self.engine.now()),
            };
            self.not_overtaken(&tenant.id, state.version).await?;
            let now = self.engine.now();
            let recording = sightings.into_iter().map(async |sighting| {
                let row = detected(tenant, hires, sighting, now).of_baseline();
                self.announcements.insert_announcement(&row).await
            });
            try_join_all(recording).await?;
            hires.search = next.map_or(0, |(search, _)| search);
            hires.baseline = next.map(|(_, page)| page);
            hires.failure = None;
            if next.is_some() {
                self.checkpoint(budget, &tenant.id, state).await?;
            } else {
                tracing::info!(tenant = %tenant.id, "plan for hires turned on");
            }
        }
        Ok(())
    }

    /// Saves the hires in a page of changed applications. Returns how many are new.
    pub(super) async fn hired_applications(
        &self,
        tenant: &Tenant,
        state: &TenantState,
        page: &ApplicationPage,
    ) -> Result<usize, PollError> {
        let Some(plan) = &tenant.hires else {
            return Ok(0);
        };
        self.hired(tenant, state, at_triggers(plan.triggers(), &page.rows))
            .await
    }

    /// Reads the changed placements, where they signal hires, and saves the hires: one more search.
    pub(super) async fn changed_placements(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        let (Some(plan), Some(hires)) = (&tenant.hires, &mut state.hires) else {
            return Ok(());
        };
        let HiredWhen::Placements(statuses) = &plan.when else {
            return Ok(());
        };
        if hires.baseline.is_some() {
            return Ok(());
        }
        let now = self.engine.now();
        let mut progress = (hires.progress.clone())
            .unwrap_or_else(|| feed(hires).begin(now, |since| eploy.overlap(since)));
        loop {
            let page = eploy.changed_placements(progress.since, progress.page);
            let page: PlacementPage = match page.await {
                Ok(page) => page,
                Err(error) => {
                    let Some(hires) = &mut state.hires else {
                        return Err(error.into());
                    };
                    return set_aside(tenant, hires, error, self.engine.now());
                }
            };
            budget.pages += 1;
            log_set_aside(tenant, "placement", &page.set_aside);
            let sightings = of_status(statuses, &page.rows);
            *found += self.hired(tenant, state, sightings).await?;
            let dates = page.rows.iter().map(|row| (row.id.as_str(), row.modified));
            let newest = newest(tenant, "placement", self.engine.now(), dates);
            progress.newest = progress.newest.max(newest);
            if !page.more {
                break;
            }
            progress.page += 1;
            if let Some(hires) = &mut state.hires {
                hires.progress = Some(progress.clone());
            }
            self.checkpoint(budget, &tenant.id, state).await?;
        }
        if let Some(hires) = &mut state.hires {
            hires.progress = None;
            hires.failure = None;
            let before = hires.overlap.read_at.or(state.poll.last_ok);
            let passed = passed(tenant, before, &progress, now);
            feed(hires).complete(&progress, passed);
            hires.overlap.read_at = Some(self.engine.now());
        }
        Ok(())
    }

    /// Saves hires and enqueues the new ones. Returns their number.
    async fn hired(
        &self,
        tenant: &Tenant,
        state: &TenantState,
        sightings: Vec<Sighting>,
    ) -> Result<usize, PollError> {
        // During the baseline no hire is announced: one that is seen now is seen again then.
        let Some(hires) = state
            .hires
            .as_ref()
            .filter(|hires| hires.baseline.is_none())
        else {
            return Ok(0);
        };
        let settling = sightings
            .into_iter()
            .map(|sighting| self.insert_hire(tenant, hires, sighting));
        let new = try_join_all(settling).await?;
        Ok(new.into_iter().filter(|new| *new).count())
    }

    /// Saves a hire. Returns whether it is to be announced and was not before.
    async fn insert_hire(
        &self,
        tenant: &Tenant,
        hires: &HiresState,
        sighting: Sighting,
    ) -> Result<bool, PollError> {
        let now = self.engine.now();
        let row = detected(tenant, hires, sighting, now);
        let key = row.key.clone();
        // Asked first, because a hire is seen by several polls, and a rejected write costs more than a read.
        let mut known = self.announcements.load_announcement(&key).await?;
        if let Some(before) = known.take_if(|known| known.candidate != row.candidate) {
            let event = Event::CandidateMerged {
                candidate: row.candidate.clone(),
            };
            let Ok(merged) = before.apply(event, now, &self.engine.timing) else {
                return Ok(false);
            };
            if self.announcements.save_announcement(&merged.next).await? == Saved::Conflict {
                return Ok(false);
            }
            tracing::info!(tenant = %tenant.id, hire = %key.hire, before = %before.candidate, candidate = %row.candidate, "candidate merged into another");
            known = Some(merged.next);
        }
        match known {
            None => {
                if self.announcements.insert_announcement(&row).await? != Inserted::New {
                    return Ok(false);
                }
            }
            Some(known) if known.state == State::Skipped(SkipReason::MovedOn) => {
                let event = Event::SeenAgain {
                    not_before: hires.since,
                };
                let Ok(again) = known.apply(event, now, &self.engine.timing) else {
                    return Ok(false);
                };
                if self.announcements.save_announcement(&again.next).await? == Saved::Conflict {
                    return Ok(false);
                }
            }
            Some(_) => return Ok(false),
        }
        tracing::info!(tenant = %tenant.id, hire = %key.hire, "hire detected");
        self.engine.enqueue(vec![Work::Announce { key }]).await;
        Ok(true)
    }
}

/// Handles a failed reading. That hires cannot be read must not stop invitations: no hire is announced meanwhile, and
/// the state shows the reason. An error of the whole connection ends the poll, as with applications.
fn set_aside(
    tenant: &Tenant,
    hires: &mut HiresState,
    error: CallError,
    now: Timestamp,
) -> Result<(), PollError> {
    if error.phase != Phase::Refused && error.scope == ErrorScope::Connection {
        return Err(error.into());
    }
    let before = hires.failure.take();
    if before
        .as_ref()
        .is_none_or(|before| before.code != error.code)
    {
        tracing::error!(tenant = %tenant.id, code = error.code, %error, "hires not read, none are announced");
    }
    hires.failure = Some(Failure::from_call(&error, before.as_ref(), now));
    Ok(())
}

/// The state of reading the changes of placements.
fn feed(hires: &mut HiresState) -> Feed<'_> {
    Feed {
        cursor: &mut hires.cursor,
        reached: &mut hires.reached,
        overlap: &mut hires.overlap,
    }
}

/// A search, from 0, and a page of it, from 1.
type Place = (u32, u32);

/// A page of everybody who is hired, and where the next one is.
async fn read_hired(
    eploy: &dyn Eploy,
    tenant: &Tenant,
    plan: &HirePlan,
    (search, page): Place,
) -> Result<(Vec<Sighting>, Option<Place>), CallError> {
    match &plan.when {
        HiredWhen::Stages(triggers) => {
            let searches = eploy.stage_searches(triggers, &Vacancies::All);
            let Some(of) = searches.get(search as usize) else {
                // There were more when the reading began; it begins again.
                return Ok((Vec::new(), Some((0, 1))));
            };
            let read = eploy
                .applications_at(&of.triggers, &of.vacancies, page)
                .await?;
            log_set_aside(tenant, "application", &read.set_aside);
            let next = if read.more {
                Some((search, page + 1))
            } else {
                let next = search + 1;
                ((next as usize) < searches.len()).then_some((next, 1))
            };
            Ok((at_triggers(triggers, &read.rows), next))
        }
        HiredWhen::Placements(statuses) => {
            let read = eploy.placements_with(statuses, page).await?;
            log_set_aside(tenant, "placement", &read.set_aside);
            let next = read.more.then_some((search, page + 1));
            Ok((of_status(statuses, &read.rows), next))
        }
    }
}

fn detected(
    tenant: &Tenant,
    hires: &HiresState,
    sighting: Sighting,
    now: Timestamp,
) -> Announcement {
    let key = HireKey {
        tenant: tenant.id.clone(),
        hire: sighting.hire,
    };
    Announcement::detected(key, sighting.candidate, sighting.vacancy, now, hires.since)
}

fn at_triggers(triggers: &[Trigger], rows: &[ApplicationRow]) -> Vec<Sighting> {
    let hired = |row: &&ApplicationRow| triggers.iter().any(|one| one.matches(&row.position));
    rows.iter()
        .filter(hired)
        .map(|row| Sighting {
            hire: Hire::Application(row.id.clone()),
            candidate: row.candidate.clone(),
            vacancy: row.vacancy.clone(),
        })
        .collect()
}

fn of_status(statuses: &BTreeSet<PlacementStatusId>, rows: &[PlacementRow]) -> Vec<Sighting> {
    let hired = |row: &&PlacementRow| {
        row.status
            .as_ref()
            .is_some_and(|status| statuses.contains(status))
    };
    rows.iter()
        .filter(hired)
        .map(|row| Sighting {
            hire: Hire::Placement(row.id.clone()),
            candidate: row.candidate.clone(),
            vacancy: row.vacancy.clone(),
        })
        .collect()
}

/// Whether an application at this position counts as hired.
pub(super) fn is_hired(tenant: &Tenant, position: &Position) -> bool {
    let triggers = tenant.hires.iter().flat_map(HirePlan::triggers);
    triggers.into_iter().any(|one| one.matches(position))
}
