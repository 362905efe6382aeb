//! Results, lists, and their cost in calls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stagecall_core::ids::Reference;
use stagecall_core::ports::{CallbackAddress, CallbackToken, Registration, SweepPage};
use stagecall_core::result::Status;
use url::Url;

use super::{Scene, each};

#[tokio::test]
async fn every_promised_status_is_returned() {
    each(async |scene| {
        for (number, status) in (1..).zip(scene.capabilities.statuses.clone()) {
            let reference = scene.invited(number).await;
            let name = scene.kind.name;
            assert!(
                scene.stand.bring_to(&reference, status).await,
                "{name} promises {status:?}, and its stand-in cannot play it"
            );
            let result = scene.platform.result(&scene.first, &reference).await;
            assert_eq!(result.unwrap().status, status, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_completed_result_is_returned_in_full() {
    each(async |scene| {
        let begun = Timestamp::now();
        let reference = scene.invited(1).await;
        assert!(scene.stand.bring_to(&reference, Status::Completed).await);
        scene.stand.score_again(&reference).await;
        let result = scene.platform.result(&scene.first, &reference).await;
        let result = result.unwrap();
        let name = scene.kind.name;
        assert_eq!(result.reference, reference, "{name}");
        let completed_at = result.completed_at.unwrap();
        // To the second, as some platforms write times.
        assert!(completed_at.as_second() >= begun.as_second(), "{name}");
        assert!(completed_at <= Timestamp::now(), "{name}");
        let percent = result.score.unwrap().percent.unwrap();
        assert!((0.0..=100.0).contains(&percent), "{name}: {percent}");
        let link = Url::parse(&result.report_link.unwrap()).unwrap();
        let base = Url::parse(&scene.stand.base_url()).unwrap();
        assert!(scene.kind.owns(&link) || link.host() == base.host());
    })
    .await;
}

#[tokio::test]
async fn an_unknown_reference_is_returned_as_cancelled() {
    each(async |scene| {
        let nobody = Reference::new("00000000000000000000000000000000");
        let result = scene.platform.result(&scene.first, &nobody).await;
        assert_eq!(result.unwrap().status, Status::Cancelled);
    })
    .await;
}

/// The list's change tokens and statuses.
async fn seen(scene: &Scene) -> BTreeMap<Reference, (Option<Status>, String)> {
    let list = scene.list().await;
    list.into_iter()
        .map(|line| (line.reference, (line.status, line.change_token)))
        .collect()
}

#[tokio::test]
async fn a_list_shows_each_change_and_no_other() {
    each(async |scene| {
        assert_eq!(scene.list().await, [], "{}", scene.kind.name);
        let mut all = Vec::new();
        for number in 1..=4 {
            all.push(scene.invited(number).await);
        }
        let fresh = seen(scene).await;
        assert_eq!(fresh.len(), all.len(), "{}", scene.kind.name);
        assert_eq!(seen(scene).await, fresh, "{}", scene.kind.name);

        assert!(scene.stand.bring_to(&all[0], Status::Started).await);
        assert!(scene.stand.bring_to(&all[1], Status::Completed).await);
        let later = seen(scene).await;
        let changed = |reference: &&Reference| fresh[*reference].1 != later[*reference].1;
        let changed: Vec<_> = all.iter().filter(changed).collect();
        assert_eq!(changed, [&all[0], &all[1]], "{}", scene.kind.name);
        for (at, status) in [
            (0, Status::Started),
            (1, Status::Completed),
            (2, Status::Sent),
        ] {
            let listed = later[&all[at]].0;
            assert!(listed.is_none_or(|listed| listed == status), "{listed:?}");
        }

        scene.stand.score_again(&all[1]).await;
        let scored = seen(scene).await;
        assert_ne!(scored[&all[1]].1, later[&all[1]].1, "{}", scene.kind.name);
        assert_eq!(seen(scene).await, scored, "{}", scene.kind.name);
    })
    .await;
}

#[tokio::test]
async fn where_the_list_is_always_cheaper_it_is_one_call_and_a_result_another() {
    each(async |scene| {
        if scene.capabilities.list_from > 0 {
            return;
        }
        let mut last = None;
        for number in 1..=40 {
            last = Some(scene.invited(number).await);
        }
        let before = scene.calls().await.len();
        assert_eq!(scene.list().await.len(), 40);
        assert_eq!(scene.calls().await.len(), before + 1, "{}", scene.kind.name);
        let result = scene.platform.result(&scene.first, &last.unwrap()).await;
        assert!(result.is_ok());
        assert_eq!(scene.calls().await.len(), before + 2, "{}", scene.kind.name);
    })
    .await;
}

/// The link to the next page is saved, and another process continues with it.
#[tokio::test]
async fn a_list_that_was_left_off_is_gone_on_with_elsewhere() {
    each(async |scene| {
        let name = scene.kind.name;
        let mut all = BTreeSet::new();
        for number in 1..=40 {
            all.insert(scene.invited(number).await);
        }
        let mut next = None;
        let mut pages = 0;
        loop {
            let elsewhere = scene.opened_anew().await;
            let page = elsewhere.list(&scene.first, next.as_deref());
            let page = page.await.unwrap();
            for line in page.lines {
                assert!(
                    all.remove(&line.reference),
                    "{name}: listed twice, or not ours"
                );
            }
            pages += 1;
            next = page.next;
            let Some(next) = &next else {
                break;
            };
            assert!(next.len() <= SweepPage::MAX_NEXT_BYTES, "{name}");
        }
        assert!(all.is_empty(), "{name}: {all:?} after {pages} pages");
        assert_eq!(pages > 1, scene.capabilities.list_from > 0, "{name}");
    })
    .await;
}

#[tokio::test]
async fn callbacks_are_registered_once_where_they_are_promised() {
    each(async |scene| {
        let address = CallbackAddress {
            public_url: Url::parse("https://hooks.example.com/").unwrap(),
            path: format!("callbacks/acme/{}/", scene.kind.name),
            token: CallbackToken("t".to_owned().into()),
        };
        let assessments = [scene.first.clone()];
        let register = || scene.platform.register_callbacks(&address, &assessments);
        let first = register().await.unwrap();
        if scene.capabilities.callbacks {
            assert!(first.created > 0 && scene.kind.reader.is_some());
            let kept = Registration {
                kept: first.created,
                ..Registration::default()
            };
            assert_eq!(register().await.unwrap(), kept, "{}", scene.kind.name);
        } else {
            assert_eq!(first, Registration::default(), "{}", scene.kind.name);
        }
    })
    .await;
}
