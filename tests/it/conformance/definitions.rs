//! Versions of mappings.

use stagecall_core::tenant::{Mapping, Reentry};
use stagecall_tests::sample::{self, tenant};

use super::Backend;

fn mapping() -> Mapping {
    serde_json::from_value(serde_json::json!({
        "id": "video",
        "vacancies": {"only": ["4101"]},
        "triggers": [{"stage": "12", "stage_name": "Video Interview"}],
        "assessment": sample::assessment(),
    }))
    .unwrap()
}

/// Operational fields are no part of it, and saving the same version again changes nothing.
pub async fn a_definition_stays_as_it_was_saved(backend: impl Backend) {
    let definitions = backend.stores().definitions;
    let first = Mapping {
        paused: true,
        include_current: true,
        ..mapping()
    };
    let second = Mapping {
        reentry: Reentry::Again,
        expires_after_days: Some(3),
        ..first.clone()
    };
    let (tenant, id) = ("acme".into(), &first.id);
    let load = |version| definitions.load_definition(&tenant, id, version);
    let (one, two) = (first.definition_id(), second.definition_id());
    assert_eq!(load(&one).await.unwrap(), None);
    for mapping in [&first, &second, &first] {
        definitions.save_definition(&tenant, mapping).await.unwrap();
    }
    assert_eq!(load(&one).await.unwrap(), Some(first.as_definition()));
    assert_eq!(load(&two).await.unwrap(), Some(second.as_definition()));
    assert_eq!(first.as_definition().definition_id(), one);
}

/// Those of one tenant or mapping from those of another, with any names.
pub async fn definitions_are_apart(backend: impl Backend) {
    let definitions = backend.stores().definitions;
    let one = mapping();
    let version = one.definition_id();
    definitions
        .save_definition(&"acme".into(), &one)
        .await
        .unwrap();
    for (tenant, id) in [
        ("acme", "other"),
        ("other", one.id.as_str()),
        ("acme#x", "y"),
    ] {
        let found = definitions
            .load_definition(&tenant.into(), &id.into(), &version)
            .await;
        assert_eq!(found.unwrap(), None, "{tenant} {id}");
    }
}

/// Those of another tenant stay.
pub async fn a_removed_tenants_definitions_go(backend: impl Backend) {
    let definitions = backend.stores().definitions;
    let one = mapping();
    for id in ["acme", "acme-2"] {
        backend.configure(&tenant(id)).await;
        definitions.save_definition(&id.into(), &one).await.unwrap();
    }
    assert!(backend.remove(&"acme".into()).await);
    for (tenant, stays) in [("acme", false), ("acme-2", true)] {
        let found = definitions
            .load_definition(&tenant.into(), &one.id, &one.definition_id())
            .await;
        assert_eq!(found.unwrap().is_some(), stays, "{tenant}");
    }
}
