//! Records as WeCP shows them (shared/platforms/REFERENCE.md §13 to §15).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Account;
use super::model::{Candidate, Interview, Noticed, Scored, Task, Test};
use super::quirks::{FormLabels, Metadata, NotKnown, Proctoring, TestDuration};
use super::score::{max_points, percent, points, time_spent_ms};
use crate::participant::Standing;

/// `2025-03-25T07:00:00.000Z`
fn date(at: Timestamp) -> Value {
    json!(format!("{at:.3}"))
}

/// An object that is being put together.
struct Shown {
    properties: Map<String, Value>,
    not_known: NotKnown,
}

impl Shown {
    fn put(&mut self, name: &str, value: Value) {
        self.properties.insert(name.to_owned(), value);
    }

    /// A value that may not be known yet, and its zero.
    fn put_known(&mut self, name: &str, value: Option<Value>, zero: Value) {
        match (value, self.not_known) {
            (Some(value), _) => self.put(name, value),
            (None, NotKnown::LeftOut) => {}
            (None, NotKnown::Null) => self.put(name, Value::Null),
            (None, NotKnown::Zero) => self.put(name, zero),
        }
    }
}

/// The words of the product (shared/platforms/REFERENCE.md §16); the last one is inferred.
fn status(of: Standing) -> &'static str {
    match of {
        Standing::Bounced => "Email bounced",
        Standing::Invited | Standing::Opened | Standing::Declined => "Not started",
        Standing::Started => "Ongoing",
        Standing::Completed => "Finished",
        Standing::Expired => "Closed",
    }
}

impl Account {
    fn shown(&self) -> Shown {
        Shown {
            properties: Map::new(),
            not_known: self.quirks.not_known,
        }
    }

    pub(super) fn shown_test(&self, it: &Test) -> Value {
        let mut shown = self.shown();
        shown.put(&self.quirks.test_id_field, json!(it.id));
        shown.put(&self.quirks.test_name_field, json!(it.name));
        shown.put("createdAt", date(it.created));
        Value::Object(shown.properties)
    }

    /// The candidate's link.
    pub(super) fn link(&self, it: &Candidate) -> String {
        let what = if it.is_of_test() { "test" } else { "interview" };
        format!("{}/{what}/{}", self.links, it.key)
    }

    fn report_link(&self, it: &Candidate) -> String {
        format!("{}/report/{}", self.links, it.key)
    }

    /// The response to an invitation to a test, for one candidate.
    pub(super) fn shown_invited(&self, it: &Candidate) -> Value {
        let mut shown = self.shown();
        shown.put("candidateId", json!(it.key));
        if self.quirks.invite_link {
            shown.put("link", json!(self.link(it)));
        }
        if self.quirks.metadata == Metadata::Echoed {
            shown.put("metadata", it.own.metadata.clone());
        }
        Value::Object(shown.properties)
    }

    /// A candidate in the list of a test (shared/platforms/REFERENCE.md §13).
    pub(super) fn shown_row(&self, it: &Candidate) -> Value {
        let Task::Test { scored, .. } = &it.own.task else {
            return Value::Null;
        };
        let mut shown = self.shown_common(it, scored);
        let percentage = it.completed.map(|_| json!(percent(scored)));
        shown.put_known("percentage", percentage, json!(0));
        if self.quirks.metadata == Metadata::Echoed {
            shown.put("metadata", it.own.metadata.clone());
        }
        Value::Object(shown.properties)
    }

    /// The common fields of a list's candidate and a single one.
    fn shown_common(&self, it: &Candidate, scored: &[Scored]) -> Shown {
        let mut shown = self.shown();
        shown.put("candidateId", json!(it.key));
        shown.put("candidateDetails", self.form(it));
        shown.put("testFinished", json!(it.completed.is_some()));
        shown.put_known("testStartTime", it.started.map(date), Value::Null);
        let duration = it.completed.map(|_| self.duration(time_spent_ms(scored)));
        shown.put_known("testDuration", duration, self.duration(0));
        if self.quirks.status_text {
            shown.put("status", json!(status(it.standing)));
        }
        shown
    }

    /// A candidate of a test with everything (shared/platforms/REFERENCE.md §14). There is no percentage.
    pub(super) fn shown_candidate(&self, it: &Candidate) -> Value {
        let Task::Test { scored, noticed } = &it.own.task else {
            return Value::Null;
        };
        let done = it.completed.is_some();
        let mut shown = self.shown_common(it, scored);
        shown.put("quizId", json!(it.of));
        shown.put("retry", json!(it.own.retry));
        shown.put("closed", json!(u8::from(it.standing == Standing::Expired)));
        shown.put("finished", json!(done));
        shown.put_known("finishTime", it.completed.map(date), Value::Null);
        shown.put_known("score", done.then(|| json!(points(scored))), json!(0));
        shown.put_known(
            "maxScore",
            done.then(|| json!(max_points(scored))),
            json!(0),
        );
        let report = done.then(|| json!(self.report_link(it)));
        shown.put_known("reportLink", report, json!(""));
        let mut languages: Vec<&String> = scored
            .iter()
            .filter_map(|scored| scored.question.language.as_ref())
            .collect();
        languages.sort();
        languages.dedup();
        shown.put("programmingLanguagesUsed", json!(languages));
        let answers = scored
            .iter()
            .map(|scored| (scored.question.id.clone(), answer(scored)));
        shown.put("questionWiseScore", Value::Object(answers.collect()));
        match self.quirks.proctoring {
            Proctoring::Top => shown.put("proctoringData", proctoring(*noticed)),
            Proctoring::Raw => shown.put("raw", json!({"proctoringData": proctoring(*noticed)})),
            Proctoring::None => {}
        }
        if self.quirks.metadata != Metadata::Kept {
            shown.put("metadata", it.own.metadata.clone());
        }
        Value::Object(shown.properties)
    }

    /// The form that the candidate filled in.
    fn form(&self, it: &Candidate) -> Value {
        let (name, email) = (&it.name, &it.email);
        match self.quirks.form_labels {
            FormLabels::English => json!({"Name": name, "Email": email}),
            FormLabels::EnglishLong => json!({"Full name": name, "E-mail address": email}),
            FormLabels::German => json!({"Vollständiger Name": name, "E-Mail-Adresse": email}),
            FormLabels::Hindi => json!({"नाम": name, "ईमेल": email}),
            // JSON objects are sorted here, so that the other address comes first.
            FormLabels::SecondAddress => json!({
                "College Email": "placements@college.example.com",
                "Email": email,
                "Name": name,
            }),
            FormLabels::NoAddress => json!({"Name": name}),
            FormLabels::None => json!({}),
        }
    }

    fn duration(&self, ms: u32) -> Value {
        let seconds = ms / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        match self.quirks.test_duration {
            TestDuration::Clock => json!(format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)),
            TestDuration::Minutes => json!(seconds / 60),
            TestDuration::Seconds => json!(seconds),
            TestDuration::MillisecondsText => json!(ms.to_string()),
            TestDuration::Words if hours == 0 => json!(format!("{minutes} minutes")),
            TestDuration::Words => json!(format!("{hours} hour {minutes} minutes")),
        }
    }

    /// An interview, as creating it is answered (shared/platforms/REFERENCE.md §15).
    pub(super) fn shown_interview(&self, it: &Interview) -> Value {
        let mut shown = self.shown();
        shown.put("interviewId", json!(it.id));
        shown.put("name", json!(it.name));
        shown.put("createdAt", date(it.created));
        shown.put("recordInterview", json!(it.record));
        if self.quirks.metadata == Metadata::Echoed {
            shown.put("metadata", it.metadata.clone());
        }
        Value::Object(shown.properties)
    }

    /// A candidate who is scheduled for an interview (shared/platforms/REFERENCE.md §15); what came of it is the
    /// sandbox's choice of names.
    pub(super) fn shown_schedule(&self, it: &Candidate) -> Value {
        let Task::Interview { meeting, marks } = &it.own.task else {
            return Value::Null;
        };
        let mut shown = self.shown();
        shown.put("_id", json!(it.key));
        shown.put("interviewId", json!(it.of));
        shown.put("user", json!(it.email));
        shown.put("interviewDuration", json!(meeting.minutes));
        let interviewer = match meeting.interviewers.as_slice() {
            [one] => json!(one),
            several => json!(several),
        };
        shown.put("interviewer", interviewer);
        shown.put("interviewTime", date(meeting.at));
        shown.put("link", json!(self.link(it)));
        if self.quirks.status_text {
            shown.put("status", json!(status(it.standing)));
        }
        shown.put("finished", json!(it.completed.is_some()));
        shown.put_known("startTime", it.started.map(date), Value::Null);
        shown.put_known("finishTime", it.completed.map(date), Value::Null);
        let interview = self.interview(&it.of);
        let lines = interview.map_or(&[][..], |interview| &interview.scorecard);
        if !marks.is_empty() {
            let filled = lines.iter().zip(marks).map(|(line, mark)| {
                json!({
                    "question": line.question,
                    "type_of_question": line.type_of_question,
                    "required": line.required,
                    "answer": mark,
                })
            });
            shown.put("scorecard", filled.collect());
        }
        let done = it.completed.is_some();
        let report = done.then(|| json!(self.report_link(it)));
        shown.put_known("reportLink", report, json!(""));
        let recorded = done && interview.is_some_and(|interview| interview.record);
        shown.put_known(
            "recordingLink",
            recorded.then(|| json!(format!("{}/recording/{}", self.links, it.key))),
            json!(""),
        );
        if self.quirks.metadata == Metadata::Echoed {
            shown.put("metadata", it.own.metadata.clone());
        }
        Value::Object(shown.properties)
    }
}

/// The answer to one question; time is in milliseconds.
fn answer(it: &Scored) -> Value {
    let mut shown = json!({
        "score": it.score,
        "maxScore": it.question.points,
        "timeSpent": it.time_spent_ms,
        "totalAttempts": it.attempts,
        "type": "answer",
        "status": it.score == it.question.points,
        "versionId": it.question.version,
    });
    if let Some(language) = &it.question.language {
        shown["type"] = json!("program");
        shown["language"] = json!(language);
        shown["testcasesPassed"] = json!(it.testcases_passed);
    }
    shown
}

fn proctoring(it: Noticed) -> Value {
    json!({
        "pasteContent": it.pasted,
        "fullScreenViolation": it.left_full_screen,
        "screenShareStopped": it.stopped_sharing,
        "multipleFaces": it.several_faces,
        "tabChanged": it.changed_tab,
        "copyContent": it.copied,
        "noFaceDetected": it.no_face,
        "screenExtended": it.second_screen,
    })
}
