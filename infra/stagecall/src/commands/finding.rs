//! The finding of a check: what was checked, the verdict, and how to fix a problem.

use std::fmt;

use serde::Serialize;
use stagecall_core::error::CallError;

use crate::exit;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Ok,
    /// Information; nothing has to be done.
    Note,
    /// Has to be fixed.
    Problem,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// The tenant or system.
    pub(crate) of: String,
    /// The name of the check.
    pub(crate) what: &'static str,
    pub(crate) verdict: Verdict,
    /// The code of the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// What was found.
    pub(crate) found: String,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
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

    pub(crate) fn ok(of: &str, what: &'static str, found: impl Into<String>) -> Self {
        Self::new(of, what, Verdict::Ok, found)
    }

    pub(crate) fn note(of: &str, what: &'static str, found: impl Into<String>) -> Self {
        Self::new(of, what, Verdict::Note, found)
    }

    pub(crate) fn problem(
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
    pub(crate) fn refused(of: &str, what: &'static str, error: &CallError) -> Self {
        Self::problem(of, what, error.code, &error.problem, &error.remedy)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Ok => "ok   ",
            Verdict::Note => "note ",
            Verdict::Problem => "WRONG",
        };
        write!(to, "  {mark} {:<12} {}", self.what, self.found)?;
        if let Some(code) = &self.code {
            write!(to, " [{code}]")?;
        }
        if let Some(fix) = &self.fix {
            write!(to, "\n        → {}", fix.trim_end_matches('.'))?;
        }
        Ok(())
    }
}

/// Prints findings as they come, grouped under the name of their tenant or system.
#[derive(Default)]
pub(crate) struct Printer {
    last: String,
}

impl Printer {
    pub(crate) fn print(&mut self, findings: &[Finding]) {
        for finding in findings {
            if finding.of != self.last {
                println!("{}", finding.of);
                self.last.clone_from(&finding.of);
            }
            println!("{finding}");
        }
    }
}

pub(crate) fn any_problem(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Problem)
}

/// The exit code for these findings.
pub(crate) fn code(findings: &[Finding]) -> u8 {
    if any_problem(findings) {
        exit::REFUSED
    } else {
        exit::OK
    }
}
