//! Mappings that cover the same applications for the same assessment: almost always a mistake.

use std::fmt;

use crate::ids::{MappingId, TenantId};
use crate::tenant::{Mapping, Tenant, Trigger, Vacancies};

/// Two overlapping mappings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The first mapping.
    pub mapping: MappingId,
    pub other: MappingId,
    /// The second mapping's tenant, if it is another one.
    pub of: Option<TenantId>,
}

impl fmt::Display for Overlap {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mapping, other, of } = self;
        write!(to, "mapping {mapping} and mapping {other}")?;
        match of {
            Some(tenant) => write!(
                to,
                " of tenant {tenant}, which has the same Eploy, invite the same applications to the same assessment. Remove one of them"
            ),
            None => write!(
                to,
                " invite the same applications to the same assessment. Remove one of them, or give them other vacancies, stages or statuses"
            ),
        }
    }
}

impl Tenant {
    /// The mappings of this tenant that overlap with another of its own, or with one of another tenant on the same
    /// Eploy, where neither allows it.
    pub fn overlaps(&self, others: &[Self]) -> Vec<Overlap> {
        let mut found = Vec::new();
        for (number, mapping) in self.mappings.iter().enumerate() {
            for other in &self.mappings[number + 1..] {
                let same = mapping.assessment == other.assessment;
                if same && mapping.wants_some_of(other) {
                    found.push(Overlap {
                        mapping: mapping.id.clone(),
                        other: other.id.clone(),
                        of: None,
                    });
                }
            }
            let neighbours = others.iter().filter(|one| {
                one.id != self.id && !one.paused && one.eploy.base_url == self.eploy.base_url
            });
            for tenant in neighbours {
                for other in &tenant.mappings {
                    // Account ids are local to each tenant, so kinds are compared.
                    let kind = |of: &Self, mapping: &Mapping| {
                        let account = of.platforms.get(&mapping.assessment.account);
                        account.map(|account| account.kind.clone())
                    };
                    let same = mapping.assessment.assessment == other.assessment.assessment
                        && kind(self, mapping) == kind(tenant, other);
                    if same && mapping.wants_some_of(other) {
                        found.push(Overlap {
                            mapping: mapping.id.clone(),
                            other: other.id.clone(),
                            of: Some(tenant.id.clone()),
                        });
                    }
                }
            }
        }
        found
    }
}

impl Mapping {
    /// Whether an application can be at triggers of both, for a vacancy of both.
    fn wants_some_of(&self, other: &Self) -> bool {
        let vacancies = match (&self.vacancies, &other.vacancies) {
            (Vacancies::Only(one), Vacancies::Only(other)) => !one.is_disjoint(other),
            _ => true,
        };
        let meets = |one: &Trigger, other: &Trigger| {
            one.stage == other.stage
                && (one.statuses.is_empty()
                    || other.statuses.is_empty()
                    || one.statuses.iter().any(|id| other.statuses.contains(id)))
        };
        let mut triggers = self.triggers.iter();
        !self.allow_overlap
            && !other.allow_overlap
            && vacancies
            && triggers.any(|one| other.triggers.iter().any(|other| meets(one, other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str, mappings: &[(&str, &str, &[&str], &str)]) -> Tenant {
        let mappings: Vec<_> = mappings
            .iter()
            .map(|(id, vacancy, statuses, assessment)| {
                serde_json::json!({
                    "id": id,
                    "vacancies": {"only": [vacancy]},
                    "triggers": [{"stage": "12", "statuses": statuses}],
                    "assessment": {"account": "willo", "assessment": assessment},
                })
            })
            .collect();
        serde_json::from_value(serde_json::json!({
            "id": id,
            "eploy": {"base_url": "https://acme.eploy.net/"},
            "platforms": {"willo": {"kind": "willo"}},
            "mappings": mappings,
        }))
        .unwrap()
    }

    #[test]
    fn what_wants_the_same_overlaps_and_what_differs_in_anything_does_not() {
        let first = ("first", "1", &["34", "35"][..], "a1");
        for (second, overlaps) in [
            (("second", "1", &["34"][..], "a1"), true),
            (("second", "1", &[], "a1"), true),
            (("second", "2", &["34"], "a1"), false),
            (("second", "1", &["36"], "a1"), false),
            (("second", "1", &["34"], "a2"), false),
        ] {
            let mut tenant = tenant("acme", &[first, second]);
            let overlap = Overlap {
                mapping: "first".into(),
                other: "second".into(),
                of: None,
            };
            let expected: Vec<_> = overlaps.then_some(overlap).into_iter().collect();
            assert_eq!(tenant.overlaps(&[]), expected, "{second:?}");
            tenant.mappings[1].allow_overlap = true;
            assert_eq!(tenant.overlaps(&[]), []);
        }
    }

    #[test]
    fn two_tenants_on_one_eploy_overlap() {
        let one = ("video", "1", &[][..], "a1");
        let acme = tenant("acme", &[one]);
        let mut other = tenant("other", &[one]);
        let [found] = &acme.overlaps(&[acme.clone(), other.clone()])[..] else {
            panic!("not found");
        };
        assert_eq!(found.of, Some("other".into()));
        other.paused = true;
        assert_eq!(acme.overlaps(&[other.clone()]), []);
        other.paused = false;
        other.eploy.base_url = "https://other.eploy.net/".parse().unwrap();
        assert_eq!(acme.overlaps(&[other]), []);
    }
}
