//! The experiments that find a dialect, against every reading of Eploy that the sandbox can play: they find what was
//! switched on.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use stagecall_core::clock::SystemClock;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{Allowance, CallbackTokens, Secrets, TenantSecret};
use stagecall_core::timing::Timing;
use stagecall_eploy::{Certainty, Connections, Experiment, Inspector, Probed, Writing};
use stagecall_http::{Guard, Sender};
use stagecall_sandbox::control::{Key, NewApplications, NewVacancy, SandboxClient};
use stagecall_sandbox::{Options, Running, Sandbox};

/// One key, and no limit to its calls.
struct Given(Key);

#[async_trait]
impl Secrets for Given {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        Ok(TenantSecret {
            eploy_client_id: self.0.client_id.clone().into(),
            eploy_client_secret: self.0.client_secret.clone().into(),
            platforms: std::collections::BTreeMap::new(),
            hrms: None,
        })
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        _: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        Ok(None)
    }
}

struct Unlimited;

#[async_trait]
impl Allowance for Unlimited {
    async fn take(&self, _: &TenantId, _: &str, _: u32, _: u32) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn taken(&self, _: &TenantId, _: &str) -> Result<u32, StoreError> {
        Ok(0)
    }
}

/// A system in one reading, with this many applications.
struct System {
    name: String,
    player: SandboxClient,
    inspector: Inspector,
    application: u64,
}

impl System {
    async fn new(sandbox: &Running, name: &str, quirks: Value, applications: u32) -> Self {
        let player = sandbox.player();
        let system = player.eploy(name).await.unwrap();
        player.switch_eploy(name, quirks).await.unwrap();
        let vacancy = NewVacancy::called("Support Worker");
        let vacancy = player.vacancy(name, &vacancy).await.unwrap();
        let new = NewApplications {
            stage: Some("Shortlist".to_owned()),
            ..NewApplications::new(vacancy, applications)
        };
        let created = player.apply(name, &new).await.unwrap();
        let connections = Connections::new(
            Arc::new(Sender::new(Guard::Sandbox).unwrap()),
            Arc::new(Given(system.keys[0].clone())),
            Arc::new(Unlimited),
            Arc::new(SystemClock),
            &Timing::default(),
        );
        let tenant = serde_json::from_value(json!({
            "id": name, "eploy": {"base_url": format!("{}/", system.base_url)},
        }))
        .unwrap();
        Self {
            name: name.to_owned(),
            player,
            inspector: connections.inspector(&tenant).unwrap(),
            application: created[0].application,
        }
    }

    async fn probe(&self) -> Probed {
        self.inspector.probe(None).await.unwrap()
    }

    /// With the experiments that write.
    async fn probe_writing(&self) -> Probed {
        let writing = Writing {
            application: self.application.to_string().as_str().into(),
            action_type: Some("42".into()),
            move_to: Some(("10".into(), None)),
        };
        self.inspector.probe(Some(&writing)).await.unwrap()
    }

    /// The number of changes through the API.
    async fn changes(&self) -> usize {
        let calls = self.player.calls(0).await.unwrap().records;
        calls
            .iter()
            .filter(|call| call.system == self.name && call.method != "GET")
            .filter(|call| !call.operation.ends_with(".search") && call.operation != "eploy.token")
            .count()
    }
}

fn found<'a>(probed: &'a Probed, name: &str) -> &'a Experiment {
    let mut all = probed.experiments.iter().rev();
    all.find(|one| one.name == name)
        .unwrap_or_else(|| panic!("no experiment \"{name}\": {probed:#?}"))
}

async fn sandbox(seed: u64) -> Running {
    Sandbox::start(Options { port: 0, seed }).await.unwrap()
}

/// Each switch that reading alone can find, with the experiment that finds it, its reading, and the settings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_reading_finds_is_what_was_switched_on() {
    let sandbox = sandbox(171).await;
    let route = |route: &str| {
        (
            json!({"stage_route": route}),
            "stage route",
            json!(route),
            json!({"stage_route": if route == "none" { Value::Null } else { json!(route) }}),
        )
    };
    let cases = [
        route("none"),
        route("Application.Workflow.Stage"),
        route("Application.Stage"),
        route("Application.ApplicationStage"),
        route("Application.StageId"),
        route("Application.Workflow.Stage.Id"),
        (
            json!({"equals_list": true}),
            "lists in filters",
            json!(true),
            json!({"filter_lists": true}),
        ),
        (
            json!({"equals_list": false}),
            "lists in filters",
            json!(false),
            json!({"filter_lists": false}),
        ),
        (
            json!({"status_history": true}),
            "status history",
            json!(true),
            json!({"history": "readable", "history_route": "Application.ApplicationId"}),
        ),
        (
            json!({"status_history": false, "empty_search": "not_found"}),
            "status history",
            json!(false),
            json!({"history": "unreadable"}),
        ),
        (
            json!({"options_index": "both"}),
            "index of lists",
            json!("options/dropdown"),
            json!({"options_index_path": "options/dropdown"}),
        ),
        (
            json!({"options_index": "dropdown"}),
            "list of stages",
            json!("60"),
            json!({"stages_list": "60"}),
        ),
        (
            json!({"options_index": "options"}),
            "index of lists",
            json!("options"),
            json!({"options_index_path": "options"}),
        ),
        (
            json!({"options_index": "absent"}),
            "index of lists",
            json!("absent"),
            json!({"options_index_path": null}),
        ),
        (
            json!({"dates": "utc_fraction"}),
            "dates",
            json!("utc"),
            json!({"dates": "utc"}),
        ),
        (
            json!({"dates": "utc"}),
            "dates",
            json!("utc"),
            json!({"dates": "utc"}),
        ),
    ];
    for (at, (quirks, name, reading, settings)) in cases.into_iter().enumerate() {
        let system = System::new(&sandbox, &format!("s{at}"), quirks.clone(), 3).await;
        let probed = system.probe().await;
        let one = found(&probed, name);
        assert_eq!(one.reading, reading, "{quirks}: {one:#?}");
        assert_eq!(Value::Object(one.settings.clone()), settings, "{quirks}");
        assert_ne!(one.certainty, Certainty::Open, "{quirks}");
        assert_eq!(system.changes().await, 0, "{quirks}: something was written");
        assert!(
            probed.left_behind.is_empty() && probed.calls < 60,
            "{}",
            probed.calls
        );
    }
}

/// UK dates without a zone can be distinguished from UTC only in summer. In winter, the probe says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uk_dates_are_found_in_summer_and_left_open_in_winter() {
    let sandbox = sandbox(172).await;
    let system = System::new(&sandbox, "acme", json!({"dates": "uk_local"}), 1).await;
    let probed = system.probe().await;
    let uk = jiff::tz::get!("Europe/London");
    let summer = uk.to_offset(Timestamp::now()) != jiff::tz::Offset::UTC;
    let dates = found(&probed, "dates");
    if summer {
        assert_eq!(dates.reading, "uk");
    } else {
        assert_eq!(dates.certainty, Certainty::Open);
        assert!(dates.concluded.contains("British Summer Time"), "{dates:?}");
        assert!(dates.settings.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_page_is_found_where_there_is_enough_to_fill_it() {
    let sandbox = sandbox(173).await;
    for (limit, above) in [
        (100, "clamp"),
        (100, "refuse"),
        (200, "clamp"),
        (200, "refuse"),
        (500, "clamp"),
        (500, "refuse"),
    ] {
        let quirks = json!({"max_records": limit, "above_max": above});
        let name = format!("{above}{limit}");
        let system = System::new(&sandbox, &name, quirks, limit + 1).await;
        let probed = system.probe().await;
        let size = found(&probed, "page size");
        assert_eq!(
            size.reading,
            json!({"limit": limit, "above": above}),
            "{size:?}"
        );
        assert_eq!(probed.dialect(&serde_json::Map::new())["page_size"], limit);
    }
    let few = System::new(&sandbox, "few", json!({}), 3).await;
    let probed = few.probe().await;
    assert_eq!(found(&probed, "page size").certainty, Certainty::Open);
}

/// Each switch that only writing can find. What writing leaves behind is reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_writing_finds_is_what_was_switched_on_and_what_is_left_is_said() {
    let sandbox = sandbox(174).await;
    let body = |body: &str| {
        (
            json!({"stage_write": body}),
            "moving an application",
            json!(body),
            json!({"move_body": body}),
        )
    };
    let notes = |switch: &str, path: &str, field: Value| {
        (
            json!({"notes": switch}),
            "notes",
            json!(path),
            json!({"notes_path": path, "note_application_field": field}),
        )
    };
    let seen = |switch: &str, value: Value, name: &'static str| {
        (json!({switch: value.clone()}), name, value, json!({}))
    };
    let updated = |reply: &str| {
        (
            json!({"patch_reply": reply}),
            "updating an action",
            json!(true),
            json!({}),
        )
    };
    let cases = [
        body("workflow_ids"),
        body("workflow_objects"),
        body("flat"),
        notes(
            "application",
            "applications/{application}/notes",
            Value::Null,
        ),
        notes("notes", "notes", json!("ApplicationId")),
        seen("notes", json!("absent"), "notes"),
        seen("create_status", json!(201), "creating an action"),
        seen("create_status", json!(200), "creating an action"),
        updated("record"),
        updated("id"),
        updated("empty"),
        (
            json!({"action_search": true}),
            "searching actions",
            json!(true),
            json!({"action_look_up": "search", "action_type_block": "ActionType"}),
        ),
        (
            json!({"action_search": false}),
            "searching actions",
            json!(false),
            json!({"action_look_up": "never"}),
        ),
    ];
    for (at, (quirks, name, reading, settings)) in cases.into_iter().enumerate() {
        let system = System::new(&sandbox, &format!("s{at}"), quirks.clone(), 2).await;
        let probed = system.probe_writing().await;
        let one = found(&probed, name);
        assert_eq!(one.reading, reading, "{quirks}: {one:#?}");
        assert_eq!(Value::Object(one.settings.clone()), settings, "{quirks}");
        let left = probed.left_behind.join("\n");
        let application = system.application.to_string();
        assert!(left.contains(&application), "{quirks}: {left}");
        let all = system.player.judgement(&system.name).await.unwrap();
        let shown = &all
            .iter()
            .find(|one| one.application.id == system.application)
            .unwrap();
        assert_eq!(shown.application.position.stage, "Shortlist", "{quirks}");
        assert_eq!(shown.application.actions.len(), 1);
        assert_eq!(left.contains("a note"), !shown.application.notes.is_empty());
        let others = all
            .iter()
            .filter(|one| one.application.id != system.application);
        assert!(
            others
                .into_iter()
                .all(|one| one.application.actions.is_empty())
        );
    }
}
