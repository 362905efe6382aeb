//! What searches can filter by (REFERENCE.md §6).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stagecall_core::error::CallError;

use super::Certainty::{Likely, Sure};
use super::reply::ProbeReply;
use super::{Probe, filter, stage_of};
use crate::applications::BLOCKS;
use crate::wire::Record;

/// The routes that may filter by stage, in order of likelihood (REFERENCE.md §6).
const STAGE_ROUTES: [&str; 5] = [
    "Application.Workflow.Stage",
    "Application.Stage",
    "Application.ApplicationStage",
    "Application.StageId",
    "Application.Workflow.Stage.Id",
];
/// The routes that may filter by vacancy (inferred from the pattern of REFERENCE.md §6).
const VACANCY_ROUTES: [&str; 4] = [
    "Vacancy.VacancyId",
    "Application.VacancyId",
    "Application.Vacancy",
    "Application.Vacancy.Id",
];
/// The routes that may filter the status history by application.
const HISTORY_ROUTES: [&str; 3] = [
    "Application.ApplicationId",
    "StatusHistory.Application",
    "StatusHistory.ApplicationId",
];
/// An id that nothing has.
const UNKNOWN_ID: &str = "999999999";
/// Records per filter test.
const PAGE_SIZE: u32 = 100;

/// The outcome of a filter.
enum Filtered {
    /// It worked.
    Heeded,
    /// It was ignored.
    Ignored,
    /// It was refused.
    Refused,
}

impl Probe<'_> {
    /// Tests a filter by comparing its results for an existing id and for a non-existing one.
    async fn filtered(
        &mut self,
        resource: &str,
        blocks: &[&str],
        route: &str,
        id: &str,
        of: impl Fn(&Value) -> Option<String>,
    ) -> Result<Filtered, CallError> {
        for (value, some) in [(UNKNOWN_ID, false), (id, true)] {
            let value = self.client.connection.dialect.filter_id(value);
            let reply = self
                .search(
                    resource,
                    filter(route, "Equals", &value),
                    (PAGE_SIZE, 1),
                    blocks,
                )
                .await?;
            let Some(records) = reply.records(1, PAGE_SIZE) else {
                return Ok(Filtered::Refused);
            };
            let right = records
                .iter()
                .all(|record| of(record).as_deref() == Some(id));
            if records.is_empty() == some || !right {
                return Ok(Filtered::Ignored);
            }
        }
        Ok(Filtered::Heeded)
    }

    /// How a search treats names that do not exist, and what a refusal looks like.
    pub(super) async fn unknown_names(&mut self) -> Result<(), CallError> {
        let mut shapes = Vec::new();
        for (name, asked, filters, blocks) in [
            (
                "unknown route",
                "a filter by a route that does not exist",
                filter("Application.NoSuchProperty", "Equals", &json!("1")),
                vec!["ApplicationId"],
            ),
            (
                "unknown operation",
                "a filter with an operation that does not exist",
                filter("Application.ApplicationId", "NoSuchOperation", &json!("1")),
                vec!["ApplicationId"],
            ),
            (
                "unknown block",
                "a property that does not exist",
                json!([]),
                vec!["ApplicationId", "NoSuchProperty"],
            ),
        ] {
            match self
                .search("applications", filters, (1, 1), &blocks)
                .await?
            {
                ProbeReply::Refused(rejection) => {
                    shapes.push(rejection.shape);
                    // Whether the route is known has not been tested yet.
                    let sure = name != "unknown operation";
                    let certainty = if sure { Sure } else { Likely };
                    self.conclude(
                        name,
                        asked,
                        "it is refused",
                        certainty,
                        json!("refuse"),
                        &[],
                    );
                }
                ProbeReply::Forbidden(why) => self.open(name, asked, why),
                answered => match answered.records(1, 1) {
                    Some(records) if !records.is_empty() => {
                        self.conclude(name, asked, "it is ignored", Likely, json!("ignore"), &[]);
                    }
                    _ if self.applications.is_empty() => {
                        self.open(name, asked, "there is no application to be found");
                    }
                    _ => self.conclude(
                        name,
                        asked,
                        "nothing is found",
                        Likely,
                        json!("nothing"),
                        &[],
                    ),
                },
            }
        }
        let name = "shape of errors";
        let asked = "an application that does not exist";
        let reply = self
            .ask(
                stagecall_http::Method::Get,
                &format!("applications/{UNKNOWN_ID}"),
                None,
                crate::errors::Permission::view("Applications"),
            )
            .await?;
        if let ProbeReply::Missing(rejection) | ProbeReply::Refused(rejection) = &reply {
            shapes.push(rejection.shape);
        }
        let Some(shape) = shapes.first() else {
            self.open(name, asked, "nothing was refused");
            return Ok(());
        };
        let alike = shapes.iter().all(|other| other == shape);
        self.conclude(
            name,
            asked,
            if alike {
                format!("their body is of the shape \"{shape}\"")
            } else {
                format!("they differ: {}", shapes.join(", "))
            },
            if alike && shapes.len() > 1 {
                Sure
            } else {
                Likely
            },
            json!(shape),
            &[],
        );
        Ok(())
    }

    /// The route that filters by stage.
    pub(super) async fn stage_route(&mut self) -> Result<(), CallError> {
        let name = "stage route";
        let asked = format!("applications at a stage, by {}", STAGE_ROUTES.join(", "));
        let Some(sample) = self.sample.clone() else {
            self.open(
                name,
                &asked,
                "there is no application at a stage to try with",
            );
            return Ok(());
        };
        for route in STAGE_ROUTES {
            let filtered = self
                .filtered("applications", BLOCKS, route, &sample.stage, stage_of)
                .await?;
            if matches!(filtered, Filtered::Heeded) {
                let certainty = self.certainty_among(stage_of);
                self.conclude(
                    name,
                    &asked,
                    format!("{route} filters by stage"),
                    certainty,
                    json!(route),
                    &[("stage_route", json!(route))],
                );
                return Ok(());
            }
        }
        self.conclude(
            name,
            &asked,
            "none of them filters; applications are compared by Stagecall instead",
            Likely,
            json!("none"),
            &[("stage_route", Value::Null)],
        );
        Ok(())
    }

    /// The route that filters by vacancy.
    pub(super) async fn vacancy_route(&mut self) -> Result<(), CallError> {
        let name = "vacancy route";
        let asked = format!(
            "applications of a vacancy, by {}",
            VACANCY_ROUTES.join(", ")
        );
        let Some(sample) = self.sample.clone() else {
            self.open(name, &asked, "there is no application to try with");
            return Ok(());
        };
        let of = |record: &Value| Record::of(record)?.id("Vacancy");
        for route in VACANCY_ROUTES {
            let filtered = self
                .filtered("applications", BLOCKS, route, &sample.vacancy, of)
                .await?;
            if matches!(filtered, Filtered::Heeded) {
                let certainty = self.certainty_among(of);
                self.conclude(
                    name,
                    &asked,
                    format!("{route} filters by vacancy"),
                    certainty,
                    json!(route),
                    &[("vacancy_route", json!(route))],
                );
                return Ok(());
            }
        }
        self.conclude(
            name,
            &asked,
            "none of them filters; applications are compared by Stagecall instead",
            Likely,
            json!("none"),
            &[("vacancy_route", Value::Null)],
        );
        Ok(())
    }

    /// Whether a filter takes a list, and ids as texts or numbers. Tried with the best-known route that works.
    pub(super) async fn lists_and_ids_in_filters(&mut self) -> Result<(), CallError> {
        let (lists, ids) = ("lists in filters", "ids in filters");
        let asked = "applications by id: as a text, as a number, as a list of two and one that does not exist";
        let Some(sample) = self.sample.clone() else {
            self.open(lists, asked, "there is no application to try with");
            return Ok(());
        };
        let of = |record: &Value| Record::of(record)?.own_id("ApplicationId").ok();
        let mut known = self.applications.iter().filter_map(of);
        let Some(other) = known.find(|id| *id != sample.id) else {
            let why = "there is only one application, which is found with and without a filter";
            self.open(ids, asked, why);
            self.open(lists, asked, why);
            return Ok(());
        };
        let one = BTreeSet::from([sample.id.clone()]);
        let both = BTreeSet::from([sample.id.clone(), other.clone()]);
        let number = sample.id.parse::<u64>().ok();
        let mut works = Vec::new();
        for (value, expected) in [
            (Some(json!(sample.id)), &one),
            (number.map(Value::from), &one),
            // Neither the first nor the last value alone would find both.
            (Some(json!([sample.id, UNKNOWN_ID, other])), &both),
        ] {
            let Some(value) = value else {
                works.push(false);
                continue;
            };
            let records = self
                .search(
                    "applications",
                    filter("Application.ApplicationId", "Equals", &value),
                    (PAGE_SIZE, 1),
                    &["ApplicationId"],
                )
                .await?
                .records(1, PAGE_SIZE)
                .unwrap_or_default();
            let found: BTreeSet<String> = records.iter().filter_map(of).collect();
            works.push(found == *expected);
        }
        let [text, number, list] = works.as_slice() else {
            return Ok(());
        };
        match (text, number) {
            (true, _) => self.conclude(
                ids,
                asked,
                if *number {
                    "texts and numbers are understood"
                } else {
                    "texts are understood"
                },
                Sure,
                json!("text"),
                &[("filter_ids", json!("text"))],
            ),
            (false, true) => self.conclude(
                ids,
                asked,
                "only numbers are understood",
                Sure,
                json!("number"),
                &[("filter_ids", json!("number"))],
            ),
            (false, false) => {
                self.open(ids, asked, "applications cannot be searched for by id");
                self.open(lists, asked, "applications cannot be searched for by id");
                return Ok(());
            }
        }
        let (shown, certainty) = if *list {
            ("a list means any of", Sure)
        } else {
            ("a list is not understood", Likely)
        };
        self.conclude(
            lists,
            asked,
            shown,
            certainty,
            json!(list),
            &[("filter_lists", json!(list))],
        );
        Ok(())
    }

    /// Whether the status history can be read, and by which route.
    pub(super) async fn history(&mut self) -> Result<(), CallError> {
        const HISTORY: &str = "applications/statushistory";
        let name = "status history";
        let asked = format!(
            "an application's status history, by {}",
            HISTORY_ROUTES.join(", ")
        );
        let Some(sample) = self.sample.clone() else {
            self.open(name, &asked, "there is no application to try with");
            return Ok(());
        };
        let of = |record: &Value| Record::of(record)?.id("Application");
        let blocks = ["StatusHistoryId", "Application", "StatusDate", "Workflow"];
        for route in HISTORY_ROUTES {
            let filtered = self
                .filtered(HISTORY, &blocks, route, &sample.id, of)
                .await?;
            if matches!(filtered, Filtered::Heeded) {
                let certainty =
                    self.certainty_among(|record| Record::of(record)?.own_id("ApplicationId").ok());
                self.conclude(
                    name,
                    &asked,
                    format!("it is readable, by {route}"),
                    certainty,
                    json!(true),
                    &[
                        ("history", json!("readable")),
                        ("history_route", json!(route)),
                    ],
                );
                return Ok(());
            }
        }
        self.conclude(
            name,
            &asked,
            "it is not readable; the application is read instead, so a stage left and entered again between two polls is not noticed",
            Likely,
            json!(false),
            &[("history", json!("unreadable"))],
        );
        Ok(())
    }
}
