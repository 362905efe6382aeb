//! Checks of a whole installation: what is wrong, why, and how to fix it.

mod callback_address;
mod feed;
mod installation;
#[cfg(test)]
mod problems;
pub mod saved_state;
pub mod sweeps;
mod tenant;

use url::Url;

use crate::actor::Actor;
use crate::allowance;
use crate::connect::checks;
use crate::error::Result;
use crate::finding::Finding;
use crate::installation::Installation;

const INSTALLATION: &str = "Installation";

/// What to check beside the installation and what is saved of its tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The tenants whose connections to check.
    pub tenants: Vec<String>,
    /// Whether to check the connections of all tenants, which costs some Eploy calls for each.
    pub connections: bool,
    /// The address that platforms call, if not the installation's own.
    pub public_url: Option<Url>,
}

/// Checks everything in this scope.
///
/// # Errors
/// A tenant of the scope does not exist. What fails in a check is a finding.
pub async fn check(on: &Installation, scope: &Scope, actor: &Actor) -> Result<Vec<Finding>> {
    for name in &scope.tenants {
        on.tenant(name).await?;
    }
    let mut findings = vec![Finding::ok(
        INSTALLATION,
        "version",
        concat!("stagecall ", env!("CARGO_PKG_VERSION")),
    )];
    let tenants = installation::store(on, actor, &mut findings).await;
    installation::due(on, &mut findings).await;
    installation::dead_letters(on, &mut findings).await;
    findings.push(callback_address::check(on, scope.public_url.as_ref()).await);
    for one in &tenants {
        let of = format!("Tenant {}", one.id);
        findings.extend(tenant::findings(on, one, &of).await);
        let named = || scope.tenants.iter().any(|name| name == one.id.as_str());
        if scope.connections || named() {
            let of_tenant = |mut finding: Finding| {
                finding.of = format!("{of}, {}", finding.of);
                finding
            };
            let found = checks::connections(on, one).await;
            findings.extend(found.into_iter().map(of_tenant));
        } else if let Ok(inspector) = on.eploy().inspector(one) {
            findings.push(allowance::check(&inspector, one, &of, &on.zone).await);
        }
    }
    Ok(findings)
}
