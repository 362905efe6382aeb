//! The `[tenants.…]` tables.

use std::collections::BTreeMap;
use std::path::Path;

use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::tenant::{EployConnection, MappingKind, PlatformConnection, Settings, Tenant};
use stagecall_embedded::{AccountSources, CallbackSettings, Source, TenantSources};
use toml::Table;
use url::Url;

use super::section::Section;
use super::{TenantConfig, hires, mapping};

pub(crate) fn read(
    id: TenantId,
    table: &Table,
    path: &str,
    beside: &Path,
    sandbox: bool,
    problems: &mut Vec<String>,
) -> Option<TenantConfig> {
    if id.as_str().is_empty()
        || !id
            .as_str()
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    {
        problems.push(format!(
            "{path}: a tenant's name may have only letters, digits, - and _"
        ));
    }
    let before = problems.len();
    let mut section = Section::new(table, path);
    let paused = section
        .optional("paused", "true or false", problems)
        .unwrap_or(false);
    let retention_days = section.optional(
        "retention_days",
        "a number of days; without it, results are kept for ever",
        problems,
    );
    let eploy = match section.table("eploy", problems) {
        Some(table) => eploy(table, &format!("{path}.eploy"), beside, sandbox, problems),
        None => {
            problems.push(format!(
                "{path}.eploy is missing; give the connection to Eploy: [{path}.eploy]"
            ));
            None
        }
    };
    let mut platforms = BTreeMap::new();
    let mut platform_sources = BTreeMap::new();
    if let Some(accounts) = section.table("platforms", problems) {
        for (name, value) in accounts {
            let path = format!("{path}.platforms.{name}");
            let Some(table) = value.as_table() else {
                problems.push(format!("{path} must be a table: [{path}]"));
                continue;
            };
            if let Some((connection, sources)) = platform(table, &path, beside, sandbox, problems) {
                platforms.insert(AccountId::new(name), connection);
                platform_sources.insert(AccountId::new(name), sources);
            }
        }
    }
    let mut mappings = Vec::new();
    let mut by_name = Vec::new();
    for (index, table) in section.tables("mappings", problems).into_iter().enumerate() {
        let path = format!("{path}.mappings[{index}]");
        if let Some((mapping, names)) = mapping::read(table, &path, &platforms, problems) {
            mappings.push(mapping);
            by_name.extend(names);
        }
    }
    for (index, mapping) in mappings.iter().enumerate() {
        if mappings[..index].iter().any(|other| other.id == mapping.id) {
            problems.push(format!(
                "{path}.mappings: two mappings have the id {}; ids must be unique",
                mapping.id
            ));
        }
    }
    let hires = section
        .table("hires", problems)
        .and_then(|table| hires::read(table, &format!("{path}.hires"), beside, sandbox, problems));
    let (hires, signing) = hires.unzip();
    for mapping in &mappings {
        let MappingKind::Pool(plan) = &mapping.kind else {
            continue;
        };
        for outcome in &plan.after {
            if outcome.mapping == mapping.id
                || mappings.iter().all(|other| other.id != outcome.mapping)
            {
                problems.push(format!(
                    "{path}.mappings: the pool {} takes candidates after {}, which is not another mapping",
                    mapping.id, outcome.mapping
                ));
            }
        }
    }
    section.finish(problems);
    let (eploy, client_id, client_secret) = eploy?;
    (problems.len() == before).then_some(TenantConfig {
        tenant: Tenant {
            id,
            paused,
            eploy,
            platforms,
            mappings,
            hires,
            retention_days,
        },
        sources: TenantSources {
            eploy_client_id: client_id,
            eploy_client_secret: client_secret,
            platforms: platform_sources,
            hrms: signing.flatten(),
        },
        by_name,
    })
}

fn eploy(
    table: &Table,
    path: &str,
    beside: &Path,
    sandbox: bool,
    problems: &mut Vec<String>,
) -> Option<(EployConnection, Source, Source)> {
    let mut section = Section::new(table, path);
    let base_url: Option<Url> = section.required(
        "base_url",
        "the address of the customer's Eploy system, such as \"https://acme.eploy.net/\"",
        problems,
    );
    let client_id = secret(&mut section, "client_id", beside, problems);
    let client_secret = secret(&mut section, "client_secret", beside, problems);
    let daily_calls = section.optional(
        "daily_calls",
        "the maximum number of calls per day",
        problems,
    );
    let poll_seconds = section.optional("poll_seconds", "seconds between polls", problems);
    let dialect: Option<Settings> = section.optional("dialect", "a table of settings", problems);
    section.finish(problems);
    // The dialect is checked even if the address is wrong: all problems are reported at once.
    let stand_in = Url::parse("https://acme.eploy.net/").ok();
    let connection = EployConnection {
        base_url: base_url.clone().or(stand_in)?,
        daily_calls: daily_calls.unwrap_or(10_000),
        poll_seconds: poll_seconds.unwrap_or(60),
        dialect: dialect.unwrap_or_default(),
    };
    https_unless_sandbox(&connection.base_url, path, sandbox, problems);
    problems.extend(
        stagecall_eploy::validate(&connection)
            .into_iter()
            .map(|problem| format!("{path}.{problem}")),
    );
    base_url?;
    Some((connection, client_id?, client_secret?))
}

fn platform(
    table: &Table,
    path: &str,
    beside: &Path,
    sandbox: bool,
    problems: &mut Vec<String>,
) -> Option<(PlatformConnection, AccountSources)> {
    let mut section = Section::new(table, path);
    let kind: Option<String> =
        section.required("kind", "the platform, such as \"willo\"", problems);
    let base_url: Option<Url> = section.optional("base_url", "the API's address", problems);
    let settings: Option<Settings> = section.optional("settings", "a table of settings", problems);
    let callback: CallbackSettings = section
        .optional(
            "callback",
            "{ generation = 1, accept_previous = false }",
            problems,
        )
        .unwrap_or_default();
    let mut secrets = BTreeMap::new();
    if let Some(named) = section.table("secrets", problems) {
        let mut inner = Section::new(named, format!("{path}.secrets"));
        for name in named.keys() {
            if let Some(source) = secret(&mut inner, name, beside, problems) {
                secrets.insert(name.clone(), source);
            }
        }
    }
    section.finish(problems);
    if let Some(url) = &base_url {
        https_unless_sandbox(url, path, sandbox, problems);
    }
    let connection = PlatformConnection {
        kind: kind?,
        base_url,
        settings: settings.unwrap_or_default(),
    };
    problems.extend(
        stagecall_platforms::validate(&connection)
            .into_iter()
            .map(|problem| format!("{path}.{problem}")),
    );
    Some((connection, AccountSources { secrets, callback }))
}

/// A valid reference to a secret.
const WHERE: &str = "where it is: { env = \"VARIABLE\" } or { file = \"PATH\" }";

/// The source of a required secret. A secret in the file itself is rejected without being quoted.
pub(super) fn secret(
    section: &mut Section<'_>,
    key: &str,
    beside: &Path,
    problems: &mut Vec<String>,
) -> Option<Source> {
    if stands_in_file(section, key, problems) {
        return None;
    }
    let source = section.required(key, WHERE, problems)?;
    Some(from_beside(source, beside))
}

/// The source of an optional secret.
pub(super) fn may_be_secret(
    section: &mut Section<'_>,
    key: &str,
    beside: &Path,
    problems: &mut Vec<String>,
) -> Option<Source> {
    if stands_in_file(section, key, problems) {
        return None;
    }
    let source = section.optional(key, WHERE, problems)?;
    Some(from_beside(source, beside))
}

fn stands_in_file(section: &mut Section<'_>, key: &str, problems: &mut Vec<String>) -> bool {
    let there = section.is_text(key);
    if there {
        problems.push(format!(
            "{} is in the file itself; move it out, rotate it, and give {WHERE}",
            section.name(key)
        ));
    }
    there
}

fn from_beside(source: Source, beside: &Path) -> Source {
    match source {
        Source::File(path) => Source::File(beside.join(path)),
        env @ Source::Env(_) => env,
    }
}

fn https_unless_sandbox(url: &Url, path: &str, sandbox: bool, problems: &mut Vec<String>) {
    if url.scheme() != "https" && !sandbox {
        problems.push(format!("{path}.base_url is {url}; use an https address"));
    }
}
