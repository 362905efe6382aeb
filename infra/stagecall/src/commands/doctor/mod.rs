//! `stagecall doctor`: checks the whole installation.

#[cfg(test)]
mod problems;
pub(crate) mod recorded;

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde_json::json;
use stagecall_core::tenant::Tenant;
use stagecall_http::{Limits, Method, Request};
use url::Url;

use crate::confirm::Audit;
use crate::findings::{Printer, code};
use crate::output::{Output, local, print_json};
use stagecall_operations::finding::{Finding, Verdict};
use stagecall_operations::{Hosting, Installation};
use stagecall_operations::{allowance, checks};

/// The lag of due work that is still normal.
const MAX_LAG: SignedDuration = SignedDuration::from_mins(5);
/// Timeout of the request to the callback address.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(15);
/// Limit of the callback address's response.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

const INSTALLATION: &str = "Installation";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Also check the connections of this tenant; may be repeated.
    #[arg(value_name = "TENANT")]
    tenants: Vec<String>,
    /// Also check the connections of all tenants, which costs some Eploy calls for each.
    #[arg(long)]
    connections: bool,
    /// The URL that platforms call. [default: the one in the configuration file]
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    audit: Audit,
}

/// Checks everything and prints the findings. Exits with 3 if there is a problem.
pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
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
        findings.extend(tenant_findings(on, tenant, &of).await);
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
            findings.push(allowance::check(&inspector, tenant, &of, &on.zone).await);
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
            0 => println!("\nNo problems found."),
            1 => println!("\n1 problem found."),
            more => println!("\n{more} problems found."),
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
    let fix = match on.hosting {
        Hosting::Embedded => {
            "Check that the file's folder exists, has free space, and can be read and written by this user, and that this version of stagecall matches the file's"
        }
        Hosting::Serverless => {
            "Check the credentials and the region of this shell, and that the stack's table exists and is active"
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
        .actor()
        .record(on, "doctor", None, "installation")
        .await
    {
        Ok(()) => findings.push(Finding::ok(
            INSTALLATION,
            "store",
            format!(
                "{} can be read and written; {} tenant(s)",
                on.name,
                tenants.len()
            ),
        )),
        Err(error) => findings.push(wrong(&error)),
    }
    if let Err(error) = on.records.verify().await {
        findings.push(wrong(&error));
    }
    tenants
}

/// Whether due work is processed: by the host's workers, or by schedules, queues and functions.
async fn due(on: &Installation, findings: &mut Vec<Finding>) {
    let now = on.clock.now();
    match on.records.oldest_due(now).await {
        Ok(Some(since)) if now.duration_since(since) > MAX_LAG => findings.push(Finding::problem(
            INSTALLATION,
            "work",
            "stagecall.behind",
            format!("work has been due since {}", local(since)),
            match on.hosting {
                Hosting::Embedded => "Start the host: stagecall serve. If it runs, check its log, and give it more workers",
                Hosting::Serverless => "Check that the clock's schedule is enabled, the functions' alarms, and the dead letters",
            },
        )),
        Ok(_) => findings.push(Finding::ok(INSTALLATION, "work", "due work is processed")),
        Err(error) => findings.push(Finding::problem(
            INSTALLATION,
            "work",
            "stagecall.store",
            error.to_string(),
            "Check the store",
        )),
    }
}

async fn dead_letters(on: &Installation, findings: &mut Vec<Finding>) {
    for dead in &on.dead_letters {
        let queue = dead.name();
        findings.push(match dead.count().await {
            Ok(0) => Finding::ok(INSTALLATION, "queues", format!("{queue}: no dead letters")),
            Ok(count) => Finding::problem(
                INSTALLATION,
                "queues",
                "stagecall.dead_letters",
                format!("{queue}: about {count} dead letters"),
                "Fix the cause, which the functions' logs show, then send them back: stagecall redrive",
            ),
            Err(error) => Finding::problem(
                INSTALLATION,
                "queues",
                "stagecall.store",
                error.to_string(),
                "Check the credentials and the region of this shell, and that the stack's queues exist",
            ),
        });
    }
}

/// Whether the callback address leads to our listener, which answers with its own 404 to an unknown path.
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
            "no public address is given (--public-url); without one, results are found by polling the platforms",
        )];
    };
    let problem = |found: String| {
        vec![Finding::problem(
            INSTALLATION,
            what,
            "stagecall.callback_address",
            found,
            "Forward POST /callbacks/… from that address to Stagecall's listener, with path and body unchanged",
        )]
    };
    // A well-formed path with a token that nobody has.
    let path = format!("callbacks/doctor/doctor/{}", "0".repeat(64));
    let Ok(url) = public_url.join(&path) else {
        return problem(format!("{public_url} cannot be used as a callback address"));
    };
    let request = Request::new(Method::Post, url).json(&json!({}));
    let limits = Limits {
        time: CALLBACK_TIMEOUT,
        answer: MAX_RESPONSE_BYTES,
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

/// A tenant's saved configuration and state. Makes no call.
async fn tenant_findings(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
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
                "nothing is polled and nobody is invited until: stagecall tenant resume {}",
                tenant.id
            ),
        ));
    }
    if tenant.mappings.is_empty() {
        found.push(Finding::note(
            of,
            "mappings",
            format!(
                "there are none, so nobody is invited. Add one: stagecall map add {}",
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
        Ok(None) => found.push(Finding::note(of, "polling", "not polled yet")),
        Ok(Some(state)) => found.extend(recorded::state(tenant, &state, of, on.clock.now())),
    }
    found.extend(recorded::sweeps(on, tenant, of).await);
    found
}

/// Whether the tenant's secrets exist and can be used.
async fn secrets(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
    let again = format!("Enter them again: stagecall tenant add {}", tenant.id);
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
                        "Store the secret that the receiver has: stagecall tenant rotate --secrets",
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
                found.push(Finding::ok(of, "secrets", "all are present"));
            }
            found
        }
    }
}
