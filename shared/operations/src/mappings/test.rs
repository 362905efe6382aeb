//! What a mapping would do and write for an application, by what the next poll would decide. Nothing is written.

use std::collections::BTreeMap;

use serde::Serialize;
use stagecall_core::ids::{ApplicationId, InvitationKey, QuestionId, Reference, StageId, StatusId};
use stagecall_core::invitation::{Entry, Invitation, State};
use stagecall_core::ports::{Answer, PlatformConnections as _};
use stagecall_core::report::{Missing, Moment, answers, compose, text_problems};
use stagecall_core::result::{AssessmentResult, Comment, Score, Status};
use stagecall_core::tenant::{Mapping, Tenant};

use super::show::find;
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::plan::{Decided, OfApplication, Would, of_application};

/// What a mapping would do for an application.
#[derive(Debug, Serialize)]
pub struct Tested {
    /// The application.
    pub application: ApplicationId,
    /// Its stage.
    pub stage: Option<StageId>,
    /// Its status.
    pub status: Option<StatusId>,
    /// Whether that is a trigger of the mapping.
    pub triggered: bool,
    /// What the next poll that sees it would do, and why, in words.
    pub would: String,
    /// What Eploy would show of a sample result.
    pub preview: Preview,
    /// What is wrong with the mapping's texts; the default is used in place of a wrong one.
    pub text_problems: Vec<String>,
    /// The mapping.
    #[serde(skip)]
    pub mapping: Mapping,
}

/// What Eploy would show of a result.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The comments of the action.
    pub comments_html: String,
    /// The note.
    pub note: String,
    /// The link.
    pub link: Option<String>,
    /// The answers to custom questions.
    pub answers: BTreeMap<QuestionId, Answer>,
}

/// Tests a mapping on an application.
///
/// # Errors
/// There is no such tenant, mapping or application, or Eploy or the store fails.
pub async fn test(
    on: &Installation,
    tenant: &str,
    mapping: &str,
    application: ApplicationId,
) -> Result<Tested> {
    let tenant = on.tenant(tenant).await?;
    let mapping = find(&tenant, mapping)?;
    let Some(found) = of_application(on, &tenant, &application).await? else {
        return Err(Error::NotFound(format!(
            "Eploy has no application {application}"
        )));
    };
    let position = &found.row.position;
    let triggered = mapping.triggered_by(position);
    Ok(Tested {
        stage: position.stage.clone(),
        status: position.status.clone(),
        triggered,
        would: would(mapping, &found),
        preview: preview(on, &tenant, mapping, application.clone()),
        text_problems: text_problems(&mapping.report.texts),
        mapping: mapping.clone(),
        application,
    })
}

/// What the poll would do for this mapping.
fn would(mapping: &Mapping, found: &OfApplication) -> String {
    let position = &found.row.position;
    let stage = position.stage.as_ref().map_or("none", StageId::as_str);
    let status = position.status.as_ref().map_or("none", StatusId::as_str);
    let of_mapping = |one: &&Decided| one.mapping.as_ref() == Some(&mapping.id);
    let what = match found.decisions.iter().find(of_mapping) {
        None => format!(
            "It would not be invited: its vacancy or stage is not one of {}'s",
            mapping.id
        ),
        Some(decided) if decided.decision == Would::Invite => format!(
            "It would be invited to {}: {}",
            mapping.assessment, decided.because
        ),
        Some(decided) => format!("It would not be invited: {}", decided.because),
    };
    format!("{what}. It is at stage {stage}, status {status}")
}

/// What Eploy would show once the candidate has finished. Nothing of it is saved.
fn preview(
    on: &Installation,
    tenant: &Tenant,
    mapping: &Mapping,
    application: ApplicationId,
) -> Preview {
    let now = on.clock.now();
    let key = InvitationKey {
        tenant: tenant.id.clone(),
        application,
        mapping: mapping.id.clone(),
        round: 1,
    };
    let assessment = mapping.assessment.clone();
    let entry = Entry::seen(now);
    let mut row = Invitation::detected(key, "preview".into(), "preview".into(), assessment, entry);
    row.state = State::Completed;
    row.invited_at = Some(now);
    row.ended_at = Some(now);
    // Every part that a text can show.
    let result = AssessmentResult {
        assessment: Some(mapping.assessment.assessment.clone()),
        started_at: Some(now),
        completed_at: Some(now),
        score: Some(Score::of(8.0, Some(10.0))),
        comments: vec![Comment {
            by: Some("Robin Example".to_owned()),
            text: "Clear answers.".to_owned(),
        }],
        report_link: Some("https://platform.example/result".to_owned()),
        ..AssessmentResult::bare(Reference::new("completed"), Status::Completed)
    };
    let platform = on.platforms().title(tenant, &mapping.assessment.account);
    let written = compose(
        &platform,
        mapping,
        &row,
        Moment::Completed,
        Some(&result),
        &Missing::default(),
    );
    Preview {
        answers: answers(mapping, &written).into_iter().collect(),
        comments_html: written.comments_html,
        note: written.note,
        link: written.link,
    }
}
