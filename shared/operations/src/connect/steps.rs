//! The steps of connecting a tenant. What each step is given is saved at once, so that the work can stop at any point and
//! continue later.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::json;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::TenantSecret;
use stagecall_core::tenant::{PlatformConnection, Tenant};
use stagecall_platforms::{PlatformSpec, names};
use url::Url;

use super::checks;
use crate::actor::Actor;
use crate::credentials::{EPLOY, Given, replaced};
use crate::error::{Error, Result};
use crate::finding::{Finding, any_problem};
use crate::installation::Installation;

/// Settings of a tenant's Eploy; `None`: as they are, or the default.
#[derive(Clone, Debug, Default)]
pub struct EploySettings {
    /// Where it is; a new tenant needs it.
    pub address: Option<Url>,
    /// The maximum number of calls per day.
    pub daily_calls: Option<u32>,
    /// Seconds between polls.
    pub poll_seconds: Option<u32>,
}

/// Settings of a platform account.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// The platform.
    pub platform: String,
    /// The account's name; `None`: the platform's.
    pub name: Option<String>,
    /// The URL of the platform's API, if it is not the default.
    pub base_url: Option<Url>,
}

/// A platform account that is to be saved.
pub struct Account {
    /// Its name.
    pub id: AccountId,
    /// Its platform, with the secrets that it needs.
    pub kind: &'static PlatformSpec,
    connection: PlatformConnection,
}

/// A tenant whose connections are being set up.
#[derive(Debug)]
pub struct Connecting {
    id: TenantId,
    new: bool,
    /// The tenant, with what was given since.
    tenant: Option<Tenant>,
    stored: Option<TenantSecret>,
}

impl Connecting {
    /// Begins with a tenant's name, or continues with what is saved of it.
    ///
    /// # Errors
    /// It cannot be a name, or the store fails.
    pub async fn begin(on: &Installation, name: &str) -> Result<Self> {
        let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(Error::Invalid(format!(
                "\"{name}\" is not a valid tenant name: use only letters, digits, - and _"
            )));
        }
        let id = TenantId::new(name);
        let tenant = on.tenants.tenant(&id).await?;
        Ok(Self {
            new: tenant.is_none(),
            tenant,
            // The store's error for missing credentials looks like its other errors; those show again on writing.
            stored: on.vault.secret(&id, true).await.ok(),
            id,
        })
    }

    /// Whether the address of its Eploy has to be given.
    pub fn needs_address(&self) -> bool {
        self.tenant.is_none()
    }

    /// Whether a platform account has to be given.
    pub fn needs_account(&self) -> bool {
        let tenant = self.tenant.as_ref();
        tenant.is_none_or(|tenant| tenant.platforms.is_empty())
    }

    /// Whether Eploy's credentials are saved.
    pub fn has_eploy_secrets(&self) -> bool {
        self.stored.is_some()
    }

    /// Whether a secret of a platform account is saved.
    pub fn has_secret(&self, account: &AccountId, key: &str) -> bool {
        let stored = self.stored.as_ref();
        let of_account = stored.and_then(|stored| stored.platforms.get(account));
        of_account.is_some_and(|secrets| secrets.0.contains_key(key))
    }

    /// Sets the Eploy of the tenant; it is not saved yet. A new tenant is paused until its connections work.
    ///
    /// # Errors
    /// The settings are invalid.
    pub fn set_eploy(&mut self, settings: EploySettings) -> Result<()> {
        let mut tenant = match (&self.tenant, &settings.address) {
            (Some(known), _) => known.clone(),
            (None, Some(address)) => {
                let new = json!({"id": self.id, "paused": true, "eploy": {"base_url": address}});
                serde_json::from_value(new).map_err(|error| Error::Invalid(error.to_string()))?
            }
            (None, None) => {
                return Err(Error::Invalid(format!(
                    "the address of the Eploy of {} is missing",
                    self.id
                )));
            }
        };
        let eploy = &mut tenant.eploy;
        eploy.base_url = settings.address.unwrap_or_else(|| eploy.base_url.clone());
        eploy.daily_calls = settings.daily_calls.unwrap_or(eploy.daily_calls);
        eploy.poll_seconds = settings.poll_seconds.unwrap_or(eploy.poll_seconds);
        let problems = stagecall_eploy::validate(&tenant.eploy);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems.join("\n")));
        }
        self.tenant = Some(tenant);
        Ok(())
    }

    /// Saves the tenant with its Eploy and the credentials of that; those that are not given stay. Returns what checking the
    /// connection found.
    ///
    /// # Errors
    /// The Eploy is not set, credentials are missing, or the store fails.
    pub async fn save_eploy(
        &mut self,
        on: &Installation,
        actor: &Actor,
        secrets: BTreeMap<String, SecretString>,
    ) -> Result<Vec<Finding>> {
        let tenant = begun(&self.id, &mut self.tenant)?;
        let given = Given::from([(EPLOY.to_owned(), secrets)]);
        let change = |before: Option<&TenantSecret>| replaced(before, &given);
        on.change_secret(&tenant.id, change).await?;
        on.records.put_tenant(tenant).await?;
        if self.new {
            let id = &tenant.id;
            actor
                .record(on, "tenant add", Some(id), id.as_str())
                .await?;
            self.new = false;
        }
        Ok(checks::eploy(on, tenant).await)
    }

    /// The platform account with these settings, new or changed; it is not saved yet.
    ///
    /// # Errors
    /// There is no such platform, or the settings are invalid.
    pub fn account(&self, settings: AccountSettings) -> Result<Account> {
        let name = settings.platform;
        let kind = stagecall_platforms::kind(&name).ok_or_else(|| {
            Error::Invalid(format!(
                "there is no platform \"{name}\"; there are {}",
                names().join(", ")
            ))
        })?;
        let id = AccountId::new(settings.name.as_deref().unwrap_or(kind.name));
        let tenant = self.tenant.as_ref();
        let known = tenant.and_then(|tenant| tenant.platforms.get(&id).cloned());
        let mut connection = known.unwrap_or(PlatformConnection {
            kind: name,
            base_url: None,
            settings: serde_json::Map::new(),
        });
        if let Some(url) = settings.base_url {
            connection.base_url = Some(url);
        }
        let problems = stagecall_platforms::validate(&connection);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems.join("\n")));
        }
        Ok(Account {
            id,
            kind,
            connection,
        })
    }

    /// Saves a platform account with its secrets; those that are not given stay.
    ///
    /// # Errors
    /// The tenant has no Eploy yet, or the store fails.
    pub async fn save_account(
        &mut self,
        on: &Installation,
        account: Account,
        secrets: BTreeMap<String, SecretString>,
    ) -> Result<()> {
        let tenant = begun(&self.id, &mut self.tenant)?;
        let given = Given::from([(account.id.to_string(), secrets)]);
        let change = |before: Option<&TenantSecret>| replaced(before, &given);
        on.change_secret(&tenant.id, change).await?;
        tenant.platforms.insert(account.id, account.connection);
        on.records.put_tenant(tenant).await?;
        Ok(())
    }

    /// Checks the platform accounts. If they work, a tenant without mappings, which was paused only until then, is resumed.
    ///
    /// # Errors
    /// The tenant has no Eploy yet, or the store fails.
    pub async fn finish(mut self, on: &Installation) -> Result<Vec<Finding>> {
        let tenant = begun(&self.id, &mut self.tenant)?;
        let mut findings = Vec::new();
        for account in tenant.platforms.keys() {
            let (found, _) = checks::platform(on, tenant, account).await;
            findings.extend(found);
        }
        if !any_problem(&findings) && tenant.mappings.is_empty() && tenant.paused {
            tenant.paused = false;
            on.records.put_tenant(tenant).await?;
        }
        Ok(findings)
    }
}

fn begun<'a>(id: &TenantId, tenant: &'a mut Option<Tenant>) -> Result<&'a mut Tenant> {
    let missing = || Error::Invalid(format!("the Eploy of {id} is not connected yet"));
    tenant.as_mut().ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{installation, tenant};

    #[tokio::test]
    async fn a_name_may_have_only_plain_signs() {
        let (on, _folder) = installation();
        assert!(Connecting::begin(&on, "acme-1").await.is_ok());
        assert!(Connecting::begin(&on, "acme/1").await.is_err());
        assert!(Connecting::begin(&on, "").await.is_err());
    }

    #[tokio::test]
    async fn only_what_is_missing_has_to_be_given() {
        let (on, _folder) = installation();
        let new = Connecting::begin(&on, "acme").await.unwrap();
        assert!(new.needs_address() && new.needs_account() && !new.has_eploy_secrets());
        on.records.put_tenant(&tenant("willo")).await.unwrap();
        let known = Connecting::begin(&on, "acme").await.unwrap();
        assert!(!known.needs_address() && !known.needs_account());
        let settings = AccountSettings {
            platform: "nobody".to_owned(),
            name: None,
            base_url: None,
        };
        let unknown = known.account(settings).err().unwrap().to_string();
        assert!(unknown.contains("there are willo, wecp"), "{unknown}");
    }
}
