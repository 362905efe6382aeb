//! The table's layout: the only place with the names of its keys and attributes. `template.yaml` declares the same table;
//! [`create_table`] creates it for tests.
//!
//! A row's partition key begins with its tenant, so that a policy can isolate a tenant by `dynamodb:LeadingKeys` (`acme`,
//! `acme#*`). The parts of a key are separated by `#`; a `#` or `%` within a part is percent-encoded.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};
use sha2::{Digest as _, Sha256};
use stagecall_core::Timestamp;
use stagecall_core::announcement::{Hire, HireKey};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, DefinitionId,
    InvitationKey, MappingId, Reference, TenantId,
};

use super::STORE;
use crate::fault::problem;

/// The table's partition key, a string.
pub const PARTITION: &str = "pk";
/// The table's sort key, a string.
pub const SORT: &str = "sk";
/// The name of the one global index: due work, watched invitations, parked deliveries, and tenants. Sparse: a row without
/// [`INDEX_PARTITION`] is not in it.
pub const INDEX: &str = "due";
/// The index's partition key, a string.
pub const INDEX_PARTITION: &str = "due_pk";
/// The index's sort key, a string.
pub const INDEX_SORT: &str = "due_sk";
/// The facts of a watched invitation that a sweep needs: the only attribute projected into the index beside the keys.
pub const WATCHED: &str = "watched";
/// The time in seconds since 1970 from which DynamoDB may remove a row: the table's TTL attribute.
pub const EXPIRES: &str = "expires";

/// The row's content: compressed JSON of an invitation, JSON of anything else.
pub(super) const DOCUMENT: &str = "doc";
/// The version of an invitation or a tenant's state.
pub(super) const VERSION: &str = "v";
/// The token of the last conditional write, see [`super::write`].
pub(super) const WRITER: &str = "w";
pub(super) const PAUSED: &str = "paused";
/// The state of a delivery, and whether an announcement is part of the baseline.
pub(super) const STANDING: &str = "standing";
/// The number of calls taken on a day.
pub(super) const CALLS: &str = "calls";
/// When a sweep is due, in nanoseconds since 1970.
pub(super) const SWEEP_DUE: &str = "due_at";
/// When a sweep last ran, in nanoseconds since 1970.
pub(super) const SWEEP_LAST: &str = "last_at";
/// How often a sweep failed in a row; absent: never.
pub(super) const SWEEP_FAILURES: &str = "failures";
/// How often a sweep was scheduled; absent: never.
pub(super) const SWEEP_ARMED: &str = "armed";
/// How often a sweep had been scheduled when it last found nothing watched.
pub(super) const SWEEP_EMPTY: &str = "empty_at";
/// The position at which the platform's list is read on, in JSON; absent: its beginning.
pub(super) const SWEEP_READING: &str = "reading";
/// Why an assessment's list cannot be read.
pub(super) const SWEEP_FAILING: &str = "failing";
/// The number of unreadable rows of the platform's list; absent: none.
pub(super) const SWEEP_SET_ASIDE: &str = "set_aside";

/// A sealed token.
pub(super) const SEALED: &str = "sealed";

/// The number of index partitions for due work: each takes about 1,000 writes a second. A table keeps its initial number, or
/// rows would not be found.
pub const SHARDS: u8 = 8;

/// The suffix of an invitation's sort key in the index, after the time, if it has to be reported. The row of a first step,
/// which keeps its initial place, and one of an older version have no suffix, whatever step is due: the row itself decides.
pub(super) const TO_WRITE_BACK: &str = "w";

/// The index partition of the tenants; distinct from tenants' partitions, which begin with a name.
pub(super) const TENANTS: &str = "#tenants";

/// The number of partitions of a tenant's invitations, so that all of them can be listed and many can still be written at
/// once: each takes about 1,000 writes a second. A table keeps its initial number.
pub(super) const GROUPS: u8 = 16;

/// The maximum length in bytes of a part of a key; a longer one is replaced by its digest. A key may have 2048 bytes.
const MAX_PART_BYTES: usize = 256;

/// A row's place in the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowKey {
    pub(super) pk: String,
    pub(super) sk: String,
}

/// The kind of a row, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Tenant(TenantId),
    Invitation(InvitationKey),
    Sweep(TenantId, AssessmentRef),
    Delivery(TenantId, String),
    Announcement(HireKey),
}

impl RowKey {
    fn new(pk: &[&str], sk: &[&str]) -> Self {
        Self {
            pk: join(pk),
            sk: join(sk),
        }
    }

    pub(super) fn tenant(tenant: &TenantId) -> Self {
        Self::new(&[tenant.as_str()], &["config"])
    }

    pub(super) fn state(tenant: &TenantId) -> Self {
        Self::new(&[tenant.as_str()], &["state"])
    }

    pub(super) fn token(tenant: &TenantId) -> Self {
        Self::new(&[tenant.as_str()], &["token"])
    }

    pub(super) fn allowance(tenant: &TenantId, day: &str) -> Self {
        Self::new(&[tenant.as_str()], &["calls", day])
    }

    pub(super) fn invitation(key: &InvitationKey) -> Self {
        Self {
            pk: group(&key.tenant, group_of(&key.application)),
            sk: join(&[
                key.application.as_str(),
                key.mapping.as_str(),
                &key.round.to_string(),
            ]),
        }
    }

    pub(super) fn reference(tenant: &TenantId, account: &AccountId, reference: &Reference) -> Self {
        let digest;
        let reference = if reference.as_str().len() > MAX_PART_BYTES {
            digest = hex::encode(Sha256::digest(reference.as_str()));
            &digest
        } else {
            reference.as_str()
        };
        Self::new(
            &[tenant.as_str(), "ref", account.as_str(), reference],
            &["ref"],
        )
    }

    pub(super) fn prepared(tenant: &TenantId, account: &AccountId, name: &str) -> Self {
        Self::new(
            &[tenant.as_str(), "made", account.as_str(), name],
            &["made"],
        )
    }

    pub(super) fn definition(
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Self {
        Self {
            pk: definitions(tenant),
            sk: join(&[mapping.as_str(), version.as_str()]),
        }
    }

    pub(super) fn sweep(tenant: &TenantId, of: &AssessmentRef) -> Self {
        let pk = [
            tenant.as_str(),
            "sweep",
            of.account.as_str(),
            of.assessment.as_str(),
        ];
        Self::new(&pk, &["sweep"])
    }

    pub(super) fn delivery(tenant: &TenantId, id: &str) -> Self {
        Self::new(&[tenant.as_str(), "delivery"], &[id])
    }

    pub(super) fn tombstone(tenant: &TenantId, candidate: &CandidateId) -> Self {
        Self::new(&[tenant.as_str(), "erased"], &[candidate.as_str()])
    }

    /// An audit record of a time; `salt` distinguishes records of the same time.
    pub(super) fn audit(tenant: Option<&TenantId>, at: Timestamp, salt: &str) -> Self {
        Self {
            pk: audits(tenant),
            sk: join(&[&moment(at), salt]),
        }
    }

    pub(super) fn announcement(key: &HireKey) -> Self {
        let (kind, id) = key.hire.parts();
        Self {
            pk: hires(&key.tenant),
            sk: join(&[kind, id]),
        }
    }

    /// The kind of the row; `None` if it is never in the index.
    pub(super) fn row(&self) -> Option<Row> {
        let pk: Vec<String> = self.pk.split('#').map(unescape).collect();
        let pk: Vec<&str> = pk.iter().map(String::as_str).collect();
        Some(match pk[..] {
            [tenant] => Row::Tenant(tenant.into()),
            [tenant, "app", _] => {
                let (application, rest) = self.sk.split_once('#')?;
                let (mapping, round) = rest.split_once('#')?;
                Row::Invitation(InvitationKey {
                    tenant: tenant.into(),
                    application: ApplicationId::new(unescape(application)),
                    mapping: MappingId::new(unescape(mapping)),
                    round: round.parse().ok()?,
                })
            }
            [tenant, "sweep", account, assessment] => {
                let of = AssessmentRef {
                    account: account.into(),
                    assessment: AssessmentId::from(assessment),
                };
                Row::Sweep(tenant.into(), of)
            }
            [tenant, "delivery"] => Row::Delivery(tenant.into(), unescape(&self.sk)),
            [tenant, "hires"] => {
                let (kind, id) = self.sk.split_once('#')?;
                Row::Announcement(HireKey {
                    tenant: tenant.into(),
                    hire: Hire::of_parts(kind, &unescape(id))?,
                })
            }
            _ => return None,
        })
    }

    /// The index partition of the row while it is due. Polls have their own, so that they are found whatever else is due.
    pub(super) fn due_partition(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.pk);
        hash.update([0]);
        hash.update(&self.sk);
        let number = hash.finalize()[0] % SHARDS;
        match self.row() {
            Some(Row::Tenant(_)) => poll_shard(number),
            _ => shard(number),
        }
    }
}

/// A partition of a tenant's invitations.
pub(super) fn group(tenant: &TenantId, number: u8) -> String {
    join(&[tenant.as_str(), "app", &number.to_string()])
}

/// The number of the partition of an application's invitations.
pub(super) fn group_of(application: &ApplicationId) -> u8 {
    Sha256::digest(application.as_str())[0] % GROUPS
}

/// The prefix of the sort keys of an application's invitations.
pub(super) fn of_application(application: &ApplicationId) -> String {
    join(&[application.as_str(), ""])
}

/// The partition of a tenant's deliveries.
pub(super) fn deliveries(tenant: &TenantId) -> String {
    join(&[tenant.as_str(), "delivery"])
}

/// The partition of a tenant's mapping definitions.
pub(super) fn definitions(tenant: &TenantId) -> String {
    join(&[tenant.as_str(), "definition"])
}

/// The prefix of the partitions of a tenant's references.
pub(super) fn references(tenant: &TenantId) -> String {
    join(&[tenant.as_str(), "ref", ""])
}

/// The partition of a tenant's tombstones.
pub(super) fn tombstones(tenant: &TenantId) -> String {
    join(&[tenant.as_str(), "erased"])
}

/// The partition of the audit records of a tenant, or of the whole installation.
pub(super) fn audits(tenant: Option<&TenantId>) -> String {
    match tenant {
        Some(tenant) => join(&[tenant.as_str(), "audit"]),
        None => "#audit".to_owned(),
    }
}

/// The partition of a tenant's announcements: they are few, and read together.
pub(super) fn hires(tenant: &TenantId) -> String {
    join(&[tenant.as_str(), "hires"])
}

/// An index partition of due work. Older versions had polls there, too: such a row moves with its next poll.
pub(super) fn shard(number: u8) -> String {
    format!("#due#{number}")
}

/// An index partition of tenants, by the due time of their next poll.
pub(super) fn poll_shard(number: u8) -> String {
    format!("#poll#{number}")
}

/// The index partition of an assessment's watched invitations.
pub(super) fn watched(tenant: &TenantId, of: &AssessmentRef) -> String {
    join(&[
        tenant.as_str(),
        "watched",
        of.account.as_str(),
        of.assessment.as_str(),
    ])
}

/// The index partition of a tenant's parked deliveries.
pub(super) fn parked(tenant: &TenantId) -> String {
    join(&[tenant.as_str(), "parked"])
}

/// A time as a sort key of the index, in microseconds: rounded up, so that nothing is due early.
pub(super) fn moment(at: Timestamp) -> String {
    sortable((at.as_nanosecond() + 999).div_euclid(1000))
}

/// The current time, for comparison with [`moment`]s: rounded down.
pub(super) fn instant(now: Timestamp) -> String {
    sortable(now.as_nanosecond().div_euclid(1000))
}

/// The time of a [`moment`], ignoring any suffix.
pub(super) fn at(moment: &str) -> Option<Timestamp> {
    let number = u64::from_str_radix(moment.get(..16)?, 16).ok()? ^ (1 << 63);
    Timestamp::from_microsecond(number.cast_signed()).ok()
}

/// Sixteen digits that sort like the numbers, also negative ones.
fn sortable(microseconds: i128) -> String {
    // The range of a timestamp is a tenth of what fits.
    let number = i64::try_from(microseconds).unwrap_or(i64::MAX);
    format!("{:016x}", number.cast_unsigned() ^ (1 << 63))
}

fn join(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| escape(part)).collect();
    parts.join("#")
}

fn escape(part: &str) -> String {
    part.replace('%', "%25").replace('#', "%23")
}

fn unescape(part: &str) -> String {
    part.replace("%23", "#").replace("%25", "%")
}

/// Creates the table and its index, for tests and emulators; on AWS the template does.
pub async fn create_table(client: &Client, table: &str) -> Result<(), StoreError> {
    let failed = |problem: String| StoreError::new(STORE, "create the table", problem);
    let text = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
    };
    let wrong = |error: aws_sdk_dynamodb::error::BuildError| failed(error.to_string());
    let projection = Projection::builder()
        .projection_type(ProjectionType::Include)
        .non_key_attributes(WATCHED)
        .build();
    let index = GlobalSecondaryIndex::builder()
        .index_name(INDEX)
        .key_schema(key(INDEX_PARTITION, KeyType::Hash).map_err(wrong)?)
        .key_schema(key(INDEX_SORT, KeyType::Range).map_err(wrong)?)
        .projection(projection)
        .build()
        .map_err(wrong)?;
    client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(text(PARTITION).map_err(wrong)?)
        .attribute_definitions(text(SORT).map_err(wrong)?)
        .attribute_definitions(text(INDEX_PARTITION).map_err(wrong)?)
        .attribute_definitions(text(INDEX_SORT).map_err(wrong)?)
        .key_schema(key(PARTITION, KeyType::Hash).map_err(wrong)?)
        .key_schema(key(SORT, KeyType::Range).map_err(wrong)?)
        .global_secondary_indexes(index)
        .send()
        .await
        .map_err(|error| failed(problem(&error)))?;
    let expiry = TimeToLiveSpecification::builder()
        .attribute_name(EXPIRES)
        .enabled(true)
        .build()
        .map_err(wrong)?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(expiry)
        .send()
        .await
        .map_err(|error| failed(problem(&error)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_identified_by_its_place_whatever_its_names() {
        for name in ["acme", "a#b", "a%23b", "%", "#", "ünï code"] {
            let key = InvitationKey {
                tenant: name.into(),
                application: name.into(),
                mapping: name.into(),
                round: 4_000_000_000,
            };
            let of = AssessmentRef {
                account: name.into(),
                assessment: name.into(),
            };
            let tenant = TenantId::from(name);
            let hire = HireKey {
                tenant: tenant.clone(),
                hire: Hire::Placement(name.into()),
            };
            for (place, row) in [
                (RowKey::announcement(&hire), Row::Announcement(hire.clone())),
                (RowKey::state(&tenant), Row::Tenant(tenant.clone())),
                (RowKey::invitation(&key), Row::Invitation(key.clone())),
                (
                    RowKey::sweep(&tenant, &of),
                    Row::Sweep(tenant.clone(), of.clone()),
                ),
                (
                    RowKey::delivery(&tenant, name),
                    Row::Delivery(tenant.clone(), name.to_owned()),
                ),
            ] {
                assert_eq!(place.row(), Some(row));
            }
        }
    }

    #[test]
    fn places_are_distinct() {
        let reference = |account: &str, reference: &str| {
            RowKey::reference(&"acme".into(), &account.into(), &reference.into())
        };
        assert_ne!(reference("a#b", "c"), reference("a", "b#c"));
        assert_ne!(
            reference("a", &"x".repeat(5000)),
            reference("a", &"x".repeat(5001))
        );
        assert!(reference("a", &"#".repeat(256)).pk.len() < 2048);
        assert!(reference("a", &"x".repeat(5000)).pk.len() < 2048);
    }

    #[test]
    fn times_sort_chronologically() {
        let of = |text: &str| text.parse::<Timestamp>().unwrap();
        let exact = of("2026-11-22T10:00:00.000001Z");
        assert_eq!(moment(exact), instant(exact));
        assert!(
            moment(of("2026-11-22T10:00:00.000001001Z"))
                > instant(of("2026-11-22T10:00:00.000001001Z"))
        );
        let times = [
            Timestamp::MIN,
            of("1969-12-31T23:59:59Z"),
            Timestamp::UNIX_EPOCH,
            exact,
            Timestamp::MAX,
        ];
        let texts = times.map(moment);
        assert_eq!(at(&texts[3]), Some(exact));
        assert!(texts.is_sorted());
        assert!(texts.iter().all(|text| text.len() == 16));
    }
}
