//! What can go wrong in a call to another system, told by what it means for us: did it take effect, may it be tried
//! again, whom does it concern, and what should a person do.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The other side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// The applicant tracking system.
    Eploy,
    /// An interview or assessment platform.
    Platform,
    /// The HRMS that is told of hires.
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

/// How far a call got: what we may assume of its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It never left: no connection, a guard said no, the allowance is spent on our side. Certainly without effect.
    NotSent,
    /// It was answered with a refusal. Certainly without effect, and the same call would be refused again.
    Refused,
    /// It was answered with "not now", or our own share of the allowance is spent. Certainly without effect.
    Throttled,
    /// It may or may not have taken effect: time ran out, the connection broke, the answer was a server error or
    /// could not be read.
    Unknown,
}

/// Whom a problem concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorScope {
    /// This record only; the tenant's others may be fine.
    Record,
    /// The whole connection (credentials, address, permission, allowance): nothing will work until it is mended.
    Connection,
}

/// A stable name of a kind of problem, for tables, alarms and tests (`eploy.ip_forbidden`).
pub type ProblemCode = &'static str;

/// A call that did not do what it should have.
///
/// `problem` and `remedy` are shown to people and logged, so whoever builds one puts no name, address, secret or body
/// into them.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{system}, {operation}: {problem}. {remedy}")]
pub struct CallError {
    /// The other side.
    pub system: System,
    /// What was being done, in a few words ("read the candidate").
    pub operation: &'static str,
    /// How far it got.
    pub phase: Phase,
    /// Whom it concerns.
    pub scope: ErrorScope,
    /// The kind of problem.
    pub code: ProblemCode,
    /// What went wrong, without a full stop.
    pub problem: String,
    /// What a person should do, as a sentence.
    pub remedy: String,
    /// The time before which another try is pointless, where the other side said so (`Retry-After`) or we know it.
    pub retry_at: Option<Timestamp>,
}

impl CallError {
    /// Whether it is certain that nothing happened on the other side.
    pub fn without_effect(&self) -> bool {
        !matches!(self.phase, Phase::Unknown)
    }

    /// Whether the same call may succeed later without anybody changing anything about this record.
    pub fn may_retry(&self) -> bool {
        self.scope == ErrorScope::Connection || !matches!(self.phase, Phase::Refused)
    }

    /// The same error, of another operation.
    pub fn during(mut self, operation: &'static str) -> Self {
        self.operation = operation;
        self
    }
}

/// A store, queue or secret store of ours that failed. Nothing was lost, because whatever was to be done is still due.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{store}, {operation}: {problem}")]
pub struct StoreError {
    /// Which of our stores ("ledger", "queue", "secrets").
    pub store: &'static str,
    /// What was being done.
    pub operation: &'static str,
    /// What went wrong, without personal data.
    pub problem: String,
    /// Whether it lasts until a person has mended it: a secret is missing or makes no sense, a row cannot be read. Else it
    /// may be over with the next try.
    pub lasting: bool,
}

impl StoreError {
    /// A failure of `store` during `operation`, which may be over with the next try.
    pub fn new(store: &'static str, operation: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            store,
            operation,
            problem: problem.to_string(),
            lasting: false,
        }
    }

    /// The same, lasting until a person has mended it.
    pub fn permanent(self) -> Self {
        Self {
            lasting: true,
            ..self
        }
    }
}

/// Either side of a use case failing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A call to another system.
    #[error(transparent)]
    Call(#[from] CallError),
    /// One of our own stores.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tenant is not (or no longer) configured.
    #[error("tenant {0}: not configured. Add it, or remove what still speaks of it")]
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
            remedy: "Mend it.".to_owned(),
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

    /// What is refused about one record stays refused; what is refused to a connection changes with its credentials.
    #[test]
    fn only_a_record_that_was_refused_is_not_tried_again() {
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

    /// It is returned by nearly every function, so it must not be large.
    #[test]
    fn a_call_error_is_small() {
        assert!(size_of::<CallError>() < 120, "{}", size_of::<CallError>());
    }
}
