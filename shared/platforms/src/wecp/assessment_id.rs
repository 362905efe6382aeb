//! The forms of an assessment's id on `WeCP`: a test by its bare id; a live interview or a group that serves as a
//! talent pool by its kind and its id (`interview:5f…`, `group:0d…`).

use stagecall_core::ids::AssessmentId;

use super::TITLE;
use crate::adapter::path_part;
use crate::error::PlatformError;

/// The word for a live interview, as the prefix of an id and in a mapping's `create`.
pub(super) const INTERVIEW: &str = "interview";
const GROUP: &str = "group";

/// The target of an invitation or pool; each id is valid in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AssessmentRoute<'a> {
    Test(&'a str),
    Interview(&'a str),
    Group(&'a str),
}

impl<'a> AssessmentRoute<'a> {
    /// Parses `id`.
    pub fn of(id: &'a AssessmentId) -> Result<Self, PlatformError> {
        let (place, id): (fn(&'a str) -> Self, _) = match id.as_str().split_once(':') {
            Some((INTERVIEW, id)) => (Self::Interview, id),
            Some((GROUP, id)) => (Self::Group, id),
            _ => (Self::Test, id.as_str()),
        };
        Ok(place(path_part(TITLE, id)?))
    }

    /// The id of a live interview as an assessment.
    pub fn of_interview(id: &str) -> AssessmentId {
        AssessmentId::new(format!("{INTERVIEW}:{id}"))
    }
}

/// The parts of a path, with `{name}` replaced by its value.
pub(super) fn path<'a>(template: &'a str, places: &[(&str, &'a str)]) -> Vec<&'a str> {
    template
        .split('/')
        .map(|part| {
            let name = part
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            places
                .iter()
                .find(|(place, _)| Some(*place) == name)
                .map_or(part, |(_, id)| *id)
        })
        .collect()
}

/// Whether a path has a placeholder of this name.
pub(super) fn has(template: &str, name: &str) -> bool {
    template.split('/').any(|part| {
        part.strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            == Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_contains_its_type() {
        for (id, place) in [
            ("5f0c", Some(AssessmentRoute::Test("5f0c"))),
            ("interview:5f0c", Some(AssessmentRoute::Interview("5f0c"))),
            ("group:0d-1", Some(AssessmentRoute::Group("0d-1"))),
            ("interview:", None),
            ("pool:5f0c", None),
            ("../tests", None),
        ] {
            assert_eq!(AssessmentRoute::of(&id.into()).ok(), place, "{id}");
        }
        let made = AssessmentRoute::of_interview("5f0c");
        assert_eq!(
            AssessmentRoute::of(&made).ok(),
            Some(AssessmentRoute::Interview("5f0c"))
        );
    }

    #[test]
    fn ids_replace_their_placeholders() {
        let template = "orgs/{organisation}/interviews/{interview}/x";
        let parts = path(template, &[("interview", "i1"), ("organisation", "acme")]);
        assert_eq!(parts, ["orgs", "acme", "interviews", "i1", "x"]);
        assert!(has(template, "interview") && !has(template, "test"));
    }
}
