//! What is in a tenant's secret.
//!
//! It is read by hand, so that what is wrong can be said by its place alone: the messages of a JSON library quote the
//! values.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value};
use stagecall_core::Timestamp;
use stagecall_core::ids::AccountId;
use stagecall_core::ports::{CallbackToken, CallbackTokens, PlatformSecret, TenantSecret};

type Fields = Map<String, Value>;

/// A tenant's secret, read and found to be right.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) secret: TenantSecret,
    tokens: BTreeMap<AccountId, Tokens>,
}

#[derive(Debug)]
struct Tokens {
    current: CallbackToken,
    /// The one before, and until when it is accepted.
    previous: Option<(CallbackToken, Timestamp)>,
}

impl Contents {
    /// Reads it. The error says what is wrong and never a value.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Value::Object(whole) = serde_json::from_str(text).map_err(|error| {
            format!(
                "not JSON from line {}, column {} on",
                error.line(),
                error.column()
            )
        })?
        else {
            return Err("not a JSON object".to_owned());
        };
        let eploy = fields(&whole, "eploy", "eploy")?.ok_or("eploy is missing")?;
        let mut platforms = BTreeMap::new();
        for (account, path, of) in children(&whole, "platforms")? {
            let mut secrets = BTreeMap::new();
            for name in of.keys() {
                secrets.insert(name.clone(), SecretString::from(one(of, name, &path)?));
            }
            platforms.insert(account, PlatformSecret(secrets));
        }
        let mut tokens = BTreeMap::new();
        for (account, path, of) in children(&whole, "callback_tokens")? {
            tokens.insert(account, Tokens::parse(of, &path)?);
        }
        Ok(Self {
            secret: TenantSecret {
                eploy_client_id: one(eploy, "client_id", "eploy")?.into(),
                eploy_client_secret: one(eploy, "client_secret", "eploy")?.into(),
                platforms,
            },
            tokens,
        })
    }

    /// The tokens of an account that are accepted at `now`.
    pub(super) fn tokens(&self, account: &AccountId, now: Timestamp) -> Option<CallbackTokens> {
        let tokens = self.tokens.get(account)?;
        let previous = tokens.previous.as_ref().filter(|(_, until)| *until > now);
        Some(CallbackTokens {
            current: tokens.current.clone(),
            previous: previous.map(|(token, _)| token.clone()),
        })
    }
}

impl Tokens {
    fn parse(of: &Fields, path: &str) -> Result<Self, String> {
        let previous = if of.contains_key("previous") {
            let until = one(of, "previous_until", path)?.parse().map_err(|_| {
                format!("{path}.previous_until is not a time like 2026-11-22T10:00:00Z")
            })?;
            Some((token(of, "previous", path)?, until))
        } else {
            None
        };
        Ok(Self {
            current: token(of, "current", path)?,
            previous,
        })
    }
}

/// A callback token: 256 bits in hex.
fn token(of: &Fields, name: &str, path: &str) -> Result<CallbackToken, String> {
    let text = one(of, name, path)?;
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(CallbackToken(text.into()))
    } else {
        Err(format!("{path}.{name} is not a token of 64 hex digits"))
    }
}

/// The text of this name.
fn one(of: &Fields, name: &str, path: &str) -> Result<String, String> {
    match of.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::String(_)) => Err(format!("{path}.{name} is empty")),
        Some(_) => Err(format!("{path}.{name} is not a text")),
        None => Err(format!("{path}.{name} is missing")),
    }
}

fn fields<'a>(of: &'a Fields, name: &str, path: &str) -> Result<Option<&'a Fields>, String> {
    match of.get(name) {
        None => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(_) => Err(format!("{path} is not an object")),
    }
}

/// The objects, by account, in the object of this name, each with its path.
fn children<'a>(
    whole: &'a Fields,
    name: &str,
) -> Result<Vec<(AccountId, String, &'a Fields)>, String> {
    let mut found = Vec::new();
    if let Some(all) = fields(whole, name, name)? {
        for account in all.keys() {
            let path = format!("{name}.{account}");
            if let Some(of) = fields(all, account, &path)? {
                found.push((AccountId::new(account.clone()), path, of));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn whole() -> Value {
        serde_json::json!({
            "eploy": {"client_id": "id-1", "client_secret": "hush-1"},
            "platforms": {"willo": {"api_key": "hush-2"}, "wecp": {"api_key": "hush-3"}},
            "callback_tokens": {"willo": {
                "current": "a".repeat(64),
                "previous": "b".repeat(64),
                "previous_until": "2026-11-22T10:00:00Z",
            }},
        })
    }

    #[test]
    fn a_whole_secret_is_read() {
        let contents = Contents::parse(&whole().to_string()).unwrap();
        assert_eq!(
            contents.secret.eploy_client_secret.expose_secret(),
            "hush-1"
        );
        let willo = &contents.secret.platforms[&AccountId::new("willo")];
        assert_eq!(willo.0["api_key"].expose_secret(), "hush-2");
        assert!(!format!("{contents:?}").contains("hush"));
    }

    #[test]
    fn the_previous_token_is_accepted_until_its_time() {
        let contents = Contents::parse(&whole().to_string()).unwrap();
        let previous = |now: &str| {
            let tokens = contents
                .tokens(&"willo".into(), now.parse().unwrap())
                .unwrap();
            assert_eq!(tokens.current.0.expose_secret(), "a".repeat(64));
            tokens.previous.is_some()
        };
        assert!(previous("2026-11-22T09:59:59Z"));
        assert!(!previous("2026-11-22T10:00:00Z"));
        assert!(
            contents
                .tokens(&"wecp".into(), Timestamp::UNIX_EPOCH)
                .is_none()
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_never_by_its_value() {
        for (pointer, value, expected) in [
            ("/eploy", Value::Null, "eploy is not an object"),
            (
                "/eploy/client_id",
                Value::from(7),
                "eploy.client_id is not a text",
            ),
            (
                "/eploy/client_secret",
                Value::from(""),
                "eploy.client_secret is empty",
            ),
            (
                "/platforms/willo",
                Value::from("hush"),
                "platforms.willo is not an object",
            ),
            (
                "/platforms/willo/api_key",
                Value::from(1),
                "platforms.willo.api_key is not a text",
            ),
            (
                "/callback_tokens/willo/current",
                Value::from("hush"),
                "callback_tokens.willo.current is not a token",
            ),
            (
                "/callback_tokens/willo/previous_until",
                Value::from("hush"),
                "callback_tokens.willo.previous_until is not",
            ),
        ] {
            let mut broken = whole();
            *broken.pointer_mut(pointer).unwrap() = value;
            let problem = Contents::parse(&broken.to_string()).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
            assert!(!problem.contains("hush"), "{problem}");
        }
        for (text, expected) in [
            ("hush", "not JSON from line 1"),
            ("\"hush\"", "not a JSON object"),
            ("{}", "eploy is missing"),
            (
                r#"{"eploy":{"client_id":"x"}}"#,
                "eploy.client_secret is missing",
            ),
        ] {
            assert!(
                Contents::parse(text).unwrap_err().starts_with(expected),
                "{text}"
            );
        }
    }
}
