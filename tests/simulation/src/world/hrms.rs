//! The tenants' HRMS, to which hires are announced.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use serde_json::Value;
use stagecall_http::{Request, Response};

use super::{header, owner, status};

/// All tenants' HRMS.
#[derive(Default)]
pub struct Hrms {
    /// The received webhooks: tenant and application, with the webhook's id and count.
    received: BTreeMap<(usize, u32), (String, u32)>,
}

impl Hrms {
    /// Whether this tenant's HRMS knows this hire.
    pub fn knows(&self, tenant: usize, application: u32) -> bool {
        self.received.contains_key(&(tenant, application))
    }

    /// The number of webhooks for it.
    pub fn times(&self, tenant: usize, application: u32) -> u32 {
        let received = self.received.get(&(tenant, application));
        received.map_or(0, |(_, times)| *times)
    }

    /// Receives a webhook. Returns its application.
    pub fn answer(
        &mut self,
        tenant: usize,
        request: &Request,
        violations: &mut Vec<String>,
    ) -> (Response, Option<u32>) {
        let id = header(request, "webhook-id");
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let application = body["data"]["application"]["id"].as_str();
        let Some(application) = application.and_then(|id| id.parse::<u32>().ok()) else {
            violations.push(format!(
                "the HRMS of t{tenant} got a webhook without an application"
            ));
            return (status(400), None);
        };
        let theirs = owner(application) == Some(tenant)
            && body["data"]["tenant"] == format!("t{tenant}").as_str();
        if !theirs || !signed(tenant, request) {
            violations.push(format!(
                "the HRMS of t{tenant} got a webhook about application {application}, not as its own"
            ));
        }
        let (known, times) = self
            .received
            .entry((tenant, application))
            .or_insert_with(|| (id.to_owned(), 0));
        *times += 1;
        if known != id {
            violations.push(format!(
                "application {application} is announced as {known} and as {id}"
            ));
        }
        (status(204), Some(application))
    }
}

/// Whether the webhook has the tenant's signature, checked by an implementation of the specification that is not ours.
fn signed(tenant: usize, request: &Request) -> bool {
    let number = header(request, "webhook-timestamp").parse().unwrap_or(0);
    let expected = standardwebhooks::Webhook::from_bytes(bytes(tenant))
        .and_then(|key| key.sign(header(request, "webhook-id"), number, &request.body));
    expected.is_ok_and(|expected| {
        header(request, "webhook-signature")
            .split(' ')
            .any(|one| one == expected)
    })
}

fn bytes(tenant: usize) -> Vec<u8> {
    format!("{tenant:032}").into_bytes()
}

/// A tenant's signing secret.
pub fn secret(tenant: usize) -> SecretString {
    format!("whsec_{}", BASE64_STANDARD.encode(bytes(tenant))).into()
}
