//! The command that a newcomer runs first.

use serde_json::{Value, json};
use stagecall_tests::harness::stagecall;

#[test]
fn the_demo_with_faults_ends_without_a_double_and_without_a_loss() {
    let arguments = [
        "demo",
        "--candidates",
        "60",
        "--faults",
        "--seed",
        "7",
        "--json",
    ];
    let done = stagecall().args(arguments).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(done.status.code(), Some(0), "{last}");
    assert_eq!(
        (&last["duplicates"], &last["lost"]),
        (&json!(0), &json!(0)),
        "{last}"
    );
    assert!(last["invited"].as_u64().unwrap() >= 50, "{last}");
    assert!(last["reported"].as_u64().unwrap() >= 50, "{last}");
    let number = |at: &str| last.pointer(at).and_then(Value::as_u64).unwrap();
    for (what, platform, least) in [
        ("invited", "willo", 30),
        ("invited", "wecp", 15),
        ("completed", "willo", 15),
        ("completed", "wecp", 8),
        ("reported", "willo", 30),
        ("reported", "wecp", 15),
    ] {
        let count = number(&format!("/platforms/{platform}/{what}"));
        assert!(count >= least, "{platform} {what}: {last}");
    }
    for what in ["invited", "reported"] {
        let platforms = ["willo", "wecp"];
        let sum: u64 = platforms
            .map(|platform| number(&format!("/platforms/{platform}/{what}")))
            .iter()
            .sum();
        assert_eq!(number(&format!("/{what}")), sum, "{last}");
    }
    assert!(number("/interviews_scheduled") >= 3, "{last}");
    assert!(number("/hires_announced") >= 3, "{last}");
    // The scores are by chance.
    assert!(number("/pooled") >= 1, "{last}");
    let faults = last["faults"].as_object().unwrap();
    let injected: u64 = faults.values().filter_map(Value::as_u64).sum();
    assert!(injected > 20, "{last}");
}

#[test]
fn the_demo_ends_with_a_table_and_the_sums() {
    let done = stagecall()
        .args(["demo", "--candidates", "12"])
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.contains("duplicates 0, lost 0"), "{said}");
    for word in [
        "Completed",
        "Declined",
        "Undeliverable",
        "Expired",
        "Not Invited",
        // The second platform, and what comes after its test.
        "WeCP",
        "interview, hired",
        "Interview: ",
        "Live interview arranged in WeCP.",
        "live interviews 2, ",
        "hires announced 2",
    ] {
        assert!(said.contains(word), "{word} is not in:\n{said}");
    }
}
