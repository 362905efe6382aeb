//! Stagecall's own stack on an AWS emulator: the project's template, deployed by SAM, with the functions' real binaries,
//! the schedule, the queues, the HTTP API and the roles. For the deployed test and `stagecall demo --aws`.
//!
//! The emulator is `MiniStack`, one process on a loopback port, with IAM enforced. What it does not do is made up for in
//! [`Emulator::deploy`] and nowhere else; what that is, the README tells.

mod emulator;
mod functions;
mod logs;
mod process;
mod secret;
mod signed;
mod stack;
mod tools;

use std::path::{Path, PathBuf};

pub use emulator::{Emulator, Plan};
pub use functions::{Function, Functions};
pub use logs::{Line, Metric};
pub use secret::Credentials;
pub use stack::{Alarm, Paused, Queue, Stack, Taken};

/// Why the stack is not there or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program could not be started.
    #[error("{program} could not be started: {problem}. {remedy}")]
    NotStarted {
        /// Which.
        program: String,
        /// Why.
        problem: std::io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// A program ended badly.
    #[error("{program} failed; the end of what it said:\n{said}")]
    Failed {
        /// Which.
        program: String,
        /// The last lines of its output.
        said: String,
    },
    /// A file could not be read or written.
    #[error("{}: {problem}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: std::io::Error,
    },
    /// The emulator refused a call or did not answer.
    #[error("the emulator: {what}: {problem}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        problem: String,
    },
    /// One of the project's own stores failed.
    #[error(transparent)]
    Store(#[from] stagecall_core::error::StoreError),
    /// A platform refused to call back.
    #[error("callbacks could not be registered: {0}")]
    Platform(#[from] stagecall_core::error::Error),
}

impl Error {
    fn refused(what: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Refused {
            what,
            problem: problem.to_string(),
        }
    }

    fn file(path: &Path, problem: std::io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            problem,
        }
    }
}

/// The top of the repository that this was built from.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Prints what takes the time.
fn tell(what: &str) {
    eprintln!("emulator: {what}");
}

/// The last lines of what a program said.
fn end_of(said: &[u8]) -> String {
    const LINES: usize = 25;
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
