//! Validates connections and mappings from the platforms' descriptions.

use std::num::NonZeroU32;

use stagecall_core::tenant::{Mapping, MappingKind, PlatformConnection, Settings};
use stagecall_http::RateLimit;
use url::Url;

use crate::kind::{KINDS, kind, named};
use crate::settings::{Setting, Wants};
use crate::spec::{PlatformSpec, is_loopback};

/// The settings of every connection.
static COMMON: &[Setting] = &[
    Setting {
        key: "calls_per_second",
        wants: Wants::Whole(1, 10_000),
        about: "The maximum number of calls started per second. Without it: the platform's known limit.",
    },
    Setting {
        key: "calls_in_flight",
        wants: Wants::Whole(1, 10_000),
        about: "The maximum number of concurrent calls. Without it: the platform's known limit.",
    },
];

/// All problems of a connection, each with key, value and what would be valid.
pub fn validate(connection: &PlatformConnection) -> Vec<String> {
    validate_as(KINDS, connection)
}

/// The same, of a connection to one of these platforms.
pub(crate) fn validate_as(
    kinds: &[&'static PlatformSpec],
    connection: &PlatformConnection,
) -> Vec<String> {
    let Some(kind) = named(kinds, &connection.kind) else {
        let names: Vec<_> = kinds.iter().map(|kind| kind.name).collect();
        return vec![format!(
            "kind is \"{}\"; it must be one of: {}",
            connection.kind,
            names.join(", ")
        )];
    };
    let mut problems: Vec<_> = connection
        .base_url
        .as_ref()
        .and_then(|base| base_problem(kind, base))
        .into_iter()
        .collect();
    let all: Vec<_> = kind.settings.iter().chain(COMMON).collect();
    check(&connection.settings, &all, "setting", kind, &mut problems);
    problems
}

/// All problems of a mapping with this connection's platform, each with key, value and what would be valid. Empty also
/// if the connection itself is not of a known kind.
pub fn validate_mapping(connection: &PlatformConnection, mapping: &Mapping) -> Vec<String> {
    let Some(kind) = kind(&connection.kind) else {
        return Vec::new();
    };
    let capabilities = (kind.capabilities)();
    let mut problems = Vec::new();
    let mut lacks = |what: &str, key: &str| {
        problems.push(format!(
            "kind.{key}: {} has no {what}; leave it out, or choose another platform",
            kind.title
        ));
    };
    match &mapping.kind {
        MappingKind::Meeting(_) if !capabilities.live_interviews => {
            lacks("live interviews", "meeting");
        }
        MappingKind::Pool(_) if !capabilities.pools => lacks("talent pools", "pool"),
        _ => problems.extend((kind.validate)(mapping, connection)),
    }
    let all: Vec<_> = kind.options.iter().collect();
    check(&mapping.options, &all, "option", kind, &mut problems);
    problems
}

/// Checks each of `given` against the descriptions.
fn check(
    given: &Settings,
    known: &[&Setting],
    what: &str,
    kind: &PlatformSpec,
    problems: &mut Vec<String>,
) {
    for (key, value) in given {
        match known.iter().find(|known| known.key == key) {
            None if known.is_empty() => problems.push(format!(
                "{what}s.{key} is given, and {} has no {what}s",
                kind.name
            )),
            None => {
                let keys: Vec<_> = known.iter().map(|known| known.key).collect();
                problems.push(format!(
                    "{what}s.{key} is none of the {what}s of {}; those are: {}",
                    kind.name,
                    keys.join(", ")
                ));
            }
            Some(known) if !known.wants.fits(value) => problems.push(format!(
                "{what}s.{key} is {value}; it must be {}",
                known.wants.in_words()
            )),
            Some(_) => {}
        }
    }
}

fn base_problem(kind: &PlatformSpec, base: &Url) -> Option<String> {
    let plain = base.username().is_empty()
        && base.password().is_none()
        && base.query().is_none()
        && base.fragment().is_none();
    if plain && (kind.owns(base) || is_loopback(base)) {
        return None;
    }
    // Not the whole address: an invalid one may hold a password.
    let shown = format!(
        "{}://{}{}",
        base.scheme(),
        base.host_str().unwrap_or(""),
        base.path()
    );
    Some(format!(
        "base_url is {shown}{}; it must be https on {} (such as {}), or a loopback address for a sandbox, without user, query or fragment",
        if plain { "" } else { " with more around it" },
        kind.hosts.join(" or "),
        kind.base_url,
    ))
}

/// The rate limit of a connection: as set, else the platform's default.
pub(crate) fn pace(kind: &PlatformSpec, settings: &Settings) -> RateLimit {
    let set = |key: &str| {
        let number = u32::try_from(settings.get(key)?.as_u64()?).ok()?;
        NonZeroU32::new(number)
    };
    RateLimit {
        in_flight: set("calls_in_flight").unwrap_or(kind.pace.in_flight),
        per_second: set("calls_per_second").unwrap_or(kind.pace.per_second),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn connection(json: Value) -> PlatformConnection {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_unknown_kind_is_named_with_the_known_ones() {
        let problems = validate(&connection(json!({"kind": "wilo"})));
        assert_eq!(
            problems,
            ["kind is \"wilo\"; it must be one of: willo, wecp"]
        );
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let problems = validate(&connection(json!({
            "kind": "willo",
            "base_url": "http://api.willotalent.com/api/integrations/v2/",
            "settings": {
                "auth_scheme": "Basic",
                "send_invite": "no",
                "country_code": "+44",
                "calls_per_second": 0,
                "calls_in_flight": 1.5,
                "pages": 3
            }
        })));
        assert_eq!(problems.len(), 7, "{problems:#?}");
        for (key, right) in [
            (
                "base_url is http://api.willotalent.com/",
                "https on willotalent.com",
            ),
            (
                "settings.auth_scheme is \"Basic\"",
                "\"none\" or \"bearer\"",
            ),
            ("settings.send_invite is \"no\"", "true or false"),
            ("settings.country_code is \"+44\"", "digits"),
            (
                "settings.calls_per_second is 0",
                "a whole number from 1 to 100",
            ),
            (
                "settings.calls_in_flight is 1.5",
                "a whole number from 1 to 100",
            ),
            (
                "settings.pages is none of the settings of willo",
                "auth_scheme",
            ),
        ] {
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.starts_with(key) && problem.contains(right)),
                "{key}: {problems:#?}"
            );
        }
    }

    #[test]
    fn the_platforms_own_address_and_a_sandbox_are_valid() {
        for base in [
            "https://api.stage.willotalent.com/api/integrations/v2",
            "http://127.0.0.1:4010/willo/",
            "http://localhost:4010/",
            "http://[::1]:4010/",
        ] {
            let problems = validate(&connection(json!({"kind": "willo", "base_url": base})));
            assert!(problems.is_empty(), "{problems:?}");
        }
    }

    #[test]
    fn an_address_that_only_looks_like_the_platforms_is_refused() {
        for (kind, base) in [
            ("willo", "https://evilwillotalent.com/"),
            ("willo", "https://willotalent.com.evil.example/"),
            ("willo", "https://api.willotalent.com@evil.example/"),
            ("willo", "https://api.willotalent.com%40evil.example/"),
            ("willo", "https://api-willotalent.com/"),
            ("willo", "https://api.willotalent.com./"),
            ("willo", "https://api.willot\u{430}lent.com/"),
            ("willo", "https://api.willotalent.co/"),
            ("willo", "https://api.willotalent.com#@evil.example/"),
            ("willo", "ftp://api.willotalent.com/"),
            ("willo", "https://169.254.169.254/api/integrations/v2/"),
            ("willo", "https://10.0.0.1/"),
            ("willo", "http://[::ffff:127.0.0.1]/"),
            ("willo", "http://127.0.0.1.evil.example/"),
            ("willo", "http://localhost.evil.example/"),
            ("wecp", "https://api.willotalent.com/"),
            ("wecp", "https://wecreateproblems.com.evil.example/"),
        ] {
            let Ok(base) = base.parse::<Url>() else {
                continue;
            };
            let problems = validate(&connection(json!({"kind": kind, "base_url": base})));
            assert_eq!(problems.len(), 1, "{base}: {problems:?}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_repeating_it() {
        let problems = validate(&connection(
            json!({"kind": "willo", "base_url": "https://me:hunter2@api.willotalent.com/?a=b"}),
        ));
        assert_eq!(problems.len(), 1);
        assert!(!problems[0].contains("hunter2"), "{problems:?}");
    }
}
