//! A platform's callback: authenticate, store, queue, answer.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::engine::Engine;
use crate::error::StoreError;
use crate::ids::{AccountId, TenantId};
use crate::ports::{
    CallbackToken, Deliveries, Delivery, DeliveryOutcome, IncomingCall, PlatformConnections,
    Secrets, SignatureCheck, WebhookParser,
};
use crate::work::Work;
use secrecy::ExposeSecret as _;

/// The answer to a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveOutcome {
    /// It was stored.
    Accepted,
    /// The required signature is missing or wrong.
    Forged,
    /// It cannot be parsed.
    Unreadable,
}

/// Who knows the address of an account's callbacks, and the token in it.
pub struct Caller {
    tenant: TenantId,
    account: AccountId,
    parser: Arc<dyn WebhookParser>,
}

/// Receives callbacks.
#[derive(Clone)]
pub struct Receiver {
    /// The engine.
    pub engine: Engine,
    /// The deliveries.
    pub deliveries: Arc<dyn Deliveries>,
    /// The callback tokens.
    pub secrets: Arc<dyn Secrets>,
    /// The parsers of the platforms' callbacks.
    pub platforms: Arc<dyn PlatformConnections>,
}

impl Receiver {
    /// Whose callbacks are accepted at this address; `None` for an unknown tenant or account and for a wrong token, so
    /// that a caller learns nothing from the difference. Asked before a caller's body is read.
    pub async fn authenticate(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        token: &str,
    ) -> Result<Option<Caller>, StoreError> {
        if !is_address(tenant, account, token) {
            return Ok(None);
        }
        // Before the secret: an invented tenant costs a read of our table, not of the secret store.
        let Some(config) = self.engine.tenants.tenant(tenant).await? else {
            return Ok(None);
        };
        if !self.knows(tenant, account, token).await? {
            return Ok(None);
        }
        let parser = self.platforms.reader(&config, account);
        Ok(parser.map(|parser| Caller {
            tenant: tenant.clone(),
            account: account.clone(),
            parser,
        }))
    }

    /// Checks a caller's signature, stores the call durably and queues it. An accepted call is on disk.
    pub async fn receive(
        &self,
        caller: &Caller,
        call: &IncomingCall<'_>,
    ) -> Result<ReceiveOutcome, StoreError> {
        let Caller {
            tenant,
            account,
            parser,
        } = caller;
        if parser.verify(call) == SignatureCheck::Forged {
            tracing::warn!(%tenant, %account, "callback rejected, signature missing or wrong");
            return Ok(ReceiveOutcome::Forged);
        }
        let hint = match parser.read(call) {
            Ok(hint) => hint,
            Err(error) => {
                tracing::warn!(%tenant, %account, bytes = call.body.len(), %error, "callback rejected, unparsable");
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
        // In a durable queue, making it due as well would only cost writes. If the queue lost it all the same, that
        // would equal a lost callback, and a sweep finds the result.
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
        // Both are always compared, so that the timing does not reveal which one was close.
        let current = same(&tokens.current);
        let previous = tokens.previous.as_ref().is_some_and(same);
        Ok(current | previous)
    }
}

/// Whether this can be an address of callbacks. A caller chooses names and token freely: invalid ones are neither
/// looked up nor logged.
fn is_address(tenant: &TenantId, account: &AccountId, token: &str) -> bool {
    const MAX_NAME_BYTES: usize = 128;
    /// 256 bits in hex.
    const TOKEN_CHARS: usize = 64;
    let fits = |name: &str| (1..=MAX_NAME_BYTES).contains(&name.len());
    let (tenant, account) = (tenant.as_str(), account.as_str());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    fits(tenant)
        && tenant.bytes().all(plain)
        && fits(account)
        && !account.contains(char::is_control)
        && token.len() == TOKEN_CHARS
        && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Compares in constant time, by digest, so that not even the length leaks.
fn same_token(known: &CallbackToken, given: &str) -> bool {
    let known = Sha256::digest(known.0.expose_secret().as_bytes());
    let given = Sha256::digest(given.as_bytes());
    known.ct_eq(&given).into()
}

/// The delivery's id: a repeated call is the same delivery.
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
