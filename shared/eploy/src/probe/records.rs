//! The first page of applications, and how single records are read (REFERENCE.md §9).

use serde_json::{Value, json};
use stagecall_core::error::CallError;
use stagecall_http::Method;

use super::Certainty::Likely;
use super::reply::ProbeReply;
use super::{Probe, Sample, filter, stage_of};
use crate::applications::BLOCKS;
use crate::errors::{Permission, Problem};
use crate::wire::Record;

/// Records on the first page.
const PAGE_SIZE: u32 = 100;

impl Probe<'_> {
    /// Reads the first page of applications. Without it nothing can be tested.
    pub(super) async fn first_page(&mut self) -> Result<(), CallError> {
        let reply = self
            .search("applications", json!([]), (PAGE_SIZE, 1), BLOCKS)
            .await?;
        match &reply {
            ProbeReply::Yes(..) | ProbeReply::Missing(_) => {}
            ProbeReply::Forbidden(why) => {
                return Err(Problem::Permission.error("probe the dialect", why));
            }
            ProbeReply::Refused(_) => {
                return Err(Problem::SearchRejected
                    .error("probe the dialect", "the plainest search of applications"));
            }
        }
        self.applications = reply.records(1, PAGE_SIZE).unwrap_or_default();
        self.sample = self.applications.iter().find_map(sample);
        Ok(())
    }

    /// Whether single records can be read, and by which route they can be searched for.
    pub(super) async fn single_records(&mut self) -> Result<(), CallError> {
        let Some(sample) = self.sample.clone() else {
            self.open("reading one record", "there is no application to try with");
            return Ok(());
        };
        for (what, resource, id, block, route) in [
            (
                "application",
                "applications",
                &sample.id,
                "ApplicationId",
                "Application.ApplicationId",
            ),
            (
                "candidate",
                "candidates",
                &sample.candidate,
                "CandidateId",
                "Candidate.CandidateID",
            ),
            (
                "vacancy",
                "vacancies",
                &sample.vacancy,
                "VacancyId",
                "Vacancy.VacancyId",
            ),
        ] {
            let permission = Permission::view(match resource {
                "candidates" => "Candidates",
                "vacancies" => "Vacancies",
                _ => "Applications",
            });
            let path = format!("{resource}/{id}");
            let got = self.ask(Method::Get, &path, None, permission).await?;
            let got = matches!(&got, ProbeReply::Yes(Some(record), _) if record.is_object());
            let value = self.client.connection.dialect.filter_id(id);
            let filters = filter(route, "Equals", &value);
            let reply = self.search(resource, filters, (10, 1), &[block]).await?;
            let found = reply.records(1, 10).unwrap_or_default();
            let own = |record: &Value| Record::of(record)?.own_id(block).ok();
            let searched =
                !found.is_empty() && found.iter().all(|record| own(record).as_ref() == Some(id));
            let name = format!("reading one {what}");
            let (words, by) = match (got, searched) {
                (true, true) => ("both work; GET is used", "get"),
                (true, false) => ("GET works, the search does not", "get"),
                (false, true) => ("the search works, GET does not", "search"),
                (false, false) => {
                    self.open(&name, "neither GET nor a search works");
                    continue;
                }
            };
            let one = self.found(&name, Likely, words);
            one.set(&format!("read_{what}"), by);
            if searched {
                one.set(&format!("{what}_id_route"), route);
            }
        }
        Ok(())
    }
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
