//! Texts of a tenant's own, with results that are hostile.

use serde_json::json;
use stagecall_core::invitation::{Entry, Invitation};
use stagecall_core::report::{Missing, Moment, Written, compose, text_problems};
use stagecall_core::result::{AssessmentResult, Comment, Rating, Score, Status, SubResult};
use stagecall_core::tenant::{Mapping, Texts};

use crate::run::Target;

/// Templates.
pub const TARGET: Target = Target {
    name: "templates",
    samples: &[
        include_str!("../../../shared/core/src/report/comments.html.jinja"),
        include_str!("../../../shared/core/src/report/note.txt.jinja"),
        "{{ headline }}{% for part in parts %} {{ loop.index }}: {{ part|upper }}{% endfor %}",
        "{% set who = comments[0].by or 'nobody' %}<p title=\"{{ who }}\">{{ who|replace('x', 'y')|title }}</p>",
        "{% macro row(a, b) %}<li>{{ a }}: {{ b }}</li>{% endmacro %}{% for r in ratings %}{{ row(r.label, r.value) }}{% endfor %}",
        "{% for a in range(3) %}{% for b in range(3) %}{{ a * b }}{% endfor %}{% endfor %}{{ [1, 2]|join(', ') }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{{ transcript }}{% endfor %}{% endfor %}{% endfor %}",
        "{{ comments|map(attribute='text')|join(' / ') }} {{ transcript|default('none') }} {{ score is defined }}",
    ],
    check: template,
};

/// What a reviewer could be called, and say.
const HOSTILE: &str =
    "<script>alert(1)</script>\" onmouseover='x' {{ 7 * 7 }}{% include 'x' %}&amp;\u{202e}";

fn template(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(());
    };
    let texts = Texts {
        comments: Some(text.to_owned()),
        note: Some(text.to_owned()),
    };
    let problems = text_problems(&texts);
    let mut result = AssessmentResult::bare("r".into(), Status::Completed);
    result.score = Some(Score::of(7.0, Some(10.0)));
    result.stage = Some(HOSTILE.to_owned());
    result.summary = Some(HOSTILE.to_owned());
    result.transcript = Some(HOSTILE.repeat(100));
    result.parts.push(SubResult {
        label: HOSTILE.to_owned(),
        score: None,
        remark: Some(HOSTILE.to_owned()),
    });
    result.ratings.push(Rating {
        by: Some(HOSTILE.to_owned()),
        label: HOSTILE.to_owned(),
        value: HOSTILE.to_owned(),
    });
    result.comments.push(Comment {
        by: Some(HOSTILE.to_owned()),
        text: HOSTILE.to_owned(),
    });
    result.report_link = Some(format!("https://app.willotalent.com/show/{HOSTILE}"));
    let report = written(Some(texts), &result, Moment::Completed)?;
    if report.comments_html.is_empty() && !problems.is_empty() {
        return Err("a text that cannot be read took the report with it".to_owned());
    }
    // A tenant may write scripts into its own text and turn escaping off; what others wrote cannot do it.
    let own = ["<script", "safe", "autoescape", "escape"];
    if own.iter().any(|word| text.contains(word)) {
        return Ok(());
    }
    match report.comments_html.to_lowercase().find("<script") {
        Some(place) => Err(format!(
            "a script at {place} of {:.400}",
            report.comments_html
        )),
        None => Ok(()),
    }
}

/// The report of a result, in a tenant's words or in ours.
pub fn written(
    texts: Option<Texts>,
    result: &AssessmentResult,
    moment: Moment,
) -> Result<Written, String> {
    let mut mapping: Mapping = serde_json::from_value(json!({
        "id": "video",
        "vacancies": "all",
        "triggers": [{"stage": "12"}],
        "assessment": {"account": "willo", "assessment": "fedcba9876543210fedcba9876543210"},
    }))
    .map_err(|error| error.to_string())?;
    mapping.report.texts = texts.unwrap_or_default();
    let now = "2026-07-01T12:00:00Z".parse().map_err(|_| "no time")?;
    let key = serde_json::from_value(
        json!({"tenant": "acme", "application": "70215", "mapping": "video", "round": 1}),
    );
    let row = Invitation::detected(
        key.map_err(|error: serde_json::Error| error.to_string())?,
        "9001".into(),
        "4101".into(),
        mapping.assessment.clone(),
        Entry::seen(now),
    );
    Ok(compose(
        "Willo",
        &mapping,
        &row,
        moment,
        Some(result),
        &Missing::default(),
    ))
}

/// Whether the HTML has nothing but the tags of our own text, and links that are https.
pub fn is_safe(html: &str) -> Result<(), String> {
    const TAGS: [&str; 12] = [
        "<p>",
        "</p>",
        "<strong>",
        "</strong>",
        "<ul>",
        "</ul>",
        "<li>",
        "</li>",
        "<small>",
        "</small>",
        "</a>",
        "<a href=\"https:",
    ];
    let mut rest = html;
    while let Some(place) = rest.find('<') {
        let tag = &rest[place..];
        if !TAGS.iter().any(|known| tag.starts_with(known)) {
            return Err(format!("a foreign tag: {tag:.80}"));
        }
        if let Some(link) = tag.strip_prefix("<a href=\"") {
            let (_, after) = link.split_once('"').unwrap_or((link, ""));
            if !after.starts_with('>') {
                return Err(format!("a foreign attribute: {tag:.200}"));
            }
        }
        rest = &tag[1..];
    }
    Ok(())
}
