//! Every reading of what the references leave open: the whole process for one candidate, with the sandbox switched to the
//! reading and the connection configured to match. All of them at the same time, in one host.

use futures::future::join_all;
use serde_json::{Value, json};
use stagecall_sandbox::control::{CandidateAct, NewApplications, Write};
use stagecall_tests::harness::{Customer, Harness, completed, percent, soon, stagecall};

/// A reading.
struct Reading {
    name: &'static str,
    /// Switches of the sandbox.
    quirks: Value,
    /// What is set in the configuration to match: in the dialect, or in the platform's settings.
    settings: Value,
    /// What the mapping reports besides.
    report: Value,
}

fn reading(name: &'static str, quirks: Value, settings: Value) -> Reading {
    Reading {
        name,
        quirks,
        settings,
        report: json!({}),
    }
}

/// The same, with more to report.
fn reporting(name: &'static str, quirks: Value, settings: Value, report: Value) -> Reading {
    Reading {
        report,
        ..reading(name, quirks, settings)
    }
}

fn extend(table: &mut Value, more: &Value) {
    let more = more.as_object().unwrap().clone();
    table.as_object_mut().unwrap().extend(more);
}

/// The whole way of a new application.
async fn story(customer: &Customer) -> Result<(), String> {
    story_of(customer, customer.applicant().await.application).await
}

/// The whole process, up to the score. Returns the problem, if any.
async fn story_of(customer: &Customer, id: u64) -> Result<(), String> {
    customer.enter(&[id]).await;
    let wrong = async |what: &str| {
        let judged = customer.judged(id).await;
        Err(format!("{}: {what}: {judged:#?}", customer.name))
    };
    let shows = async |outcome: &str| {
        soon(async || {
            let judged = customer.judged(id).await;
            let shown = judged.application.actions.last()?.outcome.as_deref() == Some(outcome);
            shown.then_some(judged)
        })
        .await
    };
    let Some(judged) = shows("Invited").await else {
        return wrong("it does not show that the candidate is invited").await;
    };
    customer
        .act(&judged.participants, CandidateAct::Start)
        .await;
    if shows("Started").await.is_none() {
        return wrong("it does not show that the candidate has begun").await;
    }
    customer
        .act(&judged.participants, CandidateAct::Answer)
        .await;
    customer.score(&judged.participants, 9).await;
    let scored = soon(async || {
        let judged = customer.judged(id).await;
        (percent(&judged) == Some(90.0) && completed(&judged)).then_some(())
    });
    if scored.await.is_none() {
        return wrong("it does not show the result").await;
    }
    let searches = ["eploy.applications.search", "eploy.statushistory.search"];
    customer.polled_by(&searches).await;
    let judged = customer.judged(id).await;
    if !completed(&judged) || judged.application.actions[0].completion.is_none() {
        return wrong("it does not stay as it should be").await;
    }
    Ok(())
}

/// Runs the story for every customer. Fails with all problems.
async fn play(harness: &mut Harness, customers: &[Customer]) {
    harness
        .start_for(&customers.iter().collect::<Vec<_>>())
        .await;
    let ends = join_all(customers.iter().map(story)).await;
    let wrong: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
    assert!(
        wrong.is_empty(),
        "{} went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A host with a customer for every reading of Eploy.
async fn eploys(seed: u64, readings: &[Reading]) -> (Harness, Vec<Customer>) {
    let mut harness = Harness::new(seed).await;
    let mut customers = Vec::new();
    for one in readings {
        customers.push(harness.customer(one.name).await);
        harness
            .player
            .switch_eploy(one.name, one.quirks.clone())
            .await
            .unwrap();
        extend(
            &mut harness.tenant(one.name)["eploy"]["dialect"],
            &one.settings,
        );
        extend(&mut harness.mapping(one.name)["report"], &one.report);
    }
    (harness, customers)
}

/// Shapes of answers, which need no setting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eploys_answers_are_read_in_every_shape() {
    let none = || json!({});
    let readings = [
        reading("ids-are-texts", json!({"ids": "strings"}), none()),
        reading(
            "option-ids-are-numbers",
            json!({"option_ids": "numbers"}),
            none(),
        ),
        reading(
            "names-in-ID",
            json!({"property_case": "CandidateID"}),
            none(),
        ),
        reading("dates-without-fraction", json!({"dates": "utc"}), none()),
        reading(
            "nothing-found-is-404",
            json!({"empty_search": "not_found"}),
            none(),
        ),
        reading(
            "nothing-found-has-no-paging-fields",
            json!({"empty_search": "no_paging"}),
            none(),
        ),
        reading(
            "nothing-found-is-one-page",
            json!({"empty_search": "one_page"}),
            none(),
        ),
        reading(
            "no-paging-fields",
            json!({"total_pages": false, "current_page": false, "total_records": false}),
            none(),
        ),
        reading("no-total-pages", json!({"total_pages": false}), none()),
        reading("patch-answers-id", json!({"patch_reply": "id"}), none()),
        reading(
            "patch-answers-nothing",
            json!({"patch_reply": "empty", "create_status": 200}),
            none(),
        ),
        reading("no-history", json!({"status_history": false}), none()),
        reading("no-action-search", json!({"action_search": false}), none()),
        reading(
            "strict",
            json!({"unknown_block": "refuse", "unknown_property": "refuse"}),
            none(),
        ),
        reading("no-lists-in-filters", json!({"equals_list": false}), none()),
        reading(
            "lax-routes",
            json!({"unknown_route": "ignore", "unknown_operation": "ignore"}),
            none(),
        ),
        reading(
            "action-needs-company",
            json!({"action_needs_company": true}),
            none(),
        ),
        reading(
            "actions-touch-application",
            json!({"actions_touch_application": true}),
            none(),
        ),
        reading(
            "token-with-space",
            json!({"token_leading_space": true, "token_lifetime": 599}),
            none(),
        ),
        reading(
            "one-token-at-a-time",
            json!({"new_token_ends_old": true}),
            none(),
        ),
        reading(
            "no-large-pages",
            json!({"max_records": 100, "above_max": "refuse"}),
            none(),
        ),
        reading(
            "errors-are-pages",
            json!({"error_body": "html", "empty_search": "not_found"}),
            none(),
        ),
        reading(
            "errors-are-oauth",
            json!({"error_body": "oauth", "empty_search": "not_found"}),
            none(),
        ),
    ];
    let (mut harness, customers) = eploys(151, &readings).await;
    play(&mut harness, &customers).await;
}

/// Readings of Eploy that a setting of the dialect goes with.
fn settable() -> Vec<Reading> {
    let dates = |dates: &str| json!({"dates": dates});
    let uk = || json!({"dates": "uk_local"});
    let moves = json!({"moves": [{"on": "completed", "stage": "13", "status": "34"}]});
    let body = |shape: &str| json!({"move_body": shape});
    let route = |route: &str| json!({"stage_route": route});
    let noted = json!({"notes_at": ["completed"]});
    vec![
        reading("uk-dates", uk(), dates("uk")),
        reading("uk-dates-unknown", uk(), dates("unknown")),
        reading("utc-dates-unknown", json!({}), dates("unknown")),
        reporting(
            "move-workflow-ids",
            json!({"stage_write": "workflow_ids"}),
            body("workflow_ids"),
            moves.clone(),
        ),
        reporting(
            "move-workflow-objects",
            json!({"stage_write": "workflow_objects"}),
            body("workflow_objects"),
            moves.clone(),
        ),
        reporting(
            "move-flat",
            json!({"stage_write": "flat"}),
            body("flat"),
            moves,
        ),
        reading(
            "route-workflow-stage",
            route("Application.Workflow.Stage"),
            route("Application.Workflow.Stage"),
        ),
        reading(
            "route-stage-id",
            route("Application.StageId"),
            route("Application.StageId"),
        ),
        reading(
            "filter-lists",
            route("Application.Stage"),
            json!({"stage_route": "Application.Stage", "filter_lists": true}),
        ),
        reading(
            "small-pages",
            json!({"search_order": "modified_descending"}),
            json!({"page_size": 1}),
        ),
        reading(
            "small-pages-descending",
            json!({"search_order": "id_descending", "total_pages": false}),
            json!({"page_size": 1}),
        ),
        reading(
            "ids-in-capitals",
            json!({}),
            json!({"id_casing": "ID", "filter_ids": "number", "body_ids": "text"}),
        ),
        reading(
            "read-by-search",
            json!({"status_history": false}),
            json!({"read_application": "search", "read_candidate": "search", "read_vacancy": "search", "history": "unreadable"}),
        ),
        reading("token-by-form", json!({}), json!({"token_request": "form"})),
        reporting(
            "notes",
            json!({"notes": "notes"}),
            json!({"notes_path": "notes", "note_application_field": "ApplicationId"}),
            noted.clone(),
        ),
        reporting(
            "notes-of-application",
            json!({"notes": "application"}),
            json!({"notes_path": "applications/{application}/notes"}),
            noted,
        ),
        reporting(
            "export",
            json!({}),
            json!({}),
            json!({"export_package": "5"}),
        ),
        reading(
            "options-index",
            json!({"options_index": "dropdown"}),
            json!({"options_index_path": "options/dropdown"}),
        ),
        reading(
            "lists-by-id",
            json!({"options_index": "absent"}),
            json!({"stages_list": "60", "statuses_list": "61"}),
        ),
    ]
}

/// Each way that a setting of the dialect stands for works with that setting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eploys_ways_can_be_set() {
    let readings = settable();
    let (mut harness, customers) = eploys(152, &readings).await;
    for name in ["options-index", "lists-by-id"] {
        harness.mapping(name)["triggers"] =
            json!([{"stage_name": "Video Interview", "status_names": ["To Be Completed"]}]);
    }
    play(&mut harness, &customers).await;
    for (reading, customer) in readings.iter().zip(&customers) {
        let name = reading.name;
        let all = customer.all().await;
        let application = &all[0].application;
        let writes = customer.written(application.id).await;
        let count = |which| writes.iter().filter(|write| **write == which).count();
        let moved = reading.report.get("moves").is_some();
        assert_eq!(count(Write::Move), usize::from(moved), "{name}: {writes:?}");
        assert_eq!(application.position.stage == "Skills Test", moved, "{name}");
        let annotated = reading.report.get("notes_at").is_some();
        assert_eq!(application.notes.len(), usize::from(annotated), "{name}");
        let exported = reading.report.get("export_package").is_some();
        assert_eq!(application.exported.len(), usize::from(exported), "{name}");
    }
}

/// Where a change of stage does not change the modification date, moved applications are invited nevertheless: by each feed
/// that shows changes of stage, and by the stage scan if none is configured. The doctor reports the feed and what was
/// missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_are_found_where_they_do_not_change_the_date() {
    let frozen = || json!({"stage_change_moves_date": false});
    let mut routed = frozen();
    routed["stage_route"] = json!("Application.StageId");
    let readings = [
        reading("safety-net", frozen(), json!({})),
        reading(
            "by-history",
            frozen(),
            json!({"feed": "status_history", "history_date_route": "StatusHistory.CreationDate", "feed_settled": true}),
        ),
        reading(
            "by-stage",
            routed,
            json!({"feed": "stage_route", "stage_route": "Application.StageId", "feed_settled": true}),
        ),
        reading("slow-full", frozen(), json!({"feed": "slow_full"})),
    ];
    let (mut harness, customers) = eploys(154, &readings).await;
    harness.config["timing"]["scan_seconds"] = json!(0.5);
    harness
        .start_for(&customers.iter().collect::<Vec<_>>())
        .await;
    // So long ago that no overlap of windows shows them.
    let created = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(3);
    let ends = join_all(customers.iter().map(async |customer| {
        let new = NewApplications {
            stage: Some("Shortlist".to_owned()),
            at: Some(created),
            ..NewApplications::new(customer.vacancy, 1)
        };
        let made = harness.player.apply(&customer.name, &new).await.unwrap();
        story_of(customer, made[0].application).await
    }));
    let wrong: Vec<_> = ends.await.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    harness
        .logged(&[
            "found an entry that the change feed missed",
            "tenant=safety-net ",
        ])
        .await;
    let config = harness.write_config();
    let out = stagecall()
        .args(["doctor", "--json", "--config"])
        .arg(config)
        .output()
        .unwrap();
    let out: Value = serde_json::from_slice(&out.stdout).unwrap();
    let said = |name: &str| {
        let of = format!("Tenant {name}");
        let all = out["findings"].as_array().unwrap().iter();
        all.filter(|one| one["of"] == of.as_str() && one["what"] == "change feed")
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(
        said("safety-net").contains("stagecall.feed_misses"),
        "{out:#}"
    );
    assert!(
        said("safety-net").contains("it is not known whether"),
        "{out:#}"
    );
    assert!(said("by-history").contains("the status history"), "{out:#}");
    assert!(
        said("by-stage").contains("who is at the trigger stages"),
        "{out:#}"
    );
    for settled in ["by-history", "by-stage"] {
        assert!(
            said(settled).contains("is known to show all") && !said(settled).contains("misses")
        );
    }
    assert!(said("slow-full").contains("slow reading"), "{out:#}");
}

/// Readings of Willo.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn willos_ways_are_all_understood() {
    let none = || json!({});
    let readings = [
        reading("flat", json!({"callback_body": "flat"}), none()),
        reading("nested", json!({"callback_body": "nested"}), none()),
        reading("data", json!({"callback_body": "data"}), none()),
        reading("dump", json!({"callback_body": "dump"}), none()),
        reading("retries", json!({"callback_retries": 2}), none()),
        reading(
            "bearer",
            json!({"authorization": "bearer"}),
            json!({"auth_scheme": "bearer"}),
        ),
        reading("either", json!({"authorization": "either"}), none()),
        reading("same-key", json!({"duplicate": "same_key"}), none()),
        reading(
            "same-key-sent-again",
            json!({"duplicate": "same_key_sent_again"}),
            none(),
        ),
        reading("bad-request", json!({"duplicate": "bad_request"}), none()),
        reading("conflict", json!({"duplicate": "conflict"}), none()),
        reading(
            "list-without-status",
            json!({"list_shows_status": false}),
            none(),
        ),
        reading("external-id", json!({"external_id": "echoed"}), none()),
        reading(
            "external-id-echoed-only",
            json!({"external_id": "echoed_only"}),
            none(),
        ),
        reading(
            "newest-first",
            json!({"participants_order": "newest_first"}),
            none(),
        ),
        reading("stage-object", json!({"stage_shape": "object"}), none()),
        reading(
            "nothing-beside",
            json!({"transcripts": false, "summary": false, "share_link": false, "invite_link": false}),
            none(),
        ),
        reading(
            "throttling",
            json!({"calls_per_second": 4, "retry_after": 1}),
            none(),
        ),
        reading(
            "says-send",
            json!({"honours_send_invite": true}),
            json!({"send_invite": true}),
        ),
    ];
    let mut harness = Harness::new(153).await;
    harness.open_to_callbacks();
    let mut customers = Vec::new();
    for one in &readings {
        customers.push(harness.customer(one.name).await);
        harness
            .player
            .switch_willo(one.name, one.quirks.clone())
            .await
            .unwrap();
        let settings = &mut harness.tenant(one.name)["platforms"]["willo"]["settings"];
        extend(settings, &one.settings);
    }
    play(&mut harness, &customers).await;
}
