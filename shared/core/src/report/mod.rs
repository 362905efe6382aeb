//! What is written to Eploy about an invitation: the moments of its life, and the text.

mod moment;
mod texts;
mod truncate;

use std::collections::BTreeMap;
use std::io;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

pub use self::moment::Moment;
pub use self::texts::told_of;
use self::truncate::TruncatedResult;
use crate::ids::QuestionId;
use crate::invitation::{Invitation, Part};
use crate::ports::Answer;
use crate::result::AssessmentResult;
use crate::tenant::{Answerable, Mapping, Texts};

/// The action's comments, unless the tenant has a text of its own.
pub const DEFAULT_COMMENTS: &str = include_str!("comments.html.jinja");

/// The note, unless the tenant has a text of its own.
pub const DEFAULT_NOTE: &str = include_str!("note.txt.jinja");

/// A composed report, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The action's comments: HTML, every value escaped.
    pub comments_html: String,
    /// The shortest comments, for an Eploy that refuses the full ones: headline, advice, score and link, in our own
    /// words.
    pub brief_html: String,
    /// The note: plain text.
    pub note: String,
    /// The link to the result. Never the candidate's own: a person who opens that takes part in their place.
    pub link: Option<String>,
    /// The values for custom questions.
    pub answers: BTreeMap<Answerable, Answer>,
}

/// What a report is missing, which its action mentions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Missing<'a> {
    /// The platform's text, if it is unavailable; with whether that is final.
    pub words: Option<bool>,
    /// Parts that have failed for a while, each with whether it was given up.
    pub parts: &'a [(Part, bool)],
}

/// Problems with a tenant's own texts, each with its place.
pub fn text_problems(texts: &Texts) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, text) in [("comments", &texts.comments), ("note", &texts.note)] {
        if let Some(text) = text
            && let Err(error) = Environment::new().template_from_str(text)
        {
            problems.push(format!("texts.{name} is not a valid template: {error}"));
        }
    }
    problems
}

/// Composes the report of an invitation at this moment.
///
/// A template can use: `moment`, `headline`, `advice` (what to do; may be missing), `platform`, `invited_at`,
/// `started_at`, `completed_at` (as UK readers write times), `meeting_at` (likewise) and `meeting_minutes` of a live
/// interview, `score`, `max`, `percent`, `band`, `stage`, `link`, `parts`, `ratings`, `comments`, `summary`,
/// `transcript`, `integrity` and `invitation` (its id). If a tenant's text fails to render, runs for too long or
/// becomes too long, the default is used: a report is never lost to a typing error. Long values of the platform are
/// truncated.
///
/// `platform` is its name as people write it; `result` is its result, if that was fetched; the advice says what is `missing`.
pub fn compose(
    platform: &str,
    mapping: &Mapping,
    row: &Invitation,
    moment: Moment,
    result: Option<&AssessmentResult>,
    missing: &Missing<'_>,
) -> Written {
    let score = result.and_then(|result| result.score.as_ref()).or_else(|| {
        row.snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.score.as_ref())
    });
    let own = row.invite_link.as_ref();
    // The page of a live interview is where both sides meet; any other page of the candidate's is theirs alone.
    let meeting = own.filter(|_| row.appointment.is_some());
    let link = result
        .and_then(|result| result.report_link.as_ref())
        .filter(|link| !own.is_some_and(|own| same_page(own, link)))
        .or(meeting)
        .and_then(|link| truncate::link(link.clone()));
    let truncated = result.map(TruncatedResult::of);
    let truncated = truncated.as_ref();
    let completed_at = row.ended_at.map(texts::uk_time);
    let met = row.appointment.filter(|_| row.reference.is_some());
    let brief = context! {
        moment => Serde(moment),
        headline => texts::headline(row, moment, platform),
        advice => texts::advice(row, mapping, moment, platform, missing),
        platform => platform,
        invitation => row.key.name(),
        score => score.map(|score| texts::number(score.value)),
        max => score.and_then(|score| score.max).map(texts::number),
        percent => score.and_then(|score| score.percent).map(texts::number),
        link => link.clone(),
    };
    let facts = context! {
        invited_at => row.invited_at.map(texts::uk_time),
        meeting_at => met.map(|met| texts::uk_time(met.at)),
        meeting_minutes => met.map(|met| met.minutes),
        started_at => result.and_then(|result| result.started_at).map(texts::uk_time),
        completed_at => completed_at.clone(),
        band => score.and_then(|score| score.band.as_deref()).map(truncate::name),
        stage => truncated.and_then(|truncated| truncated.stage.as_deref()),
        parts => truncated.map(|truncated| &truncated.parts),
        ratings => truncated.map(|truncated| Serde(&truncated.ratings)),
        comments => truncated.map(|truncated| Serde(&truncated.comments)),
        summary => truncated.and_then(|truncated| truncated.summary.as_deref()),
        transcript => truncated.and_then(|truncated| truncated.transcript.as_deref()),
        integrity => truncated.map(|truncated| &truncated.integrity),
        ..brief.clone()
    };
    let texts = &mapping.report.texts;
    let text = |text: String| Some(Answer::Text(text));
    let answers = [
        (Answerable::Status, text(texts::status(moment).to_owned())),
        (
            Answerable::Score,
            score.and_then(|score| text(texts::number(score.value))),
        ),
        (
            Answerable::Percent,
            score.and_then(|score| text(texts::number(score.percent?))),
        ),
        (Answerable::Link, link.clone().and_then(text)),
        (
            Answerable::CompletedAt,
            row.ended_at
                .filter(|_| moment == Moment::Completed)
                .map(Answer::At),
        ),
    ];
    let answers = answers
        .into_iter()
        .filter_map(|(what, answer)| Some((what, answer?)))
        .collect();
    Written {
        comments_html: render(texts.comments.as_deref(), COMMENTS, &facts),
        brief_html: render(None, COMMENTS, &brief),
        note: render(texts.note.as_deref(), NOTE, &facts),
        link,
        answers,
    }
}

/// Whether two links lead to the same page, ignoring how they end.
fn same_page(one: &str, other: &str) -> bool {
    let page = |url: &str| {
        let end = url.find(['?', '#']).unwrap_or(url.len());
        url[..end].trim_end_matches('/').to_lowercase()
    };
    page(one) == page(other)
}

pub fn answers(mapping: &Mapping, written: &Written) -> BTreeMap<QuestionId, Answer> {
    let questions = mapping.report.questions.iter();
    let answered = |(what, question): (_, &QuestionId)| {
        Some((question.clone(), written.answers.get(what)?.clone()))
    };
    questions.filter_map(answered).collect()
}

/// The limit of a tenant's own text, in instructions of the template: a nested loop must not block other work.
const MAX_INSTRUCTIONS: u64 = 200_000;

/// The maximum size of its output.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// A buffer of at most [`MAX_TEXT_BYTES`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.0.len() + part.len() > MAX_TEXT_BYTES {
            return Err(io::Error::other("the text is too long"));
        }
        self.0.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The template's name for an action's comments. Its extension makes the engine escape values.
const COMMENTS: &str = "comments.html.jinja";

/// The template's name for the note.
const NOTE: &str = "note.txt.jinja";

/// The default templates, parsed once.
static DEFAULTS: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = environment();
    for (name, text) in [(COMMENTS, DEFAULT_COMMENTS), (NOTE, DEFAULT_NOTE)] {
        if let Err(error) = environment.add_template(name, text) {
            tracing::error!(name, kind = ?error.kind(), "default text of a report unparsable");
        }
    }
    environment
});

/// The settings that the tenants' texts and the default ones share.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    environment
}

/// Renders the tenant's text, or the default if there is none or it fails.
fn render(own: Option<&str>, name: &'static str, facts: &Value) -> String {
    if let Some(own) = own {
        let mut environment = environment();
        environment.set_fuel(Some(MAX_INSTRUCTIONS));
        let mut text = Bounded(Vec::new());
        let rendered = environment
            .template_from_named_str(name, own)
            .and_then(|template| template.render_captured_to(facts, &mut text).map(drop));
        match rendered.map(|()| String::from_utf8(text.0)) {
            Ok(Ok(text)) => return text,
            Ok(Err(_)) => tracing::warn!(name, "tenant's text of a report not UTF-8, default used"),
            Err(error) => {
                tracing::warn!(name, kind = ?error.kind(), "tenant's text of a report not rendered, default used");
            }
        }
    }
    DEFAULTS
        .get_template(name)
        .and_then(|template| template.render(facts))
        .unwrap_or_else(|error| {
            tracing::error!(name, kind = ?error.kind(), "default text of a report not rendered");
            String::new()
        })
}

#[cfg(test)]
mod tests;
