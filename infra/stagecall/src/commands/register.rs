//! `stagecall register`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::callbacks::prepare;
use url::Url;

use crate::confirm::Audit;
use crate::exit;

/// Register the callbacks on the platforms. `serve` does this automatically; for a stack on AWS run it after `map add`
/// and after a callback token was rotated.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall register acme --public-url https://hooks.example.com/\n  stagecall register --store aws:stagecall-prod --public-url https://abc123.execute-api.eu-west-2.amazonaws.com/ --yes"
)]
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

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let registering = prepare(on, &arguments.tenants, arguments.public_url).await?;
    let audit = &arguments.audit;
    if !audit.confirm(&registering.in_words())? {
        return Ok(exit::OK);
    }
    for tenant in registering.tenants() {
        let done = registering.register(on, &audit.actor(), tenant).await?;
        if done.is_empty() {
            println!(
                "{}: nothing to register: no mapping uses a platform with callbacks",
                tenant.id
            );
        }
        for (account, done) in done {
            println!(
                "{}: {account}: callback registrations: {} new, {} changed, {} unchanged",
                tenant.id, done.created, done.changed, done.kept
            );
        }
    }
    Ok(exit::OK)
}
