//! The candidates of a platform account: what every platform has of them, and does with them in the same way.

use std::collections::HashMap;
use std::ops::{Index, IndexMut};

use jiff::Timestamp;
use serde_json::Value;

use crate::participant::{CandidateAct, ParticipantView, Standing};
use crate::record::{InvitationRecord, Platform};

/// Why an act is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no {0} {1}")]
    Missing(&'static str, String),
    #[error("a candidate who stands at {0:?} cannot do that")]
    TooLate(Standing),
    #[error("{0}")]
    Cannot(&'static str),
}

/// A candidate who was invited to an interview or a test.
#[derive(Clone, Debug)]
pub(crate) struct Invitee<T> {
    pub(crate) key: String,
    /// The key of the interview, the test or the group.
    pub(crate) of: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) external_id: Option<String>,
    pub(crate) standing: Standing,
    /// Removed for the API; the judge still knows it.
    pub(crate) removed: bool,
    pub(crate) created: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) completed: Option<Timestamp>,
    /// What only this platform has.
    pub(crate) own: T,
}

/// How a candidate is invited.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Whether the platform notifies the candidate.
    pub(crate) mailed: bool,
    /// Whether it is by a call of the API.
    pub(crate) by_api: bool,
    /// The acting user.
    pub(crate) user: Option<String>,
    pub(crate) at: Timestamp,
}

impl<T> Invitee<T> {
    /// Performs an act of a candidate who can still act.
    pub(crate) fn acts(&mut self, act: CandidateAct, at: Timestamp) {
        match act {
            // A candidate who has started cannot become one who has only opened it.
            CandidateAct::Open if self.standing == Standing::Invited => {
                self.standing = Standing::Opened;
            }
            CandidateAct::Open => {}
            CandidateAct::Start => {
                self.standing = Standing::Started;
                self.started.get_or_insert(at);
            }
            CandidateAct::Answer => self.completes(at),
            CandidateAct::Decline => self.standing = Standing::Declined,
            CandidateAct::Bounce => self.standing = Standing::Bounced,
            CandidateAct::Expire => self.standing = Standing::Expired,
        }
    }

    pub(crate) fn completes(&mut self, at: Timestamp) {
        self.standing = Standing::Completed;
        self.started.get_or_insert(at);
        self.completed = Some(at);
    }

    /// The record of an invitation, or of another one.
    pub(crate) fn invited(
        &self,
        platform: Platform,
        account: &str,
        again: bool,
        manner: &Manner,
    ) -> InvitationRecord {
        InvitationRecord {
            at: manner.at,
            platform,
            account: account.to_owned(),
            interview: self.of.clone(),
            email: self.email.to_lowercase(),
            phone: self.phone.clone(),
            participant: self.key.clone(),
            external_id: self.external_id.clone(),
            again,
            mailed: manner.mailed,
            by_api: manner.by_api,
            user: manner.user.clone(),
        }
    }

    /// The view, without what only this platform has.
    pub(crate) fn view(&self, platform: Platform, account: &str) -> ParticipantView {
        ParticipantView {
            platform,
            account: account.to_owned(),
            key: self.key.clone(),
            interview: self.of.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            external_id: self.external_id.clone(),
            standing: self.standing,
            removed: self.removed,
            stage: String::new(),
            scores: Vec::new(),
            stars: None,
            comments: 0,
            created: self.created,
            started: self.started,
            completed: self.completed,
            metadata: Value::Null,
            retry: 0,
            link: None,
            meeting: None,
        }
    }
}

/// All candidates of an account, by index.
pub(crate) struct Register<T> {
    all: Vec<Invitee<T>>,
    by_key: HashMap<String, usize>,
    /// The candidates of an interview, test or group, oldest first.
    by_task: HashMap<String, Vec<usize>>,
    /// Those with an address, oldest first; without the removed ones.
    by_address: HashMap<(String, String), Vec<usize>>,
}

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            by_key: HashMap::new(),
            by_task: HashMap::new(),
            by_address: HashMap::new(),
        }
    }
}

impl<T> Index<usize> for Register<T> {
    type Output = Invitee<T>;

    fn index(&self, place: usize) -> &Invitee<T> {
        &self.all[place]
    }
}

impl<T> IndexMut<usize> for Register<T> {
    fn index_mut(&mut self, place: usize) -> &mut Invitee<T> {
        &mut self.all[place]
    }
}

impl<T> Register<T> {
    /// Adds a candidate. Returns the index.
    pub(crate) fn add(&mut self, it: Invitee<T>) -> usize {
        let place = self.all.len();
        self.by_key.insert(it.key.clone(), place);
        self.by_task.entry(it.of.clone()).or_default().push(place);
        if !it.email.is_empty() {
            let address = (it.of.clone(), it.email.to_lowercase());
            self.by_address.entry(address).or_default().push(place);
        }
        self.all.push(it);
        place
    }

    /// Removes a candidate.
    pub(crate) fn remove(&mut self, place: usize) {
        let it = &mut self.all[place];
        it.removed = true;
        let address = (it.of.clone(), it.email.to_lowercase());
        if let Some(places) = self.by_address.get_mut(&address) {
            places.retain(|other| *other != place);
        }
    }

    /// The indices of all candidates, or those of an interview, test or group; without the removed ones.
    pub(crate) fn places(&self, of: Option<&str>) -> Vec<usize> {
        let mut places = match of {
            Some(of) => self.by_task.get(of).cloned().unwrap_or_default(),
            None => (0..self.all.len()).collect(),
        };
        places.retain(|place| !self.all[*place].removed);
        places
    }

    /// The index of a candidate who was not removed.
    pub(crate) fn place(&self, key: &str) -> Option<usize> {
        let place = *self.by_key.get(key)?;
        (!self.all[place].removed).then_some(place)
    }

    /// The same, for an act.
    pub(crate) fn place_of(&self, key: &str) -> Result<usize, Refused> {
        self.place(key)
            .ok_or_else(|| Refused::Missing("participant", key.to_owned()))
    }

    /// The same, of a candidate who can still act.
    pub(crate) fn open_place_of(&self, key: &str) -> Result<usize, Refused> {
        let place = self.place_of(key)?;
        let standing = self.all[place].standing;
        if standing.is_open() {
            Ok(place)
        } else {
            Err(Refused::TooLate(standing))
        }
    }

    /// The index of the last candidate with this address.
    pub(crate) fn at_address(&self, of: &str, email: &str) -> Option<usize> {
        let address = (of.to_owned(), email.to_lowercase());
        self.by_address.get(&address)?.last().copied()
    }

    /// A candidate, even a removed one.
    pub(crate) fn any(&self, key: &str) -> Option<&Invitee<T>> {
        self.all.get(*self.by_key.get(key)?)
    }

    /// All candidates, or those with this address; even removed ones.
    pub(crate) fn all(&self, email: Option<&str>) -> impl Iterator<Item = &Invitee<T>> {
        self.all
            .iter()
            .filter(move |it| email.is_none_or(|email| it.email.eq_ignore_ascii_case(email)))
    }
}

/// Whether a text is an e-mail address.
pub(crate) fn is_address(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.contains('@')
        })
}
