use super::super::world::{World, entered, mapping, start};
use super::*;
use crate::announcement::{Hire, HireKey};
use crate::invitation::Step;

fn ticker(world: &World) -> Ticker {
    let ports = Arc::new(world.clone());
    Ticker {
        due: ports.clone(),
        queue: ports.clone(),
        clock: ports,
    }
}

#[tokio::test]
async fn whatever_is_due_is_handed_out_as_the_work_that_it_is() {
    let world = World::new();
    let row = entered("1", &mapping("video"), start());
    let (tenant, key, assessment) = (row.key.tenant.clone(), row.key, row.assessment);
    let hire = HireKey {
        tenant: tenant.clone(),
        hire: Hire::Application("1".into()),
    };
    let id = "d".to_owned();
    world.holds().due = vec![
        DueItem::Poll(tenant.clone()),
        DueItem::Invitation(key.clone(), Step::Invite),
        DueItem::Invitation(key.clone(), Step::WriteBack),
        DueItem::Sweep(tenant.clone(), assessment.clone()),
        DueItem::Delivery(tenant.clone(), id.clone()),
        DueItem::Announcement(hire.clone()),
    ];
    assert_eq!(ticker(&world).tick(100).await.unwrap(), 6);
    let queued = std::mem::take(&mut world.holds().queued);
    assert_eq!(
        queued,
        [
            Work::Poll {
                tenant: tenant.clone()
            },
            Work::Invite { key: key.clone() },
            Work::WriteBack {
                key,
                news: false,
                marker: None
            },
            Work::Sweep {
                tenant: tenant.clone(),
                assessment
            },
            Work::Delivery {
                tenant: tenant.clone(),
                id
            },
            Work::Announce { key: hire },
        ]
    );
    assert!(queued.iter().all(|work| *work.tenant() == tenant));

    // No more than there is room for.
    assert_eq!(ticker(&world).tick(2).await.unwrap(), 2);
    assert_eq!(world.holds().queued.len(), 2);
}

#[tokio::test]
async fn where_nothing_is_due_the_queue_is_left_alone() {
    let world = World::new();
    assert_eq!(ticker(&world).tick(100).await.unwrap(), 0);
}
