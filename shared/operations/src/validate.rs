//! What is wrong with a tenant.

use std::collections::BTreeSet;

use stagecall_core::report::text_problems;
use stagecall_core::tenant::{HiredWhen, Mapping, MappingKind, Tenant};
use url::Url;

/// All problems of a tenant, each beginning with its place in the tenant. http is allowed only in the sandbox.
pub fn problems(tenant: &Tenant, sandbox: bool) -> Vec<String> {
    let mut problems = Vec::new();
    name("id", tenant.id.as_str(), &mut problems);
    for problem in stagecall_eploy::validate(&tenant.eploy) {
        problems.push(format!("eploy.{problem}"));
    }
    https(
        "eploy.base_url",
        &tenant.eploy.base_url,
        sandbox,
        &mut problems,
    );
    for (account, connection) in &tenant.platforms {
        let place = format!("platforms.{account}");
        name(&place, account.as_str(), &mut problems);
        for problem in stagecall_platforms::validate(connection) {
            problems.push(format!("{place}.{problem}"));
        }
        if let Some(url) = &connection.base_url {
            https(&format!("{place}.base_url"), url, sandbox, &mut problems);
        }
    }
    let mut seen = BTreeSet::new();
    for (index, mapping) in tenant.mappings.iter().enumerate() {
        let place = format!("mappings[{index}]");
        name(&format!("{place}.id"), mapping.id.as_str(), &mut problems);
        if !seen.insert(&mapping.id) {
            problems.push(format!(
                "{place}.id is \"{}\", as is another's: it exists twice; give each its own",
                mapping.id
            ));
        }
        let found = mapping_problems(mapping, tenant);
        problems.extend(
            found
                .into_iter()
                .map(|problem| format!("{place}.{problem}")),
        );
    }
    hire_problems(tenant, sandbox, &mut problems);
    problems
}

fn mapping_problems(mapping: &Mapping, tenant: &Tenant) -> Vec<String> {
    let mut problems = Vec::new();
    match tenant.platforms.get(&mapping.assessment.account) {
        Some(connection) => {
            problems.extend(stagecall_platforms::validate_mapping(connection, mapping));
        }
        None => problems.push(format!(
            "assessment.account is \"{}\", which is not one of the tenant's platforms",
            mapping.assessment.account
        )),
    }
    let after = match &mapping.kind {
        MappingKind::Invitation => &[][..],
        MappingKind::Meeting(plan) => {
            let found = plan.problems();
            problems.extend(
                found
                    .iter()
                    .map(|problem| format!("kind.meeting.{problem}")),
            );
            &[]
        }
        MappingKind::Pool(plan) => &plan.after,
    };
    for (index, outcome) in after.iter().enumerate() {
        let other = tenant.mapping(&outcome.mapping);
        if other.is_none_or(|other| other.id == mapping.id) {
            problems.push(format!(
                "kind.pool.after[{index}].mapping: the pool {} takes candidates after {}, which is not another mapping",
                mapping.id, outcome.mapping
            ));
        }
    }
    match (mapping.triggers.is_empty(), after.is_empty()) {
        (true, true) => problems.push(
            "triggers is missing; give at least one stage: triggers = [{ stage = \"12\" }]"
                .to_owned(),
        ),
        (false, false) => problems.push(
            "triggers is given beside kind.pool.after; make two mappings, one with each".to_owned(),
        ),
        _ => {}
    }
    let texts = text_problems(&mapping.report.texts);
    problems.extend(texts.into_iter().map(|problem| format!("report.{problem}")));
    problems
}

fn hire_problems(tenant: &Tenant, sandbox: bool, problems: &mut Vec<String>) {
    let Some(plan) = &tenant.hires else {
        return;
    };
    let nothing = match &plan.when {
        HiredWhen::Stages(stages) => stages.is_empty(),
        HiredWhen::Placements(statuses) => statuses.is_empty(),
    };
    if nothing {
        problems.push("hires.when does not define a hire; give at least one".to_owned());
    }
    let Some(endpoint) = &plan.endpoint else {
        return;
    };
    // Only the host of the address: the rest might hold a password, or a token in its path.
    let place = format!(
        "hires.endpoint.url (at {})",
        endpoint.url.host_str().unwrap_or("?")
    );
    if endpoint.url.scheme() != "https" && !sandbox {
        problems.push(format!("{place}: use an https address"));
    }
    if !endpoint.url.username().is_empty() || endpoint.url.password().is_some() {
        problems.push(format!(
            "{place} holds a user name or password; webhooks are signed instead"
        ));
    }
}

fn name(place: &str, name: &str, problems: &mut Vec<String>) {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
    if name.is_empty() || !name.chars().all(plain) {
        problems.push(format!(
            "{place}: the name \"{name}\" may have only letters, digits, - and _"
        ));
    }
}

fn https(place: &str, url: &Url, sandbox: bool, problems: &mut Vec<String>) {
    if url.scheme() != "https" && !sandbox {
        problems.push(format!("{place} is {url}; use an https address"));
    }
}
