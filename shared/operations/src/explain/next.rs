//! What applies to an application now, and what the next poll would do about it.

use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{ApplicationRow, MappingStatus, TenantState};
use stagecall_core::tenant::{Mapping, Position, Tenant};

use super::Question;
use crate::broken::in_words;
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::plan::{Decided, Would, of_application};

pub(super) async fn lines(
    on: &Installation,
    tenant: &Tenant,
    question: &Question,
    found: &[Invitation],
) -> Result<Vec<String>> {
    let state = on.states.load_state(&tenant.id).await?;
    let mut lines = of_tenant(on, tenant, state.as_ref());
    if question.offline {
        return Ok(lines);
    }
    let planned = match of_application(on, tenant, &question.application).await {
        Ok(Some(planned)) => planned,
        Ok(None) => {
            lines.push("Eploy has no such application".to_owned());
            return Ok(lines);
        }
        Err(Error::Call(error)) => {
            lines.push(format!("its stage in Eploy cannot be read: {error}"));
            return Ok(lines);
        }
        Err(error) => return Err(error),
    };
    let row = &planned.row;
    lines.push(format!("in Eploy it is at {}", place(&row.position)));
    for mapping in &tenant.mappings {
        let mut decisions = planned.decisions.iter();
        let decided = decisions.find(|one| one.mapping.as_ref() == Some(&mapping.id));
        let is_invited = found.iter().any(|one| one.key.mapping == mapping.id);
        if is_invited && decided.is_none_or(|one| one.decision == Would::Nothing) {
            continue;
        }
        let known = state
            .as_ref()
            .and_then(|state| state.mappings.get(&mapping.id));
        let broken = match known.map(|known| &known.status) {
            Some(MappingStatus::Broken { reason, at, .. }) => Some(in_words(reason, *at, &on.zone)),
            _ => None,
        };
        let verdict = verdict(mapping, row, decided, broken.as_deref());
        lines.push(format!("mapping {}: {verdict}", mapping.id));
    }
    Ok(lines)
}

/// Whether the tenant is polled.
fn of_tenant(on: &Installation, tenant: &Tenant, state: Option<&TenantState>) -> Vec<String> {
    let mut lines = Vec::new();
    if tenant.paused {
        lines.push(
            "the tenant is paused: nothing is polled and nobody is invited until: stagecall tenant resume"
                .to_owned(),
        );
    }
    let Some(state) = state else {
        lines.push("Eploy has not been polled yet".to_owned());
        return lines;
    };
    if let Some(suspension) = &state.suspended {
        let failure = &suspension.failure;
        lines.push(format!(
            "the tenant is suspended: {}. {}",
            failure.problem, failure.remedy
        ));
    }
    let last = state
        .poll
        .last_ok
        .map_or("never".to_owned(), |at| on.local(at));
    lines.push(format!(
        "last polled: {last}; next: {}",
        on.local(state.due_at)
    ));
    lines
}

fn place(position: &Position) -> String {
    let stage = position
        .stage
        .as_ref()
        .map_or("no stage".to_owned(), |stage| format!("stage {stage}"));
    match &position.status {
        Some(status) => format!("{stage}, status {status}"),
        None => stage,
    }
}

/// The decision about an application for a mapping, with what keeps it from being invited. `broken`: the mapping is, in
/// words.
fn verdict(
    mapping: &Mapping,
    row: &ApplicationRow,
    decided: Option<&Decided>,
    broken: Option<&str>,
) -> String {
    let broken = broken.map(|words| format!("; the mapping is {words}"));
    let mut verdict = match decided {
        Some(Decided {
            decision: Would::Invite,
            because,
            ..
        }) => {
            return match broken {
                Some(broken) => format!(
                    "{because}{broken}. The next poll that sees it there takes that as proof that the stage exists, and invites it"
                ),
                None => format!("{because}; the next poll that sees it change invites it"),
            };
        }
        Some(Decided {
            decision: Would::PassOver,
            because,
            ..
        }) => format!("no invitation: {because}"),
        Some(decided) => decided.because.clone(),
        None if mapping.vacancies.contains(&row.vacancy) => {
            let stages = mapping
                .triggers
                .iter()
                .map(|trigger| trigger.stage.as_str());
            format!(
                "no invitation: it is not at a trigger (stage {})",
                stages.collect::<Vec<_>>().join(", ")
            )
        }
        None => format!(
            "no invitation: its vacancy {} is not one of the mapping's",
            row.vacancy
        ),
    };
    verdict.push_str(&broken.unwrap_or_default());
    verdict
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use stagecall_core::Timestamp;

    use super::*;
    use crate::testing::tenant;

    fn row(stage: &str) -> ApplicationRow {
        ApplicationRow {
            id: "70001".into(),
            candidate: "9001".into(),
            vacancy: "4101".into(),
            position: Position {
                stage: Some(stage.into()),
                status: None,
            },
            modified: None,
        }
    }

    #[test]
    fn an_application_held_by_a_broken_mapping_is_explained() {
        let mapping = tenant("willo").mappings.remove(0);
        let since = Timestamp::from_second(1_800_000_000).unwrap();
        let reason = "its trigger stage 12 is archived in Eploy";
        let broken = in_words(reason, Some(since), &TimeZone::UTC);
        let invited = Decided {
            mapping: Some(mapping.id.clone()),
            decision: Would::Invite,
            because: "it entered the trigger stage".to_owned(),
            ..Decided::nothing(&row("12"))
        };
        let there = verdict(&mapping, &row("12"), Some(&invited), Some(&broken));
        let held = format!(
            "are held until it is fixed, and then invited{}",
            ". The next poll that sees it there takes that as proof that the stage exists, and invites it"
        );
        assert!(
            there.starts_with("it entered the trigger stage; the mapping is broken since "),
            "{there}"
        );
        assert!(there.ends_with(&held), "{there}");
        // It may be at the replacement stage.
        let elsewhere = verdict(&mapping, &row("13"), None, Some(&broken));
        assert!(elsewhere.starts_with("no invitation: it is not at a trigger (stage 12); "));
        assert!(
            elsewhere.ends_with("are held until it is fixed, and then invited"),
            "{elsewhere}"
        );
    }

    #[test]
    fn an_application_of_another_vacancy_is_explained() {
        let mut mapping = tenant("willo").mappings.remove(0);
        mapping.vacancies = stagecall_core::tenant::Vacancies::Only(["4102".into()].into());
        assert_eq!(
            verdict(&mapping, &row("12"), None, None),
            "no invitation: its vacancy 4101 is not one of the mapping's"
        );
    }
}
