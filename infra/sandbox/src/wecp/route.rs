//! Which operation a call asks for. Two paths are certain; the others are switched (shared/platforms/REFERENCE.md §12).

use super::quirks::{Quirks, Scheduling};
use crate::call::Call;

const CANDIDATES: &str = "ats/wecp/tests/{test}/candidates";
const CANDIDATE: &str = "ats/wecp/candidates/{candidate}";
const CREATE_INTERVIEW: &str = "ats/wecp/createInterview";
const SCHEDULE: &str = "ats/wecp/scheduleInterviews";
const SCHEDULE_IN_GROUP: &str =
    "orgs/{org}/groups/{group}/interviews/{interview}/scheduleInterviews";

pub(super) enum Operation {
    Tests,
    Candidates {
        test: String,
    },
    Candidate {
        candidate: String,
    },
    /// The body names the test if the path does not.
    Invite {
        test: Option<String>,
    },
    /// The body names the group if the path does not.
    AddToGroup {
        group: Option<String>,
    },
    GroupCandidates {
        group: String,
    },
    Remove {
        /// The test or the group.
        of: Option<String>,
        candidate: String,
    },
    Interviews,
    InterviewCandidates {
        interview: String,
    },
    CreateInterview,
    /// The interview is named in the body.
    Schedule,
    ScheduleInGroup {
        org: String,
        group: String,
        interview: String,
    },
    Unknown,
}

impl Operation {
    pub(super) fn of(quirks: &Quirks, call: &Call) -> Self {
        let at = |template: &str| ids(template, &call.segments);
        match call.method.as_str() {
            "GET" => {
                if at(&quirks.tests_path).is_some() {
                    return Self::Tests;
                }
                if let Some(ids) = at(CANDIDATES) {
                    return Self::Candidates { test: ids.test };
                }
                if let Some(ids) = at(CANDIDATE) {
                    let candidate = ids.candidate;
                    return Self::Candidate { candidate };
                }
                if let Some(ids) = quirks.group_path.as_deref().and_then(at)
                    && !ids.group.is_empty()
                {
                    return Self::GroupCandidates { group: ids.group };
                }
                if quirks.interview_reads {
                    if at(&quirks.interviews_path).is_some() {
                        return Self::Interviews;
                    }
                    if let Some(ids) = at(&quirks.interview_candidates_path) {
                        let interview = ids.interview;
                        return Self::InterviewCandidates { interview };
                    }
                }
            }
            "POST" => {
                if let Some(ids) = at(&quirks.invite_path) {
                    let test = Some(ids.test).filter(|test| !test.is_empty());
                    return Self::Invite { test };
                }
                if let Some(ids) = quirks.group_path.as_deref().and_then(at) {
                    let group = Some(ids.group).filter(|group| !group.is_empty());
                    return Self::AddToGroup { group };
                }
                if at(CREATE_INTERVIEW).is_some() {
                    return Self::CreateInterview;
                }
                if at(SCHEDULE).is_some() && quirks.ats_schedule != Scheduling::Absent {
                    return Self::Schedule;
                }
                if let Some(ids) = at(SCHEDULE_IN_GROUP)
                    && quirks.org_schedule != Scheduling::Absent
                {
                    return Self::ScheduleInGroup {
                        org: ids.org,
                        group: ids.group,
                        interview: ids.interview,
                    };
                }
            }
            "DELETE" => {
                if let Some(ids) = quirks.removal_path.as_deref().and_then(at) {
                    return Self::Remove {
                        of: [ids.test, ids.group].into_iter().find(|of| !of.is_empty()),
                        candidate: ids.candidate,
                    };
                }
            }
            _ => {}
        }
        Self::Unknown
    }

    /// Its name in records and faults.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tests => "wecp.tests.list",
            Self::Candidates { .. } => "wecp.candidates.list",
            Self::Candidate { .. } => "wecp.candidates.get",
            Self::Invite { .. } => "wecp.candidates.create",
            Self::AddToGroup { .. } => "wecp.groups.add",
            Self::GroupCandidates { .. } => "wecp.groups.candidates",
            Self::Remove { .. } => "wecp.candidates.delete",
            Self::Interviews => "wecp.interviews.list",
            Self::InterviewCandidates { .. } => "wecp.interviews.candidates",
            Self::CreateInterview => "wecp.interviews.create",
            Self::Schedule | Self::ScheduleInGroup { .. } => "wecp.interviews.schedule",
            Self::Unknown => "wecp.unknown",
        }
    }
}

/// The ids in a path.
#[derive(Debug, Default, PartialEq)]
struct Ids {
    test: String,
    candidate: String,
    interview: String,
    org: String,
    group: String,
}

/// The ids in a path of this form; `None` if it has another.
fn ids(template: &str, segments: &[String]) -> Option<Ids> {
    let wanted: Vec<&str> = template
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    if wanted.len() != segments.len() {
        return None;
    }
    let mut ids = Ids::default();
    for (wanted, found) in wanted.into_iter().zip(segments) {
        let id = match wanted {
            "{test}" => &mut ids.test,
            "{candidate}" => &mut ids.candidate,
            "{interview}" => &mut ids.interview,
            "{org}" => &mut ids.org,
            "{group}" => &mut ids.group,
            _ if wanted == found => continue,
            _ => return None,
        };
        id.clone_from(found);
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_ids_of_its_form_or_none() {
        let path = |text: &str| -> Vec<String> { text.split('/').map(str::to_owned).collect() };
        let found = ids(CANDIDATES, &path("ats/wecp/tests/t1/candidates")).unwrap();
        assert_eq!(found.test, "t1");
        for other in [
            "ats/wecp/tests/t1",
            "ats/wecp/tests/t1/candidates/c",
            "ats/wecp/test/t1/candidates",
        ] {
            assert_eq!(ids(CANDIDATES, &path(other)), None, "{other}");
        }
        assert!(ids("/ats/wecp/tests/", &path("ats/wecp/tests")).is_some());
    }
}
