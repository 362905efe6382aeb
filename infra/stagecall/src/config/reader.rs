//! Reads a TOML document as a type. A value that cannot be used is reported, replaced by a stand-in and read again, so
//! that all problems are found at once.

use serde::de::DeserializeOwned;
use toml::{Table, Value, toml};

use super::place::Place;
use super::problems::Problems;

/// The maximum number of problems that are looked for.
const MAX_PROBLEMS: usize = 100;

/// The document as `T`, with stand-ins for what could not be used; `None` if not even that is possible.
pub(super) fn read<T: DeserializeOwned>(root: &mut Value, problems: &mut Problems) -> Option<T> {
    for _ in 0..MAX_PROBLEMS {
        let error = match serde_path_to_error::deserialize(root.clone()) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let place = Place::of_error(error.path(), root);
        let error: toml::de::Error = error.into_inner();
        let message = error.message().trim_end().replace('\n', " ");
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.strip_suffix('`'));
        let repaired = match missing {
            Some(key) => {
                let key = place.key(key);
                problems.unread(&key, &format!(" is missing{}", hint(&key)));
                fill(root, &place, &key).or_else(|| remove(root, &place, problems))
            }
            None => {
                let value = place.value(root);
                let found = value.and_then(|value| shown(&place, value, &message));
                let found = found.unwrap_or_default();
                problems.unread(
                    &place,
                    &format!("{found}: {}{}", discreet(&message), hint(&place)),
                );
                remove(root, &place, problems)
            }
        };
        repaired?;
    }
    None
}

/// Puts a stand-in where a required value is missing.
fn fill(root: &mut Value, place: &Place, key: &Place) -> Option<()> {
    let value = least(place)?.remove(*key.names().last()?)?;
    key.put(root, value).ok()
}

/// Removes a value, or what holds it if that cannot be without it.
fn remove(root: &mut Value, place: &Place, problems: &mut Problems) -> Option<()> {
    problems.replaced(place);
    if let Some(least) = least(place) {
        *place.value_mut(root)? = least.into();
        return Some(());
    }
    match place.take(root) {
        Some(_) => Some(()),
        None => remove(root, &place.parent()?, problems),
    }
}

/// What a table has at least, with stand-ins for the values; `None` where it can be left out.
fn least(place: &Place) -> Option<Table> {
    match place.names().as_slice() {
        ["tenant", "[]"] => Some(toml! {
            id = "?"
            eploy = { base_url = "https://acme.eploy.net/" }
        }),
        ["tenant", "[]", "eploy"] => Some(toml! { base_url = "https://acme.eploy.net/" }),
        ["tenant", "[]", "platforms", _] => Some(toml! { kind = "?" }),
        ["tenant", "[]", "mappings", "[]"] => Some(toml! {
            id = "?"
            vacancies = "all"
            assessment = { account = "?", assessment = "?" }
        }),
        ["tenant", "[]", "mappings", "[]", "kind", "meeting"] => Some(toml! {
            day = { working_days = 1 }
            time = "10:00"
            minutes = 45
        }),
        [
            "tenant",
            "[]",
            "mappings",
            "[]",
            "kind",
            "pool",
            "after",
            "[]",
        ] => Some(toml! {
            mapping = "?"
            on = "completed"
        }),
        ["secrets", _] => Some(toml! {
            eploy_client_id = { env = "?" }
            eploy_client_secret = { env = "?" }
        }),
        _ => None,
    }
}

/// A value that was understood as what it was meant to be, and is a wrong one. Others may be secrets.
fn shown(place: &Place, value: &Value, message: &str) -> Option<String> {
    let is_hidden = place.names().first() == Some(&"secrets")
        || value.is_table()
        || value.is_array()
        || ["unknown ", "invalid type: "]
            .iter()
            .any(|start| message.starts_with(start));
    (!is_hidden).then(|| format!(" is {value}"))
}

/// The message without the text that was found where none belongs: it may be a secret.
fn discreet(message: &str) -> String {
    match message.strip_prefix("invalid type: string ") {
        Some(rest) => {
            let expected = rest.rsplit_once("expected ").map_or(rest, |(_, what)| what);
            format!("a text is given, expected {expected}")
        }
        None => message.to_owned(),
    }
}

/// Valid values by the end of their place.
const HINTS: [(&str, &str); 18] = [
    ("listen", "an address and port such as \"127.0.0.1:8080\""),
    (
        "public_url",
        "an address such as \"https://hooks.example.com/\"",
    ),
    (
        "endpoint.url",
        "an address such as \"https://hrms.example.com/hooks/stagecall\"",
    ),
    ("base_url", "an address such as \"https://acme.eploy.net/\""),
    ("eploy", "the connection to Eploy, with its base_url"),
    (
        "mappings.[].kind",
        "one of { meeting = { … } } and { pool = { … } }",
    ),
    ("kind", "the platform, such as \"willo\""),
    ("id", "a short name such as \"support-video\""),
    (
        "vacancies",
        "\"all\" or a list of ids: { only = [4101, 4102] }",
    ),
    (
        "triggers",
        "at least one stage: [{ stage = \"12\", statuses = [\"34\"] }]",
    ),
    (
        "assessment",
        "what to invite to: { account = \"willo\", assessment = \"its id\" }",
    ),
    (
        "stage",
        "the id of the stage; in triggers, stage_name with its name instead",
    ),
    ("on", "a moment such as \"completed\""),
    ("action_type", "the id of the action's type"),
    (
        "day",
        "{ working_days = 1 }, which is the next one, or { question = \"the id of a date question\" }",
    ),
    ("time", "a time of day such as \"10:00\""),
    ("minutes", "the duration, such as 45"),
    (
        "when",
        "one of { stages = [{ stage = \"15\" }] } and { placements = [\"4\"] }; both would announce a hire twice",
    ),
];

fn hint(place: &Place) -> String {
    let names = place.names().join(".");
    let found = HINTS.iter().find(|(end, _)| {
        names
            .strip_suffix(end)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    });
    found.map_or_else(String::new, |(_, right)| format!("; give {right}"))
}
