//! Finding out how a tenant's Eploy behaves where that is undocumented, and saving it as the tenant's dialect.

use async_trait::async_trait;
use serde::Serialize;
use stagecall_core::tenant::{Settings, Tenant};
use stagecall_eploy::{Certainty, Probed, Writing};

use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::installation::Installation;

/// Which experiments to make, and what becomes of their findings.
#[derive(Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// What the experiments that write may use; without it, nothing is written.
    pub writing: Option<Writing>,
    /// Whether the findings are saved as the dialect.
    pub save: bool,
}

/// Experiments on a tenant's Eploy, which are prepared and not made yet.
#[derive(Debug)]
pub struct Probe {
    tenant: Tenant,
    writing: Option<Writing>,
    save: bool,
}

/// What the experiments found.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// The experiments.
    #[serde(flatten)]
    pub probed: Probed,
    /// The dialect with everything that was found.
    pub dialect: Settings,
    /// Whether the dialect differs from the one before.
    #[serde(skip)]
    pub changed: bool,
    /// Whether a changed dialect was saved.
    pub kept: bool,
}

impl Findings {
    /// The names of the experiments that settled nothing.
    pub fn open(&self) -> Vec<&str> {
        let all = self.probed.experiments.iter();
        all.filter(|one| one.certainty == Certainty::Open)
            .map(|one| one.name.as_str())
            .collect()
    }
}

/// Prepares experiments on a tenant's Eploy.
///
/// # Errors
/// There is no such tenant, or the store fails.
pub async fn prepare(on: &Installation, question: Question) -> Result<Probe> {
    Ok(Probe {
        tenant: on.tenant(&question.tenant).await?,
        writing: question.writing,
        save: question.save,
    })
}

impl Probe {
    /// Whether something is written to Eploy.
    pub fn writes(&self) -> bool {
        self.writing.is_some()
    }
}

#[async_trait]
impl Change for Probe {
    type Done = Findings;

    fn in_words(&self) -> String {
        let Some(writing) = &self.writing else {
            return format!("Nothing is written to the Eploy of {}.", self.tenant.id);
        };
        let mut will = vec!["write a note".to_owned()];
        if let Some(action_type) = &writing.action_type {
            will.push(format!(
                "create an action of type {action_type} and change it"
            ));
        }
        if let Some((stage, _)) = &writing.move_to {
            will.push(format!("move it to stage {stage} and back"));
        }
        format!(
            "On application {} this will {}. Eploy may send e-mails and run automatic transitions that are configured for these changes. What is written is not removed.",
            writing.application,
            will.join(", ")
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Findings> {
        let mut tenant = self.tenant;
        let inspector = on.eploy().inspector(&tenant)?;
        let probed = inspector.probe(self.writing.as_ref()).await?;
        let dialect = probed.dialect(&tenant.eploy.dialect);
        let changed = dialect != tenant.eploy.dialect;
        let kept = changed && self.save;
        if kept {
            tenant.eploy.dialect.clone_from(&dialect);
            let problems = stagecall_eploy::validate(&tenant.eploy);
            if !problems.is_empty() {
                return Err(Error::Conflict(problems.join("; ")));
            }
            on.records.put_tenant(&tenant).await?;
            actor
                .record(on, "probe", Some(&tenant.id), "dialect")
                .await?;
        }
        Ok(Findings {
            probed,
            dialect,
            changed,
            kept,
        })
    }
}
