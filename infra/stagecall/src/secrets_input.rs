//! Secrets as a command is given them: TOML with a table for Eploy, one for each platform account, and one for the HRMS.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// Secrets by table and name. Does not print.
pub(crate) type Given = BTreeMap<String, BTreeMap<String, SecretString>>;

/// Reads them.
///
/// # Errors
/// Says in which line it is not what is expected, and nothing of what is there: the message of TOML's reader would quote
/// the line, and with it a secret.
pub(crate) fn parse(text: &str) -> Result<Given, String> {
    toml::from_str(text).map_err(|error| {
        let read = error.span().map_or(0, |span| span.start.min(text.len()));
        // Bytes, because a place may be within a sign.
        let line = text.as_bytes()[..read].split(|byte| *byte == b'\n').count();
        format!(
            "the secrets are not TOML of the expected shape, at line {line}; give tables such as [eploy] with client_id and client_secret, and [willo] with api_key, all of them texts"
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
    fn what_is_wrong_is_told_by_its_line_and_never_quoted() {
        for (text, line) in [
            ("[eploy]\nclient_id = hush", 2),
            ("[eploy]\n\nclient_id = ['hush']", 3),
            ("hush = 'hush'", 1),
            ("[willo]\napi_key = 'hush\u{fc}", 2),
            ("[willo]\n\u{fc} = 'hush'", 2),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(&format!("at line {line};")), "{text}: {told}");
            assert!(!told.contains("hush"), "{told}");
        }
    }
}
