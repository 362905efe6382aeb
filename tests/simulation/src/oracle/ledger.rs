//! Checks the ledger: what is saved, and that no entry is missed.

use std::sync::PoisonError;

use stagecall_core::ids::{InvitationKey, TenantId};
use stagecall_core::invitation::{FailReason, Failure, Invitation, SkipReason, State};
use stagecall_core::ports::{Delivery, DeliveryOutcome, TenantState};
use stagecall_core::tenant::{Mapping, Reentry};
use stagecall_core::timing::seconds;

use super::{MAX_CLOCK_SKEW, Oracle, at_trigger, eploy, millis, person};
use crate::world::{Application, Eploy, Platform};

/// The first answer to an invitation: it was accepted, skipped or given up.
#[derive(Clone, Copy)]
pub(super) struct Answered {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Whether it was not sent.
    pub unsent: bool,
}

impl Oracle {
    /// Checks a new row.
    pub fn inserted(&self, row: &Invitation) {
        let name = &row.key;
        self.scheduler
            .record("new row", || format!("{name} {}", row.state.name()));
        let now = self.scheduler.time(0).as_millisecond();
        self.seen().entered.insert(name.clone(), now);
        self.note_answer(row, now);
        self.note_since(row);
        let skipped = match &row.state {
            State::Skipped(SkipReason::Duplicate(other)) => self.is_held(row, other.as_ref()),
            state => matches!(
                state,
                State::Skipped(SkipReason::Baseline | SkipReason::Paused)
            ),
        };
        self.check(row.state == State::Detected || skipped, || {
            format!("{name} begins as {}", in_words(&row.state))
        });
        self.check(row.version == 0 && row.reference.is_none(), || {
            format!("{name} does not begin at its beginning")
        });
        let Some(round) = name.round.checked_sub(1).filter(|round| *round > 0) else {
            return;
        };
        // A further round needs a reason: the application was not invited before, or the mapping asks for it.
        let mut before = name.clone();
        before.round = round;
        let answered = self.seen().answered.get(&before).copied();
        let again = self
            .definition_of(row)
            .is_some_and(|mapping| mapping.reentry == Reentry::Again);
        // It never arrived.
        let bounced = self.memory.row(&before);
        let bounced = bounced.is_some_and(|before| before.state == State::Bounced);
        self.check(
            answered.is_some_and(|answered| answered.unsent || again || bounced),
            || format!("{name} is recorded, and the round before does not allow it"),
        );
    }

    /// Checks a saved row.
    pub fn saved(&self, before: Option<&Invitation>, next: &Invitation) {
        let name = &next.key;
        self.scheduler.record("row", || {
            format!(
                "{name} v{} {} rev {}/{}",
                next.version,
                next.state.name(),
                next.report.revision,
                next.revision
            )
        });
        let now = self.scheduler.time(0).as_millisecond();
        self.note_answer(next, now);
        if before.is_none_or(|before| before.state != next.state) {
            self.possible(next, now);
        }
        let Some(before) = before else { return };
        self.check(next.state.level() >= before.state.level(), || {
            format!(
                "{name} fell from {} to {}",
                before.state.name(),
                next.state.name()
            )
        });
        self.check(next.revision >= before.revision, || {
            format!("{name} has a lower revision than before")
        });
        if before.entry.left_at.is_none() && next.entry.left_at.is_some() {
            self.check(self.was_away(next), || {
                format!("{name} counts as left, and its application never was away")
            });
        }
        if let Some(reference) = &next.reference {
            self.check(
                before.reference.is_none() || before.reference.as_ref() == Some(reference),
                || format!("{name} changed its reference"),
            );
            let owner = self
                .memory
                .owner(&name.tenant, &next.assessment.account, reference);
            self.check(owner.as_ref() == Some(name), || {
                format!("{name} names a reference that is not bound to it")
            });
        }
    }

    /// Whether a row's application may have been elsewhere since the row was inserted: at a place that not every definition
    /// of its mapping has. Where moves do not show, an old page cannot be recognised.
    fn was_away(&self, row: &Invitation) -> bool {
        let key = &row.key;
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(eploy) = eploy(&world, &key.tenant) else {
            return true;
        };
        let Some(one) = eploy.find(&key.application) else {
            return true;
        };
        let inserted = self.seen().entered.get(key).copied();
        let Some(inserted) = inserted.filter(|_| !one.deleted && !eploy.readings.frozen) else {
            return true;
        };
        let everywhere = self.always_taken(&key.tenant, &key.mapping);
        let mut stood = one.stages_since(inserted + eploy.readings.apart);
        stood.any(|stage| !everywhere.contains(&(one.vacancy, stage)))
    }

    /// Records that the running work knows that it recorded this as sent.
    pub fn has_to_publish(&self, key: &InvitationKey) {
        let job = self.scheduler.running().job;
        let mut seen = self.seen();
        seen.to_publish.entry(job).or_default().push(key.clone());
    }

    /// Checks a finished piece of work.
    pub fn done(&self) {
        let job = self.scheduler.running().job;
        let left = self.seen().to_publish.remove(&job);
        for key in left.into_iter().flatten() {
            self.violate(format!("{key} was sent, and subscribers were not notified"));
        }
    }

    /// Checks a saved state of a tenant.
    pub fn moved(&self, tenant: &TenantId, before: Option<&TenantState>, next: &TenantState) {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(eploy) = eploy(&world, tenant) else {
            return;
        };
        let was = before.and_then(|before| before.poll.cursor);
        // A cursor that a clock that was ahead has set is moved back.
        self.check(next.poll.cursor >= was || self.were_clocks_ahead(), || {
            format!("the cursor of {tenant} went back")
        });
        let now = self.scheduler.time(0).as_millisecond();
        self.let_go(eploy, tenant, before, next);
        self.note_states(tenant, next, now);
        let turned_on = |state: &TenantState| {
            let hires = state.hires.as_ref();
            hires.is_some_and(|hires| hires.baseline.is_none())
        };
        if let Some(hires) = &next.hires {
            let since = millis(hires.since).min(now);
            let mut seen = self.seen();
            seen.hires_since.entry(tenant.clone()).or_insert(since);
        }
        if turned_on(next) && !before.is_some_and(turned_on) {
            self.seen().hires_on.insert(tenant.clone(), now);
        }
        // Without changes the cursor follows our time, and polls start reading well before it.
        let Some(cursor) = next.poll.cursor.map(millis) else {
            return;
        };
        // By a clock that is ahead; it is moved back with that clock.
        if self.were_clocks_ahead() && cursor > now {
            return;
        }
        // A poll that completed without a failure before it has read everything since the cursor in one go.
        let whole = |state: &TenantState| state.poll.progress.is_none() && state.poll.failures == 0;
        let one_reading = whole(next) && before.is_none_or(whole);
        let begun = self.begun();
        for (mapping, state) in &next.mappings {
            let definition = state.definition.as_ref();
            let definition =
                definition.and_then(|version| self.definition(tenant, mapping, version));
            let Some(mapping) = definition else { continue };
            for application in at_trigger(eploy, &mapping) {
                let taken = self.taken_since(eploy, tenant, &mapping.id, application);
                let Some((entered, on)) = taken else {
                    continue;
                };
                let candidate = application.candidate.to_string();
                // Where moves do not show, the cursor means nothing.
                if eploy.readings.frozen
                    || application.modified >= cursor
                    || entered < on.since + MAX_CLOCK_SKEW
                    || self.erased(tenant, &candidate).is_some()
                {
                    continue;
                }
                let id = application.id.to_string();
                // Eploy did not return its stage, and is asked again.
                let again = next.poll.again.iter().flat_map(|again| &again.rows);
                if again.into_iter().any(|row| row.id.as_str() == id) {
                    continue;
                }
                let newest = self.memory.newest(tenant, &id, &mapping.id, Clone::clone);
                // A poll may miss an application that returns while it reads: its page may be older. The next poll
                // reads it again.
                let lacks = match &newest {
                    None => true,
                    Some(newest) => {
                        one_reading
                            && self
                                .came_back(eploy, &mapping, application, newest)
                                .is_some_and(|answered| answered < begun)
                    }
                };
                self.check(!lacks, || {
                    format!(
                        "the cursor of {tenant} passed application {}, whose entry the ledger lacks for {}",
                        application.id, mapping.id
                    )
                });
            }
        }
    }

    /// Records a stored delivery. What it reports had happened by then.
    pub fn received(&self, delivery: &Delivery) {
        let now = self.scheduler.time(0).as_millisecond();
        let key = (delivery.tenant.clone(), delivery.id.clone());
        self.seen().received.entry(key).or_insert(now);
    }

    /// Checks a delivery's outcome. It must not be handled before its result is recorded, and never while its reference
    /// belongs to no invitation: it may have overtaken the record of its own.
    pub fn settled(&self, delivery: &Delivery, fate: &DeliveryOutcome) {
        if *fate != DeliveryOutcome::Handled {
            return;
        }
        let key = (delivery.tenant.clone(), delivery.id.clone());
        let received = self.seen().received.get(&key).copied();
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        for reference in &delivery.references {
            let one = world.platforms.iter().find_map(|platform| {
                let mut all = platform.participants.iter();
                let one = all.find(|one| one.key == reference.as_str())?;
                Some((platform, one))
            });
            let owner = self
                .memory
                .owner(&delivery.tenant, &delivery.account, reference);
            let erased =
                one.is_some_and(|(_, one)| self.erased(&delivery.tenant, &person(one)).is_some());
            self.check(owner.is_some() || erased, || {
                format!(
                    "a callback of {} was settled, and its reference is bound to no invitation",
                    delivery.tenant
                )
            });
            let row = owner.and_then(|key| self.memory.row(&key));
            let (Some((platform, one)), Some(row)) = (one, row) else {
                continue;
            };
            // Where they cannot be distinguished, a lookup may have taken another one for the row's own.
            if !platform.echoes() && row.reference.as_ref() != Some(reference) {
                continue;
            }
            if received.is_some_and(|received| one.changed <= received) {
                self.check(row.state.level() >= one.progress.level(), || {
                    format!(
                        "{}: its callback was settled before it was known to be {:?}",
                        row.key, one.progress
                    )
                });
            }
        }
    }

    /// When the running work was begun, in milliseconds since 1970.
    fn begun(&self) -> i64 {
        let age = (self.scheduler.now() - self.scheduler.running().begun).cast_signed();
        self.scheduler.time(0).as_millisecond() - age
    }

    /// Records the baseline of the mapping of a new row.
    fn note_since(&self, row: &Invitation) {
        let key = &row.key;
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(eploy) = eploy(&world, &key.tenant) else {
            return;
        };
        let one = eploy.find(&key.application);
        let place = one.map(|one| self.stay(eploy, &key.tenant, &key.mapping, one).1);
        let on = place.and_then(|place| self.on(&key.tenant, &key.mapping, place));
        if let Some(on) = on {
            self.seen().since.insert(key.clone(), on.since);
        }
    }

    /// Whether a row can be skipped for that one: another mapping's of the same application, to the same assessment. It
    /// need not be recorded yet.
    fn is_held(&self, row: &Invitation, by: Option<&InvitationKey>) -> bool {
        let by = by.filter(|by| {
            by.tenant == row.key.tenant
                && by.application == row.key.application
                && by.mapping != row.key.mapping
        });
        by.is_some_and(|by| {
            let known = self.memory.row(by);
            known.is_none_or(|by| by.assessment == row.assessment)
        })
    }

    /// Records a row's first answer.
    fn note_answer(&self, row: &Invitation, now: i64) {
        let level = row.state.level();
        if level > 0 {
            let answered = Answered {
                at: now,
                unsent: level == 1 || row.state == State::Bounced,
            };
            let mut seen = self.seen();
            let known = seen.answered.entry(row.key.clone()).or_insert(answered);
            known.unsent |= answered.unsent;
        }
    }

    /// Checks that a row's state is possible in this world: every candidate has an address, none is refused, no platform
    /// gives up, no operator cancels, and a person is a duplicate only where the platform has them.
    fn possible(&self, row: &Invitation, now: i64) {
        let name = &row.key;
        let why = match &row.state {
            // The platform cannot be asked for a person it has already.
            State::Failed(FailReason::Refused(_)) if self.lacks_a_list(row) => return,
            // Who they are by now, only the application could tell.
            State::Failed(FailReason::Refused(failure) | FailReason::OutcomeUnknown(failure))
                if failure.code == Failure::APPLICATION_GONE && self.is_without_trace(row) =>
            {
                return;
            }
            State::Failed(
                FailReason::NoEmail
                | FailReason::Refused(_)
                | FailReason::OnPlatform
                | FailReason::Unanswered(_),
            )
            | State::Skipped(SkipReason::Cancelled)
            | State::Cancelled => "there is no reason for that",
            State::Failed(FailReason::GaveUp(_) | FailReason::OutcomeUnknown(_)) => {
                let since = self.seen().entered.get(name).copied().unwrap_or(now);
                let give_up_after = seconds(self.give_up_seconds).as_millis();
                if i128::from(now - since + MAX_CLOCK_SKEW) >= give_up_after
                    || self.were_clocks_ahead()
                {
                    return;
                }
                "that is too early"
            }
            State::Skipped(SkipReason::Duplicate(owner))
                if !self.is_held(row, owner.as_ref()) && !self.is_there(row, owner.as_ref()) =>
            {
                "what the platform has is nobody else's invitation"
            }
            _ => return,
        };
        self.violate(format!("{name} is {}, and {why}", in_words(&row.state)));
    }

    /// Whether a row's candidate was merged into another, and its application is deleted.
    fn is_without_trace(&self, row: &Invitation) -> bool {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let candidate = row.candidate.as_str().parse().unwrap_or_default();
        eploy(&world, &row.key.tenant).is_some_and(|eploy| {
            let application = eploy.find(&row.key.application);
            application.is_some_and(|one| one.deleted) && eploy.person(candidate) != candidate
        })
    }

    /// Whether the list of a row's platform is permanently unreadable.
    fn lacks_a_list(&self, row: &Invitation) -> bool {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let mut platforms = world.platforms.iter();
        let platform = platforms.find(|one| one.account() == row.assessment.account.as_str());
        platform.is_some_and(Platform::lacks_a_list)
    }

    /// Whether the platform has a participant with this row's address who is not, or is not taken for, the row's own. A
    /// participant who was invited by hand and adopted by no row is to be adopted, unless they came during the lookup, or
    /// the platform had named another, who is this owner's.
    fn is_there(&self, row: &Invitation, owner: Option<&InvitationKey>) -> bool {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let account = &row.assessment.account;
        let mut platforms = world.platforms.iter();
        let platform = platforms.find(|one| one.account() == account.as_str());
        let (Some(eploy), Some(platform), Ok(candidate)) = (
            eploy(&world, &row.key.tenant),
            platform,
            row.candidate.as_str().parse(),
        ) else {
            return false;
        };
        let address = eploy.email(candidate);
        let named = owner.is_some_and(|owner| *owner != row.key) && platform.names_whom_it_has();
        let begun = self.begun();
        let theirs = platform.participants.iter().filter(|one| {
            one.tenant == eploy.tenant
                && one.email == address
                && one.assessment == row.assessment.assessment.as_str()
        });
        let mut there = false;
        for one in theirs {
            let owner = self
                .memory
                .owner(&row.key.tenant, account, &one.key.as_str().into());
            let another = owner.is_some_and(|owner| owner != row.key);
            there |= match one.by_hand {
                None => another || one.client_ref != row.key.name(),
                Some(at) if !another && !named && at < begun => return false,
                Some(_) => true,
            };
        }
        there
    }

    /// Whether an application at the trigger came there after its newest invitation had been answered, with the mapping on,
    /// and so must have another one. Returns when that one had been answered.
    ///
    /// Without the history, or where moves do not show, an application that returns between two polls looks like one that
    /// stayed.
    pub(super) fn came_back(
        &self,
        eploy: &Eploy,
        mapping: &Mapping,
        application: &Application,
        newest: &Invitation,
    ) -> Option<i64> {
        let tenant = &newest.key.tenant;
        let (entered, on) = self.taken_since(eploy, tenant, &mapping.id, application)?;
        let on = on.at;
        let seen = self.seen();
        let again = seen.again.get(&(tenant.clone(), mapping.id.clone()));
        let due = matches!(newest.state, State::Skipped(_) | State::Failed(_))
            || again.is_some_and(|since| entered > *since + MAX_CLOCK_SKEW);
        let answered = seen.answered.get(&newest.key)?.at;
        let later = entered > answered && entered > on + MAX_CLOCK_SKEW;
        let visible = eploy.readings.history && !eploy.readings.frozen;
        (due && later && visible).then_some(answered)
    }
}

/// A state with its reason.
fn in_words(state: &State) -> String {
    let reason = match state {
        State::Skipped(SkipReason::Duplicate(Some(other))) => format!("duplicate of {other}"),
        State::Skipped(reason) => reason.name().to_owned(),
        State::Failed(FailReason::GaveUp(failure)) => format!("gave up: {}", failure.code),
        State::Failed(reason) => reason.code().to_owned(),
        state => return state.name().to_owned(),
    };
    format!("{} ({reason})", state.name())
}
