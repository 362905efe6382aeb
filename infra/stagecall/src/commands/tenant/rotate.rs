//! `stagecall tenant rotate`.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use dialoguer::Password;
use secrecy::{ExposeSecret as _, SecretString};
use stagecall_core::ids::AccountId;
use stagecall_core::ports::{SigningSecrets, TenantSecret};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::{after, seconds};

use crate::confirm::Audit;
use crate::exit;
use crate::output::local;
use crate::secrets_input::{self, Given};
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// Prompt for Eploy's client id and secret; they are not shown.
    #[arg(long)]
    eploy: bool,
    /// Prompt for the secrets of this platform account; they are not shown.
    #[arg(long, value_name = "ACCOUNT")]
    platform: Option<AccountName>,
    /// Read secrets from a file, - for standard input, which needs --yes: TOML with a table `eploy`, one for each
    /// platform account, and `hrms` with current and previous. Secrets that are not given are kept.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["eploy", "platform"])]
    secrets: Option<PathBuf>,
    /// Create a new callback token for this platform account.
    #[arg(long, value_name = "ACCOUNT")]
    callback: Option<AccountName>,
    /// How long the previous token is still accepted.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    keep_hours: u32,
    #[command(flatten)]
    audit: Audit,
}

/// The table of the secrets that webhooks to the HRMS are signed with.
const HRMS: &str = "hrms";

type AccountName = String;

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let given = given(arguments, &tenant)?;
    if given.is_empty() && arguments.callback.is_none() {
        return Err(exit::usage(
            "nothing to rotate: pass --eploy, --platform, --secrets or --callback",
        ));
    }
    let until = after(
        on.clock.now(),
        seconds(f64::from(arguments.keep_hours) * 3600.0),
    );
    let mut groups: Vec<String> = given.keys().cloned().collect();
    let mut what: Vec<String> = groups
        .iter()
        .map(|group| {
            format!(
                "The {group} credentials of {} will be replaced; the previous ones are deleted.",
                tenant.id
            )
        })
        .collect();
    if let Some(account) = &arguments.callback {
        what.push(format!(
            "The callback token of {account} for {0} will be replaced; the previous one is accepted until {1}. The host registers the new one automatically. On AWS, register it before then, but not within the next five minutes, which the functions may need to load it: stagecall register {0}.",
            tenant.id, local(until)
        ));
    }
    if !arguments.audit.confirm(&what.join("\n"))? {
        return Ok(exit::OK);
    }
    if !given.is_empty() {
        let change = |before: Option<&TenantSecret>| changed(before, &given, &tenant);
        on.change_secret(&tenant.id, change).await?;
    }
    if let Some(account) = &arguments.callback {
        let account_id = AccountId::new(account);
        on.vault
            .rotate_callback_token(&tenant.id, &account_id, until)
            .await?;
        groups.push(format!("callback {account}"));
    }
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, "tenant rotate", Some(&tenant.id), groups.join(", "))
        .await?;
    println!("{}: {} rotated", tenant.id, groups.join(", "));
    Ok(exit::OK)
}

/// The secrets that are given, in a file or at the terminal.
fn given(arguments: &Arguments, tenant: &Tenant) -> anyhow::Result<Given> {
    if let Some(file) = &arguments.secrets {
        let text = if file.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        } else {
            std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?
        };
        return secrets_input::parse(&text)
            .map_err(|problem| exit::usage(format!("{}: {problem}", file.display())));
    }
    let mut given = Given::new();
    if arguments.eploy {
        let mut eploy = BTreeMap::new();
        for (name, question) in [
            ("client_id", "Eploy: Client ID"),
            ("client_secret", "Eploy: Client Secret"),
        ] {
            eploy.insert(name.to_owned(), hidden(question)?);
        }
        given.insert("eploy".to_owned(), eploy);
    }
    if let Some(account) = &arguments.platform {
        let connection = tenant
            .platforms
            .get(&AccountId::new(account))
            .ok_or_else(|| {
                exit::not_found(format!("{} has no platform account {account}", tenant.id))
            })?;
        let kind = stagecall_platforms::kind(&connection.kind)
            .ok_or_else(|| exit::usage(format!("{} is not a known platform", connection.kind)))?;
        let mut secrets = BTreeMap::new();
        for secret in kind.secrets.iter().filter(|secret| !secret.optional) {
            let question = format!("{account}: {}", secret.key);
            secrets.insert(secret.key.to_owned(), hidden(&question)?);
        }
        given.insert(account.clone(), secrets);
    }
    Ok(given)
}

/// A secret from the terminal, not shown.
fn hidden(question: &str) -> anyhow::Result<SecretString> {
    if !std::io::stdin().is_terminal() {
        return Err(exit::usage(
            "there is no terminal to ask for secrets; pass --secrets FILE",
        ));
    }
    let secret = Password::new().with_prompt(question).interact()?;
    Ok(secret.trim().to_owned().into())
}

/// The current secrets, with the given ones replaced.
fn changed(
    before: Option<&TenantSecret>,
    given: &Given,
    tenant: &Tenant,
) -> anyhow::Result<TenantSecret> {
    let eploy = given.get("eploy");
    let one = |name: &str, known: Option<SecretString>| {
        eploy
            .and_then(|eploy| eploy.get(name).cloned())
            .or(known)
            .filter(|secret| !secret.expose_secret().is_empty())
            .ok_or_else(|| {
                exit::usage(format!(
                    "eploy.{name} is missing, and there is no current one"
                ))
            })
    };
    let mut platforms = before
        .map(|before| before.platforms.clone())
        .unwrap_or_default();
    platforms.retain(|account, _| tenant.platforms.contains_key(account));
    let hrms = match given.get(HRMS) {
        Some(secrets) => Some(signing(secrets)?),
        None => before.and_then(|before| before.hrms.clone()),
    };
    let accounts = |group: &&String| *group != "eploy" && *group != HRMS;
    for (group, secrets) in given.iter().filter(|(group, _)| accounts(group)) {
        let account = AccountId::new(group);
        if !tenant.platforms.contains_key(&account) {
            return Err(exit::not_found(format!(
                "{} has no platform account {group}",
                tenant.id
            )));
        }
        let of = platforms.entry(account).or_default();
        of.0.extend(
            secrets
                .iter()
                .map(|(name, secret)| (name.clone(), secret.clone())),
        );
    }
    Ok(TenantSecret {
        eploy_client_id: one(
            "client_id",
            before.map(|before| before.eploy_client_id.clone()),
        )?,
        eploy_client_secret: one(
            "client_secret",
            before.map(|before| before.eploy_client_secret.clone()),
        )?,
        platforms,
        hrms,
    })
}

/// The secrets that webhooks to the HRMS are signed with.
fn signing(secrets: &BTreeMap<String, SecretString>) -> anyhow::Result<SigningSecrets> {
    let current = secrets.get("current").cloned();
    Ok(SigningSecrets {
        current: current.ok_or_else(|| exit::usage("hrms.current is missing"))?,
        previous: secrets.get("previous").cloned(),
    })
}
