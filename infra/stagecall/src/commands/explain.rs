//! `stagecall explain`.

use clap::Args;
use serde::Serialize;
use stagecall_core::Timestamp;
use stagecall_core::announcement::{Announcement, Hire, HireKey};
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, TenantId};
use stagecall_core::invitation::{ActionRecord, Invitation, Schedule};
use stagecall_core::ports::{
    EployConnections as _, InvitationFilter, MappingStatus, Purpose, StageInfo, TenantState,
};
use stagecall_core::tenant::{Mapping, Position, Tenant};
use stagecall_core::usecases::entry_into;

use crate::exit;
use crate::output::{Output, local, print_json};
use stagecall_operations::Installation;
use stagecall_operations::broken::in_words;
use stagecall_operations::hires::{outcome, state as hire_state};
use stagecall_operations::history::{describe, why};
use stagecall_operations::invitations::all as invitations;

/// The number of a tenant's latest hires that are searched for those of the application's placements.
const MAX_HIRES: usize = 10_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The application's id in Eploy.
    application: String,
    /// Do not read the application's current stage from Eploy, which costs a call or two.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    output: Output,
}

/// An entry of the history.
#[derive(Debug, Serialize)]
struct Line {
    at: Timestamp,
    invitation: String,
    what: String,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let id = on.known_tenant(&arguments.tenant).await?;
    let application = ApplicationId::new(arguments.application);
    let filter = InvitationFilter {
        application: Some(application.clone()),
        ..InvitationFilter::default()
    };
    let mut found = invitations(on, &id, &filter).await?;
    found.sort_by(|a, b| a.key.cmp(&b.key));
    let hires = hires(on, &id, &application).await?;
    let mut lines = story(on, &id, &found).await?;
    for hire in &hires {
        lines.extend(announced(on, hire).await?);
    }
    lines.sort_by_key(|line| line.at);
    let now = match on.tenants.tenant(&id).await? {
        Some(tenant) => current_state(on, &tenant, &application, &found, arguments.offline).await?,
        None => vec![format!(
            "{id} is no longer configured: nothing is processed for it"
        )],
    };
    if arguments.output.json {
        print_json(
            &serde_json::json!({"invitations": found, "hires": hires, "story": lines, "now": now}),
        )?;
        return Ok(exit::OK);
    }
    println!("application {application} of {id}");
    for one in &found {
        ids(one);
    }
    for one in &hires {
        println!("\nhire {}: {}", one.key.hire, hire_state(one));
        println!(
            "  Eploy      candidate {}, vacancy {}",
            one.candidate, one.vacancy
        );
        println!("  webhook    {}", one.key.webhook_id());
    }
    if !lines.is_empty() {
        println!("\nwhat happened");
    }
    for line in &lines {
        println!(
            "  {}  {:<12} {}",
            local(line.at),
            line.invitation,
            line.what
        );
    }
    println!("\nnow");
    for line in now {
        println!("  {line}");
    }
    Ok(exit::OK)
}

/// The state and the ids to look up in each system.
fn ids(of: &Invitation) {
    println!("\ninvitation {}: {}", of.key.name(), of.state.name());
    if let Some(why) = why(of) {
        println!("  why        {why}");
    }
    println!(
        "  Eploy      candidate {}, vacancy {}",
        of.candidate, of.vacancy
    );
    if let Some(history) = &of.entry.history {
        println!("             status history row {history}");
    }
    if let Some(ActionRecord::Created(action)) = &of.report.action {
        println!("             action {action}");
    }
    println!("  platform   {}", of.assessment);
    if let Some(reference) = &of.reference {
        println!("             reference {reference}");
    }
    if let Some(link) = &of.invite_link {
        println!("             link {link}");
    }
    match &of.schedule {
        Schedule::Never => {}
        Schedule::At { at, step } => println!("  next       {step:?} at {}", local(*at)),
        Schedule::Sweep { until: None, .. } => {
            println!("  next       when the platform has news");
        }
        Schedule::Sweep {
            until: Some(at), ..
        } => {
            println!(
                "  next       when the platform has news, until {}",
                local(*at)
            );
        }
    }
}

/// The invitations' histories, with operators' changes and the callbacks that refer to them, in order.
async fn story(
    on: &Installation,
    tenant: &TenantId,
    of: &[Invitation],
) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for one in of {
        let mut add = |at, what| {
            let invitation = format!("{}.{}", one.key.mapping, one.key.round);
            lines.push(Line {
                at,
                invitation,
                what,
            });
        };
        if let Some(at) = one.entry.entered_at {
            add(
                at,
                "entered the trigger stage, by Eploy's status history".to_owned(),
            );
        }
        for entry in &one.history {
            add(entry.at, describe(entry));
        }
        if let Some(reference) = &one.reference {
            for (delivery, _) in on.records.deliveries(tenant, None).await? {
                if delivery.account == one.assessment.account
                    && delivery.references.contains(reference)
                {
                    let event = delivery.event.as_deref().unwrap_or("without a name");
                    add(delivery.at, format!("the platform called back: {event}"));
                }
            }
        }
        for audit in on.records.audits(Some(tenant), None).await? {
            if audit.target == one.key.name() {
                let reason = audit.why.map(|why| format!(": {why}")).unwrap_or_default();
                add(audit.at, format!("{} by {}{reason}", audit.what, audit.who));
            }
        }
    }
    Ok(lines)
}

/// The announcements of an application's hire, or of its placements'.
async fn hires(
    on: &Installation,
    tenant: &TenantId,
    application: &ApplicationId,
) -> anyhow::Result<Vec<Announcement>> {
    let key = HireKey {
        tenant: tenant.clone(),
        hire: Hire::Application(application.clone()),
    };
    let all = on.announcements.announcements(tenant, MAX_HIRES).await?;
    let by_placement = all
        .into_iter()
        .filter(|one| one.key != key && one.application.as_ref() == Some(application));
    // Loaded separately, because those of the baseline are not listed.
    let own = on.announcements.load_announcement(&key).await?;
    Ok(own.into_iter().chain(by_placement).collect())
}

/// The history of an announcement.
async fn announced(on: &Installation, of: &Announcement) -> anyhow::Result<Vec<Line>> {
    let line = |at, what| Line {
        at,
        invitation: "hire".to_owned(),
        what,
    };
    let mut lines = vec![line(of.seen_at, "seen as hired".to_owned())];
    if let Some(at) = of.hired_at {
        lines.push(line(at, "hired, by Eploy's status history".to_owned()));
    }
    for attempt in &of.attempts {
        let what = format!(
            "webhook sent to the HRMS (attempt {}): {}",
            attempt.number,
            outcome(&attempt.outcome)
        );
        lines.push(line(attempt.at, what));
    }
    for audit in on.records.audits(Some(&of.key.tenant), None).await? {
        if audit.target == of.key.hire.to_string() {
            let reason = audit.why.map(|why| format!(": {why}")).unwrap_or_default();
            lines.push(line(
                audit.at,
                format!("{} by {}{reason}", audit.what, audit.who),
            ));
        }
    }
    Ok(lines)
}

/// The current state, and what it means for an application without an invitation.
async fn current_state(
    on: &Installation,
    tenant: &Tenant,
    application: &ApplicationId,
    found: &[Invitation],
    offline: bool,
) -> anyhow::Result<Vec<String>> {
    let state = on.states.load_state(&tenant.id).await?;
    let mut lines = Vec::new();
    if tenant.paused {
        lines.push(
            "the tenant is paused: nothing is polled and nobody is invited until: stagecall tenant resume"
                .to_owned(),
        );
    }
    match &state {
        None => lines.push("Eploy has not been polled yet".to_owned()),
        Some(state) => {
            if let Some(suspension) = &state.suspended {
                let failure = &suspension.failure;
                lines.push(format!(
                    "the tenant is suspended: {}. {}",
                    failure.problem, failure.remedy
                ));
            }
            let last = state.poll.last_ok.map_or("never".to_owned(), local);
            lines.push(format!(
                "last polled: {last}; next: {}",
                local(state.due_at)
            ));
        }
    }
    if offline {
        return Ok(lines);
    }
    let looked = look(on, tenant, application).await;
    let (position, history) = match looked {
        Ok(StageInfo::Gone) => {
            lines.push("Eploy has no such application".to_owned());
            return Ok(lines);
        }
        Ok(StageInfo::Position(position)) => (position, None),
        Ok(StageInfo::History(rows)) => {
            let position = rows
                .last()
                .map(|row| row.position.clone())
                .unwrap_or_default();
            (position, Some(rows))
        }
        Err(error) => {
            lines.push(format!("its stage in Eploy cannot be read: {error}"));
            return Ok(lines);
        }
    };
    lines.push(format!("in Eploy it is at {}", place(&position)));
    for mapping in &tenant.mappings {
        if found.iter().any(|one| one.key.mapping == mapping.id) {
            continue;
        }
        let since = history
            .as_ref()
            .and_then(|rows| entry_into(mapping, rows))
            .and_then(|entry| entry.at);
        lines.push(format!(
            "mapping {}: {}",
            mapping.id,
            verdict(mapping, &position, since, state.as_ref())
        ));
    }
    Ok(lines)
}

async fn look(
    on: &Installation,
    tenant: &Tenant,
    application: &ApplicationId,
) -> Result<StageInfo, CallError> {
    let eploy = on.eploy().eploy(tenant, Purpose::WriteBack).await?;
    eploy.standing(application).await
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

/// Why an application has no invitation from a mapping.
fn verdict(
    mapping: &Mapping,
    position: &Position,
    since: Option<Timestamp>,
    state: Option<&TenantState>,
) -> String {
    let known = state.and_then(|state| state.mappings.get(&mapping.id));
    let status = known.map(|known| &known.status);
    if !mapping.triggered_by(position) {
        let triggers: Vec<_> = mapping
            .triggers
            .iter()
            .map(|trigger| trigger.stage.as_str())
            .collect();
        let elsewhere = format!(
            "no invitation: it is not at a trigger (stage {})",
            triggers.join(", ")
        );
        return match status {
            Some(MappingStatus::Broken { reason, at, .. }) => {
                format!(
                    "{elsewhere}; the mapping is {}",
                    in_words(reason, *at, &jiff::tz::TimeZone::system())
                )
            }
            _ => elsewhere,
        };
    }
    let at = since
        .map(|at| format!(" since {}", local(at)))
        .unwrap_or_default();
    if mapping.paused {
        return format!("it is at a trigger{at}, and the mapping is paused");
    }
    match known {
        None => format!("it is at a trigger{at}; the mapping is not active yet"),
        Some(of) => match &of.status {
            MappingStatus::Broken {
                reason, at: since, ..
            } => format!(
                "it is at a trigger{at}; the mapping is {}. The next poll that sees it there takes that as proof that the stage exists, and invites it",
                in_words(reason, *since, &jiff::tz::TimeZone::system())
            ),
            MappingStatus::Baseline { .. } => {
                format!("it is at a trigger{at}; the mapping is still reading its baseline")
            }
            MappingStatus::Active => format!(
                "it is at a trigger{at}, and the mapping is active since {}; if its vacancy is one of the mapping's and its candidate was not erased, the next poll that sees it change invites it",
                local(of.since)
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_application_held_by_a_broken_mapping_is_explained() {
        let mapping: Mapping = serde_json::from_value(json!({
            "id": "video",
            "vacancies": "all",
            "triggers": [{"stage": "12"}],
            "assessment": {"account": "willo", "assessment": "a1"},
        }))
        .unwrap();
        let since = Timestamp::from_second(1_800_000_000).unwrap();
        let mut state = TenantState::new(since);
        let broken = json!({
            "status": {"broken": {"reason": "its trigger stage 12 is archived in Eploy", "at": since}},
            "since": since,
        });
        let broken = serde_json::from_value(broken).unwrap();
        state.mappings.insert(mapping.id.clone(), broken);
        let explained = |stage: &str| {
            let position = Position {
                stage: Some(stage.into()),
                status: None,
            };
            verdict(&mapping, &position, None, Some(&state))
        };
        let held = format!(
            "are held until it is fixed, and then invited{}",
            ". The next poll that sees it there takes that as proof that the stage exists, and invites it"
        );
        let there = explained("12");
        assert!(there.starts_with("it is at a trigger; the mapping is broken since "));
        assert!(there.ends_with(&held), "{there}");
        // It may be at the replacement stage.
        let elsewhere = explained("13");
        assert!(elsewhere.starts_with("no invitation: it is not at a trigger (stage 12); "));
        assert!(
            elsewhere.ends_with("are held until it is fixed, and then invited"),
            "{elsewhere}"
        );
    }
}
