//! The world outside: small, deterministic fakes of Eploy, Willo and `WeCP`, with the JSON of the references. It keeps the
//! records that the oracle checks: who was invited, and with whose credential.

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
pub use platform::{Kind, Participant, Platform, Progress};
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
    /// The application of the last webhook, until the oracle has seen it.
    pub announced: Option<(usize, u32)>,
    /// The tenants' credentials: those that are valid outside, and those in our secret store.
    pub vault: Vault,
    /// The systems that cannot be reached at present.
    pub down: BTreeSet<&'static str>,
    /// The violations.
    pub violations: Vec<String>,
}

/// The tenant of an outside id, which every id encodes.
pub fn owner(id: u32) -> Option<usize> {
    (id / 1000).checked_sub(1).map(|at| at as usize)
}

/// A time in milliseconds since 1970, in JSON's format.
pub fn written(at: i64) -> String {
    Timestamp::from_millisecond(at)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

impl World {
    /// The world at the beginning of a history.
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
            announced: None,
            vault: Vault::new(plan.tenants.len()),
            down: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    /// The system of a host.
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
                let (answer, announced) = self.hrms.answer(at, request, violations);
                self.announced = announced.map(|application| (at, application));
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
