//! Replacing a tenant's credentials, or a callback token.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::ids::AccountId;
use stagecall_core::ports::TenantSecret;
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::{after, seconds};

use crate::actor::Actor;
use crate::change::Change;
use crate::credentials::{self, Given};
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::time::local;

/// What to replace.
#[derive(Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// The new credentials.
    pub given: Given,
    /// The platform account that gets a new callback token.
    pub callback: Option<AccountId>,
    /// For how many hours the previous token is still accepted.
    pub keep_hours: u32,
}

/// Credentials that are to be replaced.
#[derive(Debug)]
pub struct Rotation {
    tenant: Tenant,
    given: Given,
    callback: Option<AccountId>,
    /// Until when the previous token is accepted.
    until: Timestamp,
    /// The same, as people read it.
    until_local: String,
}

/// Prepares replacing credentials.
///
/// # Errors
/// Nothing is to be replaced, there is no such tenant or account, or the store fails.
pub async fn prepare(on: &Installation, question: Question) -> Result<Rotation> {
    let tenant = on.tenant(&question.tenant).await?;
    let Question {
        given, callback, ..
    } = question;
    if given.is_empty() && callback.is_none() {
        return Err(Error::Invalid(
            "nothing to rotate: pass --eploy, --platform, --secrets or --callback".to_owned(),
        ));
    }
    for account in credentials::accounts(&given).chain(callback.clone()) {
        if !tenant.platforms.contains_key(&account) {
            return Err(credentials::no_account(&tenant, &account));
        }
    }
    let keep = seconds(f64::from(question.keep_hours) * 3600.0);
    let until = after(on.clock.now(), keep);
    Ok(Rotation {
        tenant,
        given,
        callback,
        until,
        until_local: local(until, &on.zone),
    })
}

#[async_trait]
impl Change for Rotation {
    /// The names of what was replaced.
    type Done = Vec<String>;

    fn in_words(&self) -> String {
        let id = &self.tenant.id;
        let credentials = self.given.keys().map(|group| {
            format!(
                "The {group} credentials of {id} will be replaced; the previous ones are deleted."
            )
        });
        let callback = self.callback.iter().map(|account| {
            format!(
                "The callback token of {account} for {id} will be replaced; the previous one is accepted until {}. The host registers the new one automatically. On AWS, register it before then, but not within the next five minutes, which the functions may need to load it: stagecall register {id}.",
                self.until_local
            )
        });
        let parts: Vec<String> = credentials.chain(callback).collect();
        parts.join("\n")
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Vec<String>> {
        let id = &self.tenant.id;
        let mut groups: Vec<String> = self.given.keys().cloned().collect();
        if !self.given.is_empty() {
            let change = |before: Option<&TenantSecret>| {
                let mut secret = credentials::replaced(before, &self.given)?;
                let configured = &self.tenant.platforms;
                secret
                    .platforms
                    .retain(|account, _| configured.contains_key(account));
                Ok::<_, Error>(secret)
            };
            on.change_secret(id, change).await?;
        }
        if let Some(account) = &self.callback {
            on.vault
                .rotate_callback_token(id, account, self.until)
                .await?;
            groups.push(format!("callback {account}"));
        }
        let target = groups.join(", ");
        actor.record(on, "tenant rotate", Some(id), target).await?;
        Ok(groups)
    }
}
