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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Answer, Scene};

    fn trigger(stage: &str) -> Trigger {
        Trigger {
            stage: stage.into(),
            stage_name: None,
            statuses: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_stage_read_is_split_by_vacancy_or_stage_where_possible() {
        let only = |ids: &[&str]| Vacancies::Only(ids.iter().map(|id| (*id).into()).collect());
        let stage = json!({"stage_route": "Application.StageId"});
        let vacancy = json!({"vacancy_route": "Vacancy.VacancyId"});
        let mut both = stage.clone();
        both["vacancy_route"] = vacancy["vacancy_route"].clone();
        let mut lists = both.clone();
        lists["filter_lists"] = json!(true);
        let filter = |route: &str, value: Value| json!({"Route": route, "Operation": "Equals", "Value": value});
        let of_stage = |value: Value| filter("Application.StageId", value);
        let of_vacancy = |value: Value| filter("Vacancy.VacancyId", value);
        for (dialect, filters) in [
            (json!({}), json!([[]])),
            (
                vacancy,
                json!([[of_vacancy(json!("7"))], [of_vacancy(json!("8"))]]),
            ),
            (
                stage,
                json!([[of_stage(json!("12"))], [of_stage(json!("13"))]]),
            ),
            (
                both,
                json!([[of_stage(json!("12"))], [of_stage(json!("13"))]]),
            ),
            (
                lists,
                json!([[of_stage(json!(["12", "13"])), of_vacancy(json!(["7", "8"]))]]),
            ),
        ] {
            let scene = Scene::new(|_| Answer::ok("{}")).dialect(dialect);
            let client = scene.client().await;
            let triggers = [trigger("12"), trigger("13"), trigger("12")];
            let searches = client.stage_searches(&triggers, &only(&["7", "8"]));
            let mut asked = Vec::new();
            for search in searches {
                client
                    .applications_at(&search.triggers, &search.vacancies, 1)
                    .await
                    .unwrap();
                asked.push(scene.last().body["Filters"].clone());
            }
            assert_eq!(Value::from(asked), filters);
        }
    }
}
