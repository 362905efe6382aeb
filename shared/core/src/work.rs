//! Items of work in the queues: hints that something is due. Losing one only costs time, because the ledger knows what
//! is due; handling one twice is harmless.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing::field::{Empty, display};

use crate::announcement::HireKey;
use crate::clock::Deadline;
use crate::error::Error;
use crate::ids::{AssessmentRef, InvitationKey, TenantId};
use crate::invitation::Step;

/// The kinds of work. Each has its own share when work is enqueued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Work::Poll`].
    Poll,
    /// [`Work::Delivery`].
    Delivery,
    /// [`Work::WriteBack`].
    WriteBack,
    /// [`Work::Invite`].
    Invite,
    /// [`Work::Sweep`].
    Sweep,
    /// [`Work::Announce`].
    Announce,
}

impl Kind {
    /// All of them, polls first.
    pub const ALL: [Self; 6] = [
        Self::Poll,
        Self::Delivery,
        Self::WriteBack,
        Self::Invite,
        Self::Sweep,
        Self::Announce,
    ];

    /// The kind's name, for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Delivery => "delivery",
            Self::WriteBack => "write_back",
            Self::Invite => "invite",
            Self::Sweep => "sweep",
            Self::Announce => "announce",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    Poll {
        tenant: TenantId,
    },
    /// Advance an invitation on its way to the platform.
    Invite {
        key: InvitationKey,
    },
    /// Update Eploy about an invitation.
    WriteBack {
        key: InvitationKey,
        /// Fetch the result from the platform first: a hint says that it has changed.
        #[serde(default)]
        news: bool,
        /// The change token that a sweep saw on the platform's list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[serde(alias = "marker")]
        change_token: Option<String>,
    },
    /// Find the invitations of one assessment whose results have changed.
    Sweep {
        tenant: TenantId,
        assessment: AssessmentRef,
    },
    /// Advance the announcement of a hire.
    Announce {
        key: HireKey,
    },
    /// Find the invitations that a stored delivery is about.
    Delivery {
        tenant: TenantId,
        id: String,
    },
}

/// A use case that handles one kind of work.
#[async_trait]
pub trait Handler: Send + Sync {
    /// The kind.
    fn kind(&self) -> Kind;

    /// Handles an item of this kind; what takes long, until `deadline`.
    ///
    /// # Errors
    /// It failed, and is still due.
    async fn handle(&self, work: Work, deadline: Deadline) -> Result<Handled, Error>;
}

/// The outcome of handling an item of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// There is nothing more to do now. If another system failed, that is saved, and the work is due again later.
    Done,
    /// It timed out. Its progress is saved, and it is due again at once.
    Unfinished,
    /// Nothing: it is of a kind that is handled elsewhere.
    Misplaced,
}

impl fmt::Display for Work {
    /// A short description, for logs.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poll { tenant } => write!(to, "poll {tenant}"),
            Self::Invite { key } => write!(to, "invite {key}"),
            Self::WriteBack { key, .. } => write!(to, "write back {key}"),
            Self::Sweep { tenant, assessment } => write!(to, "sweep {assessment} of {tenant}"),
            Self::Announce { key } => write!(to, "announce {key}"),
            Self::Delivery { tenant, id } => write!(to, "delivery {id} of {tenant}"),
        }
    }
}

impl Work {
    pub fn step(key: InvitationKey, step: Step) -> Self {
        match step {
            Step::Invite => Self::Invite { key },
            Step::WriteBack => Self::WriteBack {
                key,
                news: false,
                change_token: None,
            },
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Poll { .. } => Kind::Poll,
            Self::Delivery { .. } => Kind::Delivery,
            Self::WriteBack { .. } => Kind::WriteBack,
            Self::Invite { .. } => Kind::Invite,
            Self::Sweep { .. } => Kind::Sweep,
            Self::Announce { .. } => Kind::Announce,
        }
    }

    /// The tenant that the work belongs to: the key of fair queueing.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Poll { tenant } | Self::Sweep { tenant, .. } | Self::Delivery { tenant, .. } => {
                tenant
            }
            Self::Invite { key } | Self::WriteBack { key, .. } => &key.tenant,
            Self::Announce { key } => &key.tenant,
        }
    }

    /// The span around the handling of work of which nothing is known yet: what is logged in it is about the work that is
    /// then recorded by [`record_in`](Self::record_in). Enabled at every level, because errors need it too.
    pub fn span() -> Span {
        tracing::error_span!("work", tenant = Empty, invitation = Empty, work = Empty)
    }

    /// Names the work in such a span.
    pub fn record_in(&self, span: &Span) {
        span.record("tenant", self.tenant().as_str());
        if let Self::Invite { key } | Self::WriteBack { key, .. } = self {
            span.record("invitation", key.name());
        }
        span.record("work", display(self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_described_by_kind_and_object() {
        let key = InvitationKey {
            tenant: "acme".into(),
            application: "7".into(),
            mapping: "video".into(),
            round: 1,
        };
        let assessment = AssessmentRef {
            account: "willo".into(),
            assessment: "i1".into(),
        };
        let described = |work: Work| work.to_string();
        assert_eq!(
            described(Work::step(key.clone(), Step::Invite)),
            format!("invite {key}")
        );
        assert_eq!(
            described(Work::step(key.clone(), Step::WriteBack)),
            format!("write back {key}")
        );
        let tenant = key.tenant;
        let of_tenant = [
            (
                Work::Poll {
                    tenant: tenant.clone(),
                },
                "poll acme",
            ),
            (
                Work::Sweep {
                    tenant: tenant.clone(),
                    assessment: assessment.clone(),
                },
                &format!("sweep {assessment} of acme"),
            ),
            (
                Work::Delivery {
                    tenant,
                    id: "d1".to_owned(),
                },
                "delivery d1 of acme",
            ),
        ];
        for (work, words) in of_tenant {
            assert_eq!(described(work), words);
        }
    }
}
