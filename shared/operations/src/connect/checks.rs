//! The checks of a tenant's connections.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use stagecall_core::ids::AccountId;
use stagecall_core::ports::{Assessment, PlatformConnections as _};
use stagecall_core::tenant::{MappingKind, PlatformConnection, Tenant};
use stagecall_eploy::{Level, Need, Problem, needed, validate};

use crate::allowance;
use crate::finding::{Finding, any_problem};
use crate::installation::Installation;

/// The accepted difference between clocks.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

const EPLOY: &str = "Eploy";

/// Checks the connection to a tenant's Eploy, up to the first failure that makes later checks impossible.
pub async fn eploy(on: &Installation, tenant: &Tenant) -> Vec<Finding> {
    let problems = validate(&tenant.eploy);
    if !problems.is_empty() {
        let wrong = |problem: &String| {
            let kind = Problem::Configuration;
            Finding::problem(EPLOY, "address", kind.code(), problem, kind.remedy())
        };
        return problems.iter().map(wrong).collect();
    }
    let mut found = vec![Finding::ok(
        EPLOY,
        "address",
        tenant.eploy.base_url.as_str(),
    )];
    let inspector = match on.eploy().inspector(tenant) {
        Ok(inspector) => inspector,
        Err(error) => {
            found.push(Finding::refused(EPLOY, "address", &error));
            return found;
        }
    };
    let granted = match inspector.granted_scopes().await {
        Ok(granted) => granted,
        Err(error) => {
            found.push(Finding::refused(EPLOY, "token", &error));
            if Problem::IpForbidden.is(&error) {
                found.push(Finding::note(EPLOY, "our address", OUR_ADDRESS));
            }
            return found;
        }
    };
    found.push(Finding::ok(EPLOY, "token", "issued"));
    let needs = needed(tenant);
    let missing = |need: &&Need| {
        granted
            .as_ref()
            .is_some_and(|granted| !granted.contains(&need.permission.scope()))
    };
    let lacking: Vec<&Need> = needs.iter().filter(missing).collect();
    found.extend(lacking.iter().map(|need| missing_permission(need)));
    match &granted {
        None => found.push(Finding::note(
            EPLOY,
            "permissions",
            "this Eploy does not list the key's permissions; the reads below test them",
        )),
        Some(_) if lacking.is_empty() => found.push(Finding::ok(
            EPLOY,
            "permissions",
            format!("all {} required are granted", needs.len()),
        )),
        Some(_) => {}
    }
    let mut ahead = None;
    for need in &needs {
        if need.permission.level != Level::View || lacking.contains(&need) {
            continue;
        }
        match inspector.read(need.permission).await {
            Ok(clock) => {
                found.push(Finding::ok(
                    EPLOY,
                    "reading",
                    format!("{} can be read", need.permission.area),
                ));
                ahead = clock.or(ahead);
            }
            Err(error) => found.push(Finding::refused(EPLOY, "reading", &error)),
        }
    }
    found.extend(ahead.map(clock));
    found.push(allowance::check(&inspector, tenant, EPLOY, &on.zone).await);
    found
}

/// How to find the address that Eploy sees: no known API of Eploy returns it.
const OUR_ADDRESS: &str = "Eploy does not show which address it sees. It is this machine's public address (curl https://checkip.amazonaws.com), or on AWS the elastic IP of the NAT gateway of the functions";

/// A permission that the key lacks, named as on Eploy's screen.
fn missing_permission(need: &Need) -> Finding {
    let permission = need.permission;
    Finding::problem(
        EPLOY,
        "permissions",
        Problem::Permission.code(),
        format!("{permission} is missing; it is needed {}", need.why),
        format!(
            "Under Admin > Security Settings > API Keys, open the key and tick {:?} for {} under its API Permissions; the Role and Admin Modules of its Run As User must allow the same",
            permission.level, permission.area
        ),
    )
}

/// Eploy's clock against ours.
fn clock(ahead: SignedDuration) -> Finding {
    if ahead.abs() <= MAX_CLOCK_SKEW {
        return Finding::ok(EPLOY, "clock", "agrees with Eploy's");
    }
    let how = if ahead.is_negative() {
        "ahead of"
    } else {
        "behind"
    };
    Finding::problem(
        EPLOY,
        "clock",
        "stagecall.clock",
        format!(
            "this machine's clock is {} s {how} Eploy's",
            ahead.abs().as_secs()
        ),
        "Synchronise this machine's clock by NTP",
    )
}

/// Checks a platform account. Also returns its assessments.
pub async fn platform(
    on: &Installation,
    tenant: &Tenant,
    account: &AccountId,
) -> (Vec<Finding>, Vec<Assessment>) {
    let of = tenant.platforms.get(account).map_or_else(
        || account.to_string(),
        |connection| title(account, connection),
    );
    let platforms = on.platforms();
    let platform = match platforms.platform(tenant, account).await {
        Ok(platform) => platform,
        Err(error) => return (vec![Finding::refused(&of, "account", &error)], Vec::new()),
    };
    match platform.assessments().await {
        Err(error) => (vec![Finding::refused(&of, "key", &error)], Vec::new()),
        Ok(assessments) => {
            let mut found = vec![Finding::ok(&of, "key", "accepted")];
            found.push(match assessments.len() {
                0 => Finding::note(
                    &of,
                    "assessments",
                    "there are none that this key's user can see: create one, or use the key of a user who sees all",
                ),
                count => Finding::ok(&of, "assessments", format!("{count} to invite to")),
            });
            if !platform.capabilities().callbacks {
                found.push(Finding::note(
                    &of,
                    "callbacks",
                    "this platform has no callbacks; its lists are read instead",
                ));
            }
            (found, assessments)
        }
    }
}

/// "Willo", or "Willo, account uk" if the account has its own name.
fn title(account: &AccountId, connection: &PlatformConnection) -> String {
    let title = stagecall_platforms::kind(&connection.kind)
        .map_or(connection.kind.as_str(), |kind| kind.title);
    if account.as_str() == connection.kind {
        title.to_owned()
    } else {
        format!("{title}, account {account}")
    }
}

/// Checks all connections of a tenant.
pub async fn connections(on: &Installation, tenant: &Tenant) -> Vec<Finding> {
    let mut found = eploy(on, tenant).await;
    let mut seen = BTreeMap::new();
    for account in tenant.platforms.keys() {
        let (findings, assessments) = platform(on, tenant, account).await;
        if !any_problem(&findings) {
            seen.insert(account.clone(), assessments);
        }
        found.extend(findings);
    }
    for mapping in &tenant.mappings {
        // Live interviews and pools are not in the list of assessments.
        if mapping.kind != MappingKind::Invitation {
            continue;
        }
        let of = &mapping.assessment;
        if let Some(assessments) = seen.get(&of.account)
            && !assessments.iter().any(|one| one.id == of.assessment)
        {
            found.push(Finding::problem(
                &format!("mapping {}", mapping.id),
                "assessment",
                "stagecall.assessment_gone",
                format!(
                    "{} no longer has the assessment {}",
                    of.account, of.assessment
                ),
                format!(
                    "Replace the mapping: stagecall map remove {} {}, then stagecall map add {}",
                    tenant.id, mapping.id, tenant.id
                ),
            ));
        }
    }
    found
}
