//! What a `WeCP` connection can set: who calls, and the dialect, that is every path and field name that is open in
//! REFERENCE.md.

use serde_json::Value;
use stagecall_core::tenant::Settings;

use super::TITLE;
use crate::adapter::Account;
use crate::error::PlatformError;
use crate::problem;
use crate::settings::{Secret, Setting, Wants};

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        key: "user_email",
        wants: Wants::Text(is_email, "an e-mail address"),
        // Partner guide (REFERENCE.md §10).
        about: "The WeCP user on whose behalf is called (the header WECP-User-Email). Required with partner_key.",
    },
    Setting {
        key: "key_header",
        wants: Wants::Text(is_header, "the name of a header"),
        // Two clients of the live API (REFERENCE.md §10, seen in code).
        about: "The header that the API key is sent in. Without it: \"x-api-key\".",
    },
    Setting {
        key: "tests_path",
        wants: Wants::Text(is_path, PATH),
        // Not established (REFERENCE.md §12).
        about: "The path of the list of tests. Without it: \"ats/wecp/tests\".",
    },
    Setting {
        key: "invite_path",
        wants: Wants::Text(is_path, PATH),
        // Not established (REFERENCE.md §12).
        about: "The path that invites, with {test} where the test's id belongs; without {test}, the id goes into the body as testId. Without it: \"ats/wecp/tests/{test}/candidates\".",
    },
    Setting {
        key: "invite_body",
        wants: Wants::OneOf(&["flat", "list", "details"]),
        // Not established (REFERENCE.md §16).
        about: "Where an invitation's body has the candidate: in the body itself (\"flat\", the default), as one of a list, or as candidateDetails.",
    },
    Setting {
        key: "invite_list_field",
        wants: Wants::Text(is_field, FIELD),
        about: "The field of an invitation's body that has the list of candidates, if it is one. Without it: \"candidates\".",
    },
    Setting {
        key: "invite_email_field",
        wants: Wants::Text(is_field, FIELD),
        about: "The field of an invitation's body that has the e-mail address. Without it: \"email\".",
    },
    Setting {
        key: "invite_name_field",
        wants: Wants::Text(is_field, FIELD),
        about: "The field of an invitation's body that has the candidate's name. Without it: \"name\".",
    },
    Setting {
        key: "lists_unfinished",
        wants: Wants::Flag,
        // "All candidates of a test with results" (REFERENCE.md §12): whether that is everybody is not established.
        about: "Whether a test's candidates are listed from their invitation on, and not only once they have finished. If not, an invitation whose answer was lost cannot be looked up. Without it: yes.",
    },
    Setting {
        key: "organisation",
        wants: Wants::Text(
            is_field_or_dash,
            "the organisation's name as it stands in WeCP's addresses",
        ),
        // Internal paths show it (REFERENCE.md §10, seen in code).
        about: "What stands where schedule_path has {organisation}. Required where a mapping arranges live interviews, unless schedule_path does without it.",
    },
    Setting {
        key: "schedule_path",
        wants: Wants::Text(is_path, PATH),
        // Both were seen in code (REFERENCE.md §12, §15).
        about: "The path that schedules a candidate for a live interview; {organisation}, {group} and {interview} in it are filled in. Without it: \"orgs/{organisation}/groups/{group}/interviews/{interview}/scheduleInterviews\". The other that is known is \"ats/wecp/scheduleInterviews\", which needs neither an organisation nor a group.",
    },
    Setting {
        key: "interviews_path",
        wants: Wants::Text(is_path, PATH),
        // Not established (REFERENCE.md §12).
        about: "The path of the list of interviews. Without it: \"ats/wecp/interviews\".",
    },
    Setting {
        key: "interview_candidates_path",
        wants: Wants::Text(is_path, PATH),
        // Not established (REFERENCE.md §12).
        about: "The path of the list of an interview's candidates. Without it: \"ats/wecp/interviews/{interview}/candidates\".",
    },
    Setting {
        key: "group_path",
        wants: Wants::Text(is_path, PATH),
        // Not established: groups are known from internal paths alone (REFERENCE.md §10).
        about: "The path that puts a candidate into a group and lists its candidates; without {group}, the id goes into the body as groupId. Without it: \"ats/wecp/groups/{group}/candidates\".",
    },
    Setting {
        key: "removal_path",
        wants: Wants::Text(is_path, PATH),
        // No such call is known.
        about: "The path that removes {candidate}, with {test}, {interview} or {group} where the id belongs of what they are a candidate of. Without it: nobody can be removed through the API.",
    },
    Setting {
        key: "sender_name",
        wants: Wants::Text(is_line, LINE),
        // What can be entered when inviting by hand (REFERENCE.md §16, documented); as fields of a call inferred.
        about: "Who the invitation is from (senderName). Without it: as WeCP has it.",
    },
    Setting {
        key: "reply_email",
        wants: Wants::Text(is_email, "an e-mail address"),
        about: "Where the candidate's reply goes (replyEmail). Without it: as WeCP has it.",
    },
    Setting {
        key: "subject",
        wants: Wants::Text(is_line, LINE),
        about: "The subject of the invitation. Without it: as WeCP has it.",
    },
];

const PATH: &str =
    "a path under base_url such as \"ats/wecp/tests\", without a slash at its beginning or end";
/// Of the two paths that were seen the one that the vendor's author kept; the other, `ats/wecp/scheduleInterviews`, was left
/// (REFERENCE.md §15).
const SCHEDULE_PATH: &str =
    "orgs/{organisation}/groups/{group}/interviews/{interview}/scheduleInterviews";
const FIELD: &str = "a field's name of letters, digits and underscores";
pub(super) const LINE: &str = "one line of at most 200 characters";

pub(super) static SECRETS: &[Secret] = &[
    Secret {
        key: "api_key",
        optional: false,
        // REFERENCE.md §10.
        about: "the company-wide API key, or a personal access token, from WeCP",
    },
    Secret {
        key: "partner_key",
        optional: true,
        about: "the partner key that WeCP's partner team issues; together with partner_secret and the setting user_email",
    },
    Secret {
        key: "partner_secret",
        optional: true,
        about: "the partner secret that WeCP's partner team issues; together with partner_key",
    },
];

/// The settings, read. They have been validated one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub user_email: Option<String>,
    pub key_header: String,
    pub tests_path: String,
    pub invite_path: String,
    /// The organisation's name in paths, if it is set.
    pub organisation: Option<String>,
    /// The path that schedules for a live interview.
    pub schedule_path: String,
    pub interviews_path: String,
    pub interview_candidates_path: String,
    pub group_path: String,
    /// The path that removes a candidate, if there is one.
    pub removal_path: Option<String>,
    /// The field that the candidate is in, if not the body itself, and whether it is a list.
    pub inside: Option<(String, bool)>,
    /// The field that has the e-mail address.
    pub email_field: String,
    pub name_field: String,
    pub lists_unfinished: bool,
    /// Settings of the invitation's message: field and value.
    pub message: Vec<(&'static str, String)>,
}

impl Options {
    /// Reads them, and sees that they fit together: the partner guide wants the acting user on every call
    /// (REFERENCE.md §10).
    pub fn read(account: &Account) -> Result<Self, PlatformError> {
        let text = |key| text(&account.settings, key).map(str::to_owned);
        let or = |key, default: &str| text(key).unwrap_or_else(|| default.to_owned());
        let user_email = text("user_email");
        let misfit = |problem: &str, remedy: &str| {
            let problem = format!("the {TITLE} account {problem}");
            Err(PlatformError::not_sent(problem::SETTINGS.code, problem, remedy).of_connection())
        };
        let has = |key| !account.secret(key).is_empty();
        if has("partner_key") != has("partner_secret") {
            return misfit(
                "has one of partner_key and partner_secret without the other",
                "Store both in the tenant's secret, or neither.",
            );
        }
        if has("partner_key") && user_email.is_none() {
            return misfit(
                "has partner credentials, but no acting user",
                "Set user_email to the address of a user of the customer's WeCP account.",
            );
        }
        Ok(Self {
            user_email,
            key_header: or("key_header", "x-api-key"),
            tests_path: or("tests_path", "ats/wecp/tests"),
            invite_path: or("invite_path", "ats/wecp/tests/{test}/candidates"),
            organisation: organisation(&account.settings).map(str::to_owned),
            schedule_path: schedule_path(&account.settings).to_owned(),
            interviews_path: or("interviews_path", "ats/wecp/interviews"),
            interview_candidates_path: or(
                "interview_candidates_path",
                "ats/wecp/interviews/{interview}/candidates",
            ),
            group_path: or("group_path", "ats/wecp/groups/{group}/candidates"),
            removal_path: text("removal_path"),
            inside: match text("invite_body").as_deref() {
                Some("list") => Some((or("invite_list_field", "candidates"), true)),
                Some("details") => Some(("candidateDetails".to_owned(), false)),
                _ => None,
            },
            email_field: or("invite_email_field", "email"),
            name_field: or("invite_name_field", "name"),
            lists_unfinished: account
                .settings
                .get("lists_unfinished")
                .and_then(Value::as_bool)
                .unwrap_or(true),
            message: [
                ("senderName", "sender_name"),
                ("replyEmail", "reply_email"),
                ("subject", "subject"),
            ]
            .into_iter()
            .filter_map(|(field, key)| Some((field, text(key)?)))
            .collect(),
        })
    }
}

fn text<'a>(settings: &'a Settings, key: &str) -> Option<&'a str> {
    settings.get(key).and_then(Value::as_str).map(str::trim)
}

/// The path that schedules for a live interview.
pub(super) fn schedule_path(settings: &Settings) -> &str {
    text(settings, "schedule_path").unwrap_or(SCHEDULE_PATH)
}

/// The organisation's name in paths.
pub(super) fn organisation(settings: &Settings) -> Option<&str> {
    text(settings, "organisation").filter(|name| !name.is_empty())
}

fn is_email(text: &str) -> bool {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split_once('@').is_some_and(|(before, after)| {
            !before.is_empty() && !after.is_empty() && !after.contains('@')
        })
}

fn is_header(text: &str) -> bool {
    (1..=60).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_field(text: &str) -> bool {
    (1..=60).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_field_or_dash(text: &str) -> bool {
    (1..=60).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

const PLACES: [&str; 5] = [
    "{test}",
    "{interview}",
    "{group}",
    "{organisation}",
    "{candidate}",
];

/// Parts of plain characters, none empty or `..`.
fn is_path(text: &str) -> bool {
    text.len() <= 200
        && text.split('/').all(|part| {
            PLACES.contains(&part)
                || (!part.is_empty()
                    && !part.starts_with('.')
                    && part.bytes().all(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
                    }))
        })
}

pub(super) fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_under_the_base_address() {
        for good in ["ats/wecp/tests", "v2/quizzes/{test}/invite", "invite"] {
            assert!(is_path(good), "{good}");
        }
        for bad in [
            "",
            "/ats",
            "ats/",
            "../x",
            "a//b",
            "https://evil.example/x",
            "a?b",
            "a b",
            "{test}x",
            "%2e%2e/x",
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn a_value_cannot_break_out_of_its_header() {
        assert!(is_email("rae@example.com"));
        for bad in [
            "rae",
            "@example.com",
            "a@b@c",
            "a@b\r\nx: y",
            "rae @example.com",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(is_header("X-WeCP-Key"));
        assert!(!is_header("x:y") && !is_header(""));
    }
}
