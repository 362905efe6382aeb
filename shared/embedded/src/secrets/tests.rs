use std::fs;

use secrecy::ExposeSecret as _;

use stagecall_core::ports::{Saved, SecretsWriter as _};

use super::*;

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// One tenant whose Eploy secrets are in the environment and whose platform key is in a file.
    fn secrets(&self, callback: CallbackSettings) -> FileSecrets {
        let account = BTreeMap::from([("api_key".to_owned(), Source::File(self.path("willo")))]);
        let sources = TenantSources {
            eploy_client_id: Source::Env("ID".to_owned()),
            eploy_client_secret: Source::Env("SECRET".to_owned()),
            platforms: BTreeMap::from([("willo".into(), account)]),
            callbacks: BTreeMap::from([("willo".into(), callback)]),
            hrms: Some(SigningSources {
                current: Source::Env("HRMS".to_owned()),
                previous: None,
            }),
        };
        let environment = |name: &str| (name != "EMPTY").then(|| format!("value of {name}"));
        FileSecrets::with_environment(
            BTreeMap::from([("acme".into(), sources)]),
            &self.path("callback.key"),
            Box::new(environment),
        )
        .unwrap()
    }
}

async fn api_key(secrets: &FileSecrets, fresh: bool) -> Result<String, StoreError> {
    let secret = secrets.secret(&"acme".into(), fresh).await?;
    assert_eq!(
        secret.eploy_client_secret.expose_secret(),
        "value of SECRET"
    );
    let hrms = secret.hrms.unwrap();
    assert_eq!(hrms.current.expose_secret(), "value of HRMS");
    assert!(hrms.previous.is_none());
    Ok(secret.platforms[&AccountId::from("willo")].0["api_key"]
        .expose_secret()
        .to_owned())
}

async fn tokens(secrets: &FileSecrets) -> (String, Option<String>) {
    let tokens = secrets
        .callback_tokens(&"acme".into(), &"willo".into())
        .await
        .unwrap()
        .unwrap();
    let text = |token: CallbackToken| token.0.expose_secret().to_owned();
    (text(tokens.current), tokens.previous.map(text))
}

#[tokio::test]
async fn a_file_is_reread_only_on_request_and_one_newline_is_dropped() {
    let place = Place::new();
    let secrets = place.secrets(CallbackSettings::default());
    fs::write(place.path("willo"), "one\r\n").unwrap();
    assert_eq!(api_key(&secrets, false).await.unwrap(), "one");
    fs::write(place.path("willo"), "two\n\n").unwrap();
    assert_eq!(api_key(&secrets, false).await.unwrap(), "one");
    assert_eq!(api_key(&secrets, true).await.unwrap(), "two\n");
    assert_eq!(api_key(&secrets, false).await.unwrap(), "two\n");
}

#[tokio::test]
async fn missing_secrets_are_named_without_values() {
    let place = Place::new();
    let secrets = place.secrets(CallbackSettings::default());
    let path = place.path("willo");
    let error = api_key(&secrets, false).await.unwrap_err().to_string();
    for part in ["acme", "willo.api_key", path.to_str().unwrap()] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("value of"), "{error}");

    fs::write(&path, "\n").unwrap();
    let error = api_key(&secrets, false).await.unwrap_err().to_string();
    assert!(error.contains("is empty"), "{error}");

    let mut unset = place.secrets(CallbackSettings::default());
    unset
        .sources
        .get_mut(&TenantId::from("acme"))
        .unwrap()
        .eploy_client_id = Source::Env("EMPTY".to_owned());
    fs::write(&path, "one").unwrap();
    let error = api_key(&unset, false).await.unwrap_err().to_string();
    for part in ["acme", "eploy_client_id", "EMPTY"] {
        assert!(error.contains(part), "{error}");
    }

    let error = secrets.secret(&"other".into(), false).await.unwrap_err();
    assert!(error.to_string().contains("other"), "{error}");
}

#[tokio::test]
async fn tokens_are_256_bits_stay_the_same_and_differ_by_account() {
    let place = Place::new();
    let (current, previous) = tokens(&place.secrets(CallbackSettings::default())).await;
    assert_eq!(hex::decode(&current).unwrap().len(), 32);
    assert_eq!(previous, None);
    let again = place.secrets(CallbackSettings::default());
    assert_eq!(tokens(&again).await.0, current);
    assert_ne!(
        again
            .token(&"acme".into(), &"wecp".into(), 1)
            .0
            .expose_secret(),
        current
    );
    let unknown = again.callback_tokens(&"acme".into(), &"wecp".into()).await;
    assert!(unknown.unwrap().is_none());
}

#[tokio::test]
async fn a_token_is_the_hmac_of_its_name() {
    let place = Place::new();
    // Computed with another implementation of HMAC-SHA256.
    fs::write(place.path("callback.key"), "0b".repeat(32)).unwrap();
    let (current, _) = tokens(&place.secrets(CallbackSettings::default())).await;
    assert_eq!(
        current,
        "cb50f57011cc71af80941e3f15eac6067439039a7467945bc989fe9c58f7e98a"
    );
}

#[tokio::test]
async fn the_previous_token_is_accepted_while_the_rotation_says_so() {
    let place = Place::new();
    let (first, _) = tokens(&place.secrets(CallbackSettings::default())).await;
    let rotated = |generation, accept_previous| {
        place.secrets(CallbackSettings {
            generation,
            accept_previous,
        })
    };
    let (second, previous) = tokens(&rotated(2, true)).await;
    assert_ne!(second, first);
    assert_eq!(previous, Some(first));
    assert_eq!(tokens(&rotated(2, false)).await, (second, None));
    assert_eq!(tokens(&rotated(1, true)).await.1, None);
}

#[test]
fn a_key_file_is_created_once_and_for_its_owner_only() {
    let place = Place::new();
    let path = place.path("callback.key");
    place.secrets(CallbackSettings::default());
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(hex::decode(text.trim()).unwrap().len(), 32);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    place.secrets(CallbackSettings::default());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read_dir(place.directory.path()).unwrap().count(), 1);
}

#[test]
fn a_damaged_key_file_is_refused_without_showing_it() {
    let place = Place::new();
    let path = place.path("callback.key");
    for bad in ["", "abcd", &"zz".repeat(32)] {
        fs::write(&path, bad).unwrap();
        let error = FileSecrets::new(BTreeMap::new(), &path)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("64 hex digits"), "{error}");
        assert!(bad.is_empty() || !error.contains(bad), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
}

#[test]
fn a_name_that_would_make_tokens_ambiguous_is_refused() {
    let place = Place::new();
    let sources = TenantSources {
        eploy_client_id: Source::Env("ID".to_owned()),
        eploy_client_secret: Source::Env("SECRET".to_owned()),
        platforms: BTreeMap::from([("a/b".into(), BTreeMap::new())]),
        callbacks: BTreeMap::new(),
        hrms: None,
    };
    let error = FileSecrets::new(
        BTreeMap::from([("acme".into(), sources)]),
        &place.path("callback.key"),
    );
    assert!(error.err().unwrap().to_string().contains("a/b"));
}

/// A stopped clock.
struct At(&'static str);

impl stagecall_core::clock::Clock for At {
    fn now(&self) -> stagecall_core::Timestamp {
        self.0.parse().unwrap()
    }
}

fn vault(place: &Place, now: &'static str) -> Vault {
    Vault::beside(&place.path("stagecall.db"), std::sync::Arc::new(At(now)))
}

fn credentials(key: &str) -> TenantSecret {
    let willo = PlatformSecret(BTreeMap::from([(
        "api_key".to_owned(),
        key.to_owned().into(),
    )]));
    TenantSecret {
        eploy_client_id: "id".to_owned().into(),
        eploy_client_secret: "secret".to_owned().into(),
        platforms: BTreeMap::from([("willo".into(), willo)]),
        hrms: None,
    }
}

/// One process reads at once what another writes; a rotated token is accepted until its expiry.
#[tokio::test]
async fn the_vault_stores_what_commands_write() {
    let place = Place::new();
    let (acme, willo) = (TenantId::from("acme"), AccountId::from("willo"));
    let commands = vault(&place, "2026-11-22T10:00:00Z");
    let host = FileSecrets::new(BTreeMap::new(), &place.path("callback.key"))
        .unwrap()
        .or(vault(&place, "2026-11-22T10:00:00Z"));
    assert!(host.secret(&acme, false).await.is_err());
    assert!(host.callback_tokens(&acme, &willo).await.unwrap().is_none());
    let one = credentials("one");
    let saved = commands.put_secret(&acme, None, &one).await;
    assert_eq!(saved.unwrap(), Saved::Saved);
    assert!(commands.has(&acme));
    let key = async || {
        let secret = host.secret(&acme, false).await.unwrap();
        secret.platforms[&willo].0["api_key"]
            .expose_secret()
            .to_owned()
    };
    assert_eq!(key().await, "one");
    let token = async |secrets: &dyn Secrets| {
        let tokens = secrets
            .callback_tokens(&acme, &willo)
            .await
            .unwrap()
            .unwrap();
        let exposed = |token: &CallbackToken| token.0.expose_secret().to_owned();
        (
            exposed(&tokens.current),
            tokens.previous.as_ref().map(exposed),
        )
    };
    let (first, none) = token(&host).await;
    assert_eq!((first.len(), none), (64, None));
    // Another operator has read what the first one replaces.
    let saved = commands
        .put_secret(&acme, Some(&one), &credentials("two"))
        .await;
    assert_eq!(saved.unwrap(), Saved::Saved);
    for before in [Some(&one), None] {
        let saved = commands
            .put_secret(&acme, before, &credentials("three"))
            .await;
        assert_eq!(saved.unwrap(), Saved::Conflict);
    }
    assert_eq!(key().await, "two");
    assert_eq!(
        token(&host).await.0,
        first,
        "new credentials leave the token"
    );
    let until = "2026-11-23T10:00:00Z".parse().unwrap();
    commands
        .rotate_callback_token(&acme, &willo, until)
        .await
        .unwrap();
    let (second, previous) = token(&host).await;
    assert_ne!(second, first);
    assert_eq!(previous, Some(first));
    let later = vault(&place, "2026-11-23T10:00:00Z");
    assert_eq!(token(&later).await, (second, None));
    let nobody = commands
        .rotate_callback_token(&acme, &"wecp".into(), until)
        .await;
    assert!(nobody.unwrap_err().to_string().contains("no account wecp"));
    assert!(commands.remove_secret(&acme).await.unwrap());
    assert!(!commands.remove_secret(&acme).await.unwrap());
    assert!(host.secret(&acme, false).await.is_err());
}

/// Each reads, adds an account and writes; no account is lost, and drafts do not collide.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_concurrent_change_is_lost() {
    let place = std::sync::Arc::new(Place::new());
    let acme = TenantId::from("acme");
    let first = vault(&place, "2026-11-22T10:00:00Z");
    first
        .put_secret(&acme, None, &credentials("one"))
        .await
        .unwrap();
    let changes = (0..16).map(|number| {
        let (place, acme) = (place.clone(), acme.clone());
        tokio::spawn(async move {
            let vault = vault(&place, "2026-11-22T10:00:00Z");
            loop {
                let before = vault.secret(&acme, true).await.unwrap();
                let mut secret = before.clone();
                let account = AccountId::new(format!("account-{number}"));
                secret.platforms.insert(account, PlatformSecret::default());
                let saved = vault.put_secret(&acme, Some(&before), &secret).await;
                if saved.unwrap() == Saved::Saved {
                    return;
                }
            }
        })
    });
    for change in changes.collect::<Vec<_>>() {
        change.await.unwrap();
    }
    let secret = first.secret(&acme, true).await.unwrap();
    assert_eq!(secret.platforms.len(), 17);
}

/// A crashed writer has left its draft, under the name of an earlier version or of this one.
#[tokio::test]
async fn drafts_are_removed() {
    let place = Place::new();
    let vault = vault(&place, "2026-11-22T10:00:00Z");
    let folder = place.path("stagecall.db.secrets");
    let acme = TenantId::from("acme");
    vault
        .put_secret(&acme, None, &credentials("one"))
        .await
        .unwrap();
    let drafts = ["acme.4711.new", "acme.new", "acme-2.4711.new"].map(|name| folder.join(name));
    let left = || drafts.clone().map(|draft| draft.exists());
    let die = || {
        for draft in &drafts {
            fs::write(draft, "hush").unwrap();
        }
    };
    die();
    let until = "2026-11-23T10:00:00Z".parse().unwrap();
    vault
        .rotate_callback_token(&acme, &"willo".into(), until)
        .await
        .unwrap();
    assert_eq!(left(), [false, false, true]);
    die();
    assert!(vault.remove_secret(&acme).await.unwrap());
    assert_eq!(left(), [false, false, true]);
}

/// Everything works without the previous secret of a rotation.
#[tokio::test]
async fn a_missing_previous_signing_secret_is_left_out() {
    let place = Place::new();
    let sources = TenantSources {
        eploy_client_id: Source::Env("ID".to_owned()),
        eploy_client_secret: Source::Env("SECRET".to_owned()),
        platforms: BTreeMap::new(),
        callbacks: BTreeMap::new(),
        hrms: Some(SigningSources {
            current: Source::Env("HRMS".to_owned()),
            previous: Some(Source::File(place.path("nowhere"))),
        }),
    };
    let secrets = FileSecrets::with_environment(
        BTreeMap::from([("acme".into(), sources)]),
        &place.path("callback.key"),
        Box::new(|name| Some(format!("value of {name}"))),
    );
    let secret = secrets.unwrap().secret(&"acme".into(), false).await;
    let hrms = secret.unwrap().hrms.unwrap();
    assert_eq!(hrms.current.expose_secret(), "value of HRMS");
    assert!(hrms.previous.is_none());
}

/// A name from outside reaches no other file.
#[tokio::test]
async fn the_vault_cannot_leave_its_folder() {
    let place = Place::new();
    fs::write(place.path("acme.json"), "{}").unwrap();
    let vault = vault(&place, "2026-11-22T10:00:00Z");
    for name in ["../acme", "", "a/b", "..", "a.b"] {
        let tokens = vault.callback_tokens(&name.into(), &"willo".into()).await;
        assert!(tokens.unwrap().is_none(), "{name}");
        assert!(!vault.has(&name.into()), "{name}");
    }
}
