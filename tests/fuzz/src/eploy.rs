//! What Eploy answers.

use std::sync::Arc;

use serde_json::{Value, json};
use stagecall_core::ids::{ApplicationId, CandidateId, VacancyId};
use stagecall_core::ports::{
    ActionLookUp, ActionUpdate, Answer, ApplicationPage, Eploy, EployConnections as _, NewAction,
    Purpose, QuestionsOf, StageInfo,
};
use stagecall_core::tenant::{Position, Trigger, Vacancies};

use crate::outside::{Outside, fair, silent, tenant};
use crate::run::{Target, block};

/// Where every call has to stay.
pub const BASE: &str = "https://acme.eploy.net/api/";

/// Pages of applications.
pub const SEARCH: Target = Target {
    name: "eploy-search",
    samples: &[
        r#"{"Records": [{"ApplicationId": 70215, "ApplicationDate": "2025-01-20T11:02:00Z", "ApplicationType": {"Id": "1", "Description": "Web"}, "Candidate": {"Id": 9001, "Url": "https://acme.eploy.net/api/candidates/9001"}, "Vacancy": {"Id": 4101}, "Placement": null, "Workflow": {"Stage": {"Id": "12", "Description": "Video Interview"}, "Status": {"Id": "34", "Description": "To Be Completed"}}, "CreationDate": "2025-01-20T11:02:00Z", "ModificationDate": "2025-01-24T09:15:00.123Z"}, {"ApplicationId": "70216", "Candidate": {"Id": "9002"}, "Vacancy": {"Id": 4101}, "Workflow": {"Stage": null, "Status": null}, "ModificationDate": "2025-01-24T09:15:00"}, {"ApplicationID": 70217, "Candidate": 9003, "Vacancy": 4102, "Workflow": null, "ModificationDate": null}], "CurrentPage": 1, "TotalPages": 2, "TotalRecords": 3}"#,
        r#"[{"ApplicationId": 1, "Candidate": {"Id": 2}, "Vacancy": {"Id": 3}, "Workflow": {"Stage": {"Id": 4}}, "Notes": "Ada Example, ada@example.com"}]"#,
        r#"{"Records": null}"#,
    ],
    check: search,
};

/// Status histories.
pub const HISTORY: Target = Target {
    name: "eploy-history",
    samples: &[
        r#"{"Records": [{"StatusHistoryId": 553001, "Application": {"Id": 70215}, "Vacancy": {"Id": 4101}, "Action": {"Id": 88010}, "Placement": null, "StatusDate": "2025-01-24T09:15:00Z", "Workflow": {"Stage": {"Id": "12", "Description": "Video Interview"}, "Status": {"Id": "34", "Description": "To Be Completed"}}, "CreationDate": "2025-01-24T09:15:00Z"}, {"StatusHistoryId": 553000, "Application": {"Id": 70215}, "StatusDate": "2025-01-23T09:15:00Z", "Workflow": {"Stage": {"Id": "11"}, "Status": null}}], "CurrentPage": 1, "TotalPages": 1}"#,
        r#"{"ApplicationId": 70215, "Candidate": {"Id": 9001}, "Vacancy": {"Id": 4101}, "Workflow": {"Stage": {"Id": "12"}, "Status": {"Id": "34"}}}"#,
    ],
    check: history,
};

/// Single records: candidates, vacancies, lists of options, actions.
pub const RECORDS: Target = Target {
    name: "eploy-records",
    samples: &[
        r#"{"CandidateId": 9001, "Title": {"Id": "1", "Description": "Dr"}, "FirstName": "Ada", "Surname": "Example", "Email": "ada@example.com", "Mobile": "+447700900123", "Telephone": null, "Address": {"Town": "Exeter", "Country": null}}"#,
        r#"{"Records": [{"CandidateId": 9001, "FirstName": "Ada", "Surname": "Example", "Email": "ada@example.com", "Mobile": "07700 900123"}], "CurrentPage": 1, "TotalPages": 1}"#,
        r#"{"VacancyId": 4101, "Title": "Support Worker", "VacancyStatus": {"Id": "3", "Description": "Live"}, "Company": {"Id": 12, "Url": "https://acme.eploy.net/api/companies/12"}}"#,
        r#"{"Values": [{"Id": "12", "Description": "Video Interview", "Reference": "", "ArchiveDate": null, "ParentId": null}]}"#,
        r#"{"Records": [{"ActionId": 88010, "StartDate": "2025-01-24T10:00:00Z", "ActionOutcome": {"Id": 12}, "ActionType": {"Id": 42}, "Vacancy": {"Id": 4101}, "Candidate": {"Id": 9001}}], "CurrentPage": 1, "TotalPages": 1}"#,
        r#"{"Id": 88010}"#,
        r#"[{"QuestionId": 276, "Title": "Score", "AnswerType": "Text", "Answer": null}]"#,
        r#"[{"QuestionId": "276", "Title": "Interview on", "AnswerType": "Date", "Answer": "2027-01-20T09:30:00Z"}, {"questionid": 277, "Answer": {"Id": 4, "Description": "Exeter"}}]"#,
        r#"{"Questions": [{"QuestionId": 276, "Answer": ["2027-01-20"]}]}"#,
    ],
    check: |input, choice| records(200, input, choice),
};

/// Answers to a request for a token.
pub const TOKENS: Target = Target {
    name: "eploy-tokens",
    samples: &[
        r#"{"access_token": " opaque-token-of-forty-characters", "token_type": "Bearer", "expires_in": 3599, "scope": "actions.insert,actions.read,applications.read"}"#,
        r#"{"access_token": "opaque-token", "expires_in": "600", "scope": null}"#,
        r#"{"error_message": "opaque-token of Ada Example was refused"}"#,
    ],
    check: tokens,
};

/// Refusals of every status.
pub const ERRORS: Target = Target {
    name: "eploy-errors",
    samples: &[
        r#"{"error_message": "No record could be found for the requested URI"}"#,
        r#"{"error": "invalid_client", "error_description": "Ada Example, ada@example.com, +447700900123"}"#,
        r#"{"Message": "Ada Example", "ModelState": {"Email": ["ada@example.com is not valid"]}}"#,
        "<!DOCTYPE html><html><title>Runtime Error</title><body>Ada Example ada@example.com</body></html>",
        "Your IP address 203.0.113.7 is not allowed",
    ],
    check: |input, choice| {
        const STATUSES: [u16; 18] = [
            100, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 409, 415, 422, 429, 500,
            503,
        ];
        let status = STATUSES[usize::try_from(choice >> 4).unwrap_or(0) % STATUSES.len()];
        records(status, input, choice)
    },
};

/// A client over an answer, in a dialect that the input chooses.
pub async fn client(outside: &Arc<Outside>, choice: u64) -> Result<Arc<dyn Eploy>, String> {
    let dialects = [
        json!({}),
        json!({"dates": "utc", "page_size": 3}),
        json!({"dates": "uk"}),
        json!({"read_candidate": "search", "read_application": "search", "history": "unreadable"}),
    ];
    let mut dialect = dialects[usize::try_from(choice).unwrap_or(0) % dialects.len()].clone();
    // Without it, no note is written at all.
    dialect["notes_path"] = json!("applications/{application}/notes");
    let opened = outside.eploy();
    let opened = opened.eploy(&tenant(&dialect)?, Purpose::WriteBack).await;
    opened.map_err(|error| error.to_string())
}

fn search(input: &[u8], choice: u64) -> Result<(), String> {
    let outside = Outside::new(200, input, false);
    let triggers: Vec<Trigger> =
        serde_json::from_value(json!([{"stage": "12", "statuses": ["34"]}]))
            .map_err(|error| error.to_string())?;
    let pages = block(async {
        let client = client(&outside, choice).await?;
        let changed = client.changed_applications(None, 1).await;
        let there = client.applications_at(&triggers, &Vacancies::All, 1).await;
        Ok::<_, String>([changed, there])
    })??;
    outside.strayed(BASE)?;
    pages.into_iter().try_for_each(|page| match page {
        Ok(page) => loses_nothing(&page, input),
        Err(error) => fair(&error, 200, false),
    })
}

/// Every record of the page was read or set aside.
fn loses_nothing(page: &ApplicationPage, input: &[u8]) -> Result<(), String> {
    all_read(page.rows.len() + page.set_aside.len(), input)?;
    for row in &page.rows {
        for id in [
            row.id.as_str(),
            row.candidate.as_str(),
            row.vacancy.as_str(),
        ] {
            is_id(id)?;
        }
        of_ids(&row.position)?;
    }
    for aside in &page.set_aside {
        silent(&aside.reason)?;
        aside.id.as_deref().map_or(Ok(()), is_id)?;
    }
    Ok(())
}

/// Every record of the page was read or set aside: so many were.
pub fn all_read(read: usize, input: &[u8]) -> Result<(), String> {
    match records_in(input) {
        there if there == read => Ok(()),
        there => Err(format!(
            "{there} records were sent, {read} were read or set aside"
        )),
    }
}

/// How many records a page has, by itself. What is broken in it is repaired as every answer is.
fn records_in(input: &[u8]) -> usize {
    match stagecall_http::read_json(input) {
        Ok(Some(Value::Array(records))) => records.len(),
        Ok(Some(Value::Object(frame))) => {
            let named = |exact: bool| {
                frame.iter().find(|(name, _)| {
                    *name == "Records" || !exact && name.eq_ignore_ascii_case("records")
                })
            };
            let records = named(true).or_else(|| named(false));
            records
                .and_then(|(_, records)| records.as_array())
                .map_or(0, Vec::len)
        }
        _ => 0,
    }
}

/// Ids go into paths.
pub fn is_id(id: &str) -> Result<(), String> {
    let plain = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain && (1..=64).contains(&id.len()) {
        Ok(())
    } else {
        Err(format!("an id is {id:?}"))
    }
}

fn of_ids(position: &Position) -> Result<(), String> {
    position
        .stage
        .as_ref()
        .map_or(Ok(()), |id| is_id(id.as_str()))?;
    position
        .status
        .as_ref()
        .map_or(Ok(()), |id| is_id(id.as_str()))
}

fn history(input: &[u8], choice: u64) -> Result<(), String> {
    let outside = Outside::new(200, input, false);
    let (stage_info, position) = block(async {
        let client = client(&outside, choice).await?;
        let application = "70215".into();
        let stage_info = client.stage_info(&application).await;
        Ok::<_, String>((stage_info, client.position(&application).await))
    })??;
    outside.strayed(BASE)?;
    match position {
        Ok(position) => position.as_ref().map_or(Ok(()), of_ids)?,
        Err(error) => fair(&error, 200, false)?,
    }
    match stage_info {
        Err(error) => fair(&error, 200, false),
        Ok(StageInfo::Gone) => Ok(()),
        Ok(StageInfo::Position(position)) => of_ids(&position),
        Ok(StageInfo::History(rows)) => {
            if rows.is_empty() {
                return Err("a history without a row says where nobody stands".to_owned());
            }
            // Where a date is missing, the ids tell.
            let dated = rows.iter().all(|row| row.at.is_some());
            if dated && rows.windows(2).any(|pair| pair[0].at > pair[1].at) {
                return Err("the history is not in order".to_owned());
            }
            if let Some(twice) =
                (1..rows.len()).find(|n| rows[..*n].iter().any(|row| row.id == rows[*n].id))
            {
                return Err(format!("row {twice} is there twice"));
            }
            rows.iter().try_for_each(|row| {
                is_id(row.id.as_str())?;
                of_ids(&row.position)
            })
        }
    }
}

fn records(status: u16, input: &[u8], choice: u64) -> Result<(), String> {
    let outside = Outside::new(status, input, false);
    let update = ActionUpdate {
        outcome: Some("12".into()),
        ..ActionUpdate::default()
    };
    let (candidate, vacancy) = (CandidateId::from("9001"), VacancyId::from("4101"));
    let started_at = "2025-01-24T10:00:00Z".parse().map_err(|_| "no time")?;
    block(async {
        let client = client(&outside, choice).await?;
        let failed = |wrote: bool, error| fair(&error, status, wrote);
        match client.candidate(&candidate).await {
            Ok(person) => silent(&format!("{person:?}"))?,
            Err(error) => failed(false, error)?,
        }
        match client.vacancy(&vacancy).await {
            Ok(vacancy) => vacancy.company.map_or(Ok(()), |id| is_id(id.as_str()))?,
            Err(error) => failed(false, error)?,
        }
        client
            .directory()
            .await
            .map(drop)
            .or_else(|error| failed(false, error))?;
        let look_up = ActionLookUp {
            candidate: candidate.clone(),
            vacancy: vacancy.clone(),
            action_type: "42".into(),
            started_at,
        };
        match client.find_action(&look_up).await {
            Ok(found) => found.map_or(Ok(()), |id| is_id(id.as_str()))?,
            Err(error) => failed(false, error)?,
        }
        let new = NewAction {
            candidate: candidate.clone(),
            vacancy: vacancy.clone(),
            company: None,
            action_type: "42".into(),
            started_at,
            content: update.clone(),
        };
        match client.create_action(&new).await {
            Ok(id) => is_id(id.as_str())?,
            Err(error) => failed(true, error)?,
        }
        let updated = client.update_action(&"88010".into(), &update).await;
        match updated {
            Ok(()) if !(200..300).contains(&status) => {
                return Err(format!("{status} is taken for a success"));
            }
            Ok(()) => {}
            Err(error) => failed(true, error)?,
        }
        let application = ApplicationId::from("70215");
        for of in [
            QuestionsOf::Application(application.clone()),
            QuestionsOf::Vacancy(vacancy.clone()),
        ] {
            // What it says is the recruiter's, and no error of ours.
            let answer = client.answer(&of, &"276".into()).await;
            answer.map(drop).or_else(|error| failed(false, error))?;
        }
        let answers = [("276".into(), Answer::Text("70".to_owned()))].into();
        for written in [
            client.answer_questions(&application, &answers).await,
            client.add_note(&application, "Invited.").await,
            client
                .move_application(&application, &"13".into(), Some(&"35".into()))
                .await,
            client.mark_exported(&application, &"7".into()).await,
        ] {
            match written {
                Ok(()) if !(200..300).contains(&status) => {
                    return Err(format!("{status} is taken for a success"));
                }
                Ok(()) => {}
                Err(error) => failed(true, error)?,
            }
        }
        Ok(())
    })??;
    outside.strayed(BASE)
}

fn tokens(input: &[u8], choice: u64) -> Result<(), String> {
    let status = [200, 200, 200, 400, 401, 403, 500][usize::try_from(choice >> 4).unwrap_or(0) % 7];
    let outside = Outside::new(status, input, true);
    let searched = block(async {
        let client = client(&outside, choice).await?;
        Ok::<_, String>(client.changed_applications(None, 1).await)
    })??;
    outside.strayed(BASE)?;
    match searched {
        Ok(_) if status != 200 => Err("a call was made without a token".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => fair(&error, status, false),
    }
}
