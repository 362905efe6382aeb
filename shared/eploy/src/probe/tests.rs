use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Scene, Seen};

/// An Eploy that has one application, knows no filter and no list, and answers at this time by its own clock.
fn plain(modified: &'static str, date: &'static str) -> Scene {
    Scene::new(move |request: &Seen| {
        let answer = match request.url.path() {
            "/api/applications/search" => Answer::value(&json!({"Records": [
                {"ApplicationId": 1, "Candidate": {"Id": 9}, "Vacancy": {"Id": 4}, "ModificationDate": modified,
                 "Workflow": {"Stage": {"Id": "12"}, "Status": null}}]})),
            _ => Answer::status(404),
        };
        answer.with_header("date", date)
    })
}

fn found<'a>(probed: &'a Probed, name: &str) -> &'a Experiment {
    let mut all = probed.experiments.iter();
    all.find(|experiment| experiment.name == name)
        .unwrap_or_else(|| panic!("no experiment \"{name}\""))
}

async fn dates(modified: &'static str, date: &'static str) -> (Value, Certainty) {
    let probed = plain(modified, date).inspector().probe(None).await.unwrap();
    let dates = found(&probed, "dates");
    (dates.reading.clone(), dates.certainty)
}

const SUMMER: &str = "Thu, 24 Jul 2025 09:15:30 GMT";
const WINTER: &str = "Fri, 24 Jan 2025 09:15:30 GMT";

#[tokio::test]
async fn the_zone_of_dates_is_concluded_only_where_it_shows() {
    for (modified, date, expected) in [
        // An hour ahead in summer: UK time.
        (
            "2025-07-24T10:15:00",
            SUMMER,
            (json!("uk"), Certainty::Sure),
        ),
        // Not ahead: an old change in UK time, or a fresh one in UTC.
        (
            "2025-07-24T09:15:00",
            SUMMER,
            (Value::Null, Certainty::Open),
        ),
        // A zone that cannot be true.
        (
            "2025-07-24T10:15:00Z",
            SUMMER,
            (Value::Null, Certainty::Open),
        ),
        (
            "2025-07-24T09:15:00.123Z",
            SUMMER,
            (json!("utc"), Certainty::Likely),
        ),
        (
            "2025-01-24T09:15:00Z",
            WINTER,
            (json!("utc"), Certainty::Likely),
        ),
        (
            "2025-01-24T09:15:00",
            WINTER,
            (Value::Null, Certainty::Open),
        ),
        ("yesterday", SUMMER, (Value::Null, Certainty::Open)),
    ] {
        assert_eq!(
            dates(modified, date).await,
            expected,
            "{modified} at {date}"
        );
    }
}

#[tokio::test]
async fn a_filter_that_is_not_heeded_is_not_believed() {
    let scene = plain("2025-01-24T09:15:00Z", WINTER);
    let probed = scene.inspector().probe(None).await.unwrap();
    assert_eq!(found(&probed, "stage route").reading, "none");
    assert_eq!(found(&probed, "unknown route").reading, "ignore");
    assert_eq!(found(&probed, "status history").reading, false);
    assert_eq!(found(&probed, "page size").certainty, Certainty::Open);
    assert_eq!(found(&probed, "index of lists").reading, "absent");
    assert_eq!(found(&probed, "empty page").reading, "last_again");
    assert_eq!(probed.calls as usize, scene.calls());
    assert!(probed.left_behind.is_empty());
    assert!(
        scene
            .requests()
            .iter()
            .all(|request| request.method != "PATCH"),
        "nothing is changed"
    );
}

#[tokio::test]
async fn settings_that_were_there_stay_unless_something_else_was_found() {
    let scene = plain("2025-01-24T09:15:00Z", WINTER);
    let probed = scene.inspector().probe(None).await.unwrap();
    let before = json!({"page_size": 50, "stage_route": "Application.Stage", "notes_path": "n/{application}"});
    let dialect = probed.dialect(before.as_object().unwrap());
    assert_eq!(dialect["page_size"], 50, "it could not be settled");
    assert_eq!(dialect["notes_path"], "n/{application}", "nobody asked");
    assert!(!dialect.contains_key("stage_route"), "it does not filter");
    assert_eq!(dialect["dates"], "utc");
    crate::dialect::Dialect::from_settings(&dialect).unwrap();
}

#[tokio::test]
async fn what_concerns_the_whole_connection_ends_it() {
    let spent = r#"{"error_message": "Daily usage limit reached"}"#;
    let scene = Scene::new(move |_| Answer::json(429, spent));
    let error = scene.inspector().probe(None).await.unwrap_err();
    assert_eq!(error.code, "eploy.allowance_eploy");
    assert_eq!(scene.calls(), 1);
}
