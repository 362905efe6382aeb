//! The cost of reading the applications at a stage of this Eploy.

use stagecall_core::ports::StageSearch;
use stagecall_core::tenant::{Trigger, Vacancies};

use super::Inspector;
use crate::applications::stage_filters;
use crate::stage_searches::stage_searches;

/// How the applications at some triggers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageReading {
    pub searches: usize,
    /// Whether one of them has no filter, so that it reads all applications.
    pub reads_all: bool,
    /// Applications per call.
    pub page_size: u32,
}

impl Inspector {
    /// How the applications at these triggers are read. Makes no call.
    pub fn stage_reading(&self, triggers: &[Trigger], vacancies: &Vacancies) -> StageReading {
        let dialect = &self.client.connection.dialect;
        let searches = stage_searches(dialect, triggers, vacancies);
        let is_unfiltered = |search: &StageSearch| {
            stage_filters(dialect, &search.triggers, &search.vacancies).is_empty()
        };
        StageReading {
            searches: searches.len(),
            page_size: dialect.page_size,
            reads_all: searches.iter().any(is_unfiltered),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn a_reading_without_a_route_that_filters_reads_all_applications() {
        let reading = async |dialect: Value, vacancies: &[&str]| {
            let scene = Scene::new(|_| Answer::status(500)).dialect(dialect);
            let trigger = |stage: &str| Trigger {
                stage: stage.into(),
                stage_name: None,
                statuses: Vec::new(),
            };
            let vacancies = match vacancies {
                [] => Vacancies::All,
                these => Vacancies::Only(these.iter().map(|id| (*id).into()).collect()),
            };
            let inspector = scene.inspector();
            let of = inspector.stage_reading(&[trigger("12"), trigger("13")], &vacancies);
            (of.searches, of.reads_all, of.page_size)
        };
        let stage = || json!({"stage_route": "Application.StageId"});
        let vacancy = || json!({"vacancy_route": "Application.VacancyId", "page_size": 50});
        assert_eq!(reading(json!({}), &["1", "2"]).await, (1, true, 100));
        assert_eq!(reading(stage(), &["1", "2"]).await, (2, false, 100));
        assert_eq!(reading(vacancy(), &["1", "2"]).await, (2, false, 50));
        assert_eq!(reading(vacancy(), &[]).await, (1, true, 50));
    }
}
