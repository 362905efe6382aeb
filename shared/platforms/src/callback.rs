//! The callback address, as it is registered.

use secrecy::ExposeSecret as _;
use stagecall_core::ports::CallbackAddress;
use url::Url;

/// The part before the token: every registration under it is ours, whatever its token.
pub(crate) fn prefix(address: &CallbackAddress) -> Url {
    let mut url = address.public_url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let path = format!(
        "{}/{}/",
        url.path().trim_end_matches('/'),
        address.path.trim_matches('/')
    );
    url.set_path(&path);
    url
}

/// The whole address for one event. The event is in the query because not every platform says in the body which one
/// it is (REFERENCE.md §7, seen live).
pub(crate) fn whole(address: &CallbackAddress, event: &str) -> Url {
    let mut url = prefix(address);
    let path = format!("{}{}", url.path(), address.token.0.expose_secret());
    url.set_path(&path);
    url.query_pairs_mut().append_pair("event", event);
    url
}

#[cfg(test)]
mod tests {
    use stagecall_core::ports::CallbackToken;

    use super::*;

    #[test]
    fn slashes_are_normalised() {
        for (public_url, path) in [
            ("https://hooks.example.com", "callbacks/acme/willo"),
            ("https://hooks.example.com/", "/callbacks/acme/willo/"),
        ] {
            let address = CallbackAddress {
                public_url: Url::parse(public_url).unwrap(),
                path: path.to_owned(),
                token: CallbackToken("t0k".to_owned().into()),
            };
            assert_eq!(
                prefix(&address).as_str(),
                "https://hooks.example.com/callbacks/acme/willo/"
            );
            assert_eq!(
                whole(&address, "new_score").as_str(),
                "https://hooks.example.com/callbacks/acme/willo/t0k?event=new_score"
            );
        }
    }
}
