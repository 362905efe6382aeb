//! A file of tenants, and making tenants match it.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use stagecall_core::tenant::Tenant;
use stagecall_operations::tenants::apply::{BASELINE, Changes, missing_credentials};
use stagecall_operations::{Change as _, Installation};

use crate::config::{Wrong, parse_tenants};
use crate::confirm::Audit;
use crate::exit;

#[derive(Debug, Args)]
pub(super) struct FileArguments {
    /// The file, as `tenant export` prints it; - for standard input, which needs --yes.
    file: PathBuf,
    /// Show what would change, and change nothing.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    audit: Audit,
}

impl FileArguments {
    /// The tenants of the file.
    pub(super) fn read(&self, on: &Installation) -> anyhow::Result<Vec<Tenant>> {
        let file = &self.file;
        let mut text = String::new();
        if file.as_os_str() == "-" {
            std::io::stdin().read_to_string(&mut text)?;
        } else {
            text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
        }
        parse_tenants(&text, on.sandbox).map_err(|problems| {
            let file = file.clone();
            exit::usage(Wrong { file, problems }.to_string())
        })
    }

    /// Makes the changes, after asking, or only shows them.
    pub(super) async fn change(&self, changes: Changes, on: &Installation) -> anyhow::Result<u8> {
        if changes.changes.is_empty() {
            println!("nothing changes");
            return Ok(exit::OK);
        }
        let shown = changes.in_words();
        if self.check {
            println!("{shown}");
            return Ok(exit::OK);
        }
        if !self.audit.confirm(&format!("{shown}\n{BASELINE}"))? {
            return Ok(exit::OK);
        }
        for change in changes.changes {
            let tenant = change.apply(on, &self.audit.actor()).await?;
            println!("{} is saved", tenant.id);
            if let Some(missing) = missing_credentials(on, &tenant).await {
                println!("{missing}");
            }
        }
        Ok(exit::OK)
    }
}
