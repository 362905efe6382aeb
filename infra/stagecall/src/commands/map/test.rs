//! `stagecall map test`.

use clap::Args;
use stagecall_core::ids::ApplicationId;
use stagecall_core::ports::Answer;
use stagecall_core::report::Moment;
use stagecall_operations::Installation;
use stagecall_operations::mappings::test::test;

use crate::exit;
use crate::output::{Output, print_json};

/// Show what a mapping would do and write for an application, without writing anything.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall map test acme first-interview --application 70001")]
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
    let application = ApplicationId::new(arguments.application);
    let tested = test(on, &arguments.tenant, &arguments.mapping, application).await?;
    if arguments.output.json {
        print_json(&tested)?;
        return Ok(exit::OK);
    }
    let report = &tested.mapping.report;
    println!("{}\n", tested.would);
    println!("With a sample result (score 8 of 10), Eploy would get:");
    if let Some(action) = &report.action {
        let outcome = action.outcomes.get(&Moment::Completed);
        println!(
            "  action of type {}, outcome {}",
            action.action_type,
            outcome.map_or("unchanged", |outcome| outcome.as_str())
        );
        print(&tested.preview.comments_html);
    }
    if report.notes_at.contains(&Moment::Completed) {
        println!("  a note");
        print(&tested.preview.note);
    }
    for (question, answer) in &tested.preview.answers {
        println!("  question {question}: {}", answer_text(answer));
    }
    for one in report
        .moves
        .iter()
        .filter(|one| one.on == Moment::Completed)
    {
        println!("  a move to stage {}", one.stage);
    }
    for problem in &tested.text_problems {
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
