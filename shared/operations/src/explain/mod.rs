//! Everything about an application: what happened, when and why, the ids to look up in each system, and what comes next.

mod next;
mod story;

use serde::Serialize;
use stagecall_core::announcement::{Announcement, Hire, HireKey};
use stagecall_core::ids::{ApplicationId, TenantId};
use stagecall_core::invitation::Invitation;

use crate::error::Result;
use crate::installation::Installation;
use crate::invitations::{self, of_application};

pub use self::story::Line;

/// The number of a tenant's latest hires that are searched for those of the application's placements.
const MAX_HIRES: usize = 10_000;

/// The application to explain.
#[derive(Clone, Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// The application's id in Eploy.
    pub application: ApplicationId,
    /// Whether not to ask Eploy, which costs a few calls.
    pub offline: bool,
}

/// Everything about an application.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The tenant.
    #[serde(skip)]
    pub tenant: TenantId,
    /// The application.
    #[serde(skip)]
    pub application: ApplicationId,
    /// Its invitations, by key.
    pub invitations: Vec<Invitation>,
    /// The announcements of its hire, or of its placements'.
    pub hires: Vec<Announcement>,
    /// What happened, in order.
    pub story: Vec<Line>,
    /// What applies now, and what comes next.
    pub now: Vec<String>,
}

/// Explains an application.
///
/// # Errors
/// There is no such tenant, or the store fails. That Eploy cannot be read is in the answer.
pub async fn explain(on: &Installation, question: &Question) -> Result<Explanation> {
    let tenant = on.known_tenant(&question.tenant).await?;
    let application = question.application.clone();
    let filter = of_application(&application, None);
    let mut found = invitations::all(on, &tenant, &filter).await?;
    found.sort_by(|a, b| a.key.cmp(&b.key));
    let hires = hires(on, &tenant, &application).await?;
    let story = story::tell(on, &tenant, &found, &hires).await?;
    let now = match on.tenants.tenant(&tenant).await? {
        Some(configured) => next::lines(on, &configured, question, &found).await?,
        None => vec![format!(
            "{tenant} is no longer configured: nothing is processed for it"
        )],
    };
    Ok(Explanation {
        tenant,
        application,
        invitations: found,
        hires,
        story,
        now,
    })
}

/// The announcements of an application's hire, or of its placements'.
async fn hires(
    on: &Installation,
    tenant: &TenantId,
    application: &ApplicationId,
) -> Result<Vec<Announcement>> {
    let key = HireKey {
        tenant: tenant.clone(),
        hire: Hire::Application(application.clone()),
    };
    let all = on.announcements.announcements(tenant, MAX_HIRES).await?;
    let by_placement = all
        .into_iter()
        .filter(|one| one.key != key && one.application.as_ref() == Some(application));
    // Loaded separately, because those of the baseline are not listed.
    let own = on.announcements.load_announcement(&key).await?;
    Ok(own.into_iter().chain(by_placement).collect())
}
