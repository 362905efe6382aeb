//! `doctor` finds each problem of an installation, and none in a sound one.

use stagecall_sandbox::control::SystemSettings;
use stagecall_tests::harness::free_port;

use super::fixture::CliFixture;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_installation_has_nothing_wrong_and_an_unsound_one_has_it_named() {
    let fixture = CliFixture::new(195).await;
    fixture.apply("Shortlist", 1).await;
    fixture.add(&[]).well();
    fixture.run(&["probe", "acme"]).well();
    fixture.map(&[]).well();
    let host = fixture.serve();
    host.logged("mapping turned on").await;
    let out = fixture.run(&["doctor", "acme"]).well();
    assert!(out.contains("No problems found"), "{out}");

    // The key is revoked: the host and the doctor notice. Nothing listens at the callback address.
    let settings = SystemSettings {
        keys: Some(Vec::new()),
        end_tokens: true,
        ..SystemSettings::default()
    };
    fixture.player.set_eploy("acme", &settings).await.unwrap();
    host.logged("tenant suspended").await;
    let nowhere = format!("http://{}/", free_port());
    let done = fixture.run(&["doctor", "--json", "--public-url", &nowhere]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let json = done.json();
    let problems: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["verdict"] == "problem")
        .collect();
    let has = |code: &str, fix: &str| {
        problems
            .iter()
            .any(|one| one["code"] == code && one["fix"].as_str().unwrap().contains(fix))
    };
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(has("eploy.credentials", "API Keys"), "{problems:#?}");
    assert!(
        has("stagecall.callback_address", "POST /callbacks/"),
        "{problems:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callback_address_is_known_by_what_our_listener_answers() {
    let fixture = CliFixture::new(196).await;
    fixture.add(&[]).well();
    // A server answers that is not Stagecall.
    let done = fixture.run(&["doctor", "--public-url", &fixture.sandbox.url()]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.out.contains("not as Stagecall's listener"), "{done:?}");

    let host = fixture.serve();
    let said = |text: &str| {
        let (_, address) = text.split_once("callbacks on ")?;
        Some(address.trim().to_owned())
    };
    let address = stagecall_tests::harness::until("the host says where it listens", async || {
        let out = std::fs::read_to_string(fixture.file("serve.out")).unwrap_or_default();
        said(&out)
    })
    .await;
    let out = fixture.run(&["doctor", "--public-url", &address]).well();
    assert!(out.contains("leads to Stagecall's listener"), "{out}");
    drop(host);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_store_is_reported() {
    let fixture = CliFixture::new(197).await;
    let done = fixture.run(&["doctor", "--store", "sqlite:nowhere/stagecall.db"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(
        done.err
            .contains("there is no store at nowhere/stagecall.db"),
        "{done:?}"
    );
}
