//! The `[tenants.….hires]` table.

use std::collections::BTreeSet;
use std::path::Path;

use stagecall_core::ids::PlacementStatusId;
use stagecall_core::tenant::{HirePlan, HiredWhen, HrmsEndpoint, PersonalField};
use stagecall_embedded::SigningSources;
use toml::Table;
use url::Url;

use super::mapping::trigger_by_id;
use super::section::Section;
use super::tenant::{may_be_secret, secret};

/// Reads the plan for hires, and where its signing secrets are.
pub(crate) fn read(
    table: &Table,
    path: &str,
    beside: &Path,
    sandbox: bool,
    problems: &mut Vec<String>,
) -> Option<(HirePlan, Option<SigningSources>)> {
    let mut section = Section::new(table, path);
    let stages: Vec<_> = section
        .tables("stages", problems)
        .into_iter()
        .enumerate()
        .filter_map(|(index, table)| {
            trigger_by_id(table, &format!("{path}.stages[{index}]"), problems)
        })
        .collect();
    let statuses: BTreeSet<PlacementStatusId> = section
        .optional(
            "placement_statuses",
            "a list of placement status ids such as [\"4\", \"6\"]",
            problems,
        )
        .unwrap_or_default();
    let when = match (stages.is_empty(), statuses.is_empty()) {
        (false, true) => Some(HiredWhen::Stages(stages)),
        (true, false) => Some(HiredWhen::Placements(statuses)),
        (true, true) => {
            problems.push(format!(
                "{path} does not define a hire; give stages = [{{ stage = \"15\" }}] or placement_statuses = [\"4\"]"
            ));
            None
        }
        (false, false) => {
            problems.push(format!(
                "{path}: stages and placement_statuses would announce a hire twice; give one of them"
            ));
            None
        }
    };
    let endpoint = section.table("endpoint", problems).map(|table| {
        endpoint(
            table,
            &format!("{path}.endpoint"),
            beside,
            sandbox,
            problems,
        )
    });
    section.finish(problems);
    let when = when?;
    Some(match endpoint {
        Some(endpoint) => {
            let (endpoint, sources) = endpoint?;
            let plan = HirePlan {
                when,
                endpoint: Some(endpoint),
            };
            (plan, Some(sources))
        }
        None => {
            let plan = HirePlan {
                when,
                endpoint: None,
            };
            (plan, None)
        }
    })
}

fn endpoint(
    table: &Table,
    path: &str,
    beside: &Path,
    sandbox: bool,
    problems: &mut Vec<String>,
) -> Option<(HrmsEndpoint, SigningSources)> {
    let mut section = Section::new(table, path);
    let url: Option<Url> = section.required(
        "url",
        "the address that takes the webhooks, such as \"https://hrms.example.com/hooks/stagecall\"",
        problems,
    );
    let current = secret(&mut section, "secret", beside, problems);
    let previous = may_be_secret(&mut section, "previous_secret", beside, problems);
    let person: BTreeSet<PersonalField> = section
        .optional(
            "person",
            "the personal data to send: any of first_name, last_name, email, phone",
            problems,
        )
        .unwrap_or_default();
    section.finish(problems);
    if let Some(url) = &url {
        // Only the host of the address: the rest might hold a password, or a token in its path.
        let shown = url.host_str().unwrap_or("?");
        if url.scheme() != "https" && !sandbox {
            problems.push(format!("{path}.url (at {shown}): use an https address"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            problems.push(format!(
                "{path}.url (at {shown}) holds a user name or password; webhooks are signed instead"
            ));
        }
    }
    let endpoint = HrmsEndpoint { url: url?, person };
    let sources = SigningSources {
        current: current?,
        previous,
    };
    Some((endpoint, sources))
}
