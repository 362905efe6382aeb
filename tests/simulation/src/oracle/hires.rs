//! Checks hires: no application is announced that should not be, and every other hire is in the end.

use std::sync::PoisonError;

use stagecall_core::announcement::{
    Announcement, Hire, HiredCandidate, Outcome, SkipReason, State,
};
use stagecall_core::events::{DomainEvent, What};
use stagecall_core::ids::TenantId;
use stagecall_core::timing::seconds;

use super::{MAX_CLOCK_SKEW, MAX_EPLOY_SKEW, Oracle, eploy, knows_baseline, millis};
use crate::plan::HIRED;
use crate::world::World;

impl Oracle {
    /// Checks a new announcement.
    pub fn hire_seen(&self, row: &Announcement) {
        self.scheduler.record("new announcement", || {
            format!("{} {}", row.key, row.state.name())
        });
        let begins = matches!(
            row.state,
            State::Detected | State::Skipped(SkipReason::Baseline)
        );
        self.check(
            begins && row.version == 0 && row.attempts.is_empty(),
            || format!("{} begins as {}", row.key, row.state.name()),
        );
    }

    /// Checks a saved announcement.
    pub fn announced(&self, before: Option<&Announcement>, next: &Announcement) {
        self.scheduler.record("announcement", || {
            format!("{} {}", next.key, next.state.name())
        });
        let Some(before) = before else { return };
        self.check(
            next.state == before.state
                || leads_to(&before.state, &next.state)
                || self.gives_up(before, &next.state),
            || {
                format!(
                    "the announcement of {} went from {} to {}",
                    next.key,
                    before.state.name(),
                    next.state.name()
                )
            },
        );
        self.check(keeps_the_log(before, next), || {
            format!("the delivery log of {} lost an attempt", next.key)
        });
        let Hire::Application(id) = &next.key.hire else {
            return self.violate(format!("{} is no application", next.key));
        };
        if next.state == State::Delivered {
            let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            let known_to_hrms = eploy(&world, &next.key.tenant)
                .zip(id.as_str().parse().ok())
                .is_some_and(|(eploy, id)| world.hrms.knows(eploy.tenant, id));
            self.check(known_to_hrms, || {
                format!(
                    "{} counts as delivered, and the HRMS does not know",
                    next.key
                )
            });
        }
    }

    /// Whether Eploy was asked in vain about a hire for as long as the tenant is patient.
    fn gives_up(&self, before: &Announcement, next: &State) -> bool {
        let now = self.scheduler.time(0).as_millisecond();
        let patience = seconds(self.give_up_seconds).as_millis();
        before.state == State::Detected
            && matches!(next, State::Failed(_))
            && (i128::from(now - millis(before.seen_at) + MAX_CLOCK_SKEW) >= patience
                || self.were_clocks_ahead())
    }

    /// Subscribers were told something.
    pub fn published(&self, events: &[DomainEvent]) {
        for event in events {
            if let What::Sent { invitation } = &event.what {
                let job = self.scheduler.running().job;
                let mut seen = self.seen();
                if let Some(left) = seen.to_publish.get_mut(&job) {
                    left.retain(|key| key != invitation);
                }
            }
            if let What::Hired(hired) = &event.what {
                let new = self.seen().published.insert(hired.id.clone());
                self.check(new, || format!("{} was published as hired twice", hired.id));
                self.check(self.is_theirs(hired), || {
                    format!(
                        "{} was published as a hire of {}, which has no such",
                        hired.id, hired.tenant
                    )
                });
            }
        }
    }

    /// Whether the tenant has this hire: the application is in its Eploy, and is or was at the stage of the hired.
    fn is_theirs(&self, hired: &HiredCandidate) -> bool {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let application = hired.application.as_ref();
        let number = application.and_then(|one| one.id.parse::<u32>().ok());
        let Some((eploy, number)) = eploy(&world, &hired.tenant).zip(number) else {
            return false;
        };
        let all = &eploy.applications;
        let one = all.iter().find(|one| one.id == number);
        one.is_some_and(|one| {
            let person = hired.candidate.id.parse().unwrap_or_default();
            one.entries(HIRED) > 0 && eploy.person(one.candidate) == eploy.person(person)
        })
    }

    /// Checks a webhook to a tenant's HRMS: no more webhooks than the delivery log has. A hire from before the plan was first
    /// turned on is not announced; this is not checked where pages can shift while they are read and there is no history.
    pub(super) fn check_webhook(&self, world: &World, tenant: &TenantId, application: u32) {
        let Some(eploy) = eploy(world, tenant) else {
            return;
        };
        let one = eploy.applications.iter().find(|one| one.id == application);
        if one.is_some_and(|one| self.erased(tenant, &one.candidate.to_string()).is_some()) {
            return;
        }
        let times = world.hrms.times(eploy.tenant, application);
        let row = self.memory.announcement(tenant, application);
        let logged = row.and_then(|row| row.attempts.last().map(|last| last.number));
        self.check(times <= logged.unwrap_or(0), || {
            format!("{tenant}: {application} is announced for the {times}th time, and the delivery log has {logged:?}")
        });
        let entered = one.and_then(|one| one.last_entry(HIRED));
        let Some(entered) = entered else {
            return self.violate(format!(
                "{tenant}: {application} is announced and never was hired"
            ));
        };
        if !knows_baseline(eploy) {
            return;
        }
        // The poll that turned the plan on announces hires since then before it saves its state.
        let Some(since) = self.seen().hires_since.get(tenant).copied() else {
            return;
        };
        self.check(entered - eploy.readings.apart + MAX_EPLOY_SKEW >= since, || {
            format!(
                "{tenant}: {application} was announced, but was hired before the plan was turned on"
            )
        });
    }

    /// Checks that every hire is announced.
    pub(super) fn hires(&self, world: &World, open: &mut Vec<String>) {
        for row in self.memory.announced() {
            let eploy = eploy(world, &row.key.tenant);
            let gone = match (&row.key.hire, eploy) {
                (Hire::Application(id), Some(eploy)) => {
                    eploy.find(id).is_some_and(|one| one.deleted)
                }
                _ => false,
            };
            let failed = matches!(row.state, State::Failed(_)) && !gone;
            if failed || matches!(row.state, State::Detected | State::Delivering) {
                open.push(format!(
                    "the announcement of {} is {}",
                    row.key,
                    row.state.name()
                ));
            }
        }
        for tenant in self.memory.configured() {
            let state = self.memory.state(&tenant.id).and_then(|state| state.hires);
            let (Some(eploy), Some(_)) = (eploy(world, &tenant.id), &tenant.hires) else {
                continue;
            };
            let Some(state) = state.filter(|state| state.baseline.is_none()) else {
                open.push(format!("the plan for hires of {} is not on", tenant.id));
                continue;
            };
            let on = self.seen().hires_on.get(&tenant.id).copied();
            let on = on.unwrap_or(i64::MAX);
            let hired = eploy.applications.iter();
            let hired = hired.filter(|one| one.stage == HIRED && !one.deleted);
            for application in hired {
                let entered = application.entered() - eploy.readings.apart;
                let candidate = application.candidate.to_string();
                if entered < millis(state.since) + MAX_CLOCK_SKEW
                    || self.erased(&tenant.id, &candidate).is_some()
                {
                    continue;
                }
                let known = self.memory.announcement(&tenant.id, application.id);
                let changed = self.seen().plan_changed.contains(&tenant.id);
                let known_to_hrms = match known.as_ref().map(|row| &row.state) {
                    Some(State::Skipped(SkipReason::PlanRemoved)) => changed,
                    // A second hire of one application is not announced, and neither is a first one from before.
                    Some(State::Skipped(SkipReason::Baseline)) => {
                        entered <= on + MAX_CLOCK_SKEW
                            || self.were_clocks_ahead()
                            || !eploy.readings.history
                            || application.entries(HIRED) > 1
                    }
                    Some(State::Skipped(SkipReason::MovedOn)) | None => false,
                    Some(_) => true,
                };
                if !known_to_hrms {
                    open.push(format!(
                        "{}: {} is hired and not announced ({})",
                        tenant.id,
                        application.id,
                        known.map_or("not recorded", |row| row.state.name())
                    ));
                }
            }
        }
    }
}

/// Whether the delivery log still has every attempt with its outcome. A full log may have dropped the oldest.
fn keeps_the_log(before: &Announcement, next: &Announcement) -> bool {
    let full = before.attempts.len() == Announcement::MAX_LOG_LINES;
    let mut known = before.attempts.iter().skip(usize::from(full));
    known.all(|one| {
        let mut log = next.attempts.iter();
        log.any(|other| {
            other.number == one.number
                && (other.outcome == one.outcome || one.outcome == Outcome::Unknown)
        })
    })
}

/// The states that can follow an announcement's state, without a redelivery.
fn leads_to(before: &State, next: &State) -> bool {
    match before {
        State::Detected => !matches!(next, State::Delivered | State::Failed(_)),
        State::Delivering => matches!(next, State::Delivered | State::Published | State::Failed(_)),
        // An application that returns to the stage is hired after all.
        State::Skipped(SkipReason::MovedOn) => *next == State::Detected,
        State::Published | State::Delivered | State::Skipped(_) | State::Failed(_) => false,
    }
}
