//! A tenant's credentials and callback tokens as the one JSON text that the secret stores hold.
//!
//! It is parsed by hand, so that errors name only the place: the messages of a JSON library quote the values.

use std::collections::BTreeMap;

use crate::ids::{AccountId, TenantId};
use crate::ports::{CallbackToken, CallbackTokens, PlatformSecret, SigningSecrets, TenantSecret};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

/// A tenant's validated credentials and callback tokens. Its debug form shows none.
#[derive(Clone, Debug)]
pub struct Credentials {
    secret: TenantSecret,
    tokens: BTreeMap<AccountId, Tokens>,
    /// Unreadable values that were left out.
    unusable: Vec<String>,
}

#[derive(Clone, Debug)]
struct Tokens {
    current: CallbackToken,
    /// The previous token, and until when it is accepted.
    previous: Option<(CallbackToken, Timestamp)>,
}

impl Credentials {
    /// Reads it. The error says what is wrong and never a value. What a rotation has replaced is left out if it cannot be
    /// read, because everything works without it: see [`Credentials::warn_of_unusable`].
    pub fn parse(text: &str) -> Result<Self, String> {
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
        let mut unusable = Vec::new();
        let hrms = match fields(&whole, "hrms", "hrms")? {
            Some(of) => Some(SigningSecrets {
                current: one(of, "current", "hrms")?.into(),
                previous: previous(of, &mut unusable, || one(of, "previous", "hrms"))
                    .map(SecretString::from),
            }),
            None => None,
        };
        let mut tokens = BTreeMap::new();
        for (account, path, of) in children(&whole, "callback_tokens")? {
            tokens.insert(account, Tokens::parse(of, &path, &mut unusable)?);
        }
        Ok(Self {
            secret: TenantSecret {
                eploy_client_id: one(eploy, "client_id", "eploy")?.into(),
                eploy_client_secret: one(eploy, "client_secret", "eploy")?.into(),
                platforms,
                hrms,
            },
            tokens,
            unusable,
        })
    }

    /// Warns of what was left out because it cannot be read, each by its place and never by its value.
    pub fn warn_of_unusable(&self, tenant: &TenantId) {
        for problem in &self.unusable {
            tracing::warn!(%tenant, problem, "replaced secret unreadable, left out");
        }
    }

    /// Whether it has exactly these credentials.
    fn has(&self, secret: &TenantSecret) -> bool {
        credentials(&self.secret) == credentials(secret)
    }

    pub fn secret(&self) -> &TenantSecret {
        &self.secret
    }

    /// The credentials with new credentials in the place of the stored one; `None` if the stored one has others than `before`.
    ///
    /// # Errors
    /// Those of `new_token`.
    pub fn replaced<E>(
        stored: Option<&Self>,
        before: Option<&TenantSecret>,
        secret: &TenantSecret,
        new_token: impl FnMut() -> Result<CallbackToken, E>,
    ) -> Result<Option<Self>, E> {
        let is_before = match (stored, before) {
            (Some(stored), Some(before)) => stored.has(before),
            (None, None) => true,
            _ => false,
        };
        is_before
            .then(|| Self::renewed(stored, secret.clone(), new_token))
            .transpose()
    }

    /// The credentials with these credentials: every platform account keeps its callback token, a new account gets one
    /// from `new_token`, and the token of an account that is no more goes.
    fn renewed<E>(
        before: Option<&Self>,
        secret: TenantSecret,
        mut new_token: impl FnMut() -> Result<CallbackToken, E>,
    ) -> Result<Self, E> {
        let mut tokens = BTreeMap::new();
        for account in secret.platforms.keys() {
            let known = before.and_then(|before| before.tokens.get(account));
            let of = match known {
                Some(known) => known.clone(),
                None => Tokens {
                    current: new_token()?,
                    previous: None,
                },
            };
            tokens.insert(account.clone(), of);
        }
        Ok(Self {
            secret,
            tokens,
            unusable: Vec::new(),
        })
    }

    /// Gives an account this callback token; the one before is accepted until `previous_until`. Returns whether there
    /// is such an account.
    pub fn rotate(
        &mut self,
        account: &AccountId,
        token: CallbackToken,
        previous_until: Timestamp,
    ) -> bool {
        let Some(tokens) = self.tokens.get_mut(account) else {
            return false;
        };
        let before = std::mem::replace(&mut tokens.current, token);
        tokens.previous = Some((before, previous_until));
        true
    }

    /// The JSON text.
    pub fn to_text(&self) -> SecretString {
        let tokens: Fields = self
            .tokens
            .iter()
            .map(|(account, tokens)| {
                let mut of = Fields::new();
                let exposed = |token: &CallbackToken| Value::from(token.0.expose_secret());
                of.insert("current".to_owned(), exposed(&tokens.current));
                if let Some((previous, until)) = &tokens.previous {
                    of.insert("previous".to_owned(), exposed(previous));
                    of.insert("previous_until".to_owned(), until.to_string().into());
                }
                (account.to_string(), of.into())
            })
            .collect();
        let mut whole = credentials(&self.secret);
        whole["callback_tokens"] = tokens.into();
        SecretString::from(whole.to_string())
    }

    /// The tokens of an account that are accepted at `now`.
    pub fn tokens(&self, account: &AccountId, now: Timestamp) -> Option<CallbackTokens> {
        let tokens = self.tokens.get(account)?;
        let previous = tokens.previous.as_ref().filter(|(_, until)| *until > now);
        Some(CallbackTokens {
            current: tokens.current.clone(),
            previous: previous.map(|(token, _)| token.clone()),
        })
    }
}

/// The credentials as JSON.
fn credentials(of: &TenantSecret) -> Value {
    let exposed = |secrets: &PlatformSecret| -> Fields {
        let secrets = secrets.0.iter();
        secrets
            .map(|(name, secret)| (name.clone(), secret.expose_secret().into()))
            .collect()
    };
    let platforms: Fields = of
        .platforms
        .iter()
        .map(|(account, secrets)| (account.to_string(), exposed(secrets).into()))
        .collect();
    let mut whole = serde_json::json!({
        "eploy": {
            "client_id": of.eploy_client_id.expose_secret(),
            "client_secret": of.eploy_client_secret.expose_secret(),
        },
        "platforms": platforms,
    });
    if let Some(hrms) = &of.hrms {
        whole["hrms"] = serde_json::json!({"current": hrms.current.expose_secret()});
        if let Some(previous) = &hrms.previous {
            whole["hrms"]["previous"] = previous.expose_secret().into();
        }
    }
    whole
}

/// A value that a rotation has replaced, if it is present and readable.
fn previous<T>(
    of: &Fields,
    unusable: &mut Vec<String>,
    read: impl FnOnce() -> Result<T, String>,
) -> Option<T> {
    if !of.contains_key("previous") {
        return None;
    }
    read().map_err(|problem| unusable.push(problem)).ok()
}

impl Tokens {
    fn parse(of: &Fields, path: &str, unusable: &mut Vec<String>) -> Result<Self, String> {
        let previous = previous(of, unusable, || {
            let until = one(of, "previous_until", path)?.parse().map_err(|_| {
                format!("{path}.previous_until is not a time like 2026-11-22T10:00:00Z")
            })?;
            Ok((token(of, "previous", path)?, until))
        });
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

/// The text with this name.
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

/// The objects, by account, in the object with this name, each with its path.
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
    use super::*;

    fn whole() -> Value {
        serde_json::json!({
            "eploy": {"client_id": "id-1", "client_secret": "hush-1"},
            "platforms": {"willo": {"api_key": "hush-2"}, "wecp": {"api_key": "hush-3"}},
            "hrms": {"current": "whsec_hush-4", "previous": "whsec_hush-5"},
            "callback_tokens": {"willo": {
                "current": "a".repeat(64),
                "previous": "b".repeat(64),
                "previous_until": "2026-11-22T10:00:00Z",
            }},
        })
    }

    #[test]
    fn a_whole_secret_is_read() {
        let contents = Credentials::parse(&whole().to_string()).unwrap();
        assert_eq!(
            contents.secret().eploy_client_secret.expose_secret(),
            "hush-1"
        );
        let willo = &contents.secret().platforms[&AccountId::new("willo")];
        assert_eq!(willo.0["api_key"].expose_secret(), "hush-2");
        let hrms = contents.secret.hrms.as_ref().unwrap();
        assert_eq!(hrms.current.expose_secret(), "whsec_hush-4");
        assert_eq!(
            hrms.previous.as_ref().unwrap().expose_secret(),
            "whsec_hush-5"
        );
        assert!(!format!("{contents:?}").contains("hush"));
    }

    #[test]
    fn the_previous_token_is_accepted_until_its_time() {
        let contents = Credentials::parse(&whole().to_string()).unwrap();
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
    fn what_is_written_reads_back_and_a_rotation_keeps_the_token_before() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let until = "2026-11-23T10:00:00Z".parse().unwrap();
        let token = |sign: &str| CallbackToken(sign.repeat(64).into());
        let before = Credentials::parse(&whole().to_string()).unwrap();
        let new = || Ok::<_, ()>(token("c"));
        let mut credentials =
            Credentials::renewed(Some(&before), before.secret().clone(), new).unwrap();
        assert!(credentials.rotate(&"willo".into(), token("d"), until));
        assert!(!credentials.rotate(&"nobody".into(), token("d"), until));
        let read = Credentials::parse(credentials.to_text().expose_secret()).unwrap();
        let exposed = |account: &str| {
            let tokens = read.tokens(&account.into(), now).unwrap();
            let previous = tokens
                .previous
                .map(|token| token.0.expose_secret()[..1].to_owned());
            (tokens.current.0.expose_secret()[..1].to_owned(), previous)
        };
        assert_eq!(exposed("willo"), ("d".to_owned(), Some("a".to_owned())));
        assert_eq!(exposed("wecp"), ("c".to_owned(), None));
        assert_eq!(read.secret().eploy_client_id.expose_secret(), "id-1");
        assert_eq!(
            read.secret().platforms[&AccountId::new("wecp")].0["api_key"].expose_secret(),
            "hush-3"
        );
        let hrms = read.secret().hrms.as_ref().unwrap();
        assert_eq!(
            hrms.previous.as_ref().unwrap().expose_secret(),
            "whsec_hush-5"
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
            ("/hrms", Value::from("hush"), "hrms is not an object"),
            ("/hrms/current", Value::from(""), "hrms.current is empty"),
            (
                "/callback_tokens/willo/current",
                Value::from("hush"),
                "callback_tokens.willo.current is not a token",
            ),
        ] {
            let mut broken = whole();
            *broken.pointer_mut(pointer).unwrap() = value;
            let problem = Credentials::parse(&broken.to_string()).unwrap_err();
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
                Credentials::parse(text).unwrap_err().starts_with(expected),
                "{text}"
            );
        }
    }

    /// Everything else works without it.
    #[test]
    fn an_unreadable_replaced_value_is_left_out_and_named() {
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        for (pointer, value, expected) in [
            (
                "/hrms/previous",
                Value::from(1),
                "hrms.previous is not a text",
            ),
            ("/hrms/previous", Value::from(""), "hrms.previous is empty"),
            (
                "/callback_tokens/willo/previous",
                Value::from("hush"),
                "callback_tokens.willo.previous is not a token",
            ),
            (
                "/callback_tokens/willo/previous_until",
                Value::from("hush"),
                "callback_tokens.willo.previous_until is not",
            ),
        ] {
            let mut broken = whole();
            *broken.pointer_mut(pointer).unwrap() = value;
            let read = Credentials::parse(&broken.to_string()).unwrap();
            let [problem] = read.unusable.as_slice() else {
                panic!("{:?}", read.unusable);
            };
            assert!(problem.starts_with(expected), "{problem}");
            assert!(!problem.contains("hush"), "{problem}");
            let hrms = read.secret().hrms.as_ref().unwrap();
            let tokens = read.tokens(&"willo".into(), now).unwrap();
            let kept = (hrms.previous.is_some(), tokens.previous.is_some());
            assert_eq!(
                kept,
                (!pointer.starts_with("/hrms"), pointer.starts_with("/hrms"))
            );
        }
    }

    #[test]
    fn credentials_are_the_same_only_if_all_of_them_are() {
        let credentials = Credentials::parse(&whole().to_string()).unwrap();
        assert!(credentials.has(credentials.secret()));
        for pointer in [
            "/eploy/client_id",
            "/eploy/client_secret",
            "/platforms/willo/api_key",
            "/hrms/current",
            "/hrms/previous",
        ] {
            let mut other = whole();
            *other.pointer_mut(pointer).unwrap() = "another".into();
            let other = Credentials::parse(&other.to_string()).unwrap();
            assert!(!credentials.has(other.secret()), "{pointer}");
        }
    }

    #[test]
    fn a_token_is_sixty_four_hex_digits_and_nothing_less() {
        for wrong in ["g".repeat(64), "a".repeat(63), "a".repeat(65)] {
            let mut broken = whole();
            broken["callback_tokens"]["willo"]["current"] = wrong.into();
            let problem = Credentials::parse(&broken.to_string()).unwrap_err();
            assert!(
                problem.starts_with("callback_tokens.willo.current is not a token"),
                "{problem}"
            );
        }
    }
}
