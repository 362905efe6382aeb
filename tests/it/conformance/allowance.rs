//! The call allowance.

use futures::future::join_all;
use stagecall_core::ids::TenantId;
use stagecall_tests::sample::tenant;

use super::Backend;

const TODAY: &str = "2026-11-22";

fn acme() -> TenantId {
    "acme".into()
}

/// All or nothing, up to the ceiling and not one call above it.
pub async fn calls_are_taken_up_to_the_ceiling(backend: impl Backend) {
    backend.configure(&tenant("acme")).await;
    let allowance = backend.stores().allowance;
    assert_eq!(allowance.taken(&acme(), TODAY).await.unwrap(), 0);
    for (calls, given, taken) in [
        (11, false, 0),
        (4, true, 4),
        (7, false, 4),
        (6, true, 10),
        (1, false, 10),
        (0, true, 10),
    ] {
        let answer = allowance.take(&acme(), TODAY, calls, 10).await.unwrap();
        assert_eq!(answer, given, "{calls} calls");
        assert_eq!(allowance.taken(&acme(), TODAY).await.unwrap(), taken);
    }
}

/// Each day begins at zero, and tenants have separate counts.
pub async fn days_and_tenants_are_apart(backend: impl Backend) {
    let allowance = backend.stores().allowance;
    assert!(allowance.take(&acme(), TODAY, 10, 10).await.unwrap());
    assert!(allowance.take(&acme(), "2026-11-23", 3, 10).await.unwrap());
    assert!(allowance.take(&"other".into(), TODAY, 4, 10).await.unwrap());
    // A call of the day before that comes late finds that day's count.
    assert!(!allowance.take(&acme(), TODAY, 1, 10).await.unwrap());
    assert_eq!(allowance.taken(&acme(), TODAY).await.unwrap(), 10);
    assert_eq!(allowance.taken(&acme(), "2026-11-23").await.unwrap(), 3);
    assert_eq!(allowance.taken(&"other".into(), TODAY).await.unwrap(), 4);
}

/// Forty tasks take three calls each of fifty: sixteen succeed.
pub async fn many_takers_never_exceed_the_ceiling(backend: impl Backend) {
    let allowance = backend.stores().allowance;
    let answers = join_all((0..40).map(|_| {
        let allowance = allowance.clone();
        tokio::spawn(async move { allowance.take(&acme(), TODAY, 3, 50).await.unwrap() })
    }))
    .await;
    let given = answers
        .into_iter()
        .filter(|answer| *answer.as_ref().unwrap());
    assert_eq!(given.count(), 16);
    assert_eq!(allowance.taken(&acme(), TODAY).await.unwrap(), 48);
}

/// Purposes have their own ceilings: polls stop while reports continue.
pub async fn a_lower_ceiling_refuses_what_a_higher_one_gave(backend: impl Backend) {
    let allowance = backend.stores().allowance;
    assert!(allowance.take(&acme(), TODAY, 80, 100).await.unwrap());
    assert!(!allowance.take(&acme(), TODAY, 1, 70).await.unwrap());
    assert!(!allowance.take(&acme(), TODAY, 0, 70).await.unwrap());
    assert!(allowance.take(&acme(), TODAY, 20, 100).await.unwrap());
    assert!(
        allowance
            .take(&acme(), TODAY, u32::MAX - 100, u32::MAX)
            .await
            .unwrap()
    );
    assert!(
        !allowance
            .take(&acme(), TODAY, u32::MAX, u32::MAX)
            .await
            .unwrap()
    );
}
