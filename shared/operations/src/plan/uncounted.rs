//! A dry run's own count of calls, so that the store does not change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use async_trait::async_trait;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::Allowance;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};

/// An allowance that starts from the store's count, and does not change it.
pub(super) struct Uncounted {
    store: Arc<dyn Allowance>,
    taken: AtomicU32,
}

impl Uncounted {
    pub(super) fn beside(store: Arc<dyn Allowance>) -> Self {
        Self {
            store,
            taken: AtomicU32::new(0),
        }
    }
}

#[async_trait]
impl Allowance for Uncounted {
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        let before = self.taken(tenant, day).await?;
        let fits = before.saturating_add(calls) <= ceiling;
        if fits {
            self.taken.fetch_add(calls, Ordering::Relaxed);
        }
        Ok(fits)
    }

    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError> {
        let counted = self.store.taken(tenant, day).await?;
        Ok(counted.saturating_add(self.taken.load(Ordering::Relaxed)))
    }
}

/// Counts the calls.
pub(super) struct Counting {
    inner: Arc<dyn Transport>,
    sent: AtomicU64,
}

impl Counting {
    pub(super) fn over(inner: Arc<dyn Transport>) -> Self {
        Self {
            inner,
            sent: AtomicU64::new(0),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request, limits: Limits) -> Result<Response, TransportError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.send(request, limits).await
    }
}
