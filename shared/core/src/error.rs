//! Errors of calls to other systems, by what they mean for us: whether the call took effect, whether it may be retried,
//! what it affects, and what a person should do.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// The applicant tracking system.
    Eploy,
    /// An interview or assessment platform.
    Platform,
    Hrms,
}

impl fmt::Display for System {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Eploy => "Eploy",
            Self::Platform => "the platform",
            Self::Hrms => "the HRMS",
        })
    }
}

/// How far a call got: what we may assume about its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It was never sent: no connection, blocked by a guard, or our allowance is spent. Certainly without effect.
    NotSent,
    /// It was refused. Certainly without effect, and the same call would be refused again.
    Refused,
    /// The answer was "not now", or our own share of the allowance is spent. Certainly without effect.
    Throttled,
    /// It may or may not have taken effect: it timed out, the connection broke, or the answer was a server error or
    /// unreadable.
    Unknown,
}

/// What an error affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorScope {
    /// This record only; the tenant's others may be fine.
    Record,
    /// The whole connection (credentials, address, permission, allowance): nothing works until it is fixed.
    Connection,
}

/// The stable name of a kind of problem, for tables, alarms and tests (`eploy.ip_forbidden`).
pub type ProblemCode = &'static str;

/// A failed call.
///
/// `problem` and `remedy` are shown to people and logged, so they must hold no name, address, secret or body.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{system}, {operation}: {problem}. {remedy}")]
pub struct CallError {
    pub system: System,
    /// The operation, in a few words ("read the candidate").
    pub operation: &'static str,
    /// How far the call got.
    pub phase: Phase,
    /// What the error affects.
    pub scope: ErrorScope,
    pub code: ProblemCode,
    /// What went wrong, without a full stop.
    pub problem: String,
    /// What a person should do, as a sentence.
    pub remedy: String,
    /// The earliest useful time of another attempt, if the other side gave it (`Retry-After`) or we know it.
    pub retry_at: Option<Timestamp>,
}

impl CallError {
    /// Whether the call certainly had no effect.
    pub fn without_effect(&self) -> bool {
        !matches!(self.phase, Phase::Unknown)
    }

    /// Whether the same call may succeed later without any change to this record.
    pub fn may_retry(&self) -> bool {
        self.scope == ErrorScope::Connection || !matches!(self.phase, Phase::Refused)
    }

    /// The same error with another operation.
    pub fn during(mut self, operation: &'static str) -> Self {
        self.operation = operation;
        self
    }
}

/// A failure of a store, queue or secret store of ours. Nothing is lost: the work is still due.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{store}, {operation}: {problem}")]
pub struct StoreError {
    /// The store ("ledger", "queue", "secrets").
    pub store: &'static str,
    pub operation: &'static str,
    /// What went wrong, without personal data.
    pub problem: String,
    /// Whether it lasts until a person fixes it: a secret is missing or malformed, or a row cannot be read. Otherwise
    /// the next attempt may succeed.
    pub lasting: bool,
}

impl StoreError {
    /// A failure of `store` during `operation`. The next attempt may succeed.
    pub fn new(store: &'static str, operation: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            store,
            operation,
            problem: problem.to_string(),
            lasting: false,
        }
    }

    /// The same failure, lasting until a person fixes it.
    pub fn permanent(self) -> Self {
        Self {
            lasting: true,
            ..self
        }
    }
}

/// An error of a use case.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A call to another system failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// One of our own stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tenant is not, or no longer, configured.
    #[error("tenant {0}: not configured. Add it, or remove what still refers to it")]
    UnknownTenant(crate::ids::TenantId),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(phase: Phase, scope: ErrorScope) -> CallError {
        CallError {
            system: System::Platform,
            operation: "invite",
            phase,
            scope,
            code: "test.failed",
            problem: "it did not work".to_owned(),
            remedy: "Fix it.".to_owned(),
            retry_at: None,
        }
    }

    #[test]
    fn only_a_call_of_unknown_outcome_may_have_had_an_effect() {
        for (phase, without_effect) in [
            (Phase::NotSent, true),
            (Phase::Refused, true),
            (Phase::Throttled, true),
            (Phase::Unknown, false),
        ] {
            let error = failed(phase, ErrorScope::Record);
            assert_eq!(error.without_effect(), without_effect, "{phase:?}");
        }
    }

    /// A refusal of one record is final; a refusal of a connection may change with its credentials.
    #[test]
    fn only_a_refused_record_is_not_retried() {
        for phase in [Phase::NotSent, Phase::Throttled, Phase::Unknown] {
            assert!(failed(phase, ErrorScope::Record).may_retry(), "{phase:?}");
            assert!(
                failed(phase, ErrorScope::Connection).may_retry(),
                "{phase:?}"
            );
        }
        assert!(!failed(Phase::Refused, ErrorScope::Record).may_retry());
        assert!(failed(Phase::Refused, ErrorScope::Connection).may_retry());
    }

    /// Nearly every function returns it, so it must not be large.
    #[test]
    fn a_call_error_is_small() {
        assert!(size_of::<CallError>() < 120, "{}", size_of::<CallError>());
    }
}
