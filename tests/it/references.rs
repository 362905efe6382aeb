//! The citations of a crate's REFERENCE.md: each names a section that there is. A citation that is only a section is of the
//! file that was named last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const FOLDERS: [&str; 4] = ["functions", "infra", "shared", "tests"];
const REFERENCE: &str = "REFERENCE.md";

/// What the facts were cited as before they were part of the project.
const FORMER: [&str; 4] = ["eploy", "providers", "wecp", "willo"];

/// By the path of a reference, its sections.
type References = BTreeMap<String, BTreeSet<String>>;

/// The Rust and Markdown files below a folder, by their path below `root`.
fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            if !path.ends_with("target") {
                read(root, &path, files);
            }
        } else if matches!(extension, Some("rs" | "md")) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}

fn references(files: &BTreeMap<String, String>) -> References {
    let is_reference = |name: &str| name.rsplit('/').next() == Some(REFERENCE);
    let headings = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with('#'));
        lines.flat_map(section_names).collect()
    };
    files
        .iter()
        .filter(|(name, _)| is_reference(name))
        .map(|(name, text)| (name.clone(), headings(text)))
        .collect()
}

/// What follows each section sign: `4`, or what was never a section, such as `A.6.3`.
fn section_names(text: &str) -> Vec<String> {
    let name = |rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
        rest[..end.unwrap_or(rest.len())]
            .trim_end_matches('.')
            .to_owned()
    };
    let names = text.split('§').skip(1).map(name);
    names.filter(|name| !name.is_empty()).collect()
}

/// What is wrong with the citations of one file.
fn wrong(file: &str, text: &str, references: &References) -> Vec<String> {
    let crate_folder: Vec<_> = file.split('/').take(2).collect();
    let own = format!("{}/{REFERENCE}", crate_folder.join("/"));
    // A citation may be broken across the lines of a comment.
    let words: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .flat_map(|(at, line)| line.split_whitespace().map(move |word| (at + 1, word)))
        .filter(|(_, word)| !matches!(*word, "//" | "///" | "//!"))
        .collect();
    let word = |at: Option<usize>| at.map_or("", |at| words[at].1);
    let mut cited = references.contains_key(file).then(|| file.to_owned());
    let mut wrong = Vec::new();
    for (at, (line, here)) in words.iter().enumerate() {
        if let Some((before, _)) = here.split_once(REFERENCE) {
            let folder = before.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            cited = Some(if folder.is_empty() {
                own.clone()
            } else {
                format!("{folder}{REFERENCE}")
            });
        }
        let names = section_names(here);
        if names.is_empty() || word(at.checked_sub(2)).ends_with("RFC") {
            continue;
        }
        let [before, between] = [at.checked_sub(2), at.checked_sub(1)]
            .map(|at| word(at).trim_matches(|c: char| !c.is_ascii_alphanumeric()));
        if before.eq_ignore_ascii_case("reference") && FORMER.contains(&between) {
            wrong.push(format!("{file}:{line}: {before} {between} is no file"));
            continue;
        }
        for name in names {
            match &cited {
                None => wrong.push(format!("{file}:{line}: §{name} of no file")),
                Some(cited) if !references.get(cited).is_some_and(|of| of.contains(&name)) => {
                    wrong.push(format!("{file}:{line}: {cited} has no §{name}"));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

#[test]
fn every_citation_names_a_section_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        read(root, &root.join(folder), &mut files);
    }
    let references = references(&files);
    let crates = ["eploy", "hrms", "platforms"].map(|name| format!("shared/{name}/{REFERENCE}"));
    assert!(references.keys().eq(&crates), "{references:?}");
    let all: Vec<_> = files
        .iter()
        .flat_map(|(name, text)| wrong(name, text, &references))
        .collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn a_stale_citation_is_noticed() {
    // Not as the sign itself, or this file would be found wrong.
    const S: char = '\u{a7}';
    let reference = format!("# Facts\n\n## {S}1 Dates\n\nSee {S}2.\n\n## {S}2 Pages\n");
    let files = BTreeMap::from([("shared/eploy/REFERENCE.md".to_owned(), reference.clone())]);
    let references = references(&files);
    let of = |file: &str, text: &str| wrong(file, text, &references);
    let sound = [
        ("shared/eploy/REFERENCE.md", reference),
        (
            "shared/eploy/src/dates.rs",
            format!("//! Dates (REFERENCE.md\n//! {S}1, {S}2). Pages ({S}2: open).\n"),
        ),
        (
            "infra/sandbox/src/eploy/mod.rs",
            format!("/// Pages (shared/eploy/REFERENCE.md {S}2); a wait (RFC 9110\n/// {S}10.2.3)"),
        ),
    ];
    for (file, text) in sound {
        assert_eq!(of(file, &text), Vec::<String>::new());
    }
    let stale = [
        (
            "shared/eploy/src/dates.rs",
            format!("x\n// REFERENCE.md {S}1 to {S}3."),
            format!("shared/eploy/src/dates.rs:2: shared/eploy/REFERENCE.md has no {S}3"),
        ),
        (
            "shared/eploy/src/dates.rs",
            format!("// Dates ({S}1)"),
            format!("shared/eploy/src/dates.rs:1: {S}1 of no file"),
        ),
        (
            "infra/sandbox/src/lib.rs",
            format!("// REFERENCE.md {S}1"),
            format!("infra/sandbox/src/lib.rs:1: infra/sandbox/REFERENCE.md has no {S}1"),
        ),
        (
            "shared/eploy/src/dates.rs",
            format!("// REFERENCE.md {S}1, reference\n// eploy {S}2"),
            "shared/eploy/src/dates.rs:2: reference eploy is no file".to_owned(),
        ),
        (
            "shared/eploy/src/dates.rs",
            format!("// REFERENCE.md {S}1, {S}A.1.2"),
            format!("shared/eploy/src/dates.rs:1: shared/eploy/REFERENCE.md has no {S}A.1.2"),
        ),
    ];
    for (file, text, expected) in stale {
        assert_eq!(of(file, &text), [expected]);
    }
}
