//! Whether an application stands where it should, asked just before something is done about it.

use jiff::{SignedDuration, Timestamp};

use crate::error::CallError;
use crate::ids::{ApplicationId, StatusHistoryId};
use crate::ports::{Eploy, HistoryRow, StageInfo};
use crate::tenant::{Mapping, Position};
use crate::timing::after;

/// The entry that an application's present stay began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageEntry {
    /// The row of the status history that tells of it.
    pub history: StatusHistoryId,
    /// When.
    pub at: Option<Timestamp>,
    /// When it came to where it was just before; `None` if the history begins here.
    pub away_at: Option<Timestamp>,
}

impl StageEntry {
    /// Whether it was certainly before `since`, our own time: with a margin for an Eploy whose times are not UTC.
    pub fn is_before(&self, since: Timestamp) -> bool {
        self.at
            .is_some_and(|at| after(at, SignedDuration::from_mins(65)) < since)
    }
}

/// Whether an application is where it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageCheck {
    /// It is there, at this position; since when, if its history tells.
    AtStage(Position, Option<StageEntry>),
    /// It is elsewhere, or gone.
    NotAtStage,
}

impl StageCheck {
    /// Asks Eploy: mostly one call. A history that does not show the application where the search has just seen it may be
    /// behind, or lack the move altogether; then the application's own record decides, for one call more.
    pub async fn of(
        eploy: &dyn Eploy,
        application: &ApplicationId,
        there: impl Fn(&Position) -> bool + Send + Sync,
    ) -> Result<Self, CallError> {
        let position = match eploy.standing(application).await? {
            StageInfo::Gone => None,
            StageInfo::Position(position) => Some(position),
            StageInfo::History(mut rows) => match (stay(&rows, &there), rows.pop()) {
                (Some(entry), Some(last)) => return Ok(Self::AtStage(last.position, Some(entry))),
                _ => eploy.position(application).await?,
            },
        };
        Ok(match position.filter(there) {
            Some(position) => Self::AtStage(position, None),
            None => Self::NotAtStage,
        })
    }
}

/// The beginning of the present stay at a mapping's trigger; `None` if the application is not there now. `history` is
/// oldest first. Going from one trigger stage or status to another of the same mapping is one stay.
pub fn entry_into(mapping: &Mapping, history: &[HistoryRow]) -> Option<StageEntry> {
    stay(history, |position| mapping.triggered_by(position))
}

/// The beginning of the present stay where `there` says; `None` if the application is not there now.
fn stay(history: &[HistoryRow], there: impl Fn(&Position) -> bool) -> Option<StageEntry> {
    let rows = history.iter().rev();
    let stayed = rows.take_while(|row| there(&row.position)).count();
    let (before, present) = history.split_at(history.len() - stayed);
    present.first().map(|row| StageEntry {
        history: row.id.clone(),
        at: row.at,
        away_at: before.last().and_then(|row| row.at),
    })
}
