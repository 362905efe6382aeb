use super::*;

fn position(stage: Option<&str>, status: Option<&str>) -> Position {
    Position {
        stage: stage.map(StageId::from),
        status: status.map(StatusId::from),
    }
}

fn trigger(stage: &str, statuses: &[&str]) -> Trigger {
    Trigger {
        stage: stage.into(),
        stage_name: None,
        statuses: statuses.iter().map(|id| StatusId::from(*id)).collect(),
    }
}

#[test]
fn a_trigger_is_a_stage_with_any_of_its_statuses() {
    let some = trigger("12", &["34", "35"]);
    let any = trigger("12", &[]);
    for (at, by_some, by_any) in [
        (position(Some("12"), Some("35")), true, true),
        (position(Some("12"), Some("36")), false, true),
        (position(Some("12"), None), false, true),
        (position(Some("13"), Some("34")), false, false),
        (position(None, Some("34")), false, false),
    ] {
        assert_eq!(some.matches(&at), by_some, "{at:?}");
        assert_eq!(any.matches(&at), by_any, "{at:?}");
    }
}

#[test]
fn a_mapping_is_for_its_vacancies_alone() {
    let only = Vacancies::Only(["4101".into()].into());
    assert!(only.contains(&"4101".into()));
    assert!(!only.contains(&"4102".into()));
    assert!(Vacancies::All.contains(&"4102".into()));
}

#[test]
fn hires_are_found_by_stages_or_by_placements_and_never_by_both() {
    let plan = |when| HirePlan {
        when,
        endpoint: None,
    };
    let stages = vec![trigger("18", &[])];
    assert_eq!(plan(HiredWhen::Stages(stages.clone())).triggers(), stages);
    let placements = HiredWhen::Placements(["9".into()].into());
    assert_eq!(plan(placements).triggers(), []);
}

#[test]
fn a_records_address_is_below_the_customers_own() {
    let at = |base_url: &str| {
        let connection = EployConnection {
            base_url: base_url.parse().unwrap(),
            daily_calls: 1000,
            poll_seconds: 60,
            dialect: Settings::new(),
        };
        connection
            .record_url("candidates", "9001")
            .map(|url| url.to_string())
    };
    let below = |base: &str| Some(format!("{base}/api/candidates/9001"));
    assert_eq!(
        at("https://acme.eploy.net/"),
        below("https://acme.eploy.net")
    );
    assert_eq!(
        at("https://jobs.example.com/eploy/"),
        below("https://jobs.example.com/eploy")
    );
    assert_eq!(
        at("https://jobs.example.com/eploy"),
        below("https://jobs.example.com/eploy")
    );
    assert_eq!(at("mailto:robin@example.com"), None);
}

/// The minimal configuration of a tenant.
fn least() -> Tenant {
    serde_json::from_value(serde_json::json!({
        "id": "acme",
        "eploy": {"base_url": "https://acme.eploy.net/"},
        "mappings": [
            {
                "id": "video",
                "vacancies": "all",
                "triggers": [{"stage": 12}],
                "assessment": {"account": "w", "assessment": "k"},
            },
            {
                "id": "pool",
                "vacancies": {"only": [4101]},
                "triggers": [{"stage": 13}],
                "assessment": {"account": "w", "assessment": "p"},
                "kind": {"pool": {"tags": ["silver"]}},
            },
        ],
    }))
    .unwrap()
}

/// A poll a minute, with the rest of the day's allowance for the customer's other integrations.
#[test]
fn what_is_not_said_is_careful() {
    let tenant = least();
    assert_eq!(tenant.eploy.poll_seconds, 60);
    assert_eq!(tenant.eploy.daily_calls, 10_000);
    let video = tenant.mapping(&"video".into()).unwrap();
    assert_eq!(video.kind, MappingKind::Invitation);
    assert_eq!(video.reentry, Reentry::Once);
    assert!(!video.include_current);
}

#[test]
fn a_mapping_is_found_by_its_id_and_triggered_by_any_of_its_triggers() {
    let mut tenant = least();
    assert_eq!(tenant.mapping(&"nobody".into()), None);
    tenant.mappings[1].triggers.push(trigger("14", &[]));
    let pool = tenant.mapping(&"pool".into()).unwrap();
    assert_eq!(pool.id, "pool".into());
    for (stage, triggered) in [("13", true), ("14", true), ("12", false)] {
        let at = position(Some(stage), None);
        assert_eq!(pool.triggered_by(&at), triggered, "{stage}");
    }
}

/// A store keeps a tenant as text: a mapping's kind must survive the round trip.
#[test]
fn what_is_written_reads_back() {
    let tenant = least();
    let text = serde_json::to_string(&tenant).unwrap();
    assert_eq!(serde_json::from_str::<Tenant>(&text).unwrap(), tenant);
}

/// A version from before there were other kinds than invitations refuses words that it does not know, and is the
/// fallback if this version fails.
#[test]
fn a_mapping_that_invites_is_written_as_it_was_before_there_was_anything_else() {
    let written = serde_json::to_value(least()).unwrap();
    assert_eq!(written["mappings"][0].get("kind"), None);
    assert_eq!(written["mappings"][1]["kind"]["pool"]["tags"][0], "silver");
}
