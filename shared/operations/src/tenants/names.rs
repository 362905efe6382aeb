//! Stages and statuses that a configuration gives by name: their ids are looked up in Eploy.

use stagecall_core::error::CallError;
use stagecall_core::ids::{MappingId, StageId, StatusId};
use stagecall_core::ports::{Directory, EployConnections, NamedId, Purpose};
use stagecall_core::tenant::{Tenant, Trigger};
use tracing::Instrument as _;

/// A trigger given by name. Its ids have to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByName {
    /// The mapping.
    pub mapping: MappingId,
    /// The index of the trigger.
    pub trigger: usize,
    /// The stage's name, if its id is not given.
    pub stage: Option<String>,
    /// The statuses' names.
    pub statuses: Vec<String>,
}

/// A tenant of a configuration file.
#[derive(Clone, Copy, Debug)]
pub struct Configured<'a> {
    /// The tenant. Triggers given by name have no id yet.
    pub tenant: &'a Tenant,
    /// The triggers given by name.
    pub by_name: &'a [ByName],
}

/// Why names could not be resolved to ids.
#[derive(Debug, thiserror::Error)]
pub enum Unresolved {
    /// The call to Eploy failed.
    #[error(transparent)]
    Refused(#[from] CallError),
    /// Eploy has no such name, or the key may not read the list.
    #[error("{0}")]
    Unknown(String),
    /// The tenant's configuration is invalid.
    #[error("{0}")]
    Misconfigured(String),
}

/// The tenant with an id for every name. If the lookup fails now, the ids that were found before are used: the regular
/// check of the mappings notices a stage that was removed.
pub(super) async fn resolve(
    config: Configured<'_>,
    before: Option<&Tenant>,
    eploy: &dyn EployConnections,
) -> Result<Tenant, Unresolved> {
    if config.by_name.is_empty() {
        return Ok(config.tenant.clone());
    }
    let span = tracing::error_span!("look_up", tenant = %config.tenant.id);
    match look_up(config, eploy).instrument(span).await {
        Ok(tenant) => Ok(tenant),
        Err(unresolved) => {
            let known = before
                .and_then(|before| remembered(config, before))
                .ok_or(unresolved)?;
            tracing::error!(tenant = %known.id, "stage names not looked up, ids found before are used");
            Ok(known)
        }
    }
}

/// The tenant with the ids that Eploy has now for the names.
async fn look_up(
    config: Configured<'_>,
    eploy: &dyn EployConnections,
) -> Result<Tenant, Unresolved> {
    let directory = eploy
        .eploy(config.tenant, Purpose::Invite)
        .await?
        .directory()
        .await?;
    let mut tenant = config.tenant.clone();
    for name in config.by_name {
        if let Some(trigger) = trigger_of(&mut tenant, name) {
            find(trigger, name, &directory).map_err(|problem| {
                Unresolved::Unknown(format!("mapping {}: {problem}", name.mapping))
            })?;
        }
    }
    Ok(tenant)
}

/// The tenant with the ids that were found before for the names of the same stages. Names of statuses are not saved, so
/// a trigger with status names stays unresolved.
fn remembered(config: Configured<'_>, before: &Tenant) -> Option<Tenant> {
    let mut tenant = config.tenant.clone();
    for name in config.by_name {
        let known = before.mapping(&name.mapping)?.triggers.get(name.trigger)?;
        if name.stage.is_none() || known.stage_name != name.stage || !name.statuses.is_empty() {
            return None;
        }
        trigger_of(&mut tenant, name)?.stage = known.stage.clone();
    }
    Some(tenant)
}

fn trigger_of<'a>(tenant: &'a mut Tenant, name: &ByName) -> Option<&'a mut Trigger> {
    tenant
        .mappings
        .iter_mut()
        .find(|mapping| mapping.id == name.mapping)?
        .triggers
        .get_mut(name.trigger)
}

/// Sets the ids of one trigger.
fn find(trigger: &mut Trigger, name: &ByName, directory: &Directory) -> Result<(), String> {
    if let Some(stage) = &name.stage {
        trigger.stage = StageId::new(one("stage", stage, directory.stages.as_deref())?);
    }
    for status in &name.statuses {
        trigger.statuses.push(StatusId::new(one(
            "status",
            status,
            directory.statuses.as_deref(),
        )?));
    }
    Ok(())
}

/// The id of the only option with this name.
fn one(what: &str, name: &str, list: Option<&[NamedId]>) -> Result<String, String> {
    let Some(list) = list else {
        return Err(format!(
            "the {what} \"{name}\" cannot be looked up, because the dialect has no path of the list in this Eploy; give the id instead"
        ));
    };
    let live = || list.iter().filter(|option| !option.archived);
    let same: Vec<_> = live()
        .filter(|option| option.name.trim().eq_ignore_ascii_case(name.trim()))
        .collect();
    match same.as_slice() {
        [option] => Ok(option.id.clone()),
        [] => {
            let names: Vec<_> = live().map(|option| option.name.as_str()).collect();
            Err(format!(
                "Eploy has no {what} named \"{name}\"; it has {}",
                names.join(", ")
            ))
        }
        several => {
            let ids: Vec<_> = several.iter().map(|option| option.id.as_str()).collect();
            Err(format!(
                "Eploy has several {what} options named \"{name}\", with the ids {}; give the id instead",
                ids.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(id: &str, name: &str, archived: bool) -> NamedId {
        NamedId {
            id: id.to_owned(),
            name: name.to_owned(),
            archived,
        }
    }

    #[test]
    fn a_name_must_mean_one_live_option() {
        let list = [
            option("1", "Video Interview", false),
            option("2", "Shortlist", false),
            option("3", "shortlist ", false),
            option("4", "Video Interview", true),
        ];
        assert_eq!(one("stage", " video interview", Some(&list)).unwrap(), "1");
        assert!(
            one("stage", "Shortlist", Some(&list))
                .unwrap_err()
                .contains("2, 3")
        );
        assert!(
            one("stage", "Offer", Some(&list))
                .unwrap_err()
                .contains("Video Interview")
        );
        assert!(
            one("stage", "Offer", None)
                .unwrap_err()
                .contains("give the id")
        );
    }
}
