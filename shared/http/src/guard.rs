//! Which addresses a request may go to. The connection that builds a URL decides which hosts it names; the guard prevents
//! that any name, however it resolves, leads into a private network.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Where requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// To public addresses, over https.
    Public,
    /// Also to loopback, and over http: for a sandbox on the same machine. Private networks stay closed.
    Sandbox,
}

/// A refusal by a guard, with the host and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

impl fmt::Display for Refusal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl Error for Refusal {}

impl Guard {
    /// Checks what is visible without resolving the name.
    pub(crate) fn check(self, url: &Url) -> Result<(), Refusal> {
        let host = url.host_str().unwrap_or("?");
        let secure = match url.scheme() {
            "https" => true,
            "http" => self == Self::Sandbox,
            _ => false,
        };
        if !secure {
            return Err(Refusal(format!("{host}: only https is allowed")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal(format!(
                "{host}: an address with a user name or password is not allowed"
            )));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => None,
            None => return Err(Refusal("an address without a host".to_owned())),
        };
        match literal {
            Some(ip) if !self.allows(ip) => Err(Refusal(format!(
                "{host}: not an address on the public internet"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether a connection to this address is allowed.
    pub(crate) fn allows(self, ip: IpAddr) -> bool {
        let ip = embedded(ip);
        (self == Self::Sandbox && ip.is_loopback())
            || match ip {
                IpAddr::V4(ip) => is_public_v4(ip),
                IpAddr::V6(ip) => is_public_v6(ip),
            }
    }
}

/// The IPv4 address embedded in an IPv6 address (mapped, compatible, NAT64, 6to4), if any.
fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let octets = v6.octets();
    let v4 = |from: usize| {
        IpAddr::V4(Ipv4Addr::new(
            octets[from],
            octets[from + 1],
            octets[from + 2],
            octets[from + 3],
        ))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => v4(12),
        // `::` and `::1` are addresses of their own, every other of this form is an IPv4 address.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => v4(12),
        [0x2002, ..] => v4(2),
        _ => ip,
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0 // "this network", with the unspecified address
        || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 198 && (18..20).contains(&b)) // benchmarks
        || a >= 240) // reserved, with broadcast
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is global unicast; the rest is loopback, unspecified, unique-local, link-local, multicast or
    // unassigned. Teredo (2001::/32) and the documentation range (2001:db8::/32) lie in it and are not routable.
    (0x2000..0x4000).contains(&a) && !(a == 0x2001 && (b == 0 || b == 0x0db8))
}

/// Resolves a name.
pub(crate) type LookUp = fn(String) -> LookingUp;
/// The resolved addresses.
pub(crate) type LookingUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Resolves a name with the system's resolver.
pub(crate) fn system(host: String) -> LookingUp {
    Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) })
}

/// Resolves names and drops every address that the guard does not allow. The connection is made to the remaining addresses,
/// so a name cannot resolve to one address for the check and to another for the connection.
pub(crate) struct GuardedResolver {
    pub(crate) guard: Guard,
    pub(crate) look_up: LookUp,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, look_up) = (self.guard, self.look_up);
        Box::pin(async move {
            let host = name.as_str();
            let found = look_up(host.to_owned()).await?;
            let allowed = allowed(guard, host, &found)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn allowed(guard: Guard, host: &str, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, Refusal> {
    let allowed: Vec<SocketAddr> = found
        .iter()
        .copied()
        .filter(|address| guard.allows(address.ip()))
        .collect();
    if allowed.is_empty() && !found.is_empty() {
        return Err(Refusal(format!(
            "{host}: resolves to an address that is not on the public internet"
        )));
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn private_addresses_are_refused_in_every_form() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::10.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:0:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "2002:a9fe:a9fe::1",
            "fe80::ffff:8.8.8.8",
            "::8",
        ] {
            assert!(!Guard::Public.allows(ip(text)), "public: {text}");
            assert!(!Guard::Sandbox.allows(ip(text)), "sandbox: {text}");
        }
    }

    #[test]
    fn loopback_is_for_the_sandbox_only() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
        ] {
            assert!(!Guard::Public.allows(ip(text)), "{text}");
            assert!(Guard::Sandbox.allows(ip(text)), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        for text in [
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2606:4700::1",
            "2a00:1450:4009::1",
        ] {
            assert!(Guard::Public.allows(ip(text)), "{text}");
        }
    }

    #[test]
    fn urls_are_checked_before_any_name_is_resolved() {
        let public = |text: &str| Guard::Public.check(&Url::parse(text).unwrap());
        assert!(public("https://acme.example/x").is_ok());
        for bad in [
            "http://acme.example/x",
            "ftp://acme.example/x",
            "https://user@acme.example/",
            "https://user:word@acme.example/",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::1]:443/",
            "https://[fd00::1]/",
            "https://[::]/",
            "https://0/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://127.0.0.1./",
            "https://0xa9fea9fe/",
            "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "https://127\u{3002}0\u{3002}0\u{3002}1/",
            "https://@127.0.0.1/",
            "https://acme.example@127.0.0.1/",
            "https://acme.example:word@acme.example/",
            "https://:word@acme.example/",
            "ws://acme.example/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "unix:/run/x.sock",
        ] {
            assert!(public(bad).is_err(), "{bad}");
        }
        assert!(
            Guard::Sandbox
                .check(&Url::parse("http://127.0.0.1:8080/").unwrap())
                .is_ok()
        );
        assert!(
            Guard::Sandbox
                .check(&Url::parse("http://10.0.0.1/").unwrap())
                .is_err()
        );
    }

    #[test]
    fn only_the_allowed_addresses_of_a_name_are_used() {
        let mixed: Vec<SocketAddr> =
            vec!["10.0.0.1:0".parse().unwrap(), "8.8.8.8:0".parse().unwrap()];
        let left = allowed(Guard::Public, "acme.example", &mixed).unwrap();
        assert_eq!(left, ["8.8.8.8:0".parse().unwrap()]);
        let refusal = allowed(Guard::Public, "acme.example", &mixed[..1]).unwrap_err();
        assert!(refusal.0.starts_with("acme.example: "), "{refusal}");
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_loopback_is_refused_outside_the_sandbox() {
        let resolve = |guard| {
            let look_up = system;
            GuardedResolver { guard, look_up }.resolve("localhost".parse().unwrap())
        };
        let refused = resolve(Guard::Public).await.err().unwrap();
        assert!(refused.is::<Refusal>());
        assert!(resolve(Guard::Sandbox).await.is_ok());
    }
}
