//! Limits of connections: in total, and per address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Connections at a time. Further ones wait until one ends.
const MAX_CONNECTIONS: usize = 256;

/// Connections of one public address at a time. Further ones are dropped.
const MAX_CONNECTIONS_PER_ADDRESS: usize = 16;

/// The counts of all connections. Clones share them.
#[derive(Clone, Default)]
pub(super) struct ConnectionLimit {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// Connections by address, for addresses with a limit.
    of: HashMap<IpAddr, usize>,
}

/// A counted connection, until it is dropped.
pub(super) struct Permit {
    limit: ConnectionLimit,
    of: Option<IpAddr>,
}

impl ConnectionLimit {
    /// Resolves when another connection is allowed.
    pub(super) async fn free(&self) {
        while self.taken().all >= MAX_CONNECTIONS {
            self.shared.freed.notified().await;
        }
    }

    /// Counts a connection from `address`; `None` if the address is at its limit.
    pub(super) fn take(&self, address: IpAddr) -> Option<Permit> {
        let of = network(address);
        let mut taken = self.taken();
        if let Some(of) = of {
            let taken = taken.of.entry(of).or_default();
            if *taken >= MAX_CONNECTIONS_PER_ADDRESS {
                return None;
            }
            *taken += 1;
        }
        taken.all += 1;
        drop(taken);
        Some(Permit {
            limit: self.clone(),
            of,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.shared
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.limit.taken();
        taken.all -= 1;
        if let Some(of) = self.of
            && let Some(count) = taken.of.get_mut(&of)
        {
            *count -= 1;
            if *count == 0 {
                taken.of.remove(&of);
            }
        }
        drop(taken);
        self.limit.shared.freed.notify_one();
    }
}

/// The key of a limit: an address, or the IPv6 network of 64 bits, which one customer gets. An address of this machine or of
/// a private network has no limit: it is a proxy, all its callers share that address, and it has to limit them itself.
fn network(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_private() || v4.is_link_local() => None,
        IpAddr::V6(v6)
            if v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() =>
        {
            None
        }
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(limit: &ConnectionLimit, address: &str, count: usize) -> Vec<Permit> {
        let address: IpAddr = address.parse().unwrap();
        (0..count).map_while(|_| limit.take(address)).collect()
    }

    #[test]
    fn one_address_is_limited() {
        let limit = ConnectionLimit::default();
        for (one, same, other) in [
            ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8"),
            ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
        ] {
            let mut held = take(&limit, one, 1000);
            assert_eq!(held.len(), MAX_CONNECTIONS_PER_ADDRESS);
            assert!(take(&limit, same, 1).is_empty());
            assert_eq!(take(&limit, other, 1).len(), 1);
            held.pop();
            assert_eq!(take(&limit, same, 2).len(), 1);
        }
        assert!(limit.taken().of.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_proxy_all_connections_can_be_used_and_the_next_caller_waits() {
        let limit = ConnectionLimit::default();
        let mut held = Vec::new();
        for address in ["127.0.0.1", "::1", "10.0.0.9", "fd00::9"] {
            limit.free().await;
            held.extend(take(&limit, address, MAX_CONNECTIONS / 4));
        }
        assert_eq!(held.len(), MAX_CONNECTIONS);
        let waits = tokio::spawn({
            let limit = limit.clone();
            async move { limit.free().await }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        held.pop();
        waits.await.unwrap();
    }
}
