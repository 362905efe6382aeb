//! `doctor` finds what is wrong with an installation, and nothing where nothing is.

use stagecall_sandbox::control::SystemSettings;
use stagecall_tests::rig::free_port;

use super::office::Office;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_installation_has_nothing_wrong_and_an_unsound_one_has_it_named() {
    let office = Office::new(195).await;
    office.apply("Shortlist", 1).await;
    office.add(&[]).well();
    office.run(&["probe", "acme"]).well();
    office.map(&[]).well();
    let host = office.serve();
    host.logged("the mapping is on").await;
    let out = office.run(&["doctor", "acme"]).well();
    assert!(out.contains("Nothing is wrong"), "{out}");

    // The key is withdrawn; the host notices, and so does the doctor. Nobody answers at the callback address.
    let settings = SystemSettings {
        keys: Some(Vec::new()),
        end_tokens: true,
        ..SystemSettings::default()
    };
    office.player.set_eploy("acme", &settings).await.unwrap();
    host.logged("the tenant is suspended").await;
    let nowhere = format!("http://{}/", free_port());
    let done = office.run(&["doctor", "--json", "--public-url", &nowhere]);
    assert_eq!(done.code, Some(3), "{done:?}");
    let json = done.json();
    let problems: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["verdict"] == "problem")
        .collect();
    let has = |code: &str, mend: &str| {
        problems
            .iter()
            .any(|one| one["code"] == code && one["mend"].as_str().unwrap().contains(mend))
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
    let office = Office::new(196).await;
    office.add(&[]).well();
    // Something that answers, and is not Stagecall.
    let done = office.run(&["doctor", "--public-url", &office.sandbox.url()]);
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.out.contains("not as Stagecall's listener"), "{done:?}");

    let host = office.serve();
    let said = |text: &str| {
        let (_, address) = text.split_once("callbacks on ")?;
        Some(address.trim().to_owned())
    };
    let address = stagecall_tests::rig::until("the host says where it listens", async || {
        let out = std::fs::read_to_string(office.file("serve.out")).unwrap_or_default();
        said(&out)
    })
    .await;
    let out = office.run(&["doctor", "--public-url", &address]).well();
    assert!(out.contains("leads to Stagecall's listener"), "{out}");
    drop(host);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_not_there_is_told() {
    let office = Office::new(197).await;
    let done = office.run(&["doctor", "--store", "sqlite:nowhere/stagecall.db"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(
        done.err
            .contains("there is no store at nowhere/stagecall.db"),
        "{done:?}"
    );
}
