//! The searches that a read of the applications at some triggers takes.

use std::collections::BTreeSet;

use stagecall_core::ids::StageId;
use stagecall_core::ports::StageSearch;
use stagecall_core::tenant::{Trigger, Vacancies};

use crate::dialect::Dialect;

/// How a read of the applications at these triggers is split into searches. If several stages cannot be asked for at
/// once: one per stage. If there is no route for stages and several vacancies cannot be asked for at once: one per
/// vacancy.
pub(crate) fn stage_searches(
    dialect: &Dialect,
    triggers: &[Trigger],
    vacancies: &Vacancies,
) -> Vec<StageSearch> {
    let whole = || StageSearch {
        triggers: triggers.to_vec(),
        vacancies: vacancies.clone(),
    };
    if dialect.filter_lists {
        return vec![whole()];
    }
    if dialect.stage_route.is_some() {
        let stages: BTreeSet<&StageId> = triggers.iter().map(|trigger| &trigger.stage).collect();
        if stages.len() > 1 {
            let of = |stage: &StageId| {
                let triggers = triggers.iter().filter(|one| one.stage == *stage);
                StageSearch {
                    triggers: triggers.cloned().collect(),
                    vacancies: vacancies.clone(),
                }
            };
            return stages.into_iter().map(of).collect();
        }
        return vec![whole()];
    }
    match vacancies {
        Vacancies::Only(these) if dialect.vacancy_route.is_some() && these.len() > 1 => these
            .iter()
            .map(|vacancy| StageSearch {
                triggers: triggers.to_vec(),
                vacancies: Vacancies::Only([vacancy.clone()].into()),
            })
            .collect(),
        _ => vec![whole()],
    }
}
