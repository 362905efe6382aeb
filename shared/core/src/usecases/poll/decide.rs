//! What an application's row means for a mapping. Pure, so that a rehearsal decides exactly as the poll does.

use jiff::Timestamp;

use crate::invitation::{FailReason, Invitation, SkipReason, State};
use crate::ports::{ApplicationRow, HistoryRow, MappingStatus};
use crate::tenant::{Mapping, Reentry};
use crate::usecases::stage_check::entry_into;

/// What to do about an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it is not at the trigger, or of another vacancy.
    NotMatched,
    /// Nothing: its entry is on record.
    Known,
    /// Put it on record as a new entry, of this round, and invite.
    Invite {
        /// The round.
        round: u32,
    },
    /// Put it on record as an entry that is passed over.
    Skip {
        /// The round.
        round: u32,
        /// Why.
        reason: SkipReason,
    },
    /// It changed and could have left and come back since: the status history tells.
    AskHistory,
    /// Note that it is in the same stay, as of its present modification date.
    StillThere,
    /// Note that it left.
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
        // Read before the entry that is on record, by a poll that slept since: it tells nothing of what came after. Both
        // are Eploy's own times.
        let stale = (row.modified.zip(latest.entry.modified)).is_some_and(|(row, on)| row < on);
        if stale {
            return Decision::Known;
        }
        // A move of ours ends a stay, once the platform has the candidate; an outcome that we set does not.
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
    // Turned on (again): whatever happened before is past, except for one who is to be invited for being there, and was
    // seen away in between.
    let came_back = mapping.include_current && latest.entry.left_at.is_some();
    if matches!(status, MappingStatus::Baseline { .. }) && !came_back {
        return Decision::StillThere;
    }
    if latest.entry.left_at.is_some() {
        return enter(mapping, status, latest.key.round.saturating_add(1));
    }
    if row.modified > latest.entry.modified {
        return Decision::AskHistory;
    }
    Decision::Known
}

/// Decides about a row for which the history was asked.
pub fn decide_by_history(
    mapping: &Mapping,
    status: &MappingStatus,
    latest: &Invitation,
    history: &[HistoryRow],
) -> Decision {
    // The search says that it is there. A history that does not know of it yet is behind, and decides nothing.
    let Some(entry) = entry_into(mapping, history) else {
        return Decision::Known;
    };
    // All are Eploy's own times: ours may differ by minutes, and by an hour if Eploy's are not UTC.
    // Where a change of stage does not move the modification date, that may be much older than what was seen: whatever
    // happened before the row was read, happened before this entry or is part of it.
    let read_at = latest.entry.seen_at.checked_sub(super::APART).ok();
    let known_until = latest
        .entry
        .modified
        .unwrap_or(latest.entry.seen_at)
        .max(read_at.unwrap_or(Timestamp::MIN));
    let since = |at: Option<Timestamp>| at.is_some_and(|at| at > known_until);
    let another = match (&latest.entry.history, entry.away_at) {
        (Some(known), _) if *known == entry.history => false,
        // It was there when its row was read. So what lies between the two stays came later; that the present one seems to
        // have begun later means nothing, because the row and its history can be dated a moment apart.
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

/// A new entry of this round: what it comes to, by how the mapping stands.
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

/// Whether a further entry would count. What was never sent, or never arrived, may always be entered again: that is how a
/// recruiter says "now".
fn may_enter_again(mapping: &Mapping, latest: &Invitation) -> bool {
    match latest.state {
        State::Detected | State::Sending { .. } => false,
        // The platform has it; only what came of it is not known.
        State::Failed(FailReason::Unanswered(_)) => mapping.reentry == Reentry::Again,
        State::Skipped(_) | State::Failed(_) | State::Bounced => true,
        _ => mapping.reentry == Reentry::Again,
    }
}
