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
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo has told these tests of their own package would make it run build scripts again that look at the like,
    // and then build everything that rests on them, now and once more the next time.
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
