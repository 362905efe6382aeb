//! Answers to tests and scorecards, generated from the seed.

use serde_json::{Value, json};

use super::messages::{LineKind, ScorecardLine};
use super::model::{Noticed, Question, Scored};

const TESTCASES: u32 = 4;

/// An answer to every question of a test.
pub(super) fn answers(questions: &[Question], random: &mut fastrand::Rng) -> Vec<Scored> {
    questions
        .iter()
        .map(|question| {
            let testcases_passed = match question.language {
                Some(_) => random.u32(..=TESTCASES),
                None if random.u32(..100) < 65 => TESTCASES,
                None => 0,
            };
            Scored {
                question: question.clone(),
                score: question.points * testcases_passed / TESTCASES,
                time_spent_ms: random.u32(20_000..900_000),
                attempts: random.u32(1..=3),
                testcases_passed,
            }
        })
        .collect()
}

/// The same answers, evaluated against other test cases; answers with choices are unchanged.
pub(super) fn evaluated_again(scored: &mut [Scored], random: &mut fastrand::Rng) {
    for it in scored {
        if it.question.language.is_some() {
            it.testcases_passed = random.u32(..=TESTCASES);
            it.score = it.question.points * it.testcases_passed / TESTCASES;
        }
    }
}

pub(super) fn noticed(random: &mut fastrand::Rng) -> Noticed {
    let mut few = || random.u32(..4).saturating_sub(1);
    Noticed {
        pasted: few(),
        left_full_screen: few(),
        stopped_sharing: few(),
        several_faces: few(),
        changed_tab: few(),
        copied: few(),
        no_face: few(),
        second_screen: few(),
    }
}

pub(super) fn points(scored: &[Scored]) -> u32 {
    scored.iter().map(|it| it.score).sum()
}

pub(super) fn max_points(scored: &[Scored]) -> u32 {
    scored.iter().map(|it| it.question.points).sum()
}

pub(super) fn time_spent_ms(scored: &[Scored]) -> u32 {
    scored.iter().map(|it| it.time_spent_ms).sum()
}

/// With two decimals.
pub(super) fn percent(scored: &[Scored]) -> f64 {
    let (points, max) = (f64::from(points(scored)), f64::from(max_points(scored)));
    if max > 0.0 {
        (points / max * 10_000.0).round() / 100.0
    } else {
        0.0
    }
}

/// An interviewer's scorecard.
pub(super) fn marks(lines: &[ScorecardLine], random: &mut fastrand::Rng) -> Vec<Value> {
    lines
        .iter()
        .map(|line| match line.type_of_question {
            LineKind::Star => json!(random.u32(1..=5)),
            LineKind::Objective => json!(random.choice(&line.option)),
            LineKind::Text => json!("Spoke clearly, and asked good questions."),
        })
        .collect()
}
