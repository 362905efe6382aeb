//! The finding of a check: what was checked, the verdict, and how to fix a problem.

use serde::Serialize;
use stagecall_core::error::CallError;

/// What a check concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Information; nothing has to be done.
    Note,
    /// Has to be fixed.
    Problem,
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The tenant or system.
    pub of: String,
    /// The name of the check.
    pub what: &'static str,
    /// The conclusion.
    pub verdict: Verdict,
    /// The code of the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was found.
    pub found: String,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    fn new(of: &str, what: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            of: of.to_owned(),
            what,
            verdict,
            code: None,
            found: found.into(),
            fix: None,
        }
    }

    /// All is well.
    pub fn ok(of: &str, what: &'static str, found: impl Into<String>) -> Self {
        Self::new(of, what, Verdict::Ok, found)
    }

    /// Something to know.
    pub fn note(of: &str, what: &'static str, found: impl Into<String>) -> Self {
        Self::new(of, what, Verdict::Note, found)
    }

    /// Something to fix; `code` is in PROBLEMS.md of the command.
    pub fn problem(
        of: &str,
        what: &'static str,
        code: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code: Some(code.into()),
            fix: Some(fix.into()),
            ..Self::new(of, what, Verdict::Problem, found)
        }
    }

    /// A problem from an error of a call.
    pub fn refused(of: &str, what: &'static str, error: &CallError) -> Self {
        Self::problem(of, what, error.code, &error.problem, &error.remedy)
    }
}

/// Whether something has to be fixed.
pub fn any_problem(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Problem)
}
