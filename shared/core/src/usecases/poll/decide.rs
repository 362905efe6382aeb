//! Decides what an application's row means for a mapping. Pure, so that a dry run decides exactly as the poll does.

use jiff::Timestamp;

use crate::invitation::{FailReason, Invitation, SkipReason, State};
use crate::ports::{ApplicationRow, HistoryRow, MappingStatus};
use crate::tenant::{Mapping, Position, Reentry};
use crate::usecases::poll::watched::Watched;
use crate::usecases::stage_check::entry_into;

/// A decision about an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Ignore it: it is not at a trigger, or of another vacancy.
    NotMatched,
    /// Ignore it: its entry is saved.
    Known,
    /// Save it as a new entry of this round, and invite.
    Invite {
        /// The round.
        round: u32,
    },
    /// Save it as a skipped entry.
    Skip {
        /// The round.
        round: u32,
        /// The reason.
        reason: SkipReason,
    },
    /// Read its status history: it changed, and may have left and come back since; or it left, and its row is older.
    AskHistory,
    /// Record that it is in the same stay, as of its present modification date.
    StillThere,
    /// Record that it left.
    NoteLeft,
}

/// Decides about `row`; `latest` is the mapping's newest invitation of the application.
pub fn decide(
    mapping: &Mapping,
    status: &MappingStatus,
    row: &ApplicationRow,
    latest: Option<&Invitation>,
) -> Decision {
    let at_trigger =
        mapping.vacancies.contains(&row.vacancy) && mapping.triggered_by(&row.position);
    let Some(latest) = latest else {
        return if at_trigger {
            enter(mapping, status, 1)
        } else {
            Decision::NotMatched
        };
    };
    let again = may_enter_again(mapping, latest);
    if !at_trigger {
        // Read before the saved entry, by a poll that was suspended since: it does not show anything later. Both are
        // Eploy's own times.
        let stale = (row.modified.zip(latest.entry.modified)).is_some_and(|(row, on)| row < on);
        if stale {
            return Decision::Known;
        }
        // A move of ours ends a stay once the platform has the candidate; an outcome that we set does not.
        let waits = latest.state.level() == 0;
        let by_us = if waits {
            latest.report.led_to(mapping, &row.position)
        } else {
            latest.report.is_own_outcome(mapping, &row.position)
        };
        if by_us && mapping.vacancies.contains(&row.vacancy) {
            return Decision::Known;
        }
        let matters = again || latest.state == State::Detected;
        return if matters && latest.entry.left_at.is_none() {
            Decision::NoteLeft
        } else {
            Decision::NotMatched
        };
    }
    if !again {
        return Decision::Known;
    }
    // Turned on (again): earlier events do not count, unless present applications are to be invited and this one was
    // seen away in between.
    let came_back = mapping.include_current && latest.entry.left_at.is_some();
    if matches!(status, MappingStatus::Baseline { .. }) && !came_back {
        return Decision::StillThere;
    }
    if latest.entry.left_at.is_some() {
        // Read before another poll saw it away, as above; or moves do not show in its date. Where it is now tells.
        let old = (row.modified.zip(latest.entry.modified)).is_some_and(|(row, on)| row < on);
        return if old {
            Decision::AskHistory
        } else {
            enter(mapping, status, latest.key.round.saturating_add(1))
        };
    }
    if row.modified > latest.entry.modified {
        return Decision::AskHistory;
    }
    Decision::Known
}

/// The same, of the mappings that are watched. An invitation holds its entry against other mappings that invite to the
/// same assessment; where one of these invites at every entry, that its application left is recorded, although the
/// invitation's own mapping invites once.
pub(super) fn decide_among(
    watched: &[Watched],
    one: &Watched,
    row: &ApplicationRow,
    latest: Option<&Invitation>,
) -> Decision {
    let mapping = &one.mapping;
    let decision = decide(mapping, one.status(row), row, latest);
    let is_away = decision == Decision::NotMatched;
    if is_away
        && latest.is_some_and(Invitation::holds_its_entry)
        && watched.iter().any(|other| {
            other.mapping.id != mapping.id
                && other.mapping.assessment == mapping.assessment
                && other.mapping.reentry == Reentry::Again
        })
    {
        return Decision::NoteLeft;
    }
    decision
}

/// Decides about a row whose history was read.
pub fn decide_by_history(
    mapping: &Mapping,
    status: &MappingStatus,
    latest: &Invitation,
    history: &[HistoryRow],
) -> Decision {
    // The search shows it there. A history that does not show it yet is behind, and decides nothing.
    let Some(entry) = entry_into(mapping, history) else {
        return Decision::Known;
    };
    if latest.entry.left_at.is_some() {
        return enter(mapping, status, latest.key.round.saturating_add(1));
    }
    // All are Eploy's own times: ours may differ by minutes, and by an hour if Eploy's are not UTC. Where a change of
    // stage does not move the modification date, that date may be much older than the sighting: whatever happened
    // before the row was read happened before this entry or is part of it.
    let read_at = latest
        .entry
        .seen_at
        .checked_sub(super::MAX_CLOCK_DIFFERENCE)
        .ok();
    let known_until = latest
        .entry
        .modified
        .unwrap_or(latest.entry.seen_at)
        .max(read_at.unwrap_or(Timestamp::MIN));
    let since = |at: Option<Timestamp>| at.is_some_and(|at| at > known_until);
    let another = match (&latest.entry.history, entry.away_at) {
        (Some(known), _) if *known == entry.history => false,
        // It was there when its row was read, so what lies between the two stays came later. A later beginning of the
        // present stay means nothing, because the row and its history can be dated a moment apart.
        (_, Some(away_at)) => since(Some(away_at)) && since(entry.at),
        (Some(_), None) => since(entry.at),
        (None, None) => false,
    };
    if another {
        enter(mapping, status, latest.key.round.saturating_add(1))
    } else {
        Decision::StillThere
    }
}

/// Decides about a row whose history is not readable, by where the application is now.
pub fn decide_by_position(
    mapping: &Mapping,
    status: &MappingStatus,
    latest: &Invitation,
    position: &Position,
) -> Decision {
    if latest.entry.left_at.is_none() {
        Decision::StillThere
    } else if mapping.triggered_by(position) {
        enter(mapping, status, latest.key.round.saturating_add(1))
    } else {
        Decision::Known
    }
}

/// The decision for a new entry of this round, by the mapping's status.
fn enter(mapping: &Mapping, status: &MappingStatus, round: u32) -> Decision {
    if mapping.paused {
        return Decision::Skip {
            round,
            reason: SkipReason::Paused,
        };
    }
    match status {
        MappingStatus::Active => Decision::Invite { round },
        MappingStatus::Baseline { .. } if mapping.include_current => Decision::Invite { round },
        MappingStatus::Baseline { .. } => Decision::Skip {
            round,
            reason: SkipReason::Baseline,
        },
        MappingStatus::Broken { .. } => Decision::Known,
    }
}

/// Whether a further entry would count. What was never sent, or never arrived, may always be entered again: that is how
/// a recruiter retries.
fn may_enter_again(mapping: &Mapping, latest: &Invitation) -> bool {
    match latest.state {
        State::Detected | State::Sending { .. } => false,
        // The platform has the invitation; only its result is unknown.
        State::Failed(FailReason::Unanswered(_)) => mapping.reentry == Reentry::Again,
        State::Skipped(_) | State::Failed(_) | State::Bounced => true,
        _ => mapping.reentry == Reentry::Again,
    }
}
