use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Scene, Seen};

/// An Eploy with one application, no filters and no lists, whose clock shows this time.
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
        // Not ahead: an old change in UK time, or a new one in UTC.
        (
            "2025-07-24T09:15:00",
            SUMMER,
            (Value::Null, Certainty::Open),
        ),
        // An impossible zone.
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
async fn an_ignored_filter_is_not_used() {
    let scene = plain("2025-01-24T09:15:00Z", WINTER);
    let probed = scene.inspector().probe(None).await.unwrap();
    assert_eq!(found(&probed, "stage route").reading, "none");
    assert_eq!(found(&probed, "status history").reading, false);
    assert_eq!(found(&probed, "page size").certainty, Certainty::Open);
    assert_eq!(found(&probed, "index of lists").reading, "absent");
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
    assert_eq!(dialect["notes_path"], "n/{application}", "not probed");
    assert!(!dialect.contains_key("stage_route"), "it does not filter");
    assert_eq!(dialect["dates"], "utc");
    crate::dialect::Dialect::from_settings(&dialect).unwrap();
}

#[tokio::test]
async fn an_error_of_the_connection_ends_the_probe() {
    let spent = r#"{"error_message": "Daily usage limit reached"}"#;
    let scene = Scene::new(move |_| Answer::json(429, spent));
    let error = scene.inspector().probe(None).await.unwrap_err();
    assert_eq!(error.code, "eploy.allowance_eploy");
    assert_eq!(scene.calls(), 1);
}

const NOW: &str = "Tue, 24 Jun 2025 09:15:30 GMT";

/// An application and its two rows of history, by the day of its last change, and the day that it was last modified.
fn changed(id: u32, last: &str, modified: &str) -> (Value, [Value; 2]) {
    let row = |number: u32, at: &str| json!({"StatusHistoryId": id * 10 + number, "Application": {"Id": id}, "CreationDate": at, "StatusDate": at});
    let application = json!({"ApplicationId": id, "Candidate": {"Id": 9}, "Vacancy": {"Id": 4}, "ModificationDate": modified,
        "Workflow": {"Stage": {"Id": "12"}, "Status": null}});
    let rows = [row(1, "2024-12-01T10:00:00Z"), row(2, last)];
    (application, rows)
}

/// An Eploy with these applications, whose history can be searched by date if `dated`.
fn with_history(all: &[(Value, [Value; 2])], dated: bool) -> Scene {
    let applications: Vec<Value> = all.iter().map(|(one, _)| one.clone()).collect();
    let rows: Vec<Value> = all.iter().flat_map(|(_, rows)| rows.clone()).collect();
    Scene::new(move |request: &Seen| {
        let answer = match request.url.path() {
            "/api/applications/search" => Answer::value(&json!({"Records": applications})),
            "/api/applications/statushistory/search" => {
                let filter = &request.body["Filters"][0];
                let after = filter["Value"].as_str().unwrap_or_default().to_owned();
                let found: Vec<&Value> = match filter["Route"].as_str() {
                    None => rows.iter().collect(),
                    Some("StatusHistory.StatusDate") if dated => rows
                        .iter()
                        .filter(|row| row["StatusDate"].as_str().unwrap() > after.as_str())
                        .collect(),
                    Some(_) => return Answer::status(400).with_header("date", NOW),
                };
                Answer::value(&json!({"Records": found}))
            }
            _ => Answer::status(404),
        };
        answer.with_header("date", NOW)
    })
}

/// The certainty about the feed depends on how many applications changed, and how long ago.
#[tokio::test]
async fn certainty_about_the_feed_depends_on_the_evidence() {
    let lately = "2025-06-20T10:00:00Z";
    let moved =
        |count: u32, at: &str| -> Vec<_> { (1..=count).map(|id| changed(id, at, at)).collect() };
    let frozen = |count: u32| -> Vec<_> {
        (51..51 + count)
            .map(|id| changed(id, lately, "2024-12-01T10:00:00Z"))
            .collect()
    };
    let edited: Vec<_> = (1..=9)
        .map(|id| changed(id, lately, "2025-06-23T10:00:00Z"))
        .collect();
    let mixed: Vec<_> = moved(6, lately).into_iter().chain(frozen(2)).collect();
    let by_date = json!({"feed": null, "feed_settled": true});
    let perhaps = json!({"feed": null, "feed_settled": false});
    let by_history = |settled: bool| json!({"feed": "status_history", "feed_settled": settled});
    let slow = json!({"feed": "slow_full", "feed_settled": false});
    for (name, all, dated, certainty, settings) in [
        (
            "six moved lately",
            moved(6, lately),
            true,
            Certainty::Sure,
            by_date,
        ),
        (
            "two moved lately",
            moved(2, lately),
            true,
            Certainty::Likely,
            perhaps.clone(),
        ),
        (
            "six moved long ago",
            moved(6, "2024-12-20T10:00:00Z"),
            true,
            Certainty::Likely,
            perhaps,
        ),
        ("edited since", edited, true, Certainty::Open, json!({})),
        ("none", Vec::new(), true, Certainty::Open, json!({})),
        (
            "one frozen",
            frozen(1),
            false,
            Certainty::Likely,
            slow.clone(),
        ),
        ("two frozen", frozen(2), false, Certainty::Sure, slow),
        (
            "six frozen, by history",
            frozen(6),
            true,
            Certainty::Sure,
            by_history(true),
        ),
        ("mixed", mixed, true, Certainty::Sure, by_history(true)),
    ] {
        let scene = with_history(&all, dated);
        let probed = scene.inspector().probe(None).await.unwrap();
        let feed = found(&probed, "change feed");
        assert_eq!(feed.certainty, certainty, "{name}: {feed:#?}");
        assert_eq!(Value::Object(feed.settings.clone()), settings, "{name}");
        let route = found(&probed, "status history by date");
        if feed.reading == "status_history" {
            assert_eq!(route.reading, "StatusHistory.StatusDate", "{name}");
            let dialect = probed.dialect(&Settings::new());
            crate::dialect::Dialect::from_settings(&dialect).unwrap();
        }
        let writes = scene.requests();
        assert!(
            writes.iter().all(|request| request.method != "PATCH"),
            "nothing is changed"
        );
    }
}

/// With one application, an ignored filter finds the same as a working one.
#[tokio::test]
async fn certainty_depends_on_the_evidence() {
    let one = plain("2025-01-24T09:15:00Z", WINTER);
    let probed = one.inspector().probe(None).await.unwrap();
    for name in ["stage route", "vacancy route", "status history"] {
        assert_eq!(found(&probed, name).certainty, Certainty::Likely, "{name}");
    }
    for name in ["ids in filters", "lists in filters", "change feed"] {
        assert_eq!(found(&probed, name).certainty, Certainty::Open, "{name}");
    }
}

/// A change of stage may not update the date, which then says nothing about when the change was made.
#[tokio::test]
async fn only_a_date_of_the_change_itself_settles_the_zone() {
    for (modified, expected) in [
        ("2025-07-24T09:15:20", (json!("utc"), Certainty::Sure)),
        ("2025-07-24T10:15:20", (json!("uk"), Certainty::Sure)),
        ("2025-07-24T05:00:00", (Value::Null, Certainty::Open)),
        ("2025-07-24T13:15:00", (Value::Null, Certainty::Open)),
    ] {
        let stage = std::sync::Mutex::new(json!("12"));
        let scene = Scene::new(move |request: &Seen| {
            let mut stage = stage.lock().unwrap();
            let answer = match (request.method.as_str(), request.url.path()) {
                ("PATCH", _) => {
                    *stage = request.body["Workflow"]["StageId"].clone();
                    Answer::status(204)
                }
                (_, "/api/applications/search") => Answer::value(&json!({"Records": [
                    {"ApplicationId": 1, "Candidate": {"Id": 9}, "Vacancy": {"Id": 4}, "ModificationDate": modified,
                     "Workflow": {"Stage": {"Id": *stage}, "Status": null}}]})),
                _ => Answer::status(404),
            };
            answer.with_header("date", SUMMER)
        });
        let writing = Writing {
            application: "1".into(),
            action_type: None,
            move_to: Some(("13".into(), None)),
        };
        let probed = scene.inspector().probe(Some(&writing)).await.unwrap();
        assert_eq!(
            found(&probed, "moving an application").reading,
            "workflow_ids"
        );
        let dates = probed.experiments.last().unwrap();
        assert_eq!(dates.name, "dates");
        assert_eq!(
            (dates.reading.clone(), dates.certainty),
            expected,
            "{modified}"
        );
    }
}

/// An Eploy with two applications, which are at one stage or at two.
fn two(
    stages: [&'static str; 2],
    answer: impl Fn(&Seen, &[Value]) -> Option<Answer> + Send + Sync + 'static,
) -> Scene {
    let all = [1, 2].map(|id: usize| {
        json!({"ApplicationId": id, "Candidate": {"Id": 9}, "Vacancy": {"Id": 4}, "ModificationDate": "2025-01-24T09:15:00Z",
            "Workflow": {"Stage": {"Id": stages[id - 1]}, "Status": null}})
    });
    Scene::new(move |request| answer(request, &all).unwrap_or_else(|| Answer::status(404)))
}

/// If all applications are at one stage, a working filter by stage looks like an ignored one.
#[tokio::test]
async fn a_feed_by_a_route_that_is_not_sure_is_not_settled() {
    for (stages, settled) in [(["12", "12"], false), (["12", "13"], true)] {
        let scene = two(stages, |request, all| match request.url.path() {
            "/api/applications/search" => {
                let filter = &request.body["Filters"][0];
                let asked = filter["Value"].to_string().replace('"', "");
                let found: Vec<&Value> = match filter["Route"].as_str() {
                    Some("Application.Stage") => all
                        .iter()
                        .filter(|one| one["Workflow"]["Stage"]["Id"] == asked.as_str())
                        .collect(),
                    Some("Application.ApplicationId") => all
                        .iter()
                        .filter(|one| one["ApplicationId"].as_u64() == asked.parse().ok())
                        .collect(),
                    _ => all.iter().collect(),
                };
                Some(Answer::value(&json!({"Records": found})))
            }
            "/api/applications/statushistory/search" => {
                let row = |id: u32| json!({"StatusHistoryId": id, "Application": {"Id": id}, "StatusDate": "2025-02-20T09:15:00Z"});
                let filtered = request.body["Filters"][0].is_object();
                (!filtered).then(|| Answer::value(&json!({"Records": [row(1), row(2)]})))
            }
            _ => None,
        });
        let probed = scene.inspector().probe(None).await.unwrap();
        let feed = found(&probed, "change feed");
        assert_eq!(feed.settings["feed"], "stage_route", "{feed:#?}");
        assert_eq!(feed.settings["feed_settled"], settled, "{stages:?}");
    }
}

/// A filter that uses only the first value of a list also finds an existing one.
#[tokio::test]
async fn a_list_of_which_the_first_counts_is_not_any_of() {
    for takes in [1, 3] {
        let scene = two(["12", "13"], move |request, all| {
            let filter = &request.body["Filters"][0];
            let asked: Vec<String> = match &filter["Value"] {
                Value::Array(values) => values
                    .iter()
                    .take(takes)
                    .map(|one| one.to_string().replace('"', ""))
                    .collect(),
                value => vec![value.to_string().replace('"', "")],
            };
            let by_id = filter["Route"] == "Application.ApplicationId";
            let found: Vec<&Value> = all
                .iter()
                .filter(|one| !by_id || asked.contains(&one["ApplicationId"].to_string()))
                .collect();
            request
                .url
                .path()
                .ends_with("/applications/search")
                .then(|| Answer::value(&json!({"Records": found})))
        });
        let probed = scene.inspector().probe(None).await.unwrap();
        let lists = found(&probed, "lists in filters");
        assert_eq!(lists.reading, takes == 3, "{lists:#?}");
    }
}

/// A missing permission says nothing about existence.
#[tokio::test]
async fn what_could_not_be_seen_is_not_concluded() {
    let scene = two(["12", "13"], |request, all| match request.url.path() {
        "/api/options" | "/api/options/dropdown" => Some(Answer::status(403)),
        "/api/applications/search" if request.body["Filters"] == json!([]) => {
            Some(Answer::value(&json!({"Records": all})))
        }
        _ => None,
    });
    let probed = scene.inspector().probe(None).await.unwrap();
    assert_eq!(found(&probed, "index of lists").certainty, Certainty::Open);
}

/// Page 2 may be the first again, with a record added meanwhile.
#[tokio::test]
async fn a_page_size_is_sure_only_where_the_next_page_has_others() {
    for (second, certainty) in [
        (0..100, Certainty::Open),
        (1..101, Certainty::Likely),
        (100..101, Certainty::Sure),
    ] {
        let scene = Scene::new(move |request: &Seen| {
            if request.url.path() != "/api/applications/search" {
                return Answer::status(404);
            }
            let ids = match &request.body["Paging"]["RequestedPage"] {
                page if page == 2 => second.clone(),
                _ => 0..100,
            };
            let records: Vec<Value> = ids.map(|id| json!({"ApplicationId": id})).collect();
            Answer::value(&json!({"Records": records}))
        });
        let probed = scene.inspector().probe(None).await.unwrap();
        assert_eq!(found(&probed, "page size").certainty, certainty);
    }
}

/// A server that ignores the number of the page, with its records in another order each time.
#[tokio::test]
async fn a_server_that_gives_the_same_page_for_ever_is_asked_little_and_not_believed() {
    let all: Vec<Value> = (1..=200)
        .map(|id| changed(id, "2025-06-20T10:00:00Z", "2025-06-20T10:00:00Z").0)
        .collect();
    let scene = Scene::new(move |request: &Seen| match request.url.path() {
        "/api/applications/search" => {
            let size = request.body["Paging"]["RecordsPerPage"].as_u64().unwrap();
            let mut page: Vec<_> = all.iter().take(usize::try_from(size).unwrap()).collect();
            let begins_at = request.nth % page.len();
            page.rotate_left(begins_at);
            Answer::value(&json!({"Records": page, "TotalPages": 900}))
        }
        _ => Answer::status(404),
    });
    let probed = scene.inspector().probe(None).await.unwrap();
    let found = found(&probed, "page size");
    assert_eq!(found.certainty, Certainty::Open, "{found:#?}");
    assert!(found.concluded.contains("ignored"), "{found:#?}");
    assert!(probed.calls < 40, "{} calls", probed.calls);
}
