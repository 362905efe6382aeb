//! Findings of checks on a terminal, and their exit code.

use stagecall_operations::finding::{Finding, Verdict, any_problem};

use crate::exit;

/// Prints findings as they come, grouped under the name of their tenant or system.
#[derive(Default)]
pub struct Printer {
    last: String,
}

impl Printer {
    pub fn print(&mut self, findings: &[Finding]) {
        for finding in findings {
            if finding.of != self.last {
                println!("{}", finding.of);
                self.last.clone_from(&finding.of);
            }
            println!("{}", line(finding));
        }
    }
}

/// A finding, with its fix on a second line.
fn line(of: &Finding) -> String {
    let mark = match of.verdict {
        Verdict::Ok => "ok   ",
        Verdict::Note => "note ",
        Verdict::Problem => "WRONG",
    };
    let code = of.code.as_ref().map(|code| format!(" [{code}]"));
    let fix = of
        .fix
        .as_ref()
        .map(|fix| format!("\n        → {}", fix.trim_end_matches('.')));
    format!(
        "  {mark} {:<12} {}{}{}",
        of.what,
        of.found,
        code.unwrap_or_default(),
        fix.unwrap_or_default()
    )
}

/// The exit code for these findings.
pub fn code(findings: &[Finding]) -> u8 {
    if any_problem(findings) {
        exit::REFUSED
    } else {
        exit::OK
    }
}
