//! Injection: from any name or text of candidates, vacancies and reviewers, Eploy gets text without markup, no template is
//! run, and nothing of it is stored.

use serde_json::json;
use stagecall_sandbox::control::{
    CandidateAct, EditCandidate, NewApplications, NewVacancy, ReviewerAct,
};
use stagecall_tests::harness::{Customer, Harness, until};

use super::privacy::{ALL_LOGS, forbidden, left};

/// Ends every context that it could be in, and has template syntax. The words are searched for later.
const HOSTILE: &str = "quagga\"'></p><script>alert('quagga')</script><img src=x onerror=alert(1)>{{ 7 * 7 }}{% for x in y %}{# gone #}&lt;b&gt;\u{202e}javascript:alert(1)";

/// The tags of our own text. Any other was injected.
const OURS: [&str; 12] = [
    "<p>",
    "</p>",
    "<strong>",
    "</strong>",
    "<ul>",
    "</ul>",
    "<li>",
    "</li>",
    "<small>",
    "</small>",
    "</a>",
    "<a href=\"https:&#x2f;&#x2f;app.willotalent.com&#x2f;show&#x2f;",
];

/// A tenant's own words, with values in an attribute and in filters.
const OWN: &str = "<p title=\"{{ comments[0].text }}\">{{ parts|join(', ')|upper }}{% for comment in comments %}<i>{{ comment.text|trim }}</i>{% endfor %}</p>";

/// One hostile candidate of a hostile vacancy, invited and judged by a hostile reviewer; what Eploy then shows.
async fn judged_by_the_hostile(harness: &Harness, customer: &Customer) -> String {
    let vacancy = NewVacancy {
        title: HOSTILE.to_owned(),
        ..NewVacancy::default()
    };
    let vacancy = harness
        .player
        .vacancy(&customer.name, &vacancy)
        .await
        .unwrap();
    let new = NewApplications {
        stage: Some("Shortlist".to_owned()),
        ..NewApplications::new(vacancy, 1)
    };
    let created = harness.player.apply(&customer.name, &new).await.unwrap()[0];
    let named = EditCandidate {
        first_name: Some(format!("Zebedee {HOSTILE}")),
        surname: Some(format!("\r\nbcc: everybody@example.com {HOSTILE}")),
        mobile: Some("<script>07700 900123</script>".to_owned()),
        ..EditCandidate::default()
    };
    harness
        .player
        .edit_candidate(&customer.name, created.candidate, &named)
        .await
        .unwrap();
    let id = created.application;
    customer.enter(&[id]).await;
    let invited = customer.invited(id).await;
    let of = &invited.participants;
    customer.act(of, CandidateAct::Answer).await;
    let score = ReviewerAct::Score {
        title: HOSTILE.to_owned(),
        value: 7.0,
        max: 10.0,
    };
    customer.review(of, score).await;
    let text = HOSTILE.to_owned();
    customer.review(of, ReviewerAct::Comment { text }).await;
    customer.scored(id, 70.0).await;
    let action = until("the comment is in Eploy", async || {
        let action = customer.shows(id, "Completed").await;
        let told = action.comments_html.as_deref()?.to_lowercase();
        (told.matches("alert(&#x27;quagga").count() >= 2).then_some(action)
    })
    .await;
    let link = action.link.unwrap();
    assert!(
        link.starts_with("https://app.willotalent.com/show/"),
        "{link}"
    );
    let told = action.comments_html.unwrap();
    assert!(!told.contains("Zebedee") && !told.contains("bcc"), "{told}");
    assert!(!told.contains("49"), "a template was run: {told}");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_words_arrive_as_words() {
    let mut harness = Harness::new(151).await;
    let (acme, other) = (
        harness.customer("acme").await,
        harness.customer("other").await,
    );
    harness.open_to_callbacks();
    harness.logs = ALL_LOGS;
    for name in ["acme", "other"] {
        harness.mapping(name)["vacancies"] = json!("all");
        let quirks = json!({"callback_body": "dump"});
        harness.player.switch_willo(name, quirks).await.unwrap();
    }
    harness.mapping("other")["report"]["texts"] = json!({"comments": OWN});
    harness.start_for(&[&acme, &other]).await;

    let told = judged_by_the_hostile(&harness, &acme).await;
    for (place, _) in told.match_indices('<') {
        let tag = &told[place..];
        assert!(OURS.iter().any(|ours| tag.starts_with(ours)), "{tag}");
    }
    assert!(told.contains("{{ 7 * 7 }}"), "{told}");

    let told = judged_by_the_hostile(&harness, &other).await;
    let tags = ["<p title=\"", "<i>", "</i>", "</p>"];
    for (place, _) in told.match_indices('<') {
        let tag = &told[place..];
        assert!(tags.iter().any(|ours| tag.starts_with(ours)), "{tag}");
    }
    assert_eq!(
        told.matches('"').count(),
        2,
        "the attribute was left: {told}"
    );

    // In the end, no person, no comment and no secret is in the files or in the log.
    let mut needles = forbidden(&harness, &acme).await;
    needles.extend(["quagga", "Zebedee", "onerror", "900123", "bcc:"].map(str::to_owned));
    let kept = || {
        let mut kept = left(harness.folder(), &needles);
        // The other customer's secrets and the words of the configuration are where they belong.
        kept.retain(|(file, _)| !file.starts_with("other-") && file != "stagecall.toml");
        kept
    };
    assert_eq!(kept(), Vec::new());
    harness.kill();
    assert_eq!(
        left(harness.folder(), &needles)
            .into_iter()
            .filter(|(file, _)| file.starts_with("stagecall.db") || file.ends_with(".log"))
            .collect::<Vec<_>>(),
        Vec::new()
    );
}
