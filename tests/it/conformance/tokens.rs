//! The tenants' sealed tokens.

use stagecall_tests::sample::{at, tenant};

use super::Backend;

/// Byte for byte: the store does not interpret it.
pub async fn the_last_token_saved_is_found(backend: impl Backend) {
    let tokens = backend.stores().tokens;
    let acme = "acme".into();
    assert_eq!(tokens.load_token(&acme).await.unwrap(), None);
    let every_byte: Vec<u8> = (0..=255).collect();
    for sealed in [b"first".as_slice(), &every_byte, b""] {
        tokens.save_token(&acme, sealed, at(4e9)).await.unwrap();
        let found = tokens.load_token(&acme).await.unwrap();
        assert_eq!(found.as_deref(), Some(sealed));
    }
}

/// Those of one tenant from those of another. A removed tenant's is removed.
pub async fn a_removed_tenants_token_goes_and_no_others(backend: impl Backend) {
    let tokens = backend.stores().tokens;
    let names = ["acme", "acme-2", "acme#token"];
    for id in names {
        backend.configure(&tenant(id)).await;
        let saved = tokens.save_token(&id.into(), id.as_bytes(), at(4e9)).await;
        saved.unwrap();
    }
    assert!(backend.remove(&"acme".into()).await);
    for id in names {
        let found = tokens.load_token(&id.into()).await.unwrap();
        let expected = (id != "acme").then(|| id.as_bytes().to_vec());
        assert_eq!(found, expected, "{id}");
    }
}
