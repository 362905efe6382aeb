//! Who is at a trigger, as the stage scan remembers it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::ApplicationId;
use crate::tenant::Position;

/// Applications by the position that each was last seen at. Grouped, because many of them share few positions and this is
/// saved with every poll.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Residents(Vec<(Position, BTreeSet<ApplicationId>)>);

impl Residents {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|(_, those)| those.len()).sum()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where an application was last seen, if it is one of them.
    pub fn position(&self, id: &ApplicationId) -> Option<&Position> {
        let mut groups = self.0.iter();
        let (position, _) = groups.find(|(_, those)| those.contains(id))?;
        Some(position)
    }

    /// The application is at this position, and at no other.
    pub fn put(&mut self, id: &ApplicationId, position: &Position) {
        if self.position(id) == Some(position) {
            return;
        }
        self.remove(id);
        match self.0.iter_mut().find(|(at, _)| at == position) {
            Some((_, those)) => {
                those.insert(id.clone());
            }
            None => self.0.push((position.clone(), [id.clone()].into())),
        }
    }

    /// The application is not one of them any more.
    pub fn remove(&mut self, id: &ApplicationId) {
        self.retain(|one| one != id);
    }

    /// Keeps those for whom that is so.
    pub fn retain(&mut self, mut stays: impl FnMut(&ApplicationId) -> bool) {
        self.0.retain_mut(|(_, those)| {
            those.retain(&mut stays);
            !those.is_empty()
        });
    }

    /// All of them, with their positions.
    pub fn iter(&self) -> impl Iterator<Item = (&ApplicationId, &Position)> {
        let groups = self.0.iter();
        groups.flat_map(|(position, those)| those.iter().map(move |id| (id, position)))
    }
}

impl FromIterator<(ApplicationId, Position)> for Residents {
    fn from_iter<T: IntoIterator<Item = (ApplicationId, Position)>>(all: T) -> Self {
        let mut residents = Self::default();
        for (id, position) in all {
            residents.put(&id, &position);
        }
        residents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stage: &str) -> Position {
        Position {
            stage: Some(stage.into()),
            status: None,
        }
    }

    #[test]
    fn an_application_is_at_one_position_at_a_time() {
        let mut residents = Residents::default();
        residents.put(&"1".into(), &at("10"));
        residents.put(&"2".into(), &at("10"));
        residents.put(&"1".into(), &at("20"));
        residents.put(&"1".into(), &at("20"));
        assert_eq!(residents.position(&"1".into()), Some(&at("20")));
        assert_eq!(residents.position(&"2".into()), Some(&at("10")));
        assert_eq!(residents.len(), 2);
        let stored = serde_json::to_value(&residents).unwrap();
        assert_eq!(
            serde_json::from_value::<Residents>(stored).unwrap(),
            residents
        );
        residents.remove(&"1".into());
        residents.retain(|id| *id != "2".into());
        assert_eq!((residents.len(), residents.is_empty()), (0, true));
        assert_eq!(residents, Residents::default());
    }
}
