//! Secrets as they are given: TOML with a table for Eploy, one for each platform account, and one for the HRMS.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use stagecall_core::ids::AccountId;
use stagecall_core::ports::{SigningSecrets, TenantSecret};
use stagecall_core::tenant::Tenant;
use stagecall_platforms::PlatformSpec;

use crate::error::{Error, Result};

/// The table of Eploy's secrets.
pub const EPLOY: &str = "eploy";

/// The table of the secrets that webhooks to the HRMS are signed with.
const HRMS: &str = "hrms";

/// Eploy's secrets: their keys, and what Eploy calls them.
pub const EPLOY_SECRETS: [(&str, &str); 2] = [
    ("client_id", "Client ID"),
    ("client_secret", "Client Secret"),
];

/// Secrets by table and name. Does not print.
pub type Given = BTreeMap<String, BTreeMap<String, SecretString>>;

/// Parses them.
///
/// # Errors
/// The error names the line and quotes nothing: the message of the TOML parser would quote the line, and with it a
/// secret.
pub fn parse(text: &str) -> std::result::Result<Given, String> {
    toml::from_str(text).map_err(|error| {
        let read = error.span().map_or(0, |span| span.start.min(text.len()));
        // Bytes, because the span may start within a character.
        let line = text.as_bytes()[..read].split(|byte| *byte == b'\n').count();
        format!(
            "the secrets are not valid TOML of the expected shape, at line {line}; expected are tables such as [eploy] with client_id and client_secret, and [willo] with api_key, with string values"
        )
    })
}

/// The platform accounts that secrets are given for.
pub(crate) fn accounts(given: &Given) -> impl Iterator<Item = AccountId> + '_ {
    let tables = given.keys().map(String::as_str);
    tables
        .filter(|table| *table != EPLOY && *table != HRMS)
        .map(AccountId::new)
}

/// The kind of a tenant's platform account.
///
/// # Errors
/// There is no such account or kind.
pub fn account_kind(tenant: &Tenant, account: &AccountId) -> Result<&'static PlatformSpec> {
    let connection = tenant.platforms.get(account);
    let connection = connection.ok_or_else(|| no_account(tenant, account))?;
    stagecall_platforms::kind(&connection.kind)
        .ok_or_else(|| Error::Invalid(format!("{} is not a known platform", connection.kind)))
}

pub(crate) fn no_account(tenant: &Tenant, account: &AccountId) -> Error {
    Error::NotFound(format!("{} has no platform account {account}", tenant.id))
}

/// The secrets before, with the given ones in their places.
pub(crate) fn replaced(before: Option<&TenantSecret>, given: &Given) -> Result<TenantSecret> {
    let eploy = |name: &str, known: Option<&SecretString>| {
        let given = given.get(EPLOY).and_then(|eploy| eploy.get(name));
        given
            .or(known)
            .filter(|secret| !secret.expose_secret().is_empty())
            .cloned()
            .ok_or_else(|| {
                Error::Invalid(format!(
                    "eploy.{name} is missing, and there is no current one"
                ))
            })
    };
    let mut platforms = before
        .map(|before| before.platforms.clone())
        .unwrap_or_default();
    for account in accounts(given) {
        let secrets = given[account.as_str()].clone();
        platforms.entry(account).or_default().0.extend(secrets);
    }
    Ok(TenantSecret {
        eploy_client_id: eploy("client_id", before.map(|before| &before.eploy_client_id))?,
        eploy_client_secret: eploy(
            "client_secret",
            before.map(|before| &before.eploy_client_secret),
        )?,
        platforms,
        hrms: match given.get(HRMS) {
            Some(secrets) => Some(signing(secrets)?),
            None => before.and_then(|before| before.hrms.clone()),
        },
    })
}

fn signing(secrets: &BTreeMap<String, SecretString>) -> Result<SigningSecrets> {
    let current = secrets.get("current").cloned();
    Ok(SigningSecrets {
        current: current.ok_or_else(|| Error::Invalid("hrms.current is missing".to_owned()))?,
        previous: secrets.get("previous").cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_texts_are_read() {
        let given = parse("[eploy]\nclient_id = 'hush'\n[willo]\napi_key = \"hush-2\"").unwrap();
        assert_eq!(given["willo"]["api_key"].expose_secret(), "hush-2");
        assert!(!format!("{given:?}").contains("hush"));
    }

    #[test]
    fn an_error_names_its_line_and_quotes_nothing() {
        for (text, line) in [
            ("[eploy]\nclient_id = hush", 2),
            ("[eploy]\n\nclient_id = ['hush']", 3),
            ("hush = 'hush'", 1),
            ("[willo]\napi_key = 'hush\u{fc}", 2),
            ("[willo]\n\u{fc} = 'hush'", 2),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.contains(&format!("at line {line};")),
                "{text}: {error}"
            );
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
