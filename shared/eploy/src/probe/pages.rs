//! The largest page of a search (REFERENCE.md §7).

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

impl Probe<'_> {
    /// The largest page.
    pub(super) async fn page_size(&mut self) -> Result<(), CallError> {
        let name = "page size";
        let first = match self.ids(LARGE_PAGE_SIZE, 1).await? {
            Ok(ids) => ids,
            Err(reply @ ProbeReply::Forbidden(_)) => {
                self.open(name, reply.in_words());
                return Ok(());
            }
            Err(_) => return self.page_size_below().await,
        };
        let got = u32::try_from(first.len()).unwrap_or(LARGE_PAGE_SIZE);
        if got >= LARGE_PAGE_SIZE {
            self.found(name, Sure, format!("{got} came, so a page may have {got}"))
                .set("page_size", got);
            return Ok(());
        }
        let second = self.ids(LARGE_PAGE_SIZE, 2).await?.unwrap_or_default();
        let others = second.iter().filter(|id| !first.contains(id)).count();
        if got == 0 || others == 0 {
            self.open(
                name,
                format!("there are only {got} applications, and they came on one page, or the number of the page is ignored; {SAFE_PAGE_SIZE} records stay the safe choice"),
            );
            return Ok(());
        }
        // If the first page comes again with a new record on it, the page number may be ignored.
        let apart = others == second.len();
        let words = format!("{got} came, and others on the next page, so a page has at most {got}");
        self.found(name, if apart { Sure } else { Likely }, words)
            .reading(json!({"limit": got, "above": "clamp"}))
            .set("page_size", got);
        Ok(())
    }

    async fn page_size_below(&mut self) -> Result<(), CallError> {
        let name = "page size";
        for size in SMALLER_PAGE_SIZES {
            if let Ok(ids) = self.ids(size, 1).await? {
                // A full page of this size was seen only if there are enough records.
                let full = ids.len() >= size as usize;
                let words = format!("{size} are answered, more are refused");
                self.found(name, if full { Sure } else { Likely }, words)
                    .reading(json!({"limit": size, "above": "refuse"}))
                    .set("page_size", size);
                return Ok(());
            }
        }
        self.open(name, "every size was refused");
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
}
