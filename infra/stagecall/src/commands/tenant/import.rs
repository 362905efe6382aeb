//! `stagecall tenant import`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::tenants::apply::import;

use super::file;

/// Add the tenants of a file that do not exist yet.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall tenant import tenants.toml")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: file::FileArguments,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenants = arguments.file.read(on)?;
    let changes = import(on, tenants).await?;
    for id in &changes.kept {
        println!(
            "{id} exists already and differs; it is left unchanged. To change it: stagecall tenant apply"
        );
    }
    arguments.file.change(changes, on).await
}
