//! `stagecall tenant rotate`.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use dialoguer::Password;
use secrecy::SecretString;
use stagecall_core::ids::AccountId;
use stagecall_operations::Installation;
use stagecall_operations::credentials::{EPLOY, EPLOY_SECRETS, Given, account_kind, parse};
use stagecall_operations::tenants::rotate::{Question, prepare};

use crate::confirm::Audit;
use crate::exit;

/// Replace credentials, or a callback token.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall tenant rotate acme --eploy\n  stagecall tenant rotate acme --secrets - < acme-keys.toml\n  stagecall tenant rotate acme --callback willo --keep-hours 48"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// Prompt for Eploy's client id and secret; they are not shown.
    #[arg(long)]
    eploy: bool,
    /// Prompt for the secrets of this platform account; they are not shown.
    #[arg(long, value_name = "ACCOUNT")]
    platform: Option<String>,
    /// Read secrets from a file, - for standard input, which needs --yes: TOML with a table `eploy`, one for each
    /// platform account, and `hrms` with current and previous. Secrets that are not given are kept.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["eploy", "platform"])]
    secrets: Option<PathBuf>,
    /// Create a new callback token for this platform account.
    #[arg(long, value_name = "ACCOUNT")]
    callback: Option<String>,
    /// How long the previous token is still accepted.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    keep_hours: u32,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let question = Question {
        given: given(&arguments, on).await?,
        tenant: arguments.tenant,
        callback: arguments.callback.map(AccountId::new),
        keep_hours: arguments.keep_hours,
    };
    let tenant = question.tenant.clone();
    let rotation = prepare(on, question).await?;
    if let Some(groups) = arguments.audit.carry_out(rotation, on).await? {
        println!("{tenant}: {} rotated", groups.join(", "));
    }
    Ok(exit::OK)
}

/// The secrets that are given, in a file or at the terminal.
async fn given(arguments: &Arguments, on: &Installation) -> anyhow::Result<Given> {
    if let Some(file) = &arguments.secrets {
        let text = if file.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        } else {
            std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?
        };
        return parse(&text)
            .map_err(|problem| exit::usage(format!("{}: {problem}", file.display())));
    }
    let mut given = Given::new();
    if arguments.eploy {
        let mut secrets = BTreeMap::new();
        for (key, about) in EPLOY_SECRETS {
            secrets.insert(key.to_owned(), hidden(&format!("Eploy: {about}"))?);
        }
        given.insert(EPLOY.to_owned(), secrets);
    }
    if let Some(account) = &arguments.platform {
        let tenant = on.tenant(&arguments.tenant).await?;
        let kind = account_kind(&tenant, &AccountId::new(account))?;
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
