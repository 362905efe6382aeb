//! Records as Willo shows them, and its pages. The shape of a participant is not known (shared/platforms/REFERENCE.md
//! §5); this one is the sandbox's choice, made of the names that the product uses.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::model::{Interview, Keyed, Participant, User, Webhook};
use super::quirks::{ExternalId, StageShape};
use super::{Account, detail, later};
use crate::call::{Answer, Call};
use crate::participant::Standing;

const MAX_PAGE_ROWS: usize = 30;
const DEFAULT_PAGE_ROWS: usize = 10;

/// `2026-11-20T09:00:00.123456Z`: Willo's times have microseconds at most, as its framework writes them
/// (shared/platforms/REFERENCE.md §1).
fn date(at: Timestamp) -> Value {
    json!(format!("{at:.6}"))
}

pub(super) fn user(user: &User) -> Value {
    json!({"key": user.key, "full_name": user.full_name, "email": user.email})
}

pub(super) fn keyed(it: &Keyed) -> Value {
    json!({"key": it.key, "name": it.name})
}

pub(super) fn webhook(it: &Webhook) -> Value {
    json!({
        "key": it.key,
        "url": it.url,
        "event": it.event,
        "interviews": it.interviews,
        "follow_all_interviews": it.follow_all_interviews,
        "departments": it.departments,
        "users": it.users,
        "payload_configuration": it.payload_configuration,
        "api_version": "v1",
        "status": it.status,
    })
}

impl Account {
    /// A page of a list: `{count, next, previous, results}`, at most 30 rows (shared/platforms/REFERENCE.md §3). Only
    /// the rows of the page are made.
    pub(super) fn page(&self, call: &Call, rows: impl ExactSizeIterator<Item = Value>) -> Answer {
        let number = |name| {
            call.parameter(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let size = number("page_size")
            .filter(|size| *size > 0)
            .unwrap_or(DEFAULT_PAGE_ROWS)
            .min(MAX_PAGE_ROWS);
        let page = match call.parameter("page") {
            None => Some(1),
            Some(_) => number("page"),
        };
        let count = rows.len();
        let pages = count.div_ceil(size).max(1);
        let Some(page) = page.filter(|page| (1..=pages).contains(page)) else {
            return detail(404, "Invalid page.");
        };
        let link = |page: usize| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, value) in call.query.iter().filter(|(name, _)| name != "page") {
                query.append_pair(name, value);
            }
            query.append_pair("page", &page.to_string());
            let path = call.segments.join("/");
            format!("{}/{path}/?{}", self.base_url, query.finish())
        };
        let results: Vec<Value> = rows.skip((page - 1) * size).take(size).collect();
        let body = json!({
            "count": count,
            "next": (page < pages).then(|| link(page + 1)),
            "previous": (page > 1).then(|| link(page - 1)),
            "results": results,
        });
        Answer::json(200, &body)
    }

    pub(super) fn shown_interview(&self, it: &Interview) -> Value {
        json!({
            "key": it.key,
            "title": it.title,
            "owner": self.user_named(&it.owner),
            "department": it.department,
            "language": "en",
            "questions": it.questions,
            "created_at": date(it.created),
        })
    }

    /// A participant in a list.
    pub(super) fn shown_row(&self, it: &Participant) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        let (first, last) = it.name.split_once(' ').unwrap_or((&it.name, ""));
        put("key", json!(it.key));
        put("interview", json!(it.of));
        put("name", json!(it.name));
        put("first_name", json!(first));
        put("last_name", json!(last));
        put("email", json!(it.email));
        put("phone", json!(it.phone));
        put("created_at", date(it.created));
        put("updated_at", date(it.own.updated));
        if self.quirks.external_id != ExternalId::Ignored {
            put("external_id", json!(it.external_id));
        }
        if self.quirks.list_shows_status {
            put("status", json!(it.standing));
            put("stage", self.shown_stage(it));
        }
        if self.quirks.invite_link {
            put("invite_link", json!(self.invite_link(it)));
        }
        shown
    }

    /// The candidate's link.
    pub(super) fn invite_link(&self, it: &Participant) -> String {
        format!("{}/invite/{}/", self.links, it.own.code)
    }

    /// A full participant.
    pub(super) fn shown_participant(&self, it: &Participant, now: Timestamp) -> Value {
        let mut shown = self.shown_row(it);
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        let completed = it.standing == Standing::Completed;
        put("status", json!(it.standing));
        put("stage", self.shown_stage(it));
        put("started_at", json!(it.started.map(date)));
        put("completed_at", json!(it.completed.map(date)));
        let share_link = (completed && self.quirks.share_link)
            .then(|| format!("{}/show/{}/", self.links, it.own.code));
        put("share_link", json!(share_link));
        let summary = (completed && self.quirks.summary)
            .then_some("Clear answers, with examples from earlier work.");
        put("summary", json!(summary));
        let responses = it.own.responses.iter().map(|response| {
            json!({
                "key": response.key,
                "question": response.question,
                "type": "video",
                "media_url": self.media_url(&response.key, now),
                "transcript": self.quirks.transcripts.then_some(&response.transcript),
            })
        });
        put("responses", responses.collect());
        let scores = it.own.scores.iter().map(|score| {
            json!({
                "user": self.user_named(&score.by),
                "title": score.title,
                "score": score.value,
                "max_score": score.max,
            })
        });
        put("scores", scores.collect());
        let ratings = it
            .own
            .ratings
            .iter()
            .map(|rating| json!({"user": self.user_named(&rating.by), "rating": rating.stars}));
        put("ratings", ratings.collect());
        let comments = it.own.comments.iter().map(|comment| {
            json!({
                "key": comment.key,
                "user": self.user_named(&comment.by),
                "text": comment.text,
                "created_at": date(comment.at),
            })
        });
        put("comments", comments.collect());
        Value::Object(shown)
    }

    pub(super) fn shown_stage(&self, it: &Participant) -> Value {
        let Some(stage) = self.stages.iter().find(|stage| stage.key == it.own.stage) else {
            return Value::Null;
        };
        match self.quirks.stage_shape {
            StageShape::Name => json!(stage.name),
            StageShape::Object => keyed(stage),
        }
    }

    fn media_url(&self, response: &str, now: Timestamp) -> String {
        let url = format!("{}/media/{response}.mp4", self.links);
        match self.quirks.media_seconds {
            Some(seconds) => format!("{url}?expires={}", later(now, seconds).as_second()),
            None => url,
        }
    }
}
