//! Domain events: what customers may subscribe to. Nothing inside Stagecall depends on one arriving. They carry ids,
//! never personal data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::announcement::{Hire, HiredCandidate};
use crate::ids::{InvitationKey, MappingId, TenantId};

/// Something that happened, with when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum What {
    /// An entry into a trigger stage was seen.
    #[serde(rename = "invitation.detected")]
    Detected {
        /// Which.
        invitation: InvitationKey,
    },
    /// The platform has the invitation.
    #[serde(rename = "invitation.sent")]
    Sent {
        /// Which.
        invitation: InvitationKey,
    },
    /// The candidate moved on with it: started, or an ending.
    #[serde(rename = "invitation.progressed")]
    Progressed {
        /// Which.
        invitation: InvitationKey,
        /// The new state's name.
        state: String,
    },
    /// A result, or a new revision of one.
    #[serde(rename = "result.received")]
    ResultReceived {
        /// Which.
        invitation: InvitationKey,
        /// The revision.
        revision: u32,
    },
    /// It was not sent, on purpose.
    #[serde(rename = "invitation.skipped")]
    Skipped {
        /// Which.
        invitation: InvitationKey,
    },
    /// It failed for good.
    #[serde(rename = "invitation.failed")]
    Failed {
        /// Which.
        invitation: InvitationKey,
    },
    /// Eploy shows the revision.
    #[serde(rename = "report.written")]
    Reported {
        /// Which.
        invitation: InvitationKey,
        /// The revision.
        revision: u32,
    },
    /// A part of a report was given up: Eploy goes without it.
    #[serde(rename = "report.failed")]
    ReportFailed {
        /// Of which invitation.
        invitation: InvitationKey,
        /// Which part, such as `answer_score`.
        part: String,
        /// The kind of problem.
        code: String,
    },
    /// Nothing works for this tenant until somebody acts.
    #[serde(rename = "tenant.suspended")]
    Suspended {
        /// Who.
        tenant: TenantId,
        /// The kind of problem.
        code: String,
    },
    /// It works again.
    #[serde(rename = "tenant.resumed")]
    Resumed {
        /// Who.
        tenant: TenantId,
    },
    /// A mapping cannot work any more as it is.
    #[serde(rename = "mapping.broken")]
    MappingBroken {
        /// Whose.
        tenant: TenantId,
        /// Which.
        mapping: MappingId,
        /// Why, in words.
        reason: String,
    },
    /// A candidate was hired.
    #[serde(rename = "candidate.hired")]
    Hired(Box<HiredCandidate>),
    /// The HRMS was told of a hire in vain, and is not told again by itself.
    #[serde(rename = "hire.undelivered")]
    HireUndelivered {
        /// Whose.
        tenant: TenantId,
        /// Which.
        hire: Hire,
        /// Why: a stable name.
        reason: String,
    },
}

impl What {
    /// The event's name, as subscribers filter on it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Detected { .. } => "invitation.detected",
            Self::Sent { .. } => "invitation.sent",
            Self::Progressed { .. } => "invitation.progressed",
            Self::ResultReceived { .. } => "result.received",
            Self::Skipped { .. } => "invitation.skipped",
            Self::Failed { .. } => "invitation.failed",
            Self::Reported { .. } => "report.written",
            Self::ReportFailed { .. } => "report.failed",
            Self::Suspended { .. } => "tenant.suspended",
            Self::Resumed { .. } => "tenant.resumed",
            Self::MappingBroken { .. } => "mapping.broken",
            Self::Hired(_) => "candidate.hired",
            Self::HireUndelivered { .. } => "hire.undelivered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Subscribers filter on the name that a bus is told, and read the one in the event.
    #[test]
    fn an_event_is_named_the_same_outside_and_inside() {
        let invitation = InvitationKey {
            tenant: "acme".into(),
            application: "70215".into(),
            mapping: "m".into(),
            round: 1,
        };
        let tenant = || TenantId::new("acme");
        let hire = Hire::Application("70215".into());
        let hired = serde_json::json!({
            "tenant": "acme",
            "id": "hire_1",
            "hired_at": "2026-11-22T10:00:00Z",
            "candidate": {"id": "9001"},
            "vacancy": {"id": "4101"},
        });
        let text = || "text".to_owned();
        let of = || invitation.clone();
        let all = [
            What::Detected { invitation: of() },
            What::Sent { invitation: of() },
            What::Progressed {
                invitation: of(),
                state: text(),
            },
            What::ResultReceived {
                invitation: of(),
                revision: 1,
            },
            What::Skipped { invitation: of() },
            What::Failed { invitation: of() },
            What::Reported {
                invitation: of(),
                revision: 1,
            },
            What::ReportFailed {
                invitation: of(),
                part: text(),
                code: text(),
            },
            What::Suspended {
                tenant: tenant(),
                code: text(),
            },
            What::Resumed { tenant: tenant() },
            What::MappingBroken {
                tenant: tenant(),
                mapping: "m".into(),
                reason: text(),
            },
            What::Hired(serde_json::from_value(hired).unwrap()),
            What::HireUndelivered {
                tenant: tenant(),
                hire,
                reason: text(),
            },
        ];
        for what in all {
            let inside = serde_json::to_value(&what).unwrap();
            assert_eq!(inside["event"], what.name());
        }
    }
}
