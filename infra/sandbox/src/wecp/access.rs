//! Who may call: the key, the partner, the acting user, and how often (shared/platforms/REFERENCE.md §10, §17).

use axum::http::HeaderName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Account;
use super::quirks::{Check, KeyRefusedBody};
use crate::call::{Answer, Call};

const KEY: HeaderName = HeaderName::from_static("x-api-key");
const PARTNER: HeaderName = HeaderName::from_static("x-wecp-partner-authorization");
const ACTING_USER: HeaderName = HeaderName::from_static("wecp-user-email");

impl Account {
    /// Admits a call, and returns the acting user: the one that it names, or the owner of a personal token.
    pub(super) fn admit(&mut self, call: &Call) -> Result<Option<String>, Answer> {
        let Some(key) = call.header(&KEY) else {
            return Err(self.refused("API key is missing"));
        };
        let owner = self
            .users
            .iter()
            .find(|user| user.token == key)
            .map(|user| user.email.clone());
        if key != self.api_key && owner.is_none() {
            return Err(self.refused("Invalid API key"));
        }
        self.check_partner(call.header(&PARTNER))?;
        let user = self.check_user(call.header(&ACTING_USER), owner)?;
        self.throttle(call)?;
        Ok(user)
    }

    fn refused(&self, text: &str) -> Answer {
        let status = self.quirks.key_refused;
        match self.quirks.key_refused_body {
            KeyRefusedBody::Json => Answer::json(status, &json!({"message": text})),
            KeyRefusedBody::Text => Answer::text(status, text),
        }
    }

    fn check_partner(&self, given: Option<&str>) -> Result<(), Answer> {
        let right = |given: &str| {
            let partner = format!("{}:{}", self.partner_key, self.partner_secret);
            STANDARD
                .decode(given)
                .is_ok_and(|given| given == partner.into_bytes())
        };
        match (self.quirks.partner, given) {
            (Check::Ignored, _) | (Check::Checked, None) => Ok(()),
            (Check::Required, None) => Err(self.refused("X-WECP-Partner-Authorization is missing")),
            (_, Some(given)) if right(given) => Ok(()),
            (_, Some(_)) => Err(self.refused("Invalid partner")),
        }
    }

    fn check_user(
        &self,
        given: Option<&str>,
        owner: Option<String>,
    ) -> Result<Option<String>, Answer> {
        let known = |given: &str| match &owner {
            Some(owner) => owner.eq_ignore_ascii_case(given),
            None => self
                .users
                .iter()
                .any(|user| user.email.eq_ignore_ascii_case(given)),
        };
        match (self.quirks.acting_user, given) {
            (Check::Ignored, given) => Ok(owner.or(given.map(str::to_owned))),
            (Check::Required, None) if owner.is_none() => {
                Err(self.error(403, "WECP-User-Email is missing"))
            }
            (_, None) => Ok(owner),
            (_, Some(given)) if known(given) => Ok(Some(given.to_owned())),
            (_, Some(_)) => Err(self.error(403, "User is not part of this account")),
        }
    }

    fn throttle(&mut self, call: &Call) -> Result<(), Answer> {
        let most = self.quirks.calls_per_second;
        if self.throttle.exceeds(most, call.now) {
            return Err(self
                .error(429, "Too many requests")
                .retry_after(self.quirks.retry_after));
        }
        Ok(())
    }
}
