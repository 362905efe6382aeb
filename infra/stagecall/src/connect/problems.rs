//! `PROBLEMS.md` is made from the tables in code: this test compares, and writes it where `STAGECALL_WRITE_DOCS` is set.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use stagecall_eploy::Problem;
use stagecall_platforms::PROBLEMS;

const INTRODUCTION: &str = "# What can go wrong, and what mends it\n\n\
    Every refusal of Eploy and of the platforms that is known, as it stands in logs, on suspended tenants, in what the\n\
    checks of `stagecall tenant add` and `stagecall doctor` print, and in JSON as `code`. A message often says more\n\
    exactly what is wrong than the general words here.\n\n\
    This page is made from the tables in `shared/eploy/src/errors.rs` and `shared/platforms/src/problem.rs`; a test\n\
    compares it.\n";

fn section(
    title: &str,
    rows: impl Iterator<Item = (&'static str, &'static str, &'static str)>,
) -> String {
    let mut text =
        format!("\n## {title}\n\n| code | what is wrong | what to do |\n| --- | --- | --- |\n");
    for (code, problem, remedy) in rows {
        let _ = writeln!(
            text,
            "| `{code}` | {problem} | {} |",
            remedy.trim_end_matches('.')
        );
    }
    text
}

fn document() -> String {
    let eploy = Problem::ALL
        .iter()
        .map(|one| (one.code(), one.problem(), one.remedy()));
    let platforms = PROBLEMS
        .iter()
        .map(|one| (one.code, one.problem, one.remedy));
    format!(
        "{INTRODUCTION}{}{}",
        section("Eploy", eploy),
        section("Platforms", platforms)
    )
}

#[test]
fn the_document_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("PROBLEMS.md");
    if std::env::var_os("STAGECALL_WRITE_DOCS").is_some() {
        fs::write(&path, document()).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == document(),
        "PROBLEMS.md is not what the tables say: run this test once with STAGECALL_WRITE_DOCS=1"
    );
}
