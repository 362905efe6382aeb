//! Truncates what a platform says for a report: a platform bounds none of it, and Eploy would refuse an endless report.
//! The rest is behind the link.

use super::texts::number;
use crate::result::{AssessmentResult, Comment, Rating, Score, SubResult};

/// The maximum number of entries of one kind.
const MAX_ENTRIES: usize = 50;

/// The maximum length of a text.
const MAX_TEXT_CHARS: usize = 2000;

/// The maximum length of a name.
const MAX_NAME_CHARS: usize = 200;

/// The maximum length of all texts together.
const MAX_TOTAL_CHARS: usize = 20_000;

/// A result, truncated.
#[derive(Default)]
pub struct TruncatedResult {
    pub stage: Option<String>,
    pub summary: Option<String>,
    pub ratings: Vec<Rating>,
    /// One line each.
    pub parts: Vec<String>,
    /// Proctoring events, one line each.
    pub integrity: Vec<String>,
    pub comments: Vec<Comment>,
    pub transcript: Option<String>,
}

impl TruncatedResult {
    /// Truncates a result. What a recruiter looks for first gets its room first.
    pub fn of(result: &AssessmentResult) -> Self {
        let mut budget = TextBudget(MAX_TOTAL_CHARS);
        Self {
            stage: budget.some(result.stage.as_deref(), MAX_NAME_CHARS),
            summary: budget.some(result.summary.as_deref(), MAX_TEXT_CHARS),
            ratings: budget.all(&result.ratings, |budget, rating| Rating {
                by: budget.some(rating.by.as_deref(), MAX_NAME_CHARS),
                label: budget.text(&rating.label, MAX_TEXT_CHARS),
                value: budget.text(&rating.value, MAX_NAME_CHARS),
            }),
            parts: budget.all(&result.parts, |budget, part| {
                budget.text(&line(part), MAX_TEXT_CHARS)
            }),
            integrity: budget.all(&noticed(&result.integrity), |budget, line| {
                budget.text(line, MAX_NAME_CHARS)
            }),
            comments: budget.all(&result.comments, |budget, comment| Comment {
                by: budget.some(comment.by.as_deref(), MAX_NAME_CHARS),
                text: budget.text(&comment.text, MAX_TEXT_CHARS),
            }),
            transcript: budget.some(result.transcript.as_deref(), MAX_TEXT_CHARS),
        }
    }
}

/// The remaining room, in characters.
struct TextBudget(usize);

impl TextBudget {
    fn text(&mut self, text: &str, max_chars: usize) -> String {
        let cut = first_part(text, max_chars.min(self.0));
        self.0 = self.0.saturating_sub(cut.chars().count());
        cut
    }

    fn some(&mut self, text: Option<&str>, max_chars: usize) -> Option<String> {
        text.filter(|_| self.0 > 0)
            .map(|text| self.text(text, max_chars))
    }

    fn all<T, U>(&mut self, all: &[T], mut one: impl FnMut(&mut Self, &T) -> U) -> Vec<U> {
        let mut cut = Vec::new();
        for each in all.iter().take(MAX_ENTRIES) {
            if self.0 == 0 {
                break;
            }
            cut.push(one(self, each));
        }
        cut
    }
}

/// A name from a platform, such as that of a band.
pub fn name(text: &str) -> String {
    first_part(text, MAX_NAME_CHARS)
}

/// A link, unless it is too long: part of a link leads nowhere.
pub fn link(url: String) -> Option<String> {
    (url.len() <= MAX_TEXT_CHARS).then_some(url)
}

/// The first part of a long text, ending in an ellipsis.
fn first_part(text: &str, max_chars: usize) -> String {
    if text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max_chars).collect();
    short.push('…');
    short
}

fn line(part: &SubResult) -> String {
    let mut line = part.label.clone();
    if let Some(score) = &part.score {
        line = format!("{line}: {}", points(score));
    }
    if let Some(remark) = &part.remark {
        line = format!("{line} ({remark})");
    }
    line
}

/// "7 of 10".
fn points(score: &Score) -> String {
    match score.max {
        Some(max) => format!("{} of {}", number(score.value), number(max)),
        None => number(score.value),
    }
}

fn noticed(counts: &[(String, u64)]) -> Vec<String> {
    counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what}: {count}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Status;

    fn result() -> AssessmentResult {
        AssessmentResult::bare("r".into(), Status::Completed)
    }

    fn comment(text: &str) -> Comment {
        Comment {
            by: Some("Rowan Example".to_owned()),
            text: text.to_owned(),
        }
    }

    fn part(label: &str, score: Option<Score>, remark: Option<&str>) -> SubResult {
        SubResult {
            label: label.to_owned(),
            score,
            remark: remark.map(str::to_owned),
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let whole = "ä".repeat(2000);
        let transcript = |text: &str| {
            let mut result = result();
            result.transcript = Some(text.to_owned());
            TruncatedResult::of(&result).transcript
        };
        assert_eq!(transcript(&whole), Some(whole.clone()));
        assert_eq!(transcript(&format!("{whole}ä")), Some(format!("{whole}…")));
        assert_eq!(name(&"b".repeat(200)), "b".repeat(200));
        assert_eq!(name(&"b".repeat(201)), format!("{}…", "b".repeat(200)));
        assert_eq!(link("l".repeat(2000)), Some("l".repeat(2000)));
        assert_eq!(link("l".repeat(2001)), None);
    }

    #[test]
    fn there_is_room_for_fifty_of_each() {
        let mut many = result();
        many.ratings = vec![
            Rating {
                by: None,
                label: "Overall".to_owned(),
                value: "4 of 5".to_owned()
            };
            51
        ];
        many.comments = vec![comment("Good"); 51];
        many.parts = vec![part("Rust", None, None); 51];
        many.integrity = vec![("tab switches".to_owned(), 1); 51];
        let truncated = TruncatedResult::of(&many);
        assert_eq!(truncated.ratings.len(), 50);
        assert_eq!(truncated.comments, vec![comment("Good"); 50]);
        assert_eq!(truncated.parts.len(), 50);
        assert_eq!(truncated.integrity.len(), 50);
    }

    #[test]
    fn an_endless_result_is_truncated() {
        let long = "a".repeat(50_000);
        let mut endless = result();
        endless.stage = Some(long.clone());
        endless.summary = Some(long.clone());
        endless.transcript = Some(long.clone());
        let rating = Rating {
            by: Some(long.clone()),
            label: long.clone(),
            value: long.clone(),
        };
        endless.ratings = vec![rating; 60];
        let truncated = TruncatedResult::of(&endless);
        assert_eq!(truncated.stage.unwrap().chars().count(), 201);
        assert_eq!(truncated.summary.unwrap().chars().count(), 2001);
        let rating = &truncated.ratings[0];
        assert_eq!(rating.by.as_ref().unwrap().chars().count(), 201);
        assert_eq!(rating.label.chars().count(), 2001);
        assert_eq!(rating.value.chars().count(), 201);
        let named = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
        let ratings = truncated.ratings.iter().map(|rating| {
            named(&rating.by) + rating.label.chars().count() + rating.value.chars().count()
        });
        let all = 201 + 2001 + ratings.sum::<usize>();
        assert!(
            (MAX_TOTAL_CHARS - 10..=MAX_TOTAL_CHARS + 10).contains(&all),
            "{all}"
        );
        assert_eq!(truncated.transcript, None, "there is no room left");

        endless.ratings.clear();
        endless.parts = vec![part(&long, None, None); 60];
        endless.comments = vec![
            Comment {
                by: Some(long.clone()),
                text: long.clone()
            };
            60
        ];
        endless.integrity = vec![(long, 1); 60];
        let truncated = TruncatedResult::of(&endless);
        assert_eq!(truncated.parts[0].chars().count(), 2001);
        assert!(truncated.parts.len() < 10, "{}", truncated.parts.len());
        assert_eq!(
            (truncated.integrity.len(), truncated.comments.len()),
            (0, 0)
        );
    }

    #[test]
    fn parts_and_what_a_proctor_noticed_are_a_line_each() {
        let mut scored = result();
        scored.parts = vec![
            part("Rust", Some(Score::of(7.0, Some(10.0))), Some("passed")),
            part("Rust", Some(Score::of(7.5, None)), None),
            part("Rust", None, None),
        ];
        scored.integrity = vec![
            ("tab switches".to_owned(), 3),
            ("pastes".to_owned(), 0),
            ("faces".to_owned(), 1),
        ];
        let truncated = TruncatedResult::of(&scored);
        assert_eq!(
            truncated.parts,
            ["Rust: 7 of 10 (passed)", "Rust: 7.5", "Rust"]
        );
        assert_eq!(truncated.integrity, ["tab switches: 3", "faces: 1"]);
    }
}
