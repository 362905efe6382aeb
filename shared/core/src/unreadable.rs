//! Describes an unreadable JSON document without quoting its content.
//!
//! The messages of the JSON library quote the value at fault. It may be personal or secret: an interviewer's address or
//! a token in a link in stored data; anything at all in a message from outside.

use serde_json::error::Category;

/// What is wrong and where, without a full stop. Of the library's message only the expectation and the missing field's
/// name are used, because both are our own words.
pub fn unreadable(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    let what = match error.classify() {
        Category::Data => expected(message).map_or_else(
            || "it is JSON, but not what is written there".to_owned(),
            |expected| format!("it is JSON, but not what is written there: {expected}"),
        ),
        Category::Eof => "it ends too early".to_owned(),
        Category::Syntax | Category::Io => "it is not JSON".to_owned(),
    };
    match error.line() {
        0 => what,
        line => format!("{what} (line {line}, column {})", error.column()),
    }
}

/// The part of a message that has no value in it.
fn expected(message: &str) -> Option<String> {
    // The document chooses how a value looks, but not how a message begins.
    const QUOTING: [&str; 5] = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant `",
        "unknown field `",
    ];
    if message.starts_with("missing field `") {
        return Some(message.to_owned());
    }
    QUOTING
        .iter()
        .find(|begins| message.starts_with(**begins))?;
    // The value comes first, so the last of these words are the library's.
    let (_, expected) = message.rsplit_once(", expected ")?;
    Some(format!("expected {expected}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Video,
        Test,
    }

    #[derive(Debug, Deserialize)]
    struct Row {
        #[expect(dead_code, reason = "only deserialized")]
        kind: Kind,
        #[expect(dead_code, reason = "only deserialized")]
        at: jiff::Timestamp,
    }

    fn described(text: &str) -> String {
        unreadable(&serde_json::from_str::<Row>(text).unwrap_err())
    }

    #[test]
    fn the_expectation_and_the_position_are_described() {
        for (text, expected) in [
            (
                r#"{"kind": "video"}"#,
                "missing field `at` (line 1, column 17)",
            ),
            (
                r#"{"kind": "Ada Example", "at": 1}"#,
                "expected `video` or `test` (line 1, column 22)",
            ),
            (r#"["Ada Example"]"#, "(line 1, column "),
            ("", "it ends too early (line 1, column 0)"),
            ("Ada Example", "it is not JSON (line 1, column 1)"),
        ] {
            let described = described(text);
            assert!(described.contains(expected), "{described}");
            assert!(!described.contains("Ada"), "{described}");
        }
    }

    #[test]
    fn no_value_is_ever_quoted() {
        for value in [
            "\"Ada Example\"",
            "\"x, expected Ada Example\"",
            "\"Ada Example at line 1\"",
            "[\"Ada Example\"]",
            "{\"Ada Example\": 1}",
        ] {
            for text in [
                format!(r#"{{"kind": {value}, "at": "2026-11-22T10:00:00Z"}}"#),
                format!(r#"{{"kind": "video", "at": {value}}}"#),
                format!("[{value}, {value}]"),
                value.to_owned(),
            ] {
                let described = described(&text);
                assert!(!described.contains("Ada"), "{text}: {described}");
                // Without a position in the message.
                let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else {
                    panic!("{text}");
                };
                let described = unreadable(&serde_json::from_value::<Row>(value).unwrap_err());
                assert!(!described.contains("Ada"), "{text}: {described}");
            }
        }
    }
}
