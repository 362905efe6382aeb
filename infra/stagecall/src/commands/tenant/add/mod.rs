//! `stagecall tenant add`: sets up a customer's connections step by step. Each answer is stored at once, so that the command
//! can be stopped at any point and run again; it then checks everything again and asks only for what is missing.

mod credentials;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use stagecall_operations::Installation;
use stagecall_operations::connect::{AccountSettings, Connecting, EploySettings, address};
use stagecall_operations::finding::{Finding, any_problem};
use stagecall_platforms::{KINDS, names};
use url::Url;

use crate::confirm::Audit;
use crate::findings::{Printer, code};
use crate::output::{Output, print_json};
use crate::prompt;
use credentials::Credentials;

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
    let mut connecting = Connecting::begin(on, &arguments.name).await?;
    let given = match &arguments.eploy {
        Some(text) => Some(address(text)?),
        None if connecting.needs_address() => Some(address(&prompt::text(
            "Eploy: the URL where you log in, or its subdomain",
            "--eploy",
        )?)?),
        None => None,
    };
    connecting.set_eploy(EploySettings {
        address: given,
        daily_calls: arguments.daily_calls,
        poll_seconds: arguments.poll_seconds,
    })?;
    let credentials = Credentials::read(&arguments.name, arguments.secrets.as_deref())?;
    let secrets = credentials.eploy(&connecting)?;
    let actor = arguments.audit.actor();
    let found = connecting.save_eploy(on, &actor, secrets).await?;
    if !walk.found(found) {
        return Ok(false);
    }
    if let Some(platform) = platform(arguments, &connecting)? {
        let account = connecting.account(AccountSettings {
            platform,
            name: arguments.account.clone(),
            base_url: arguments.platform_url.clone(),
        })?;
        let secrets = credentials.account(&account, &connecting)?;
        connecting.save_account(on, account, secrets).await?;
    }
    Ok(walk.found(connecting.finish(on).await?))
}

/// The platform of the account to add or change; `None` if there is an account and no platform was named.
fn platform(arguments: &Arguments, connecting: &Connecting) -> anyhow::Result<Option<String>> {
    if arguments.platform.is_some() || !connecting.needs_account() {
        return Ok(arguments.platform.clone());
    }
    let titles: Vec<String> = KINDS.iter().map(|kind| kind.title.to_owned()).collect();
    let chosen = prompt::one("Platform", &titles, "--platform")?;
    Ok(Some(KINDS[chosen].name.to_owned()))
}
