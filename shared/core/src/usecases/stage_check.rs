//! Checks an application's stage just before acting on it.

use jiff::{SignedDuration, Timestamp};

use crate::error::CallError;
use crate::ids::{ApplicationId, StatusHistoryId};
use crate::ports::{Eploy, HistoryRow, StageInfo};
use crate::tenant::{Mapping, Position};
use crate::timing::after;

/// The entry that began an application's present stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageEntry {
    /// Its row in the status history.
    pub history: StatusHistoryId,
    /// When the application entered.
    pub at: Option<Timestamp>,
    /// When it came to its previous place; `None` if the history begins with this entry.
    pub away_at: Option<Timestamp>,
}

impl StageEntry {
    /// Whether it was certainly before `since` by our clock: with a margin for an Eploy whose times are not UTC.
    pub fn is_before(&self, since: Timestamp) -> bool {
        self.at
            .is_some_and(|at| after(at, SignedDuration::from_mins(65)) < since)
    }
}

/// Whether an application is at the expected stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageCheck {
    /// It is there, at this position; with its entry, if its history shows it.
    AtStage(Position, Option<StageEntry>),
    /// It is elsewhere, or gone.
    NotAtStage,
}

impl StageCheck {
    /// Asks Eploy: usually one call. A history that does not show the application where the search has just seen it may
    /// be behind or incomplete; then one more call reads the application's own record, which decides.
    pub async fn of(
        eploy: &dyn Eploy,
        application: &ApplicationId,
        there: impl Fn(&Position) -> bool + Send + Sync,
    ) -> Result<Self, CallError> {
        let position = match eploy.stage_info(application).await? {
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
/// oldest first. Moving between trigger stages or statuses of the same mapping is one stay.
pub fn entry_into(mapping: &Mapping, history: &[HistoryRow]) -> Option<StageEntry> {
    stay(history, |position| mapping.triggered_by(position))
}

/// The beginning of the present stay at a position that `there` accepts; `None` if the application is not there now.
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
