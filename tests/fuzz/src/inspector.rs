//! What Eploy answers while a tenant is set up: lists to choose from, and the experiments that find its dialect.

use serde_json::json;
use stagecall_eploy::{List, Writing, needed};

use crate::eploy::{BASE, is_id};
use crate::outside::{Outside, fair, silent, tenant};
use crate::run::{Target, block};

/// Lists to choose from.
pub const CATALOGUE: Target = Target {
    name: "eploy-catalogue",
    samples: SAMPLES,
    check: catalogue,
};

/// Experiments.
pub const PROBE: Target = Target {
    name: "eploy-probe",
    samples: SAMPLES,
    check: probe,
};

const SAMPLES: &[&str] = &[
    r#"{"Records": [{"VacancyId": 4101, "Title": "Support Worker", "VacancyStatus": {"Id": "3", "Description": "Live"}}, {"VacancyId": "4102", "Title": null, "VacancyStatus": null}], "CurrentPage": 1, "TotalPages": 1}"#,
    r#"{"Values": [{"Id": "12", "Description": "Video Interview", "Reference": "", "ArchiveDate": null, "ParentId": null}, {"Id": 13, "Description": "Offer", "ArchiveDate": "2025-01-24T09:15:00Z"}]}"#,
    r#"[{"Id": 7, "Description": "Application Stage"}, {"Id": "8", "Name": "Action Type"}]"#,
    r#"[{"QuestionId": 276, "Title": "Score", "AnswerType": "Text", "Answer": "Ada Example"}, {"QuestionId": "277", "Question": {"Title": "Link"}, "AnswerType": {"Id": 1, "Description": "Text"}}]"#,
    r#"{"Records": [{"ApplicationId": 70215, "Candidate": {"Id": 9001}, "Vacancy": {"Id": 4101}, "Workflow": {"Stage": {"Id": "12", "Description": "Video Interview"}, "Status": {"Id": "34", "Description": "To Be Completed"}}, "CreationDate": "2025-07-20T11:02:00Z", "ModificationDate": "2025-07-24T09:15:00Z"}], "CurrentPage": 1, "TotalPages": 1, "TotalRecords": 1}"#,
    r#"{"Records": [{"StatusHistoryId": 553001, "Application": {"Id": 70215}, "StatusDate": "2025-07-24T09:15:00", "Workflow": {"Stage": {"Id": "12"}, "Status": {"Id": "34"}}}], "CurrentPage": 1, "TotalPages": 1}"#,
    r#"{"Records": [{"ActionId": 88010, "StartDate": "2025-01-24T10:00:00Z", "ActionType": {"Id": 42}}], "CurrentPage": 1, "TotalPages": 1}"#,
    r#"{"error_message": "The route 'Application.StageId' of Ada Example is not known"}"#,
];

const STATUSES: [u16; 9] = [200, 200, 200, 200, 201, 400, 403, 404, 500];

fn status(choice: u64) -> u16 {
    STATUSES[usize::try_from(choice).unwrap_or(0) % STATUSES.len()]
}

fn catalogue(input: &[u8], choice: u64) -> Result<(), String> {
    let status = status(choice);
    let outside = Outside::new(status, input, false);
    let tenant = tenant(&json!({}))?;
    let inspector = outside.eploy().inspector(&tenant);
    let inspector = inspector.map_err(|error| error.to_string())?;
    block(async {
        let failed = |error| fair(&error, status, false);
        match inspector.vacancies().await {
            Ok(rows) => rows.iter().try_for_each(|row| is_id(row.id.as_str()))?,
            Err(error) => failed(error)?,
        }
        for list in [
            List::Stages,
            List::Statuses,
            List::ActionTypes,
            List::Outcomes,
        ] {
            match inspector.list(list).await {
                Ok(listing) => listing.options.iter().try_for_each(|one| is_id(&one.id))?,
                Err(error) => failed(error)?,
            }
        }
        match inspector.some_application().await {
            Ok(found) => found.map_or(Ok(()), |id| is_id(id.as_str()))?,
            Err(error) => failed(error)?,
        }
        match inspector.questions(&"70215".into()).await {
            Ok(questions) => questions
                .iter()
                .try_for_each(|one| is_id(one.id.as_str()))?,
            Err(error) => failed(error)?,
        }
        for need in needed(&tenant) {
            let read = inspector.read(need.permission).await;
            read.map(drop).or_else(failed)?;
        }
        inspector.granted_scopes().await.map(drop).or_else(failed)
    })??;
    outside.strayed(BASE)
}

/// What is concluded is a dialect that can be used, and says nothing of anybody.
fn probe(input: &[u8], choice: u64) -> Result<(), String> {
    let status = status(choice);
    let outside = Outside::new(status, input, false);
    let before = tenant(&json!({}))?;
    let inspector = outside.eploy().inspector(&before);
    let inspector = inspector.map_err(|error| error.to_string())?;
    let writing = Writing {
        application: "70215".into(),
        action_type: Some("42".into()),
        move_to: Some(("13".into(), None)),
    };
    let probed = block(inspector.probe(choice.is_multiple_of(2).then_some(&writing)))?;
    outside.strayed(BASE)?;
    let probed = match probed {
        Ok(probed) => probed,
        Err(error) => return fair(&error, status, true),
    };
    for experiment in &probed.experiments {
        silent(&experiment.concluded)?;
        silent(&experiment.reading.to_string())?;
    }
    let mut found = before.eploy.clone();
    found.dialect = probed.dialect(&before.eploy.dialect);
    let problems = stagecall_eploy::validate(&found);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(format!("the dialect found cannot be used: {problems:?}"))
    }
}
