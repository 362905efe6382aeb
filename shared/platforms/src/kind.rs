//! The table of platforms.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::SignedDuration;
use stagecall_core::ports::{Capabilities, WebhookParser};
use stagecall_core::tenant::{Mapping, PlatformConnection};
use stagecall_http::RateLimit;
use url::Url;

use crate::adapter::{Account, Adapter};
use crate::error::PlatformError;
use crate::settings::{Secret, Setting, is_loopback};
use crate::{wecp, willo};

/// The static description of a platform.
pub struct PlatformSpec {
    /// Its name in connections (`willo`).
    pub name: &'static str,
    /// Its display name ("Willo").
    pub title: &'static str,
    /// The default address of its API, with a slash at the end.
    pub base_url: &'static str,
    /// The platform's own domains: an address on one of them or below it is the platform's.
    pub hosts: &'static [&'static str],
    /// The settings of a connection, beyond the common ones.
    pub settings: &'static [Setting],
    /// The secrets of an account.
    pub secrets: &'static [Secret],
    /// The options of a mapping.
    pub options: &'static [Setting],
    /// Checks a mapping beyond its single options.
    pub validate: fn(&Mapping, &PlatformConnection) -> Vec<String>,
    /// The default rate limit.
    pub pace: RateLimit,
    /// The wait after it asked to slow down without naming one.
    pub back_off: SignedDuration,
    /// Its capabilities.
    pub capabilities: fn() -> Capabilities,
    /// Opens an account, or reports problems of its settings and secrets in combination.
    pub open: fn(Account) -> Result<Arc<dyn Adapter>, PlatformError>,
    /// The parser of its callbacks, also for a platform that is not known to call but might; `None` if it never does.
    pub reader: Option<fn() -> Arc<dyn WebhookParser>>,
}

/// Every platform. A new one is a module and a line here.
pub static KINDS: &[&PlatformSpec] = &[&willo::KIND, &wecp::KIND];

/// The platform of this name.
pub fn kind(name: &str) -> Option<&'static PlatformSpec> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

impl PlatformSpec {
    /// Whether `url` is https on the platform's own domains.
    pub fn owns(&self, url: &Url) -> bool {
        url.scheme() == "https"
            && url.host_str().is_some_and(|host| {
                self.hosts.iter().any(|own| {
                    host.strip_suffix(own)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                })
            })
    }

    /// `text` as an address of the platform that may be shown to people: https on its own domains, or on the sandbox's
    /// host where the account's base address is one.
    pub(crate) fn address(&self, text: &str, base: &Url) -> Option<Url> {
        let url = Url::parse(text.trim()).ok()?;
        let is_sandbox = is_loopback(base) && is_loopback(&url) && url.host() == base.host();
        let plain = url.username().is_empty() && url.password().is_none();
        (plain && (self.owns(&url) || is_sandbox)).then_some(url)
    }
}

/// Whether two addresses are the same page, apart from the query.
pub(crate) fn is_same_page(one: &Url, other: &Url) -> bool {
    let path = |url: &Url| url.path().trim_end_matches('/').to_lowercase();
    one.host() == other.host() && path(one) == path(other)
}

/// The capabilities of each platform, as a Markdown table.
pub fn capability_table() -> String {
    let all: Vec<_> = KINDS.iter().map(|kind| (kind.capabilities)()).collect();
    let mut table = String::from("| |");
    for kind in KINDS {
        let _ = write!(table, " {} |", kind.title);
    }
    table.push_str("\n| --- |");
    table.push_str(&" --- |".repeat(KINDS.len()));
    let mut row = |label: &str, cell: &dyn Fn(&Capabilities) -> String| {
        let _ = write!(table, "\n| {label} |");
        for capabilities in &all {
            let _ = write!(table, " {} |", cell(capabilities));
        }
    };
    row("calls back", &|of| yes(of.callbacks));
    row("arranges live interviews", &|of| yes(of.live_interviews));
    row("keeps talent pools", &|of| yes(of.pools));
    row(
        "lists instead of asking one by one, from",
        &|of| match of.list_from {
            0 => "always".to_owned(),
            from => format!("{from} waiting"),
        },
    );
    row("statuses it can tell", &|of| {
        let names: Vec<_> = of
            .statuses
            .iter()
            .map(|status| format!("{status:?}").to_lowercase())
            .collect();
        names.join(", ")
    });
    table.push('\n');
    table
}

fn yes(it_does: bool) -> String {
    if it_does { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_default_addresses_are_the_platforms_own() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..at].iter().all(|other| other.name != kind.name));
            let base = Url::parse(kind.base_url).unwrap();
            assert!(
                kind.owns(&base) && base.path().ends_with('/'),
                "{}",
                kind.name
            );
            assert!(!(kind.capabilities)().callbacks || kind.reader.is_some());
        }
    }

    #[test]
    fn a_domain_with_the_same_ending_is_not_the_platforms() {
        let willo = kind("willo").unwrap();
        for (url, own) in [
            ("https://api.willotalent.com/x", true),
            ("https://willotalent.com/x", true),
            ("http://api.willotalent.com/x", false),
            ("https://evilwillotalent.com/x", false),
            ("https://willotalent.com.evil.example/x", false),
            ("https://127.0.0.1/x", false),
        ] {
            assert_eq!(willo.owns(&Url::parse(url).unwrap()), own, "{url}");
        }
    }

    #[test]
    fn the_table_has_a_column_per_platform() {
        let table = capability_table();
        assert!(table.starts_with("| | Willo | WeCP |"), "{table}");
        for line in table.lines() {
            assert_eq!(line.matches('|').count(), KINDS.len() + 2, "{line}");
        }
        assert!(table.contains("| calls back | yes | no |"));
    }

    #[test]
    fn the_documents_have_the_current_table() {
        let table = capability_table();
        for (name, document) in [
            ("README.md", include_str!("../README.md")),
            ("ARCHITECTURE.md", include_str!("../../../ARCHITECTURE.md")),
        ] {
            assert!(
                document.contains(&format!("<!-- capabilities -->\n{table}<!-- end -->")),
                "put this into {name}:\n{table}"
            );
        }
    }
}
