//! What candidates, reviewers and administrators do in Willo, through the control API.

use jiff::Timestamp;

use super::messages::ReviewerAct;
use super::model::{Comment, Event, Interview, Participant, Rating, Response, Score};
use super::participants::Guest;
use super::{Account, key};
use crate::context::Context;
use crate::participant::{ByHand, CandidateAct, ParticipantView};
use crate::record::Platform;
use crate::register::{Manner, Refused};

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
        around: &mut Context,
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
        let manner = Manner {
            mailed: true,
            by_api: false,
            user: None,
            at,
        };
        let place = self.add_participant(guest, at, &mut around.random);
        self.sent(place, false, &manner, around);
        Ok(self.participants[place].key.clone())
    }

    pub(crate) fn candidate_acts(
        &mut self,
        participant: &str,
        act: CandidateAct,
        at: Timestamp,
        around: &mut Context,
    ) -> Result<(), Refused> {
        let place = self.participants.open_place_of(participant)?;
        let questions = self
            .interview(&self.participants[place].of)
            .map(|it| it.questions.clone())
            .unwrap_or_default();
        let it = &mut self.participants[place];
        it.own.updated = at;
        it.acts(act, at);
        if act == CandidateAct::Answer {
            let responses = questions.into_iter().map(|question| Response {
                key: key(&mut around.random),
                question,
                transcript: "I enjoy working with people, and I plan my day ahead.".to_owned(),
            });
            it.own.responses = responses.collect();
            self.happened(Event::NewResponse, place, at, around);
        }
        Ok(())
    }

    pub(crate) fn reviewer_acts(
        &mut self,
        participant: &str,
        act: &ReviewerAct,
        at: Timestamp,
        around: &mut Context,
    ) -> Result<(), Refused> {
        let place = self.participants.place_of(participant)?;
        let by = self.users[0].key.clone();
        let it = &mut self.participants[place].own;
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
                    key: key(&mut around.random),
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
                self.participants.remove(place);
                return Ok(());
            }
        };
        self.happened(event, place, at, around);
        Ok(())
    }

    /// All participants, or those with this address.
    pub(crate) fn participant_views(&self, email: Option<&str>) -> Vec<ParticipantView> {
        let all = self.participants.all(email);
        all.map(|it| self.view(it)).collect()
    }

    /// A participant, even a removed one.
    pub(crate) fn participant_view(&self, key: &str) -> Option<ParticipantView> {
        self.participants.any(key).map(|it| self.view(it))
    }

    fn view(&self, it: &Participant) -> ParticipantView {
        let own = &it.own;
        let stage = self.stages.iter().find(|stage| stage.key == own.stage);
        let scores = own.scores.iter();
        ParticipantView {
            stage: stage.map(|stage| stage.name.clone()).unwrap_or_default(),
            scores: scores
                .map(|score| (score.title.clone(), score.value, score.max))
                .collect(),
            stars: own.ratings.first().map(|rating| rating.stars),
            comments: own.comments.len(),
            link: Some(self.invite_link(it)),
            ..it.view(Platform::Willo, &self.name)
        }
    }
}
