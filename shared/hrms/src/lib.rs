//! Delivers webhooks to a tenant's HRMS: implements the core's [`Hrms`](stagecall_core::ports::Hrms) port over HTTP.
//!
//! A webhook is a POST with three headers, `webhook-id`, `webhook-timestamp` and `webhook-signature`, as the Standard
//! Webhooks specification describes them (<https://www.standardwebhooks.com>), so that a receiver verifies it with any of
//! that specification's libraries (REFERENCE.md). When and how often is the core's part.

mod outlet;
mod signing;

pub use outlet::HrmsClient;
pub use signing::{SigningKey, UnusableSecret, signatures, unusable};
