//! A read-only view of a tenant's Eploy for its setup: is it reachable, does the key have the needed permissions, what
//! can be chosen from.

mod catalogue;
mod needs;
mod reading;

use std::collections::BTreeSet;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stagecall_core::error::CallError;
use stagecall_http::Response;
use tokio::time::Instant;

use crate::allowance::DayShares;
use crate::call::Call;
use crate::client::Client;
use crate::errors::{Permission, Problem};
use crate::probe::{Probed, Writing, probe};
use crate::refusal::RequestKind;
use crate::token::CallContext;

pub use catalogue::{List, Listing, Origin, Question, VacancyRow};
pub use needs::{Need, needed};
pub use reading::StageReading;

/// A read-only view of one tenant's Eploy.
pub struct Inspector {
    client: Client,
}

impl Inspector {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The scopes that Eploy grants the key, in lower case; `None` if it does not say. Requests a token unless there is
    /// one.
    pub async fn granted_scopes(&self) -> Result<Option<BTreeSet<String>>, CallError> {
        let call = CallContext {
            purpose: self.client.purpose,
            operation: "request a token",
            end: Instant::now() + self.client.connection.call_limit,
        };
        let token = self.client.connection.token(call, &[]).await?;
        let lower = |scopes: &BTreeSet<String>| {
            scopes
                .iter()
                .map(|scope| scope.to_ascii_lowercase())
                .collect()
        };
        Ok(token.scopes.as_ref().map(lower))
    }

    /// Reads at most one record of the area that a permission to view is about, and only its id. Returns by how much
    /// Eploy's clock is ahead of ours, if the response says so (a `Date` header, RFC 9110 §6.6.1).
    pub async fn read(&self, view: Permission) -> Result<Option<SignedDuration>, CallError> {
        let resource = view.area.to_ascii_lowercase();
        let path = format!("{resource}/search");
        let id = match view.area {
            "Vacancies" => "VacancyId".to_owned(),
            area => format!("{}Id", area.trim_end_matches('s')),
        };
        let body = json!({
            "Filters": [],
            "Paging": {"RecordsPerPage": 1, "RequestedPage": 1},
            "ResponseBlocks": [self.client.connection.dialect.block(&id)],
        });
        let call = Call {
            kind: RequestKind::List(view),
            ..Call::post("read one record", &path, body, view)
        };
        let (answer, token) = self.client.answer(&call).await?;
        let ahead =
            server_time(&answer).map(|at| at.duration_since(self.client.connection.clock.now()));
        match self.client.success(&call, answer, &token) {
            // That nothing was found may be a 404 (REFERENCE.md §7), in words or as a page.
            Err(error) if Problem::NotFound.is(&error) || Problem::WebPage.is(&error) => Ok(ahead),
            other => other.map(|_| ahead),
        }
    }

    /// The day's use against the shares of the allowance, by Stagecall's own count. Makes no call.
    pub async fn day_shares(&self) -> Result<DayShares, CallError> {
        let connection = &self.client.connection;
        let stands = connection.budget.shares(connection.clock.now()).await;
        stands.map_err(|error| Problem::AllowanceStore.error("count the calls", &error.to_string()))
    }

    /// Runs the experiments that find this Eploy's dialect; those that write run only with `writing`.
    pub async fn probe(&self, writing: Option<&Writing>) -> Result<Probed, CallError> {
        probe(&self.client, writing).await
    }
}

/// The server's clock at the response.
pub(crate) fn server_time(answer: &Response) -> Option<Timestamp> {
    let date = answer.header("date")?;
    DateTimeParser::new().parse_timestamp(date.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, Scene};

    const APPLICATIONS: Permission = Permission::view("Applications");

    #[tokio::test]
    async fn a_read_requests_one_id_and_returns_eploys_clock() {
        let scene = Scene::new(|_| {
            Answer::ok(r#"{"Records": []}"#).with_header("date", "Fri, 24 Jan 2025 10:03:00 GMT")
        });
        let ahead = scene.inspector().read(APPLICATIONS).await.unwrap();
        assert_eq!(ahead, Some(SignedDuration::from_mins(3)));
        let body = scene.last().body;
        assert_eq!(body["ResponseBlocks"], json!(["ApplicationId"]));
        assert_eq!(body["Paging"]["RecordsPerPage"], 1);
    }

    #[tokio::test]
    async fn nothing_found_is_no_refusal_but_a_forbidden_area_is() {
        let scene = Scene::new(|_| Answer::status(404));
        assert_eq!(scene.inspector().read(APPLICATIONS).await.unwrap(), None);
        let scene = Scene::new(|_| Answer::status(403));
        let error = scene
            .inspector()
            .read(Permission::view("Vacancies"))
            .await
            .unwrap_err();
        assert_eq!(error.code, "eploy.permission");
        assert!(error.problem.contains("Vacancies: View"), "{error}");
    }
}
