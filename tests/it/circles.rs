//! No two files of a crate depend on each other, directly or by way of others. A folder's face (`mod.rs`, `lib.rs`,
//! `main.rs`, or `x.rs` beside the folder `x`) and the files in the folder are one thing: it declares them, and they may
//! use what it has.
//!
//! Read are `use` lines and paths, in macros too, of everything that is not only there for tests. What a face exports from
//! a file of its own counts as that file's.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use source::Source;

/// The most names that lead to a name.
const MAX_EXPORTS: usize = 20;

/// A module's place in its crate.
type Module = Vec<String>;

/// The files of a crate, by module.
struct Crate {
    files: BTreeMap<Module, (String, Source)>,
}

impl Crate {
    /// Files, with their paths from `src` on.
    fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: BTreeMap<Module, (String, Source)> = files
            .into_iter()
            .map(|(path, text)| (module(&path), (path, Source::read(&text))))
            .collect();
        let only_tests: Vec<Module> = files
            .iter()
            .flat_map(|(module, (_, source))| {
                let of_tests = source.test_modules.iter();
                of_tests.map(|name| [module.as_slice(), std::slice::from_ref(name)].concat())
            })
            .collect();
        files.retain(|module, _| !only_tests.iter().any(|tests| module.starts_with(tests)));
        Self { files }
    }

    /// The module whose file has what this path means in `from`; `None` if it is of another crate.
    fn resolve(&self, from: &[String], path: &[String], exports: usize) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut at = from.to_vec();
        let mut rest = rest;
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop()?;
                while let Some((next, others)) = rest.split_first()
                    && next == "super"
                {
                    at.pop()?;
                    rest = others;
                }
            }
            _ => rest = path,
        }
        // What a plain path begins with is declared or imported here, or of another crate.
        let mut is_ours = rest.len() < path.len();
        while let Some((next, others)) = rest.split_first() {
            let child = [at.as_slice(), std::slice::from_ref(next)].concat();
            if self.files.contains_key(&child) {
                at = child;
            } else {
                let (_, source) = self.files.get(&at)?;
                let Some(import) = source.imports.get(next) else {
                    break;
                };
                // A name that is imported under its own name from another crate leads to itself.
                if exports == 0 || import.first() == Some(next) {
                    return is_ours.then_some(at);
                }
                let whole = [import.as_slice(), others].concat();
                return match self.resolve(&at, &whole, exports - 1) {
                    None if is_ours => Some(at),
                    found => found,
                };
            }
            is_ours = true;
            rest = others;
        }
        is_ours.then_some(at)
    }

    /// Which file uses which others, beside those of its own folder whose face it is, and the faces of its folders.
    fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut edges = BTreeMap::new();
        for (module, (path, source)) in &self.files {
            let uses: BTreeSet<&str> = source
                .paths
                .iter()
                .filter_map(|path| self.resolve(module, path, MAX_EXPORTS))
                .filter(|other| !other.starts_with(module) && !module.starts_with(other))
                .filter_map(|other| Some(self.files.get(&other)?.0.as_str()))
                .collect();
            edges.insert(path.as_str(), uses);
        }
        edges
    }

    /// The circles, each as the uses that make it.
    fn circles(&self) -> Vec<String> {
        let edges = self.edges();
        let reached: BTreeMap<&str, BTreeSet<&str>> = edges
            .keys()
            .map(|file| (*file, reach(&edges, file)))
            .collect();
        let mut circles = Vec::new();
        for (file, uses) in &edges {
            for other in uses {
                if reached[other].contains(file) {
                    circles.push(format!("{file} uses {other}"));
                }
            }
        }
        circles
    }
}

/// The files that are used from here, directly or by way of others.
fn reach<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(edges[file].iter().filter(|file| reached.insert(**file)));
    }
    reached
}

/// The module of a file with this path from `src` on.
fn module(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let mut module: Module = path.split('/').map(str::to_owned).collect();
    if matches!(
        module.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        module.pop();
    }
    module
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|one| one == "rs") {
            found.push(path);
        }
    }
}

/// The crates below these folders, by their own.
fn crates() -> BTreeMap<String, Crate> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut crates = BTreeMap::new();
    for group in ["shared", "functions", "infra"] {
        for entry in std::fs::read_dir(top.join(group)).unwrap() {
            let folder = entry.unwrap().path();
            let src = folder.join("src");
            if !src.is_dir() {
                continue;
            }
            let mut found = Vec::new();
            files_below(&src, &mut found);
            let files = found.into_iter().map(|file| {
                let text = std::fs::read_to_string(&file).unwrap();
                let path = file.strip_prefix(&src).unwrap();
                (path.to_str().unwrap().to_owned(), text)
            });
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            crates.insert(format!("{group}/{name}"), Crate::new(files));
        }
    }
    crates
}

#[test]
fn no_files_depend_on_each_other() {
    let crates = crates();
    assert!(crates.len() >= 15, "{} crates", crates.len());
    let mut wrong = Vec::new();
    for (name, one) in &crates {
        let circles = one.circles();
        wrong.extend(circles.iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The circles of a crate with these files.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter();
    Crate::new(files.map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))).circles()
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let both = ["a.rs uses b.rs", "b.rs uses a.rs"];
    for (a, b) in [
        ("use crate::b::B;", "use super::a;"),
        ("use crate::{b::{B, C as D}};", "use crate::a::*;"),
        ("fn a() { crate::b::f() }", "fn b(a: super::a::A) {}"),
        ("use super::b; fn a() { b::f() }", "vec![crate::a::A]"),
        // By way of what the crate's face exports.
        ("use crate::B;", "use crate::Renamed;"),
    ] {
        let lib = "mod a; mod b; pub use b::B; pub use a::A as Renamed;";
        let found = circles_of(&[("lib.rs", lib), ("a.rs", a), ("b.rs", b)]);
        assert_eq!(found, both, "{a} {b}");
    }
    let long = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::x::X;"),
        ("c/mod.rs", "mod x;"),
        ("c/x.rs", "use crate::a::A;"),
    ]);
    assert_eq!(
        long,
        ["a.rs uses b.rs", "b.rs uses c/x.rs", "c/x.rs uses a.rs"]
    );
}

#[test]
fn faces_tests_and_texts_make_no_circle() {
    let none = circles_of(&[
        ("lib.rs", "mod a; mod b; pub use a::A; use other::a::X;"),
        (
            "a.rs",
            "mod inner; use crate::b::B; use super::A; pub use inner::I;",
        ),
        (
            "a/inner.rs",
            "use super::A; use crate::other::Thing; use b::C;",
        ),
        (
            "b.rs",
            r##"
            // use crate::a::A;
            /* use crate::a::A; */
            fn b<'a>(x: &'a str) -> char { let _ = "crate::a::A \" "; let _ = r#"crate::a::A"#; '"' }
            #[cfg(test)]
            use crate::a::A;
            #[cfg(test)]
            mod tests { use crate::a::A; }
            #[cfg(test)]
            mod fakes;
            "##,
        ),
        ("b/fakes.rs", "use crate::a::A;"),
    ]);
    assert_eq!(none, [""; 0]);
}
