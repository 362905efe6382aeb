//! Tolerant parsing of third-party JSON. One broken character must not hide the rest of a response, so unambiguous errors
//! are repaired: only the broken character is lost.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// A body that is not JSON, even after repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not JSON")]
pub struct NotJson;

/// Reads a JSON body. `None`: it was empty or `null`.
///
/// A byte order mark is skipped. Bytes that are not UTF-8 and halves of surrogate pairs (`\ud83d` alone) become U+FFFD.
/// Control characters in texts count as if they were escaped, an escape that JSON does not have as the character that it
/// escapes, and `NaN`, infinities and numbers beyond the range of a double as null.
pub fn read_json(body: &[u8]) -> Result<Option<Value>, NotJson> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let value = serde_json::from_slice(body)
        .or_else(|_| serde_json::from_str(&repaired(&String::from_utf8_lossy(body))))
        .map_err(|_| NotJson)?;
    Ok(Some(value).filter(|value: &Value| !value.is_null()))
}

/// The text with everything replaced that JSON does not allow but that is unambiguous.
fn repaired(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '"' => {
                to.push('"');
                repair_text(&mut rest, &mut to);
            }
            '-' | '0'..='9' | 'A'..='Z' | 'a'..='z' => repair_word(char, &mut rest, &mut to),
            char if char.is_control() => to.push(' '),
            char => to.push(char),
        }
    }
    to
}

/// A number, or a word such as `true`.
fn repair_word(first: char, rest: &mut Peekable<Chars<'_>>, to: &mut String) {
    let mut word = String::from(first);
    while let Some(char) =
        rest.next_if(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.'))
    {
        word.push(char);
    }
    let is_number = word.starts_with(|char: char| char == '-' || char.is_ascii_digit());
    let is_infinite = |number: f64| number.is_infinite();
    if matches!(word.as_str(), "NaN" | "Infinity")
        || (is_number && word.parse().is_ok_and(is_infinite))
    {
        to.push_str("null");
    } else {
        to.push_str(&word);
    }
}

/// The rest of a string, with its closing quote.
fn repair_text(rest: &mut Peekable<Chars<'_>>, to: &mut String) {
    while let Some(char) = rest.next() {
        match char {
            '"' => {
                to.push('"');
                return;
            }
            '\\' => repair_escape(rest, to),
            char if char < ' ' => push_escaped(char, to),
            char => to.push(char),
        }
    }
}

/// What follows a backslash.
fn repair_escape(rest: &mut Peekable<Chars<'_>>, to: &mut String) {
    match rest.next() {
        Some('u') => {
            let char = match code_unit(rest) {
                Some(high @ 0xd800..=0xdbff) => {
                    let mut ahead = rest.clone();
                    let low = (ahead.next() == Some('\\') && ahead.next() == Some('u'))
                        .then(|| code_unit(&mut ahead))
                        .flatten()
                        .filter(|low| (0xdc00..=0xdfff).contains(low));
                    low.and_then(|low| {
                        *rest = ahead;
                        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
                    })
                }
                unit => unit.and_then(char::from_u32),
            }
            .unwrap_or(char::REPLACEMENT_CHARACTER);
            push_escaped(char, to);
        }
        Some(char @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
            to.push('\\');
            to.push(char);
        }
        Some(char) => push_escaped(char, to),
        None => {}
    }
}

fn push_escaped(char: char, to: &mut String) {
    match char {
        '"' | '\\' => {
            to.push('\\');
            to.push(char);
        }
        // Writing to a text never fails.
        char if char < ' ' => drop(write!(to, "\\u{:04x}", u32::from(char))),
        char => to.push(char),
    }
}

/// Four hexadecimal digits; takes none if there are fewer.
fn code_unit(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let mut ahead = rest.clone();
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + ahead.next()?.to_digit(16)?;
    }
    *rest = ahead;
    Some(unit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &[u8]) -> Value {
        read_json(body).unwrap().unwrap()
    }

    #[test]
    fn a_body_may_be_empty_or_begin_with_a_mark() {
        assert_eq!(read_json(b""), Ok(None));
        assert_eq!(read_json(b" \r\n"), Ok(None));
        assert_eq!(read_json(b"\xef\xbb\xbfnull"), Ok(None));
        assert_eq!(read(b"\xef\xbb\xbf{}"), json!({}));
    }

    #[test]
    fn only_a_broken_character_is_lost() {
        for (body, text) in [
            (&br#"{"a": "\ud83d", "b": 1}"#[..], "\u{fffd}"),
            (br#"{"a": "\ude00!", "b": 1}"#, "\u{fffd}!"),
            (br#"{"a": "\ud83dx", "b": 1}"#, "\u{fffd}x"),
            (br#"{"a": "\ud83d\u0041", "b": 1}"#, "\u{fffd}A"),
            (
                br#"{"a": "\ud83d\ud83d\ude00", "b": 1}"#,
                "\u{fffd}\u{1f600}",
            ),
            (br#"{"a": "\u12", "b": 1}"#, "\u{fffd}12"),
            (b"{\"a\": \"Andr\xe9\", \"b\": 1}", "Andr\u{fffd}"),
            (b"{\"a\": \"line\nline\", \"b\": 1}", "line\nline"),
            (br#"{"a": "it\'s \ud83d\"", "b": 1}"#, "it's \u{fffd}\""),
            (br#"{"a": "\ud83d\\", "b": 1}"#, "\u{fffd}\\"),
            (
                br#"{"a": "\u0022\u005c\u000a\ud83d", "b": 1}"#,
                "\"\\\n\u{fffd}",
            ),
        ] {
            assert_eq!(read(body), json!({"a": text, "b": 1}));
        }
    }

    #[test]
    fn a_number_that_json_does_not_have_counts_as_none() {
        assert_eq!(
            read(b"[NaN, -Infinity, Infinity, 1e999, -1.5e3, true, null]"),
            json!([null, null, null, null, -1.5e3, true, null])
        );
    }

    #[test]
    fn other_text_is_not_turned_into_json() {
        for body in [
            "<html>",
            "{",
            "[1",
            "{\"a\": \"b",
            "soon",
            "{\"a\": \\ud83d}",
            "nan",
        ] {
            assert_eq!(read_json(body.as_bytes()), Err(NotJson), "{body}");
        }
    }
}
