//! The candidate's own links.

use url::Url;

use super::KIND;
use crate::json::Record;

/// Their possible names.
const OWN: [&str; 8] = [
    "link",
    "invite_link",
    "invitation_link",
    "test_link",
    "candidate_link",
    "test_url",
    "invite_url",
    "interview_link",
];

/// The candidate's own links, if there are any: every candidate has a private one (REFERENCE.md §16), but not
/// established is whether the API tells it.
pub(super) fn own(record: &Record<'_>, base: &Url) -> impl Iterator<Item = Url> {
    OWN.iter()
        .filter_map(|name| KIND.address(record.get(&[name])?.as_str()?, base))
}
