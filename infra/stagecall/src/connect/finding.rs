//! What a check found: what was looked at, whether it is well, and if not, what mends it.

use std::fmt;

use serde::Serialize;
use stagecall_core::error::CallError;

use crate::exit;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Well.
    Ok,
    /// Worth knowing; nothing has to be done.
    Note,
    /// Wrong: it has to be mended.
    Problem,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Of what: a tenant, a system.
    pub(crate) of: String,
    /// What was looked at.
    pub(crate) what: &'static str,
    /// How it is.
    pub(crate) verdict: Verdict,
    /// The kind of problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// What was found.
    pub(crate) found: String,
    /// What mends it.
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

    /// What a call was refused with.
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

/// Prints findings as they come, under the name of what they are of.
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

/// Whether anything is wrong.
pub(crate) fn any_problem(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Problem)
}

/// How a command ends that found this.
pub(crate) fn code(findings: &[Finding]) -> u8 {
    if any_problem(findings) {
        exit::REFUSED
    } else {
        exit::OK
    }
}
