//! The headers of an answer that clients read, drawn from its body: now a plausible one, now a hostile one, now a piece
//! of the body itself.

use fastrand::Rng;

use crate::run::chance;

/// When to come again (RFC 9110 §10.2.3), and what is none.
const RETRY_AFTER: &[&str] = &[
    "3",
    " 120 ",
    "0",
    "-1",
    "4294967295",
    "4294967296",
    "99999999999999999999",
    "1e9",
    "soon",
    "",
    "Fri, 24 Jan 2025 10:03:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Fri, 24 Jan 2025 10:03:00 +9999",
    "2025-01-24T10:03:00Z",
];

/// Where what was created is, and what nobody may be led to.
const LOCATION: &[&str] = &[
    "https://acme.eploy.net/api/actions/88010",
    "/api/actions/88010",
    "88010",
    "https://acme.eploy.net/api/actions/88010?x=/1#/2",
    "https://acme.eploy.net/api/actions/../candidates/9001",
    "https://acme.eploy.net/api/actions/%2e%2e%2f1",
    "https://acme.eploy.net/api/actions/Ada%20Example",
    "https://acme.eploy.net/api/actions/ada@example.com",
    "https://evil.example/actions/1",
    "http://169.254.169.254/latest/meta-data/",
    "//evil.example/88010/",
    "///",
    "",
];

/// What time it is there.
const DATE: &[&str] = &[
    "Fri, 24 Jan 2025 10:03:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Thu, 30 Feb 2025 25:61:61 GMT",
    "Friday, 24-Jan-25 10:03:00 GMT",
    "yesterday",
    "",
];

/// The longest piece of the body that becomes a header, in characters.
const MAX_HEADER_CHARS: usize = 120;

/// The headers of an answer with this body.
pub fn of(body: &[u8]) -> Vec<(String, String)> {
    let mut random = Rng::with_seed(chance(body));
    let mut headers = Vec::new();
    for (name, values) in [
        ("retry-after", RETRY_AFTER),
        ("location", LOCATION),
        ("date", DATE),
    ] {
        let value = match random.u8(..4) {
            0 => continue,
            1 => piece(body, &mut random),
            _ => values[random.usize(..values.len())].to_owned(),
        };
        headers.push((name.to_owned(), value));
    }
    headers
}

/// A piece of the body, without what HTTP allows in no header.
fn piece(body: &[u8], random: &mut Rng) -> String {
    let from = random.usize(..=body.len());
    let text = String::from_utf8_lossy(&body[from..]);
    let allowed = text.chars().filter(|sign| !sign.is_control());
    allowed.take(random.usize(..=MAX_HEADER_CHARS)).collect()
}
