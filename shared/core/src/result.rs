//! A platform's result of an invitation, in one shape for all platforms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{AssessmentId, Reference};

/// Where an invitation stands on the platform. The set covers every provider of shared/platforms/REFERENCE.md §19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted, not yet sent to the candidate.
    Queued,
    /// On its way to, or with, the candidate.
    Sent,
    /// The message could not be delivered.
    Bounced,
    /// The candidate opened the message or the page.
    Opened,
    /// The candidate began.
    Started,
    /// The candidate finished.
    Completed,
    /// Finished and scored.
    Graded,
    /// Finished, and the platform's own check of the result is done.
    Verified,
    /// The time to take it ran out.
    Expired,
    /// It was withdrawn.
    Cancelled,
    Declined,
    /// The platform reported a failure.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Points.
    pub value: f64,
    /// Points possible, if the platform gives them.
    pub max: Option<f64>,
    /// 0 to 100, as the platform gives it or computed from the two above.
    pub percent: Option<f64>,
    /// The platform's own word for it ("Strong").
    pub band: Option<String>,
}

impl Score {
    /// The score `value` of `max`, with the percentage computed unless `max` is so small that it would be infinite.
    pub fn of(value: f64, max: Option<f64>) -> Self {
        let percent = max
            .filter(|max| *max > 0.0)
            .map(|max| (value / max * 1000.0).round() / 10.0)
            .filter(|percent| percent.is_finite());
        Self {
            value,
            max,
            percent,
            band: None,
        }
    }
}

impl Score {
    /// The sum of parts that each have points and a maximum, for platforms that give no overall score; `None` if there
    /// are none, or one of them cannot be added.
    pub fn total(parts: &[SubResult]) -> Option<Self> {
        let mut sum = (0.0, 0.0);
        for part in parts {
            let score = part.score.as_ref()?;
            sum = (sum.0 + score.value, sum.1 + score.max?);
        }
        (sum.1 > 0.0).then(|| Self::of(sum.0, Some(sum.1)))
    }
}

/// A part of a result with a score or a remark of its own: a question, a scorecard line, a proctoring count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubResult {
    /// Its name, in the platform's words.
    pub label: String,
    /// Its score, if it has one.
    pub score: Option<Score>,
    /// Its outcome in words, if it has one ("passed").
    pub remark: Option<String>,
}

/// A reviewer's opinion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The reviewer of the customer, as the platform names them.
    pub by: Option<String>,
    /// What was rated ("Overall").
    pub label: String,
    /// The rating as the platform words it ("4 of 5").
    pub value: String,
}

/// A reviewer's remark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    pub by: Option<String>,
    /// The text as the platform gave it: unescaped.
    pub text: String,
}

/// A platform's result. It may carry people's words, so it is fetched when needed and never stored; the ledger stores
/// its [`ResultSnapshot`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssessmentResult {
    pub reference: Reference,
    /// The assessment, if the platform gives it.
    pub assessment: Option<AssessmentId>,
    /// Our own reference, if the platform returns it.
    pub client_ref: Option<String>,
    pub status: Status,
    /// The platform's own name for the status (Willo's stage "Accepted").
    pub stage: Option<String>,
    /// When the candidate began.
    pub started_at: Option<Timestamp>,
    /// When the candidate finished.
    pub completed_at: Option<Timestamp>,
    pub score: Option<Score>,
    /// Scores of parts.
    pub parts: Vec<SubResult>,
    pub ratings: Vec<Rating>,
    pub comments: Vec<Comment>,
    /// What the candidate said, as text.
    pub transcript: Option<String>,
    pub summary: Option<String>,
    /// The recruiter's link: https, on the platform's hosts, and never the candidate's own link. The code that reads a
    /// result checks that.
    pub report_link: Option<String>,
    /// Proctoring events with their counts.
    pub integrity: Vec<(String, u64)>,
}

impl AssessmentResult {
    /// A result with only a status.
    pub fn bare(reference: Reference, status: Status) -> Self {
        Self {
            reference,
            assessment: None,
            client_ref: None,
            status,
            stage: None,
            started_at: None,
            completed_at: None,
            score: None,
            parts: Vec::new(),
            ratings: Vec::new(),
            comments: Vec::new(),
            transcript: None,
            summary: None,
            report_link: None,
            integrity: Vec::new(),
        }
    }

    /// The snapshot for the ledger.
    pub fn snapshot(&self) -> ResultSnapshot {
        // A link may differ with every reading, in its query or its path. Only its presence is a change.
        let mut lasting = self.clone();
        lasting.report_link = self.report_link.as_ref().map(|_| String::new());
        let bytes = serde_json::to_vec(&lasting).unwrap_or_default();
        ResultSnapshot {
            status: self.status,
            started_at: self.started_at,
            completed_at: self.completed_at,
            score: self.score.clone(),
            digest: hex::encode(&Sha256::digest(&bytes)[..16]),
        }
    }
}

/// What the ledger stores of a result: states, times, scores, and a digest that shows whether anything else changed. No
/// words of people, no links that open something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultSnapshot {
    pub status: Status,
    /// When the candidate began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the candidate finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// SHA-256 of the whole normalised result, its first 16 bytes in hex.
    pub digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(value: f64, max: Option<f64>) -> SubResult {
        SubResult {
            label: "Communication".to_owned(),
            score: Some(Score::of(value, max)),
            remark: None,
        }
    }

    #[test]
    fn parts_add_up_only_if_all_have_a_maximum() {
        let total = Score::total(&[part(4.0, Some(5.0)), part(7.0, Some(10.0))]).unwrap();
        assert_eq!(
            (total.value, total.max, total.percent),
            (11.0, Some(15.0), Some(73.3))
        );
        assert_eq!(Score::total(&[part(4.0, Some(5.0)), part(7.0, None)]), None);
        assert_eq!(Score::total(&[]), None);
    }

    #[test]
    fn what_makes_no_percentage_has_none() {
        for (value, max) in [
            (7.0, f64::MIN_POSITIVE),
            (f64::MAX, 0.5),
            (7.0, 0.0),
            (7.0, -1.0),
        ] {
            assert_eq!(
                Score::of(value, Some(max)).percent,
                None,
                "{value} of {max}"
            );
        }
    }

    #[test]
    fn a_regenerated_link_gives_the_same_snapshot_and_the_first_link_another() {
        let mut result = AssessmentResult::bare(Reference::new("r"), Status::Completed);
        let without = result.snapshot();
        result.report_link = Some("https://example.com/show/a?signature=1".to_owned());
        let first = result.snapshot();
        assert_ne!(first, without);
        for link in [
            "https://example.com/show/a?signature=2",
            "https://example.com/1/show/a",
        ] {
            result.report_link = Some(link.to_owned());
            assert_eq!(result.snapshot(), first, "{link}");
        }
    }
}
