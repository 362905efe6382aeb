//! The readable form of a history.

use stagecall_core::work::Work;

/// A piece of work in words.
pub(super) fn work(work: &Work) -> String {
    match work {
        Work::Poll { tenant } => format!("poll {tenant}"),
        Work::Invite { key } => format!("invite {key}"),
        Work::WriteBack {
            key,
            news,
            change_token,
        } => {
            let news = if *news { ", with a new result" } else { "" };
            let marked = change_token
                .as_deref()
                .map(|change_token| format!(", marked {change_token}"));
            format!("report {key}{news}{}", marked.unwrap_or_default())
        }
        Work::Sweep { tenant, assessment } => format!("sweep {assessment} of {tenant}"),
        Work::Announce { key } => format!("announce {key}"),
        Work::Delivery { tenant, id } => {
            let short = id.get(..8).unwrap_or(id);
            format!("process delivery {short} of {tenant}")
        }
    }
}
