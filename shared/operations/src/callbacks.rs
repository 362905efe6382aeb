//! Registering callbacks on the platforms.

use std::sync::Arc;

use stagecall_core::ids::AccountId;
use stagecall_core::ports::Registration;
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::Registrar;
use url::Url;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::installation::Installation;

/// The registration of tenants' callbacks, which is prepared and not done yet.
pub struct Registering {
    registrar: Registrar,
    tenants: Vec<Tenant>,
}

/// Prepares registering the callbacks of these tenants, of all if none is named, to this address or the installation's own.
///
/// # Errors
/// There is no address or none for callbacks, or no such tenant, or the store fails.
pub async fn prepare(
    on: &Installation,
    tenants: &[String],
    public_url: Option<Url>,
) -> Result<Registering> {
    let Some(public_url) = public_url.or_else(|| on.public_url.clone()) else {
        return Err(Error::Invalid(
            "--public-url is missing: the URL that the platforms call".to_owned(),
        ));
    };
    if public_url.scheme() != "https" && !on.sandbox {
        return Err(Error::Invalid(format!(
            "{public_url}: use an https address, because callbacks carry a token"
        )));
    }
    Ok(Registering {
        registrar: Registrar {
            public_url,
            platforms: Arc::new(on.platforms()),
            secrets: on.secrets.clone(),
        },
        tenants: on.tenants_named(tenants).await?,
    })
}

impl Registering {
    /// What will happen, in words.
    pub fn in_words(&self) -> String {
        let names: Vec<_> = self.tenants.iter().map(|one| one.id.as_str()).collect();
        format!(
            "Callbacks to {} will be registered on the platforms of {}.",
            self.registrar.public_url,
            names.join(", ")
        )
    }

    /// The tenants.
    pub fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// Registers the callbacks of the accounts that a tenant's mappings use. Empty: none has callbacks. Safe to repeat.
    ///
    /// # Errors
    /// A platform or the store fails.
    pub async fn register(
        &self,
        on: &Installation,
        actor: &Actor,
        tenant: &Tenant,
    ) -> Result<Vec<(AccountId, Registration)>> {
        let done = self.registrar.register_all(tenant).await?;
        if !done.is_empty() {
            let target = tenant.id.as_str();
            actor
                .record(on, "register", Some(&tenant.id), target)
                .await?;
        }
        Ok(done)
    }
}
