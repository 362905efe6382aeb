//! `stagecall tenant apply`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::tenants::apply::apply;

use super::file;

/// Make tenants match a file, after showing what changes. Tenants that are not in the file are left unchanged.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall tenant apply tenants.toml\n  stagecall tenant apply tenants.toml --check"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: file::FileArguments,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenants = arguments.file.read(on)?;
    let changes = apply(on, tenants).await?;
    arguments.file.change(changes, on).await
}
