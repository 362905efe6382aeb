//! Live interviews through the API: creating one, scheduling candidates, reading (shared/platforms/REFERENCE.md §15).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::invite::{Guest, metadata};
use super::messages::{LineKind, ScorecardLine};
use super::model::{Interview, Task};
use super::quirks::Scheduling;
use super::{Account, id};
use crate::call::{Answer, Call};
use crate::context::Context;
use crate::participant::Meeting;
use crate::register::{Manner, is_address};

impl Account {
    pub(super) fn list_interviews(&self) -> Answer {
        let rows = self.interviews.iter().map(|it| self.shown_interview(it));
        Answer::json(200, &Value::Array(rows.collect()))
    }

    pub(super) fn list_interview_candidates(&self, interview: &str) -> Answer {
        if self.interview(interview).is_none() {
            return self.error(404, "Interview not found");
        }
        let rows = self
            .candidates_of(interview)
            .map(|it| self.shown_schedule(it));
        self.listed(rows.collect())
    }

    pub(super) fn create_interview(&mut self, call: &Call, random: &mut fastrand::Rng) -> Answer {
        let interview = match self
            .body(call)
            .and_then(|body| self.read_interview(&body, call.now, random))
        {
            Ok(interview) => interview,
            Err(answer) => return answer,
        };
        let answer = Answer::json(200, &self.shown_interview(&interview));
        self.interviews.push(interview);
        answer
    }

    fn read_interview(
        &self,
        body: &Value,
        now: Timestamp,
        random: &mut fastrand::Rng,
    ) -> Result<Interview, Answer> {
        let refuse = |text: &str| Err(self.error(400, text));
        let name = body["interviewName"].as_str().unwrap_or_default().trim();
        if name.is_empty() {
            return refuse("interviewName is required");
        }
        let group = body["groupId"].as_str().unwrap_or_default();
        if !self.groups.iter().any(|(id, _)| id == group) {
            return refuse("groupId is not a group of this account");
        }
        let scorecard: Vec<ScorecardLine> = match body.get("scorecard") {
            None => Vec::new(),
            Some(lines) => match serde_json::from_value(lines.clone()) {
                Ok(lines) => lines,
                Err(_) => return refuse("scorecard is not a list of questions"),
            },
        };
        if scorecard
            .iter()
            .any(|line| line.type_of_question == LineKind::Objective && line.option.is_empty())
        {
            return refuse("an objective question needs options");
        }
        Ok(Interview {
            id: id(random),
            name: name.to_owned(),
            group: group.to_owned(),
            record: body["recordInterview"] == json!(true),
            scorecard,
            metadata: body["metadata"].clone(),
            created: now,
            by_api: true,
        })
    }

    /// `POST ats/wecp/scheduleInterviews`: the body names the interview.
    pub(super) fn schedule(
        &mut self,
        call: &Call,
        user: Option<String>,
        around: &mut Context,
    ) -> Answer {
        let body = match self.body(call) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let interview = body["interviewId"].as_str().unwrap_or_default().to_owned();
        let does = self.quirks.ats_schedule;
        self.schedule_for(&interview, &body, does, call.now, user, around)
    }

    /// `POST orgs/{org}/groups/{group}/interviews/{interview}/scheduleInterviews`.
    pub(super) fn schedule_in_group(
        &mut self,
        org: &str,
        group: &str,
        interview: &str,
        call: &Call,
        user: Option<String>,
        around: &mut Context,
    ) -> Answer {
        let body = match self.body(call) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let belongs = |it: &Interview| org == self.org && group == it.group;
        if !self.interview(interview).is_some_and(belongs) {
            return self.error(404, "Interview not found");
        }
        let does = self.quirks.org_schedule;
        self.schedule_for(interview, &body, does, call.now, user, around)
    }

    fn schedule_for(
        &mut self,
        interview: &str,
        body: &Value,
        does: Scheduling,
        at: Timestamp,
        user: Option<String>,
        around: &mut Context,
    ) -> Answer {
        if self.interview(interview).is_none() {
            return self.error(404, "Interview not found");
        }
        let guests = match self.read_schedules(interview, body) {
            Ok(guests) => guests,
            Err(answer) => return answer,
        };
        if does == Scheduling::Nothing {
            return Answer::json(200, &json!([]));
        }
        if let Err(answer) = self.may_come(&guests) {
            return answer;
        }
        let manner = Manner {
            mailed: body["sendEmail"] != json!(false),
            by_api: true,
            user,
            at,
        };
        let mut scheduled = Vec::new();
        for guest in guests {
            let place = self.add_or_find(guest, &manner, around);
            scheduled.push(self.shown_schedule(&self.candidates[place]));
        }
        if does == Scheduling::AnsweredEmpty {
            scheduled.clear();
        }
        Answer::json(200, &Value::Array(scheduled))
    }

    fn read_schedules(&self, interview: &str, body: &Value) -> Result<Vec<Guest>, Answer> {
        let Some(schedules) = body["schedules"].as_array() else {
            return Err(self.error(400, "schedules is required"));
        };
        schedules
            .iter()
            .map(|it| {
                let (email, meeting) = read_schedule(it).map_err(|text| self.error(400, text))?;
                Ok(Guest {
                    of: interview.to_owned(),
                    task: Task::Interview {
                        meeting,
                        marks: Vec::new(),
                    },
                    name: String::new(),
                    email,
                    metadata: metadata(it, body),
                })
            })
            .collect()
    }
}

/// A candidate's address and schedule; `Err` has the problem.
fn read_schedule(it: &Value) -> Result<(String, Meeting), &'static str> {
    let email = it["emailId"].as_str().unwrap_or_default().trim();
    if !is_address(email) {
        return Err("emailId is not a valid email");
    }
    let minutes = it["interviewDuration"]
        .as_u64()
        .and_then(|minutes| u32::try_from(minutes).ok())
        .filter(|minutes| *minutes > 0)
        .ok_or("interviewDuration is not a number of minutes")?;
    let at = it["interviewTime"]
        .as_str()
        .and_then(|time| time.parse().ok())
        .ok_or("interviewTime is not a date and time")?;
    let interviewers: Vec<String> = match &it["interviewer"] {
        Value::Array(several) => several
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    };
    if interviewers.is_empty() {
        return Err("interviewer is required");
    }
    Ok((
        email.to_owned(),
        Meeting {
            at,
            minutes,
            interviewers,
        },
    ))
}
