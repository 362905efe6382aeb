//! Parsing JSON whose exact shape is not established: every plausible name, in either case style, of several types.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::{Map, Value};
use stagecall_core::result::{Rating, Score};
use stagecall_http::Response;

use crate::error::PlatformError;

/// The body of a success. An empty one is a null.
pub(crate) fn answer(title: &str, answer: &Response) -> Result<Value, PlatformError> {
    match answer.json() {
        Ok(body) => Ok(body.unwrap_or_default()),
        Err(error) => Err(PlatformError::unreadable(format!(
            "{title}'s answer: {error}"
        ))),
    }
}

/// The body of a refusal as JSON, else null.
pub(crate) fn anything(answer: &Response) -> Value {
    answer.json().ok().flatten().unwrap_or_default()
}

/// An object, merged with the objects it may wrap.
pub(crate) struct Record<'a> {
    layers: Vec<&'a Map<String, Value>>,
}

impl<'a> Record<'a> {
    /// The object `value`, and its objects under any of `inner`. The outer one takes precedence.
    pub fn of(value: &'a Value, inner: &[&str]) -> Option<Self> {
        let outer = value.as_object()?;
        let mut layers = vec![outer];
        layers.extend(
            inner
                .iter()
                .filter_map(|name| outer.get(*name)?.as_object()),
        );
        Some(Self { layers })
    }

    /// The value of the first of `names` (in `snake_case`; read in `camelCase` too) that is neither missing, null nor
    /// an empty text.
    pub fn get(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| {
            let camel = camel_case(name);
            self.layers.iter().find_map(|layer| {
                [*name, &camel]
                    .iter()
                    .filter_map(|name| layer.get(*name))
                    .find(|value| !value.is_null() && value.as_str() != Some(""))
            })
        })
    }

    /// The same, read as text.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        self.get(names).and_then(text)
    }

    /// The same, read as a time.
    pub fn time(&self, names: &[&str]) -> Option<Timestamp> {
        names
            .iter()
            .find_map(|name| self.get(&[name]).and_then(time))
    }

    /// The same, read as a list; empty if there is none.
    pub fn list(&self, names: &[&str]) -> &'a [Value] {
        names
            .iter()
            .find_map(|name| self.get(&[name])?.as_array())
            .map_or(&[], Vec::as_slice)
    }
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// A text, or the text that an object wraps.
pub(crate) fn text(value: &Value) -> Option<String> {
    const WRAPPED: [&str; 8] = [
        "text",
        "name",
        "title",
        "label",
        "full_name",
        "body",
        "content",
        "value",
    ];
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(_) => {
            let record = Record::of(value, &[])?;
            WRAPPED
                .iter()
                .filter_map(|name| record.get(&[name]))
                .find(|value| value.is_string() || value.is_number())
                .and_then(text)
        }
        _ => None,
    }
}

/// Whether a text can be an id: it goes into paths, the store and the log, so it must not change a path or be an e-mail
/// address.
pub(crate) fn is_plain(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// An id: a plain text or a whole number, or the object that has it as `key` or `id`.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| is_plain(text)),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        // Some platforms write whole numbers as `7.0`. Beyond 2^53 a double is no longer one number.
        Value::Number(number) => number
            .as_f64()
            .filter(|number| number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0)
            .map(|number| format!("{number:.0}")),
        Value::Object(object) => ["key", "id"]
            .iter()
            .filter_map(|name| object.get(*name))
            .find(|value| !value.is_object())
            .and_then(id),
        _ => None,
    }
}

/// A finite number, also as text, with a decimal point or, if unambiguous, a decimal comma.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => written(text.trim().trim_end_matches('%').trim_end()),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

/// A number as people write it: "85.5", "85,5", "1,234.5", "1.234,5". Three digits after one comma may be thousands or
/// decimals, and are rejected.
fn written(text: &str) -> Option<f64> {
    let Some((before, after)) = text.rsplit_once(',') else {
        return text.parse().ok();
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let in_thousands = |text: &str, mark: char| {
        let text = text.strip_prefix('-').unwrap_or(text);
        let mut groups = text.split(mark);
        groups
            .next()
            .is_some_and(|first| digits(first) && first.len() <= 3)
            && groups.all(|group| digits(group) && group.len() == 3)
    };
    if let Some((whole, decimals)) = text.split_once('.')
        && decimals.bytes().all(|byte| byte.is_ascii_digit())
    {
        let certain = in_thousands(whole, ',');
        return certain
            .then(|| text.replace(',', "").parse().ok())
            .flatten();
    }
    let plain = digits(before.strip_prefix('-').unwrap_or(before));
    let certain = digits(after)
        && if plain {
            after.len() != 3
        } else {
            in_thousands(before, '.')
        };
    let plain = || format!("{}.{after}", before.replace('.', "")).parse().ok();
    certain.then(plain).flatten()
}

/// Whether a fact holds that is given as a flag, a count, or a start time.
pub(crate) fn holds(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(_) => number(value).is_some_and(|number| number > 0.0),
        Value::String(text) => {
            let text = text.trim();
            time(value).is_some() || ["true", "yes", "1"].contains(&text.to_lowercase().as_str())
        }
        _ => false,
    }
}

/// A time: with an offset, without one (then UTC), a date alone (its beginning, UTC), or seconds or milliseconds since
/// 1970.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    /// 9 September 2001: a smaller number is a count.
    const MIN_EPOCH_SECONDS: i64 = 1_000_000_000;
    match value {
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| {
                let local: civil::DateTime = text.parse().ok()?;
                Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
            })
        }
        Value::Number(number) => match number.as_i64()? {
            number if number >= MIN_EPOCH_SECONDS * 1000 => {
                Timestamp::from_millisecond(number).ok()
            }
            number if number >= MIN_EPOCH_SECONDS => Timestamp::from_second(number).ok(),
            _ => None,
        },
        _ => None,
    }
}

/// A score in words, if it is not numeric.
pub(crate) fn score_in_words(value: &Value) -> Option<Rating> {
    let value = value.as_str()?.trim();
    let plain = !value.is_empty() && value.chars().count() <= MAX_SCORE_CHARS;
    (plain && score(&Value::from(value)).is_none()).then(|| Rating {
        by: None,
        label: "Score".to_owned(),
        value: value.to_owned(),
    })
}

/// The maximum length of a score in words, in characters.
const MAX_SCORE_CHARS: usize = 80;

/// A score: a number, "85 %", "4/5", or an object of points, their maximum, a percentage and a word.
pub(crate) fn score(value: &Value) -> Option<Score> {
    if let Some(points) = number(value) {
        let is_percentage = value
            .as_str()
            .is_some_and(|text| text.trim().ends_with('%'));
        return Some(Score::of(points, is_percentage.then_some(100.0)));
    }
    if let Some((points, max)) = value.as_str().and_then(|text| text.split_once('/')) {
        let part = |text: &str| number(&Value::from(text));
        return Some(Score::of(part(points)?, Some(part(max)?)));
    }
    let record = Record::of(value, &[])?;
    let named = |names: &[&str]| names.iter().find_map(|name| number(record.get(&[name])?));
    let percent = named(&["percent", "percentage"]);
    let mut score = match named(&["value", "score", "points", "rating", "overall", "average"]) {
        Some(points) => {
            let max = named(&["max", "max_score", "maximum", "out_of", "possible", "total"]);
            Score::of(points, max)
        }
        None => Score::of(percent?, Some(100.0)),
    };
    score.percent = percent.or(score.percent);
    score.band = record.text(&["band", "level", "grade"]);
    Some(score)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_in_either_case_style_and_the_outer_object_first() {
        let value = json!({"key": "a", "completedAt": "2026-01-02T03:04:05Z", "note": "", "data": {"key": "b", "note": "n"}});
        let record = Record::of(&value, &["data"]).unwrap();
        assert_eq!(record.text(&["key"]).as_deref(), Some("a"));
        assert_eq!(record.text(&["note"]).as_deref(), Some("n"));
        assert!(record.time(&["completed_at"]).is_some());
        assert!(record.get(&["missing"]).is_none());
        assert!(Record::of(&json!([1]), &[]).is_none());
    }

    #[test]
    fn a_number_with_a_comma_is_read_if_unambiguous() {
        for (text, read) in [
            ("85,5", Some(85.5)),
            ("85,5 %", Some(85.5)),
            ("-7,25", Some(-7.25)),
            ("100,0", Some(100.0)),
            ("1,234.5", Some(1234.5)),
            ("1.234,5", Some(1234.5)),
            ("1.234.567,8", Some(1_234_567.8)),
            // A thousand and more, or one and a fraction.
            ("1,234", None),
            ("1,2,3", None),
            ("12.34,5", None),
            ("1,23.4", None),
            ("85,", None),
            (",5", None),
            ("8,5 of 10", None),
        ] {
            assert_eq!(number(&json!(text)), read, "{text}");
        }
    }

    #[test]
    fn a_score_in_words_is_unchanged() {
        let words = |value: Value| score_in_words(&value).map(|rating| rating.value);
        assert_eq!(
            words(json!(" Strong hire ")).as_deref(),
            Some("Strong hire")
        );
        assert_eq!(words(json!("1,234")).as_deref(), Some("1,234"));
        for read in [
            json!("85,5 %"),
            json!("4 / 5"),
            json!(7),
            json!(""),
            json!(null),
        ] {
            assert_eq!(words(read.clone()), None, "{read}");
        }
        let percent = score(&json!("85,5 %")).unwrap();
        assert_eq!((percent.max, percent.percent), (Some(100.0), Some(85.5)));
    }

    #[test]
    fn times_are_read_in_every_usual_form() {
        let noon: Timestamp = "2026-10-04T12:00:00Z".parse().unwrap();
        for form in [
            json!("2026-10-04T12:00:00Z"),
            json!("2026-10-04T13:00:00.000000+01:00"),
            json!("2026-10-04T12:00:00"),
            json!("2026-10-04 12:00:00"),
            json!(noon.as_second()),
            json!(noon.as_millisecond()),
        ] {
            assert_eq!(time(&form), Some(noon), "{form}");
        }
        let day = time(&json!("2026-10-04"));
        assert_eq!(day, Some("2026-10-04T00:00:00Z".parse().unwrap()));
        for form in [json!(3), json!(true), json!("soon"), json!(""), json!(1e30)] {
            assert_eq!(time(&form), None, "{form}");
        }
    }

    #[test]
    fn scores_are_read_in_every_usual_form() {
        let of = |value: Value| score(&value).map(|score| (score.value, score.max, score.percent));
        assert_eq!(of(json!(7)), Some((7.0, None, None)));
        assert_eq!(of(json!("7.5")), Some((7.5, None, None)));
        assert_eq!(of(json!("4/5")), Some((4.0, Some(5.0), Some(80.0))));
        assert_eq!(
            of(json!({"score": 4, "maxScore": 5})),
            Some((4.0, Some(5.0), Some(80.0)))
        );
        assert_eq!(
            of(json!({"percentage": "65%"})),
            Some((65.0, Some(100.0), Some(65.0)))
        );
        for nothing in [
            json!("strong"),
            json!({}),
            json!([]),
            json!("a/b"),
            json!("NaN"),
        ] {
            assert_eq!(of(nothing.clone()), None, "{nothing}");
        }
    }

    #[test]
    fn an_id_is_never_taken_from_deep_inside() {
        assert_eq!(id(&json!("k")).as_deref(), Some("k"));
        assert_eq!(id(&json!(12)).as_deref(), Some("12"));
        assert_eq!(id(&json!({"key": "k", "id": 1})).as_deref(), Some("k"));
        assert_eq!(id(&json!({"key": {"key": "k"}})), None);
        assert_eq!(id(&json!(1.5)), None);
        for strange in [
            "",
            "ada@example.com",
            "Ada Example",
            "a/../b",
            "a?b",
            &"a".repeat(129),
        ] {
            assert_eq!(id(&json!(strange)), None, "{strange}");
        }
    }
}
