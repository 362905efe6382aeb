//! `PROBLEMS.md` of the command is generated from the tables in code: this test compares it, and writes it if `STAGECALL_WRITE_DOCS` is
//! set.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use stagecall_core::report::told_of;
use stagecall_eploy::Problem;
use stagecall_platforms::PROBLEMS;

const INTRODUCTION: &str = "# What can go wrong, and what mends it\n\n\
    Every refusal of Eploy and of the platforms that is known, as it stands in logs, on suspended tenants, in what the\n\
    checks of `stagecall tenant add` and `stagecall doctor` print, and in JSON as `code`. A message often says more\n\
    exactly what is wrong than the general words here.\n\n\
    What a recruiter reads on the candidate's record says what a recruiter can do; it is in the last column, and the whole\n\
    texts are in `shared/core/src/report/texts/situations.txt`.\n\n\
    This page is made from the tables in `shared/eploy/src/errors.rs`, `shared/platforms/src/problem.rs` and\n\
    `shared/operations/src/doctor/problems.rs`; a test compares it.\n";

/// Problems of the installation itself; the checks print more specific fixes.
const OWN: &[(&str, &str, &str)] = &[
    (
        "stagecall.assessment_gone",
        "a mapping invites to an assessment that the platform does not list",
        "Publish it there again, or replace the mapping.",
    ),
    (
        "stagecall.behind",
        "work has been due for minutes, and is not processed",
        "Start the host, or check its log and give it more workers. On AWS check that the clock's schedule is enabled, the functions' alarms, and the dead letters.",
    ),
    (
        "stagecall.callback_address",
        "the public address does not lead to Stagecall's listener",
        "Forward POST /callbacks/… from that address to the listener, with path and body unchanged.",
    ),
    (
        "stagecall.clock",
        "this machine's clock and Eploy's differ",
        "Synchronise the machine's clock by NTP.",
    ),
    (
        "stagecall.clock_ahead",
        "a tenant's state was saved by a clock that was ahead, so its polls are deferred",
        "Correct the clocks, and restart the host.",
    ),
    (
        "stagecall.dead_letters",
        "work failed as often as its queue allows",
        "Fix the cause, which the functions' logs show, then send it back: stagecall redrive.",
    ),
    (
        "stagecall.feed_misses",
        "Eploy's change feed does not show every change of stage; the stage scan found missed ones",
        "Find a feed that shows every change of stage, and save it in the dialect: stagecall probe.",
    ),
    (
        "stagecall.line_unread",
        "lines of a platform's list cannot be read",
        "Check the list on the platform for entries without an id; results of those candidates arrive only by callback.",
    ),
    (
        "stagecall.mapping_broken",
        "a mapping refers to something that Eploy or the platform no longer has",
        "Restore it there, or give the mapping a replacement with stagecall tenant apply. Applications that entered meanwhile are then invited.",
    ),
    (
        "stagecall.overlap",
        "two mappings invite for the same vacancy and stage to the same assessment",
        "Remove one of them: stagecall map remove.",
    ),
    (
        "stagecall.record_unread",
        "an application cannot be read, so it is not invited",
        "Check the application in Eploy, and save it again.",
    ),
    (
        "stagecall.secrets",
        "a tenant's secrets are missing, or cannot be read or used",
        "Give them again with stagecall tenant add, those of an HRMS with stagecall tenant rotate --secrets.",
    ),
    (
        "stagecall.settings",
        "a tenant's configuration is invalid",
        "Correct it with stagecall tenant set.",
    ),
    (
        "stagecall.store",
        "the store cannot be read or written",
        "SQLite: check that the file's folder exists, has free space, and can be read and written by this user. AWS: check the credentials and the region, and that the stack's table exists.",
    ),
];

fn section(
    title: &str,
    rows: impl Iterator<Item = (&'static str, &'static str, &'static str)>,
) -> String {
    let mut text = format!(
        "\n## {title}\n\n| code | what is wrong | what to do | what a recruiter reads |\n| --- | --- | --- | --- |\n"
    );
    for (code, problem, remedy) in rows {
        let _ = writeln!(
            text,
            "| `{code}` | {problem} | {} | {} |",
            remedy.trim_end_matches('.'),
            recruiter(code).unwrap_or_else(|| "nothing: no invitation has it".to_owned())
        );
    }
    text
}

/// What a recruiter reads of a kind of problem, if an invitation can have it.
fn recruiter(code: &str) -> Option<String> {
    Some(told_of(code)?.replace("{platform}", "the platform"))
}

fn document() -> String {
    let eploy = Problem::ALL
        .iter()
        .map(|one| (one.code(), one.problem(), one.remedy()));
    let platforms = PROBLEMS
        .iter()
        .map(|one| (one.code, one.problem, one.remedy));
    format!(
        "{INTRODUCTION}{}{}{}",
        section("Eploy", eploy),
        section("Platforms", platforms),
        section("The installation", OWN.iter().copied())
    )
}

#[test]
fn the_document_matches_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/stagecall/PROBLEMS.md");
    if std::env::var_os("STAGECALL_WRITE_DOCS").is_some() {
        fs::write(&path, document()).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == document(),
        "PROBLEMS.md differs from the tables: run this test once with STAGECALL_WRITE_DOCS=1"
    );
}

/// What an adapter may refuse with reaches invitations, but for what concerns an HRMS and the installation.
#[test]
fn every_code_of_the_adapters_has_a_recruiters_text_or_is_of_no_invitation() {
    let eploy = Problem::ALL.iter().map(|one| one.code());
    let platforms = PROBLEMS.iter().map(|one| one.code);
    for code in eploy.chain(platforms) {
        assert!(recruiter(code).is_some(), "{code}");
    }
    let hrms = include_str!("../../../hrms/src/outlet.rs");
    let hrms: BTreeSet<&str> = hrms
        .split('"')
        .filter(|text| text.starts_with("hrms.") && !text.contains(['{', ' ']))
        .collect();
    assert!(hrms.len() >= 8, "{hrms:?}");
    for code in hrms.into_iter().chain(OWN.iter().map(|(code, ..)| *code)) {
        assert_eq!(recruiter(code), None, "{code}");
    }
}

/// No check has a code of its own that the table does not have, and the table none that no check has.
#[test]
fn every_code_of_the_checks_is_in_the_table() {
    let used: BTreeSet<&str> = [
        include_str!("../connect/checks.rs"),
        include_str!("callback_address.rs"),
        include_str!("feed.rs"),
        include_str!("installation.rs"),
        include_str!("saved_state.rs"),
        include_str!("sweeps.rs"),
        include_str!("tenant.rs"),
    ]
    .iter()
    .flat_map(|source| source.split('"'))
    .filter(|text| text.starts_with("stagecall."))
    .collect();
    let known: BTreeSet<&str> = OWN.iter().map(|(code, ..)| *code).collect();
    assert_eq!(used, known);
}
