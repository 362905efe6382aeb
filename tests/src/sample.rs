//! Sample tenants, invitations and deliveries.

use std::collections::BTreeMap;

use stagecall_core::Timestamp;
use stagecall_core::ids::{ApplicationId, AssessmentRef, InvitationKey, Reference, TenantId};
use stagecall_core::invitation::{Entry, Event, Invitation};
use stagecall_core::ports::{Delivery, Residents};
use stagecall_core::result::{ResultSnapshot, Score, Status};
use stagecall_core::tenant::{EployConnection, Position, Tenant};
use stagecall_core::timing::{Timing, after, seconds};

/// The time at which the tests begin, and `later` seconds after it.
///
/// # Panics
/// Never: the time is valid.
#[allow(clippy::expect_used, reason = "a constant")]
pub fn at(later: f64) -> Timestamp {
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
    after(start, seconds(later))
}

/// A tenant without platforms and mappings.
///
/// # Panics
/// Never: the address is valid.
#[allow(clippy::expect_used, reason = "a constant")]
pub fn tenant(id: &str) -> Tenant {
    Tenant {
        id: id.into(),
        paused: false,
        eploy: EployConnection {
            base_url: "https://acme.eploy.net/".parse().expect("an address"),
            daily_calls: 10_000,
            poll_seconds: 60,
            dialect: serde_json::Map::new(),
        },
        platforms: BTreeMap::new(),
        mappings: Vec::new(),
        hires: None,
        retention_days: None,
    }
}

/// The key of an application's first round for the mapping `video`.
pub fn key(tenant: &str, application: usize) -> InvitationKey {
    InvitationKey {
        tenant: tenant.into(),
        application: ApplicationId::new(application.to_string()),
        mapping: "video".into(),
        round: 1,
    }
}

/// Applications that stand at one stage.
pub fn residents(applications: &[&str]) -> Residents {
    let position = Position {
        stage: Some("12".into()),
        status: Some("34".into()),
    };
    let stand = |id: &&str| (ApplicationId::from(*id), position.clone());
    applications.iter().map(stand).collect()
}

/// The assessment that the samples are of.
pub fn assessment() -> AssessmentRef {
    AssessmentRef {
        account: "willo".into(),
        assessment: "interview-1".into(),
    }
}

/// An invitation of this key, detected at [`at`]`(0.0)`.
pub fn detected(key: InvitationKey) -> Invitation {
    Invitation::detected(
        key,
        "7".into(),
        "8".into(),
        assessment(),
        Entry::seen(at(0.0)),
    )
}

/// `invitation` after `event`.
///
/// # Panics
/// The event does not apply.
pub fn then(invitation: &Invitation, event: Event, now: Timestamp) -> Invitation {
    match invitation.apply(event, now, &Timing::default(), None) {
        Ok(transition) => transition.next,
        Err(error) => panic!("{error}"),
    }
}

/// `invitation` after `count` irrelevant changes.
pub fn touched(invitation: &Invitation, count: u32) -> Invitation {
    (1..=count).fold(invitation.clone(), |row, n| {
        let modified = Some(at(
            f64::from(n) + f64::from(u32::try_from(row.version).unwrap_or(0))
        ));
        then(&row, Event::StillThere { modified }, at(0.0))
    })
}

/// `invitation`, claimed by a sender.
pub fn claimed(invitation: &Invitation) -> Invitation {
    let claim = Event::Claim {
        lease_until: at(60.0),
        entered_at: Some(at(-5.0)),
        history: Some("99".into()),
        sent_to: None,
    };
    then(invitation, claim, at(0.0))
}

/// `invitation`, claimed and sent: due to be reported.
pub fn sent(invitation: &Invitation, reference: &Reference) -> Invitation {
    let sent = Event::Sent {
        reference: reference.clone(),
        link: Some("https://app.willo.video/take/1".to_owned()),
        adopted: false,
        writer: None,
    };
    then(&claimed(invitation), sent, at(1.0))
}

/// `invitation` with everything known reported: watched.
pub fn reported(invitation: &Invitation) -> Invitation {
    let mut report = invitation.report.clone();
    report.revision = invitation.revision;
    then(invitation, Event::Reported(report), at(2.0))
}

/// `invitation`, completed, with a score whose last bit an imprecise parser gets wrong.
pub fn scored(invitation: &Invitation) -> Invitation {
    let snapshot = ResultSnapshot {
        status: Status::Graded,
        started_at: Some(at(3.000_000_001)),
        completed_at: Some(at(4.0)),
        score: Some(Score {
            value: 92.388_291_205_107_85,
            max: Some(1.0e17 / 3.0),
            percent: Some(0.1 + 0.2),
            band: Some("Strong – „très bien“".to_owned()),
        }),
        digest: "d1".to_owned(),
    };
    let change_token = Some("mark 1".to_owned());
    then(
        invitation,
        Event::Observed {
            snapshot,
            change_token,
            lease_until: None,
            carried: false,
        },
        at(5.0),
    )
}

/// A delivery that arrived at `at`.
pub fn delivery(tenant: &str, id: &str, at: Timestamp) -> Delivery {
    Delivery {
        id: id.to_owned(),
        tenant: TenantId::from(tenant),
        account: "willo".into(),
        at,
        event: Some("new_response".to_owned()),
        references: vec!["p1".into(), "p2".into()],
        tries: 0,
        given_up: false,
    }
}
