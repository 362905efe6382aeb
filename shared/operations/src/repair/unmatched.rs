//! Callbacks that match no invitation: listed, linked to one, or discarded.

use async_trait::async_trait;
use stagecall_core::engine::{Applied, Dispatch};
use stagecall_core::ids::{ApplicationId, MappingId, Reference, TenantId};
use stagecall_core::invitation::{Event, Invitation};
use stagecall_core::ports::{Bound, Delivery, DeliveryOutcome};
use stagecall_core::work::Work;

use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::invitations::{self, of_application};

/// The number of unmatched deliveries that are searched.
const MAX_SEARCHED: usize = 10_000;

/// A tenant's unmatched callbacks, newest first, at most `limit`.
pub async fn list(on: &Installation, tenant: &str, limit: usize) -> Result<Vec<Delivery>> {
    let tenant = on.known_tenant(tenant).await?;
    Ok(on.deliveries.unmatched(&tenant, limit).await?)
}

/// Why a delivery is unmatched.
pub fn why(of: &Delivery) -> &'static str {
    if of.given_up {
        "its result could not be saved"
    } else {
        "no matching invitation"
    }
}

/// The unmatched delivery whose id begins with the prefix.
async fn find(tenant: &TenantId, prefix: &str, on: &Installation) -> Result<Delivery> {
    let mut found = on.deliveries.unmatched(tenant, MAX_SEARCHED).await?;
    found.retain(|one| one.id.starts_with(prefix));
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Error::NotFound(format!(
            "{tenant} has no unmatched delivery {prefix}. List them with: stagecall unmatched list {tenant}"
        ))),
        (Some(_), false) => Err(Error::Invalid(format!(
            "several deliveries begin with {prefix}; use a longer prefix"
        ))),
    }
}

/// Discards a callback.
#[derive(Debug)]
pub struct Discard {
    delivery: Delivery,
}

/// Prepares discarding the callback whose id begins with `delivery`.
///
/// # Errors
/// There is no such tenant or delivery, or several, or the store fails.
pub async fn discard(on: &Installation, tenant: &str, delivery: &str) -> Result<Discard> {
    let tenant = on.known_tenant(tenant).await?;
    let delivery = find(&tenant, delivery, on).await?;
    Ok(Discard { delivery })
}

#[async_trait]
impl Change for Discard {
    /// The delivery's id.
    type Done = String;

    fn in_words(&self) -> String {
        let Delivery { id, account, .. } = &self.delivery;
        format!("The delivery {id} of {account} will be discarded.")
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<String> {
        let handled = DeliveryOutcome::Handled;
        on.deliveries.settle(&self.delivery, &handled).await?;
        let Delivery { tenant, id, .. } = self.delivery;
        let target = id.as_str();
        let recorded = actor.record(on, "unmatched discard", Some(&tenant), target);
        recorded.await?;
        Ok(id)
    }
}

/// The callback to link, and its invitation.
#[derive(Clone, Debug)]
pub struct LinkQuestion {
    /// The tenant.
    pub tenant: String,
    /// The delivery's id, or a unique prefix of it.
    pub delivery: String,
    /// The application's id in Eploy.
    pub application: ApplicationId,
    /// The mapping; needed if the application has invitations of several.
    pub mapping: Option<MappingId>,
    /// The platform's reference; needed if the delivery has several.
    pub reference: Option<String>,
}

/// Links a callback to an application's invitation.
#[derive(Debug)]
pub struct Link {
    delivery: Delivery,
    reference: Reference,
    row: Invitation,
}

/// A callback that was linked.
#[derive(Debug)]
pub struct Linked {
    /// The delivery's id.
    pub delivery: String,
    /// The invitation.
    pub row: Invitation,
}

/// Prepares linking a callback.
///
/// # Errors
/// There is no such tenant, delivery, reference or invitation, or several, the invitation is another one on the platform,
/// or the store fails.
pub async fn link(on: &Installation, question: &LinkQuestion) -> Result<Link> {
    let tenant = on.known_tenant(&question.tenant).await?;
    let delivery = find(&tenant, &question.delivery, on).await?;
    let reference = reference(&delivery, question.reference.as_deref())?;
    let filter = of_application(&question.application, question.mapping.as_ref());
    let mut found = invitations::all(on, &tenant, &filter).await?;
    found.retain(|one| one.assessment.account == delivery.account);
    let Some(row) = found.into_iter().max_by_key(|one| one.key.round) else {
        return Err(Error::NotFound(format!(
            "application {} has no invitation on {}",
            question.application, delivery.account
        )));
    };
    if let Some(other) = row.reference.as_ref().filter(|known| **known != reference) {
        return Err(Error::Invalid(format!(
            "{} is {other} on the platform, not {reference}. Link the delivery to another invitation, or discard it",
            row.key
        )));
    }
    Ok(Link {
        delivery,
        reference,
        row,
    })
}

/// The given reference of a delivery, or its only one.
fn reference(of: &Delivery, given: Option<&str>) -> Result<Reference> {
    match (given, of.references.as_slice()) {
        (Some(given), known) => {
            let found = known.iter().find(|one| one.as_str() == given).cloned();
            found.ok_or_else(|| Error::NotFound(format!("the delivery has no reference {given}")))
        }
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Error::Invalid(
            "the delivery has several references; name one with --reference".to_owned(),
        )),
    }
}

#[async_trait]
impl Change for Link {
    type Done = Linked;

    fn in_words(&self) -> String {
        format!(
            "{} on {} will be linked to {} permanently, and its result will be fetched.",
            self.reference, self.delivery.account, self.row.key
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Linked> {
        let Self {
            mut delivery,
            reference,
            row,
        } = self;
        let account = &delivery.account;
        let bound = on.ledger.bind_reference(account, &reference, &row);
        match bound.await? {
            Bound::Ours => {}
            Bound::Other(other) => {
                return Err(Error::Invalid(format!(
                    "{reference} is already linked to {other}"
                )));
            }
            Bound::Erased => {
                return Err(Error::NotFound(format!(
                    "the candidate of {} was erased",
                    row.key
                )));
            }
        }
        if row.reference.is_none() {
            let sent = Event::Sent {
                reference,
                link: None,
                adopted: true,
                writer: None,
            };
            let engine = on.engine();
            let applied = engine.apply(&row, sent, None, Dispatch::Enqueue).await?;
            if matches!(applied, Applied::Conflict) {
                return Err(Error::Busy(format!(
                    "{} was changed by others; try again",
                    row.key
                )));
            }
        }
        delivery.tries = 0;
        let again = DeliveryOutcome::Again(on.clock.now());
        on.deliveries.settle(&delivery, &again).await?;
        let Delivery { tenant, id, .. } = delivery;
        let work = Work::Delivery {
            tenant: tenant.clone(),
            id: id.clone(),
        };
        on.queue.push(vec![work]).await?;
        let recorded = actor.record(on, "unmatched link", Some(&tenant), row.key.name());
        recorded.await?;
        Ok(Linked { delivery: id, row })
    }
}
