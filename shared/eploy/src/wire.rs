//! Reading what Eploy answers, tolerantly: property names in any case, ids as numbers or texts, nulls anywhere, empty
//! bodies (REFERENCE.md §4).

use serde_json::{Map, Value};
use stagecall_core::ports::UnparsableRecord;

/// A JSON object whose properties are found in any case.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a>(&'a Map<String, Value>);

impl<'a> Record<'a> {
    /// The value as a record, if it is one.
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// The names of its properties.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is a property of this name, even if null.
    pub(crate) fn has(self, name: &str) -> bool {
        self.property(name).is_some()
    }

    /// A property's value, unless it is null.
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.property(name).filter(|value| !value.is_null())
    }

    /// A record within this one.
    pub(crate) fn record(self, name: &str) -> Option<Self> {
        self.get(name).and_then(Self::of)
    }

    /// An id: a number, a text, or the `Id` of a reference or option (REFERENCE.md §4). Ids go into paths,
    /// so what does not look like one is none.
    pub(crate) fn id(self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        let value = match Self::of(value) {
            Some(record) => record.get("Id")?,
            None => value,
        };
        id(value)
    }

    /// An id, or the problem.
    pub(crate) fn need_id(self, name: &str) -> Result<String, String> {
        self.id(name).ok_or_else(|| match self.get(name) {
            Some(_) => format!("{name} is not readable as an id"),
            None => format!("{name} is missing"),
        })
    }

    /// The record's own id: under the name of its type, or plainly `Id`.
    pub(crate) fn own_id(self, name: &str) -> Result<String, String> {
        self.need_id(name)
            .or_else(|problem| self.id("Id").ok_or(problem))
    }

    /// A trimmed text, unless empty.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// A whole number, also written as text.
    pub(crate) fn number(self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn property(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).or_else(|| {
            self.0
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
    }
}

fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| whole(number.as_f64()?))?
            .to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    // A number that was written with a fraction of nothing but zeros, `70015.0`, is the same id as without.
    let text = match text.split_once('.') {
        Some((whole, zeros))
            if !zeros.is_empty()
                && zeros.bytes().all(|byte| byte == b'0')
                && whole.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            whole.to_owned()
        }
        _ => text,
    };
    is_id(&text).then_some(text)
}

/// A number that is whole, though it was written as a fraction (`70015.0`). Beyond 2^53 a double is no longer one number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not negative, below 2^53 and without a fraction"
)]
fn whole(number: f64) -> Option<u64> {
    ((0.0..9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0)
        .then_some(number as u64)
}

/// Whether a text can be an id: without characters special in a path.
pub(crate) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain)
}

#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    /// Its records, each parsed separately.
    pub(crate) records: Vec<Value>,
    /// Whether there is another page.
    pub(crate) more: bool,
}

/// What `read` makes of a record, which gets its own id if that can be read; or why the record cannot be read.
pub(crate) fn read_row<T>(
    value: &Value,
    id: &str,
    read: impl FnOnce(Record<'_>, Result<String, String>) -> Result<T, String>,
) -> Result<T, UnparsableRecord> {
    let Some(record) = Record::of(value) else {
        return Err(UnparsableRecord {
            id: None,
            reason: "it is not an object".to_owned(),
        });
    };
    let id = record.own_id(id);
    read(record, id.clone()).map_err(|reason| UnparsableRecord {
        id: id.ok(),
        reason,
    })
}

impl Page {
    /// What `read` makes of each record, and the records that it cannot read.
    pub(crate) fn rows<T>(
        &self,
        read: impl Fn(&Value) -> Result<T, UnparsableRecord>,
    ) -> (Vec<T>, Vec<UnparsableRecord>) {
        let (mut rows, mut set_aside) = (Vec::new(), Vec::new());
        for record in &self.records {
            match read(record) {
                Ok(row) => rows.push(row),
                Err(problem) => set_aside.push(problem),
            }
        }
        (rows, set_aside)
    }

    /// A page without records.
    pub(crate) const EMPTY: Self = Self {
        records: Vec::new(),
        more: false,
    };

    /// Reads an answer to a search for page `requested` of `size` records. What is missing is taken kindly: no body, no
    /// `Records`, no `CurrentPage`, no `TotalPages` (REFERENCE.md §7); but an object that has other things in their
    /// place is no empty page. Without `TotalPages`, `TotalRecords` tells the
    /// end, however few records a page may have. Without either, a short page is the last one, so `size` must not be more
    /// than this Eploy gives: the probe finds that out.
    pub(crate) fn read(
        answer: Option<Value>,
        requested: u32,
        size: u32,
    ) -> Result<Self, &'static str> {
        let Some(mut answer) = answer else {
            return Ok(Self::EMPTY);
        };
        if let Value::Array(records) = answer {
            let more = records.len() >= size as usize;
            return Ok(Self { records, more });
        }
        let Some(frame) = Record::of(&answer) else {
            return Err("the answer to the search is neither an object nor an array");
        };
        let requested = u64::from(requested);
        let (current, total) = (frame.number("CurrentPage"), frame.number("TotalPages"));
        let all = frame.number("TotalRecords");
        match frame.get("Records") {
            Some(Value::Array(_)) => {}
            Some(_) => return Err("Records is not an array"),
            None if !frame.names().all(is_of_paging) => {
                return Err("an object without Records is no page");
            }
            None if all.is_some_and(|all| all > 0) || total.is_some_and(|total| total > 1) => {
                return Err("there are records, and Records is missing");
            }
            None => return Ok(Self::EMPTY),
        }
        if let Some(current) = current.filter(|current| (1..requested).contains(current)) {
            return match total {
                Some(total) if current < total => Err("another page came than the requested one"),
                // Beyond the end, the last page may be returned again.
                _ => Ok(Self::EMPTY),
            };
        }
        let records = take_records(&mut answer);
        let more = !records.is_empty()
            && match (total, all) {
                (Some(total), _) => requested < total,
                // Exact for a full page; a shorter one may lead to an empty one.
                (None, Some(all)) => requested.saturating_mul(records.len() as u64) < all,
                (None, None) => records.len() >= size as usize,
            };
        Ok(Self { records, more })
    }
}

/// Whether a page without records may have a property of this name.
fn is_of_paging(name: &str) -> bool {
    [
        "Records",
        "Paging",
        "CurrentPage",
        "RequestedPage",
        "TotalPages",
        "TotalRecords",
        "RecordsPerPage",
        "PageSize",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

fn take_records(answer: &mut Value) -> Vec<Value> {
    answer
        .as_object_mut()
        .and_then(|map| {
            map.iter_mut()
                .find(|(key, _)| key.eq_ignore_ascii_case("Records"))
        })
        .and_then(|(_, records)| records.as_array_mut())
        .map(std::mem::take)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(answer: Value, requested: u32) -> Page {
        Page::read(Some(answer), requested, 2).unwrap()
    }

    #[test]
    fn ids_are_read_in_every_form_and_names_in_every_case() {
        let value = json!({"CandidateID": 7, "vacancy": {"id": "12"}, "Status": {"Id": null}, "Stage": null,
            "Bad": "a/b", "Half": 1.5, "Empty": " ", "Whole": 70015.0, "Text": "70015.00", "Version": "1.0.2",
            "Large": 9_007_199_254_740_993_u64, "None": -1});
        let record = Record::of(&value).unwrap();
        assert_eq!(record.id("CandidateId").as_deref(), Some("7"));
        assert_eq!(record.id("Vacancy").as_deref(), Some("12"));
        for whole in ["Whole", "Text"] {
            assert_eq!(record.id(whole).as_deref(), Some("70015"), "{whole}");
        }
        assert_eq!(record.id("Large").as_deref(), Some("9007199254740993"));
        for none in [
            "Status", "Stage", "Bad", "Half", "Empty", "Missing", "Version", "None",
        ] {
            assert_eq!(record.id(none), None, "{none}");
        }
        assert!(record.has("stage") && !record.has("Missing"));
        assert_eq!(record.need_id("Missing").unwrap_err(), "Missing is missing");
        assert_eq!(
            record.need_id("Bad").unwrap_err(),
            "Bad is not readable as an id"
        );
    }

    #[test]
    fn total_pages_gives_the_end() {
        let answer =
            |records: Value| json!({"Records": records, "CurrentPage": 1, "TotalPages": "2"});
        assert!(page(answer(json!([1])), 1).more);
        assert!(!page(json!({"records": [1, 2], "totalpages": 2}), 2).more);
        assert!(!page(answer(json!([])), 1).more);
    }

    #[test]
    fn without_total_pages_a_short_page_is_the_last() {
        assert!(page(json!({"Records": [1, 2]}), 1).more);
        assert!(!page(json!({"Records": [1]}), 1).more);
        assert!(page(json!([1, 2]), 1).more);
    }

    /// Eploy gives fewer records than it is asked for.
    #[test]
    fn total_records_gives_the_end_however_short_the_pages_are() {
        let more = |records: Value, requested| {
            let answer = json!({"Records": records, "TotalRecords": 5});
            Page::read(Some(answer), requested, 100).unwrap().more
        };
        assert!(more(json!([1, 2]), 1));
        assert!(more(json!([1, 2]), 2));
        // The last page, which looks like any other: the next one is empty.
        assert!(more(json!([1]), 3));
        assert!(!more(json!([]), 4));
        assert!(!more(json!([1, 2, 3, 4, 5]), 1));
        // The last one repeated.
        assert!(!more(json!([1]), 5));
    }

    #[test]
    fn what_is_missing_means_no_rows() {
        assert_eq!(Page::read(None, 1, 2), Ok(Page::EMPTY));
        assert_eq!(page(json!({}), 1), Page::EMPTY);
        assert_eq!(page(json!({"Records": null}), 1), Page::EMPTY);
        assert_eq!(
            page(json!({"TotalPages": 1, "currentPage": 1}), 1),
            Page::EMPTY
        );
        assert_eq!(
            page(json!({"Records": null, "TotalRecords": 0}), 1),
            Page::EMPTY
        );
    }

    #[test]
    fn the_repeated_last_page_is_empty() {
        assert_eq!(
            page(json!({"Records": [1, 2], "CurrentPage": 3}), 4),
            Page::EMPTY
        );
        assert_eq!(
            page(
                json!({"Records": [1, 2], "CurrentPage": 3, "TotalPages": 3}),
                4
            ),
            Page::EMPTY
        );
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error() {
        for bad in [
            json!("x"),
            json!({"Records": {}}),
            json!({"error_message": "x"}),
            json!({"Message": "An error has occurred."}),
            json!({"Records": null, "Message": "An error has occurred."}),
            json!({"d": [{"ApplicationId": 1}], "TotalPages": 1}),
            json!({"TotalRecords": 3}),
            json!({"Records": null, "TotalPages": 2}),
        ] {
            assert!(Page::read(Some(bad.clone()), 1, 2).is_err(), "{bad}");
        }
    }

    /// The following pages would count as read.
    #[test]
    fn a_server_that_ignores_the_page_number_is_noticed() {
        let first = json!({"Records": [1, 2], "CurrentPage": 1, "TotalPages": 3});
        assert!(Page::read(Some(first.clone()), 1, 2).unwrap().more);
        assert!(Page::read(Some(first), 2, 2).is_err());
    }
}
