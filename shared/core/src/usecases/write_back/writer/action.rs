//! The action of a report: found, created or updated.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{ReportWriter, WriteError, concerns_a_part};
use crate::invitation::{ActionRecord, Invitation, Part};
use crate::ports::{ActionLookUp, ActionUpdate, Eploy, NewAction};
use crate::report::{Moment, Written};
use crate::tenant::ActionPlan;
use crate::usecases::merged::{NOT_FOUND, candidate_of};

/// Eploy refuses what it is sent.
const REJECTED: &str = "eploy.rejected";

impl ReportWriter<'_> {
    /// Writes the action, if it is behind. Returns whether it shows this text.
    pub(super) async fn bring_action(
        &mut self,
        eploy: &dyn Eploy,
        moment: Moment,
        written: &Written,
    ) -> Result<bool, WriteError> {
        let Some(plan) = &self.mapping.report.action else {
            return Ok(false);
        };
        if !self.is_behind(Part::Action) {
            return Ok(false);
        }
        let outcome = plan.outcomes.get(&moment);
        let comments = [&written.comments_html, &written.brief_html];
        let [whole, brief] = comments.map(|comments| ActionUpdate {
            outcome: outcome.cloned(),
            completed_at: self.row.ended_at,
            comments_html: Some(comments.clone()),
            link: written.link.clone(),
        });
        let mut done = self.action(eploy, plan, whole.clone()).await;
        // Without effect. Eploy may be refusing the text: then a short one is better than none.
        if let Err(WriteError::Call(error)) = &done
            && error.code == REJECTED
        {
            tracing::warn!(tenant = %self.row.key.tenant, invitation = %self.row.key.name(), code = error.code, %error, "report refused, retrying with the short text");
            done = self.action(eploy, plan, brief).await;
        }
        if let Err(WriteError::Call(error)) = &done
            && self.report.action == Some(ActionRecord::Creating)
            && matches!(error.code, REJECTED | NOT_FOUND)
            && self.follow_merge(eploy).await?
        {
            done = self.action(eploy, plan, whole).await;
        }
        let may_be_there = match &done {
            Ok(()) => true,
            Err(WriteError::Call(error)) => !error.without_effect(),
            Err(WriteError::Lease) => false,
        };
        if may_be_there && let Some(outcome) = outcome {
            self.report.note_outcome(outcome.as_str());
        }
        self.went(Part::Action, done)?;
        Ok(self.report.failure(Part::Action).is_none())
    }

    /// Eploy refuses to create the action: whether that is because the candidate was merged into another, whose it is then.
    async fn follow_merge(&mut self, eploy: &dyn Eploy) -> Result<bool, WriteError> {
        self.may_call()?;
        match candidate_of(eploy, &self.row.key.application).await {
            Ok(candidate) if candidate != self.candidate => {
                let (key, before) = (&self.row.key, &self.candidate);
                tracing::info!(tenant = %key.tenant, invitation = %key.name(), %before, %candidate, "candidate was merged into another");
                self.candidate = candidate;
                Ok(true)
            }
            Err(error) if !concerns_a_part(&error) => Err(error.into()),
            Ok(_) | Err(_) => Ok(false),
        }
    }

    /// Writes the action: finds, creates or updates it.
    async fn action(
        &mut self,
        eploy: &dyn Eploy,
        plan: &ActionPlan,
        content: ActionUpdate,
    ) -> Result<(), WriteError> {
        let row = self.row;
        let started_at = action_start(row);
        let look_up = ActionLookUp {
            candidate: self.candidate.clone(),
            vacancy: row.vacancy.clone(),
            action_type: plan.action_type.clone(),
            started_at,
        };
        if self.report.action == Some(ActionRecord::Creating) {
            self.may_call()?;
            let found = eploy.find_action(&look_up).await?;
            self.report.action = found.map(ActionRecord::Created);
        }
        if let Some(ActionRecord::Created(id)) = self.report.action.clone() {
            self.may_call()?;
            let missing = match eploy.update_action(&id, &content).await {
                Ok(()) => return Ok(()),
                Err(error) if error.code == NOT_FOUND => error,
                Err(error) => return Err(error.into()),
            };
            // It may have been deleted, and then the report still has to be written. Or it exists and cannot be reached
            // in this way: creating another with each report would notify the candidate each time.
            self.may_call()?;
            if let Some(found) = eploy.find_action(&look_up).await? {
                if found == id {
                    return Err(missing.into());
                }
                self.report.action = Some(ActionRecord::Created(found.clone()));
                self.may_call()?;
                eploy.update_action(&found, &content).await?;
                return Ok(());
            }
        }
        self.may_call()?;
        let vacancy = eploy.vacancy(&row.vacancy).await?;
        self.may_call()?;
        let action = NewAction {
            candidate: self.candidate.clone(),
            vacancy: row.vacancy.clone(),
            company: vacancy.company,
            action_type: plan.action_type.clone(),
            started_at,
            content,
        };
        self.report.action = Some(ActionRecord::Creating);
        let id = eploy.create_action(&action).await?;
        self.report.action = Some(ActionRecord::Created(id));
        Ok(())
    }
}

/// The start of an invitation's action: when its entry was first detected, to the millisecond, less up to a minute
/// derived from the invitation. An action of unknown outcome is found by it, so two entries that were detected in the
/// same poll must not share it: two mappings of one application, or two applications of one candidate for one vacancy.
/// A minute, because some Eploy may store whole seconds only. It never changes, even when the clock is corrected.
pub(in crate::usecases::write_back) fn action_start(row: &Invitation) -> Timestamp {
    let digest = Sha256::digest(row.key.name().as_bytes());
    let apart = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % 60_000;
    let seen_at = row.first_seen_at.unwrap_or(row.entry.seen_at);
    Timestamp::from_millisecond(seen_at.as_millisecond() - i64::from(apart)).unwrap_or(seen_at)
}
