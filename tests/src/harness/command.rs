//! The command that the scenarios run, built with these tests' profile if necessary.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `stagecall` command.
pub fn stagecall() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    Command::new(BUILT.get_or_init(build))
}

/// Builds the command with the profile of these tests, into their target directory. It does so with a test of the whole
/// workspace, so that the crates that "cargo test --workspace" has built are not built again.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // <target>/<profile>/deps/<test>
    let folder = test.parent().and_then(Path::parent).unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        other => other,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // The variables that cargo sets for this package would make build scripts that read them run again, and then
    // rebuild everything that depends on them, now and the next time.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    let done = cargo
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
