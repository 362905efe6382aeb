//! Current lists of a tenant's systems, to choose from.

use serde::Serialize;
use stagecall_core::ids::{AccountId, ApplicationId, AssessmentId, QuestionId, VacancyId};
use stagecall_core::ports::{AssessmentKind, NamedId, PlatformConnections as _};
use stagecall_eploy::{List, Listing, Origin};

use crate::error::{Error, Result};
use crate::installation::Installation;

/// A vacancy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VacancyLine {
    /// Its id.
    pub id: VacancyId,
    /// Its title.
    pub title: String,
    /// Its status by name, if Eploy names it.
    pub status: Option<String>,
}

/// Options of Eploy, such as its stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Options {
    /// The options.
    pub options: Vec<OptionLine>,
    /// Whether these are all.
    pub complete: bool,
    /// Why there may be more, and how to find them.
    #[serde(skip)]
    pub note: Option<String>,
}

/// An option of Eploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionLine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it can no longer be chosen.
    pub archived: bool,
}

/// An assessment that candidates can be invited to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssessmentLine {
    /// The platform account.
    pub account: AccountId,
    /// Its id there.
    pub id: AssessmentId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: AssessmentKind,
}

/// A custom question of applications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuestionLine {
    /// Its id.
    pub id: QuestionId,
    /// Its title.
    pub title: String,
    /// The type of its answers, in Eploy's words.
    pub answer_type: String,
}

/// The vacancies of a tenant's Eploy.
///
/// # Errors
/// There is no such tenant, or Eploy or the store fails.
pub async fn vacancies(on: &Installation, tenant: &str) -> Result<Vec<VacancyLine>> {
    let tenant = on.tenant(tenant).await?;
    let rows = on.eploy().inspector(&tenant)?.vacancies().await?;
    let line = |row: stagecall_eploy::VacancyRow| VacancyLine {
        id: row.id,
        title: row.title,
        status: row.status,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// The options of a list of a tenant's Eploy.
///
/// # Errors
/// There is no such tenant, or Eploy or the store fails.
pub async fn options(on: &Installation, tenant: &str, list: List) -> Result<Options> {
    let tenant = on.tenant(tenant).await?;
    let listing = on.eploy().inspector(&tenant)?.list(list).await?;
    let note = incomplete(&listing, tenant.id.as_str());
    let line = |option: NamedId| OptionLine {
        id: option.id,
        name: option.name,
        archived: option.archived,
    };
    Ok(Options {
        options: listing.options.into_iter().map(line).collect(),
        complete: note.is_none(),
        note,
    })
}

/// Why a list may be incomplete.
fn incomplete(listing: &Listing, tenant: &str) -> Option<String> {
    match listing.origin {
        Origin::List(_) => None,
        Origin::Applications(count) => Some(format!(
            "These were found on the first {count} applications; there may be more. To find the complete list: stagecall probe {tenant}"
        )),
        Origin::Nowhere => Some(format!(
            "The path of this list in this Eploy is not known. To find it: stagecall probe {tenant}. Or use the ids from Eploy's admin screens."
        )),
    }
}

/// The assessments of all of a tenant's platform accounts.
///
/// # Errors
/// There is no such tenant, or a platform or the store fails.
pub async fn assessments(on: &Installation, tenant: &str) -> Result<Vec<AssessmentLine>> {
    let tenant = on.tenant(tenant).await?;
    let platforms = on.platforms();
    let mut all = Vec::new();
    for account in tenant.platforms.keys() {
        let platform = platforms.platform(&tenant, account).await?;
        for one in platform.assessments().await? {
            all.push(AssessmentLine {
                account: account.clone(),
                id: one.id,
                name: one.name,
                kind: one.kind,
            });
        }
    }
    Ok(all)
}

/// The custom questions of an application; without one, of one of the first.
///
/// # Errors
/// There is no such tenant or no application yet, or Eploy or the store fails.
pub async fn questions(
    on: &Installation,
    tenant: &str,
    application: Option<ApplicationId>,
) -> Result<Vec<QuestionLine>> {
    let tenant = on.tenant(tenant).await?;
    let inspector = on.eploy().inspector(&tenant)?;
    let application = match application {
        Some(id) => Some(id),
        None => inspector.some_application().await?,
    };
    let Some(application) = application else {
        return Err(Error::NotFound(
            "there is no application yet to list questions of".to_owned(),
        ));
    };
    let questions = inspector.questions(&application).await?;
    let line = |one: stagecall_eploy::Question| QuestionLine {
        id: one.id,
        title: one.title,
        answer_type: one.answer_type,
    };
    Ok(questions.into_iter().map(line).collect())
}
