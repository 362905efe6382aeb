//! Signatures as the Standard Webhooks specification describes them, version `v1`: HMAC-SHA256 of id, time and body
//! (REFERENCE.md §3).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use stagecall_core::ports::SigningSecrets;

const PREFIX: &str = "whsec_";

/// How many bytes a secret may have (REFERENCE.md §4). An empty one would sign all the same, with a signature
/// that everybody can make.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret, ready to sign with.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

/// Why a secret cannot be used for signing. The text does not contain the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSecret {
    /// It is not serialised as the specification says.
    #[error("it does not begin with {PREFIX}")]
    Prefix,
    /// What follows is not base64.
    #[error("what follows {PREFIX} is not base64")]
    Base64,
    /// It is too short to be a secret, or longer than the specification allows.
    #[error("it has {0} bytes; the Standard Webhooks specification asks for 24 to 64")]
    Length(usize),
}

impl SigningKey {
    /// Parses a secret (`whsec_` and base64).
    pub fn read(secret: &SecretString) -> Result<Self, UnusableSecret> {
        let text = secret.expose_secret().trim();
        let text = text.strip_prefix(PREFIX).ok_or(UnusableSecret::Prefix)?;
        let key = BASE64_STANDARD
            .decode(text)
            .map_err(|_| UnusableSecret::Base64)?;
        if !SECRET_BYTES.contains(&key.len()) {
            return Err(UnusableSecret::Length(key.len()));
        }
        // HMAC accepts any length.
        let hmac = Hmac::new_from_slice(&key).map_err(|_| UnusableSecret::Length(key.len()))?;
        Ok(Self(hmac))
    }

    fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let mut hmac = self.0.clone();
        hmac.update(format!("{id}.{}.", at.as_second()).as_bytes());
        hmac.update(body);
        let signature = BASE64_STANDARD.encode(hmac.finalize().into_bytes());
        format!("v1,{signature}")
    }
}

/// The keys of these secrets, the current one first, each with its name, or the reason why it cannot be used.
pub(crate) fn keys(
    secrets: &SigningSecrets,
) -> impl Iterator<Item = (&'static str, Result<SigningKey, UnusableSecret>)> {
    let previous = secrets.previous.as_ref();
    [("current", &secrets.current)]
        .into_iter()
        .chain(previous.map(|secret| ("previous", secret)))
        .map(|(name, secret)| (name, SigningKey::read(secret)))
}

/// The problems of these secrets. Webhooks are signed without an unusable previous secret, and not sent without a current
/// one.
pub fn unusable(secrets: &SigningSecrets) -> Vec<String> {
    keys(secrets)
        .filter_map(|(name, key)| Some(format!("hrms.{name}: {}", key.err()?)))
        .collect()
}

/// The value of `webhook-signature`: one signature with each key, so that a receiver may have either during a rotation.
pub fn signatures(keys: &[SigningKey], id: &str, at: Timestamp, body: &[u8]) -> String {
    let all: Vec<String> = keys.iter().map(|key| key.sign(id, at, body)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SigningKey, UnusableSecret> {
        SigningKey::read(&text.into())
    }

    /// A test case of the specification's libraries.
    #[test]
    fn the_signature_matches_the_specifications_test_case() {
        let key = read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let value = signatures(
            &[key.clone(), key],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            br#"{"test": 2432232314}"#,
        );
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(value, format!("{one} {one}"));
    }

    #[test]
    fn an_empty_or_weak_secret_signs_nothing() {
        let of = |bytes: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; bytes]));
        assert!(read(&of(24)).is_ok());
        assert!(read(&of(64)).is_ok());
        for (text, expected) in [
            (String::new(), UnusableSecret::Prefix),
            ("secret".to_owned(), UnusableSecret::Prefix),
            ("whsec_".to_owned(), UnusableSecret::Length(0)),
            (of(23), UnusableSecret::Length(23)),
            (of(65), UnusableSecret::Length(65)),
            ("whsec_not base64!".to_owned(), UnusableSecret::Base64),
        ] {
            let error = read(&text).err().unwrap();
            assert_eq!(error, expected, "{text}");
            assert!(text.is_empty() || !error.to_string().contains(&text));
        }
    }
}
