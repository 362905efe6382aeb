//! Reading Willo's callbacks: unsigned, without an event's name, of no established shape (REFERENCE.md §7, seen
//! live). Everything in them is a hint.

use serde_json::Value;
use stagecall_core::ids::Reference;
use stagecall_core::ports::{IncomingCall, SignatureCheck, Unreadable, WebhookHint, WebhookParser};

use crate::delivery::{self, MAX_DEPTH, MAX_REFERENCES, MAX_VALUES};

/// The length of a key (REFERENCE.md §1, seen live).
const KEY_LENGTH: usize = 32;

/// The parser of callbacks.
pub(super) struct Reader;

impl WebhookParser for Reader {
    fn verify(&self, _: &IncomingCall<'_>) -> SignatureCheck {
        SignatureCheck::TokenOnly
    }

    fn read(&self, call: &IncomingCall<'_>) -> Result<WebhookHint, Unreadable> {
        let body = delivery::body(call)?;
        let mut search = Search::default();
        search.walk(&body, &[], MAX_DEPTH);
        Ok(WebhookHint {
            event: delivery::event(call, &body),
            references: search.references(),
        })
    }
}

/// How likely a key is the participant's, most likely first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likelihood {
    NamedParticipant,
    Key,
    Somewhere,
    InAddress,
    NamedOtherwise,
}

#[derive(Default)]
struct Search {
    values: usize,
    found: Vec<(Likelihood, String)>,
}

impl Search {
    fn walk(&mut self, value: &Value, names: &[&str], depth: usize) {
        self.values += 1;
        let Some(depth) = depth.checked_sub(1).filter(|_| self.values <= MAX_VALUES) else {
            return;
        };
        match value {
            Value::String(text) => self.keys(text, names),
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, names, depth)),
            Value::Object(object) => {
                for (name, item) in object {
                    self.walk(item, &[names, &[name]].concat(), depth);
                }
            }
            _ => {}
        }
    }

    /// Every run of exactly 32 hexadecimal digits in `text`.
    fn keys(&mut self, text: &str, names: &[&str]) {
        let in_address = text.contains('/');
        let mut before = "";
        for run in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            if run.len() == KEY_LENGTH && run.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let likelihood = if in_address {
                    of_address(before)
                } else {
                    of_names(names)
                };
                self.found.push((likelihood, run.to_ascii_lowercase()));
            }
            before = run;
        }
    }

    /// The references found, likeliest first.
    fn references(mut self) -> Vec<Reference> {
        self.found.sort_by_key(|(likelihood, _)| *likelihood);
        let mut references: Vec<Reference> = Vec::new();
        for (_, key) in self.found {
            if references.len() == MAX_REFERENCES {
                break;
            }
            if !references.iter().any(|reference| reference.as_str() == key) {
                references.push(Reference::new(key));
            }
        }
        references
    }
}

/// By the names on its path; the nearest meaningful one counts.
fn of_names(names: &[&str]) -> Likelihood {
    names
        .iter()
        .rev()
        .find_map(|name| of_word(name))
        .unwrap_or_else(|| {
            if names.last() == Some(&"key") {
                Likelihood::Key
            } else {
                Likelihood::Somewhere
            }
        })
}

/// By the part of the URL path before it.
fn of_address(before: &str) -> Likelihood {
    of_word(before).unwrap_or(Likelihood::InAddress)
}

fn of_word(word: &str) -> Option<Likelihood> {
    const PARTICIPANT: [&str; 3] = ["participant", "candidate", "applicant"];
    const OTHER: [&str; 9] = [
        "interview",
        "department",
        "user",
        "owner",
        "webhook",
        "organisation",
        "company",
        "question",
        "template",
    ];
    let word = word.to_ascii_lowercase();
    let starts = |names: &[&str]| names.iter().any(|name| word.starts_with(name));
    if starts(&PARTICIPANT) {
        Some(Likelihood::NamedParticipant)
    } else if starts(&OTHER) {
        Some(Likelihood::NamedOtherwise)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::tests::NAMES;
    use super::*;
    use crate::testing::any_json;

    const P: &str = "0123456789abcdef0123456789abcdef";
    const I: &str = "fedcba9876543210fedcba9876543210";

    fn read_bytes(body: &[u8], query: &[(String, String)]) -> Result<WebhookHint, Unreadable> {
        Reader.read(&IncomingCall {
            query,
            headers: &[],
            body,
        })
    }

    fn read(body: &Value) -> WebhookHint {
        read_bytes(body.to_string().as_bytes(), &[]).unwrap()
    }

    fn keys(hint: &WebhookHint) -> Vec<&str> {
        hint.references.iter().map(Reference::as_str).collect()
    }

    #[test]
    fn a_broken_character_does_not_lose_the_callback() {
        for name in [&b"\\ud83d"[..], b"Andr\xe9"] {
            let body = [
                b"\xef\xbb\xbf{\"name\": \"",
                name,
                b"\", \"key\": \"",
                P.as_bytes(),
                b"\"}",
            ]
            .concat();
            assert_eq!(keys(&read_bytes(&body, &[]).unwrap()), [P]);
        }
    }

    #[test]
    fn the_participant_comes_first_in_every_known_shape() {
        for body in [
            json!({"interview": I, "key": P, "stage": "Accepted"}),
            json!({"interview": {"key": I, "owner": {"key": I}}, "participant": {"key": P}}),
            json!({"data": {"interview": I, "participant": P}}),
            json!({"data": {"key": P, "interview": {"key": I}}}),
            json!({"a_link": format!("https://app.willotalent.com/interviews/{I}/participants/{P}/"), "z": I}),
            json!({"key": P.to_uppercase(), "interview_key": I, "email": "ada@example.com",
                   "responses": [{"question": {"key": I}, "media_url": "https://cdn.example/x.mp4"}]}),
        ] {
            assert_eq!(keys(&read(&body)), [P, I], "{body}");
        }
    }

    #[test]
    fn the_event_is_in_our_own_query_or_else_in_the_body() {
        let query = [("event".to_owned(), "new_response".to_owned())];
        let body = json!({"event": "other"}).to_string();
        let hint = read_bytes(body.as_bytes(), &query).unwrap();
        assert_eq!(hint.event.as_deref(), Some("new_response"));
        assert_eq!(
            read(&json!({"eventType": "New Score"})).event.as_deref(),
            Some("new_score")
        );
        assert_eq!(read(&json!({"type": "ada@example.com"})).event, None);
        assert_eq!(read(&json!({"type": "x".repeat(41)})).event, None);
    }

    #[test]
    fn only_whole_keys_count_and_each_once() {
        let long = format!("{P}0");
        let mixed = format!("{P}g");
        let hint = read(&json!([P, P, long, mixed, &P[1..], format!("x-{I}.")]));
        assert_eq!(keys(&hint), [P, I]);
    }

    #[test]
    fn a_flood_is_bounded() {
        let many: Vec<_> = (0..50_000).map(|number| format!("{number:032x}")).collect();
        assert_eq!(read(&json!(many)).references.len(), MAX_REFERENCES);
        let deep = format!("{}\"{P}\"{}", "[".repeat(100), "]".repeat(100));
        assert!(
            read_bytes(deep.as_bytes(), &[])
                .unwrap()
                .references
                .is_empty()
        );
        let deeper = "[".repeat(1_000_000);
        assert!(read_bytes(deeper.as_bytes(), &[]).is_err());
    }

    #[test]
    fn what_is_not_json_is_unreadable_and_not_repeated() {
        for body in [
            &b""[..],
            b"  \n",
            b"event=new_response",
            b"\xff\xfe",
            b"{\"a\": ada@example.com",
        ] {
            let error = read_bytes(body, &[]).unwrap_err();
            assert!(!error.to_string().contains("ada"), "{error}");
        }
    }

    #[test]
    fn only_the_token_authenticates_a_call() {
        let call = IncomingCall {
            query: &[],
            headers: &[],
            body: b"{}",
        };
        assert_eq!(Reader.verify(&call), SignatureCheck::TokenOnly);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body: Vec<u8>, event in ".{0,60}") {
            let query = [("event".to_owned(), event)];
            if let Ok(hint) = read_bytes(&body, &query) {
                prop_assert!(hint.references.len() <= MAX_REFERENCES);
            }
        }

        #[test]
        fn any_json_is_read_into_keys_alone(body in any_json(NAMES)) {
            let hint = read(&body);
            prop_assert!(hint.references.len() <= MAX_REFERENCES);
            for reference in &hint.references {
                let key = reference.as_str();
                prop_assert!(key.len() == KEY_LENGTH && key.bytes().all(|b| b.is_ascii_hexdigit()));
            }
        }
    }
}
