//! `stagecall map list` and `show`.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;
use stagecall_core::ids::MappingId;
use stagecall_core::ports::MappingStatus;
use stagecall_core::tenant::{Mapping, Reentry, Tenant, Vacancies};

use crate::exit;
use crate::output::{Output, print_json, table};
use stagecall_operations::Installation;
use stagecall_operations::broken;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The tenant.
    tenant: String,
    /// The mapping.
    mapping: String,
    #[command(flatten)]
    output: Output,
}

/// The tenant's mapping of this name, or an error that exits with 4.
pub(super) fn find<'a>(tenant: &'a Tenant, name: &str) -> anyhow::Result<&'a Mapping> {
    tenant.mapping(&MappingId::new(name)).ok_or_else(|| {
        let names: Vec<_> = tenant.mappings.iter().map(|one| one.id.as_str()).collect();
        exit::not_found(format!(
            "{} has no mapping {name}; it has: {}",
            tenant.id,
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        ))
    })
}

pub(super) async fn list(arguments: List, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    if arguments.output.json {
        print_json(&tenant.mappings)?;
        return Ok(exit::OK);
    }
    let state = on.states.load_state(&tenant.id).await?;
    let mut shown = table(["mapping", "vacancies", "enter", "are invited to", "state"]);
    for mapping in &tenant.mappings {
        let status = state
            .as_ref()
            .and_then(|state| state.mappings.get(&mapping.id));
        shown.add_row([
            mapping.id.to_string(),
            vacancies(mapping),
            triggers(mapping),
            format!(
                "{} {}",
                mapping.assessment.account, mapping.assessment.assessment
            ),
            state_name(mapping, status.map(|state| &state.status)),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}

pub(super) async fn show(arguments: Show, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let mapping = find(&tenant, &arguments.mapping)?;
    if arguments.output.json {
        print_json(mapping)?;
    } else {
        println!("{}", in_words(mapping));
    }
    Ok(exit::OK)
}

fn state_name(mapping: &Mapping, status: Option<&MappingStatus>) -> String {
    match status {
        _ if mapping.paused => "paused".to_owned(),
        None => "not active yet".to_owned(),
        Some(MappingStatus::Baseline { .. }) => "reading the baseline".to_owned(),
        Some(MappingStatus::Active) => "on".to_owned(),
        Some(MappingStatus::Broken { reason, at, .. }) => {
            broken::in_words(reason, *at, &jiff::tz::TimeZone::system())
        }
    }
}

fn vacancies(mapping: &Mapping) -> String {
    match &mapping.vacancies {
        Vacancies::All => "all".to_owned(),
        Vacancies::Only(these) => these
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn triggers(mapping: &Mapping) -> String {
    let trigger = |trigger: &stagecall_core::tenant::Trigger| {
        let stage = match &trigger.stage_name {
            Some(name) => format!("{name} ({})", trigger.stage),
            None => format!("stage {}", trigger.stage),
        };
        let statuses: Vec<_> = trigger.statuses.iter().map(ToString::to_string).collect();
        if statuses.is_empty() {
            stage
        } else {
            format!("{stage} with status {}", statuses.join(" or "))
        }
    };
    mapping
        .triggers
        .iter()
        .map(trigger)
        .collect::<Vec<_>>()
        .join(" or ")
}

/// A mapping, with a line for each part.
pub(super) fn in_words(mapping: &Mapping) -> String {
    let mut text = format!("mapping {}\n", mapping.id);
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<12} {value}");
    };
    line("vacancies", vacancies(mapping));
    line("enter", triggers(mapping));
    line(
        "invited to",
        format!(
            "{} {}",
            mapping.assessment.account, mapping.assessment.assessment
        ),
    );
    let report = &mapping.report;
    if let Some(action) = &report.action {
        let outcomes: Vec<_> = action
            .outcomes
            .iter()
            .map(|(moment, outcome)| format!("{} {outcome}", word(moment)))
            .collect();
        line(
            "action",
            format!(
                "type {}; outcomes: {}",
                action.action_type,
                outcomes.join(", ")
            ),
        );
    }
    for (what, question) in &report.questions {
        line("question", format!("{question} shows the {}", word(what)));
    }
    if !report.notes_at.is_empty() {
        let moments: Vec<_> = report.notes_at.iter().map(word).collect();
        line("notes", format!("when {}", moments.join(", ")));
    }
    for one in &report.moves {
        let status = one
            .status
            .as_ref()
            .map_or_else(String::new, |status| format!(", status {status}"));
        line(
            "move",
            format!("when {}: to stage {}{status}", word(&one.on), one.stage),
        );
    }
    if let Some(package) = &report.export_package {
        line("export", format!("package {package}"));
    }
    line(
        "at stage now",
        if mapping.include_current {
            "are also invited"
        } else {
            "are the baseline: not invited"
        }
        .to_owned(),
    );
    line(
        "second entry",
        match mapping.reentry {
            Reentry::Once => "nothing",
            Reentry::Again => "a second invitation",
        }
        .to_owned(),
    );
    if let Some(days) = mapping.expires_after_days {
        line("expires", format!("after {days} days"));
    }
    if mapping.paused {
        line("paused", "yes".to_owned());
    }
    text.trim_end().to_owned()
}

/// A value's name in the configuration.
pub(super) fn word(of: &impl Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
