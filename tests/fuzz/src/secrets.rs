//! Secrets, where they are kept: as one JSON text for a tenant, and in files of their own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use stagecall_aws::ManagedSecrets;
use stagecall_core::clock::{Clock, SystemClock};
use stagecall_core::credentials::Credentials;
use stagecall_core::error::StoreError;
use stagecall_core::ports::{CallbackTokens, Secrets, TenantSecret};
use stagecall_embedded::{FileSecrets, Source, TenantSources, Vault};
use stagecall_hrms::SigningKey;

use crate::aws::Aws;
use crate::outside::SECRET;
use crate::run::{Target, block};

/// A tenant's secrets as one text.
pub const KEYRING: Target = Target {
    name: "secret-credentials",
    samples: &[
        r#"{"eploy": {"client_id": "client-word", "client_secret": "client-word-2"}, "platforms": {"willo": {"api_key": "api-word"}, "wecp": {"api_key": "api-word-2"}}, "hrms": {"current": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "previous": "whsec_AAAA"}, "callback_tokens": {"willo": {"current": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "previous": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "previous_until": "2026-11-22T10:00:00Z"}}}"#,
        r#"{"eploy": {"client_id": "client-word", "client_secret": "opaque-token"}}"#,
        r#"["client-word", {"api-word": 1}]"#,
        "client-word",
    ],
    check: credentials,
};

/// Files with one secret each.
pub const FILES: Target = Target {
    name: "secret-files",
    samples: &[
        "client-word\n",
        "opaque-token\r\n",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
        "",
    ],
    check: files,
};

/// Nothing of it is told, except where it was put in the place of a name.
fn hidden(message: &str, names: &[String]) -> Result<(), String> {
    let is_name = |word: &str| names.iter().any(|name| name.contains(word));
    match SECRET
        .iter()
        .find(|word| message.contains(**word) && !is_name(word))
    {
        Some(word) => Err(format!("\"{word}\" is repeated in: {message}")),
        None => Ok(()),
    }
}

/// The names in a document.
fn names(of: &Value) -> Vec<String> {
    match of {
        Value::Array(all) => all.iter().flat_map(names).collect(),
        Value::Object(fields) => {
            let within = fields.values().flat_map(names);
            fields.keys().cloned().chain(within).collect()
        }
        _ => Vec::new(),
    }
}

/// It is read the same from Secrets Manager and from the vault, and written again as the same; or it is an error that
/// names the tenant and no value.
fn credentials(input: &[u8], _: u64) -> Result<(), String> {
    let text = String::from_utf8_lossy(input).into_owned();
    let names = names(&serde_json::from_str(&text).unwrap_or_default());
    let parsed = Credentials::parse(&text);
    match &parsed {
        Ok(credentials) => {
            hidden(&format!("{credentials:?}"), &names)?;
            let kept = credentials.to_text();
            let again = Credentials::parse(kept.expose_secret())
                .map_err(|problem| format!("it is not read back: {problem}"))?;
            if again.to_text().expose_secret() != kept.expose_secret() {
                return Err("it is not read back as it was kept".to_owned());
            }
            signing(credentials.secret())?;
        }
        Err(problem) => hidden(problem, &names)?,
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let answer = json!({"Name": "stagecall/acme", "SecretString": text}).to_string();
    let aws = Aws::new(move |_, _| (200, answer.clone().into_bytes()));
    let client = aws_sdk_secretsmanager::Client::new(&aws.config());
    let managed = ManagedSecrets::new(client, "stagecall", clock.clone());
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let store = folder.path().join("stagecall.db");
    let beside = folder.path().join("stagecall.db.secrets");
    std::fs::create_dir(&beside).map_err(|error| error.to_string())?;
    std::fs::write(beside.join("acme.json"), &text).map_err(|error| error.to_string())?;
    let vault = Vault::beside(&store, clock);
    for store in [&managed as &dyn Secrets, &vault] {
        let (secret, tokens) = block(async {
            let secret = store.secret(&"acme".into(), true).await;
            let tokens = store.callback_tokens(&"acme".into(), &"willo".into()).await;
            (secret, tokens)
        })?;
        kept(parsed.as_ref().ok(), secret, tokens, &names)?;
    }
    Ok(())
}

/// What a store says of a secret agrees with what it is.
fn kept(
    expected: Option<&Credentials>,
    secret: Result<TenantSecret, StoreError>,
    tokens: Result<Option<CallbackTokens>, StoreError>,
    names: &[String],
) -> Result<(), String> {
    match (secret, expected) {
        (Ok(secret), Some(expected)) => {
            hidden(&format!("{secret:?}"), names)?;
            let (read, is) = (exposed(&secret), exposed(expected.secret()));
            if read != is {
                return Err("the store reads something else".to_owned());
            }
        }
        (Ok(_), None) => return Err("a secret that makes no sense is given out".to_owned()),
        (Err(error), None) => {
            hidden(&format!("{error} {error:?}"), names)?;
            if !error.lasting || !error.to_string().contains("tenant acme") {
                return Err(format!(
                    "whose it is and that it lasts is not said: {error}"
                ));
            }
        }
        (Err(error), Some(_)) => return Err(format!("a good secret is refused: {error}")),
    }
    match tokens {
        Ok(tokens) => hidden(&format!("{tokens:?}"), names),
        Err(error) => hidden(&format!("{error} {error:?}"), names),
    }
}

fn exposed(secret: &TenantSecret) -> Vec<String> {
    let eploy = [&secret.eploy_client_id, &secret.eploy_client_secret];
    let platforms = secret.platforms.values().flat_map(|of| of.0.values());
    let hrms = secret
        .hrms
        .iter()
        .flat_map(|of| std::iter::once(&of.current).chain(&of.previous));
    let all = eploy.into_iter().chain(platforms).chain(hrms);
    all.map(|one| one.expose_secret().to_owned()).collect()
}

/// A signing secret is a key, or an error that says nothing of it.
fn signing(secret: &TenantSecret) -> Result<(), String> {
    let Some(hrms) = &secret.hrms else {
        return Ok(());
    };
    match SigningKey::read(&hrms.current) {
        Ok(_) if hrms.current.expose_secret().trim().len() < "whsec_".len() + 32 => {
            Err("what is too short to be a secret signs".to_owned())
        }
        Ok(_) => Ok(()),
        // The prefix is everybody's.
        Err(unusable) => hidden(&unusable.to_string().replace("whsec_", ""), &[]),
    }
}

/// A file's secret is what is in it but for a newline; a key file holds a key; errors say nothing of either.
fn files(input: &[u8], _: u64) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (file, good) = (folder.path().join("secret"), folder.path().join("key"));
    std::fs::write(&file, input).map_err(|error| error.to_string())?;
    // There already, because making one waits for the disk.
    std::fs::write(&good, "0f".repeat(32)).map_err(|error| error.to_string())?;
    let is_key = std::str::from_utf8(input).is_ok_and(|text| {
        let text = text.trim();
        text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    match FileSecrets::new(BTreeMap::new(), &file) {
        Ok(_) if !is_key => return Err("what is no key makes tokens".to_owned()),
        Err(error) if is_key => return Err(format!("a key is refused: {error}")),
        Ok(_) => {}
        Err(error) => hidden(&format!("{error} {error:?}"), &[])?,
    }
    let of = |file: &Path| Source::File(file.to_owned());
    let sources = TenantSources {
        eploy_client_id: of(&file),
        eploy_client_secret: of(&file),
        platforms: BTreeMap::new(),
        callbacks: BTreeMap::new(),
        hrms: None,
    };
    let secrets = FileSecrets::new(BTreeMap::from([("acme".into(), sources)]), &good)
        .map_err(|error| error.to_string())?;
    match block(secrets.secret(&"acme".into(), true))? {
        Ok(secret) => {
            hidden(&format!("{secret:?}"), &[])?;
            let read = secret.eploy_client_secret.expose_secret().as_bytes();
            let rest = input.strip_prefix(read);
            if rest.is_some_and(|rest| [&b""[..], b"\n", b"\r\n"].contains(&rest)) {
                Ok(())
            } else {
                Err("a secret is something else than its file has".to_owned())
            }
        }
        Err(error) => {
            hidden(&format!("{error} {error:?}"), &[])?;
            if error.lasting && error.to_string().contains("tenant acme") {
                Ok(())
            } else {
                Err(format!(
                    "whose it is and that it lasts is not said: {error}"
                ))
            }
        }
    }
}
