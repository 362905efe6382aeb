//! The judgement of every application of a system, from both sides.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Answered, ApplicationView, Entry, Judged, Sent};
use crate::record::InvitationRecord;
use crate::state::{SandboxState, Shared};

/// The selected applications.
#[derive(Deserialize)]
pub(super) struct Whose {
    system: String,
}

pub(super) async fn judge(
    State(shared): State<Shared>,
    Query(whose): Query<Whose>,
) -> Answered<Vec<Judged>> {
    let mut world = shared.lock();
    world.system(&whose.system);
    let invitations = by_contact(&world.records.invitations);
    let Some(system) = world.systems.get(&whose.system) else {
        return Ok(Json(Vec::new()));
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
            .map(|place| &world.records.invitations[*place])
            .collect();
        sent.sort_by_key(|invitation| invitation.at);
        judged.push(judged_one(&world, application, &sent));
    }
    Ok(Json(judged))
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
