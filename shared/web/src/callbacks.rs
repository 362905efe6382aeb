//! A platform's callback: `POST /callbacks/{tenant}/{account}/{token}`. No path is logged, because it holds a token.

use std::error::Error;

use http::request::Parts;
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::IncomingCall;
use stagecall_core::usecases::{ReceiveOutcome, Receiver};
use url::form_urlencoded;

use crate::{Answer, TooSlow};

/// The limit of a body. Willo's are a few kilobytes.
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;

/// Answers a call to this tenant's account with this token. The body of a stranger is not read.
pub(crate) async fn answer<B>(
    receiver: &Receiver,
    (tenant, account, token): (&str, &str, &str),
    head: &Parts,
    body: B,
) -> Answer
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Answer::TooLarge;
    }
    let (tenant, account) = (TenantId::new(tenant), AccountId::new(account));
    let not_stored = |error: StoreError| {
        tracing::error!(%tenant, %account, %error, "callback not stored");
        Answer::NotStored
    };
    let caller = match receiver.authenticate(&tenant, &account, token).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Answer::NoSuchAddress,
        Err(error) => return not_stored(error),
    };
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Answer::TooLarge,
        Err(error) if error.is::<TooSlow>() => return Answer::TooSlow,
        Err(_) => return Answer::BrokenOff,
    };
    let query = head.uri.query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let headers: Vec<_> = head
        .headers
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let call = IncomingCall {
        query: &query,
        headers: &headers,
        body: &body,
    };
    match receiver.receive(&caller, &call).await {
        Ok(ReceiveOutcome::Accepted) => Answer::Stored,
        Ok(ReceiveOutcome::Forged) => Answer::Forged,
        Ok(ReceiveOutcome::Unreadable) => Answer::NotUnderstood,
        Err(error) => not_stored(error),
    }
}
