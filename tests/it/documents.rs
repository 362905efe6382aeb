//! What the documents say about the code is so: ARCHITECTURE's walkthroughs name functions that exist, the documents keep
//! their length, and words that were renamed do not come back.

use std::path::{Path, PathBuf};

/// The names that were the worst of those that no engineer of the field knows, and their families.
const RENAMED: [&str; 24] = [
    "Desk",
    "Happening",
    "LookAgain",
    "PutOff",
    "ReportPutOff",
    "LookedUpAbsent",
    "LookUpPutOff",
    "WatchOver",
    "EntryFact",
    "NotConcerned",
    "SetAside",
    "DeliveryFate",
    "DeliveryReader",
    "HandedBack",
    "Announcer",
    "Ticker",
    "bring_news",
    "look_into",
    "heard_of",
    "hand_out",
    "is_hopeless",
    "is_carried",
    "put_on_record",
    "until_mended",
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below `folder` that have one of these extensions.
fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&path, extensions, found);
            }
        } else if extensions.iter().any(|one| name.ends_with(one)) {
            found.push(path);
        }
    }
}

#[test]
fn the_walkthroughs_name_files_and_functions_that_exist() {
    let architecture = text(&repository().join("ARCHITECTURE.md"));
    let (_, rest) = architecture.split_once("<!-- walkthroughs -->").unwrap();
    let (walkthroughs, _) = rest.split_once("<!-- end -->").unwrap();
    let mut steps = 0;
    for line in walkthroughs.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, _, file, function, _] = cells[..] else {
            panic!("no step: {line}");
        };
        let Some(file) = file
            .strip_prefix('`')
            .and_then(|file| file.strip_suffix('`'))
        else {
            continue;
        };
        let function = function.trim_matches('`');
        let source = text(&repository().join(file));
        let is_there = ["(", "<"]
            .iter()
            .any(|next| source.contains(&format!("fn {function}{next}")));
        assert!(is_there, "{file} has no function {function}");
        steps += 1;
    }
    assert!(steps >= 20, "{steps} steps");
}

/// The table of bounds says which constant each bound is.
#[test]
fn the_bounds_are_constants_that_exist() {
    let architecture = text(&repository().join("ARCHITECTURE.md"));
    let (_, rest) = architecture.split_once("\n## Bounds\n").unwrap();
    let (bounds, _) = rest.split_once("\n## ").unwrap();
    let mut found = Vec::new();
    files(&repository().join("shared"), &[".rs"], &mut found);
    let sources: String = found.iter().map(|file| text(file)).collect();
    let is_constant = |word: &&str| {
        let mut letters = word.chars();
        letters.all(|char| char.is_ascii_uppercase() || char == '_') && word.len() > 1
    };
    let names: Vec<&str> = bounds.split('`').filter(is_constant).collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        assert!(
            sources.contains(&format!("const {name}:")),
            "no constant {name}"
        );
    }
}

#[test]
fn the_documents_keep_their_length() {
    for (name, most) in [("README.md", 200), ("ARCHITECTURE.md", 300)] {
        let lines = text(&repository().join(name)).lines().count();
        assert!(lines <= most, "{name} has {lines} lines, {most} at most");
    }
}

#[test]
fn renamed_words_do_not_come_back() {
    let mut found = Vec::new();
    for folder in ["functions", "shared", "infra", "tests"] {
        files(
            &repository().join(folder),
            &[".rs", ".md", ".patch", ".toml"],
            &mut found,
        );
    }
    assert!(found.len() > 300, "{} files", found.len());
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    for file in found
        .iter()
        .filter(|file| !file.ends_with("tests/it/documents.rs"))
    {
        let source = text(file);
        for (number, line) in source.lines().enumerate() {
            let renamed = line
                .split(|char| !is_word(char))
                .find(|word| RENAMED.contains(word));
            assert_eq!(renamed, None, "{}:{}", file.display(), number + 1);
        }
    }
}
