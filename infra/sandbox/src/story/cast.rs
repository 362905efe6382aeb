//! The candidates of the story.

use std::collections::HashMap;

use jiff::Timestamp;

use super::customer::{Customer, TENANT};
use super::script::{Fate, fates};
use super::stages::BEFORE;
use crate::control::PlayerError;
use crate::eploy::{EditCandidate, NewApplications};
use crate::record::Platform;

/// One candidate.
#[derive(Clone, Debug)]
pub struct Role {
    pub(super) application: u64,
    pub(super) platform: Platform,
    pub(super) fate: Fate,
    /// The participant of the video interview or the test.
    pub(super) key: Option<String>,
    /// The participant of the live interview.
    pub(super) meeting: Option<String>,
    /// The last act on the first of them that Eploy has to show.
    pub(super) last_act: Option<Timestamp>,
}

/// Creates the candidates: a third for vacancies with a test on `WeCP`, the others for those with an interview on
/// Willo.
pub async fn cast(
    customer: &Customer,
    candidates: usize,
    random: &mut fastrand::Rng,
) -> Result<Vec<Role>, PlayerError> {
    let tested = candidates / 3;
    let mut cast = Vec::new();
    for (platform, count) in [
        (Platform::Willo, candidates - tested),
        (Platform::Wecp, tested),
    ] {
        let vacancies: Vec<_> = customer
            .vacancies
            .iter()
            .filter(|vacancy| vacancy.platform == platform)
            .collect();
        let fates = fates(platform, count, random);
        let share = count.div_ceil(vacancies.len()).max(1);
        for (vacancy, fates) in vacancies.into_iter().zip(fates.chunks(share)) {
            apply(customer, vacancy.id, platform, fates, &mut cast).await?;
        }
    }
    random.shuffle(&mut cast);
    // Candidates with the longest fates go first.
    cast.sort_by_key(|role| !role.fate.meets());
    Ok(cast)
}

/// Candidates with these fates apply for a vacancy.
async fn apply(
    customer: &Customer,
    vacancy: u64,
    platform: Platform,
    fates: &[Fate],
    cast: &mut Vec<Role>,
) -> Result<(), PlayerError> {
    let new = NewApplications {
        stage: Some(BEFORE.to_owned()),
        ..NewApplications::new(vacancy, fates.len().try_into().unwrap_or(u32::MAX))
    };
    let created = customer.player.apply(TENANT, &new).await?;
    for (created, fate) in created.into_iter().zip(fates) {
        if *fate == Fate::NoAddress {
            let edit = EditCandidate {
                email: Some(String::new()),
                ..EditCandidate::default()
            };
            customer
                .player
                .edit_candidate(TENANT, created.candidate, &edit)
                .await?;
        }
        cast.push(Role {
            application: created.application,
            platform,
            fate: *fate,
            key: None,
            meeting: None,
            last_act: None,
        });
    }
    Ok(())
}

/// Candidates by address; the sandbox generated them in the order of creation.
pub(super) async fn by_email(
    customer: &Customer,
    cast: &[Role],
) -> Result<HashMap<String, usize>, PlayerError> {
    let people = customer.player.people().await?;
    let mut order: Vec<usize> = (0..cast.len()).collect();
    order.sort_by_key(|index| cast[*index].application);
    let ours = people.into_iter().skip(customer.baseline);
    Ok(ours
        .zip(order)
        .map(|(person, index)| (person.email.to_lowercase(), index))
        .collect())
}
