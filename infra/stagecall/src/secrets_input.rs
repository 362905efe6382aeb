//! Secrets as input: TOML with a table for Eploy, one for each platform account, and one for the HRMS.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// Secrets by table and name. Does not print.
pub(crate) type Given = BTreeMap<String, BTreeMap<String, SecretString>>;

/// Parses them.
///
/// # Errors
/// The error names the line and quotes nothing: the message of the TOML parser would quote the line, and with it a
/// secret.
pub(crate) fn parse(text: &str) -> Result<Given, String> {
    toml::from_str(text).map_err(|error| {
        let read = error.span().map_or(0, |span| span.start.min(text.len()));
        // Bytes, because the span may start within a character.
        let line = text.as_bytes()[..read].split(|byte| *byte == b'\n').count();
        format!(
            "the secrets are not valid TOML of the expected shape, at line {line}; expected are tables such as [eploy] with client_id and client_secret, and [willo] with api_key, with string values"
        )
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

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
