//! Definitions: versions of mappings. An invitation carries the version of the mapping that it was made under, and that
//! version decides everything about it. Operational settings (a pause, whether present applications are invited) are
//! not part of it: the present mapping decides those.
//!
//! A version is a digest of the content. So two processes that see the same mapping give it the same version without
//! coordination, and a mapping that is changed and changed back has its earlier version.

use sha2::{Digest as _, Sha256};

use crate::ids::{DefinitionId, MappingId};
use crate::tenant::{Mapping, Tenant, Trigger, Vacancies};

impl Mapping {
    /// The mapping's present version. Three things are not part of it: the mapping's id, so that a renamed mapping
    /// keeps its definition; the operational settings; and names that are only for people.
    pub fn definition_id(&self) -> DefinitionId {
        let mut content = self.as_definition();
        content.id = MappingId::new("");
        for trigger in &mut content.triggers {
            trigger.stage_name = None;
        }
        // A mapping holds nothing that JSON cannot express.
        let bytes = serde_json::to_vec(&content).unwrap_or_default();
        DefinitionId::new(hex::encode(&Sha256::digest(&bytes)[..6]))
    }

    /// The mapping without its operational settings.
    pub fn as_definition(&self) -> Self {
        Self {
            paused: false,
            include_current: false,
            allow_overlap: false,
            ..self.clone()
        }
    }

    /// This definition with the operational settings of `present`.
    pub fn operated_as(mut self, present: &Self) -> Self {
        self.paused = present.paused;
        self.include_current = present.include_current;
        self.allow_overlap = present.allow_overlap;
        self
    }

    /// Whether an application at a trigger and of a vacancy of this mapping may be outside `before`.
    pub fn takes_more_than(&self, before: &Self) -> bool {
        let vacancies = match (&self.vacancies, &before.vacancies) {
            (_, Vacancies::All) => false,
            (Vacancies::All, Vacancies::Only(_)) => true,
            (Vacancies::Only(now), Vacancies::Only(before)) => !now.is_subset(before),
        };
        vacancies || !self.added_triggers(before).is_empty()
    }

    /// The triggers that are not in `before`, or have fewer statuses there.
    pub fn added_triggers(&self, before: &Self) -> Vec<Trigger> {
        let is_in = |trigger: &Trigger, known: &Trigger| {
            trigger.stage == known.stage
                && (known.statuses.is_empty()
                    || !trigger.statuses.is_empty()
                        && trigger
                            .statuses
                            .iter()
                            .all(|one| known.statuses.contains(one)))
        };
        let mut added = self.triggers.clone();
        added.retain(|trigger| !before.triggers.iter().any(|known| is_in(trigger, known)));
        added
    }
}

impl Tenant {
    /// The present mapping of this id; or, if it was renamed, the one with that definition.
    pub fn present(&self, id: &MappingId, definition: Option<&DefinitionId>) -> Option<&Mapping> {
        self.mapping(id).or_else(|| {
            let mut mappings = self.mappings.iter();
            mappings.find(|mapping| definition == Some(&mapping.definition_id()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::{Reentry, Settings};

    fn mapping(id: &str) -> Mapping {
        serde_json::from_value(serde_json::json!({
            "id": id,
            "vacancies": "all",
            "triggers": [{"stage": "12", "statuses": ["34"]}],
            "assessment": {"account": "acc", "assessment": "a1"},
        }))
        .unwrap()
    }

    #[test]
    fn a_version_is_of_what_decides_about_an_invitation() {
        let first = mapping("video");
        let version = first.definition_id();
        assert_eq!(version.as_str().len(), 12);
        let operated = Mapping {
            id: "other".into(),
            paused: true,
            include_current: true,
            triggers: vec![Trigger {
                stage_name: Some("Video".to_owned()),
                ..first.triggers[0].clone()
            }],
            ..first.clone()
        };
        assert_eq!(operated.definition_id(), version);
        let vacancies = Vacancies::Only(["4101".into()].into());
        let options = Settings::from_iter([("days".to_owned(), 3.into())]);
        let changed = [
            Mapping {
                vacancies,
                ..first.clone()
            },
            Mapping {
                options,
                ..first.clone()
            },
            Mapping {
                reentry: Reentry::Again,
                ..first.clone()
            },
            Mapping {
                expires_after_days: Some(3),
                ..first.clone()
            },
        ];
        for changed in changed {
            assert_ne!(changed.definition_id(), version);
        }
    }

    #[test]
    fn what_a_change_adds_is_distinguished_from_what_it_removes() {
        let only = |vacancies: &[&str], triggers: &[(&str, &[&str])]| Mapping {
            vacancies: Vacancies::Only(vacancies.iter().map(|id| (*id).into()).collect()),
            triggers: triggers
                .iter()
                .map(|(stage, statuses)| Trigger {
                    stage: (*stage).into(),
                    stage_name: None,
                    statuses: statuses.iter().map(|id| (*id).into()).collect(),
                })
                .collect(),
            ..mapping("video")
        };
        let before = only(&["1", "2"], &[("12", &["34", "35"])]);
        let all = Mapping {
            vacancies: Vacancies::All,
            ..before.clone()
        };
        assert!(!only(&["1"], &[("12", &["34"])]).takes_more_than(&before));
        assert!(!before.takes_more_than(&all));
        assert!(all.takes_more_than(&before));
        assert!(only(&["3"], &[("12", &["34"])]).takes_more_than(&before));
        for added in [("12", &["36"][..]), ("12", &[]), ("13", &["34"])] {
            let after = only(&["1"], &[("12", &["34"]), added]);
            assert!(after.takes_more_than(&before), "{added:?}");
            assert_eq!(after.added_triggers(&before), after.triggers[1..]);
        }
        assert!(!before.takes_more_than(&only(&["1", "2"], &[("12", &[])])));
    }
}
