//! The Eploy client: implements the core's [`Eploy`](stagecall_core::ports::Eploy) port over HTTP.
//!
//! Eploy's API is only partly documented (REFERENCE.md). What is open is a named setting of the [`Dialect`] with the
//! likeliest default, so that another reading is a line of configuration. What comes back is read tolerantly: names in
//! any case, ids as numbers or texts, dates with or without fraction and zone, nulls anywhere. Every way in which a
//! call can fail is a [`Problem`], with what a person should do about it.

mod actions;
mod allowance;
mod applications;
mod call;
mod candidates;
mod client;
mod connection;
mod connections;
mod dates;
mod dialect;
mod directory;
mod errors;
mod exports;
mod inspect;
mod moves;
mod notes;
mod placements;
mod position;
mod probe;
mod questions;
mod refusal;
mod sealed;
mod search;
mod stage_changes;
mod stage_info;
mod stage_searches;
#[cfg(test)]
mod testing;
mod token;
mod vacancies;
mod wire;

pub use allowance::DayShares;
pub use connections::{Connections, validate};
pub use dialect::{
    ActionFields, ActionLookUpBy, AnswerValues, Dates, Dialect, History, IdCasing, IdValues,
    MoveBody, NoteFormat, QuestionsBody, ReadBy, TokenRequest, Zone,
};
pub use errors::{Level, Permission, Problem};
pub use inspect::{
    Inspector, List, Listing, Need, Origin, Question, StageReading, VacancyRow, needed,
};
pub use probe::{Certainty, Experiment, Probed, Writing};
