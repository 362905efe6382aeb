//! All problems of a configuration are reported at once.

use std::path::Path;

use serde_json::json;
use stagecall_tests::harness::{Harness, stagecall};

/// Runs `serve` on a file until it exits. Returns its exit code and its output.
fn serve(file: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let done = stagecall()
        .args(["serve", "--config"])
        .arg(file)
        .args(more)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// Every problem, with its key and a valid value. No secret is repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_problems_are_reported_at_once() {
    let (mut harness, _) = Harness::with_one(111).await;
    harness.config["host"]["listen"] = json!("nowhere");
    harness.config["host"]["colour"] = json!("red");
    harness.config["timing"]["lease_seconds"] = json!(1.0);
    let acme = harness.tenant("acme");
    acme["eploy"]["base_url"] = json!("acme");
    acme["eploy"]["client_secret"] = json!("s3cr3t-in-the-file");
    acme["platforms"]["willo"]["settings"] = json!({"calls_per_second": "many"});
    acme["mappings"][0]["vacancies"] = json!("some");
    acme["mappings"][0]["assessment"]["platform"] = json!("wecp");
    acme["mappings"][0]["triggers"] = json!([{}]);
    acme["mappings"][0]["report"]["questions"] = json!({"percentage": "276"});
    let file = harness.write_config();
    let (code, _, said) = serve(&file, &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&file.display().to_string()), "{said}");
    for (key, right) in [
        ("host.listen", "127.0.0.1:8080"),
        ("host.colour", "listen"),
        ("timing.lease_seconds", "more than call_seconds"),
        ("tenants.acme.eploy.base_url", "https://acme.eploy.net/"),
        ("tenants.acme.eploy.client_secret", "{ file = \"PATH\" }"),
        (
            "tenants.acme.platforms.willo.settings.calls_per_second",
            "a whole number",
        ),
        ("tenants.acme.mappings[0].vacancies", "\"all\""),
        (
            "tenants.acme.mappings[0].assessment.platform",
            "not one of the tenant's platforms",
        ),
        ("tenants.acme.mappings[0].triggers[0]", "stage_name"),
        ("tenants.acme.mappings[0].report.questions", "percent"),
    ] {
        let line = said.lines().find(|line| line.contains(key));
        let line = line.unwrap_or_else(|| panic!("{key} is not reported:\n{said}"));
        assert!(
            line.contains(right),
            "{key} does not say \"{right}\": {line}"
        );
    }
    assert!(!said.contains("s3cr3t"), "{said}");
    assert!(
        !harness.file("stagecall.db").exists(),
        "something was begun"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dialects_problems_name_the_setting_and_what_it_may_be() {
    let (mut harness, _) = Harness::with_one(112).await;
    harness.tenant("acme")["eploy"]["dialect"] = json!({"dates": "gmt", "pagesize": 3});
    let (code, _, said) = serve(&harness.write_config(), &[]);
    assert_eq!(code, Some(2), "{said}");
    for words in [
        "tenants.acme.eploy.dialect.dates is \"gmt\"",
        "`utc`",
        "dialect.pagesize",
        "`page_size`",
    ] {
        assert!(said.contains(words), "\"{words}\" is not reported:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_or_malformed_file_is_reported() {
    let (harness, _) = Harness::with_one(113).await;
    let (code, _, said) = serve(&harness.file("nothing.toml"), &[]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("nothing.toml") && said.contains("cannot read the file"),
        "{said}"
    );
    std::fs::write(harness.file("broken.toml"), "[host\nlisten = 3").unwrap();
    let (code, _, said) = serve(&harness.file("broken.toml"), &[]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("broken.toml") && said.contains("not valid TOML"),
        "{said}"
    );
}

/// `--check` accepts a valid file and starts nothing. The printed example is valid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_can_be_checked_and_the_example_is_in_order() {
    let (harness, acme) = Harness::with_one(114).await;
    let (code, said, _) = serve(&harness.write_config(), &["--check"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("1 tenant(s), 1 mapping(s)"), "{said}");
    assert_eq!(acme.calls(0).await.1, 0);

    let example = stagecall()
        .args(["serve", "--print-example"])
        .output()
        .unwrap();
    std::fs::write(harness.file("example.toml"), example.stdout).unwrap();
    let (code, _, said) = serve(&harness.file("example.toml"), &["--check"]);
    assert_eq!(code, Some(0), "{said}");
}

/// A second host on the same file is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_has_one_host_at_a_time() {
    let (mut harness, acme) = Harness::with_one(115).await;
    harness.start_for(&[&acme]).await;
    let listen = stagecall_tests::harness::free_port();
    harness.config["host"]["listen"] = json!(listen);
    let (code, _, said) = serve(&harness.write_config(), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stagecall.db"), "{said}");
}
