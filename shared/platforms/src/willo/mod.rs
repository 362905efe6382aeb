//! Willo: recorded video interviews. Facts are from REFERENCE.md §1 to §9; what it marks as not established is read
//! in every plausible way.
//!
//! * An assessment is a Willo interview, an invitation a participant; both are named by their 32-hex key (§1).
//! * Its API is Django REST framework: trailing slashes, pages of `{count, next, previous, results}`, errors by field
//!   or as `{detail}` (§1, §8).
//! * Whether it gives `external_id` back or has a link for the candidate in its answer is not established (§4), so
//!   neither is promised.

mod delivery;
mod errors;
mod invite;
mod links;
mod participants;
mod phone;
mod settings;
mod status;
mod webhooks;

use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::ports::{
    Assessment, AssessmentKind, Capabilities, InviteAnswer, InviteOrder, Withdrawn,
};
use stagecall_core::result::{AssessmentResult, Status};
use stagecall_http::{Method, RateLimit, Request, Response};
use url::Url;

use crate::adapter::{Account, Adapter, Callbacks, Listed, Page, Step, path_part};
use crate::error::PlatformError;
use crate::json::Record;
use crate::spec::PlatformSpec;
use settings::Options;

pub(crate) static KIND: PlatformSpec = PlatformSpec {
    name: "willo",
    title: TITLE,
    // Transcribed from the vendor's collection and used live, §1.
    base_url: "https://api.willotalent.com/api/integrations/v2/",
    hosts: &["willotalent.com", "willo.video"],
    settings: settings::SETTINGS,
    secrets: settings::SECRETS,
    options: &[],
    validate: |_, _| Vec::new(),
    // No numbers are published; concurrency and scans are named as what it throttles, §8.
    pace: RateLimit {
        in_flight: NonZeroU32::MIN,
        per_second: NonZeroU32::MIN,
    },
    back_off: SignedDuration::from_secs(30),
    capabilities,
    open: |account| Ok(Arc::new(Willo::new(account))),
    reader: Some(|| Arc::new(delivery::Reader)),
};

const TITLE: &str = "Willo";

/// The largest page that it serves (§3, documented).
const PAGE_SIZE: &str = "30";

fn capabilities() -> Capabilities {
    Capabilities {
        callbacks: true,
        // A page of the list has 30, but a long-used interview has many pages of old participants.
        list_from: 3,
        // The words are not established; the activity log has opened and bounced (§4), deadlines exist (§4).
        statuses: vec![
            Status::Sent,
            Status::Bounced,
            Status::Opened,
            Status::Started,
            Status::Completed,
            Status::Expired,
            Status::Declined,
            Status::Cancelled,
        ],
        live_interviews: false,
        pools: false,
    }
}

struct Willo {
    account: Account,
    options: Options,
}

impl Willo {
    fn new(account: Account) -> Self {
        let options = Options::read(&account.settings);
        Self { account, options }
    }

    /// The address of `path` under the base address, with the trailing slash that Django requires.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.account.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path).push("");
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> Request {
        let key = self.account.secret("api_key");
        let authorization = if self.options.bearer {
            format!("Bearer {key}")
        } else {
            key.to_owned()
        };
        Request::new(method, url)
            .header("authorization", authorization)
            .header("accept", "application/json")
    }

    /// Requests a page of the list at `path`, filtered by `filters`, or the page of `next`.
    fn page(
        &self,
        path: &str,
        filters: &[(&str, &str)],
        next: Option<&str>,
    ) -> Result<Request, PlatformError> {
        let mut url = self.url(&[path]);
        if let Some(next) = next {
            url = self.account.base.join(next).map_err(|_| {
                PlatformError::unreadable("Willo's link to the next page is not a URL")
            })?;
            // A server behind a TLS-terminating proxy may generate http links.
            if self.account.base.scheme() == "https"
                && url.scheme() == "http"
                && url.port().is_none()
            {
                let _ = url.set_scheme("https");
            }
        } else {
            let mut query = url.query_pairs_mut();
            query.append_pair("page_size", PAGE_SIZE);
            query.extend_pairs(filters);
        }
        Ok(self.request(Method::Get, url))
    }

    fn participant(&self, reference: &Reference) -> Result<Request, PlatformError> {
        let key = path_part(TITLE, reference.as_str())?;
        Ok(self.request(Method::Get, self.url(&["participants", key])))
    }
}

/// The rows of a page: in Django's envelope, or bare.
fn rows(answer: &Response) -> Result<Page<Value>, PlatformError> {
    let unreadable = || PlatformError::unreadable("Willo's list has an unexpected shape");
    match errors::body(answer)? {
        Value::Array(items) => Ok(Page::of(items, None)),
        mut envelope => {
            let next = match envelope.get("next") {
                None | Some(Value::Null) => None,
                Some(Value::String(next)) => Some(next.clone()).filter(|next| !next.is_empty()),
                Some(_) => return Err(unreadable()),
            };
            let count = envelope.get("count").and_then(Value::as_u64);
            match envelope.get_mut("results").map(Value::take) {
                Some(Value::Array(items)) => Ok(Page {
                    count,
                    ..Page::of(items, next)
                }),
                _ => Err(unreadable()),
            }
        }
    }
}

impl Adapter for Willo {
    fn assessments(&self, next: Option<&str>) -> Result<Request, PlatformError> {
        self.page("interviews", &[], next)
    }

    fn read_assessments(&self, answer: &Response) -> Result<Page<Assessment>, PlatformError> {
        let page = rows(answer)?;
        let items = page.items.iter().filter_map(|row| {
            let key = crate::json::id(row)?;
            let name = Record::of(row, &[])?.text(&["title", "name"]);
            Some(Assessment {
                name: name.unwrap_or_else(|| key.clone()),
                id: AssessmentId::new(key),
                kind: AssessmentKind::VideoInterview,
            })
        });
        Ok(Page {
            count: page.count,
            ..Page::of(items.collect(), page.next)
        })
    }

    fn invite(
        &self,
        order: &InviteOrder,
        answers: &[Response],
    ) -> Result<Step<InviteAnswer>, PlatformError> {
        match answers {
            [] => {
                let body = invite::body(order, &self.options)?;
                let request = self.request(Method::Post, self.url(&["participants"]));
                Ok(Step::Call(request.json(&body)))
            }
            [.., last] => Ok(Step::Done(invite::read(last, &self.account.base)?)),
        }
    }

    // `DELETE /participants/{key}/` (§3, documented; that it is answered with 204 is modelled).
    fn withdraw(
        &self,
        _assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<Withdrawn>, PlatformError> {
        let [.., last] = answers else {
            let mut request = self.participant(reference)?;
            request.method = Method::Delete;
            return Ok(Step::Call(request));
        };
        if last.is_success() || errors::is_absence(last) {
            return Ok(Step::Done(Withdrawn::Done));
        }
        Err(errors::fault(last))
    }

    fn list(
        &self,
        assessment: &AssessmentId,
        next: Option<&str>,
    ) -> Result<Request, PlatformError> {
        // No filter by time or by our reference: an unknown filter may be ignored, and a known one may not know what it
        // was never told (§3), so that an invitation would be missed and sent twice.
        self.page("participants", &[("interview", assessment.as_str())], next)
    }

    fn read_list(
        &self,
        assessment: &AssessmentId,
        answer: &Response,
    ) -> Result<Page<Listed>, PlatformError> {
        let page = rows(answer)?;
        let base = &self.account.base;
        let within = |next: String| match next.strip_prefix(base.as_str()) {
            Some(path) => path.to_owned(),
            None => next,
        };
        let mut rows = page.items;
        let all = rows.len();
        rows.retain(|row| !participants::is_foreign(row, assessment));
        // It may be stored, and the connection's address may change meanwhile.
        let next = page.next.map(within);
        Ok(Page {
            foreign: all - rows.len(),
            count: page.count,
            ..Page::read(&rows, next, |row| participants::listed(row, base))
        })
    }

    fn result(
        &self,
        _assessment: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<AssessmentResult>, PlatformError> {
        match answers {
            [] => Ok(Step::Call(self.participant(reference)?)),
            [.., last] => Ok(Step::Done(participants::result(
                last,
                reference,
                &self.account.base,
            )?)),
        }
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
