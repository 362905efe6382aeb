//! `stagecall register`.

use std::sync::Arc;

use clap::Args;
use stagecall_core::error::Error;
use stagecall_core::usecases::Registrar;
use url::Url;

use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenants. [default: all]
    tenants: Vec<String>,
    /// The URL that the platforms call: on AWS the stack's output `CallbackAddress`. [default: the one in the configuration
    /// file]
    #[arg(long, value_name = "URL", env = "STAGECALL_PUBLIC_URL")]
    public_url: Option<Url>,
    #[command(flatten)]
    audit: Audit,
}

/// Registers the callbacks of the accounts that mappings use.
pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let given = arguments.public_url.clone();
    let Some(public_url) = given.or_else(|| on.public_url.clone()) else {
        return Err(exit::usage(
            "--public-url is missing: the URL that the platforms call",
        ));
    };
    if public_url.scheme() != "https" && !on.sandbox {
        return Err(exit::usage(format!(
            "{public_url}: use an https address, because callbacks carry a token"
        )));
    }
    let mut tenants = Vec::new();
    if arguments.tenants.is_empty() {
        tenants = on.records.list_tenants().await?;
    }
    for name in &arguments.tenants {
        tenants.push(on.tenant(name).await?);
    }
    let names: Vec<_> = tenants.iter().map(|tenant| tenant.id.as_str()).collect();
    let what = format!(
        "Callbacks to {public_url} will be registered on the platforms of {}.",
        names.join(", ")
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    let registrar = Registrar {
        public_url,
        platforms: Arc::new(on.platforms()),
        secrets: on.secrets.clone(),
    };
    for tenant in &tenants {
        let done = registrar
            .register_all(tenant)
            .await
            .map_err(|error| match error {
                Error::Call(refused) => anyhow::Error::from(refused),
                other => other.into(),
            })?;
        if done.is_empty() {
            println!(
                "{}: nothing to register: no mapping uses a platform with callbacks",
                tenant.id
            );
            continue;
        }
        for (account, done) in done {
            println!(
                "{}: {account}: callback registrations: {} new, {} changed, {} unchanged",
                tenant.id, done.created, done.changed, done.kept
            );
        }
        let audit = &arguments.audit;
        audit
            .actor()
            .record(on, "register", Some(&tenant.id), tenant.id.as_str())
            .await?;
    }
    Ok(exit::OK)
}
