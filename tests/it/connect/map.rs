//! Mappings: chosen by name, saved without inviting anyone, shown and changed.

use stagecall_tests::harness::until;

use super::fixture::CliFixture;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saving_a_mapping_never_invites_its_baseline() {
    let fixture = CliFixture::new(191).await;
    let there = fixture.apply("Video Interview", 2).await;
    let later = fixture.apply("Shortlist", 1).await[0].application;
    // High enough never to slow down polls.
    fixture.add(&["--daily-calls", "10000000"]).well();
    fixture.run(&["probe", "acme"]).well();
    // The host runs already when the mapping is saved: the worst case.
    let polls = async || {
        let calls = fixture.player.calls(0).await.unwrap().records;
        let searches = calls
            .iter()
            .filter(|call| call.operation == "eploy.applications.search");
        searches.count()
    };
    let before = polls().await;
    let host = fixture.serve();
    until("acme is polled", async || {
        (polls().await > before + 1).then_some(())
    })
    .await;
    fixture.map(&[]).well();
    host.logged("mapping turned on").await;
    fixture
        .player
        .move_to("acme", &[later], "Video Interview", None)
        .await
        .unwrap();
    let invitations = until("the later one is invited", async || {
        let found = fixture.player.invitations(0).await.unwrap().records;
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(invitations.len(), 1);
    for judged in fixture.player.judgement("acme").await.unwrap() {
        let was_there = there
            .iter()
            .any(|one| one.application == judged.application.id);
        assert_eq!(judged.invitations.is_empty(), was_there, "{judged:?}");
    }
    // Pausing, resuming and saving another mapping for the same stage changes nothing for them either.
    fixture
        .run(&["map", "pause", "acme", "first-interview", "--yes"])
        .well();
    fixture
        .run(&["map", "resume", "acme", "first-interview", "--yes"])
        .well();
    let list = fixture.run(&["map", "list", "acme"]).well();
    assert!(list.contains("first-interview"), "{list}");
    assert_eq!(fixture.player.invitations(0).await.unwrap().next, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mappings_are_chosen_by_name_or_id_and_errors_are_reported() {
    let fixture = CliFixture::new(192).await;
    fixture.apply("Shortlist", 1).await;
    fixture.add(&[]).well();
    fixture.run(&["probe", "acme"]).well();
    for (arguments, message) in [
        (&["--vacancy", "Cook"][..], "Support Worker (4101)"),
        (&["--stage", "Offer"], "Video Interview (12)"),
        (&["--id", "a b"], "letters, digits"),
        (&["--question", "percent"], "percent=276"),
        (&["--note", "finished"], "`completed`"),
        (&["--outcome", "completed=Done"], "Completed (103)"),
        (&["--account", "wecp"], "wecp"),
    ] {
        let done = fixture.map(arguments);
        assert_ne!(done.code, Some(0), "{arguments:?}");
        assert!(done.err.contains(message), "{arguments:?}: {}", done.err);
    }
    let nowhere = [
        "map",
        "add",
        "acme",
        "--all-vacancies",
        "--stage",
        "12",
        "--assessment",
        "First interview",
    ];
    let done = fixture.run(&nowhere);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("not be shown anywhere"), "{}", done.err);
    // Whoever is there would be invited: that has to be said.
    let done = fixture.map(&["--include-current"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("will also be invited"), "{}", done.err);

    let done = fixture.map(&[
        "--status",
        "To Be Completed",
        "--question",
        "percent=276",
        "--move",
        "completed=13:34",
        "--again",
        "--outcome",
        "invited=101",
        "--outcome",
        "completed=Completed",
        "--expires-after-days",
        "14",
        "--json",
    ]);
    let mapping = done.json();
    assert_eq!(mapping["triggers"][0]["statuses"][0], "34");
    assert_eq!(mapping["report"]["action"]["outcomes"]["completed"], "103");
    assert_eq!(mapping["report"]["moves"][0]["stage"], "13");
    assert_eq!(mapping["reentry"], "again");
    // A second one for the same applications must be requested, and gets its own id.
    let done = fixture.map(&["--json"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("--allow-overlap"), "{}", done.err);
    let done = fixture.map(&["--allow-overlap", "--json"]);
    assert_eq!(done.json()["id"], "first-interview-2");
    let shown = fixture
        .run(&["map", "show", "acme", "first-interview"])
        .well();
    assert!(
        shown.contains("question     276 shows the percent"),
        "{shown}"
    );
    fixture
        .run(&["map", "remove", "acme", "first-interview-2", "--yes"])
        .well();
    let gone = fixture.run(&["map", "show", "acme", "first-interview-2"]);
    assert_eq!(gone.code, Some(4), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_shows_what_would_be_written_and_writes_nothing() {
    let fixture = CliFixture::new(193).await;
    let at = fixture.apply("Video Interview", 1).await[0]
        .application
        .to_string();
    let elsewhere = fixture.apply("Shortlist", 1).await[0]
        .application
        .to_string();
    fixture.add(&[]).well();
    fixture.run(&["probe", "acme"]).well();
    fixture.map(&["--question", "percent=276"]).well();
    let before = fixture.player.writes(0).await.unwrap().next;
    let out = fixture
        .run(&[
            "map",
            "test",
            "acme",
            "first-interview",
            "--application",
            &at,
        ])
        .well();
    for words in [
        "It would not be invited: baseline",
        "outcome 103",
        "8 of 10",
        "question 276: 80",
        "Nothing was written",
    ] {
        assert!(out.contains(words), "\"{words}\": {out}");
    }
    let other = fixture.run(&[
        "map",
        "test",
        "acme",
        "first-interview",
        "--application",
        &elsewhere,
        "--json",
    ]);
    assert_eq!(other.json()["triggered"], false);
    let none = fixture.run(&[
        "map",
        "test",
        "acme",
        "first-interview",
        "--application",
        "1",
    ]);
    assert_eq!(none.code, Some(4), "{none:?}");
    assert_eq!(fixture.player.writes(0).await.unwrap().next, before);
    assert_eq!(fixture.player.invitations(0).await.unwrap().next, 0);
}
