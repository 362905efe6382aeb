use super::*;
use stagecall_core::meeting::{MeetingDay, OncePer};
use stagecall_core::tenant::{HiredWhen, MappingKind, Reentry, Vacancies};
use stagecall_embedded::{CallbackSettings, Source};
use stagecall_operations::tenants::text::text;

/// The example of the versions that had a format of their own for the tenants of the file.
const OLD_EXAMPLE: &str = include_str!("old_example.toml");

fn config(text: &str) -> Config {
    parse(text, Path::new("/etc/stagecall"))
        .unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
}

fn problems(text: &str) -> Vec<String> {
    let parsed = parse(text, Path::new("/etc/stagecall"));
    parsed.err().unwrap_or_default()
}

/// The tables that are commented out in both examples, as they were and are.
const OLD_HIRES: &str = r#"
    [tenants.acme.hires]
    stages = [{ stage = "15", statuses = ["4"] }]
    [tenants.acme.hires.endpoint]
    url = "https://hrms.example.com/hooks/stagecall"
    secret = { env = "ACME_HRMS_SECRET" }
    previous_secret = { file = "hrms" }
    person = ["first_name", "email"]
    [tenants.acme.platforms.willo.callback]
    generation = 2
"#;

#[test]
fn the_example_is_valid() {
    let config = config(EXAMPLE);
    assert_eq!(config.host.store, Path::new("/etc/stagecall/stagecall.db"));
    let TenantConfig {
        tenant, sources, ..
    } = &config.tenants[0];
    let mapping = &tenant.mappings[0];
    assert!(matches!(&mapping.vacancies, Vacancies::Only(these) if these.len() == 2));
    assert_eq!(mapping.reentry, Reentry::Once);
    assert_eq!(mapping.report.action.as_ref().unwrap().outcomes.len(), 9);
    let file = Path::new("/etc/stagecall/secrets/acme-eploy").to_owned();
    assert_eq!(sources.eploy_client_secret, Source::File(file));
    let key = Source::Env("ACME_WILLO_API_KEY".to_owned());
    assert_eq!(sources.platforms[&"willo".into()]["api_key"], key);
}

#[test]
fn files_of_earlier_versions_mean_the_same() {
    for (old, new) in [
        (OLD_EXAMPLE.to_owned(), EXAMPLE.to_owned()),
        (
            with_comments_enabled(OLD_EXAMPLE),
            with_comments_enabled(EXAMPLE),
        ),
    ] {
        let (old, new) = (config(&old), config(&new));
        assert_eq!(old.tenants[0].tenant, new.tenants[0].tenant);
        assert_eq!(old.tenants[0].sources, new.tenants[0].sources);
        assert_eq!(format!("{old:?}"), format!("{new:?}"));
    }
    let old = config(&format!("{OLD_EXAMPLE}{OLD_HIRES}"));
    let TenantConfig {
        tenant, sources, ..
    } = &old.tenants[0];
    let hires = tenant.hires.as_ref().unwrap();
    assert!(matches!(&hires.when, HiredWhen::Stages(stages) if stages[0].statuses == ["4".into()]));
    let hrms = sources.hrms.as_ref().unwrap();
    assert_eq!(hrms.current, Source::Env("ACME_HRMS_SECRET".to_owned()));
    let file = Path::new("/etc/stagecall/hrms").to_owned();
    assert_eq!(hrms.previous, Some(Source::File(file)));
    let rotated = CallbackSettings {
        generation: 2,
        accept_previous: false,
    };
    assert_eq!(sources.callbacks[&"willo".into()], rotated);
    let placements = OLD_HIRES.replace(
        r#"stages = [{ stage = "15", statuses = ["4"] }]"#,
        r#"placement_statuses = ["6"]"#,
    );
    let config = config(&format!("{OLD_EXAMPLE}{placements}"));
    let hires = config.tenants[0].tenant.hires.as_ref().unwrap();
    assert!(
        matches!(&hires.when, HiredWhen::Placements(statuses) if statuses.contains(&"6".into()))
    );
}

/// What `tenant export` prints can be put into the file.
#[test]
fn an_exported_tenant_can_be_served_from_the_file() {
    let config = config(EXAMPLE);
    let tenant = &config.tenants[0].tenant;
    let exported = text(tenant).unwrap();
    let (before, _) = EXAMPLE.split_once("\n[[tenant]]").unwrap();
    let again = self::config(&format!("{before}\n{exported}"));
    assert_eq!(again.tenants[0].tenant, *tenant);
    assert_eq!(
        parse_tenants(&exported, false).unwrap(),
        std::slice::from_ref(tenant)
    );
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
        "tenants.acme.eploy.client_id: give where the secret is",
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
    for example in [EXAMPLE, OLD_EXAMPLE] {
        let text = example.replace(
            r#"{ stage = "12", statuses = ["34"] }"#,
            r#"{ stage_name = "Video Interview", status_names = ["To Be Completed"] }"#,
        );
        let by_name = &config(&text).tenants[0].by_name;
        assert_eq!(by_name[0].mapping, "support-video".into());
        assert_eq!(by_name[0].stage.as_deref(), Some("Video Interview"));
        assert_eq!(by_name[0].statuses, ["To Be Completed"]);
        assert_eq!(by_name.len(), 1);
    }
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
    let config = config(&text);
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
        ("", "tenants.acme.hires.when is missing"),
        (
            "stages = [{ stage = \"15\" }]\nplacement_statuses = [\"4\"]",
            "would announce a hire twice",
        ),
        (
            "stages = [{ stage_name = \"Offers\" }]",
            "tenants.acme.hires.stages[0].stage is missing; give the id",
        ),
        (
            "placement_statuses = [\"4\"]\nendpoint = { url = \"http://hrms.example.com/\", secret = { env = \"S\" } }",
            "tenants.acme.hires.endpoint.url (at hrms.example.com): use an https address",
        ),
        (
            "placement_statuses = [\"4\"]\nendpoint = { url = \"https://a:hushhush@hrms.example.com/\", secret = \"whsec_hushhush\" }",
            "tenants.acme.hires.endpoint.secret: give where the secret is",
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

/// An example with the tables for WeCP, live interviews and pools, which it has as comments.
fn with_comments_enabled(example: &str) -> String {
    let (before, after) = example.split_once("\n# Live interviews.").unwrap();
    let mut text = String::new();
    for line in before.lines() {
        let enabled = [
            "platforms.wecp",
            "kind = \"wecp\"",
            "ACME_WECP",
            "settings.organisation",
        ]
        .iter()
        .any(|part| line.contains(part));
        text.push_str(line.strip_prefix("# ").filter(|_| enabled).unwrap_or(line));
        text.push('\n');
    }
    let is_setting = |line: &&str| {
        let key = line.split([' ', '.']).next().unwrap_or_default();
        line.starts_with('[')
            || (line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    for line in after.lines().filter_map(|line| line.strip_prefix("# ")) {
        if is_setting(&line) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_example_for_interviews_and_pools_is_valid() {
    let config = config(&with_comments_enabled(EXAMPLE));
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
    let text = with_comments_enabled(OLD_EXAMPLE);
    for (right, wrong, expected) in [
        (
            "platform = \"wecp\", create",
            "platform = \"willo\", create",
            "mappings[1].meeting: Willo has no live interviews; leave it out",
        ),
        (
            "platform = \"wecp\", create",
            "platform = \"willo\", create",
            "mappings[1].options.group is given, and willo has no options",
        ),
        (
            "{ platform = \"wecp\", id = \"group",
            "{ platform = \"willo\", id = \"group",
            "mappings[2].pool: Willo has no talent pools; leave it out",
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
            "tenants.acme.mappings[1].assessment.create is \"interview\"; a live interview's is \"interview:\" and its id on WeCP; to create one, give \"interview\", and kind.meeting.creates",
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

#[test]
fn problems_of_the_present_format_name_the_tenant() {
    let text = with_comments_enabled(EXAMPLE);
    for (right, wrong, expected) in [
        (
            "base_url = \"https://acme.eploy.net/\"",
            "base_url = \"acme\"",
            "tenant.acme.eploy.base_url is \"acme\": ",
        ),
        (
            "base_url = \"https://acme.eploy.net/\"\n",
            "",
            "tenant.acme.eploy.base_url is missing; give an address",
        ),
        (
            "vacancies = { only = [4101, 4102] }",
            "vacancies = { only = [4101, true] }",
            "tenant.acme.mappings[0].vacancies.only[1]: ",
        ),
        (
            "action = { action_type = \"42\", outcomes = { delayed",
            "action = { action_type = \"42\", outcomes = { deleyed",
            "tenant.acme.mappings[0].report.action.outcomes",
        ),
        (
            "day.working_days = 1",
            "day.working_days = 99",
            "tenant.acme.mappings[1].kind.meeting.day.working_days is 99",
        ),
        (
            "time = \"10:00\"",
            "time = \"late\"",
            "tenant.acme.mappings[1].kind.meeting.time is \"late\": ",
        ),
        (
            "min_percent = 70",
            "min_percent = 700",
            "tenant.acme.mappings[2].kind.pool.after[0].min_percent",
        ),
        (
            "[tenant.platforms.willo]\nkind",
            "[tenant.platforms.willo]\nkin",
            "tenant.acme.platforms.willo.kind is missing; give the platform, such as \"willo\"",
        ),
        (
            "{ file = \"secrets/acme-eploy\" }",
            "\"hushhush\"",
            "secrets.acme.eploy_client_secret: give where the secret is",
        ),
        (
            "[secrets.acme]",
            "[secrets.acne]",
            "tenant.acme.id is \"acme\", and secrets.acme is missing",
        ),
        (
            "[secrets.acme]",
            "[secrets.acne]",
            "secrets.acne belongs to no tenant of the file",
        ),
        (
            "[[tenant]]\nid = \"acme\"",
            "[[tenant]]\nid = \"acme\"\neploy.base_url = \"https://other.eploy.net/\"\n[[tenant]]\nid = \"acme\"",
            "is \"acme\", as is another's",
        ),
    ] {
        assert!(text.contains(right), "{right}");
        let found = problems(&text.replacen(right, wrong, 1));
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{expected}: {found:#?}"
        );
        let repeated = |problem: &String| problem.contains("hushhush");
        assert!(!found.iter().any(repeated), "a secret was repeated");
    }
}

/// What follows from a value that cannot be used is no problem of its own.
#[test]
fn one_mistake_is_one_problem() {
    let text = with_comments_enabled(EXAMPLE);
    for (right, wrong) in [
        (
            "vacancies = { only = [4101, 4102] }",
            "vacancies = \"some\"",
        ),
        (
            "triggers = [{ stage = \"12\", statuses = [\"34\"] }]",
            "triggers = [{ statuses = [\"34\"] }]",
        ),
        (
            "assessment = { account = \"willo\", assessment",
            "assessment = { account = \"willo\", assesment",
        ),
        ("daily_calls = 10000", "daily_calls = \"many\""),
        ("base_url = \"https://acme.eploy.net/\"\n", ""),
        ("reentry = \"once\"", "reentry = \"never\""),
        ("listen = \"127.0.0.1:8080\"", "listen = 8080"),
        ("time = \"10:00\"", "time = \"late\""),
        ("day.working_days = 1\n", ""),
        ("mapping = \"support-video\", on", "on"),
    ] {
        assert!(text.contains(right), "{right}");
        let found = problems(&text.replacen(right, wrong, 1));
        assert_eq!(found.len(), 1, "{wrong}: {found:#?}");
    }
}
