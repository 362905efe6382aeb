//! `stagecall doctor`: the whole installation, checked.

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde_json::json;
use stagecall_core::tenant::Tenant;
use stagecall_http::{Limits, Method, Request};
use url::Url;

use super::finding::{Finding, Printer, Verdict, code};
use super::{allowance, checks, recorded};
use crate::operate::output::{Audit, Output, local, print_json};
use crate::store::{Installation, StoreUrl};

/// How long something may be due before somebody should ask why.
const LAG: SignedDuration = SignedDuration::from_mins(5);
/// How long the callback address may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// What the callback address may answer, in bytes.
const LARGEST: usize = 64 * 1024;

const INSTALLATION: &str = "Installation";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Check this tenant's connections, too; as often as needed.
    #[arg(value_name = "TENANT")]
    tenants: Vec<String>,
    /// Check all tenants' connections, which costs some Eploy calls each.
    #[arg(long)]
    connections: bool,
    /// The address under which platforms call back; without it, the configuration file's.
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    audit: Audit,
}

/// Checks everything, shows what is wrong, and ends with 3 if anything is.
pub(super) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    for name in &arguments.tenants {
        on.tenant(name).await?;
    }
    let mut findings = vec![Finding::ok(
        INSTALLATION,
        "version",
        concat!("stagecall ", env!("CARGO_PKG_VERSION")),
    )];
    let tenants = store(&arguments, on, &mut findings).await;
    due(on, &mut findings).await;
    dead_letters(on, &mut findings).await;
    findings.extend(callback_address(&arguments, on).await);
    for tenant in &tenants {
        let of = format!("Tenant {}", tenant.id);
        findings.extend(stands(on, tenant, &of).await);
        if arguments.connections
            || arguments
                .tenants
                .iter()
                .any(|name| name == tenant.id.as_str())
        {
            let within = |mut finding: Finding| {
                finding.of = format!("{of}, {}", finding.of);
                finding
            };
            findings.extend(
                checks::connections(on, tenant)
                    .await
                    .into_iter()
                    .map(within),
            );
        } else if let Ok(inspector) = on.eploy().inspector(tenant) {
            findings.push(allowance::check(&inspector, tenant, &of).await);
        }
    }
    if arguments.output.json {
        print_json(&json!({"findings": findings}))?;
    } else {
        Printer::default().print(&findings);
        let wrong = findings
            .iter()
            .filter(|one| one.verdict == Verdict::Problem)
            .count();
        match wrong {
            0 => println!("\nNothing is wrong."),
            1 => println!("\n1 thing is wrong."),
            more => println!("\n{more} things are wrong."),
        }
    }
    Ok(code(&findings))
}

/// Whether the store can be read and written, and hangs together. That the doctor was here is what is written.
async fn store(
    arguments: &Arguments,
    on: &Installation,
    findings: &mut Vec<Finding>,
) -> Vec<Tenant> {
    let fix = match on.place {
        StoreUrl::Sqlite(_) => {
            "Check that the file's folder exists, has room, and may be read and written by this user; stagecall versions must match the file's"
        }
        StoreUrl::Aws(_) => {
            "Check the credentials and the region of this shell, and that the table of the stack is there and active"
        }
    };
    let wrong = |error: &dyn std::fmt::Display| {
        Finding::problem(
            INSTALLATION,
            "store",
            "stagecall.store",
            error.to_string(),
            fix,
        )
    };
    let tenants = match on.records.list_tenants().await {
        Ok(tenants) => tenants,
        Err(error) => {
            findings.push(wrong(&error));
            return Vec::new();
        }
    };
    match arguments
        .audit
        .record(on, "doctor", None, "installation")
        .await
    {
        Ok(()) => findings.push(Finding::ok(
            INSTALLATION,
            "store",
            format!(
                "{} can be read and written; {} tenant(s)",
                on.place,
                tenants.len()
            ),
        )),
        Err(error) => findings.push(wrong(&error)),
    }
    if let Err(error) = on.verify().await {
        findings.push(wrong(&error));
    }
    tenants
}

/// Whether what is due gets done: by the host's workers, or by schedules, queues and functions.
async fn due(on: &Installation, findings: &mut Vec<Finding>) {
    let now = on.clock.now();
    match on.records.oldest_due(now).await {
        Ok(Some(since)) if now.duration_since(since) > LAG => findings.push(Finding::problem(
            INSTALLATION,
            "work",
            "stagecall.behind",
            format!("something has been due since {}", local(since)),
            match on.place {
                StoreUrl::Sqlite(_) => "Start the host: stagecall serve. If it runs, look at its log, and give it more workers",
                StoreUrl::Aws(_) => "Look whether the clock's schedule is enabled, at the functions' alarms, and for dead letters",
            },
        )),
        Ok(_) => findings.push(Finding::ok(INSTALLATION, "work", "what is due gets done")),
        Err(error) => findings.push(Finding::problem(
            INSTALLATION,
            "work",
            "stagecall.store",
            error.to_string(),
            "Check the store",
        )),
    }
}

/// Whether work has failed as often as its queue allows.
async fn dead_letters(on: &Installation, findings: &mut Vec<Finding>) {
    for dead in &on.dead {
        let queue = dead.name();
        findings.push(match dead.count().await {
            Ok(0) => Finding::ok(INSTALLATION, "queues", format!("{queue}: no dead letters")),
            Ok(count) => Finding::problem(
                INSTALLATION,
                "queues",
                "stagecall.dead_letters",
                format!("{queue}: about {count} dead letters"),
                "See what the functions' logs say of them and mend it, then send them back: stagecall redrive",
            ),
            Err(error) => Finding::problem(
                INSTALLATION,
                "queues",
                "stagecall.store",
                error.to_string(),
                "Check the credentials and the region of this shell, and that the queues of the stack are there",
            ),
        });
    }
}

/// Whether the callback address leads to a listener of ours: one that says that there is no such address as this one.
async fn callback_address(arguments: &Arguments, on: &Installation) -> Vec<Finding> {
    let what = "callbacks";
    let Some(public_url) = arguments
        .public_url
        .clone()
        .or_else(|| on.public_url.clone())
    else {
        return vec![Finding::note(
            INSTALLATION,
            what,
            "no public address is known here (--public-url): where there is none, results are found by asking the platforms",
        )];
    };
    let problem = |found: String| {
        vec![Finding::problem(
            INSTALLATION,
            what,
            "stagecall.callback_address",
            found,
            "Let the proxy or function URL at that address pass POST /callbacks/… on to Stagecall's listener, with its path and body unchanged",
        )]
    };
    // Of the right form, and nobody's.
    let path = format!("callbacks/doctor/doctor/{}", "0".repeat(64));
    let Ok(url) = public_url.join(&path) else {
        return problem(format!("{public_url} is no address to call back to"));
    };
    let request = Request::new(Method::Post, url).json(&json!({}));
    let limits = Limits {
        time: PATIENCE,
        answer: LARGEST,
    };
    match on.transport.send(request, limits).await {
        Ok(answer) if answer.status == 404 && answer.body.starts_with(b"no such address") => {
            vec![Finding::ok(
                INSTALLATION,
                what,
                format!("{public_url} leads to Stagecall's listener"),
            )]
        }
        Ok(answer) => problem(format!(
            "{public_url} answers, but not as Stagecall's listener (HTTP {})",
            answer.status
        )),
        Err(error) => problem(format!("{public_url}: {error}")),
    }
}

/// How a tenant stands, by what is on record.
async fn stands(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let problems = stagecall_eploy::validate(&tenant.eploy).into_iter().chain(
        tenant
            .platforms
            .values()
            .flat_map(stagecall_platforms::validate),
    );
    found.extend(problems.map(|problem| {
        Finding::problem(
            of,
            "settings",
            "stagecall.settings",
            problem,
            format!("Correct it: stagecall tenant set {}", tenant.id),
        )
    }));
    for mapping in &tenant.mappings {
        let account = tenant.platforms.get(&mapping.assessment.account);
        let problems = account.map(|on| stagecall_platforms::validate_mapping(on, mapping));
        found.extend(problems.into_iter().flatten().map(|problem| {
            Finding::problem(
                of,
                "mappings",
                "stagecall.settings",
                format!("{}: {problem}", mapping.id),
                format!("Correct it: stagecall tenant set {}", tenant.id),
            )
        }));
    }
    let all = on.records.list_tenants().await.unwrap_or_default();
    found.extend(tenant.overlaps(&all).iter().map(|overlap| {
        Finding::problem(
            of,
            "mappings",
            "stagecall.overlap",
            overlap.to_string(),
            format!("Remove one of them: stagecall map remove {}", tenant.id),
        )
    }));
    found.extend(secrets(on, tenant, of).await);
    if tenant.paused {
        found.push(Finding::note(
            of,
            "paused",
            format!(
                "nothing is polled or invited until stagecall tenant resume {}",
                tenant.id
            ),
        ));
    }
    if tenant.mappings.is_empty() {
        found.push(Finding::note(
            of,
            "mappings",
            format!(
                "there are none: nobody is invited until stagecall map add {}",
                tenant.id
            ),
        ));
    }
    match on.states.load_state(&tenant.id).await {
        Err(error) => found.push(Finding::problem(
            of,
            "state",
            "stagecall.store",
            error.to_string(),
            "Check the store",
        )),
        Ok(None) => found.push(Finding::note(of, "polling", "it was never polled")),
        Ok(Some(state)) => found.extend(recorded::state(tenant, &state, of, on.clock.now())),
    }
    found.extend(recorded::sweeps(on, tenant, of).await);
    found
}

/// Whether the tenant's secrets are there and can be used.
async fn secrets(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
    let again = format!("Give them again: stagecall tenant add {}", tenant.id);
    match on.secrets.secret(&tenant.id, true).await {
        Err(error) => {
            let found = error.to_string();
            vec![Finding::problem(
                of,
                "secrets",
                "stagecall.secrets",
                found,
                again,
            )]
        }
        Ok(secret) => {
            let mut missing: Vec<_> = tenant
                .platforms
                .keys()
                .filter(|account| !secret.platforms.contains_key(*account))
                .map(ToString::to_string)
                .collect();
            let hires = tenant.hires.as_ref();
            if hires.is_some_and(|plan| plan.endpoint.is_some()) && secret.hrms.is_none() {
                missing.push("the HRMS (stagecall tenant rotate --secrets)".to_owned());
            }
            let mut found: Vec<_> = secret
                .hrms
                .iter()
                .flat_map(stagecall_hrms::unusable)
                .map(|problem| {
                    Finding::problem(
                        of,
                        "secrets",
                        "stagecall.secrets",
                        problem,
                        "Store the secret that the receiver was given: stagecall tenant rotate --secrets",
                    )
                })
                .collect();
            if !missing.is_empty() {
                let missing = format!("those of {} are missing", missing.join(", "));
                found.push(Finding::problem(
                    of,
                    "secrets",
                    "stagecall.secrets",
                    missing,
                    again,
                ));
            }
            if found.is_empty() {
                found.push(Finding::ok(of, "secrets", "all are there"));
            }
            found
        }
    }
}
