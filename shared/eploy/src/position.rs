//! Where a record says that its application stands (REFERENCE.md §5).

use stagecall_core::ids::{StageId, StatusId};
use stagecall_core::tenant::{HirePlan, Position, Tenant, Trigger, Vacancies};

use crate::wire::Record;

/// The stages that mappings or the plan for hires use. If a record has no id, they decide what can be concluded without
/// it.
pub(crate) struct Stages(Vec<(Vacancies, Trigger)>);

impl Stages {
    /// Those of a tenant's mappings and of its plan for hires.
    pub(crate) fn of(tenant: &Tenant) -> Self {
        let mappings = tenant.mappings.iter().flat_map(|mapping| {
            let of = |trigger: &Trigger| (mapping.vacancies.clone(), trigger.clone());
            mapping.triggers.iter().map(of)
        });
        let hires = tenant.hires.iter().flat_map(HirePlan::triggers);
        let hires = hires.map(|trigger| (Vacancies::All, trigger.clone()));
        Self(mappings.chain(hires).collect())
    }

    /// The position of the record's application. Stage and status may each be null, but a record without `Workflow` is
    /// an error.
    pub(crate) fn position(&self, record: Record<'_>) -> Result<Position, String> {
        if !record.has("Workflow") {
            return Err("Workflow is missing".to_owned());
        }
        let Some(workflow) = record.get("Workflow") else {
            return Ok(Position::default());
        };
        let workflow = Record::of(workflow).ok_or("Workflow is not an object")?;
        let stage = self.stage(workflow)?;
        let status = workflow.id("Status").map(StatusId::new);
        if let Some(stage) = &stage
            && status.is_none()
            && has_unknown_status(workflow)
            && self.asks_for_status(stage, record.id("Vacancy").as_deref())
        {
            return Err(format!(
                "Workflow.Status has no Id, and a mapping or the plan for hires asks for a status on stage {stage}"
            ));
        }
        Ok(Position { stage, status })
    }

    /// The stage. A stage that cannot be identified is not the same as none.
    fn stage(&self, workflow: Record<'_>) -> Result<Option<StageId>, String> {
        if workflow.get("Stage").is_none() {
            return Ok(None);
        }
        let problem = match (workflow.need_id("Stage"), workflow.record("Stage")) {
            (Ok(id), _) => return Ok(Some(StageId::new(id))),
            (Err(_), Some(stage)) if !stage.has("Id") => "Workflow.Stage has no Id".to_owned(),
            (Err(problem), _) => problem,
        };
        let named = workflow.record("Stage").and_then(name);
        let named = named.and_then(|name| self.named(name)).cloned();
        named.map(Some).ok_or(problem)
    }

    /// The one stage of this name, as it was when the mappings were made.
    fn named(&self, name: &str) -> Option<&StageId> {
        let is_named = |trigger: &&Trigger| {
            let known = trigger.stage_name.as_deref().map(str::trim);
            known.is_some_and(|known| known.to_lowercase() == name.to_lowercase())
        };
        let triggers = self.0.iter().map(|(_, trigger)| trigger);
        let mut stages = triggers.filter(is_named).map(|trigger| &trigger.stage);
        let first = stages.next()?;
        stages.all(|stage| stage == first).then_some(first)
    }

    /// Whether the status matters for an application at this stage, for this vacancy if known.
    fn asks_for_status(&self, stage: &StageId, vacancy: Option<&str>) -> bool {
        self.0.iter().any(|(vacancies, trigger)| {
            trigger.stage == *stage
                && !trigger.statuses.is_empty()
                && vacancy.is_none_or(|vacancy| vacancies.contains(&vacancy.into()))
        })
    }
}

/// Whether there is a status whose id is unknown. `-1` means no status.
fn has_unknown_status(workflow: Record<'_>) -> bool {
    let Some(status) = workflow.record("Status") else {
        return workflow.get("Status").is_some_and(|id| !is_none(id));
    };
    !status.get("Id").is_some_and(is_none) && name(status).is_some()
}

fn is_none(id: &serde_json::Value) -> bool {
    id.as_i64() == Some(-1) || matches!(id.as_str().map(str::trim), Some("" | "-1"))
}

fn name(option: Record<'_>) -> Option<&str> {
    option.text("Description").or_else(|| option.text("Name"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stages() -> Stages {
        let mapping = |id: &str, vacancy: &str, triggers: Value| {
            json!({"id": id, "vacancies": {"only": [vacancy]}, "triggers": triggers,
                "assessment": {"account": "acc", "assessment": id}})
        };
        let tenant = serde_json::from_value(json!({
            "id": "acme",
            "eploy": {"base_url": "https://acme.eploy.net/"},
            "mappings": [
                mapping("video", "1", json!([{"stage": "12", "stage_name": "Video Interview", "statuses": ["34"]}])),
                mapping("any", "2", json!([{"stage": "12", "stage_name": "video interview "}])),
                mapping("one", "1", json!([{"stage": "13", "stage_name": "Test"}])),
                mapping("other", "1", json!([{"stage": "14", "stage_name": "Test"}])),
            ],
            "hires": {"when": {"stages": [{"stage": "20", "stage_name": "Offers", "statuses": ["7"]}]}},
        }));
        Stages::of(&tenant.unwrap())
    }

    /// Of this stage and this status, for this vacancy: the ids that are read, or what is wrong.
    fn ids_of(vacancy: &str, stage: &Value, status: &Value) -> Result<[Option<String>; 2], String> {
        let record =
            json!({"Vacancy": {"Id": vacancy}, "Workflow": {"Stage": stage, "Status": status}});
        let position = stages().position(Record::of(&record).unwrap())?;
        let (stage, status) = (position.stage, position.status);
        Ok([
            stage.map(|id| id.as_str().to_owned()),
            status.map(|id| id.as_str().to_owned()),
        ])
    }

    fn at(stage: &str, status: Option<&str>) -> [Option<String>; 2] {
        [Some(stage.to_owned()), status.map(str::to_owned)]
    }

    #[test]
    fn a_stage_without_an_id_is_identified_by_its_name_in_the_mapping() {
        for stage in [
            json!({"Name": "Video Interview"}),
            json!({"Description": " VIDEO interview "}),
            json!({"Id": null, "Description": "Video Interview"}),
            json!({"Id": "", "Description": "Video Interview"}),
        ] {
            let ids = ids_of("1", &stage, &json!({"Id": 34}));
            assert_eq!(ids, Ok(at("12", Some("34"))), "{stage}");
        }
        let offers = ids_of("9", &json!({"Name": "Offers"}), &json!({"Id": 7}));
        assert_eq!(offers, Ok(at("20", Some("7"))));
        // An id outranks a name.
        let both = ids_of(
            "2",
            &json!({"Id": 15, "Name": "Video Interview"}),
            &json!(null),
        );
        assert_eq!(both, Ok(at("15", None)));
    }

    #[test]
    fn a_stage_without_id_or_known_name_is_set_aside() {
        for (stage, problem) in [
            (json!({"Name": "Screening"}), "Workflow.Stage has no Id"),
            // Of two stages.
            (json!({"Name": "Test"}), "Workflow.Stage has no Id"),
            (json!({}), "Workflow.Stage has no Id"),
            (json!({"Id": "?"}), "Stage is not readable as an id"),
            (json!(true), "Stage is not readable as an id"),
        ] {
            let ids = ids_of("1", &stage, &json!({"Id": 34}));
            assert_eq!(ids, Err(problem.to_owned()), "{stage}");
        }
    }

    #[test]
    fn a_status_without_an_id_is_set_aside_only_where_the_status_decides() {
        let named = || json!({"Description": "To Be Completed"});
        let problem = "Workflow.Status has no Id, and a mapping or the plan for hires asks for a status on stage 12";
        assert_eq!(
            ids_of("1", &json!({"Id": 12}), &named()),
            Err(problem.to_owned())
        );
        // That mapping is of another vacancy, this one asks for the stage alone; at another stage nobody waits.
        assert_eq!(
            ids_of("2", &json!({"Id": 12}), &named()),
            Ok(at("12", None))
        );
        assert_eq!(
            ids_of("1", &json!({"Id": 13}), &named()),
            Ok(at("13", None))
        );
        assert_eq!(
            ids_of("1", &json!({"Id": 99}), &named()),
            Ok(at("99", None))
        );
        assert!(ids_of("9", &json!({"Name": "Offers"}), &named()).is_err());
        // Without the vacancy, it may be that one.
        let record = json!({"Workflow": {"Stage": {"Id": 12}, "Status": named()}});
        assert!(stages().position(Record::of(&record).unwrap()).is_err());
    }

    #[test]
    fn no_status_is_no_unknown_status() {
        for status in [
            json!(null),
            json!(""),
            json!({}),
            json!({"Id": null, "Description": ""}),
            json!({"Id": -1, "Description": "None"}),
            json!({"Id": "", "Description": "None"}),
        ] {
            let ids = ids_of("1", &json!({"Id": 12}), &status);
            assert_eq!(ids, Ok(at("12", None)), "{status}");
        }
    }
}
