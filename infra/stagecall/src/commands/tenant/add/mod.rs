//! `stagecall tenant add`: sets up a customer's connections step by step. Each answer is stored at once, so that the command
//! can be stopped at any point and run again; it then checks everything again and asks only for what is missing.

mod credentials;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::TenantSecret;
use stagecall_core::tenant::{PlatformConnection, Tenant};
use stagecall_platforms::{KINDS, PlatformSpec, names};
use url::Url;

use crate::confirm::Audit;
use crate::exit;
use crate::findings::{Printer, code};
use crate::output::{Output, print_json};
use crate::prompt;
use credentials::Credentials;
use stagecall_operations::connect::checks;
use stagecall_operations::finding::{Finding, any_problem};
use stagecall_operations::{Error, Installation};

/// Connect a customer: its Eploy and its platform, with a check of each step. Run it again to continue or to re-check.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall tenant add acme\n  stagecall tenant add acme --eploy acme --platform willo --secrets acme-keys.toml"
)]
pub(crate) struct Arguments {
    /// The tenant's name: letters, digits, - and _.
    name: String,
    /// The Eploy system: its subdomain ("acme") or its URL.
    #[arg(long, value_name = "ADDRESS")]
    eploy: Option<String>,
    #[arg(long, value_name = "KIND", help = format!("The platform ({})", names().join(", ")))]
    platform: Option<String>,
    /// A name for the platform account, if the tenant has several on one platform. [default: the platform's name]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The URL of the platform's API, if it is not the default.
    #[arg(long, value_name = "URL")]
    platform_url: Option<Url>,
    /// A file with the credentials, - for standard input: TOML with `client_id` and `client_secret` in `[eploy]` and the
    /// platform's keys in `[willo]`. Without it, they are read from variables such as `STAGECALL_EPLOY_CLIENT_SECRET`, or
    /// prompted for.
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// The maximum number of Eploy calls per day. [default: 10000]
    #[arg(long, value_name = "CALLS")]
    daily_calls: Option<u32>,
    /// Seconds between polls of Eploy. [default: 60]
    #[arg(long, value_name = "SECONDS")]
    poll_seconds: Option<u32>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    audit: Audit,
}

/// The findings in order; each is also printed at once.
struct Walk {
    findings: Vec<Finding>,
    printer: Option<Printer>,
}

impl Walk {
    fn found(&mut self, findings: Vec<Finding>) -> bool {
        if let Some(printer) = &mut self.printer {
            printer.print(&findings);
        }
        let well = !any_problem(&findings);
        self.findings.extend(findings);
        well
    }
}

/// Runs the steps.
pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let mut walk = Walk {
        findings: Vec::new(),
        printer: (!arguments.output.json).then(Printer::default),
    };
    let connected = connect(&arguments, on, &mut walk).await?;
    if arguments.output.json {
        print_json(
            &json!({"tenant": arguments.name, "connected": connected, "findings": walk.findings}),
        )?;
        return Ok(code(&walk.findings));
    }
    let name = &arguments.name;
    if connected {
        println!(
            "\n{name} is connected. Next: stagecall probe {name}, then stagecall map add {name}"
        );
    } else {
        println!(
            "\nYour answers are saved. Fix the problem and run the same command again: it continues from here."
        );
    }
    Ok(code(&walk.findings))
}

/// Whether all connections work.
async fn connect(
    arguments: &Arguments,
    on: &Installation,
    walk: &mut Walk,
) -> anyhow::Result<bool> {
    let id = name(&arguments.name)?;
    let known = on.tenants.tenant(&id).await?;
    let new = known.is_none();
    let mut tenant = begun(arguments, known, &id)?;
    let credentials = Credentials::gather(on, &tenant.id, arguments.secrets.as_deref()).await?;
    let eploy = credentials.eploy()?;
    let of_eploy = |before: Option<&TenantSecret>| {
        let mut secret = before.unwrap_or(&eploy).clone();
        secret.eploy_client_id = eploy.eploy_client_id.clone();
        secret.eploy_client_secret = eploy.eploy_client_secret.clone();
        Ok::<_, Error>(secret)
    };
    on.change_secret(&tenant.id, of_eploy).await?;
    on.records.put_tenant(&tenant).await?;
    if new {
        let actor = arguments.audit.actor();
        actor
            .record(on, "tenant add", Some(&tenant.id), tenant.id.as_str())
            .await?;
    }
    if !walk.found(checks::eploy(on, &tenant).await) {
        return Ok(false);
    }

    if let Some((account, connection, kind)) = account(arguments, &tenant)? {
        tenant.platforms.insert(account.clone(), connection);
        let of_account = credentials.platform(&account, kind)?;
        let with_account = |before: Option<&TenantSecret>| {
            let mut secret = before.unwrap_or(&eploy).clone();
            secret.platforms.insert(account.clone(), of_account.clone());
            Ok::<_, Error>(secret)
        };
        on.change_secret(&tenant.id, with_account).await?;
        on.records.put_tenant(&tenant).await?;
    }
    let mut well = true;
    for account in tenant.platforms.keys() {
        let (findings, _) = checks::platform(on, &tenant, account).await;
        well &= walk.found(findings);
    }
    if well && tenant.mappings.is_empty() && tenant.paused {
        // It was paused only until its connections work.
        tenant.paused = false;
        on.records.put_tenant(&tenant).await?;
    }
    Ok(well)
}

/// The tenant, with its saved and given Eploy settings. A new one is paused until its connections work.
fn begun(arguments: &Arguments, known: Option<Tenant>, id: &TenantId) -> anyhow::Result<Tenant> {
    let given = arguments.eploy.as_deref().map(address).transpose()?;
    let mut tenant = match known {
        Some(known) => known,
        None => {
            let base_url = match given.clone() {
                Some(url) => url,
                None => address(&prompt::text(
                    "Eploy: the URL where you log in, or its subdomain",
                    "--eploy",
                )?)?,
            };
            serde_json::from_value(
                json!({"id": id, "paused": true, "eploy": {"base_url": base_url}}),
            )?
        }
    };
    if let Some(url) = given {
        tenant.eploy.base_url = url;
    }
    if let Some(calls) = arguments.daily_calls {
        tenant.eploy.daily_calls = calls;
    }
    if let Some(seconds) = arguments.poll_seconds {
        tenant.eploy.poll_seconds = seconds;
    }
    let problems = stagecall_eploy::validate(&tenant.eploy);
    if problems.is_empty() {
        Ok(tenant)
    } else {
        Err(exit::usage(problems.join("\n")))
    }
}

/// The platform account to add or change; `None` if one exists and none was named.
fn account(
    arguments: &Arguments,
    tenant: &Tenant,
) -> anyhow::Result<Option<(AccountId, PlatformConnection, &'static PlatformSpec)>> {
    let name = match &arguments.platform {
        Some(name) => name.clone(),
        None if !tenant.platforms.is_empty() => return Ok(None),
        None => {
            let titles: Vec<String> = KINDS.iter().map(|kind| kind.title.to_owned()).collect();
            let chosen = prompt::one("Platform", &titles, "--platform")?;
            KINDS[chosen].name.to_owned()
        }
    };
    let kind = stagecall_platforms::kind(&name).ok_or_else(|| {
        exit::usage(format!(
            "there is no platform \"{name}\"; there are {}",
            names().join(", ")
        ))
    })?;
    let account = AccountId::new(arguments.account.as_deref().unwrap_or(kind.name));
    let mut connection = tenant
        .platforms
        .get(&account)
        .cloned()
        .unwrap_or(PlatformConnection {
            kind: name,
            base_url: None,
            settings: serde_json::Map::new(),
        });
    if let Some(url) = &arguments.platform_url {
        connection.base_url = Some(url.clone());
    }
    let problems = stagecall_platforms::validate(&connection);
    if problems.is_empty() {
        Ok(Some((account, connection, kind)))
    } else {
        Err(exit::usage(problems.join("\n")))
    }
}

fn name(text: &str) -> anyhow::Result<TenantId> {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
    if text.is_empty() || !text.chars().all(plain) {
        return Err(exit::usage(format!(
            "\"{text}\" is not a valid tenant name: use only letters, digits, - and _"
        )));
    }
    Ok(TenantId::new(text))
}

/// The URL of an Eploy system from user input: `acme`, `acme.eploy.net` or a URL.
fn address(text: &str) -> anyhow::Result<Url> {
    let text = text.trim();
    let whole = if text.contains("://") {
        text.to_owned()
    } else if text.contains('.') {
        format!("https://{text}/")
    } else {
        format!("https://{text}.eploy.net/")
    };
    Url::parse(&whole).map_err(|error| {
        exit::usage(format!(
            "{text} is not a valid address ({error}); give the subdomain (acme) or the URL (https://acme.eploy.net/)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subdomain_a_host_and_a_url_are_accepted() {
        for (text, expected) in [
            ("acme", "https://acme.eploy.net/"),
            (" jobs.acme.example ", "https://jobs.acme.example/"),
            ("https://acme.eploy.net", "https://acme.eploy.net/"),
            (
                "http://127.0.0.1:7070/eploy/acme/",
                "http://127.0.0.1:7070/eploy/acme/",
            ),
        ] {
            assert_eq!(address(text).unwrap().as_str(), expected);
        }
        assert!(address("a b").is_err());
        assert!(name("acme-1").is_ok() && name("acme/1").is_err() && name("").is_err());
    }
}
