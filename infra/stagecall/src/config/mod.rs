//! The configuration file of `stagecall serve`, and files of tenants. All problems are reported at once, each with its
//! place and a valid example.

mod names;
mod old;
mod place;
mod problems;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use stagecall_core::ids::TenantId;
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_embedded::TenantSources;
use stagecall_operations::tenants::names::ByName;
use stagecall_operations::validate;
use toml::{Table, Value};
use url::Url;

use place::Place;
use problems::Problems;

/// A commented example of the file.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) host: HostConfig,
    pub(crate) timing: Timing,
    pub(crate) tenants: Vec<TenantConfig>,
}

impl Config {
    /// The defaults, used without a file, for this store.
    pub(crate) fn of_store(store: &Path) -> Self {
        Self {
            host: HostConfig {
                store: store.to_owned(),
                callback_key: store.with_extension("key"),
                ..HostConfig::default()
            },
            timing: Timing::default(),
            tenants: Vec::new(),
        }
    }
}

/// The `[host]` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HostConfig {
    pub(crate) store: PathBuf,
    /// The file with the key that callback tokens are made from.
    pub(crate) callback_key: PathBuf,
    /// The address to listen on for callbacks.
    pub(crate) listen: SocketAddr,
    /// The URL that platforms call; without one, nothing is registered and results are found by sweeping.
    pub(crate) public_url: Option<Url>,
    /// Whether http and loopback addresses may be called: only for the sandbox.
    pub(crate) sandbox: bool,
    /// Work items processed at the same time, in total.
    pub(crate) workers: usize,
    /// Work items of one tenant processed at the same time.
    pub(crate) workers_per_tenant: usize,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            store: "stagecall.db".into(),
            callback_key: "stagecall.key".into(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
            sandbox: false,
            workers: 32,
            workers_per_tenant: 4,
        }
    }
}

/// A tenant of the file.
#[derive(Debug)]
pub(crate) struct TenantConfig {
    /// The tenant. Triggers given by name have no id yet, see [`TenantConfig::by_name`].
    pub(crate) tenant: Tenant,
    pub(crate) sources: TenantSources,
    /// Stages and statuses to look up by name.
    pub(crate) by_name: Vec<ByName>,
}

/// A file of tenants: `[[tenant]]` for each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantsFile {
    #[serde(default)]
    tenant: Vec<Tenant>,
}

/// The configuration file: tenants as in a file of tenants, and what the host needs beside them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(default)]
    host: HostConfig,
    #[serde(default)]
    timing: Timing,
    #[serde(default)]
    tenant: Vec<Tenant>,
    #[serde(default)]
    secrets: BTreeMap<TenantId, TenantSources>,
}

/// An invalid file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", file.display(), numbered(problems))]
pub(crate) struct Wrong {
    pub(crate) file: PathBuf,
    pub(crate) problems: Vec<String>,
}

fn numbered(problems: &[String]) -> String {
    let count = problems.len();
    let mut text = format!("{count} problem{}", if count == 1 { "" } else { "s" });
    for problem in problems {
        text.push_str("\n  * ");
        text.push_str(problem);
    }
    text
}

/// Reads and checks the configuration file. Relative paths in it are relative to its folder.
pub(crate) fn load(file: &Path) -> Result<Config, Wrong> {
    let wrong = |problems| Wrong {
        file: file.to_owned(),
        problems,
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| wrong(vec![format!("cannot read the file: {error}")]))?;
    parse(&text, file.parent().unwrap_or(Path::new(""))).map_err(wrong)
}

/// The tenants of a text, or all its problems.
pub(crate) fn parse_tenants(text: &str, sandbox: bool) -> Result<Vec<Tenant>, Vec<String>> {
    let (mut root, mut problems) = document(text)?;
    let file: Option<TenantsFile> = reader::read(&mut root, &mut problems);
    let tenants = file.map_or_else(Vec::new, |file| file.tenant);
    check_tenants(&tenants, sandbox, &mut problems);
    finished(tenants, problems)
}

fn parse(text: &str, folder: &Path) -> Result<Config, Vec<String>> {
    let (mut root, mut problems) = document(text)?;
    let tenants = root.get_mut("tenant").and_then(Value::as_array_mut);
    let by_name: Vec<_> = tenants.into_iter().flatten().map(names::take).collect();
    let Some(file) = reader::read::<ConfigFile>(&mut root, &mut problems) else {
        return Err(problems.into_lines());
    };
    check_host(&file.host, &mut problems);
    for problem in file.timing.problems(file.host.sandbox) {
        problems.add(format!("timing.{problem}"));
    }
    check_tenants(&file.tenant, file.host.sandbox, &mut problems);
    check_served(&file, &mut problems);
    let mut sources = file.secrets;
    let tenants = file.tenant.into_iter().zip(by_name);
    let tenants = tenants.filter_map(|(tenant, by_name)| {
        let mut sources = sources.remove(&tenant.id)?;
        sources.relative_to(folder);
        Some(TenantConfig {
            tenant,
            sources,
            by_name,
        })
    });
    let config = Config {
        tenants: tenants.collect(),
        timing: file.timing,
        host: HostConfig {
            store: folder.join(&file.host.store),
            callback_key: folder.join(&file.host.callback_key),
            ..file.host
        },
    };
    finished(config, problems)
}

/// A text as a document with the keys of the present version.
fn document(text: &str) -> Result<(Value, Problems), Vec<String>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        vec![format!(
            "the file is not valid TOML: {}",
            error.to_string().trim_end()
        )]
    })?;
    let (mut root, mut problems) = (Value::Table(table), Problems::default());
    old::upgrade(&mut root, &mut problems);
    Ok((root, problems))
}

fn finished<T>(read: T, problems: Problems) -> Result<T, Vec<String>> {
    let problems = problems.into_lines();
    if problems.is_empty() {
        Ok(read)
    } else {
        Err(problems)
    }
}

fn check_host(host: &HostConfig, problems: &mut Problems) {
    if let Some(url) = &host.public_url
        && url.scheme() != "https"
        && !host.sandbox
    {
        problems.add(format!(
            "host.public_url is {url}; use an https address, because callbacks carry a token"
        ));
    }
    for (key, count) in [
        ("workers", host.workers),
        ("workers_per_tenant", host.workers_per_tenant),
    ] {
        if count == 0 {
            problems.add(format!("host.{key} is 0; give a whole number, 1 or more"));
        }
    }
}

fn check_tenants(tenants: &[Tenant], sandbox: bool, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, tenant) in tenants.iter().enumerate() {
        let place = place_of(index);
        if !seen.insert(&tenant.id) {
            problems.add(format!(
                "{place}.id is \"{}\", as is another's; give each tenant its own",
                tenant.id
            ));
        }
        for problem in validate::problems(tenant, sandbox) {
            problems.add(format!("{place}.{problem}"));
        }
    }
}

/// What a tenant needs beyond its own validity to be served from the file.
fn check_served(file: &ConfigFile, problems: &mut Problems) {
    for (index, tenant) in file.tenant.iter().enumerate() {
        let place = place_of(index);
        for (index, mapping) in tenant.mappings.iter().enumerate() {
            let report = &mapping.report;
            if report.action.is_none() && report.notes_at.is_empty() && report.questions.is_empty()
            {
                problems.add(format!(
                    "{place}.mappings[{index}].report does not show results anywhere; give an action, notes_at or questions"
                ));
            }
        }
        let has_endpoint = (tenant.hires.as_ref()).is_some_and(|plan| plan.endpoint.is_some());
        let missing = match file.secrets.get(&tenant.id) {
            None => "",
            Some(sources) if has_endpoint && sources.hrms.is_none() => ".hrms",
            Some(_) => continue,
        };
        problems.add(format!(
            "{place}.id is \"{id}\", and secrets.{id}{missing} is missing; give where the secrets are, as the example shows",
            id = tenant.id
        ));
    }
    for id in file.secrets.keys() {
        if file.tenant.iter().all(|tenant| tenant.id != *id) {
            problems.add(format!("secrets.{id} belongs to no tenant of the file"));
        }
    }
}

fn place_of(tenant: usize) -> Place {
    Place::default().key("tenant").index(tenant)
}

pub(crate) fn sources(tenants: &[TenantConfig]) -> BTreeMap<TenantId, TenantSources> {
    tenants
        .iter()
        .map(|one| (one.tenant.id.clone(), one.sources.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
