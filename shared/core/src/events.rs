//! Domain events, for customers to subscribe to. Nothing inside Stagecall depends on one arriving. They carry ids,
//! never personal data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::announcement::{Hire, HiredCandidate};
use crate::ids::{InvitationKey, MappingId, TenantId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEvent {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum What {
    /// An entry into a trigger stage was detected.
    #[serde(rename = "invitation.detected")]
    Detected { invitation: InvitationKey },
    /// The platform has the invitation.
    #[serde(rename = "invitation.sent")]
    Sent { invitation: InvitationKey },
    /// The candidate started, or the invitation ended.
    #[serde(rename = "invitation.progressed")]
    Progressed {
        invitation: InvitationKey,
        /// The new state's name.
        state: String,
    },
    /// A result was received, or a new revision of one.
    #[serde(rename = "result.received")]
    ResultReceived {
        invitation: InvitationKey,
        revision: u32,
    },
    /// The invitation was deliberately not sent.
    #[serde(rename = "invitation.skipped")]
    Skipped { invitation: InvitationKey },
    /// The invitation failed permanently.
    #[serde(rename = "invitation.failed")]
    Failed { invitation: InvitationKey },
    /// Eploy shows the revision.
    #[serde(rename = "report.written")]
    Reported {
        invitation: InvitationKey,
        revision: u32,
    },
    /// A part of a report was given up and is missing in Eploy.
    #[serde(rename = "report.failed")]
    ReportFailed {
        invitation: InvitationKey,
        /// The part, such as `answer_score`.
        part: String,
        /// The kind of problem.
        code: String,
    },
    /// The tenant's connection does not work until somebody acts.
    #[serde(rename = "tenant.suspended")]
    Suspended {
        tenant: TenantId,
        /// The kind of problem.
        code: String,
    },
    /// The tenant's connection works again.
    #[serde(rename = "tenant.resumed")]
    Resumed { tenant: TenantId },
    /// A mapping cannot work any more as configured.
    #[serde(rename = "mapping.broken")]
    MappingBroken {
        tenant: TenantId,
        mapping: MappingId,
        /// The reason, in words.
        reason: String,
    },
    #[serde(rename = "candidate.hired")]
    Hired(Box<HiredCandidate>),
    /// The webhook about a hire was not delivered and is not retried automatically.
    #[serde(rename = "hire.undelivered")]
    HireUndelivered {
        tenant: TenantId,
        hire: Hire,
        /// The reason: a stable name.
        reason: String,
    },
}

impl What {
    /// The event's name, for subscribers' filters.
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

    /// Subscribers filter on the name on the bus, and read the one in the event: both must agree.
    #[test]
    fn the_bus_and_the_event_use_the_same_name() {
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
