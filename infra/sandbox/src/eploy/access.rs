//! Who may call: credentials, tokens, scopes, roles, addresses and the daily allowance (shared/eploy/REFERENCE.md §1,
//! §2 and §18).

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::http::header;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::System;
use crate::call::{Answer, Call};

/// Every scope that the sandbox knows (shared/eploy/REFERENCE.md §2).
pub(crate) const SCOPES: [&str; 32] = [
    "actions.insert",
    "actions.read",
    "actions.update",
    "applications.insert",
    "applications.read",
    "applications.update",
    "candidates.insert",
    "candidates.read",
    "candidates.update",
    "companies.insert",
    "companies.read",
    "companies.update",
    "contacts.insert",
    "contacts.read",
    "contacts.update",
    "export.insert",
    "export.read",
    "files.insert",
    "files.read",
    "payrates.read",
    "paysalaries.read",
    "placements.read",
    "timesheets.insert",
    "timesheets.read",
    "timesheets.update",
    "users.insert",
    "users.read",
    "users.update",
    "vacancies.read",
    "vacancies.update",
    "vacancytemplates.read",
    "workflows.read",
];

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
    /// Its scopes; its role may allow less.
    pub scopes: BTreeSet<String>,
}

/// A role of the user of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its scopes.
    pub scopes: BTreeSet<String>,
}

pub(super) fn all_scopes() -> BTreeSet<String> {
    SCOPES.map(str::to_owned).into()
}

/// Twenty letters of mixed case, as the vendor's samples have.
pub(super) fn letters(random: &mut fastrand::Rng) -> String {
    (0..20)
        .map(|_| {
            let letter = random.lowercase();
            if random.bool() {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect()
}

#[derive(Debug)]
pub(super) struct Token {
    client_id: String,
    scopes: BTreeSet<String>,
    ends: Timestamp,
}

impl System {
    /// Counts the call. Returns a response if the call ends here.
    pub(super) fn admit(&mut self, call: &Call) -> Result<(), Answer> {
        if !self
            .ip_ranges
            .iter()
            .any(|range| contains(range, call.peer))
        {
            return Err(self.error(403, "Your IP address is not allowed to use this API key"));
        }
        self.begin_day(call.now);
        if self.allowance_spent || self.allowance.is_some_and(|most| self.calls_today >= most) {
            let answer = self.error(
                self.quirks.allowance_status,
                "The daily API usage limit has been reached",
            );
            return Err(answer.retry_after(self.quirks.allowance_retry_after));
        }
        self.calls_today += 1;
        Ok(())
    }

    /// Uses up the rest of today's allowance.
    pub(crate) fn spend_allowance(&mut self, at: Timestamp) {
        self.begin_day(at);
        self.allowance_spent = true;
    }

    fn begin_day(&mut self, at: Timestamp) {
        let day = at.as_second() / 86_400;
        if self.allowance_day != day {
            self.allowance_day = day;
            self.calls_today = 0;
            self.allowance_spent = false;
        }
    }

    /// Revokes all tokens.
    pub(crate) fn end_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Whether the call has a token with this scope.
    pub(super) fn authorise(&self, call: &Call, scope: Option<&str>) -> Result<(), Answer> {
        let token = call
            .header(&header::AUTHORIZATION)
            .and_then(|value| value.strip_prefix("Bearer "))
            .and_then(|token| self.tokens.get(token))
            .filter(|token| call.now < token.ends);
        let Some(token) = token else {
            return Err(self.error(401, "The access token is missing or has expired"));
        };
        match scope {
            Some(scope) if !token.scopes.contains(scope) => {
                Err(self.error(403, &format!("The API key lacks the permission {scope}")))
            }
            _ => Ok(()),
        }
    }

    /// `POST /api/token`
    pub(super) fn token(&mut self, call: &Call, random: &mut fastrand::Rng) -> Answer {
        let Some(form) = Form::read(call) else {
            return self.error(400, "The request could not be read");
        };
        if form.grant_type != "client_credentials" {
            return self.error(400, "unsupported_grant_type");
        }
        let Some(key) = self
            .keys
            .iter()
            .find(|key| key.client_id == form.client_id && key.client_secret == form.client_secret)
        else {
            return self.error(self.quirks.wrong_credentials, "invalid_client");
        };
        let [role] = self.roles.as_slice() else {
            return self.error(403, "The API user must have exactly one role");
        };
        let granted: BTreeSet<String> = key.scopes.intersection(&role.scopes).cloned().collect();
        let scopes = if form.scope.is_empty() {
            granted
        } else if form.scope.is_subset(&key.scopes) {
            form.scope.intersection(&granted).cloned().collect()
        } else {
            return self.error(400, "invalid_scope");
        };
        let text = format!(
            "{}{}{}",
            if self.quirks.token_leading_space {
                " "
            } else {
                ""
            },
            letters(random),
            letters(random)
        );
        let seconds = self.quirks.token_lifetime;
        let answer = json!({
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": scopes.iter().map(String::as_str).collect::<Vec<_>>().join(","),
        });
        let client_id = key.client_id.clone();
        let replaces = self.quirks.new_token_ends_old;
        self.tokens.retain(|_, token| {
            token.ends > call.now && !(replaces && token.client_id == client_id)
        });
        let lifetime = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        self.tokens.insert(
            text,
            Token {
                client_id,
                scopes,
                ends: call.now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
            },
        );
        Answer::json(200, &answer)
    }
}

/// The fields of a token request, sent as JSON or as a form.
#[derive(Default)]
struct Form {
    grant_type: String,
    client_id: String,
    client_secret: String,
    scope: BTreeSet<String>,
}

impl Form {
    fn read(call: &Call) -> Option<Self> {
        let content_type = call.header(&header::CONTENT_TYPE).unwrap_or_default();
        let fields: Vec<(String, String)> =
            if content_type.starts_with("application/x-www-form-urlencoded") {
                form_urlencoded::parse(&call.body).into_owned().collect()
            } else {
                let Value::Object(fields) = call.json()? else {
                    return None;
                };
                fields
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                    .collect()
            };
        let mut form = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "grant_type" => form.grant_type = value,
                "client_id" => form.client_id = value,
                "client_secret" => form.client_secret = value,
                "scope" => {
                    form.scope = value
                        .split(',')
                        .map(str::trim)
                        .filter(|scope| !scope.is_empty())
                        .map(str::to_owned)
                        .collect();
                }
                _ => {}
            }
        }
        Some(form)
    }
}

/// Whether an address is in a range, which is written as CIDR or with wildcards (both documented,
/// shared/eploy/REFERENCE.md §2).
fn contains(range: &str, address: IpAddr) -> bool {
    if let Some((network, length)) = range.split_once('/') {
        return match (network.parse(), length.parse::<u32>(), address) {
            (Ok(IpAddr::V4(network)), Ok(length @ 0..=32), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (Ok(IpAddr::V6(network)), Ok(length @ 0..=128), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        };
    }
    match range.split_once('*') {
        Some((beginning, _)) => address.to_string().starts_with(beginning),
        None => address.to_string() == range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cidr_or_wildcards() {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        for range in [
            "0.0.0.0/0",
            "127.0.0.0/8",
            "127.0.0.1/32",
            "127.0.*",
            "*",
            "127.0.0.1",
        ] {
            assert!(contains(range, here), "{range}");
        }
        for range in [
            "::/0",
            "10.0.0.0/8",
            "10.*",
            "127.0.0.2",
            "",
            "nonsense/3",
            "127.0.0.1/33",
        ] {
            assert!(!contains(range, here), "{range}");
        }
        assert!(contains("::/0", "::1".parse().unwrap()));
    }
}
