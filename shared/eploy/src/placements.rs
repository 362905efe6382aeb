//! Placements: finding those that changed or have a status (REFERENCE.md §17).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ids::{PlacementId, PlacementStatusId};
use stagecall_core::ports::{PlacementPage, PlacementRow, UnparsableRecord};

use crate::client::Client;
use crate::dialect::Dialect;
use crate::errors::Permission;
use crate::search::{Filter, Search};
use crate::wire::{Page, read_row};

/// The blocks of a placement that are read, all documented by P-GROS.
const BLOCKS: &[&str] = &[
    "PlacementId",
    "PlacementStatus",
    "Candidate",
    "Vacancy",
    "ModificationDate",
];

/// Documented by P-GROS (REFERENCE.md §6).
const MODIFIED: &str = "Placement.ModificationDate";
/// Documented by V-STARTER (REFERENCE.md §6).
const STATUS: &str = "Placement.PlacementStatus";

fn search(operation: &'static str, filter: Option<Filter>) -> Search<'static> {
    Search {
        operation,
        resource: "placements",
        filters: filter.into_iter().collect(),
        blocks: BLOCKS,
        permission: Permission::view("Placements"),
    }
}

impl Client {
    /// Placements that changed since then, or all.
    pub(crate) async fn search_changed_placements(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<PlacementPage, CallError> {
        let filter = since.map(|since| Filter::since(&self.connection.dialect, MODIFIED, since));
        let search = search("find changed placements", filter);
        // The cursor does not move past what was not found.
        let found = self.search_unverified(&search, page).await?;
        Ok(self.read_placements(&found))
    }

    /// Placements that may have one of these statuses.
    pub(crate) async fn search_placements_with(
        &self,
        statuses: &BTreeSet<PlacementStatusId>,
        page: u32,
    ) -> Result<PlacementPage, CallError> {
        let ids = statuses.iter().map(PlacementStatusId::as_str).collect();
        let filter = Filter::any_of(&self.connection.dialect, Some(STATUS), &ids);
        let search = search("find placements by status", filter);
        let found = self.search(&search, page).await?;
        Ok(self.read_placements(&found))
    }

    fn read_placements(&self, found: &Page) -> PlacementPage {
        let (rows, set_aside) = found.rows(|record| row(record, &self.connection.dialect));
        PlacementPage {
            rows,
            set_aside,
            more: found.more,
        }
    }
}

/// A placement, or why it cannot be read.
fn row(record: &Value, dialect: &Dialect) -> Result<PlacementRow, UnparsableRecord> {
    read_row(record, "PlacementId", |record, id| {
        if !record.has("PlacementStatus") {
            return Err("PlacementStatus is missing".to_owned());
        }
        let status = record
            .get("PlacementStatus")
            .map(|_| record.need_id("PlacementStatus"))
            .transpose()?;
        Ok(PlacementRow {
            id: PlacementId::new(id?),
            candidate: record.need_id("Candidate")?.as_str().into(),
            vacancy: record.need_id("Vacancy")?.as_str().into(),
            status: status.map(PlacementStatusId::new),
            modified: record
                .text("ModificationDate")
                .and_then(|text| dialect.dates.read(text)),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn changed_placements_are_searched_for_with_confirmed_parts_only() {
        let scene = Scene::new(|_| {
            Answer::value(&json!({"Records": [
                {"PlacementId": 31, "PlacementStatus": {"Id": "4", "Description": "Contract Accepted"},
                 "Candidate": {"Id": 9001}, "Vacancy": {"Id": 4101}, "ModificationDate": "2025-01-24T09:15:00Z"},
                {"PlacementId": 32, "PlacementStatus": null, "Candidate": {"Id": 9002}, "Vacancy": {"Id": 4101}},
                {"PlacementId": 33, "Candidate": {"Id": 9003}, "Vacancy": {"Id": 4101}},
                {"PlacementId": 34, "PlacementStatus": {"Id": "4"}, "Candidate": null, "Vacancy": {"Id": 4101}},
                7,
            ], "CurrentPage": 1, "TotalPages": 1}))
        })
        .dialect(json!({"dates": "utc"}));
        let since = "2025-01-24T10:00:00Z".parse().unwrap();
        let page = scene
            .client()
            .await
            .changed_placements(Some(since), 1)
            .await
            .unwrap();
        assert_eq!(scene.last().url.path(), "/api/placements/search");
        assert_eq!(
            scene.last().body["Filters"],
            json!([{"Route": "Placement.ModificationDate", "Operation": "GreaterThan", "Value": "2025-01-24T09:50:00Z"}])
        );
        assert!(!page.more);
        let statuses: Vec<_> = page
            .rows
            .iter()
            .map(|row| row.status.as_ref().map(PlacementStatusId::as_str))
            .collect();
        assert_eq!(statuses, [Some("4"), None]);
        assert_eq!(
            page.rows[0].modified,
            Some("2025-01-24T09:15:00Z".parse().unwrap())
        );
        let set_aside: Vec<_> = page
            .set_aside
            .iter()
            .map(|one| (one.id.as_deref(), one.reason.as_str()))
            .collect();
        assert_eq!(
            set_aside,
            [
                (Some("33"), "PlacementStatus is missing"),
                (Some("34"), "Candidate is missing"),
                (None, "it is not an object"),
            ]
        );
    }

    #[tokio::test]
    async fn several_statuses_are_one_filter_only_where_lists_are_taken() {
        for (lists, filters) in [
            (false, json!([])),
            (
                true,
                json!([{"Route": "Placement.PlacementStatus", "Operation": "Equals", "Value": ["4", "6"]}]),
            ),
        ] {
            let scene = Scene::new(|_| Answer::ok("")).dialect(json!({"filter_lists": lists}));
            let statuses = ["4".into(), "6".into()].into();
            let client = scene.client().await;
            client.placements_with(&statuses, 1).await.unwrap();
            assert_eq!(scene.last().body["Filters"], filters);
        }
    }
}
