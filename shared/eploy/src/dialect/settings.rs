//! Reading a dialect from a tenant's settings, with all problems at once.

use serde_json::{Map, Value};
use stagecall_core::ports::ChangeFeed;
use stagecall_core::tenant::Settings;

use super::Dialect;

impl Dialect {
    /// Parses a dialect. Every problem is reported with its key, the value and what would be valid.
    pub fn from_settings(settings: &Settings) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        for leaf in leaves(&Value::Object(settings.clone())) {
            // One setting at a time: parsing all at once would report only the first problem.
            if let Err(problem) = serde_json::from_value::<Self>(leaf.alone()) {
                problems.push(format!(
                    "dialect.{} is {}: {problem}",
                    leaf.path.join("."),
                    leaf.value
                ));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let dialect: Self = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|problem| vec![format!("dialect: {problem}")])?;
        let problems = dialect.problems();
        if problems.is_empty() {
            Ok(dialect)
        } else {
            Err(problems)
        }
    }

    /// Checks beyond the types.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=1000).contains(&self.page_size) {
            problems.push(format!(
                "dialect.page_size is {}: it must be from 1 to 1000",
                self.page_size
            ));
        }
        for (feed, name, needs, route) in [
            (
                ChangeFeed::StatusHistory,
                "status_history",
                "history_date_route",
                &self.history_date_route,
            ),
            (
                ChangeFeed::StageRoute,
                "stage_route",
                "stage_route",
                &self.stage_route,
            ),
        ] {
            if self.feed == feed && route.is_none() {
                problems.push(format!(
                    "dialect.feed is \"{name}\": it needs dialect.{needs}, the route to filter by; stagecall probe finds it"
                ));
            }
        }
        let paths = [
            (
                "notes_path",
                self.notes_path.as_deref(),
                Some("{application}"),
            ),
            ("export_path", Some(self.export_path.as_str()), None),
            (
                "options_path",
                Some(self.options_path.as_str()),
                Some("{list}"),
            ),
            (
                "options_index_path",
                self.options_index_path.as_deref(),
                None,
            ),
        ];
        for (key, path, place) in paths {
            let Some(path) = path else { continue };
            let rest = place.map_or_else(|| path.to_owned(), |place| path.replace(place, ""));
            let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
            if path.is_empty()
                || path.starts_with('/')
                || path.contains("..")
                || !rest.chars().all(plain)
            {
                let place = place.map_or_else(String::new, |place| {
                    format!(", with {place} in place of the id")
                });
                problems.push(format!(
                    "dialect.{key} is {path:?}: it must be a path below /api/ without a leading slash{place}"
                ));
            }
        }
        let said_by_path = self
            .notes_path
            .as_ref()
            .is_none_or(|path| path.contains("{application}"));
        if !said_by_path && self.note_application_field.is_none() {
            problems.push(
                "dialect.notes_path has no {application}: put it where the id belongs, or set dialect.note_application_field to the field of the body that holds it"
                    .to_owned(),
            );
        }
        if !self.options_path.contains("{list}") {
            problems.push(format!(
                "dialect.options_path is {:?}: it must contain {{list}} in place of the list's id",
                self.options_path
            ));
        }
        problems
    }
}

/// One setting with its path.
struct Leaf {
    path: Vec<String>,
    value: Value,
}

impl Leaf {
    /// Settings with only this one.
    fn alone(&self) -> Value {
        self.path
            .iter()
            .rev()
            .fold(self.value.clone(), |inner, key| {
                Value::Object(Map::from_iter([(key.clone(), inner)]))
            })
    }
}

fn leaves(value: &Value) -> Vec<Leaf> {
    match value {
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .flat_map(|(key, inner)| {
                leaves(inner).into_iter().map(|mut leaf| {
                    leaf.path.insert(0, key.clone());
                    leaf
                })
            })
            .collect(),
        _ => vec![Leaf {
            path: Vec::new(),
            value: value.clone(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialect::{Dates, MoveBody};

    fn settings(value: &Value) -> Settings {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn without_settings_it_is_the_valid_default() {
        assert_eq!(
            Dialect::from_settings(&Settings::new()),
            Ok(Dialect::default())
        );
    }

    #[test]
    fn settings_are_read_at_every_depth() {
        let dialect = Dialect::from_settings(&settings(&json!({
            "dates": "uk", "id_casing": "ID", "move_body": "flat", "scope": null,
            "notes_path": "applications/{application}/notes",
            "action_fields": {"link": "URL"},
        })))
        .unwrap();
        assert_eq!(dialect.dates, Dates::Uk);
        assert_eq!(dialect.block("CandidateId"), "CandidateID");
        assert_eq!(dialect.block("Workflow"), "Workflow");
        assert_eq!(dialect.move_body, MoveBody::Flat);
        assert_eq!(dialect.action_fields.link, "URL");
        assert_eq!(dialect.action_fields.company, "CompanyId");
    }

    #[test]
    fn every_problem_is_reported_with_key_value_and_what_is_valid() {
        let problems = Dialect::from_settings(&settings(&json!({
            "dates": "gmt", "pagesize": 3, "page_size": "many",
            "action_fields": {"lnk": "URL", "start": 7},
        })))
        .unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:#?}");
        let all = problems.join("\n");
        assert!(all.contains(r#"dialect.dates is "gmt": unknown variant `gmt`, expected one of `unknown`, `utc`, `uk`"#), "{all}");
        assert!(
            all.contains(
                "dialect.pagesize is 3: unknown field `pagesize`, expected one of `page_size`"
            ),
            "{all}"
        );
        assert!(all.contains("dialect.action_fields.lnk"), "{all}");
        assert!(all.contains("dialect.action_fields.start is 7"), "{all}");
    }

    #[test]
    fn values_that_cannot_work_are_refused() {
        let problems = Dialect::from_settings(&settings(&json!({
            "page_size": 0, "notes_path": "notes", "export_path": "/export", "options_path": "options?x={list}",
        })))
        .unwrap_err();
        assert_eq!(problems.len(), 4, "{problems:#?}");
        let with_field = json!({"notes_path": "notes", "note_application_field": "ApplicationId"});
        assert!(Dialect::from_settings(&settings(&with_field)).is_ok());
    }

    #[test]
    fn a_feed_needs_the_route_that_it_reads_by() {
        for (feed, route, known) in [
            (
                "status_history",
                "history_date_route",
                "StatusHistory.CreationDate",
            ),
            ("stage_route", "stage_route", "Application.StageId"),
        ] {
            let problems = Dialect::from_settings(&settings(&json!({"feed": feed}))).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert!(problems[0].contains(&format!("it needs dialect.{route}")));
            let sound = json!({"feed": feed, route: known, "feed_settled": true});
            assert!(Dialect::from_settings(&settings(&sound)).is_ok());
        }
        let slow = Dialect::from_settings(&settings(&json!({"feed": "slow_full"})));
        assert_eq!(slow.unwrap().feed, ChangeFeed::SlowFull);
    }
}
