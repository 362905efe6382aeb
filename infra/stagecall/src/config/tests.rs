use super::*;
use stagecall_core::tenant::{Reentry, Vacancies};

fn problems(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    read(
        &text.parse().unwrap(),
        Path::new("/etc/stagecall"),
        &mut problems,
    );
    problems
}

#[test]
fn the_example_is_in_order() {
    let mut found = Vec::new();
    let config = read(
        &EXAMPLE.parse().unwrap(),
        Path::new("/etc/stagecall"),
        &mut found,
    )
    .unwrap();
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(config.host.store, Path::new("/etc/stagecall/stagecall.db"));
    let tenant = &config.tenants[0].tenant;
    let mapping = &tenant.mappings[0];
    assert!(matches!(&mapping.vacancies, Vacancies::Only(these) if these.len() == 2));
    assert_eq!(mapping.reentry, Reentry::Once);
    assert_eq!(mapping.report.action.as_ref().unwrap().outcomes.len(), 9);
}

#[test]
fn every_problem_is_told_at_once_with_its_key() {
    let found = problems(
        r#"
        [host]
        listen = "nowhere"
        public_url = "http://hooks.example.com/"
        colour = "red"
        [timing]
        call_seconds = 90.0
        [tenants.acme.eploy]
        base_url = "not an address"
        client_id = "abcdefghij"
        client_secret = { env = "X" }
        [tenants.acme.platforms.willo]
        kind = "wilo"
        [[tenants.acme.mappings]]
        id = "m"
        vacancies = "some"
        triggers = []
        assessment = { platform = "wecp", id = "k" }
        [tenants.acme.mappings.report]
        questions = { percentage = "1" }
        "#,
    );
    for key in [
        "host.listen",
        "host.public_url",
        "host.colour",
        "timing.lease_seconds",
        "tenants.acme.eploy.base_url",
        "tenants.acme.eploy.client_id stands in the file itself",
        "tenants.acme.platforms.willo.kind",
        "tenants.acme.mappings[0].vacancies",
        "tenants.acme.mappings[0].triggers",
        "tenants.acme.mappings[0].assessment.platform",
        "tenants.acme.mappings[0].report.questions",
    ] {
        assert!(
            found.iter().any(|problem| problem.contains(key)),
            "{key} is not in {found:#?}"
        );
    }
    assert!(
        !found.iter().any(|problem| problem.contains("abcdefghij")),
        "a secret was repeated"
    );
}

#[test]
fn the_tenants_may_all_be_in_the_store() {
    assert_eq!(problems(""), Vec::<String>::new());
}

#[test]
fn stages_may_be_given_by_name() {
    let text = EXAMPLE.replace(
        r#"{ stage = "12", statuses = ["34"] }"#,
        r#"{ stage_name = "Video Interview", status_names = ["To Be Completed"] }"#,
    );
    let mut found = Vec::new();
    let config = read(&text.parse().unwrap(), Path::new("."), &mut found).unwrap();
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(
        config.tenants[0].by_name[0].stage.as_deref(),
        Some("Video Interview")
    );
}
