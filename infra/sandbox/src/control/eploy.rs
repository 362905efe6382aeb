//! Sets Eploy systems up, and acts as their recruiters.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    ApplicationView, Created, EditCandidate, Handled, NewAnswer, NewApplications, NewOption,
    NewQuestion, NewVacancy, SystemInfo, SystemSettings, switched,
};
use crate::eploy::{Refused, System};
use crate::record::Records;
use crate::state::SandboxState;

fn info(system: &System) -> SystemInfo {
    SystemInfo {
        name: system.name.clone(),
        base_url: system.base_url.clone(),
        keys: system.keys.clone(),
        roles: system.roles.clone(),
        ip_ranges: system.ip_ranges.clone(),
        allowance: system.allowance,
        calls_today: system.calls_today,
        transitions: system.transitions.clone(),
        quirks: system.quirks.clone(),
    }
}

impl SandboxState {
    pub(super) fn eploy(&mut self, system: &str) -> Handled<SystemInfo> {
        Ok(info(self.system(system)))
    }

    pub(super) fn set_eploy(
        &mut self,
        system: &str,
        settings: &SystemSettings,
    ) -> Handled<SystemInfo> {
        let system = self.system(system);
        system.quirks = switched(&system.quirks, &settings.quirks)?;
        if let Some(keys) = &settings.keys {
            system.keys.clone_from(keys);
        }
        if let Some(roles) = &settings.roles {
            system.roles.clone_from(roles);
        }
        if let Some(ranges) = &settings.ip_ranges {
            system.ip_ranges.clone_from(ranges);
        }
        if let Some(allowance) = settings.allowance {
            system.allowance = Some(allowance).filter(|most| *most > 0);
        }
        if let Some(calls) = settings.calls_today {
            system.calls_today = calls;
            system.allowance_spent = false;
        }
        if let Some(transitions) = &settings.transitions {
            system.transitions.clone_from(transitions);
        }
        if settings.end_tokens {
            system.end_tokens();
        }
        Ok(info(system))
    }

    pub(super) fn switch_eploy(&mut self, system: &str, switches: Value) -> Handled<SystemInfo> {
        let settings = SystemSettings {
            quirks: serde_json::from_value(switches)?,
            ..SystemSettings::default()
        };
        self.set_eploy(system, &settings)
    }

    pub(super) fn vacancy(&mut self, system: &str, new: &NewVacancy) -> Handled<u64> {
        Ok(self.system(system).add_vacancy(new, Timestamp::now())?)
    }

    pub(super) fn apply(&mut self, system: &str, new: &NewApplications) -> Handled<Vec<Created>> {
        let at = new.at.unwrap_or_else(Timestamp::now);
        let (system, people, around) = self.system_with_all(system);
        Ok(system.add_applications(new, people, at, &mut around.records)?)
    }

    pub(super) fn application(&mut self, system: &str, id: u64) -> Handled<ApplicationView> {
        Ok(self.system(system).view(id)?)
    }

    /// Does something with applications until one is rejected.
    fn each(
        &mut self,
        system: &str,
        applications: &[u64],
        mut does: impl FnMut(&mut System, u64, Timestamp, &mut Records) -> Result<(), Refused>,
    ) -> Handled<()> {
        let (system, _, around) = self.system_with_all(system);
        for id in applications {
            does(system, *id, Timestamp::now(), &mut around.records)?;
        }
        Ok(())
    }

    pub(super) fn move_to(
        &mut self,
        system: &str,
        applications: &[u64],
        stage: &str,
        status: Option<&str>,
    ) -> Handled<()> {
        self.each(system, applications, |system, id, at, records| {
            system.recruiter_moves(id, stage, status, at, records)
        })
    }

    pub(super) fn withdraw(&mut self, system: &str, applications: &[u64]) -> Handled<()> {
        self.each(system, applications, System::withdraw)
    }

    pub(super) fn hire(&mut self, system: &str, applications: &[u64]) -> Handled<()> {
        self.each(system, applications, System::hire)
    }

    pub(super) fn remove(&mut self, system: &str, applications: &[u64]) -> Handled<()> {
        self.each(system, applications, |system, id, _, _| {
            system.remove(id);
            Ok(())
        })
    }

    pub(super) fn edit_candidate(
        &mut self,
        system: &str,
        candidate: u64,
        edit: &EditCandidate,
    ) -> Handled<()> {
        let system = self.system(system);
        Ok(system.edit_candidate(candidate, edit, Timestamp::now())?)
    }

    pub(super) fn question(&mut self, system: &str, new: &NewQuestion) -> Handled<u64> {
        Ok(self.system(system).add_question(new))
    }

    pub(super) fn answer(&mut self, system: &str, new: &NewAnswer) -> Handled<()> {
        Ok(self.system(system).answer_question(new, Timestamp::now())?)
    }

    pub(super) fn option(&mut self, system: &str, new: &NewOption) -> Handled<()> {
        Ok(self.system(system).set_option(new, Timestamp::now())?)
    }
}
