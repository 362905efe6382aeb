//! What Eploy answers about placements.

use stagecall_core::ports::PlacementPage;

use crate::eploy::{BASE, all_read, client, is_id};
use crate::outside::{Outside, fair, silent};
use crate::run::{Target, block};

/// Pages of placements, and the application of one.
pub const SEARCH: Target = Target {
    name: "eploy-placements",
    samples: &[
        r#"{"Records": [{"PlacementId": 31, "PlacementStatus": {"Id": "4", "Description": "Contract Accepted"}, "Candidate": {"Id": 9001}, "Vacancy": {"Id": 4101}, "ModificationDate": "2025-01-24T09:15:00Z"}, {"PlacementId": "32", "PlacementStatus": null, "Candidate": {"Id": "9002", "Description": "Ada Example"}, "Vacancy": 4101, "ModificationDate": null}], "CurrentPage": 1, "TotalPages": 2}"#,
        r#"[{"PlacementID": 33, "PlacementStatus": {"Id": 4}, "Candidate": {"Id": 9003}, "Vacancy": {"Id": 4101}, "Salary": "Ada Example, ada@example.com"}]"#,
        r#"{"Records": [{"ApplicationId": 70215, "Candidate": {"Id": 9001}, "Vacancy": {"Id": 4101}, "Workflow": {"Stage": {"Id": "15"}, "Status": null}, "ModificationDate": "2025-01-24T09:15:00Z"}], "CurrentPage": 1, "TotalPages": 1}"#,
        r#"{"Records": null}"#,
    ],
    check: placements,
};

fn placements(input: &[u8], choice: u64) -> Result<(), String> {
    let outside = Outside::new(200, input, false);
    let (pages, application) = block(async {
        let client = client(&outside, choice).await?;
        let changed = client.changed_placements(None, 1).await;
        let with = client.placements_with(&["4".into()].into(), 1).await;
        let application = client.application_of(&"9001".into(), &"4101".into()).await;
        Ok::<_, String>(([changed, with], application))
    })??;
    outside.strayed(BASE)?;
    for page in pages {
        match page {
            Ok(page) => loses_nothing(&page, input)?,
            Err(error) => fair(&error, 200, false)?,
        }
    }
    match application {
        Ok(application) => application.map_or(Ok(()), |id| is_id(id.as_str())),
        Err(error) => fair(&error, 200, false),
    }
}

/// Every record of the page was read or set aside.
fn loses_nothing(page: &PlacementPage, input: &[u8]) -> Result<(), String> {
    all_read(page.rows.len() + page.set_aside.len(), input)?;
    for row in &page.rows {
        for id in [
            row.id.as_str(),
            row.candidate.as_str(),
            row.vacancy.as_str(),
        ] {
            is_id(id)?;
        }
        row.status
            .as_ref()
            .map_or(Ok(()), |id| is_id(id.as_str()))?;
    }
    for aside in &page.set_aside {
        silent(&aside.reason)?;
        aside.id.as_deref().map_or(Ok(()), is_id)?;
    }
    Ok(())
}
