//! What a platform is, as its module describes it.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;
use stagecall_core::ports::{Capabilities, WebhookParser};
use stagecall_core::tenant::{Mapping, PlatformConnection};
use stagecall_http::RateLimit;
use url::{Host, Url};

use crate::adapter::{Account, Adapter};
use crate::error::PlatformError;
use crate::settings::{Secret, Setting};

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
    pub secrets: &'static [Secret],
    pub options: &'static [Setting],
    /// Checks a mapping beyond its single options.
    pub validate: fn(&Mapping, &PlatformConnection) -> Vec<String>,
    /// The default rate limit.
    pub pace: RateLimit,
    /// The wait after it asked to slow down without naming one.
    pub back_off: SignedDuration,
    pub capabilities: fn() -> Capabilities,
    /// Opens an account, or reports problems of its settings and secrets in combination.
    pub open: fn(Account) -> Result<Arc<dyn Adapter>, PlatformError>,
    /// The parser of its callbacks, also for a platform that is not known to call but might; `None` if it never does.
    pub reader: Option<fn() -> Arc<dyn WebhookParser>>,
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

/// Whether `url` is http or https on this machine: a sandbox.
pub(crate) fn is_loopback(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}
