//! The options of a mapping for `WeCP`.

use serde_json::Value;
use stagecall_core::tenant::{Mapping, MappingKind, PlatformConnection};

use super::assessment_id::{self, AssessmentRoute, INTERVIEW};
use super::settings::{self, LINE, is_line};
use crate::settings::{Setting, Wants};

pub(super) static OPTIONS: &[Setting] = &[
    Setting {
        key: "name",
        wants: Wants::Text(is_line, LINE),
        about: "The name of a created interview, with {vacancy} where the vacancy's title belongs. Our own short name follows it in brackets. Without it: \"{vacancy}\".",
    },
    Setting {
        key: "group",
        wants: Wants::Text(is_id, "the id of a group: letters, digits and hyphens"),
        about: "The group that a live interview is in (groupId). Required where the mapping creates interviews, or the connection's schedule_path has {group}.",
    },
    Setting {
        key: "record",
        wants: Wants::Flag,
        about: "Whether the interview is recorded. Without it: no.",
    },
    Setting {
        key: "scorecard",
        wants: Wants::Value(
            is_scorecard,
            "a list of { question, type_of_question = \"star\", \"objective\" or \"text\", required, option = [...] }, with options where it is objective",
        ),
        // The names are the call's own (REFERENCE.md §15, seen in code).
        about: "The interview's scorecard. Without it: none.",
    },
    Setting {
        key: "send_email",
        wants: Wants::Flag,
        about: "Whether WeCP writes to the candidate itself (sendEmail). Without it: of an interview yes, of a pool no, of a test as WeCP has it. Whether it has an effect for tests is not established.",
    },
];

/// Checks combinations.
pub(super) fn validate(mapping: &Mapping, connection: &PlatformConnection) -> Vec<String> {
    let mut problems = Vec::new();
    let id = &mapping.assessment.assessment;
    let of = AssessmentRoute::of(id);
    let schedule_path = settings::schedule_path(&connection.settings);
    let has_group = mapping.options.contains_key("group");
    match &mapping.kind {
        MappingKind::Meeting(plan) => {
            if plan.creates.is_some() && id.as_str() != INTERVIEW {
                problems.push(format!(
                    "assessment.assessment is \"{id}\"; of what can be created, {} has \"{INTERVIEW}\"",
                    super::TITLE
                ));
            }
            if plan.creates.is_none() && !matches!(of, Ok(AssessmentRoute::Interview(_))) {
                problems.push(format!(
                    "assessment.assessment is \"{id}\"; a live interview's is \"{INTERVIEW}:\" and its id on {}; to create one, give \"{INTERVIEW}\", and kind.meeting.creates = \"mapping\" or \"vacancy\"",
                    super::TITLE
                ));
            }
            let group_in_path = assessment_id::has(schedule_path, "group");
            if !has_group && (plan.creates.is_some() || group_in_path) {
                problems.push("options.group is missing; give the group's id".to_owned());
            }
            if assessment_id::has(schedule_path, "organisation")
                && settings::organisation(&connection.settings).is_none()
            {
                problems.push(format!(
                    "kind.meeting needs the setting organisation of the connection {}; set it to the name that stands in WeCP's addresses",
                    mapping.assessment.account
                ));
            }
        }
        MappingKind::Pool(_) => {
            if !matches!(of, Ok(AssessmentRoute::Test(_) | AssessmentRoute::Group(_))) {
                problems.push(format!(
                    "assessment.assessment is \"{id}\"; a pool is a test's id, or \"group:\" and a group's id"
                ));
            }
        }
        MappingKind::Invitation => {
            if !matches!(of, Ok(AssessmentRoute::Test(_))) {
                problems.push(format!(
                    "assessment.assessment is \"{id}\"; give a test's id, or for a live interview say in kind.meeting when it is"
                ));
            }
        }
    }
    problems
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_scorecard(value: &Value) -> bool {
    const KNOWN: [&str; 4] = ["question", "type_of_question", "required", "option"];
    let line = |line: &Value| {
        let Some(object) = line.as_object() else {
            return false;
        };
        let options = line["option"].as_array();
        let options_fit =
            options.is_none_or(|all| !all.is_empty() && all.iter().all(Value::is_string));
        let kind = line["type_of_question"].as_str();
        object.keys().all(|key| KNOWN.contains(&key.as_str()))
            && line["question"].as_str().is_some_and(is_line)
            && object.get("required").is_none_or(Value::is_boolean)
            && (object.get("option").is_none() || options.is_some())
            && options_fit
            && matches!(kind, Some("star" | "objective" | "text"))
            && (kind != Some("objective") || options.is_some())
    };
    value
        .as_array()
        .is_some_and(|lines| !lines.is_empty() && lines.iter().all(line))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scorecard_has_lines_of_three_kinds() {
        assert!(is_scorecard(&json!([
            {"question": "Overall", "type_of_question": "star", "required": true},
            {"question": "Level", "type_of_question": "objective", "option": ["junior", "senior"]},
            {"question": "Notes", "type_of_question": "text"},
        ])));
        for bad in [
            json!([]),
            json!("Overall"),
            json!([{"question": "Overall"}]),
            json!([{"question": "", "type_of_question": "star"}]),
            json!([{"question": "Level", "type_of_question": "objective"}]),
            json!([{"question": "Level", "type_of_question": "objective", "option": []}]),
            json!([{"question": "Overall", "type_of_question": "star", "colour": "red"}]),
        ] {
            assert!(!is_scorecard(&bad), "{bad}");
        }
    }
}
