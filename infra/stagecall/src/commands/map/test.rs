//! `stagecall map test`: what a mapping would do and write for a real application, without writing anything.

use clap::Args;
use serde_json::json;
use stagecall_core::ids::{ApplicationId, InvitationKey, Reference};
use stagecall_core::invitation::{Entry, Invitation, State};
use stagecall_core::ports::{
    Answer, EployConnections as _, PlatformConnections as _, Purpose, StageInfo,
};
use stagecall_core::report::{Missing, Moment, answers, compose, text_problems};
use stagecall_core::result::{AssessmentResult, Comment, Score, Status};
use stagecall_core::tenant::{Mapping, Position, Tenant};

use super::show::{find, word};
use crate::exit;
use crate::output::{Output, print_json};
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The mapping.
    mapping: String,
    /// The application's id.
    #[arg(long, value_name = "ID")]
    application: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let mapping = find(&tenant, &arguments.mapping)?;
    let id = ApplicationId::new(arguments.application.as_str());
    let eploy = on.eploy().eploy(&tenant, Purpose::Invite).await?;
    let position = match eploy.stage_info(&id).await? {
        StageInfo::Gone => {
            return Err(exit::not_found(format!("Eploy has no application {id}")));
        }
        StageInfo::Position(position) => position,
        StageInfo::History(rows) => rows
            .last()
            .map(|row| row.position.clone())
            .unwrap_or_default(),
    };
    let would = would(mapping, &position);
    let row = preview(on, &tenant, mapping, id);
    let result = sample(on, &row);
    let platform = on.platforms().title(&tenant, &mapping.assessment.account);
    let written = compose(
        &platform,
        mapping,
        &row,
        Moment::Completed,
        Some(&result),
        &Missing::default(),
    );
    let answered = answers(mapping, &written);
    let problems = text_problems(&mapping.report.texts);
    if arguments.output.json {
        print_json(&json!({
            "application": arguments.application, "stage": position.stage, "status": position.status,
            "triggered": mapping.triggered_by(&position), "would": would,
            "preview": {"comments_html": written.comments_html, "note": written.note, "link": written.link, "answers": answered},
            "text_problems": problems,
        }))?;
        return Ok(exit::OK);
    }
    println!("{would}\n");
    println!("With a sample result (score 8 of 10), Eploy would get:");
    if let Some(action) = &mapping.report.action {
        let outcome = action.outcomes.get(&Moment::Completed);
        println!(
            "  action of type {}, outcome {}",
            action.action_type,
            outcome.map_or("unchanged", |outcome| outcome.as_str())
        );
        print(&written.comments_html);
    }
    if mapping.report.notes_at.contains(&Moment::Completed) {
        println!("  a note");
        print(&written.note);
    }
    for (question, answer) in answered {
        println!("  question {question}: {}", answer_text(&answer));
    }
    for one in mapping
        .report
        .moves
        .iter()
        .filter(|one| one.on == Moment::Completed)
    {
        println!("  a move to stage {}", one.stage);
    }
    for problem in problems {
        println!("  WRONG {problem}; the default text is used instead");
    }
    println!("\nNothing was written.");
    Ok(exit::OK)
}

fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Day(day) => day.to_string(),
        Answer::At(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Answer::Text(text) => text.clone(),
    }
}

fn print(text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        println!("    {line}");
    }
}

/// What would happen to the application if it entered the stage that it is at.
fn would(mapping: &Mapping, position: &Position) -> String {
    let at = |id: Option<&str>| id.unwrap_or("none").to_owned();
    let current = format!(
        "it is at stage {}, status {}",
        at(position
            .stage
            .as_ref()
            .map(stagecall_core::ids::StageId::as_str)),
        at(position
            .status
            .as_ref()
            .map(stagecall_core::ids::StatusId::as_str))
    );
    if !mapping.triggered_by(position) {
        return format!(
            "It would not be invited: {current}, which is not a trigger of {}",
            mapping.id
        );
    }
    let paused = if mapping.paused {
        " once the mapping is resumed"
    } else {
        ""
    };
    format!(
        "It would be invited to {1} {2}{paused}: {current}, which is a trigger of {0}",
        mapping.id, mapping.assessment.account, mapping.assessment.assessment
    )
}

/// An invitation as it would be once the candidate has finished. It is never saved.
fn preview(
    on: &Installation,
    tenant: &Tenant,
    mapping: &Mapping,
    application: ApplicationId,
) -> Invitation {
    let now = on.clock.now();
    let key = InvitationKey {
        tenant: tenant.id.clone(),
        application,
        mapping: mapping.id.clone(),
        round: 1,
    };
    let entry = Entry::seen(now);
    let mut row = Invitation::detected(
        key,
        "preview".into(),
        "preview".into(),
        mapping.assessment.clone(),
        entry,
    );
    row.state = State::Completed;
    row.invited_at = Some(now);
    row.ended_at = Some(now);
    row
}

/// A result with every part that a template can show.
fn sample(on: &Installation, row: &Invitation) -> AssessmentResult {
    let now = on.clock.now();
    AssessmentResult {
        assessment: Some(row.assessment.assessment.clone()),
        started_at: Some(now),
        completed_at: Some(now),
        score: Some(Score::of(8.0, Some(10.0))),
        comments: vec![Comment {
            by: Some("Robin Example".to_owned()),
            text: "Clear answers.".to_owned(),
        }],
        report_link: Some("https://platform.example/result".to_owned()),
        ..AssessmentResult::bare(Reference::new(word(&Moment::Completed)), Status::Completed)
    }
}
