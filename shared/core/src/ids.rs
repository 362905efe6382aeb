//! The identifiers of the vocabulary, one type each, so that ids of different kinds cannot be confused.
//!
//! Eploy's ids are integers in practice and strings in some places (shared/eploy/REFERENCE.md §4), so every id of
//! another system is kept as the text it came as, and read from a JSON number or a JSON string alike.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Reads an id from a JSON number or a JSON string; surrounding white space is dropped.
fn number_or_text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    struct Either;
    impl serde::de::Visitor<'_> for Either {
        type Value = String;
        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("an id: a whole number or a text")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
            let text = text.trim();
            if text.is_empty() {
                return Err(E::custom("the id is empty"));
            }
            Ok(text.to_owned())
        }
        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }
    from.deserialize_any(Either)
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id from its text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                number_or_text(from).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id!(
    /// One customer of this installation; a short name such as `acme`, chosen by the operator.
    TenantId
);
id!(
    /// A mapping within its tenant; a short name chosen in the configuration.
    MappingId
);
id!(
    /// A version of a mapping: a short digest of its content, see [`crate::definition`].
    DefinitionId
);
id!(
    /// A tenant's account on one platform, by its configured name (`willo`, `wecp`, `willo-retail`).
    AccountId
);
id!(
    /// Eploy's id of an application.
    ApplicationId
);
id!(
    /// Eploy's id of a candidate.
    CandidateId
);
id!(
    /// Eploy's id of a vacancy.
    VacancyId
);
id!(
    /// Eploy's id of a company ("organisation" in its newer screens).
    CompanyId
);
id!(
    /// Eploy's id of a workflow stage.
    StageId
);
id!(
    /// Eploy's id of an application status.
    StatusId
);
id!(
    /// Eploy's id of one row of an application's status history.
    StatusHistoryId
);
id!(
    /// Eploy's id of an action.
    ActionId
);
id!(
    /// Eploy's id of an action type.
    ActionTypeId
);
id!(
    /// Eploy's id of an action outcome.
    OutcomeId
);
id!(
    /// Eploy's id of a custom question.
    QuestionId
);
id!(
    /// Eploy's id of an export package.
    ExportPackageId
);
id!(
    /// Eploy's id of a placement ("hire" in its newer screens).
    PlacementId
);
id!(
    /// Eploy's id of a placement status.
    PlacementStatusId
);
id!(
    /// A platform's id of an assessment (a Willo interview key, a `WeCP` test id).
    AssessmentId
);
id!(
    /// A platform's reference for one invitation (a Willo participant key, a `WeCP` candidate id).
    Reference
);

/// What an invitation *is*: one application × one mapping × one round, of one tenant.
///
/// It is the primary key of the ledger, so "invited once" is a property of the key and not of a check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InvitationKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The application that entered the trigger stage.
    pub application: ApplicationId,
    /// The mapping that it entered for.
    pub mapping: MappingId,
    /// 1 for the first entry, then counting up.
    pub round: u32,
}

impl InvitationKey {
    /// The invitation's name within its tenant, `application.mapping.round`: in logs, and as our reference on the
    /// platform.
    pub fn name(&self) -> String {
        format!("{}.{}.{}", self.application, self.mapping, self.round)
    }
}

impl fmt::Display for InvitationKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "{}/{}.{}.{}",
            self.tenant, self.application, self.mapping, self.round
        )
    }
}

/// One assessment on one of the tenant's platform accounts: the unit of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssessmentRef {
    /// The platform account.
    pub account: AccountId,
    /// The assessment on it.
    pub assessment: AssessmentId,
}

impl fmt::Display for AssessmentRef {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{}", self.account, self.assessment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_a_number_or_a_text() {
        let ids: Vec<StageId> = serde_json::from_str(r#"[12, "12", " 12 "]"#).unwrap();
        assert!(ids.iter().all(|id| id.as_str() == "12"));
    }

    #[test]
    fn an_empty_or_structured_id_is_refused() {
        for bad in [r#""""#, r#""  ""#, "null", "{}", "[1]", "true"] {
            assert!(serde_json::from_str::<StageId>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_negative_number_is_an_id_like_any_other() {
        let id: StageId = serde_json::from_str("-12").unwrap();
        assert_eq!(id.as_str(), "-12");
    }

    #[test]
    fn an_invalid_id_is_refused_with_what_an_id_is() {
        let problem = serde_json::from_str::<StageId>("{}").unwrap_err();
        assert!(problem.to_string().contains("an id"), "{problem}");
    }
}
