//! A platform's callback: authenticate, store, queue, answer; and later, look into it.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::engine::Engine;
use super::write_back::{SyncOutcome, WriteBack};
use crate::error::{Error, StoreError};
use crate::ids::{AccountId, TenantId};
use crate::ports::{
    CallbackToken, Deliveries, Delivery, DeliveryOutcome, IncomingCall, PlatformConnections,
    Secrets, SignatureCheck,
};
use crate::tenant::Tenant;
use crate::timing::{after, seconds};
use crate::work::Work;
use secrecy::ExposeSecret as _;

/// What to answer to a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveOutcome {
    /// It is stored.
    Accepted,
    /// No such address: an unknown tenant or account, or a wrong token. One answer for all, so that nothing can be
    /// learned from it.
    NoSuchAddress,
    /// A signature was due and is missing or wrong.
    Forged,
    /// It makes no sense.
    Unreadable,
}

/// Takes callbacks in.
#[derive(Clone)]
pub struct Receiver {
    /// The rows.
    pub engine: Engine,
    /// The deliveries.
    pub deliveries: Arc<dyn Deliveries>,
    /// The tokens.
    pub secrets: Arc<dyn Secrets>,
    /// The readers of the platforms' callbacks.
    pub platforms: Arc<dyn PlatformConnections>,
}

impl Receiver {
    /// Looking for the invitation of a delivery is given up after this many tries: the callback can overtake the
    /// record of what it is about, but not for long.
    const TRIES: u32 = 6;

    /// The fewest tries before a delivery whose invitation is known is given up.
    const KNOWN_TRIES: u32 = 10;

    /// Whether a delivery whose invitation is known has been looked into often enough, and for long enough.
    fn is_exhausted(&self, delivery: &Delivery) -> bool {
        let age = self.engine.now().duration_since(delivery.at);
        delivery.tries >= Self::KNOWN_TRIES && age >= seconds(self.engine.timing.give_up_seconds)
    }

    /// Authenticates a call, stores it durably and queues it. Whatever is accepted is on disk.
    pub async fn receive(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        token: &str,
        call: &IncomingCall<'_>,
    ) -> Result<ReceiveOutcome, StoreError> {
        let Some(config) = self.of_address(tenant, account, token).await? else {
            return Ok(ReceiveOutcome::NoSuchAddress);
        };
        let Some(reader) = self.platforms.reader(&config, account) else {
            return Ok(ReceiveOutcome::NoSuchAddress);
        };
        if reader.verify(call) == SignatureCheck::Forged {
            tracing::warn!(%tenant, %account, "a callback's signature is missing or wrong");
            return Ok(ReceiveOutcome::Forged);
        }
        let hint = match reader.read(call) {
            Ok(hint) => hint,
            Err(error) => {
                tracing::warn!(%tenant, %account, bytes = call.body.len(), %error, "a callback was not understood");
                return Ok(ReceiveOutcome::Unreadable);
            }
        };
        let delivery = Delivery {
            id: digest(account, hint.event.as_deref(), call.body),
            tenant: tenant.clone(),
            account: account.clone(),
            at: self.engine.now(),
            event: hint.event,
            references: hint.references,
            tries: 0,
            given_up: false,
        };
        // Where the queue keeps it, being due, too, would only cost writes: if the queue lost it all the same, it would be
        // as if the callback had been lost, and a sweep brings what it told of.
        let kept = self.engine.queue.is_durable();
        let due_at = (!kept).then_some(delivery.at);
        self.deliveries.store(&delivery, due_at).await?;
        tracing::info!(%tenant, %account, delivery = delivery.id, "callback stored");
        let work = Work::Delivery {
            tenant: tenant.clone(),
            id: delivery.id.clone(),
        };
        if !self.engine.enqueue(vec![work]).await && kept {
            let fate = DeliveryOutcome::Again(delivery.at);
            self.deliveries.settle(&delivery, &fate).await?;
        }
        Ok(ReceiveOutcome::Accepted)
    }

    /// Whether callbacks are taken in at this address: for a listener, before it reads anything of a stranger's body.
    ///
    /// # Errors
    /// The configuration or the tokens cannot be read.
    pub async fn is_known(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        token: &str,
    ) -> Result<bool, StoreError> {
        let config = self.of_address(tenant, account, token).await?;
        Ok(config.is_some())
    }

    /// The tenant whose address this is; none if it is nobody's.
    async fn of_address(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        token: &str,
    ) -> Result<Option<Tenant>, StoreError> {
        if !is_address(tenant, account, token) {
            return Ok(None);
        }
        // Before the secret: a stranger's invented tenant costs a read of ours, and not one of the secret store.
        let Some(config) = self.engine.tenants.tenant(tenant).await? else {
            return Ok(None);
        };
        let known = self.knows(tenant, account, token).await?;
        Ok(known.then_some(config))
    }

    /// Whether the token in the path is one of the account's.
    async fn knows(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        token: &str,
    ) -> Result<bool, StoreError> {
        let Some(tokens) = self.secrets.callback_tokens(tenant, account).await? else {
            return Ok(false);
        };
        let same = |known: &CallbackToken| same_token(known, token);
        // Both are always compared, so that the time taken does not tell which one was near.
        let current = same(&tokens.current);
        let previous = tokens.previous.as_ref().is_some_and(same);
        Ok(current | previous)
    }

    /// Looks into a stored delivery: brings the invitations that it speaks of up to date.
    pub async fn process_delivery(
        &self,
        write_back: &WriteBack,
        tenant: &TenantId,
        id: &str,
    ) -> Result<(), Error> {
        let Some(mut delivery) = self.deliveries.load_delivery(tenant, id).await? else {
            return Ok(());
        };
        let mut known = Vec::new();
        for reference in &delivery.references {
            let bound = self
                .engine
                .ledger
                .find_by_reference(tenant, &delivery.account, reference)
                .await?;
            if let Some(key) = bound
                && known.iter().all(|(other, _)| *other != key)
            {
                known.push((key, reference));
            }
        }
        delivery.tries = delivery.tries.saturating_add(1);
        delivery.given_up = false;
        let delay = self.engine.timing.backoff(delivery.tries, &delivery.id);
        let again = || DeliveryOutcome::Again(after(self.engine.now(), delay));
        let fate = if known.is_empty() {
            if delivery.tries < Self::TRIES {
                again()
            } else {
                tracing::warn!(%tenant, account = %delivery.account, delivery = delivery.id, "no invitation belongs to this callback: parked");
                DeliveryOutcome::Unmatched
            }
        } else {
            let mut done = true;
            for (key, reference) in &known {
                let news = write_back.sync_result(key, None, Some(*reference)).await;
                done &= match news {
                    Ok(news) => news == SyncOutcome::Recorded,
                    // It is not over with the next try, and the delivery's tries are counted.
                    Err(Error::UnknownTenant(_)) => false,
                    Err(Error::Store(error)) if error.lasting => {
                        tracing::error!(%tenant, invitation = %key.name(), %error, "an invitation that a callback speaks of cannot be read");
                        false
                    }
                    Err(error) => return Err(error),
                };
            }
            if done {
                DeliveryOutcome::Handled
            } else if self.is_exhausted(&delivery) {
                // A sweep goes on asking for the invitation, by bounds of its own, which tell the recruiter.
                tracing::error!(%tenant, account = %delivery.account, delivery = delivery.id, tries = delivery.tries, "a callback was given up: its result could not be recorded");
                delivery.given_up = true;
                DeliveryOutcome::Unmatched
            } else {
                again()
            }
        };
        self.deliveries.settle(&delivery, &fate).await?;
        Ok(())
    }
}

/// Whether this can be the address of anybody's callbacks. The names and the token are whatever a stranger wrote: what
/// cannot be one is neither looked up nor logged.
fn is_address(tenant: &TenantId, account: &AccountId, token: &str) -> bool {
    const LONGEST_NAME: usize = 128;
    /// 256 bits in hex.
    const TOKEN: usize = 64;
    let fits = |name: &str| (1..=LONGEST_NAME).contains(&name.len());
    let (tenant, account) = (tenant.as_str(), account.as_str());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    fits(tenant)
        && tenant.bytes().all(plain)
        && fits(account)
        && !account.contains(char::is_control)
        && token.len() == TOKEN
        && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Compares in constant time, by digest, so that not even the length leaks.
fn same_token(known: &CallbackToken, given: &str) -> bool {
    let known = Sha256::digest(known.0.expose_secret().as_bytes());
    let given = Sha256::digest(given.as_bytes());
    known.ct_eq(&given).into()
}

/// The delivery's id: the same call again is the same delivery.
fn digest(account: &AccountId, event: Option<&str>, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [
        account.as_str().as_bytes(),
        event.unwrap_or("").as_bytes(),
        body,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests;
