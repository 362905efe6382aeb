//! Checks what must have happened in the end, after the faults have stopped.

use std::sync::PoisonError;

use stagecall_core::ids::{InvitationKey, Reference, TenantId};
use stagecall_core::invitation::{ActionRecord, FailReason, Invitation, SkipReason, State};
use stagecall_core::ports::MappingStatus;
use stagecall_core::report::Moment;
use stagecall_core::tenant::Answerable;
use stagecall_core::tenant::Tenant;

use super::{MAX_CLOCK_SKEW, Oracle, at_trigger, eploy, key, person};
use crate::plan::{outcome, percent};
use crate::world::{Action, Eploy, Participant, Platform, Progress, World};

impl Oracle {
    /// What is still open. Empty if everything has completed.
    pub fn outstanding(&self) -> Vec<String> {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = Vec::new();
        for tenant in self.memory.configured() {
            if let Some(eploy) = eploy(&world, &tenant.id) {
                self.entries(eploy, &tenant, &mut open);
            }
        }
        let rows = self.memory.rows();
        for row in &rows {
            if matches!(row.state, State::Detected | State::Sending { .. }) {
                open.push(format!("{} is still {}", row.key, row.state.name()));
            } else if row.unreported() {
                open.push(format!("{} is not reported", row.key));
            } else if let State::Skipped(SkipReason::Duplicate(Some(other))) = &row.state
                && self.memory.row(other).is_none()
                && other.application == row.key.application
            {
                open.push(format!(
                    "{} gave way to {other}, which is not recorded",
                    row.key
                ));
            } else if let Some(eploy) = eploy(&world, &row.key.tenant) {
                reason(eploy, row, &mut open);
            }
        }
        for platform in &world.platforms {
            for one in &platform.participants {
                self.result(&world, one, &rows, &mut open);
            }
        }
        self.hires(&world, &mut open);
        self.remains(&world, &mut open);
        let pending = self.memory.pending_deliveries();
        if pending > 0 {
            open.push(format!("{pending} deliveries are not settled"));
        }
        open
    }

    /// Every application that entered is invited, or there is a reason.
    fn entries(&self, eploy: &Eploy, tenant: &Tenant, open: &mut Vec<String>) {
        let Some(state) = self.memory.state(&tenant.id) else {
            return open.push(format!("{} was never polled", tenant.id));
        };
        for mapping in &tenant.mappings {
            let place = (tenant.id.clone(), mapping.id.clone());
            let version = mapping.definition_id();
            let is_on = state.mappings.get(&mapping.id).is_some_and(|known| {
                known.status == MappingStatus::Active && known.definition.as_ref() == Some(&version)
            });
            if !is_on {
                open.push(format!("{}/{} is not on", tenant.id, mapping.id));
                continue;
            }
            let was_removed = self.seen().removed.contains_key(&place);
            let was_narrowed = self.seen().narrowed.contains(&place);
            let was_paused = self.seen().paused.contains(&place);
            for application in at_trigger(eploy, mapping) {
                let taken = self.taken_since(eploy, &tenant.id, &mapping.id, application);
                // An application from a stage that was taken out of the mapping is in a stay that it does not know.
                let Some((entered, on)) = taken else {
                    continue;
                };
                let candidate = application.candidate.to_string();
                if entered < on.since + MAX_CLOCK_SKEW && !mapping.include_current
                    || self.erased(&tenant.id, &candidate).is_some()
                {
                    continue;
                }
                let id = application.id.to_string();
                let newest = self
                    .memory
                    .newest(&tenant.id, &id, &mapping.id, Clone::clone);
                let came_back = newest.as_ref().is_some_and(|newest| {
                    self.came_back(eploy, mapping, application, newest)
                        .is_some()
                });
                let missing = match newest.map(|newest| newest.state) {
                    None => Some("is not on record"),
                    Some(State::Skipped(SkipReason::MovedOn)) => {
                        Some("came back and is not invited")
                    }
                    Some(State::Skipped(SkipReason::MappingRemoved)) if !was_removed => {
                        Some("was skipped for a mapping that was never removed")
                    }
                    Some(State::Skipped(SkipReason::MappingChanged)) if !was_narrowed => {
                        Some("was skipped for a mapping that still matched it")
                    }
                    Some(State::Skipped(SkipReason::Paused)) if !was_paused => {
                        Some("was skipped for a pause that never was")
                    }
                    // Without the history, an application that returns between two polls looks like one that stayed.
                    Some(State::Skipped(SkipReason::Baseline))
                        if entered > on.at + MAX_CLOCK_SKEW
                            && !self.were_clocks_ahead()
                            && eploy.readings.history
                            && !eploy.readings.frozen =>
                    {
                        Some("was skipped, although the mapping was on")
                    }
                    Some(_) if came_back => Some("came back, and that is not recorded"),
                    Some(_) => None,
                };
                if let Some(missing) = missing {
                    open.push(format!(
                        "{} application {} for {} {missing}",
                        tenant.id, application.id, mapping.id
                    ));
                }
            }
        }
    }

    /// Eploy shows where somebody stands on the platform.
    fn result(
        &self,
        world: &World,
        one: &Participant,
        rows: &[Invitation],
        open: &mut Vec<String>,
    ) {
        let eploy = &world.eploys[one.tenant];
        let tenant = TenantId::new(format!("t{}", one.tenant));
        if self.erased(&tenant, &person(one)).is_some() {
            return;
        }
        let row = rows.iter().find(|row| holds(row, one));
        let Some(row) = row else {
            // A participant who was invited by hand belongs to no row until one adopts them.
            if let Some(key) = key(one)
                && !is_given_up(rows, &key)
                && !another_given_up(world, eploy, one, rows)
                && !another_taken(world, one, rows)
            {
                open.push(format!("{key} was accepted, and no row has it"));
            }
            return;
        };
        if is_deleted(eploy, row) {
            return;
        }
        let Some(shown) = shown(eploy, row) else {
            return open.push(format!("{} has no action", row.key));
        };
        let expected = outcome(one.progress.moment());
        if shown.outcome() != expected {
            open.push(format!(
                "{}: the action does not show {:?}",
                row.key, one.progress
            ));
        }
        if let Progress::Completed(score) = one.progress {
            if !shown.comments().ends_with(&percent(score)) {
                open.push(format!(
                    "{}: the action says \"{}\", with a score of {score}",
                    row.key,
                    shown.comments()
                ));
            }
            self.answer(eploy, row, world, rows, open);
        }
        self.status(eploy, row, open);
    }

    /// The other question is answered, whatever the outcome of the first.
    fn status(&self, eploy: &Eploy, row: &Invitation, open: &mut Vec<String>) {
        let question = self.question(row, Answerable::Status);
        if given(eploy, row, question.as_deref()).is_none() {
            open.push(format!("{}: Eploy does not show its status", row.key));
        }
    }

    /// The question that a row's own definition answers with this field.
    fn question(&self, row: &Invitation, what: Answerable) -> Option<String> {
        let definition = self.definition_of(row)?;
        let question = definition.report.questions.get(&what)?;
        Some(question.to_string())
    }

    /// The question is answered with the score, unless Eploy does not take it. Where several invitations answer the same
    /// question of an application, it is the present score of one of them.
    fn answer(
        &self,
        eploy: &Eploy,
        row: &Invitation,
        world: &World,
        rows: &[Invitation],
        open: &mut Vec<String>,
    ) {
        let question = self.question(row, Answerable::Percent);
        if question.as_deref() == eploy.readings.refused {
            return;
        }
        let answer = given(eploy, row, question.as_deref());
        let scores: Vec<String> = rows
            .iter()
            .filter(|other| other.key.tenant == row.key.tenant)
            .filter(|other| other.key.application == row.key.application)
            .filter(|other| self.question(other, Answerable::Percent) == question)
            .filter_map(|other| {
                let reference = other.reference.as_ref()?.as_str();
                let all = world.platforms.iter().flat_map(|one| &one.participants);
                let mut theirs = all.filter(|one| one.key == reference);
                match theirs.next()?.progress {
                    Progress::Completed(score) => Some(score.to_string()),
                    _ => None,
                }
            })
            .collect();
        if answer.is_none_or(|answer| !scores.iter().any(|score| score == answer)) {
            open.push(format!(
                "{}: Eploy's answer is {}, and not {}",
                row.key,
                answer.unwrap_or("missing"),
                scores.join(" or ")
            ));
        }
    }
}

/// Eploy shows why a candidate is not invited. No reason is shown for one who left the stage, was there before, came while
/// the mapping was paused or removed, or is invited by another mapping.
fn reason(eploy: &Eploy, row: &Invitation, open: &mut Vec<String>) {
    let deleted = is_deleted(eploy, row);
    let silent = deleted
        || match &row.state {
            State::Skipped(SkipReason::Duplicate(Some(other)))
                if other.application == row.key.application =>
            {
                row.revision == 0
            }
            State::Skipped(SkipReason::Duplicate(_)) | State::Failed(_) => false,
            State::Skipped(_) => row.revision == 0,
            _ => true,
        };
    if silent {
        return;
    }
    let shown = shown(eploy, row).map(Action::outcome);
    if shown != Some(outcome(Moment::Failed)) {
        open.push(format!(
            "{} is {}, and Eploy does not show why",
            row.key,
            row.state.name()
        ));
    }
}

/// Eploy's action of an invitation.
fn shown<'a>(eploy: &'a Eploy, row: &Invitation) -> Option<&'a Action> {
    let Some(ActionRecord::Created(id)) = &row.report.action else {
        return None;
    };
    let mut actions = eploy.actions.iter();
    actions.find(|action| action.id().to_string() == id.as_str())
}

/// Whether the application of a row is deleted. Then nothing can be shown.
fn is_deleted(eploy: &Eploy, row: &Invitation) -> bool {
    let one = eploy.find(&row.key.application);
    one.is_some_and(|one| one.deleted)
}

/// The answer to a question, for the application of a row.
fn given<'a>(eploy: &'a Eploy, row: &Invitation, question: Option<&str>) -> Option<&'a str> {
    let one = eploy.find(&row.key.application)?;
    one.answers.get(question?).map(String::as_str)
}

/// Whether a row has this participant.
fn holds(row: &Invitation, one: &Participant) -> bool {
    let reference = row.reference.as_ref();
    reference.map(Reference::as_str) == Some(one.key.as_str())
        && row.key.tenant.as_str() == format!("t{}", one.tenant)
}

/// Whether an invitation was given up, so that its outcome is not looked up.
fn is_given_up(rows: &[Invitation], key: &InvitationKey) -> bool {
    rows.iter().any(|row| row.key == *key && gave_up(row))
}

fn gave_up(row: &Invitation) -> bool {
    matches!(
        row.state,
        State::Failed(FailReason::OutcomeUnknown(_) | FailReason::GaveUp(_))
    )
}

/// Whether another invitation of the same person to the same assessment was given up, and this one's row took its
/// participant. Where a platform does not return our reference, they cannot be distinguished, but as many participants
/// are without a row as rows were given up.
fn another_given_up(world: &World, eploy: &Eploy, one: &Participant, rows: &[Invitation]) -> bool {
    let same = |other: &&Participant| {
        other.tenant == one.tenant
            && other.email == one.email
            && other.assessment == one.assessment
            && !rows.iter().any(|row| holds(row, other))
    };
    let platforms = world.platforms.iter().filter(|one| !one.echoes());
    let lacking = platforms.flat_map(Platform::ours).filter(same).count();
    let of_them = |row: &&Invitation| {
        let candidate = row.candidate.as_str().parse();
        row.key.tenant.as_str() == format!("t{}", one.tenant)
            && row.assessment.assessment.as_str() == one.assessment
            && candidate.is_ok_and(|candidate| eploy.email(candidate) == one.email)
    };
    let given_up = rows.iter().filter(of_them).filter(|row| gave_up(row));
    (1..=given_up.count()).contains(&lacking)
}

/// Whether a participant with the same address, invited by hand to the same assessment, was taken for an invitation of
/// ours. Where a platform does not return our reference, they cannot be distinguished.
fn another_taken(world: &World, one: &Participant, rows: &[Invitation]) -> bool {
    world
        .platforms
        .iter()
        .filter(|platform| !platform.echoes())
        .flat_map(|platform| &platform.participants)
        .filter(|other| other.by_hand.is_some())
        .filter(|other| other.email == one.email && other.assessment == one.assessment)
        .any(|other| rows.iter().any(|row| holds(row, other)))
}
