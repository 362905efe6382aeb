//! The people, the faults and the records of the sandbox.

use super::{
    CallRecord, CallbackRecord, FaultState, Handled, HrmsInfo, InvitationRecord, MadeUp, Part,
    Profile, WebhookRecord, WriteRecord,
};
use crate::state::SandboxState;

impl SandboxState {
    pub(super) fn hrms(&mut self, name: &str) -> Handled<HrmsInfo> {
        let url = self.hrms_url(name);
        Ok(HrmsInfo { url })
    }

    pub(super) fn people(&self) -> Handled<Vec<MadeUp>> {
        Ok(self.people.all.clone())
    }

    pub(super) fn faults(&self) -> Handled<FaultState> {
        Ok(self.context.faults.state())
    }

    pub(super) fn set_faults(&mut self, profile: &Profile) -> Handled<FaultState> {
        self.context.faults.arm(profile.clone());
        self.faults()
    }

    pub(super) fn calls(&self, since: usize) -> Handled<Part<CallRecord>> {
        Ok(Part::of(&self.context.records.calls, since))
    }

    pub(super) fn invitations(&self, since: usize) -> Handled<Part<InvitationRecord>> {
        Ok(Part::of(&self.context.records.invitations, since))
    }

    pub(super) fn callbacks(&self, since: usize) -> Handled<Part<CallbackRecord>> {
        Ok(Part::of(&self.context.records.callbacks, since))
    }

    pub(super) fn writes(&self, since: usize) -> Handled<Part<WriteRecord>> {
        Ok(Part::of(&self.context.records.writes, since))
    }

    pub(super) fn webhooks(&self, since: usize) -> Handled<Part<WebhookRecord>> {
        Ok(Part::of(&self.context.records.webhooks, since))
    }

    pub(super) fn pending_callbacks(&self) -> Handled<usize> {
        Ok(self.context.outbox.pending)
    }
}
