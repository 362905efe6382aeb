use super::*;
use stagecall_core::meeting::{MeetingDay, OncePer};
use stagecall_core::tenant::{MappingKind, Reentry, Vacancies};

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
fn the_example_is_valid() {
    let mut found = Vec::new();
    let config = read(
        &EXAMPLE.parse().unwrap(),
        Path::new("/etc/stagecall"),
        &mut found,
    );
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(config.host.store, Path::new("/etc/stagecall/stagecall.db"));
    let tenant = &config.tenants[0].tenant;
    let mapping = &tenant.mappings[0];
    assert!(matches!(&mapping.vacancies, Vacancies::Only(these) if these.len() == 2));
    assert_eq!(mapping.reentry, Reentry::Once);
    assert_eq!(mapping.report.action.as_ref().unwrap().outcomes.len(), 9);
}

#[test]
fn all_problems_are_reported_at_once_with_their_keys() {
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
        "tenants.acme.eploy.client_id is in the file itself",
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
    let config = read(&text.parse().unwrap(), Path::new("."), &mut found);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(
        config.tenants[0].by_name[0].stage.as_deref(),
        Some("Video Interview")
    );
}

const HIRES: &str = r#"
    [tenants.acme.eploy]
    base_url = "https://acme.eploy.net/"
    client_id = { env = "ID" }
    client_secret = { env = "SECRET" }
    [tenants.acme.hires]
"#;

#[test]
fn a_plan_for_hires_is_read_with_the_sources_of_its_secrets() {
    let text = format!(
        r#"{HIRES}
        stages = [{{ stage = "15", statuses = ["4"] }}]
        [tenants.acme.hires.endpoint]
        url = "https://hrms.example.com/hooks"
        secret = {{ file = "hrms" }}
        person = ["email"]
        "#
    );
    let mut found = Vec::new();
    let beside = Path::new("/etc/stagecall");
    let config = read(&text.parse().unwrap(), beside, &mut found);
    assert_eq!(found, Vec::<String>::new());
    let tenant = &config.tenants[0];
    let plan = tenant.tenant.hires.as_ref().unwrap();
    assert_eq!(plan.triggers().len(), 1);
    let endpoint = plan.endpoint.as_ref().unwrap();
    assert_eq!(endpoint.person.len(), 1);
    let hrms = tenant.sources.hrms.as_ref().unwrap();
    let file = Path::new("/etc/stagecall/hrms").to_owned();
    assert_eq!(hrms.current, stagecall_embedded::Source::File(file));
    assert_eq!(hrms.previous, None);
}

#[test]
fn problems_of_a_plan_for_hires_name_its_keys() {
    for (text, key) in [
        ("", "tenants.acme.hires does not define a hire"),
        (
            "stages = [{ stage = \"15\" }]\nplacement_statuses = [\"4\"]",
            "would announce a hire twice",
        ),
        (
            "stages = [{ stage_name = \"Offers\" }]",
            "tenants.acme.hires.stages[0]: names are not supported here",
        ),
        (
            "placement_statuses = [\"4\"]\nendpoint = { url = \"http://hrms.example.com/\", secret = { env = \"S\" } }",
            "tenants.acme.hires.endpoint.url (at hrms.example.com): use an https address",
        ),
        (
            "placement_statuses = [\"4\"]\nendpoint = { url = \"https://a:hushhush@hrms.example.com/\", secret = \"whsec_hushhush\" }",
            "tenants.acme.hires.endpoint.secret is in the file itself",
        ),
        (
            "placement_statuses = [\"4\"]\nendpoint = { url = \"https://hrms.example.com/\", person = [\"birthday\"] }",
            "tenants.acme.hires.endpoint.person",
        ),
    ] {
        let found = problems(&format!("{HIRES}{text}"));
        let matches_key = |problem: &String| problem.contains(key);
        assert!(found.iter().any(matches_key), "{key} is not in {found:#?}");
        let repeated = |problem: &String| problem.contains("hushhush");
        assert!(!found.iter().any(repeated), "a secret was repeated");
    }
}

/// The example with every commented-out setting and table from `after` on enabled.
fn with_comments_enabled() -> String {
    let (before, after) = EXAMPLE.split_once("\n# Live interviews.").unwrap();
    let before = before
        .replace(
            "# [tenants.acme.platforms.wecp]",
            "[tenants.acme.platforms.wecp]",
        )
        .replace("# kind = \"wecp\"", "kind = \"wecp\"")
        .replace(
            "# secrets.api_key = { env = \"ACME_WECP",
            "secrets.api_key = { env = \"ACME_WECP",
        )
        .replace("# settings.organisation", "settings.organisation");
    let is_setting = |line: &&str| {
        let key = line.split([' ', '.']).next().unwrap_or_default();
        line.starts_with('[')
            || (line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    let after: Vec<&str> = after
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(is_setting)
        .collect();
    format!("{before}\n{}\n", after.join("\n"))
}

#[test]
fn the_example_for_interviews_and_pools_is_valid() {
    let text = with_comments_enabled();
    let mut found = Vec::new();
    let config = read(&text.parse().unwrap(), Path::new("."), &mut found);
    assert_eq!(found, Vec::<String>::new(), "{text}");
    let mappings = &config.tenants[0].tenant.mappings;
    let MappingKind::Meeting(plan) = &mappings[1].kind else {
        panic!("{:?}", mappings[1].kind)
    };
    assert_eq!(plan.day, MeetingDay::WorkingDays(1));
    assert_eq!(plan.creates, Some(OncePer::Vacancy));
    let MappingKind::Pool(plan) = &mappings[2].kind else {
        panic!("{:?}", mappings[2].kind)
    };
    assert_eq!((plan.tags.len(), plan.after[0].min_percent), (1, Some(70)));
}

#[test]
fn what_a_platform_cannot_do_is_reported_at_once() {
    let text = with_comments_enabled();
    for (right, wrong, expected) in [
        (
            "platform = \"wecp\", create",
            "platform = \"willo\", create",
            "mappings[1]: Willo has no live interviews; leave out meeting",
        ),
        (
            "platform = \"wecp\", create",
            "platform = \"willo\", create",
            "mappings[1]: options.group is given, and willo has no options",
        ),
        (
            "{ platform = \"wecp\", id = \"group",
            "{ platform = \"willo\", id = \"group",
            "mappings[2]: Willo has no talent pools; leave out pool",
        ),
        (
            "create = \"interview\"",
            "create = \"quiz\"",
            "assessment.create is \"quiz\"",
        ),
        (
            "group = \"1b9d",
            "# group = \"1b9d",
            "options.group is missing",
        ),
        (
            "settings.organisation = ",
            "# settings.organisation = ",
            "needs the setting organisation of the connection wecp",
        ),
        (
            "record = true",
            "recrod = true",
            "options.recrod is none of the options of wecp",
        ),
        ("\"star\"", "\"stars\"", "options.scorecard is"),
        (
            "working_days = 1",
            "working_days = 0",
            "meeting.working_days is 0",
        ),
        (
            "time = \"10:00\"",
            "time = \"late\"",
            "meeting.time is \"late\"",
        ),
        (
            "mapping = \"support-video\"",
            "mapping = \"support\"",
            "the pool pool takes candidates after support, which is not another mapping",
        ),
        (
            ", once_per = \"vacancy\"",
            "",
            "assessment: give an id; or, with [tenants.acme.mappings[1].meeting], give create and once_per",
        ),
    ] {
        assert!(text.contains(right), "{right}");
        let found = problems(&text.replace(right, wrong));
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
}
