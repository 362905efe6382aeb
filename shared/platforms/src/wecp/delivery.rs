//! Reading a call from `WeCP`, should there ever be one: whether it calls is not established (REFERENCE.md §17), so
//! neither is what it would say. Everything in it is a hint.

use serde_json::Value;
use stagecall_core::ids::Reference;
use stagecall_core::ports::{IncomingCall, SignatureCheck, Unreadable, WebhookHint, WebhookParser};

use crate::delivery::{self, MAX_DEPTH, MAX_REFERENCES, MAX_VALUES};
use crate::json::id;

/// The parser of callbacks.
pub(super) struct Reader;

impl WebhookParser for Reader {
    fn verify(&self, _: &IncomingCall<'_>) -> SignatureCheck {
        SignatureCheck::TokenOnly
    }

    fn read(&self, call: &IncomingCall<'_>) -> Result<WebhookHint, Unreadable> {
        let body = delivery::body(call)?;
        let mut search = Search::default();
        search.walk(&body, false, MAX_DEPTH);
        Ok(WebhookHint {
            event: delivery::event(call, &body),
            references: search.references(),
        })
    }
}

#[derive(Default)]
struct Search {
    values: usize,
    /// Under a name for the candidate's id.
    named: Vec<String>,
    /// Other ids.
    others: Vec<String>,
}

impl Search {
    fn walk(&mut self, value: &Value, of_candidate: bool, depth: usize) {
        self.values += 1;
        let Some(depth) = depth.checked_sub(1).filter(|_| self.values <= MAX_VALUES) else {
            return;
        };
        match value {
            Value::Array(items) => {
                for item in items {
                    self.walk(item, of_candidate, depth);
                }
            }
            Value::Object(object) => {
                for (name, item) in object {
                    match name.as_str() {
                        // Eploy's ids, as we sent them.
                        "metadata" => {}
                        "candidateId" | "candidate_id" => self.named.extend(reference(item)),
                        "_id" | "id" if of_candidate => self.named.extend(reference(item)),
                        "_id" | "id" => self.others.extend(reference(item)),
                        name => self.walk(item, name.starts_with("candidate"), depth),
                    }
                }
            }
            _ => {}
        }
    }

    /// The references found, likeliest first.
    fn references(self) -> Vec<Reference> {
        let mut references: Vec<Reference> = Vec::new();
        for key in self.named.into_iter().chain(self.others) {
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

/// A possible reference: short and plain, with a digit, because names and addresses must not be stored.
fn reference(value: &Value) -> Option<String> {
    id(value).filter(|key| {
        key.len() <= 64
            && key.bytes().any(|byte| byte.is_ascii_digit())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::tests::NAMES;
    use super::*;
    use crate::testing::any_json;

    fn read(body: &Value) -> WebhookHint {
        Reader
            .read(&IncomingCall {
                query: &[],
                headers: &[],
                body: body.to_string().as_bytes(),
            })
            .unwrap()
    }

    fn keys(hint: &WebhookHint) -> Vec<&str> {
        hint.references.iter().map(Reference::as_str).collect()
    }

    #[test]
    fn the_candidate_comes_first_and_our_metadata_is_ignored() {
        for (body, found) in [
            (
                json!({"id": "e1", "candidateId": "c1", "testId": "t1"}),
                vec!["c1", "e1"],
            ),
            (
                json!({"data": {"candidate": {"_id": "c1", "name": "Ada 1"}}}),
                vec!["c1"],
            ),
            (
                json!([{"candidates": [{"id": 11}, {"id": 12}]}]),
                vec!["11", "12"],
            ),
            (
                json!({"metadata": {"candidateId": "201", "id": "301"}}),
                vec![],
            ),
            (
                json!({"candidateId": "ada@example.com", "id": "Ada"}),
                vec![],
            ),
            (json!({"candidateId": "Ada Example 1"}), vec![]),
        ] {
            assert_eq!(keys(&read(&body)), found, "{body}");
        }
        assert_eq!(
            read(&json!({"event": "Test Finished"})).event.as_deref(),
            Some("test_finished")
        );
    }

    #[test]
    fn a_flood_is_bounded() {
        let many: Vec<_> = (0..50_000).map(|n| json!({"candidateId": n})).collect();
        assert_eq!(read(&json!(many)).references.len(), MAX_REFERENCES);
    }

    proptest! {
        #[test]
        fn any_json_is_read_into_plain_ids(body in any_json(NAMES)) {
            let hint = read(&body);
            prop_assert!(hint.references.len() <= MAX_REFERENCES);
            for reference in &hint.references {
                prop_assert!(reference.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            }
        }
    }
}
