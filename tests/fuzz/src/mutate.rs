//! Breaks a document: its structure where it is JSON, its bytes in any case.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Texts that mean something to somebody: to a browser, a template, a path, a parser of numbers or times.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "\r\nx-injected: 1",
    "\u{202e}txt.exe",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</p><iframe src=//evil.example>",
    "&lt;script&gt;",
    "{{ 7 * 7 }}{% for x in y %}",
    "javascript:alert(1)",
    "JaVaScRiPt://app.willotalent.com/show/x/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://evil.example/show/AbCd12/",
    "https://app.willotalent.com.evil.example/show/AbCd12/",
    "https://app.willotalent.com@evil.example/show/AbCd12/",
    "https://evilwillotalent.com/show/AbCd12/",
    "https://app.willotalent.com\\@evil.example/show/AbCd12/",
    "https://app.willotalent.com/show/\"><script>alert(1)</script>/",
    "http://169.254.169.254/latest/meta-data/",
    "//evil.example/api/integrations/v2/participants/",
    "../../../../etc/passwd",
    "a/b?c=d#e",
    "%2e%2e%2f",
    "0123456789abcdef0123456789abcdef",
    "0123456789ABCDEF0123456789ABCDEF",
    "0123456789abcdef0123456789abcde",
    "ada@example.com",
    "1e400",
    "-1",
    "5/0",
    "NaN",
    "inf%",
    "9223372036854775808",
    "9999-12-31T23:59:59.999999999Z",
    "-009999-01-01T00:00:00Z",
    "2026-02-30T25:61:61+99:99",
    "2025-03-30T01:30:00",
    "P1Y",
    "99999999:59:59",
    "completed",
    "EXPIRED",
    "false",
    "null",
];

/// A document like `document`, but broken in up to four places.
pub fn mutated(document: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = document.to_vec();
    if random.u8(..10) < 8
        && let Ok(mut value) = serde_json::from_slice::<Value>(document)
    {
        for _ in 0..random.usize(1..=4) {
            let nodes = count(&value);
            let target = random.usize(..nodes);
            change(at(&mut value, target), random);
        }
        bytes = value.to_string().into_bytes();
        if random.u8(..10) < 8 {
            return bytes;
        }
    }
    for _ in 0..random.usize(1..=4) {
        change_bytes(&mut bytes, random);
    }
    bytes
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// The node of this number, counted from the root on.
fn at(value: &mut Value, mut number: usize) -> &mut Value {
    if number == 0 {
        return value;
    }
    number -= 1;
    // Which child has it is found first, so that only that one is borrowed.
    let mut sizes: Vec<usize> = match value {
        Value::Array(items) => items.iter().map(count).collect(),
        Value::Object(map) => map.values().map(count).collect(),
        _ => Vec::new(),
    };
    let mut child = 0;
    for size in sizes.drain(..) {
        if number < size {
            break;
        }
        number -= size;
        child += 1;
    }
    match value {
        Value::Array(items) => at(&mut items[child], number),
        Value::Object(map) => match map.values_mut().nth(child) {
            Some(value) => at(value, number),
            None => unreachable!("there are as many children as sizes"),
        },
        leaf => leaf,
    }
}

fn change(node: &mut Value, random: &mut Rng) {
    match node {
        Value::Object(map) if random.bool() => change_object(map, random),
        Value::Array(items) if !items.is_empty() && random.bool() => match random.u8(..4) {
            0 => {
                items.swap_remove(random.usize(..items.len()));
            }
            1 => {
                let item = items[random.usize(..items.len())].clone();
                items.extend(std::iter::repeat_n(item, random.usize(1..150)));
            }
            2 => random.shuffle(items),
            _ => items.push(leaf(random)),
        },
        Value::String(text) if random.bool() => {
            let place = text
                .char_indices()
                .map(|(place, _)| place)
                .nth(random.usize(..=text.chars().count()));
            text.insert_str(place.unwrap_or(text.len()), random_text(random));
        }
        node => {
            let before = node.take();
            *node = match random.u8(..6) {
                0 => json!([before]),
                1 => json!({"Id": before, "data": null}),
                2 => (0..random.usize(1..180)).fold(before, |inner, _| json!([inner])),
                _ => leaf(random),
            };
        }
    }
}

fn change_object(map: &mut Map<String, Value>, random: &mut Rng) {
    let names: Vec<String> = map.keys().cloned().collect();
    if names.is_empty() {
        map.insert(random_text(random).to_owned(), leaf(random));
        return;
    }
    let name = &names[random.usize(..names.len())];
    let other = &names[random.usize(..names.len())];
    match random.u8(..6) {
        0 => {
            map.remove(name);
        }
        1 => {
            if let Some(value) = map.remove(name) {
                map.insert(name.to_uppercase(), value);
            }
        }
        2 => {
            let value = map[name].clone();
            map.insert(other.clone(), value);
        }
        3 => {
            let value = map[name].clone();
            map.insert(random_text(random).to_owned(), value);
        }
        4 => {
            map.insert(name.clone(), Value::Null);
        }
        _ => {
            map.insert(name.clone(), leaf(random));
        }
    }
}

fn random_text(random: &mut Rng) -> &'static str {
    TEXTS[random.usize(..TEXTS.len())]
}

fn leaf(random: &mut Rng) -> Value {
    match random.u8(..16) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(u64::MAX),
        5 => json!(i64::MIN),
        6 => json!(f64::MAX),
        7 => json!(f64::MIN_POSITIVE),
        8 => json!(1.5),
        9 => json!({}),
        10 => json!([]),
        11 => json!(random_text(random).repeat(random.usize(1..2000))),
        _ => json!(random_text(random)),
    }
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Rng) {
    let place = random.usize(..=bytes.len());
    match random.u8(..8) {
        0 => bytes.truncate(place),
        1 => bytes.insert(place, random.u8(..)),
        2 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << random.u8(..8);
            }
        }
        3 => {
            bytes.splice(place..place, random_text(random).bytes());
        }
        4 => {
            let end = random.usize(place..=bytes.len());
            let part = bytes[place..end].to_vec();
            bytes.splice(place..place, part);
        }
        5 => {
            let end = random.usize(place..=bytes.len()).min(place + 40);
            bytes.drain(place..end);
        }
        6 => {
            bytes.splice(..0, *b"\xef\xbb\xbf");
        }
        _ => {
            bytes.splice(place..place, *b"\xff\xc0\x80");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_document_and_another_gives_another() {
        let document = br#"{"Records": [{"ApplicationId": 7, "Workflow": null}]}"#;
        let of = |seed| mutated(document, &mut Rng::with_seed(seed));
        assert_eq!(of(1), of(1));
        let different: std::collections::BTreeSet<_> = (0..100).map(of).collect();
        assert!(different.len() > 80, "{}", different.len());
    }

    #[test]
    fn every_node_is_reached() {
        let mut value = json!({"a": [1, {"b": 2}], "c": 3});
        let all: Vec<_> = (0..count(&value))
            .map(|number| at(&mut value, number).to_string())
            .collect();
        assert_eq!(all[1..], ["[1,{\"b\":2}]", "1", "{\"b\":2}", "2", "3"]);
    }
}
