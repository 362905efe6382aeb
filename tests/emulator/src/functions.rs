//! The functions' binaries, for this machine.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::{Error, end_of, repository, tell};

/// One of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Hands out what is due; woken by the schedule.
    Clock,
    /// Reads Eploy; woken by the poll queue.
    Poll,
    /// Sends invitations; woken by the invite queue.
    Invite,
    /// Takes callbacks; woken over HTTP.
    Callback,
    /// Fetches results and reports; woken by the result queue.
    WriteBack,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Clock,
        Self::Poll,
        Self::Invite,
        Self::Callback,
        Self::WriteBack,
    ];
}

/// Its name, as in `functions/` and in the stack.
impl fmt::Display for Function {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Clock => "clock",
            Self::Poll => "poll",
            Self::Invite => "invite",
            Self::Callback => "callback",
            Self::WriteBack => "writeback",
        })
    }
}

/// The built binaries.
#[derive(Clone, Debug)]
pub struct Functions(BTreeMap<Function, PathBuf>);

impl Functions {
    /// Builds those that are not built yet, with the profile of the program that calls this.
    pub async fn build() -> Result<Self, Error> {
        tell("building the functions");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(repository())
            .args(["build", "--message-format=json-render-diagnostics"])
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        for function in Function::ALL {
            cargo.arg("--package").arg(format!("stagecall-{function}"));
        }
        let done = cargo.output().await.map_err(|problem| Error::NotStarted {
            program: "cargo".to_owned(),
            problem,
            remedy: "Install Rust with rustup",
        })?;
        let failed = |said: String| Error::Failed {
            program: "cargo build".to_owned(),
            said,
        };
        if !done.status.success() {
            return Err(failed(end_of(&done.stderr)));
        }
        let said = String::from_utf8_lossy(&done.stdout);
        let built: BTreeMap<String, PathBuf> = said.lines().filter_map(binary).collect();
        let binaries = Function::ALL.into_iter().map(|function| {
            let binary = built
                .get(&format!("stagecall-{function}"))
                .ok_or_else(|| failed(format!("it built no stagecall-{function}")))?;
            Ok::<_, Error>((function, binary.clone()))
        });
        Ok(Self(binaries.collect::<Result<_, Error>>()?))
    }

    /// Those that are built already, in this folder.
    pub fn built_in(folder: &Path) -> Self {
        let binary = |function: &Function| folder.join(format!("stagecall-{function}"));
        Self(
            Function::ALL
                .map(|function| (function, binary(&function)))
                .into(),
        )
    }

    /// Copies them below `folder` as `infra/deploy/build` leaves them for SAM:
    /// `.aws-sam/functions/stagecall-clock/bootstrap` and so on, which is where the template has their code.
    pub(crate) async fn lay_out(&self, folder: &Path) -> Result<(), Error> {
        for (function, binary) in &self.0 {
            let folder = folder
                .join(".aws-sam/functions")
                .join(format!("stagecall-{function}"));
            tokio::fs::create_dir_all(&folder)
                .await
                .map_err(|problem| Error::file(&folder, problem))?;
            let bootstrap = folder.join("bootstrap");
            if !stripped(binary, &bootstrap).await {
                tokio::fs::copy(binary, &bootstrap)
                    .await
                    .map_err(|problem| Error::file(&bootstrap, problem))?;
            }
        }
        Ok(())
    }
}

/// Copies a binary without its symbols, if this machine has the means: most of what SAM packs and sends otherwise.
async fn stripped(binary: &Path, to: &Path) -> bool {
    let strip = Command::new("strip")
        .arg("-o")
        .args([to, binary])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    strip.is_ok_and(|status| status.success())
}

/// The name and the place of a binary, of a line of cargo's that tells of one.
fn binary(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let executable = message["executable"].as_str()?;
    Some((
        message["target"]["name"].as_str()?.to_owned(),
        executable.into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_binaries_count_in_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"stagecall-poll","kind":["bin"]},"executable":"/t/stagecall-poll"}"#;
        let found = ("stagecall-poll".to_owned(), "/t/stagecall-poll".into());
        assert_eq!(binary(line), Some(found));
        let library = r#"{"reason":"compiler-artifact","target":{"name":"url","kind":["lib"]},"executable":null}"#;
        assert_eq!(binary(library), None);
        assert_eq!(binary("   Compiling url"), None);
    }
}
