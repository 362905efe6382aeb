//! The judgement of every application of a system, from both sides.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ApplicationView, Handled, ParticipantView};
use crate::record::{InvitationRecord, Platform};
use crate::state::SandboxState;

/// An entry into a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The time.
    pub at: Timestamp,
    /// The stage's name.
    pub stage: String,
    /// The status's name.
    pub status: Option<String>,
}

/// An invitation that was sent to a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The time.
    pub at: Timestamp,
    /// The platform.
    pub platform: Platform,
    /// Its account.
    pub account: String,
    /// The interview or test.
    pub interview: String,
    /// The participant.
    pub participant: String,
    /// The inviter's own id of it.
    pub external_id: Option<String>,
    /// Whether an existing participant was notified again.
    pub again: bool,
    /// Whether the platform notified the candidate; otherwise it only created a link.
    pub mailed: bool,
}

/// The judgement of one application: with it a test finds missing and duplicate invitations, and results that were not
/// reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The application as a recruiter sees it.
    pub application: ApplicationView,
    /// Its entries into stages: one for each change of stage, not of status alone.
    pub entries: Vec<Entry>,
    /// Every invitation to a current or former address or number of the candidate, oldest first. A candidate with several
    /// applications has the same ones at each of them.
    pub invitations: Vec<Sent>,
    /// The participants of these invitations, as they are now.
    pub participants: Vec<ParticipantView>,
}

impl SandboxState {
    pub(super) fn judgement(&mut self, system: &str) -> Handled<Vec<Judged>> {
        self.system(system);
        let invitations = by_contact(&self.context.records.invitations);
        let Some(system) = self.systems.get(system) else {
            return Ok(Vec::new());
        };
        let mut judged = Vec::new();
        for id in system.application_ids() {
            let application = system.view(id)?;
            let mut seen = HashSet::new();
            let mut sent: Vec<&InvitationRecord> = system
                .candidate_of(id)
                .into_iter()
                .flat_map(|candidate| {
                    candidate
                        .email
                        .iter()
                        .chain(&candidate.mobile)
                        .chain(&candidate.contacts_before)
                })
                .filter_map(|contact| invitations.get(&normal(contact)))
                .flatten()
                .filter(|place| seen.insert(**place))
                .map(|place| &self.context.records.invitations[*place])
                .collect();
            sent.sort_by_key(|invitation| invitation.at);
            judged.push(judged_one(self, application, &sent));
        }
        Ok(judged)
    }

    /// The participant of an invitation, as it is now.
    fn participant_view(&self, of: &InvitationRecord) -> Option<ParticipantView> {
        match of.platform {
            Platform::Willo => self
                .willo
                .get(&of.account)?
                .participant_view(&of.participant),
            Platform::Wecp => self
                .wecp
                .get(&of.account)?
                .participant_view(&of.participant),
        }
    }
}

/// The comparable form of an address or number: British numbers may be written with +44 or 0.
fn normal(contact: &str) -> String {
    if contact.contains('@') {
        return contact.to_lowercase();
    }
    let digits: String = contact.chars().filter(char::is_ascii_digit).collect();
    let local = digits.strip_prefix("44").or(digits.strip_prefix('0'));
    local.unwrap_or(&digits).to_owned()
}

/// The indices of the invitations by their address, or without one their number.
fn by_contact(invitations: &[InvitationRecord]) -> HashMap<String, Vec<usize>> {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, invitation) in invitations.iter().enumerate() {
        let contact = match invitation.email.as_str() {
            "" => &invitation.phone,
            email => email,
        };
        places.entry(normal(contact)).or_default().push(place);
    }
    places
}

fn judged_one(
    world: &SandboxState,
    application: ApplicationView,
    sent: &[&InvitationRecord],
) -> Judged {
    let mut entries: Vec<Entry> = Vec::new();
    for row in &application.history {
        if entries
            .last()
            .is_none_or(|last| last.stage != row.position.stage)
        {
            entries.push(Entry {
                at: row.at,
                stage: row.position.stage.clone(),
                status: row.position.status.clone(),
            });
        }
    }
    let mut seen = HashSet::new();
    let participants = sent
        .iter()
        .filter(|invitation| seen.insert(&invitation.participant))
        .filter_map(|invitation| world.participant_view(invitation))
        .collect();
    Judged {
        application,
        entries,
        invitations: sent
            .iter()
            .map(|invitation| Sent {
                at: invitation.at,
                platform: invitation.platform,
                account: invitation.account.clone(),
                interview: invitation.interview.clone(),
                participant: invitation.participant.clone(),
                external_id: invitation.external_id.clone(),
                again: invitation.again,
                mailed: invitation.mailed,
            })
            .collect(),
        participants,
    }
}
