//! How applications move: stages, statuses, history and automatic transitions (shared/eploy/REFERENCE.md §5).

use jiff::Timestamp;

use super::System;
use super::dates::kept;
use super::model::{HistoryRow, Position, Stage, StageKind, Trigger};
use super::setup::{PLACEMENT_STATUSES, STATUSES};
use crate::record::{By, Records, Write, WriteRecord};

/// The maximum number of automatic transitions in a row.
const MAX_TRANSITIONS: u32 = 8;

/// The cause of an application's position.
#[derive(Clone, Copy, Default)]
pub(super) struct Cause {
    pub(super) action: Option<u64>,
    pub(super) placement: Option<u64>,
}

/// Why an application cannot move to a position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoWay {
    #[error("The workflow of the vacancy has no stage {0}")]
    Stage(u64),
    #[error("The stage does not offer the status {0}")]
    Status(u64),
    #[error("There is no such application")]
    Application,
}

impl System {
    pub(super) fn stage(&self, id: u64) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// The position of a stage and status, by default the stage's first one, if this application can have it.
    pub(super) fn position(
        &self,
        application: u64,
        stage: u64,
        status: Option<u64>,
    ) -> Result<Position, NoWay> {
        let of = self
            .applications
            .get(&application)
            .ok_or(NoWay::Application)?;
        let workflow = self
            .vacancies
            .get(&of.vacancy)
            .map(|vacancy| vacancy.workflow);
        let in_workflow = self
            .workflows
            .iter()
            .any(|known| Some(known.id) == workflow && known.stages.contains(&stage));
        let found = self
            .stage(stage)
            .filter(|_| in_workflow)
            .ok_or(NoWay::Stage(stage))?;
        match status {
            Some(status) if !found.statuses.contains(&status) => Err(NoWay::Status(status)),
            Some(status) => Ok(Position {
                stage,
                status: Some(status),
            }),
            None => Ok(Position {
                stage,
                status: found.statuses.first().copied(),
            }),
        }
    }

    /// Moves an application, even to its current position: modification date, history, record, and any automatic transitions
    /// that follow.
    pub(super) fn enter(
        &mut self,
        application: u64,
        position: Position,
        cause: Cause,
        by: By,
        at: Timestamp,
        records: &mut Records,
    ) {
        let (mut position, mut cause, mut by) = (position, cause, by);
        for _ in 0..MAX_TRANSITIONS {
            self.enter_once(application, position, cause, at);
            self.wrote(application, Write::Move, by, at, records);
            let follows = position
                .status
                .filter(|_| self.status_list(position.stage) == STATUSES)
                .and_then(|status| self.transition(application, Trigger::Status(status)));
            let Some(next) = follows.filter(|next| *next != position) else {
                return;
            };
            (position, cause, by) = (next, Cause::default(), By::Transition);
        }
    }

    fn enter_once(&mut self, application: u64, position: Position, cause: Cause, at: Timestamp) {
        let row = self.next_id.history();
        let Some(found) = self.applications.get_mut(&application) else {
            return;
        };
        found.position = position;
        let is_first = found.history.is_empty();
        found.history.push(row);
        let placement = found.placement;
        self.history.insert(
            row,
            HistoryRow {
                id: row,
                application,
                position,
                action: cause.action,
                placement: cause.placement,
                at: kept(at),
            },
        );
        // At a placement stage, the status is the placement's.
        if self.status_list(position.stage) == PLACEMENT_STATUSES
            && let (Some(placement), Some(status)) = (placement, position.status)
            && let Some(placement) = self.placements.get_mut(&placement)
        {
            placement.status = status;
            placement.modified = kept(at);
        }
        // The first position is created with the application, and has its date.
        if self.quirks.stage_change_moves_date || is_first {
            self.touch(application, at);
        }
    }

    /// Changes an application's modification date.
    pub(super) fn touch(&mut self, application: u64, at: Timestamp) {
        if let Some(found) = self.applications.get_mut(&application) {
            self.modified.remove(&(found.modified, application));
            found.modified = kept(at);
            self.modified.insert((found.modified, application));
        }
    }

    pub(super) fn wrote(
        &self,
        application: u64,
        write: Write,
        by: By,
        at: Timestamp,
        records: &mut Records,
    ) {
        records.writes.push(WriteRecord {
            at,
            system: self.name.clone(),
            application,
            write,
            by,
        });
    }

    /// The target of an automatic transition of an application, if one applies.
    fn transition(&self, application: u64, on: Trigger) -> Option<Position> {
        let now = self.applications.get(&application)?.position;
        if now
            .status
            .is_some_and(|status| self.e_mailing_statuses.contains(&status))
        {
            return None;
        }
        let found = self.transitions.iter().find(|transition| {
            transition.on == on && transition.stage.is_none_or(|stage| stage == now.stage)
        })?;
        self.position(application, found.to_stage, Some(found.to_status))
            .ok()
    }

    /// The effect of an action's new outcome on its application: at an action stage it is the status, and a transition may
    /// depend on it.
    pub(super) fn follow_outcome(&mut self, action: u64, at: Timestamp, records: &mut Records) {
        let Some((application, outcome)) = self
            .actions
            .get(&action)
            .and_then(|action| Some((action.application?, action.outcome?)))
        else {
            return;
        };
        let cause = Cause {
            action: Some(action),
            placement: None,
        };
        let Some(now) = self
            .applications
            .get(&application)
            .map(|found| found.position)
        else {
            return;
        };
        let shows_outcome = self.stage(now.stage).is_some_and(|stage| {
            stage.kind == StageKind::Action && stage.statuses.contains(&outcome)
        });
        if shows_outcome && now.status != Some(outcome) {
            let position = Position {
                stage: now.stage,
                status: Some(outcome),
            };
            self.enter(application, position, cause, By::Transition, at, records);
        }
        if let Some(next) = self.transition(application, Trigger::Outcome(outcome)) {
            self.enter(application, next, cause, By::Transition, at, records);
        }
    }
}
