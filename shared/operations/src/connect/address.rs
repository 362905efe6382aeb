//! Where a tenant's Eploy is.

use url::Url;

use crate::error::{Error, Result};

/// The URL of an Eploy system as people give it: `acme`, `acme.eploy.net` or a URL.
///
/// # Errors
/// It is none of these.
pub fn address(text: &str) -> Result<Url> {
    let text = text.trim();
    let whole = if text.contains("://") {
        text.to_owned()
    } else if text.contains('.') {
        format!("https://{text}/")
    } else {
        format!("https://{text}.eploy.net/")
    };
    Url::parse(&whole).map_err(|error| {
        Error::Invalid(format!(
            "{text} is not a valid address ({error}); give the subdomain (acme) or the URL (https://acme.eploy.net/)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subdomain_a_host_and_a_url_are_accepted() {
        for (text, expected) in [
            ("acme", "https://acme.eploy.net/"),
            (" jobs.acme.example ", "https://jobs.acme.example/"),
            ("https://acme.eploy.net", "https://acme.eploy.net/"),
            (
                "http://127.0.0.1:7070/eploy/acme/",
                "http://127.0.0.1:7070/eploy/acme/",
            ),
        ] {
            assert_eq!(address(text).unwrap().as_str(), expected);
        }
        assert!(address("a b").is_err());
    }
}
