//! How searches page: the largest page, and what there is after the last one (REFERENCE.md §7).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stagecall_core::error::CallError;

use super::Certainty::{Likely, Sure};
use super::Probe;
use super::reply::ProbeReply;
use crate::wire::Record;

/// More than any page size that was ever seen (REFERENCE.md §7: 500).
const LARGE_PAGE_SIZE: u32 = 1000;
/// What is tried where a large page is refused, largest first.
const SMALLER_PAGE_SIZES: [u32; 4] = [500, 200, 100, 50];
/// The page size that is known to work (REFERENCE.md §7, documented P-GROS).
const SAFE_PAGE_SIZE: u32 = 100;
/// A page after the last one of any customer.
const FAR_PAGE: u32 = 9999;

impl Probe<'_> {
    /// The largest page.
    pub(super) async fn page_size(&mut self) -> Result<(), CallError> {
        let name = "page size";
        let asked = "a page of 1000 applications, ids only";
        let first = match self.ids(LARGE_PAGE_SIZE, 1).await? {
            Ok(ids) => ids,
            Err(reply @ ProbeReply::Forbidden(_)) => {
                self.open(name, asked, reply.in_words());
                return Ok(());
            }
            Err(_) => return self.page_size_below().await,
        };
        let got = u32::try_from(first.len()).unwrap_or(LARGE_PAGE_SIZE);
        if got >= LARGE_PAGE_SIZE {
            self.conclude(
                name,
                asked,
                format!("{got} came, so a page may have {got}"),
                Sure,
                json!({"limit": got, "above": "accepted"}),
                &[("page_size", json!(got))],
            );
            return Ok(());
        }
        let second = self.ids(LARGE_PAGE_SIZE, 2).await?.unwrap_or_default();
        let others = second.iter().filter(|id| !first.contains(id)).count();
        if got == 0 || others == 0 {
            self.open(
                name,
                asked,
                format!("there are only {got} applications, and they came on one page, or the number of the page is ignored; {SAFE_PAGE_SIZE} records stay the safe choice"),
            );
            return Ok(());
        }
        // If the first page comes again with a new record on it, the page number may be ignored.
        let apart = others == second.len();
        self.conclude(
            name,
            asked,
            format!("{got} came, and others on the next page, so a page has at most {got}"),
            if apart { Sure } else { Likely },
            json!({"limit": got, "above": "clamp"}),
            &[("page_size", json!(got))],
        );
        Ok(())
    }

    async fn page_size_below(&mut self) -> Result<(), CallError> {
        let name = "page size";
        let asked = "pages of 1000, 500, 200, 100 and 50 applications, ids only";
        for size in SMALLER_PAGE_SIZES {
            if let Ok(ids) = self.ids(size, 1).await? {
                // A full page of this size was seen only if there are enough records.
                let full = ids.len() >= size as usize;
                self.conclude(
                    name,
                    asked,
                    format!("{size} are answered, more are refused"),
                    if full { Sure } else { Likely },
                    json!({"limit": size, "above": "refuse"}),
                    &[("page_size", json!(size))],
                );
                return Ok(());
            }
        }
        self.open(name, asked, "every size was refused");
        Ok(())
    }

    /// The ids on a page of applications, or the refusal.
    async fn ids(
        &mut self,
        size: u32,
        page: u32,
    ) -> Result<Result<Vec<String>, ProbeReply>, CallError> {
        let reply = self
            .search("applications", json!([]), (size, page), &["ApplicationId"])
            .await?;
        if matches!(reply, ProbeReply::Refused(_) | ProbeReply::Forbidden(_)) {
            return Ok(Err(reply));
        }
        let ids = reply.records(page, size).unwrap_or_default();
        let id = |record: &Value| Record::of(record)?.own_id("ApplicationId").ok();
        Ok(Ok(ids.iter().filter_map(id).collect()))
    }

    /// Whether these are the applications of the first page, and as many as a page has.
    fn is_full_first_page(&self, records: &[Value]) -> bool {
        let id = |record: &Value| Record::of(record)?.own_id("ApplicationId").ok();
        let first: BTreeSet<_> = self.applications.iter().map(id).collect();
        self.applications.len() >= SAFE_PAGE_SIZE as usize
            && records.iter().all(|record| first.contains(&id(record)))
    }

    /// What there is after the last page. Read tolerantly whatever it is.
    pub(super) async fn empty_page(&mut self) -> Result<(), CallError> {
        let name = "empty page";
        let asked = "page 9999 of the applications";
        let reply = self
            .search(
                "applications",
                json!([]),
                (SAFE_PAGE_SIZE, FAR_PAGE),
                &["ApplicationId"],
            )
            .await?;
        let (concluded, reading) = match &reply {
            ProbeReply::Yes(answer, _) => {
                let records = answer
                    .as_ref()
                    .and_then(Record::of)
                    .and_then(|frame| frame.get("Records"));
                match records.and_then(Value::as_array) {
                    Some(records) if !records.is_empty() && self.is_full_first_page(records) => {
                        self.open(
                            name,
                            asked,
                            "the first page comes again, although it is full: the number of the page seems to be ignored, and then readings of several pages stop with an error",
                        );
                        return Ok(());
                    }
                    Some(records) if !records.is_empty() => {
                        ("the last page comes again", "last_again")
                    }
                    _ => ("a page without records", "empty"),
                }
            }
            ProbeReply::Missing(_) => ("404, which is read as no records", "not_found"),
            ProbeReply::Refused(_) => ("a refusal", "refused"),
            ProbeReply::Forbidden(why) => {
                let why = why.clone();
                self.open(name, asked, why);
                return Ok(());
            }
        };
        self.conclude(name, asked, concluded, Likely, json!(reading), &[]);
        Ok(())
    }
}
