//! Measures what shared commits save: the same inserts one after the other, each waiting for its own commit, and all at
//! once.
//!
//! `cargo run -p stagecall-embedded --example group_commit -- 16000`

use std::path::Path;
use std::time::{Duration, Instant};

use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{ApplicationId, AssessmentRef, InvitationKey};
use stagecall_core::invitation::{Entry, Invitation};
use stagecall_core::ports::{Due as _, Ledger as _};
use stagecall_core::work::Kind;
use stagecall_embedded::Store;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let writes: usize = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "16000".to_owned())
        .parse()?;
    let directory = tempfile::tempdir_in(".")?;
    let one_by_one = one_by_one(&directory.path().join("one-by-one.db"), writes).await?;
    let together = together(&directory.path().join("together.db"), writes).await?;
    println!("one by one: {one_by_one:.2?}");
    println!("together:   {together:.2?}");
    println!(
        "ratio:      {:.1}",
        one_by_one.as_secs_f64() / together.as_secs_f64()
    );
    Ok(())
}

async fn one_by_one(path: &Path, writes: usize) -> Result<Duration, StoreError> {
    let store = Store::open_exclusive(path)?;
    let begun = Instant::now();
    for application in 0..writes {
        store.insert(&invitation(application)).await?;
    }
    Ok(begun.elapsed())
}

async fn together(path: &Path, writes: usize) -> Result<Duration, Box<dyn std::error::Error>> {
    let store = Store::open_exclusive(path)?;
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for application in 0..writes {
        let store = store.clone();
        tasks.spawn(async move { store.insert(&invitation(application)).await });
    }
    while let Some(written) = tasks.join_next().await {
        written??;
    }
    let took = begun.elapsed();
    let begun = Instant::now();
    store.due(Timestamp::now(), &Kind::ALL, 500).await?;
    println!("finding what is due among them: {:.2?}", begun.elapsed());
    Ok(took)
}

fn invitation(application: usize) -> Invitation {
    Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: ApplicationId::new(application.to_string()),
            mapping: "video".into(),
            round: 1,
        },
        "7".into(),
        "8".into(),
        AssessmentRef {
            account: "willo".into(),
            assessment: "interview-1".into(),
        },
        Entry::seen(Timestamp::UNIX_EPOCH),
    )
}
