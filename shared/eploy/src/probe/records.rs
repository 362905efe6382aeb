//! The first page of applications, and the shapes of its ids, names and paging fields.

use serde_json::{Value, json};
use stagecall_core::error::CallError;

use super::Certainty::{Likely, Sure};
use super::reply::ProbeReply;
use super::{Probe, Sample, stage_of};
use crate::applications::BLOCKS;
use crate::errors::Problem;
use crate::wire::Record;

/// Records on the first page.
const PAGE_SIZE: u32 = 100;
/// This many records show the general shape.
const MIN_SHAPES: usize = 10;

impl Probe<'_> {
    /// Reads the first page of applications. Without it nothing can be tested.
    pub(super) async fn first_page(&mut self) -> Result<(), CallError> {
        let asked = "the first 100 applications, without a filter";
        let reply = self
            .search("applications", json!([]), (PAGE_SIZE, 1), BLOCKS)
            .await?;
        let answer = match reply {
            ProbeReply::Yes(answer, _) => answer,
            ProbeReply::Missing(_) => None,
            ProbeReply::Forbidden(why) => {
                return Err(Problem::Permission.error("probe the dialect", &why));
            }
            ProbeReply::Refused(_) => {
                return Err(Problem::SearchRejected
                    .error("probe the dialect", "the plainest search of applications"));
            }
        };
        let names = |name| {
            answer
                .as_ref()
                .and_then(Record::of)
                .is_some_and(|frame| frame.has(name))
        };
        let fields: Vec<&str> = ["TotalPages", "CurrentPage", "TotalRecords"]
            .into_iter()
            .filter(|name| names(name))
            .collect();
        let words = match fields.as_slice() {
            [] => "there are none: a short page is taken as the last one".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        self.applications = ProbeReply::Yes(answer, 200)
            .records(1, PAGE_SIZE)
            .unwrap_or_default();
        self.sample = self.applications.iter().find_map(sample);
        // A short page may lack what the pages of a longer answer have (REFERENCE.md §7).
        let certainty = if self.applications.len() >= PAGE_SIZE as usize {
            Sure
        } else {
            Likely
        };
        self.conclude("paging fields", asked, words, certainty, json!(fields), &[]);
        Ok(())
    }

    /// The shape of the records. Every case is parsed tolerantly.
    pub(super) fn shapes(&mut self) {
        let asked = "the same page";
        let at_stage = self
            .applications
            .iter()
            .filter(|one| stage_of(one).is_some());
        let shapes: Vec<_> = at_stage.filter_map(shape).collect();
        let Some(&first) = shapes.first() else {
            self.open("shape of ids", asked, "there is no application at a stage");
            return;
        };
        let alike = shapes.iter().all(|other| *other == first);
        let certainty = if alike && shapes.len() >= MIN_SHAPES {
            Sure
        } else {
            Likely
        };
        let (ids, options, casing) = first;
        self.conclude(
            "shape of ids",
            asked,
            format!(
                "ids of records are {ids}, ids of options are {options}, names end as in {casing}"
            ),
            certainty,
            json!({"ids": ids, "option_ids": options, "property_case": casing}),
            &[],
        );
    }

    /// Whether single records can be read, and by which route they can be searched for.
    pub(super) async fn single_records(&mut self) -> Result<(), CallError> {
        let Some(sample) = self.sample.clone() else {
            self.open(
                "reading one record",
                "nothing",
                "there is no application to try with",
            );
            return Ok(());
        };
        for (what, resource, id, block, setting, route_setting, route) in [
            (
                "application",
                "applications",
                &sample.id,
                "ApplicationId",
                "read_application",
                "application_id_route",
                "Application.ApplicationId",
            ),
            (
                "candidate",
                "candidates",
                &sample.candidate,
                "CandidateId",
                "read_candidate",
                "candidate_id_route",
                "Candidate.CandidateID",
            ),
            (
                "vacancy",
                "vacancies",
                &sample.vacancy,
                "VacancyId",
                "read_vacancy",
                "vacancy_id_route",
                "Vacancy.VacancyId",
            ),
        ] {
            let name = format!("reading one {what}");
            let asked = format!("GET /api/{resource}/{{id}} and a search by {route}");
            let permission = match resource {
                "candidates" => crate::errors::Permission::view("Candidates"),
                "vacancies" => crate::errors::Permission::view("Vacancies"),
                _ => crate::errors::Permission::view("Applications"),
            };
            let path = format!("{resource}/{id}");
            let got = self
                .ask(stagecall_http::Method::Get, &path, None, permission)
                .await?;
            let got = matches!(&got, ProbeReply::Yes(Some(record), _) if record.is_object());
            let value = self.client.connection.dialect.filter_id(id);
            let found = self
                .search(
                    resource,
                    super::filter(route, "Equals", &value),
                    (10, 1),
                    &[block],
                )
                .await?
                .records(1, 10)
                .unwrap_or_default();
            let own = |record: &Value| Record::of(record)?.own_id(block).ok();
            let searched = !found.is_empty()
                && found
                    .iter()
                    .all(|record| own(record).as_deref() == Some(id.as_str()));
            let (concluded, by) = match (got, searched) {
                (true, true) => ("both work; GET is used", Some("get")),
                (true, false) => ("GET works, the search does not", Some("get")),
                (false, true) => ("the search works, GET does not", Some("search")),
                (false, false) => ("neither works", None),
            };
            match by {
                Some(by) => {
                    let mut settings = vec![(setting, json!(by))];
                    if searched {
                        settings.push((route_setting, json!(route)));
                    }
                    self.conclude(&name, &asked, concluded, Likely, json!(by), &settings);
                }
                None => self.open(&name, &asked, concluded),
            }
        }
        Ok(())
    }
}

/// How an application writes its own id, the id of its stage, and names that end in `Id`.
fn shape(record: &Value) -> Option<(&'static str, &'static str, &'static str)> {
    let kind = |id: &Value| match id {
        Value::Number(_) => "numbers",
        Value::String(_) => "strings",
        _ => "other",
    };
    let (key, id) = record
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("ApplicationId"))?;
    let stage = Record::of(record)?.record("Workflow")?.record("Stage")?;
    let casing = if key.ends_with("ID") {
        "CandidateID"
    } else {
        "CandidateId"
    };
    Some((kind(id), kind(stage.get("Id")?), casing))
}

/// An application at a stage.
fn sample(record: &Value) -> Option<Sample> {
    let stage = stage_of(record)?;
    let record = Record::of(record)?;
    Some(Sample {
        id: record.own_id("ApplicationId").ok()?,
        candidate: record.id("Candidate")?,
        vacancy: record.id("Vacancy")?,
        stage,
    })
}
