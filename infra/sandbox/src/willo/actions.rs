//! What candidates, reviewers and administrators do in Willo, through the control API.

use jiff::Timestamp;
use serde_json::Value;

use super::messages::ReviewerAct;
use super::model::{Comment, Event, Interview, Participant, Rating, Response, Score};
use super::participants::Guest;
use super::{Account, key};
use crate::context::Context;
use crate::participant::{ByHand, CandidateAct, ParticipantView, Standing};
use crate::record::Platform;

/// Why an act is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no {0} {1}")]
    Missing(&'static str, String),
    #[error("a candidate who stands at {0:?} cannot do that")]
    TooLate(Standing),
}

impl Account {
    pub(crate) fn add_interview(
        &mut self,
        title: &str,
        at: Timestamp,
        random: &mut fastrand::Rng,
    ) -> String {
        let interview = Interview {
            key: key(random),
            title: title.to_owned(),
            owner: self.users[0].key.clone(),
            department: self.departments[0].key.clone(),
            questions: [
                "What do you like about this kind of work?",
                "Tell us about a day on which something went wrong.",
            ]
            .map(str::to_owned)
            .to_vec(),
            created: at,
        };
        let key = interview.key.clone();
        self.interviews.push(interview);
        key
    }

    /// The keys of the interviews, with their titles.
    pub(crate) fn interview_titles(&self) -> Vec<(String, String)> {
        self.interviews
            .iter()
            .map(|it| (it.key.clone(), it.title.clone()))
            .collect()
    }

    /// The keys of the stages, with their names.
    pub(crate) fn stage_names(&self) -> Vec<(String, String)> {
        self.stages
            .iter()
            .map(|it| (it.key.clone(), it.name.clone()))
            .collect()
    }

    /// Somebody invites a candidate in Willo itself.
    pub(crate) fn invite_by_hand(
        &mut self,
        guest: &ByHand,
        at: Timestamp,
        around: &mut Context<'_>,
    ) -> Result<String, Refused> {
        if self.interview(&guest.interview).is_none() {
            return Err(Refused::Missing("interview", guest.interview.clone()));
        }
        let guest = Guest {
            interview: guest.interview.clone(),
            name: guest.name.clone(),
            email: guest.email.clone(),
            phone: String::new(),
            external_id: None,
        };
        let participant = self.add_participant(guest, at, around.random);
        self.sent(&participant, false, false, at, around);
        Ok(participant.key)
    }

    fn place_of(&self, key: &str) -> Result<usize, Refused> {
        self.place(key)
            .ok_or_else(|| Refused::Missing("participant", key.to_owned()))
    }

    pub(crate) fn candidate_acts(
        &mut self,
        participant: &str,
        act: CandidateAct,
        at: Timestamp,
        around: &mut Context<'_>,
    ) -> Result<(), Refused> {
        let place = self.place_of(participant)?;
        let before = self.participants[place].standing;
        if !before.is_open() {
            return Err(Refused::TooLate(before));
        }
        let questions = self
            .interview(&self.participants[place].interview)
            .map(|it| it.questions.clone())
            .unwrap_or_default();
        let it = &mut self.participants[place];
        it.updated = at;
        match act {
            // A candidate who has started cannot become one who has only opened it.
            CandidateAct::Open if before == Standing::Invited => it.standing = Standing::Opened,
            CandidateAct::Open => {}
            CandidateAct::Start => {
                it.standing = Standing::Started;
                it.started.get_or_insert(at);
            }
            CandidateAct::Answer => {
                it.standing = Standing::Completed;
                it.started.get_or_insert(at);
                it.completed = Some(at);
                it.responses = questions
                    .into_iter()
                    .map(|question| Response {
                        key: key(around.random),
                        question,
                        transcript: "I enjoy working with people, and I plan my day ahead."
                            .to_owned(),
                    })
                    .collect();
                self.happened(Event::NewResponse, place, at, around);
            }
            CandidateAct::Decline => it.standing = Standing::Declined,
            CandidateAct::Bounce => it.standing = Standing::Bounced,
            CandidateAct::Expire => it.standing = Standing::Expired,
        }
        Ok(())
    }

    pub(crate) fn reviewer_acts(
        &mut self,
        participant: &str,
        act: &ReviewerAct,
        at: Timestamp,
        around: &mut Context<'_>,
    ) -> Result<(), Refused> {
        let place = self.place_of(participant)?;
        let by = self.users[0].key.clone();
        let it = &mut self.participants[place];
        it.updated = at;
        let event = match act {
            ReviewerAct::Score { title, value, max } => {
                let score = Score {
                    by,
                    title: title.clone(),
                    value: *value,
                    max: *max,
                };
                // Scoring the same line again replaces the score.
                it.scores.retain(|other| other.title != score.title);
                it.scores.push(score);
                Event::NewScore
            }
            ReviewerAct::Rate { stars } => {
                it.ratings = vec![Rating { by, stars: *stars }];
                Event::NewScore
            }
            ReviewerAct::Comment { text } => {
                it.comments.push(Comment {
                    key: key(around.random),
                    by,
                    text: text.clone(),
                    at,
                });
                Event::NewComment
            }
            ReviewerAct::Stage { name } => {
                let stage = self
                    .stages
                    .iter()
                    .find(|stage| stage.name.eq_ignore_ascii_case(name))
                    .ok_or_else(|| Refused::Missing("stage", name.clone()))?;
                it.stage.clone_from(&stage.key);
                Event::StageChange
            }
            ReviewerAct::Remove => {
                self.remove_participant(participant);
                return Ok(());
            }
        };
        self.happened(event, place, at, around);
        Ok(())
    }

    /// All participants, or those with this address.
    pub(crate) fn participant_views(&self, email: Option<&str>) -> Vec<ParticipantView> {
        self.participants
            .iter()
            .filter(|it| email.is_none_or(|email| it.email.eq_ignore_ascii_case(email)))
            .map(|it| self.view(it))
            .collect()
    }

    /// A participant, even a removed one.
    pub(crate) fn participant_view(&self, key: &str) -> Option<ParticipantView> {
        self.participants
            .get(*self.by_key.get(key)?)
            .map(|it| self.view(it))
    }

    fn view(&self, it: &Participant) -> ParticipantView {
        ParticipantView {
            platform: Platform::Willo,
            account: self.name.clone(),
            key: it.key.clone(),
            interview: it.interview.clone(),
            email: it.email.clone(),
            phone: it.phone.clone(),
            external_id: it.external_id.clone(),
            standing: it.standing,
            removed: it.removed,
            stage: self
                .stages
                .iter()
                .find(|stage| stage.key == it.stage)
                .map(|stage| stage.name.clone())
                .unwrap_or_default(),
            scores: it
                .scores
                .iter()
                .map(|score| (score.title.clone(), score.value, score.max))
                .collect(),
            stars: it.ratings.first().map(|rating| rating.stars),
            comments: it.comments.len(),
            created: it.created,
            started: it.started,
            completed: it.completed,
            metadata: Value::Null,
            retry: 0,
            link: Some(self.invite_link(it)),
            meeting: None,
        }
    }
}
