//! Who may be connected: so many in all, and so many of one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Most connections at a time. Who comes later waits until one ends.
const MAX_CONNECTIONS: usize = 256;

/// Most connections of one public address at a time. Who comes later is cut off.
const MAX_CONNECTIONS_PER_ADDRESS: usize = 16;

/// The places of all connections. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Places {
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
    /// How many of each address that has a share.
    of: HashMap<IpAddr, usize>,
}

/// A place, until it is dropped.
pub(super) struct Place {
    places: Places,
    of: Option<IpAddr>,
}

impl Places {
    /// Resolves when there is a place for somebody.
    pub(super) async fn free(&self) {
        while self.taken().all >= MAX_CONNECTIONS {
            self.shared.freed.notified().await;
        }
    }

    /// A place for a caller from `address`; none if that has its share already.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
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
        Some(Place {
            places: self.clone(),
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

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
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
        self.places.shared.freed.notify_one();
    }
}

/// What has a share: an address, or the network of 64 bits that is given to one customer of IPv6. An address of this machine
/// or its own network has none: that is a proxy, behind which all callers have one address, and which has to limit them
/// itself.
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

    fn take(places: &Places, address: &str, count: usize) -> Vec<Place> {
        let address: IpAddr = address.parse().unwrap();
        (0..count).map_while(|_| places.take(address)).collect()
    }

    #[test]
    fn one_address_has_a_share_and_no_more() {
        let places = Places::default();
        for (one, same, other) in [
            ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8"),
            ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
        ] {
            let mut held = take(&places, one, 1000);
            assert_eq!(held.len(), MAX_CONNECTIONS_PER_ADDRESS);
            assert!(take(&places, same, 1).is_empty());
            assert_eq!(take(&places, other, 1).len(), 1);
            held.pop();
            assert_eq!(take(&places, same, 2).len(), 1);
        }
        assert!(places.taken().of.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_proxy_all_places_can_be_taken_and_the_next_caller_waits() {
        let places = Places::default();
        let mut held = Vec::new();
        for address in ["127.0.0.1", "::1", "10.0.0.9", "fd00::9"] {
            places.free().await;
            held.extend(take(&places, address, MAX_CONNECTIONS / 4));
        }
        assert_eq!(held.len(), MAX_CONNECTIONS);
        let waits = tokio::spawn({
            let places = places.clone();
            async move { places.free().await }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        held.pop();
        waits.await.unwrap();
    }
}
