use super::*;
use crate::announcement::{Hire, HireKey};
use crate::fake_ports::{FakePorts, entered, mapping, start};
use crate::invitation::Step;
use crate::ports::DueItem;
use crate::timing::seconds;

fn ticker(fake: &FakePorts) -> Scheduler {
    let ports = Arc::new(fake.clone());
    let shares = Shares {
        share: 3,
        lease: seconds(30.0),
    };
    Scheduler::new(ports.clone(), ports.clone(), ports, shares)
}

fn queued(fake: &FakePorts) -> Vec<Work> {
    std::mem::take(&mut fake.data().queued)
}

fn steps(count: usize) -> Vec<DueItem> {
    let row = |n: usize| entered(&n.to_string(), &mapping("video"), start());
    (0..count)
        .map(|n| DueItem::Invitation(row(n).key, Step::Invite))
        .collect()
}

#[tokio::test]
async fn every_due_item_is_enqueued_as_its_work() {
    let fake = FakePorts::new();
    let row = entered("1", &mapping("video"), start());
    let (tenant, key, assessment) = (row.key.tenant.clone(), row.key, row.assessment);
    let hire = HireKey {
        tenant: tenant.clone(),
        hire: Hire::Application("1".into()),
    };
    let id = "d".to_owned();
    fake.data().due = vec![
        DueItem::Invitation(key.clone(), Step::Invite),
        DueItem::Invitation(key.clone(), Step::WriteBack),
        DueItem::Sweep(tenant.clone(), assessment.clone()),
        DueItem::Delivery(tenant.clone(), id.clone()),
        DueItem::Poll(tenant.clone()),
        DueItem::Announcement(hire.clone()),
    ];
    assert_eq!(ticker(&fake).tick().await.unwrap(), 6);
    let queued = queued(&fake);
    assert_eq!(
        queued,
        [
            Work::Poll {
                tenant: tenant.clone()
            },
            Work::Delivery {
                tenant: tenant.clone(),
                id
            },
            Work::WriteBack {
                key: key.clone(),
                news: false,
                change_token: None
            },
            Work::Invite { key },
            Work::Sweep {
                tenant: tenant.clone(),
                assessment
            },
            Work::Announce { key: hire },
        ]
    );
    assert!(queued.iter().all(|work| *work.tenant() == tenant));
}

#[tokio::test]
async fn where_nothing_is_due_the_queue_is_left_alone() {
    let fake = FakePorts::new();
    assert_eq!(ticker(&fake).tick().await.unwrap(), 0);
}

#[tokio::test]
async fn an_enqueued_item_is_left_to_the_queue_for_a_lease() {
    let fake = FakePorts::new();
    let ticker = ticker(&fake);
    fake.data().due = steps(5);
    assert_eq!(ticker.tick().await.unwrap(), 3, "a share");
    assert_eq!(ticker.tick().await.unwrap(), 0, "the share is out");
    let first = queued(&fake);
    // One is done.
    fake.data().due.remove(0);
    assert_eq!(ticker.tick().await.unwrap(), 1);
    assert!(!first.contains(&queued(&fake)[0]));
    fake.pass(31);
    assert_eq!(ticker.tick().await.unwrap(), 3, "it may be lost");
    // Of a clock that was ahead.
    fake.pass(-1000);
    assert_eq!(ticker.tick().await.unwrap(), 3);
}

#[tokio::test]
async fn what_the_queue_did_not_take_has_no_lease() {
    let fake = FakePorts::new();
    let ticker = ticker(&fake);
    fake.data().due = steps(2);
    fake.data().queue_fails = true;
    ticker.tick().await.unwrap_err();
    fake.data().queue_fails = false;
    assert_eq!(ticker.tick().await.unwrap(), 2);
}

#[tokio::test]
async fn an_item_that_is_not_due_yet_is_enqueued_without_a_lease() {
    let fake = FakePorts::new();
    let ticker = ticker(&fake);
    fake.pass(-60);
    fake.data().due = steps(7);
    ticker.look_ahead().await.unwrap();
    // Due items come first, and every other one gets its turn, however many there are.
    fake.data().due.clear();
    assert_eq!(ticker.tick().await.unwrap(), 7);
    assert_eq!(ticker.tick().await.unwrap(), 0);
    fake.data().due = steps(2);
    assert_eq!(ticker.tick().await.unwrap(), 2);
}

/// Each attempt to process a delivery counts.
#[tokio::test]
async fn a_delivery_is_not_looked_into_ahead_of_its_time() {
    let fake = FakePorts::new();
    let ticker = ticker(&fake);
    fake.pass(-60);
    fake.data().due = vec![DueItem::Delivery("acme".into(), "d".to_owned())];
    ticker.look_ahead().await.unwrap();
    fake.data().due.clear();
    assert_eq!(ticker.tick().await.unwrap(), 0);
}
