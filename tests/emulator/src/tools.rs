//! The tools in `.venv/` at the top of the repository: SAM and the emulator.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::{Error, end_of, repository, tell};

/// Where the tools' commands are; installs them if they are not there.
pub(crate) async fn commands() -> Result<PathBuf, Error> {
    if !run(&["--check"]).await?.status.success() {
        tell(
            "installing SAM and the emulator into .venv, which takes a minute (infra/deploy/tools)",
        );
        let installed = run(&[]).await?;
        if !installed.status.success() {
            return Err(Error::Failed {
                program: "infra/deploy/tools".to_owned(),
                said: end_of(&[installed.stdout, installed.stderr].concat()),
            });
        }
    }
    Ok(repository().join(".venv/bin"))
}

async fn run(arguments: &[&str]) -> Result<std::process::Output, Error> {
    Command::new(repository().join("infra/deploy/tools"))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|problem| Error::NotStarted {
            program: "infra/deploy/tools".to_owned(),
            problem,
            remedy: "Run this from a checkout of the repository, on a machine with bash",
        })
}
