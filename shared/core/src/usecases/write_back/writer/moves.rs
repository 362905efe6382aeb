//! The stage change of a report.

use super::{ReportWriter, WriteError, gone};
use crate::invitation::Invitation;
use crate::ports::Eploy;
use crate::report::Moment;
use crate::tenant::{MovePlan, Position};

impl<'a> ReportWriter<'a> {
    /// The stage change for this moment.
    pub(super) fn move_plan(&self, moment: Moment) -> Option<&'a MovePlan> {
        let mut plans = self.mapping.report.moves.iter();
        plans.find(|plan| plan.on == moment && reached(plan, self.row))
    }

    /// Moves the application, guarded by its present position: the recruiter wins. The application's own record gives
    /// the position, because the status history may be behind.
    pub(super) async fn move_on(
        &mut self,
        eploy: &dyn Eploy,
        plan: &MovePlan,
    ) -> Result<(), WriteError> {
        let application = &self.row.key.application;
        self.may_call()?;
        let Some(now_at) = eploy.position(application).await? else {
            return Err(gone().into());
        };
        if there(plan, &now_at) {
            return Ok(());
        }
        if !self.is_expected(plan, &now_at) {
            tracing::info!(tenant = %self.row.key.tenant, invitation = %self.row.key.name(), "application was moved meanwhile, left in place");
            return Ok(());
        }
        self.may_call()?;
        let moved = eploy
            .move_application(application, &plan.stage, plan.status.as_ref())
            .await;
        if moved
            .as_ref()
            .map_or_else(|error| !error.without_effect(), |()| true)
        {
            self.report.note_move(&plan.stage, plan.status.as_ref());
        }
        Ok(moved?)
    }

    /// Whether the application is where a stage change expects it, or where a write of ours moved it from there.
    fn is_expected(&self, plan: &MovePlan, now_at: &Position) -> bool {
        if plan.from.is_empty() {
            return self.report.is_at_trigger(self.mapping, now_at);
        }
        let stages = plan.from.iter().map(|trigger| Some(&trigger.stage));
        plan.from.iter().any(|trigger| trigger.matches(now_at))
            || self.report.is_own_outcome(self.mapping, now_at)
                && stages
                    .into_iter()
                    .any(|stage| stage == now_at.stage.as_ref())
    }
}

/// Whether the score is high enough for the move.
fn reached(plan: &MovePlan, row: &Invitation) -> bool {
    plan.min_percent.is_none_or(|least| {
        row.snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.score.as_ref())
            .and_then(|score| score.percent)
            .is_some_and(|percent| percent >= f64::from(least))
    })
}

/// Whether the application already is where the plan moves it.
fn there(plan: &MovePlan, at: &Position) -> bool {
    at.stage.as_ref() == Some(&plan.stage) && (plan.status.is_none() || at.status == plan.status)
}
