//! Checks that the seeded faults' patches apply. `tests/simulate --planted` shows that each is caught, which takes longer.

#![allow(clippy::unwrap_used, reason = "here, a panic is an answer")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How `tests/simulation/seeded_faults/run` applies a patch.
const AS_RUN_DOES: [&str; 5] = [
    "--strip=1",
    "--fuzz=1",
    "--batch",
    "--forward",
    "--no-backup-if-mismatch",
];

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The faults in the order in which they are applied: name, path and text.
fn faults() -> Vec<(String, PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeded_faults");
    let mut faults: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "patch")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            (name, path, text)
        })
        .collect();
    faults.sort();
    faults
}

/// The files that a patch changes.
fn changed(text: &str) -> Vec<&str> {
    let files = text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
    files.collect()
}

/// Applies a patch to the sources below `folder`. `Err` has patch's output if it does not apply.
fn apply(patch: &Path, folder: &Path, dry: bool) -> Result<(), String> {
    let done = Command::new("patch")
        .args(AS_RUN_DOES)
        .args(dry.then_some("--dry-run"))
        .arg("--directory")
        .arg(folder)
        .arg("--input")
        .arg(patch)
        .output();
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stdout).into_owned()),
        Err(error) => panic!(
            "the seeded faults cannot be checked, because `patch` does not run ({error}): install it, for example with \
             `apt-get install patch`"
        ),
    }
}

#[test]
fn each_patch_applies_alone() {
    for (name, patch, _) in faults() {
        if let Err(why) = apply(&patch, &root(), true) {
            panic!("{name}.patch does not apply to the sources; update it:\n{why}");
        }
    }
}

#[test]
fn all_patches_apply_together() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seeded_faults");
    let _ = fs::remove_dir_all(&scratch);
    let faults = faults();
    let files: BTreeSet<&str> = faults
        .iter()
        .flat_map(|(_, _, text)| changed(text))
        .collect();
    for file in files {
        let copy = scratch.join(file);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(root().join(file), copy).unwrap();
    }
    for (name, patch, _) in &faults {
        if let Err(why) = apply(patch, &scratch, false) {
            panic!("{name}.patch does not apply after those before it, by name:\n{why}");
        }
    }
}

#[test]
fn each_patch_has_a_description_and_an_expected_violation() {
    let faults = faults();
    assert!(faults.len() > 20, "{} faults", faults.len());
    for (name, _, text) in faults {
        let (header, changes) = text.split_once("\n--- a/").unwrap();
        let (about, rest) = header.split_once('\n').unwrap();
        assert!(about.ends_with('.'), "{name}.patch has no description");
        let caught: Vec<&str> = rest.lines().filter(|line| !line.is_empty()).collect();
        assert!(
            !caught.is_empty(),
            "{name}.patch has no line 'Caught as: …'"
        );
        for line in caught {
            let part = line.strip_prefix("Caught as: ").unwrap_or_default();
            assert!(part.len() > 5, "{name}.patch has \"{line}\" in its header");
        }
        // Otherwise it would be on all the time, or never.
        let switch = format!("seeded_faults::is(\"{name}\")");
        let added = changes.lines().filter(|line| line.starts_with('+'));
        let switches: Vec<&str> = added
            .filter(|line| line.contains("seeded_faults::is("))
            .collect();
        assert!(!switches.is_empty(), "{name}.patch has no switch");
        for line in switches {
            assert!(
                line.contains(&switch),
                "{name}.patch has another's switch: {line}"
            );
        }
    }
}

#[test]
fn the_core_has_the_line_that_the_switch_is_inserted_at() {
    let core = fs::read_to_string(root().join("shared/core/src/lib.rs")).unwrap();
    assert!(
        core.lines().any(|line| line == "pub mod ports;"),
        "seeded_faults/run inserts the switch before `pub mod ports;`"
    );
}
