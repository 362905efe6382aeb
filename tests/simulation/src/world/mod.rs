//! The world outside: Eploy, Willo and `WeCP`, small and deterministic, each speaking the JSON that the references tell
//! of. It keeps the records by which the code under test is judged: who was invited, and with whose credential.

pub mod acts;
mod eploy;
mod hrms;
mod platform;
mod vault;

use std::collections::BTreeSet;

use stagecall_core::Timestamp;
use stagecall_http::{Request, Response};

pub use eploy::{Action, Application, Eploy};
pub use hrms::{Hrms, secret as signing_secret};
pub use platform::{Kind, Participant, Platform, Standing};
pub use vault::Vault;

use crate::plan::Plan;

/// Everything outside.
pub struct World {
    /// The tenants' Eploys.
    pub eploys: Vec<Eploy>,
    /// The two platforms, each with all tenants' accounts.
    pub platforms: [Platform; 2],
    /// The tenants' HRMS.
    pub hrms: Hrms,
    /// Of whom one of them was told last, until the judge has seen it.
    pub told: Option<(usize, u32)>,
    /// The tenants' credentials: what is valid outside, and what our secret store has.
    pub vault: Vault,
    /// Which systems cannot be reached at present.
    pub down: BTreeSet<&'static str>,
    /// What must never happen and did.
    pub violations: Vec<String>,
}

/// The tenant that an id outside belongs to: ids are made so that they tell.
pub fn owner(id: u32) -> Option<usize> {
    (id / 1000).checked_sub(1).map(|at| at as usize)
}

/// A time in milliseconds since 1970, as JSON has it.
pub fn written(at: i64) -> String {
    Timestamp::from_millisecond(at)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

impl World {
    /// The world as it is when a history begins.
    pub fn new(plan: &Plan, rng: &mut fastrand::Rng) -> Self {
        let begins = plan.begins.as_millisecond();
        Self {
            eploys: (0..plan.tenants.len())
                .map(|at| Eploy::new(at, &plan.eploys[at], plan.applications[at], begins, rng))
                .collect(),
            platforms: [
                Platform::new(Kind::Willo, plan.willo),
                Platform::new(Kind::Wecp, plan.wecp),
            ],
            hrms: Hrms::default(),
            told: None,
            vault: Vault::new(plan.tenants.len()),
            down: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    /// Which system a host is of.
    pub fn system(host: &str) -> &'static str {
        match host {
            "api.willotalent.com" => "Willo",
            "api.wecreateproblems.com" => "WeCP",
            _ if host.ends_with(".hrms.example") => "HRMS",
            _ => "Eploy",
        }
    }

    /// Answers a request at `now`, in milliseconds since 1970.
    pub fn answer(&mut self, request: &Request, now: i64) -> Response {
        let host = request.url.host_str().unwrap_or_default();
        let violations = &mut self.violations;
        match Self::system(host) {
            "Willo" => self.platforms[0].answer(request, now, &self.vault, violations),
            "WeCP" => self.platforms[1].answer(request, now, &self.vault, violations),
            system => {
                let at = host
                    .strip_prefix('t')
                    .and_then(|rest| rest.split('.').next())
                    .and_then(|number| number.parse::<usize>().ok());
                let Some((at, eploy)) = at.and_then(|at| Some((at, self.eploys.get_mut(at)?)))
                else {
                    return status(404);
                };
                if system == "Eploy" {
                    return eploy.answer(request, now, &mut self.vault, violations);
                }
                let (answer, told) = self.hrms.answer(at, request, violations);
                self.told = told.map(|application| (at, application));
                answer
            }
        }
    }
}

/// An answer without a body.
pub fn status(status: u16) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// An answer with a JSON body.
pub fn json(code: u16, body: &serde_json::Value) -> Response {
    Response {
        body: body.to_string().into_bytes(),
        ..status(code)
    }
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request
        .headers
        .iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value)
}
