//! The command that the scenarios run: the one that belongs to these tests, built if it is not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `stagecall` command.
pub fn stagecall() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    Command::new(BUILT.get_or_init(build))
}

/// Builds the command with the profile of these tests, into their target directory. With a test of the whole workspace,
/// so that the crates that "cargo test --workspace" has built are not built once more.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // <target>/<profile>/deps/<test>
    let folder = test.parent().and_then(Path::parent).unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        other => other,
    };
    let done = Command::new(env!("CARGO"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "stagecall",
            "--test",
            "it",
            "--profile",
            profile,
            "--target-dir",
        ])
        .arg(folder.parent().unwrap())
        .status()
        .unwrap();
    assert!(done.success(), "the command could not be built");
    folder.join("stagecall")
}
