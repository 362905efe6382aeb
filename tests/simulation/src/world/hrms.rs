//! The tenants' HRMS: whoever is hired is announced here.

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
    /// What was told: tenant and application, with the webhook's id and how often it came.
    told: BTreeMap<(usize, u32), (String, u32)>,
}

impl Hrms {
    /// Whether this tenant's HRMS was told of this application.
    pub fn knows(&self, tenant: usize, application: u32) -> bool {
        self.told.contains_key(&(tenant, application))
    }

    /// How often it was.
    pub fn times(&self, tenant: usize, application: u32) -> u32 {
        let told = self.told.get(&(tenant, application));
        told.map_or(0, |(_, times)| *times)
    }

    /// Takes a webhook in. Returns its application.
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
            violations.push(format!("the HRMS of t{tenant} is told of nobody"));
            return (status(400), None);
        };
        let theirs = owner(application) == Some(tenant)
            && body["data"]["tenant"] == format!("t{tenant}").as_str();
        if !theirs || !signed(tenant, request) {
            violations.push(format!(
                "the HRMS of t{tenant} is told of application {application}, not as its own"
            ));
        }
        let (known, times) = self
            .told
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

/// Whether the webhook carries the tenant's signature, as an implementation of the specification that is not ours says.
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

/// What a tenant's webhooks are signed with.
pub fn secret(tenant: usize) -> SecretString {
    format!("whsec_{}", BASE64_STANDARD.encode(bytes(tenant))).into()
}
