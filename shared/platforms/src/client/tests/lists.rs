use stagecall_core::error::Phase;
use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn one_account_has_one_rate_limit_however_often_it_is_opened() {
    let script = Arc::new(Script {
        answers: Mutex::new((0..6).map(|_| page(&[], None)).collect()),
        ..Script::default()
    });
    let connections = connections(&script, "k", "k");
    let account = AccountId::from("willo");
    for (settings, took) in [(json!({}), 2.0), (json!({"calls_per_second": 10}), 0.2)] {
        let begun = Instant::now();
        for _ in 0..3 {
            let client = connections
                .open(&tenant(&settings), &account)
                .await
                .unwrap();
            client.assessments().await.unwrap();
        }
        let elapsed = begun.elapsed().as_secs_f64();
        assert!((took..took + 0.1).contains(&elapsed), "{elapsed}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_pages_are_followed() {
    let (client, script) = client([
        page(
            &[json!({"key": KEY, "title": "One"})],
            Some("interviews/?page=2"),
        ),
        page(&[json!({"key": OTHER, "title": "Two"})], None),
    ])
    .await;
    let names: Vec<_> = client
        .assessments()
        .await
        .unwrap()
        .into_iter()
        .map(|a| a.name)
        .collect();
    assert_eq!(names, ["One", "Two"]);
    assert_eq!(
        script.asked(),
        ["GET interviews/?page_size=30", "GET interviews/?page=2"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_next_page_elsewhere_is_not_followed() {
    for next in [
        "https://evil.example/api/integrations/v2/interviews/",
        "https://api.willotalent.com:8443/api/integrations/v2/interviews/",
        "https://api.willotalent.com/api/integrations/v3/interviews/",
        "https://api.willotalent.com/api/integrations/v2/../../../other/",
        "https://key@api.willotalent.com/api/integrations/v2/interviews/",
        "//evil.example/api/integrations/v2/",
    ] {
        let first = answer(200, &json!({"next": next, "results": []}));
        let (client, script) = client([first]).await;
        let error = client.assessments().await.unwrap_err();
        assert_eq!(error.code, "platform.foreign_address", "{next}");
        assert_eq!(script.asked().len(), 1, "{next}");
        // The same from outside, as a continued sweep.
        let error = client
            .list(&AssessmentId::from("i1"), Some(next))
            .await
            .unwrap_err();
        assert_eq!(error.code, "platform.foreign_address", "{next}");
    }
}

/// A broken character in one participant's name must not hide the others' results.
#[tokio::test(start_paused = true)]
async fn a_broken_character_hides_nobody() {
    for name in [&b"\\ud83d"[..], b"Andr\xe9"] {
        let mut body =
            b"\xef\xbb\xbf{\"next\": null, \"results\": [{\"key\": \"a\", \"name\": \"".to_vec();
        body.extend_from_slice(name);
        body.extend_from_slice(b"\"}, {\"key\": \"b\", \"status\": \"completed\"}]}");
        let list = Ok(Response {
            status: 200,
            headers: Vec::new(),
            body,
        });
        let (client, _) = client([list]).await;
        let page = client.list(&AssessmentId::from("i1"), None).await;
        let keys = page.unwrap().lines.into_iter();
        let keys: Vec<_> = keys.map(|one| one.reference.to_string()).collect();
        assert_eq!(keys, ["a", "b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_leads_back_to_itself_ends() {
    let again = || page(&[], Some("interviews/?page=2"));
    let (client, _) = client([again(), again()]).await;
    assert_eq!(
        client.assessments().await.unwrap_err().code,
        "platform.unreadable"
    );
}

#[tokio::test(start_paused = true)]
async fn an_invitation_is_found_by_our_reference_first_and_then_by_address() {
    let row = |key: &str, email: &str, client_ref: Option<&str>| json!({"key": key, "email": email, "external_id": client_ref, "interview": "i1"});
    let (client, _) = client([
        page(
            &[
                row("a", " ADA@example.com", None),
                row("b", "bob@example.com", None),
                json!({"key": "x", "email": "ada@example.com", "interview": {"key": "i2"}}),
            ],
            Some("participants/?page=2"),
        ),
        page(
            &[
                row("a", "ada@example.com", None),
                row("c", "changed@example.com", Some("101.video.1")),
                row("d", "ada@example.com", Some("102.video.1")),
            ],
            None,
        ),
    ])
    .await;
    let found = client
        .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
        .await
        .unwrap();
    let keys: Vec<_> = found.iter().map(|found| found.reference.as_str()).collect();
    assert_eq!(keys, ["c", "a", "d"]);
    assert_eq!(found[2].client_ref.as_deref(), Some("102.video.1"));
}

/// The address was corrected in Eploy after the invitation was sent to the old one.
#[tokio::test(start_paused = true)]
async fn a_candidate_invited_at_another_address_is_found_by_its_digest() {
    let old = || [json!({"key": "a", "email": "Old@example.com"})];
    let (client, _) = client([page(&old(), None), page(&old(), None), page(&old(), None)]).await;
    let digest = client.address_digest(" old@EXAMPLE.com").unwrap();
    assert!(!digest.contains("old") && digest.len() == 32);
    assert_ne!(
        Some(&digest),
        client.address_digest("new@example.com").as_ref()
    );
    let mut found = Vec::new();
    for sent_to in [Some(digest.as_str()), Some("another"), None] {
        let there = client
            .find(
                &"i1".into(),
                &person(),
                "101.video.1",
                sent_to,
                Deadline::NONE,
            )
            .await
            .unwrap();
        found.push(there.len());
    }
    assert_eq!(found, [1, 0, 0]);
}

/// The table alone does not allow to test addresses.
#[tokio::test(start_paused = true)]
async fn a_digest_is_keyed_with_the_accounts_secret() {
    let script = Arc::new(Script::default());
    let mut digests = Vec::new();
    for key in ["key-1", "key-1", "key-2"] {
        let connections = connections(&script, key, key);
        let account = AccountId::from("willo");
        let client = connections.open(&tenant(&json!({})), &account).await;
        digests.push(client.unwrap().address_digest("ada@example.com").unwrap());
    }
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[1], digests[2]);
}

/// Dropping the limiter of an active account would let its next call out too early.
#[tokio::test(start_paused = true)]
async fn the_limiter_of_an_active_account_is_kept_among_thousands() {
    let script = Arc::new(Script {
        answers: Mutex::new((0..3).map(|_| page(&[], None)).collect()),
        ..Script::default()
    });
    let connections = connections(&script, "k", "k");
    let account = AccountId::from("willo");
    let begun = Instant::now();
    for _ in 0..3 {
        let client = connections
            .open(&tenant(&json!({})), &account)
            .await
            .unwrap();
        client.assessments().await.unwrap();
        for other in 0..1200 {
            let mut other_tenant = tenant(&json!({}));
            other_tenant.id = TenantId::new(format!("t{other}"));
            connections.open(&other_tenant, &account).await.unwrap();
        }
    }
    let elapsed = begun.elapsed().as_secs_f64();
    assert!((2.0..2.1).contains(&elapsed), "{elapsed}");
}

#[tokio::test(start_paused = true)]
async fn a_list_with_unnamed_rows_does_not_prove_absence() {
    let nameless = || json!({"key": "a"});
    let other = json!({"key": "b", "email": "bob@example.com"});
    for rows in [vec![nameless(), nameless()], vec![other, nameless()]] {
        let (unnamed, _) = client([page(&rows, None)]).await;
        let error = unnamed
            .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
            .await
            .unwrap_err();
        assert_eq!(
            (error.phase, error.code),
            (Phase::Unknown, "platform.list_without_names")
        );
    }
    let ours = json!({"key": "b", "email": "ada@example.com"});
    let (named, _) = client([page(&[nameless(), ours], None)]).await;
    let found = named
        .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let (empty, _) = client([page(&[], None)]).await;
    assert_eq!(
        empty
            .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
            .await
            .unwrap(),
        []
    );
}

/// So that the caller gets an error, and is not aborted in the middle again and again.
#[tokio::test(start_paused = true)]
async fn a_list_too_long_to_read_does_not_prove_absence() {
    let noon = Noon.now();
    let (client, script) = client([page(&[], None)]).await;
    let too_late = Deadline::at(noon);
    let error = client
        .find(&"i1".into(), &person(), "101.video.1", None, too_late)
        .await
        .unwrap_err();
    assert_eq!(
        (error.phase, error.code),
        (Phase::NotSent, "platform.list_too_long")
    );
    assert_eq!(script.asked(), Vec::<String>::new());
    let in_time = too_late.later(SignedDuration::from_nanos(1));
    let found = client
        .find(&"i1".into(), &person(), "101.video.1", None, in_time)
        .await;
    assert_eq!(found.unwrap(), []);
}

/// A row was removed between two pages: the first row of the second page has moved to the first page.
#[tokio::test(start_paused = true)]
async fn a_list_that_became_shorter_while_it_was_read_is_read_again() {
    let part = |count: u32, keys: &[&str], next: Option<&str>| {
        let row = |key: &&str| json!({"key": key, "email": "ada@example.com", "interview": "i1"});
        let rows: Vec<_> = keys.iter().map(row).collect();
        answer(200, &json!({"count": count, "next": next, "results": rows}))
    };
    let on = Some("participants/?page=2");
    let shrunk = |count| [part(count, &[], on), part(count - 1, &[], None)];
    let [first, second] = shrunk(4);
    // An added row is no reason: it comes later, or a row is read twice.
    let again = [part(3, &["a"], on), part(4, &["b"], None)];
    let (reading, script) = client([first, second].into_iter().chain(again)).await;
    let found = reading
        .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
        .await;
    assert_eq!(found.unwrap().len(), 2);
    assert_eq!(script.asked().len(), 4);

    let (restless, script) = client([9, 8, 7].into_iter().flat_map(shrunk)).await;
    let found = restless
        .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
        .await;
    assert_eq!(found.unwrap_err().phase, Phase::Unknown);
    assert_eq!(script.asked().len(), 6);
}

/// The filter is ignored, or rows name their assessment in an unknown way: a candidate not found may be there
/// nevertheless.
#[tokio::test(start_paused = true)]
async fn a_list_of_other_assessments_does_not_prove_absence() {
    let row =
        |interview: &str| json!({"key": KEY, "email": "bob@example.com", "interview": interview});
    for (pages, absent) in [
        (vec![vec![row("i2")], vec![row("i3")]], false),
        (vec![vec![row("i2")], vec![row("i1")]], true),
        (vec![vec![], vec![]], true),
    ] {
        let answers = [
            page(&pages[0], Some("participants/?page=2")),
            page(&pages[1], None),
        ];
        let (client, _) = client(answers).await;
        let found = client
            .find(&"i1".into(), &person(), "101.video.1", None, Deadline::NONE)
            .await;
        match found {
            Ok(found) => assert!(absent && found.is_empty(), "{pages:?}"),
            Err(error) => {
                assert_eq!(error.phase, Phase::Unknown);
                assert!(!absent, "{pages:?}: {error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweep_reads_one_page_at_a_time() {
    let (client, script) = client([
        page(
            &[json!({"key": KEY, "status": "started"})],
            Some("participants/?interview=i1&page=2"),
        ),
        page(&[], None),
    ])
    .await;
    let first = client.list(&"i1".into(), None).await.unwrap();
    assert_eq!(first.lines.len(), 1);
    let last = client
        .list(&"i1".into(), first.next.as_deref())
        .await
        .unwrap();
    assert_eq!(last.next, None);
    assert_eq!(
        script.asked(),
        [
            "GET participants/?page_size=30&interview=i1",
            "GET participants/?interview=i1&page=2"
        ]
    );
}

/// The cursor is stored, and another process continues with it: the address and the key may have changed by then.
#[tokio::test(start_paused = true)]
async fn the_cursor_is_short_and_within_the_connection() {
    let on = "participants/?interview=i1&page=2";
    let relative = answer(200, &json!({"next": on, "results": []}));
    for first in [page(&[], Some(on)), relative] {
        let (client, _) = client([first]).await;
        let first = client.list(&"i1".into(), None).await.unwrap();
        assert_eq!(first.next.as_deref(), Some(on));
    }
    let endless = format!("{on}&cursor={}", "x".repeat(SweepPage::MAX_NEXT_BYTES));
    for (next, from) in [(endless.as_str(), None), (on, Some(on))] {
        let (client, _) = client([page(&[], Some(next))]).await;
        let error = client.list(&"i1".into(), from).await.unwrap_err();
        assert_eq!(error.code, "platform.unreadable");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_became_shorter_ends_at_its_missing_page() {
    let gone = || answer(404, &json!({"detail": "Invalid page."}));
    let (client, _) = client([gone(), gone()]).await;
    let on = Some("participants/?interview=i1&page=2");
    let page = client.list(&"i1".into(), on).await.unwrap();
    assert_eq!((page.lines, page.next), (Vec::new(), None));
    // The first page is never missing.
    let error = client.list(&"i1".into(), None).await.unwrap_err();
    assert_eq!(error.code, "platform.not_found");
}
