use super::*;
use crate::events::What;
use crate::fake_ports::{FakePorts, entered, mapping, tenant, time};
use crate::invitation::State;
use crate::result::{AssessmentResult, Score, Status};
use crate::tenant::{PoolOutcome, PoolPlan, Vacancies};
use crate::work::Work;

/// A pool for candidates that completed `video` with at least 70 %.
fn pool() -> Mapping {
    let after = PoolOutcome {
        mapping: "video".into(),
        on: Moment::Completed,
        min_percent: Some(70),
    };
    let mut pool = mapping("pool");
    pool.triggers.clear();
    pool.assessment.assessment = "talents".into();
    pool.kind = MappingKind::Pool(PoolPlan {
        tags: Vec::new(),
        after: vec![after],
    });
    pool
}

fn outcome(pool: &mut Mapping) -> &mut PoolOutcome {
    match &mut pool.kind {
        MappingKind::Pool(plan) => &mut plan.after[0],
        other => panic!("{other:?}"),
    }
}

/// Completed, with this score.
fn completed(percent: Option<f64>) -> Invitation {
    let mut result = AssessmentResult::bare("r".into(), Status::Completed);
    result.score = percent.map(|percent| Score::of(percent, Some(100.0)));
    Invitation {
        state: State::Completed,
        snapshot: Some(result.snapshot()),
        ..entered("1", &mapping("video"), time(0))
    }
}

/// A setup in which the outcome of `row` was evaluated.
async fn fed(row: &Invitation, pool: Mapping) -> FakePorts {
    let fake = FakePorts::new();
    let tenant = tenant(vec![mapping("video"), pool]);
    feed(&fake.engine(), &tenant, row).await.unwrap();
    fake
}

async fn takes_it(row: &Invitation, pool: Mapping) -> bool {
    !fed(row, pool).await.data().rows.is_empty()
}

#[tokio::test]
async fn a_good_result_is_saved_for_the_pool_once() {
    let mut row = completed(Some(82.0));
    row.key.round = 2;
    let fake = fed(&row, pool()).await;
    let key = InvitationKey {
        mapping: "pool".into(),
        round: 1,
        ..row.key.clone()
    };
    {
        let data = fake.data();
        let place = &data.rows[&key];
        assert_eq!(data.rows.len(), 1);
        assert!(place.pooled);
        assert_eq!(place.assessment.assessment, "talents".into());
        assert_eq!(
            (&place.candidate, &place.vacancy),
            (&row.candidate, &row.vacancy)
        );
        assert_eq!(data.queued, [Work::Invite { key: key.clone() }]);
        assert_eq!(data.published, [What::Detected { invitation: key }]);
    }
    let tenant = tenant(vec![pool()]);
    feed(&fake.engine(), &tenant, &row).await.unwrap();
    let data = fake.data();
    assert_eq!(
        (data.rows.len(), data.queued.len(), data.published.len()),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn a_pool_takes_from_its_percentage_on() {
    for (percent, least, taken) in [
        (Some(70.0), Some(70), true),
        (Some(69.9), Some(70), false),
        (None, Some(70), false),
        (Some(1.0), None, true),
        (None, None, true),
    ] {
        let mut pool = pool();
        outcome(&mut pool).min_percent = least;
        let row = completed(percent);
        assert_eq!(takes_it(&row, pool).await, taken, "{percent:?} {least:?}");
    }
}

#[tokio::test]
async fn what_else_came_of_it_is_no_reason_for_the_pool() {
    let row = completed(Some(82.0));
    let started = Invitation {
        state: State::Started,
        ..row.clone()
    };
    assert!(!takes_it(&started, pool()).await);

    let mut of_another = pool();
    outcome(&mut of_another).mapping = "test".into();
    assert!(!takes_it(&row, of_another).await);

    let mut elsewhere = pool();
    elsewhere.vacancies = Vacancies::Only(["4102".into()].into());
    assert!(!takes_it(&row, elsewhere).await);

    let mut paused = pool();
    paused.paused = true;
    assert!(!takes_it(&row, paused).await);
}
