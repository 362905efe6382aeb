//! The documents of the rows. Both stores have to read the same of each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use stagecall_core::announcement::{Announcement, Hire, HireKey};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AssessmentId, InvitationKey};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{
    Announcements as _, AuditRecord, Deliveries as _, Delivery, Ledger as _, OperatorStore as _,
    SweepState, Sweeps as _, TenantState, TenantStates as _, Tenants as _, Tombstone,
};
use stagecall_core::tenant::Tenant;

use super::{TENANT, assessment, invitation, mendable};
use crate::aws::Aws;
use crate::run::{Target, block};

/// Documents.
pub const TARGET: Target = Target {
    name: "stored-documents",
    samples: &[
        r#"{"id": "acme", "eploy": {"base_url": "https://acme.eploy.net/"}, "platforms": {"wecp": {"kind": "wecp"}}, "mappings": [{"id": "talk", "vacancies": "all", "triggers": [{"stage": "12"}], "assessment": {"account": "wecp", "assessment": "interview:i1"}, "kind": {"meeting": {"day": {"working_days": 3}, "time": "10:00:00", "minutes": 30, "interviewers": ["ada@example.com"]}}}], "hires": {"when": {"stages": [{"stage": "15"}]}, "endpoint": {"url": "https://hrms.example.com/opaque-token", "person": ["email"]}}, "retention_days": 365}"#,
        r#"{"version": 3, "due_at": "2026-11-22T10:00:00Z", "poll": {"cursor": "2026-11-22T09:00:00.123Z", "reached": null, "progress": {"since": null, "page": 2, "newest": null}, "last_ok": null, "idle": 0, "failures": 1, "set_aside": 0}, "mappings": {"video": {"status": {"baseline": {"page": 2}}, "since": "2026-11-22T08:00:00Z", "watches": "ab"}, "talk": {"status": {"broken": {"reason": "the stage is gone"}}, "since": "2026-11-22T08:00:00Z", "watches": "cd"}}, "suspended": {"trouble": {"code": "eploy.ip_forbidden", "problem": "x", "remedy": "Y.", "since": "2026-11-22T08:00:00Z", "times": 2}, "until": "2026-11-22T11:00:00Z"}}"#,
        r#"{"key": {"tenant": "acme", "application": "70215", "mapping": "video", "round": 1}, "version": 1, "candidate": "9001", "vacancy": "4101", "assessment": {"account": "willo", "assessment": "i1"}, "entry": {"seen_at": "2026-11-22T10:00:00Z", "entered_at": "2026-11-22T09:59:00.123456789Z"}, "state": {"sending": {"lease_until": "2026-11-22T10:02:00Z"}}, "attempts": 1, "reference": "0123456789abcdef0123456789abcdef", "invite_link": "https://app.willotalent.com/invite/opaque-token/", "finding": {"status": "completed", "score": {"value": 78.1, "max": 100.0, "percent": 78.1, "band": "Strong"}, "digest": "00112233445566778899aabbccddeeff"}, "revision": 0, "report": {"revision": 0, "action": {"created": "88010"}, "notes": ["invited"]}, "wake": {"watched": {"until": null, "level": 2}}, "story": [{"at": "2026-11-22T10:00:00Z", "what": "detected"}]}"#,
        r#"{"due_at": "2026-11-22T10:00:00Z", "last_at": null, "failures": 2, "armed": 7, "empty_at": 6, "reading": {"next": "https://api.willotalent.com/api/integrations/v2/participants/?cursor=opaque-token", "pages": 2, "began_at": "2026-11-22T09:59:00Z", "since": null, "news": 1}}"#,
        r#"{"id": "d1", "tenant": "acme", "account": "willo", "at": "2026-11-22T10:00:00Z", "event": "new_response", "references": ["0123456789abcdef0123456789abcdef", 11], "tries": 0}"#,
        r#"{"key": {"tenant": "acme", "hire": {"placement": "31"}}, "version": 2, "candidate": "9001", "vacancy": "4101", "application": "70215", "seen_at": "2026-11-22T10:00:00Z", "not_before": "2026-11-01T10:00:00Z", "state": "delivering", "due_at": "2026-11-22T10:05:00Z", "tries": 1, "attempts": [{"number": 1, "at": "2026-11-22T10:00:00Z", "outcome": {"answered": 503}}, {"number": 2, "at": "2026-11-22T10:05:00Z", "outcome": "unknown"}]}"#,
        r#"{"at": "2026-11-22T10:00:00Z", "who": "Ada Example", "what": "retry", "tenant": "acme", "target": "70215.video.1", "why": "asked by ada@example.com"}"#,
        r#"{"candidate": "9001", "at": "2026-11-22T10:00:00Z"}"#,
        r#"{"tenant": "acme", "application": "70215", "mapping": "video", "round": 1}"#,
        r#""interview:5f0c""#,
        r#"["Ada Example", {"ada@example.com": "opaque-token"}]"#,
    ],
    check: documents,
};

/// How many kinds of documents there are.
const KINDS: u64 = 10;

/// A document is asked for as what it can be, and as something that it may not be.
fn documents(input: &[u8], choice: u64) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let text = text.as_ref();
    let any = choice % KINDS;
    let one = |kind: u64| kind == any || fits(kind, text);
    (0..KINDS).filter(|kind| one(*kind)).try_for_each(|kind| {
        let asked = ask(kind, text, choice.is_multiple_of(2));
        asked.map_err(|problem| format!("as kind {kind}: {problem}"))
    })
}

fn fits(kind: u64, text: &str) -> bool {
    match kind {
        0 => is::<Tenant>(text),
        1 => is::<TenantState>(text),
        2 => is::<Invitation>(text),
        3 => is::<SweepState>(text),
        4 => is::<Delivery>(text),
        5 => is::<Announcement>(text),
        6 => is::<AuditRecord>(text),
        7 => is::<Tombstone>(text),
        8 => is::<InvitationKey>(text),
        _ => is::<AssessmentId>(text),
    }
}

fn is<T: DeserializeOwned>(text: &str) -> bool {
    serde_json::from_str::<T>(text).is_ok()
}

/// Asks the table.
async fn in_table(kind: u64, text: &str, table: &stagecall_aws::Store) -> Result<(), String> {
    let (tenant, row) = (TENANT.into(), "acme#x x");
    match kind {
        0 => read(text, row, table.tenant(&tenant).await),
        1 => read(text, row, table.load_state(&tenant).await),
        2 => read(text, row, table.load(&invitation()).await),
        // A sweep's row has no document.
        3 => Ok(()),
        4 => {
            read(text, row, table.load_delivery(&tenant, "d1").await)?;
            read(
                text,
                row,
                only_delivery(table.deliveries(&tenant, None).await),
            )
        }
        5 => read(text, row, table.load_announcement(&placement()).await),
        6 => read(text, row, only(table.audits(Some(&tenant), None).await)),
        7 => read(text, row, only(table.tombstones(&tenant).await)),
        8 => {
            let bound = table
                .find_by_reference(&tenant, &"willo".into(), &"p1".into())
                .await;
            read(text, row, bound)
        }
        _ => read(
            text,
            row,
            table
                .find_created_assessment(&tenant, &"wecp".into(), "live")
                .await,
        ),
    }
}

/// Asks the file.
async fn in_file(kind: u64, text: &str, store: &stagecall_embedded::Store) -> Result<(), String> {
    let tenant = TENANT.into();
    match kind {
        0 => {
            read(text, "tenant acme", store.tenant(&tenant).await)?;
            read(text, "tenant acme", only(store.list_tenants().await))
        }
        1 => read(text, "tenant_state acme", store.load_state(&tenant).await),
        2 => {
            let (key, row) = (invitation(), "invitation acme/70215.video.1");
            read(text, row, store.load(&key).await)?;
            let of = std::slice::from_ref(&key.application);
            read(text, row, only(store.of_applications(&tenant, of).await))
        }
        3 => {
            let sweep = store.load_sweep(&tenant, &assessment()).await;
            read(text, "sweep acme/willo/i1", sweep.map(Some))
        }
        4 => {
            let row = "delivery acme/d1";
            read(text, row, store.load_delivery(&tenant, "d1").await)?;
            read(text, row, only(store.unmatched(&tenant, 5).await))?;
            read(
                text,
                row,
                only_delivery(store.deliveries(&tenant, None).await),
            )
        }
        5 => {
            let row = format!("announcement {}", placement());
            read(text, &row, store.load_announcement(&placement()).await)?;
            let row = "announcement acme/placement 31";
            read(text, row, only(store.announcements(&tenant, 5).await))
        }
        6 => read(
            text,
            "audit 1",
            only(store.audits(Some(&tenant), None).await),
        ),
        7 => read(
            text,
            "tombstone 9001",
            only(store.tombstones(&tenant).await),
        ),
        // Not kept as documents.
        _ => Ok(()),
    }
}

/// Where the file keeps a kind.
const TABLES: [&str; 8] = [
    "tenant",
    "tenant_state",
    "invitation",
    "sweep",
    "delivery",
    "announcement",
    "audit",
    "tombstone",
];

fn ask(kind: u64, text: &str, packed: bool) -> Result<(), String> {
    block(in_table(kind, text, &table(text, packed)))??;
    let place = usize::try_from(kind).unwrap_or(usize::MAX);
    let Some(name) = TABLES.get(place) else {
        return Ok(());
    };
    let file = super::file::file()?;
    let sql = format!("UPDATE {name} SET document = ?1");
    let damaged = file.damage.execute(&sql, [text]);
    damaged.map_err(|error| error.to_string())?;
    block(in_file(kind, text, &file.store))?
}

fn placement() -> HireKey {
    HireKey {
        tenant: TENANT.into(),
        hire: Hire::Placement("31".into()),
    }
}

/// A table that has this document in every row.
fn table(text: &str, packed: bool) -> stagecall_aws::Store {
    let document = if packed {
        let packed = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 1);
        json!({"B": STANDARD.encode(packed)})
    } else {
        json!({"S": text})
    };
    let item = json!({
        "pk": {"S": "acme#x"}, "sk": {"S": "x"}, "v": {"N": "1"}, "standing": {"S": "parked"},
        "doc": document,
    });
    let aws = Aws::new(move |operation, _| {
        let answer = match operation {
            "GetItem" => json!({"Item": item}),
            _ => json!({"Items": [item]}),
        };
        (200, answer.to_string().into_bytes())
    });
    stagecall_aws::Store::new(aws_sdk_dynamodb::Client::new(&aws.config()), "stagecall")
}

/// The only one of a list.
fn only<T>(all: Result<Vec<T>, StoreError>) -> Result<Option<T>, StoreError> {
    all.map(|all| all.into_iter().next())
}

fn only_delivery<T>(
    all: Result<Vec<(Delivery, T)>, StoreError>,
) -> Result<Option<Delivery>, StoreError> {
    Ok(only(all)?.map(|(delivery, _)| delivery))
}

/// What a store reads is what the document says, and can be kept again; what it cannot read is an error that names the
/// row.
fn read<T>(text: &str, row: &str, read: Result<Option<T>, StoreError>) -> Result<(), String>
where
    T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    let said: Option<T> = serde_json::from_str(text).ok();
    match (read, said) {
        (Ok(None), _) => Err("a row that is there is taken for none".to_owned()),
        (Ok(Some(read)), said) if said.as_ref() != Some(&read) => {
            Err(format!("{said:?} is read as {read:?}"))
        }
        (Ok(Some(read)), _) => {
            let kept = serde_json::to_string(&read).map_err(|error| error.to_string())?;
            if serde_json::from_str::<T>(&kept).ok().as_ref() == Some(&read) {
                Ok(())
            } else {
                Err(format!("it is not read back as it would be kept: {kept}"))
            }
        }
        (Err(error), Some(_)) => Err(format!("what can be read is refused: {error}")),
        (Err(error), None) => mendable(&error, row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_sample_of_every_kind() {
        for kind in 0..KINDS {
            let sample = TARGET.samples[usize::try_from(kind).unwrap_or_default()];
            let problem = match kind {
                1 => serde_json::from_str::<TenantState>(sample).err(),
                2 => serde_json::from_str::<Invitation>(sample).err(),
                5 => serde_json::from_str::<Announcement>(sample).err(),
                _ => None,
            };
            assert!(fits(kind, sample), "{kind}: {problem:?}");
        }
    }
}
