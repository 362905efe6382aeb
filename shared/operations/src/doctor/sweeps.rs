//! Findings from the saved state of the sweeps of the platforms' lists.

use std::collections::BTreeSet;

use stagecall_core::tenant::Tenant;

use super::saved_state::PROBLEM_AFTER_FAILURES;
use crate::finding::Finding;
use crate::installation::Installation;

/// The findings about the sweeps of the assessments that a tenant's mappings use. Makes no call.
pub async fn findings(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
    let assessments: BTreeSet<_> = tenant
        .mappings
        .iter()
        .map(|mapping| &mapping.assessment)
        .collect();
    let mut found = Vec::new();
    for assessment in assessments {
        match on.sweeps.load_sweep(&tenant.id, assessment).await {
            Err(error) => found.push(Finding::problem(
                of,
                "results",
                "stagecall.store",
                error.to_string(),
                "Check the store",
            )),
            Ok(sweep) => {
                let failing = sweep.failing.map(|failing| failing.failure);
                if let Some(failure) =
                    failing.filter(|failure| failure.attempts >= PROBLEM_AFTER_FAILURES)
                {
                    found.push(Finding::problem(
                        of,
                        "results",
                        &failure.code,
                        format!(
                            "the list of {assessment} cannot be read since {}: {}",
                            on.local(failure.first_failed_at),
                            failure.problem
                        ),
                        &failure.remedy,
                    ));
                }
                if sweep.set_aside > 0 {
                    found.push(Finding::problem(
                        of,
                        "results",
                        "stagecall.line_unread",
                        format!(
                            "{} lines of the list of {assessment} cannot be read",
                            sweep.set_aside
                        ),
                        "Results of those candidates arrive only by callback. Check the list on the platform for entries without an id",
                    ));
                }
            }
        }
    }
    found
}
