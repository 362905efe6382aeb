//! Candidates that are merged in Eploy: from then on the application belongs to another candidate.

use super::polling::{changes, poll, polled, row_of, seen, state, wait};
use crate::fake_ports::at_trigger;
use crate::ports::UnparsableRecord;

#[tokio::test]
async fn an_invitation_follows_its_application_to_the_candidate_that_it_was_merged_into() {
    let fake = polled().await;
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    poll(&fake).await;
    let mut merged = seen("1", at_trigger(), 500);
    merged.candidate = "8000".into();
    for _ in 0..2 {
        changes(&fake, vec![merged.clone()]);
        wait(&fake);
        poll(&fake).await;
    }
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.candidate, "8000".into());
    let happened = row.history.iter();
    let adopted = happened.filter(|one| one.what == "candidate_merged");
    assert_eq!(adopted.count(), 1);
    assert_eq!(fake.data().rows.len(), 1, "nobody is invited because of it");
}

/// It is listed until it can be read, however many polls follow.
#[tokio::test]
async fn a_record_that_could_not_be_read_is_remembered_until_it_can_be() {
    let fake = polled().await;
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    fake.data().changed[0].set_aside = vec![UnparsableRecord {
        id: Some("2".to_owned()),
        reason: "Vacancy is missing".to_owned(),
    }];
    poll(&fake).await;
    changes(&fake, Vec::new());
    wait(&fake);
    poll(&fake).await;
    let unread = state(&fake).poll.unread;
    assert_eq!(unread.len(), 1);
    assert_eq!(unread[0].id.as_deref(), Some("2"));
    assert_eq!(unread[0].reason, "Vacancy is missing");
    changes(&fake, vec![seen("2", at_trigger(), 600)]);
    wait(&fake);
    poll(&fake).await;
    assert!(state(&fake).poll.unread.is_empty());
}
