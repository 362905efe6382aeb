//! An application as a recruiter sees it.

use super::System;
use super::messages::{
    ActionView, AnswerView, ApplicationView, HistoryView, NoteView, PositionView,
};
use super::model::{Asked, Position};
use super::recruiter::Refused;
use super::setup::{ACTION_TYPES, OUTCOMES, PLACEMENT_STATUSES, STAGE_NAMES};

impl System {
    /// An application as a recruiter sees it.
    pub(crate) fn view(&self, id: u64) -> Result<ApplicationView, Refused> {
        let found = self
            .applications
            .get(&id)
            .ok_or(Refused::Missing("application", id))?;
        let name = |list, id| self.option_name(list, id).unwrap_or_default().to_owned();
        let history = found.history.iter().filter_map(|row| self.history.get(row));
        let actions = found.actions.iter().filter_map(|id| self.actions.get(id));
        let answers = self.answers.get(&(Asked::Applications, id));
        Ok(ApplicationView {
            id,
            candidate: found.candidate,
            vacancy: found.vacancy,
            position: self.shown_position(found.position),
            created: found.created,
            modified: found.modified,
            history: history
                .map(|row| HistoryView {
                    id: row.id,
                    at: row.at,
                    position: self.shown_position(row.position),
                    action: row.action,
                })
                .collect(),
            actions: actions
                .map(|action| ActionView {
                    id: action.id,
                    type_id: action.kind,
                    type_name: name(ACTION_TYPES, action.kind),
                    outcome_id: action.outcome,
                    outcome: action.outcome.map(|outcome| name(OUTCOMES, outcome)),
                    start: action.start,
                    completion: action.completion,
                    comments_html: action.comments_html.clone(),
                    link: action.provider_url.clone(),
                    created: action.created,
                    modified: action.modified,
                })
                .collect(),
            notes: found
                .notes
                .iter()
                .map(|note| NoteView {
                    at: note.at,
                    text: note.text.clone(),
                })
                .collect(),
            answers: self
                .questions
                .iter()
                .filter(|question| question.of == Asked::Applications)
                .filter_map(|question| {
                    Some(AnswerView {
                        question: question.id,
                        title: question.title.clone(),
                        answer: answers?.get(&question.id)?.clone(),
                    })
                })
                .collect(),
            exported: found.exports.clone(),
            placement: found
                .placement
                .and_then(|id| self.placements.get(&id))
                .map(|placement| name(PLACEMENT_STATUSES, placement.status)),
        })
    }

    fn shown_position(&self, position: Position) -> PositionView {
        let name = |list, id| self.option_name(list, id).unwrap_or_default().to_owned();
        PositionView {
            stage_id: position.stage,
            stage: name(STAGE_NAMES, position.stage),
            status_id: position.status,
            status: position
                .status
                .map(|id| name(self.status_list(position.stage), id)),
        }
    }
}
