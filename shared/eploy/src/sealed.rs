//! Tokens shared between processes. If more tenants are served than a process keeps open, nearly every poll would
//! request a token. Tokens are sealed under a key derived from the tenant's own client secret, so a copy of the store
//! reveals nothing, and a token of an earlier secret cannot be opened.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use stagecall_core::ids::TenantId;
use stagecall_core::ports::TenantSecret;
use url::Url;

use crate::connection::Connection;
use crate::token::Token;

/// The first byte of a sealed token. The nonce follows, then the ciphertext with its tag.
const FORMAT_VERSION: u8 = 1;
/// The purpose of the derived keys, so that no other use of the secret has the same key.
const SALT: &[u8] = b"stagecall: Eploy's access token";

/// Seals a tenant's tokens. They open only for the same tenant, address, client and scope.
pub(crate) struct Seal<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) api: &'a Url,
    pub(crate) scope: Option<&'a str>,
    pub(crate) secret: &'a TenantSecret,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Content {
    authorization: String,
    scopes: Option<BTreeSet<String>>,
    asked_at: Timestamp,
    renew_at: Timestamp,
}

impl Seal<'_> {
    /// The sealed token; `None` if the system has no randomness or the token cannot be serialised.
    pub(crate) fn seal(&self, token: &Token) -> Option<Vec<u8>> {
        let content = Content {
            authorization: token.authorization.expose_secret().to_owned(),
            scopes: token.scopes.clone(),
            asked_at: token.asked_at,
            renew_at: token.renew_at,
        };
        let mut text = serde_json::to_vec(&content).ok()?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let bound = Nonce::assume_unique_for_key(nonce);
        self.key()?
            .seal_in_place_append_tag(bound, self.context()?, &mut text)
            .ok()?;
        Some([&[FORMAT_VERSION], nonce.as_slice(), &text].concat())
    }

    /// The token, if this opens it.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Token> {
        let (form, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        if *form != FORMAT_VERSION {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let text = self
            .key()?
            .open_in_place(nonce, self.context()?, &mut text)
            .ok()?;
        let content: Content = serde_json::from_slice(text).ok()?;
        Some(Token {
            authorization: SecretString::from(content.authorization),
            scopes: content.scopes,
            cached: true,
            asked_at: content.asked_at,
            renew_at: content.renew_at,
        })
    }

    fn key(&self) -> Option<LessSafeKey> {
        let secret = self.secret.eploy_client_secret.expose_secret().as_bytes();
        let derived = Salt::new(HKDF_SHA256, SALT).extract(secret);
        let key = derived.expand(&[&[FORMAT_VERSION]], &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(key)))
    }

    /// The context of a token, authenticated with it.
    fn context(&self) -> Option<Aad<Vec<u8>>> {
        let client = self.secret.eploy_client_id.expose_secret();
        let of = (self.tenant.as_str(), self.api.as_str(), client, self.scope);
        serde_json::to_vec(&of).ok().map(Aad::from)
    }
}

impl Connection {
    fn seal<'a>(&'a self, secret: &'a TenantSecret) -> Seal<'a> {
        Seal {
            tenant: &self.tenant,
            api: &self.api,
            scope: self.dialect.scope.as_deref(),
            secret,
        }
    }

    /// The token that this or another process cached, if usable. After Eploy refused one token, a newer one may be
    /// cached; after two, a new one is requested.
    pub(crate) async fn cached_token(
        &self,
        operation: &'static str,
        refused: &[Arc<Token>],
    ) -> Option<Token> {
        let cache = self.token_cache.as_ref().filter(|_| refused.len() < 2)?;
        let sealed = match cache.load_token(&self.tenant).await {
            Ok(sealed) => sealed?,
            Err(error) => {
                tracing::warn!(tenant = %self.tenant, %error, "cached token not loaded");
                return None;
            }
        };
        // Without the secret no token can be requested either, and that error says why.
        let secret = self.secret(operation, false).await.ok()?;
        let token = self.seal(&secret).open(&sealed)?;
        let refused = refused
            .iter()
            .any(|one| one.authorization.expose_secret() == token.authorization.expose_secret());
        (token.is_fresh(self.clock.now()) && !refused).then_some(token)
    }

    /// Caches a token that Eploy has just issued for other processes. If that fails they request their own.
    pub(crate) async fn save_token(&self, token: &Token, secret: &TenantSecret) {
        let Some(cache) = &self.token_cache else {
            return;
        };
        let Some(sealed) = self.seal(secret).seal(token) else {
            tracing::warn!(tenant = %self.tenant, "token not sealed, not cached");
            return;
        };
        let saved = cache.save_token(&self.tenant, &sealed, token.renew_at);
        if let Err(error) = saved.await {
            tracing::warn!(tenant = %self.tenant, %error, "token not cached");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::ports::Purpose;

    use super::*;
    use crate::testing::{Answer, Scene, Seen};

    const CANDIDATE: &str = r#"{"CandidateId": 9001, "FirstName": "Ada", "Surname": "Example"}"#;

    /// Issues tokens `token-1`, `token-2` and so on, of which those that `valid` says are accepted.
    fn eploy(valid: impl Fn(&str) -> bool + Send + Sync + 'static) -> Scene {
        Scene::bare(move |request: &Seen| match request.url.path() {
            "/api/token" => {
                let token = format!("token-{}", request.nth);
                Answer::value(&json!({"access_token": token, "expires_in": 3599, "scope": "a.b"}))
            }
            _ if request
                .header("authorization")
                .and_then(|header| header.strip_prefix("Bearer "))
                .is_some_and(&valid) =>
            {
                Answer::ok(CANDIDATE)
            }
            _ => Answer::status(401),
        })
        .keeping_tokens()
    }

    async fn call(process: &Scene) {
        process.client().await.candidate(&"1".into()).await.unwrap();
    }

    #[tokio::test]
    async fn each_tenant_requests_one_token_however_many_tenants_there_are() {
        let scene = Scene::new(|_| Answer::value(&json!({"Records": []})))
            .keeping_tokens()
            .capacity(20);
        let tenants = 21;
        for _ in 0..3 {
            for tenant in 0..tenants {
                let client = scene.client_of(&format!("t{tenant}"), Purpose::Poll).await;
                client.changed_applications(None, 1).await.unwrap();
            }
            scene.clock.pass(60);
        }
        assert_eq!(scene.calls(), 3 * tenants);
        assert_eq!(scene.count("/api/token"), tenants);
        assert_eq!(scene.tokens.saves() as usize, tenants);
    }

    #[tokio::test]
    async fn processes_on_one_store_share_a_token_for_as_long_as_it_lives() {
        let scene = eploy(|_| true);
        call(&scene).await;
        call(&scene.another_process()).await;
        assert_eq!(scene.count("/api/token"), 1);
        scene.clock.pass(3599 - 60);
        call(&scene.another_process()).await;
        assert_eq!(scene.count("/api/token"), 2, "it is renewed before it ends");
        call(&scene).await;
        assert_eq!(scene.count("/api/token"), 2, "and so is that of the first");
        assert_eq!(scene.tokens.saves(), 2);
    }

    #[tokio::test]
    async fn a_cached_token_of_a_clock_that_was_ahead_or_behind_is_not_used() {
        for hours in [-5, 5] {
            let scene = eploy(|_| true);
            call(&scene).await;
            scene.clock.pass(hours * 3600);
            call(&scene.another_process()).await;
            assert_eq!(scene.count("/api/token"), 2, "{hours}");
        }
    }

    #[tokio::test]
    async fn a_cached_token_lives_an_hour_whatever_it_says() {
        let scene = eploy(|_| true);
        let (tenant, api) = (
            "acme".into(),
            "https://acme.eploy.net/api/".parse().unwrap(),
        );
        let secret = secret("secret");
        let seal = Seal {
            tenant: &tenant,
            api: &api,
            scope: None,
            secret: &secret,
        };
        let endless = Token {
            renew_at: Timestamp::MAX,
            ..token()
        };
        scene.tokens.replace("acme", seal.seal(&endless).unwrap());
        call(&scene).await;
        assert_eq!(scene.count("/api/token"), 0);
        scene.clock.pass(3600);
        call(&scene.another_process()).await;
        assert_eq!(scene.count("/api/token"), 1);
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_by_the_newer_one_in_the_cache() {
        let revoked = Arc::new(std::sync::Mutex::new(String::new()));
        let seen = revoked.clone();
        let one = eploy(move |token| *token != *seen.lock().unwrap());
        let other = one.another_process();
        call(&one).await;
        call(&other).await;
        "token-1".clone_into(&mut revoked.lock().unwrap());
        call(&one).await;
        assert_eq!(one.count("/api/token"), 2);
        call(&other).await;
        assert_eq!(one.count("/api/token"), 2, "the other found the second");
        call(&one.another_process()).await;
        assert_eq!(one.count("/api/token"), 2);
    }

    #[tokio::test]
    async fn a_cached_token_that_is_refused_leads_to_a_new_one() {
        let revoked = Arc::new(std::sync::Mutex::new(vec![]));
        let seen = revoked.clone();
        let one = eploy(move |token| !seen.lock().unwrap().contains(&token.to_owned()));
        call(&one).await;
        let other = one.another_process();
        revoked.lock().unwrap().push("token-1".to_owned());
        call(&other).await;
        assert_eq!(one.count("/api/token"), 2);
        // The first has an older one than the cache; neither is accepted.
        revoked.lock().unwrap().push("token-2".to_owned());
        call(&one).await;
        assert_eq!(one.count("/api/token"), 3);
    }

    #[tokio::test]
    async fn tokens_are_requested_if_the_cache_fails_or_is_invalid() {
        let scene = eploy(|_| true);
        call(&scene).await;
        let sealed = scene.tokens.kept("acme").unwrap();
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        for (asked, kept) in [vec![], sealed[..9].to_vec(), changed]
            .into_iter()
            .enumerate()
        {
            scene.tokens.replace("acme", kept);
            call(&scene.another_process()).await;
            assert_eq!(scene.count("/api/token"), 2 + asked);
        }
        scene.tokens.fail();
        call(&scene.another_process()).await;
        assert_eq!(scene.count("/api/token"), 5);
    }

    fn secret(text: &str) -> TenantSecret {
        TenantSecret {
            eploy_client_id: "id".into(),
            eploy_client_secret: text.to_owned().into(),
            platforms: std::collections::BTreeMap::new(),
            hrms: None,
        }
    }

    fn token() -> Token {
        Token {
            authorization: "Bearer to-ken".into(),
            scopes: Some(["a.b".to_owned()].into()),
            cached: false,
            asked_at: "2025-01-24T10:00:00Z".parse().unwrap(),
            renew_at: "2025-01-24T10:59:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_sealed_token_opens_only_in_its_context_and_reveals_nothing() {
        let (acme, other) = (TenantId::from("acme"), TenantId::from("other"));
        let api = |text: &str| text.parse::<Url>().unwrap();
        let (one, elsewhere) = (
            api("https://a.eploy.net/api/"),
            api("https://b.eploy.net/api/"),
        );
        let (right, wrong) = (secret("right"), secret("wrong"));
        let mut client = secret("right");
        client.eploy_client_id = "another".into();
        let seal = Seal {
            tenant: &acme,
            api: &one,
            scope: Some("a.b"),
            secret: &right,
        };
        let sealed = seal.seal(&token()).unwrap();
        assert_ne!(seal.seal(&token()).unwrap(), sealed, "a nonce is used once");
        for part in [b"to-ken".as_slice(), b"right", b"a.b", b"acme"] {
            assert!(!sealed.windows(part.len()).any(|bytes| bytes == part));
        }
        let opened = seal.open(&sealed).unwrap();
        assert_eq!(opened.authorization.expose_secret(), "Bearer to-ken");
        assert_eq!(opened.scopes, token().scopes);
        assert_eq!(
            (opened.asked_at, opened.renew_at),
            (token().asked_at, token().renew_at)
        );
        assert!(opened.cached);
        for others in [
            Seal {
                tenant: &other,
                ..seal
            },
            Seal {
                api: &elsewhere,
                ..seal
            },
            Seal {
                scope: None,
                ..seal
            },
            Seal {
                secret: &wrong,
                ..seal
            },
            Seal {
                secret: &client,
                ..seal
            },
        ] {
            assert!(others.open(&sealed).is_none());
        }
    }
}
