//! The configuration file of `stagecall serve`. All problems are reported at once, each with its key and a valid
//! example.

mod hires;
mod kind;
mod mapping;
mod section;
mod tenant;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use stagecall_core::ids::TenantId;
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_embedded::TenantSources;
use toml::Table;
use url::Url;

use section::Section;

pub(crate) use mapping::ByName;

/// A commented example of the file.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// A valid configuration.
#[derive(Debug)]
pub(crate) struct Config {
    /// The `[host]` table.
    pub(crate) host: HostConfig,
    pub(crate) timing: Timing,
    /// The tenants, with where their secrets are.
    pub(crate) tenants: Vec<TenantConfig>,
}

impl Config {
    /// The defaults, used without a file, for this store.
    pub(crate) fn of_store(store: &Path) -> Self {
        Self {
            host: HostConfig {
                store: store.to_owned(),
                callback_key: store.with_extension("key"),
                listen: DEFAULT_LISTEN,
                public_url: None,
                sandbox: false,
                workers: DEFAULT_WORKERS,
                workers_per_tenant: DEFAULT_WORKERS_PER_TENANT,
            },
            timing: Timing::default(),
            tenants: Vec::new(),
        }
    }
}

/// The default address to listen on for callbacks.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The default number of work items processed at the same time.
const DEFAULT_WORKERS: usize = 32;

/// The default number of work items of one tenant processed at the same time.
const DEFAULT_WORKERS_PER_TENANT: usize = 4;

/// The `[host]` table.
#[derive(Debug)]
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

/// A tenant of the file.
#[derive(Debug)]
pub(crate) struct TenantConfig {
    /// The tenant. Triggers given by name have no id yet, see [`TenantConfig::by_name`].
    pub(crate) tenant: Tenant,
    pub(crate) sources: TenantSources,
    /// Stages and statuses to look up by name.
    pub(crate) by_name: Vec<ByName>,
}

/// An invalid file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", file.display(), numbered(problems))]
pub(crate) struct Wrong {
    pub(crate) file: PathBuf,
    /// All problems.
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

/// Reads and checks a file. Relative paths in it are relative to its folder.
pub(crate) fn load(file: &Path) -> Result<Config, Wrong> {
    let wrong = |problems| Wrong {
        file: file.to_owned(),
        problems,
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| wrong(vec![format!("cannot read the file: {error}")]))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        wrong(vec![format!(
            "the file is not valid TOML: {}",
            error.to_string().trim_end()
        )])
    })?;
    let beside = file.parent().unwrap_or(Path::new(""));
    let mut problems = Vec::new();
    let config = read(&table, beside, &mut problems);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(wrong(problems))
    }
}

fn read(table: &Table, beside: &Path, problems: &mut Vec<String>) -> Config {
    let mut top = Section::new(table, "");
    let empty = Table::new();
    let host = host(
        top.table("host", problems).unwrap_or(&empty),
        beside,
        problems,
    );
    let timing: Timing = top
        .optional("timing", "seconds, as the example shows", problems)
        .unwrap_or_default();
    problems.extend(
        timing
            .problems(host.sandbox)
            .into_iter()
            .map(|problem| format!("timing.{problem}")),
    );
    let mut tenants = Vec::new();
    let sandbox = host.sandbox;
    // The tenants may all be in the store.
    if let Some(named) = top.table("tenants", problems) {
        for (name, value) in named {
            let path = format!("tenants.{name}");
            match value.as_table() {
                Some(table) => tenants.extend(tenant::read(
                    TenantId::new(name),
                    table,
                    &path,
                    beside,
                    sandbox,
                    problems,
                )),
                None => problems.push(format!("{path} must be a table: [{path}]")),
            }
        }
    }
    top.finish(problems);
    Config {
        host,
        timing,
        tenants,
    }
}

fn host(table: &Table, beside: &Path, problems: &mut Vec<String>) -> HostConfig {
    let mut section = Section::new(table, "host");
    let store: Option<PathBuf> =
        section.optional("store", "the path of the database file", problems);
    let callback_key: Option<PathBuf> =
        section.optional("callback_key", "the path of the key file", problems);
    let listen = section
        .optional(
            "listen",
            "an address and port such as \"127.0.0.1:8080\"",
            problems,
        )
        .unwrap_or(DEFAULT_LISTEN);
    let public_url: Option<Url> = section.optional(
        "public_url",
        "an address such as \"https://hooks.example.com/\"",
        problems,
    );
    let sandbox = section
        .optional("sandbox", "true or false", problems)
        .unwrap_or(false);
    if let Some(url) = &public_url
        && url.scheme() != "https"
        && !sandbox
    {
        problems.push(format!(
            "host.public_url is {url}; use an https address, because callbacks carry a token"
        ));
    }
    let workers = count(&mut section, "workers", DEFAULT_WORKERS, problems);
    let workers_per_tenant = count(
        &mut section,
        "workers_per_tenant",
        DEFAULT_WORKERS_PER_TENANT,
        problems,
    );
    section.finish(problems);
    HostConfig {
        store: beside.join(store.unwrap_or_else(|| "stagecall.db".into())),
        callback_key: beside.join(callback_key.unwrap_or_else(|| "stagecall.key".into())),
        listen,
        public_url,
        sandbox,
        workers,
        workers_per_tenant,
    }
}

fn count(section: &mut Section<'_>, key: &str, usual: usize, problems: &mut Vec<String>) -> usize {
    let given: Option<usize> = section.optional(key, "a whole number, 1 or more", problems);
    if given == Some(0) {
        problems.push(format!(
            "{} is 0; give a whole number, 1 or more",
            section.name(key)
        ));
    }
    given.unwrap_or(usual).max(1)
}

pub(crate) fn sources(tenants: &[TenantConfig]) -> BTreeMap<TenantId, TenantSources> {
    tenants
        .iter()
        .map(|one| (one.tenant.id.clone(), one.sources.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
