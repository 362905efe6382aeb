//! What candidates, reviewers, interviewers and administrators do in WeCP, through the control API.

use jiff::Timestamp;
use serde_json::Value;

use super::invite::Guest;
use super::messages::{
    NewTest, NewWecpInterview, TestQuestion, WecpInterviewView, WecpReviewerAct,
};
use super::model::{Candidate, Interview, Question, Task, Test};
use super::{Account, id, score};
use crate::context::Context;
use crate::participant::{ByHand, CandidateAct, ParticipantView, Standing};
use crate::record::Platform;
use crate::register::{Manner, Refused};

fn usual_questions() -> Vec<TestQuestion> {
    let question = |title: &str, points, language: Option<&str>| TestQuestion {
        title: title.to_owned(),
        points,
        language: language.map(str::to_owned),
    };
    vec![
        question("Handling medicines", 10, None),
        question("Keeping records", 10, None),
        question("Sort a rota by date", 40, Some("python")),
        question("Find overlapping shifts", 40, Some("java")),
    ]
}

impl Account {
    pub(crate) fn add_test(
        &mut self,
        new: &NewTest,
        at: Timestamp,
        random: &mut fastrand::Rng,
    ) -> String {
        let questions = match new.questions.as_slice() {
            [] => usual_questions(),
            some => some.to_vec(),
        };
        let test = Test {
            id: id(random),
            name: new.name.clone(),
            questions: questions
                .into_iter()
                .map(|question| Question {
                    id: id(random),
                    version: id(random),
                    title: question.title,
                    points: question.points,
                    language: question.language,
                })
                .collect(),
            created: at,
        };
        let key = test.id.clone();
        self.tests.push(test);
        key
    }

    /// Somebody creates an interview in WeCP itself.
    pub(crate) fn add_interview(
        &mut self,
        new: &NewWecpInterview,
        at: Timestamp,
        random: &mut fastrand::Rng,
    ) -> String {
        let interview = Interview {
            id: id(random),
            name: new.name.clone(),
            group: self.groups[0].0.clone(),
            record: new.record,
            scorecard: new.scorecard.clone(),
            metadata: Value::Null,
            created: at,
            by_api: false,
        };
        let key = interview.id.clone();
        self.interviews.push(interview);
        key
    }

    /// The ids of the tests, with their names.
    pub(crate) fn test_names(&self) -> Vec<(String, String)> {
        self.tests
            .iter()
            .map(|it| (it.id.clone(), it.name.clone()))
            .collect()
    }

    /// The ids of the groups, with their names.
    pub(crate) fn group_names(&self) -> Vec<(String, String)> {
        self.groups.clone()
    }

    /// The addresses of the users, with their personal tokens.
    pub(crate) fn user_tokens(&self) -> Vec<(String, String)> {
        self.users
            .iter()
            .map(|user| (user.email.clone(), user.token.clone()))
            .collect()
    }

    /// Replaces the users.
    pub(crate) fn set_users(&mut self, emails: &[String], random: &mut fastrand::Rng) {
        let token = |email: &str, users: &[super::User]| {
            users
                .iter()
                .find(|user| user.email == email)
                .map(|user| user.token.clone())
        };
        self.users = emails
            .iter()
            .map(|email| super::User {
                token: token(email, &self.users).unwrap_or_else(|| id(random)),
                email: email.clone(),
            })
            .collect();
    }

    pub(crate) fn interview_views(&self) -> Vec<WecpInterviewView> {
        self.interviews
            .iter()
            .map(|it| WecpInterviewView {
                id: it.id.clone(),
                name: it.name.clone(),
                group: it.group.clone(),
                record: it.record,
                scorecard: it.scorecard.clone(),
                metadata: it.metadata.clone(),
                created: it.created,
                by_api: it.by_api,
            })
            .collect()
    }

    /// Somebody invites a candidate to a test in WeCP itself.
    pub(crate) fn invite_by_hand(
        &mut self,
        guest: &ByHand,
        at: Timestamp,
        around: &mut Context,
    ) -> Result<String, Refused> {
        if self.test(&guest.interview).is_none() {
            return Err(Refused::Missing("test", guest.interview.clone()));
        }
        let guest = Guest {
            of: guest.interview.clone(),
            task: Task::test(),
            name: guest.name.clone(),
            email: guest.email.clone(),
            metadata: Value::Null,
        };
        let manner = Manner {
            mailed: true,
            by_api: false,
            user: None,
            at,
        };
        let place = self.add_or_find(guest, &manner, around);
        Ok(self.candidates[place].key.clone())
    }

    pub(crate) fn candidate_acts(
        &mut self,
        candidate: &str,
        act: CandidateAct,
        at: Timestamp,
        around: &mut Context,
    ) -> Result<(), Refused> {
        let place = self.candidates.open_place_of(candidate)?;
        if act == CandidateAct::Decline {
            return Err(Refused::Cannot("nobody can decline in WeCP"));
        }
        let questions = self
            .test(&self.candidates[place].of)
            .map(|test| test.questions.clone())
            .unwrap_or_default();
        let it = &mut self.candidates[place];
        it.acts(act, at);
        if act == CandidateAct::Answer {
            if let Task::Test { scored, noticed } = &mut it.own.task {
                *scored = score::answers(&questions, &mut around.random);
                *noticed = score::noticed(&mut around.random);
            }
            self.completed(place, around);
        }
        Ok(())
    }

    pub(crate) fn reviewer_acts(
        &mut self,
        candidate: &str,
        act: &WecpReviewerAct,
        at: Timestamp,
        around: &mut Context,
    ) -> Result<(), Refused> {
        match act {
            WecpReviewerAct::Rerun => {
                let (scored, retry) = self.finished_test(candidate)?;
                score::evaluated_again(scored, &mut around.random);
                *retry += 1;
            }
            WecpReviewerAct::Rescore { question, score } => {
                let (scored, retry) = self.finished_test(candidate)?;
                let it = scored
                    .iter_mut()
                    .find(|it| it.question.title == *question || it.question.id == *question)
                    .ok_or_else(|| Refused::Missing("question", question.clone()))?;
                if *score > it.question.points {
                    return Err(Refused::Cannot("a score is not more than the question's"));
                }
                it.score = *score;
                *retry += 1;
            }
            WecpReviewerAct::Conduct { answers } => {
                self.conducted(candidate, answers, at, around)?;
            }
            WecpReviewerAct::Remove => {
                let place = self.candidates.place_of(candidate)?;
                self.candidates.remove(place);
            }
        }
        Ok(())
    }

    /// The answers of a candidate who has finished a test, and the number of re-evaluations.
    fn finished_test(
        &mut self,
        candidate: &str,
    ) -> Result<(&mut [super::model::Scored], &mut u32), Refused> {
        let place = self.candidates.place_of(candidate)?;
        let it = &mut self.candidates[place];
        let done = it.completed.is_some();
        match &mut it.own.task {
            Task::Test { scored, .. } if done => Ok((scored, &mut it.own.retry)),
            Task::Test { .. } => Err(Refused::Cannot("the test is not finished")),
            Task::Interview { .. } => Err(Refused::Cannot("that is an interview, not a test")),
        }
    }

    /// Conducts an interview and fills in the scorecard, or fills it in again.
    fn conducted(
        &mut self,
        candidate: &str,
        answers: &[Value],
        at: Timestamp,
        around: &mut Context,
    ) -> Result<(), Refused> {
        let place = self.candidates.place_of(candidate)?;
        let lines = self
            .interview(&self.candidates[place].of)
            .ok_or(Refused::Cannot("that is a test, not an interview"))?
            .scorecard
            .clone();
        let filled = match answers {
            [] => score::marks(&lines, &mut around.random),
            some if some.len() == lines.len() => some.to_vec(),
            _ => return Err(Refused::Cannot("a scorecard has one answer for each line")),
        };
        let it = &mut self.candidates[place];
        let before = it.standing;
        if !before.is_open() && before != Standing::Completed {
            return Err(Refused::TooLate(before));
        }
        if let Task::Interview { marks, .. } = &mut it.own.task {
            if !marks.is_empty() {
                it.own.retry += 1;
            }
            *marks = filled;
        }
        if before != Standing::Completed {
            it.completes(at);
            self.completed(place, around);
        }
        Ok(())
    }

    /// All candidates, or those with this address.
    pub(crate) fn participant_views(&self, email: Option<&str>) -> Vec<ParticipantView> {
        let all = self.candidates.all(email);
        all.map(|it| self.view(it)).collect()
    }

    /// A candidate, even a removed one.
    pub(crate) fn participant_view(&self, id: &str) -> Option<ParticipantView> {
        self.candidates.any(id).map(|it| self.view(it))
    }

    fn view(&self, it: &Candidate) -> ParticipantView {
        let (scores, meeting) = match &it.own.task {
            Task::Test { scored, .. } => (
                scored
                    .iter()
                    .map(|it| {
                        let (score, max) = (it.score.into(), it.question.points.into());
                        (it.question.title.clone(), score, max)
                    })
                    .collect(),
                None,
            ),
            Task::Interview { meeting, marks } => {
                let lines = self
                    .interview(&it.of)
                    .map_or(&[][..], |interview| &interview.scorecard);
                let stars = lines.iter().zip(marks).filter_map(|(line, mark)| {
                    line.stars(mark)
                        .map(|stars| (line.question.clone(), stars, 5.0))
                });
                (stars.collect(), Some(meeting.clone()))
            }
        };
        ParticipantView {
            scores,
            metadata: it.own.metadata.clone(),
            retry: it.own.retry,
            link: Some(self.link(it)),
            meeting,
            ..it.view(Platform::Wecp, &self.name)
        }
    }
}
