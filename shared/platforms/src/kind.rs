//! The table of platforms.

use std::fmt::Write as _;

use stagecall_core::ports::Capabilities;

use crate::spec::PlatformSpec;
use crate::{wecp, willo};

/// Every platform. A new one is a module and a line here.
pub static KINDS: &[&PlatformSpec] = &[&willo::KIND, &wecp::KIND];

/// The names of all platforms.
pub fn names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

pub fn kind(name: &str) -> Option<&'static PlatformSpec> {
    named(KINDS, name)
}

pub(crate) fn named(kinds: &[&'static PlatformSpec], name: &str) -> Option<&'static PlatformSpec> {
    kinds.iter().copied().find(|kind| kind.name == name)
}

/// The capabilities of each platform, as a Markdown table.
pub fn capability_table() -> String {
    let all: Vec<_> = KINDS.iter().map(|kind| (kind.capabilities)()).collect();
    let mut table = String::from("| |");
    for kind in KINDS {
        let _ = write!(table, " {} |", kind.title);
    }
    table.push_str("\n| --- |");
    table.push_str(&" --- |".repeat(KINDS.len()));
    let mut row = |label: &str, cell: &dyn Fn(&Capabilities) -> String| {
        let _ = write!(table, "\n| {label} |");
        for capabilities in &all {
            let _ = write!(table, " {} |", cell(capabilities));
        }
    };
    row("calls back", &|of| yes(of.callbacks));
    row("arranges live interviews", &|of| yes(of.live_interviews));
    row("keeps talent pools", &|of| yes(of.pools));
    row(
        "lists instead of asking one by one, from",
        &|of| match of.list_from {
            0 => "always".to_owned(),
            from => format!("{from} waiting"),
        },
    );
    row("statuses it can tell", &|of| {
        let names: Vec<_> = of
            .statuses
            .iter()
            .map(|status| format!("{status:?}").to_lowercase())
            .collect();
        names.join(", ")
    });
    table.push('\n');
    table
}

fn yes(it_does: bool) -> String {
    if it_does { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn names_are_unique_and_default_addresses_are_the_platforms_own() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..at].iter().all(|other| other.name != kind.name));
            let base = Url::parse(kind.base_url).unwrap();
            assert!(
                kind.owns(&base) && base.path().ends_with('/'),
                "{}",
                kind.name
            );
            assert!(!(kind.capabilities)().callbacks || kind.reader.is_some());
        }
    }

    #[test]
    fn a_domain_with_the_same_ending_is_not_the_platforms() {
        let willo = kind("willo").unwrap();
        for (url, own) in [
            ("https://api.willotalent.com/x", true),
            ("https://willotalent.com/x", true),
            ("http://api.willotalent.com/x", false),
            ("https://evilwillotalent.com/x", false),
            ("https://willotalent.com.evil.example/x", false),
            ("https://127.0.0.1/x", false),
        ] {
            assert_eq!(willo.owns(&Url::parse(url).unwrap()), own, "{url}");
        }
    }

    #[test]
    fn the_table_has_a_column_per_platform() {
        let table = capability_table();
        assert!(table.starts_with("| | Willo | WeCP |"), "{table}");
        for line in table.lines() {
            assert_eq!(line.matches('|').count(), KINDS.len() + 2, "{line}");
        }
        assert!(table.contains("| calls back | yes | no |"));
    }

    #[test]
    fn the_documents_have_the_current_table() {
        let table = capability_table();
        for (name, document) in [
            ("README.md", include_str!("../README.md")),
            ("ARCHITECTURE.md", include_str!("../../../ARCHITECTURE.md")),
        ] {
            assert!(
                document.contains(&format!("<!-- capabilities -->\n{table}<!-- end -->")),
                "put this into {name}:\n{table}"
            );
        }
    }
}
