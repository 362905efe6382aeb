//! Vacancies: their title, and the company that an action has to name (REFERENCE.md §10, §14).

use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ids::{CompanyId, VacancyId};
use stagecall_core::ports::Vacancy;

use crate::client::Client;
use crate::errors::{Permission, Problem};
use crate::search::Kind;
use crate::wire::Record;

const KIND: Kind = Kind {
    operation: "read the vacancy",
    resource: "vacancies",
    id: "VacancyId",
    // All documented by P-GROS.
    blocks: &["VacancyId", "Title", "Company"],
    permission: Permission::view("Vacancies"),
};

impl Client {
    /// A vacancy, cached for a short while.
    pub(crate) async fn read_vacancy(&self, id: &VacancyId) -> Result<Vacancy, CallError> {
        if let Some(vacancy) = self.connection.known_vacancy(id) {
            return Ok(vacancy);
        }
        let dialect = &self.connection.dialect;
        let record = self
            .read_one(
                &KIND,
                dialect.read_vacancy,
                &dialect.vacancy_id_route,
                id.as_str(),
            )
            .await?
            .ok_or_else(|| Problem::NotFound.error(KIND.operation, ""))?;
        let vacancy = vacancy(&record, id)
            .ok_or_else(|| Problem::Unreadable.error(KIND.operation, "it is not a vacancy"))?;
        self.connection.learn_vacancy(&vacancy);
        Ok(vacancy)
    }
}

fn vacancy(record: &Value, id: &VacancyId) -> Option<Vacancy> {
    let record = Record::of(record)?;
    if !["Title", "Company"].iter().any(|name| record.has(name)) {
        return None;
    }
    Some(Vacancy {
        id: id.clone(),
        title: record.text("Title").unwrap_or_default().to_owned(),
        company: record.id("Company").map(CompanyId::new),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::ports::Purpose;

    use super::*;
    use crate::testing::{Answer, Scene};

    #[tokio::test]
    async fn a_vacancy_is_read_once_for_all_purposes_and_again_later() {
        let scene = Scene::new(|_| {
            Answer::ok(r#"{"VacancyId": 4101, "Title": "Support Worker", "Company": {"Id": "12"}}"#)
        });
        for purpose in [Purpose::Invite, Purpose::WriteBack] {
            let vacancy = scene
                .client_for(purpose)
                .await
                .vacancy(&"4101".into())
                .await
                .unwrap();
            assert_eq!(
                vacancy,
                Vacancy {
                    id: "4101".into(),
                    title: "Support Worker".to_owned(),
                    company: Some("12".into()),
                }
            );
        }
        assert_eq!(scene.count("/api/vacancies/4101"), 1);
        scene.clock.pass(3600);
        scene.client().await.vacancy(&"4101".into()).await.unwrap();
        assert_eq!(scene.count("/api/vacancies/4101"), 2);
    }

    #[tokio::test]
    async fn the_cache_of_vacancies_is_bounded() {
        let scene = Scene::new(|_| Answer::ok(r#"{"Title": "Support Worker", "Company": null}"#));
        let client = scene.client().await;
        for id in 0..=500 {
            client
                .vacancy(&VacancyId::new(id.to_string()))
                .await
                .unwrap();
            scene.clock.pass(1);
        }
        client.vacancy(&"500".into()).await.unwrap();
        assert_eq!(scene.count("/api/vacancies/500"), 1);
        client.vacancy(&"0".into()).await.unwrap();
        assert_eq!(scene.count("/api/vacancies/0"), 2);
    }

    #[tokio::test]
    async fn a_vacancy_can_be_read_by_search() {
        let scene = Scene::new(|_| {
            Answer::ok(r#"{"Records": [{"VacancyId": 4101, "Title": "Support Worker"}]}"#)
        })
        .dialect(json!({"read_vacancy": "search"}));
        assert_eq!(
            scene
                .client()
                .await
                .vacancy(&"4101".into())
                .await
                .unwrap()
                .company,
            None
        );
        assert_eq!(
            scene.last().body["Filters"][0]["Route"],
            "Vacancy.VacancyId"
        );
    }
}
