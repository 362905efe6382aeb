//! A mapping in words, and its state.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use serde::Serialize;
use stagecall_core::Timestamp;
use stagecall_core::ids::MappingId;
use stagecall_core::ports::{MappingStatus, TenantState};
use stagecall_core::tenant::{Mapping, Reentry, Tenant, Vacancies};

use crate::broken;
use crate::error::{Error, Result};
use crate::time::local;

/// The tenant's mapping of this name
///
/// # Errors
/// There is none.
pub fn find<'a>(tenant: &'a Tenant, name: &str) -> Result<&'a Mapping> {
    tenant.mapping(&MappingId::new(name)).ok_or_else(|| {
        let names: Vec<_> = tenant.mappings.iter().map(|one| one.id.as_str()).collect();
        Error::NotFound(format!(
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

/// What a mapping does at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingState {
    /// It invites nobody until it is resumed.
    Paused,
    /// No poll has seen it yet.
    New,
    /// A poll is reading who is at its stage.
    Baseline,
    /// It invites.
    Active {
        /// Since when.
        since: Timestamp,
    },
    /// It refers to something that Eploy no longer has.
    Broken {
        /// To what.
        reason: String,
        /// Since when, if that is saved.
        at: Option<Timestamp>,
    },
}

impl MappingState {
    /// The state of a mapping, by its configuration and what polls remember.
    pub fn of(mapping: &Mapping, state: Option<&TenantState>) -> Self {
        if mapping.paused {
            return Self::Paused;
        }
        let Some(known) = state.and_then(|state| state.mappings.get(&mapping.id)) else {
            return Self::New;
        };
        match &known.status {
            MappingStatus::Active => Self::Active { since: known.since },
            MappingStatus::Baseline { .. } => Self::Baseline,
            MappingStatus::Broken { reason, at, .. } => Self::Broken {
                reason: reason.clone(),
                at: *at,
            },
        }
    }

    /// The state in words.
    pub fn in_words(&self, zone: &TimeZone) -> String {
        match self {
            Self::Paused => "paused".to_owned(),
            Self::New => "not active yet".to_owned(),
            Self::Baseline => "reading the baseline".to_owned(),
            Self::Active { since } => format!("active since {}", local(*since, zone)),
            Self::Broken { reason, at } => broken::in_words(reason, *at, zone),
        }
    }
}

/// The vacancies of a mapping, in words.
pub fn vacancies(mapping: &Mapping) -> String {
    match &mapping.vacancies {
        Vacancies::All => "all".to_owned(),
        Vacancies::Only(these) => these
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// The triggers of a mapping, in words.
pub fn triggers(mapping: &Mapping) -> String {
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
pub fn in_words(mapping: &Mapping) -> String {
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
fn word(of: &impl Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
