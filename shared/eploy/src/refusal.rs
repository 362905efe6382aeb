//! What an answer means that is not a success. Little of it is documented (REFERENCE.md §18, §19), so status,
//! `error_message` and a few words of the text are read together.

use std::collections::BTreeSet;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use stagecall_core::error::{CallError, Phase};
use stagecall_core::timing::after;
use stagecall_http::{Response, read_json};

use crate::dialect::Dialect;
use crate::errors::{Permission, Problem};
use crate::wire::Record;

/// A wait up to this long means a rate limit, a longer one the day's allowance.
const MAX_RATE_LIMIT_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// Words that may mean a rate limit as well as the day's allowance: a web server's own 429 says "Too Many Requests", a
/// gateway's "rate limit exceeded".
const AMBIGUOUS_WORDS: [&str; 2] = ["too many", "limit exceeded"];
/// The longest accepted wait.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(48);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    Token,
    /// For the records that a filter describes, or a list.
    List(Permission),
    /// For or of one record.
    Record(Permission),
}

impl RequestKind {
    /// The permission it needs.
    pub(crate) fn permission(self) -> Option<Permission> {
        match self {
            Self::Token => None,
            Self::List(permission) | Self::Record(permission) => Some(permission),
        }
    }
}

/// What is known besides the response.
pub(crate) struct ErrorContext<'a> {
    pub(crate) operation: &'static str,
    pub(crate) kind: RequestKind,
    pub(crate) granted: Option<&'a BTreeSet<String>>,
    pub(crate) dialect: &'a Dialect,
    pub(crate) now: Timestamp,
    /// Whether the same request was permitted a short while ago for another record.
    pub(crate) permitted: bool,
}

impl ErrorContext<'_> {
    pub(crate) fn error(&self, answer: &Response) -> CallError {
        let status = answer.status;
        let text = ErrorText::read(&answer.body);
        let error = |problem: Problem, detail: &str| problem.error(self.operation, detail);
        let http = format!("HTTP {status}");
        match (self.kind, status) {
            (_, 300..400) => {
                let mut refused = error(Problem::Redirected, &http);
                // Some servers answer a failure with a redirect to an error page, but only with these two.
                if !matches!(status, 302 | 303) {
                    refused.phase = Phase::Refused;
                }
                refused
            }
            (_, 408) => error(Problem::NoAnswer, &http),
            (_, 429) => self.wait(answer, &text),
            (_, 403) if text.has_any(&self.dialect.allowance_words) => self.wait(answer, &text),
            (_, 403) if text.speaks_of_ip() => error(Problem::IpForbidden, ""),
            (_, 500..) => {
                let mut failed = error(Problem::Server, &http);
                failed.retry_at = self.named_wait(answer);
                failed
            }

            (RequestKind::Token, 404 | 405) => error(Problem::NoApi, &http),
            (RequestKind::Token, _) if text.has("invalid_scope") => error(Problem::Scope, ""),
            (RequestKind::Token, 403) if text.has("role") => {
                error(Problem::Role, &format!("HTTP {status}"))
            }
            // No other documented reason refuses a caller before it is authenticated.
            (RequestKind::Token, 403) if !text.has("invalid_client") => {
                error(Problem::IpForbidden, &format!("HTTP {status}"))
            }

            (RequestKind::Token, 400..500) => error(Problem::Credentials, &http),

            (_, 401) => error(Problem::TokenRefused, ""),
            (RequestKind::Record(_), 403) if self.permitted => error(Problem::RecordForbidden, ""),
            (RequestKind::List(permission) | RequestKind::Record(permission), 403) => {
                self.permission(permission)
            }
            (_, 404 | 410) if answer.is_page() => error(Problem::WebPage, &http),
            (_, 404 | 410) => error(Problem::NotFound, ""),
            (RequestKind::List(_), 400..500) => {
                error(Problem::SearchRejected, &format!("HTTP {status}"))
            }
            (RequestKind::Record(_), 400..500) => {
                error(Problem::Rejected, &format!("HTTP {status}"))
            }
            _ => error(Problem::Unreadable, &http),
        }
    }

    /// "Not now": because of the pace, or because of the day's allowance. That the day is spent is believed if Eploy says so, or
    /// asks for a wait that is too long to be about the pace; nothing is known of a 429 that says neither (REFERENCE.md
    /// §18).
    fn wait(&self, answer: &Response, text: &ErrorText) -> CallError {
        let until = self.named_wait(answer);
        let long = until.is_some_and(|until| until.duration_since(self.now) > MAX_RATE_LIMIT_WAIT);
        let words = &self.dialect.allowance_words;
        let says_spent = words
            .iter()
            .any(|word| !AMBIGUOUS_WORDS.contains(&word.as_str()) && text.has(word));
        let problem = if long || says_spent {
            Problem::AllowanceEploy
        } else {
            Problem::Throttled
        };
        let mut error = problem.error(self.operation, &format!("HTTP {}", answer.status));
        error.retry_at = until;
        error
    }

    fn named_wait(&self, answer: &Response) -> Option<Timestamp> {
        let value = answer.header("retry-after")?;
        retry_after(value, self.now)
    }

    fn permission(&self, permission: Permission) -> CallError {
        let detail = match self.granted {
            Some(granted) if granted.contains(&permission.scope()) => format!(
                "{permission} is granted to the key, so it is probably the Role of its user that does not allow it"
            ),
            Some(_) => format!("{permission} is missing from the key's API Permissions"),
            None => format!("it needs {permission}"),
        };
        Problem::Permission.error(self.operation, &detail)
    }
}

/// The time in `Retry-After`: seconds or an HTTP date. Invalid values are ignored.
fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    let at = match value.parse::<u32>() {
        Ok(seconds) => after(now, SignedDuration::from_secs(seconds.into())),
        Err(_) => DateTimeParser::new().parse_timestamp(value).ok()?,
    };
    Some(at.clamp(now, after(now, MAX_WAIT)))
}

/// The content of an error's body.
struct ErrorText {
    /// All text that could name the problem, in lower case; searched, never quoted.
    all: String,
}

impl ErrorText {
    fn read(body: &[u8]) -> Self {
        let Ok(answer) = read_json(body) else {
            let page = String::from_utf8_lossy(&body[..body.len().min(4000)]);
            return Self {
                all: without_tags(&page).to_lowercase(),
            };
        };
        let record = answer.as_ref().and_then(Record::of);
        let text = |name: &str| record.and_then(|record| record.text(name));
        let all: Vec<&str> = ["error_message", "error_description", "error", "Message"]
            .into_iter()
            .filter_map(text)
            .collect();
        Self {
            all: all.join(" ").to_lowercase(),
        }
    }

    fn has(&self, word: &str) -> bool {
        self.all.contains(word)
    }

    fn has_any(&self, words: &[String]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    fn speaks_of_ip(&self) -> bool {
        self.all
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word == "ip")
    }
}

/// The visible text of an HTML page: tags contain words of their own.
fn without_tags(page: &str) -> String {
    let mut shown = String::new();
    let mut rest = page;
    while let Some((text, tag)) = rest.split_once('<') {
        shown.push_str(text);
        shown.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use stagecall_core::error::ErrorScope;

    use super::*;

    /// The outcome is unknown, but a look-up before that time is pointless.
    #[test]
    fn an_unavailable_eploy_says_until_when() {
        for (value, until) in [
            ("120", Some("2025-01-24T10:02:00Z")),
            (
                "Fri, 24 Jan 2025 10:05:00 GMT",
                Some("2025-01-24T10:05:00Z"),
            ),
            ("soon", None),
        ] {
            let down = answer(503, &[("retry-after", value)], "");
            let error = error(RECORD, &down, None);
            assert_eq!(error.phase, Phase::Unknown);
            assert_eq!(error.retry_at, until.map(at), "{value}");
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    const RECORD: RequestKind = RequestKind::Record(Permission::insert("Actions"));
    const LIST: RequestKind = RequestKind::List(Permission::view("Applications"));

    fn error(kind: RequestKind, answer: &Response, scopes: Option<&[&str]>) -> CallError {
        let granted: Option<BTreeSet<String>> =
            scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        ErrorContext {
            operation: "do this",
            kind,
            granted: granted.as_ref(),
            dialect: &Dialect::default(),
            now: at("2025-01-24T10:00:00Z"),
            permitted: false,
        }
        .error(answer)
    }

    #[test]
    fn statuses_and_texts_are_classified() {
        use Problem as P;
        let said = |text: &str| format!(r#"{{"error_message": "{text}"}}"#);
        let page = "<html role='quota'>Forbidden</html>";
        let html = "<html><title>403 - Forbidden: IP address rejected</title></html>";
        let table = [
            (
                RequestKind::Token,
                400,
                said("no such client"),
                P::Credentials,
            ),
            (
                RequestKind::Token,
                401,
                r#"{"error": "invalid_client"}"#.to_owned(),
                P::Credentials,
            ),
            (
                RequestKind::Token,
                403,
                r#"{"error": "invalid_client"}"#.to_owned(),
                P::Credentials,
            ),
            (
                RequestKind::Token,
                400,
                r#"{"error": "invalid_scope"}"#.to_owned(),
                P::Scope,
            ),
            (RequestKind::Token, 403, String::new(), P::IpForbidden),
            (
                RequestKind::Token,
                403,
                said("The API user must have exactly one role"),
                P::Role,
            ),
            (
                RequestKind::Token,
                404,
                "<html>no such site</html>".to_owned(),
                P::NoApi,
            ),
            (RequestKind::Token, 500, String::new(), P::Server),
            (RequestKind::Token, 403, page.to_owned(), P::IpForbidden),
            (RECORD, 403, page.to_owned(), P::Permission),
            (RECORD, 401, String::new(), P::TokenRefused),
            (RECORD, 403, html.to_owned(), P::IpForbidden),
            (
                RECORD,
                403,
                said("The IP range is not allowed"),
                P::IpForbidden,
            ),
            (RECORD, 403, said("Daily limit reached"), P::AllowanceEploy),
            (
                RECORD,
                403,
                said("You may not do this description"),
                P::Permission,
            ),
            (
                RECORD,
                404,
                said("No record could be found for the requested URI"),
                P::NotFound,
            ),
            (RECORD, 400, String::new(), P::Rejected),
            (RECORD, 422, String::new(), P::Rejected),
            (RECORD, 409, String::new(), P::Rejected),
            (LIST, 400, said("unknown route"), P::SearchRejected),
            (LIST, 404, String::new(), P::NotFound),
            (LIST, 404, html.to_owned(), P::WebPage),
            (RECORD, 410, "<html>".to_owned(), P::WebPage),
            (LIST, 429, String::new(), P::Throttled),
            (LIST, 408, String::new(), P::NoAnswer),
            (LIST, 301, String::new(), P::Redirected),
            (LIST, 502, "<html>".to_owned(), P::Server),
            (LIST, 101, String::new(), P::Unreadable),
        ];
        for (kind, status, body, expected) in table {
            let error = error(kind, &answer(status, &[], &body), None);
            assert_eq!(error.code, expected.code(), "{kind:?} {status} {body}");
        }
    }

    #[test]
    fn phase_and_scope_follow_from_the_kind() {
        let of = |kind, status| {
            let error = error(kind, &answer(status, &[], ""), None);
            (error.phase, error.scope)
        };
        assert_eq!(of(RECORD, 503), (Phase::Unknown, ErrorScope::Record));
        assert_eq!(of(RECORD, 400), (Phase::Refused, ErrorScope::Record));
        assert_eq!(of(RECORD, 404), (Phase::Refused, ErrorScope::Record));
        assert_eq!(of(RECORD, 403), (Phase::Refused, ErrorScope::Connection));
        assert_eq!(of(RECORD, 302), (Phase::Unknown, ErrorScope::Connection));
        assert_eq!(of(RECORD, 307), (Phase::Refused, ErrorScope::Connection));
        assert_eq!(of(RECORD, 429), (Phase::Throttled, ErrorScope::Record));
        assert_eq!(of(LIST, 400), (Phase::Refused, ErrorScope::Connection));
    }

    #[test]
    fn the_missing_permission_is_named_as_the_screen_names_it() {
        let refused = answer(403, &[], "");
        let missing = error(RECORD, &refused, Some(&["actions.read"]));
        assert!(
            missing.problem.contains("Actions: Insert is missing"),
            "{missing}"
        );
        let role = error(RECORD, &refused, Some(&["actions.insert"]));
        assert!(role.problem.contains("Role"), "{role}");
        let unknown = error(RECORD, &refused, None);
        assert!(
            unknown.problem.contains("needs Actions: Insert"),
            "{unknown}"
        );
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date() {
        let now = at("2025-01-24T10:00:00Z");
        let until = |value: &str| error(RECORD, &answer(429, &[("retry-after", value)], ""), None);
        for value in ["30", " 30 ", "Fri, 24 Jan 2025 10:00:30 GMT"] {
            let error = until(value);
            assert_eq!(
                (error.phase, error.retry_at),
                (Phase::Throttled, Some(at("2025-01-24T10:00:30Z"))),
                "{value}"
            );
            assert_eq!(error.code, Problem::Throttled.code(), "{value}");
        }
        let tomorrow = until("50400");
        assert_eq!(tomorrow.code, Problem::AllowanceEploy.code());
        assert_eq!(tomorrow.retry_at, Some(at("2025-01-25T00:00:00Z")));
        assert_eq!(
            until("Fri, 24 Jan 2020 10:00:30 GMT").retry_at,
            Some(now),
            "in the past"
        );
        assert_eq!(
            until("4000000000").retry_at,
            Some(at("2025-01-26T10:00:00Z")),
            "too far away"
        );
        assert_eq!(until("soon").retry_at, None);
    }

    #[test]
    fn a_bare_429_is_a_rate_limit() {
        for text in ["", "<h1>429 Too Many Requests</h1>", "Rate limit exceeded."] {
            let quiet = error(RECORD, &answer(429, &[], text), None);
            assert_eq!(quiet.code, Problem::Throttled.code(), "{text}");
        }
        let body = r#"{"error_message": "Daily call quota exceeded"}"#;
        let spent = error(RECORD, &answer(429, &[], body), None);
        assert_eq!(spent.code, Problem::AllowanceEploy.code());
        let brief = [("retry-after", "30")];
        let spent = error(RECORD, &answer(429, &brief, body), None);
        assert_eq!(spent.code, Problem::AllowanceEploy.code(), "as it says");
    }

    #[test]
    fn nothing_of_an_answer_is_quoted() {
        let body = r#"{"error_message": "Ada Example (ada@example.com) already has one."}"#;
        let refused = error(RECORD, &answer(422, &[], body), None).to_string();
        assert!(refused.contains("HTTP 422"), "{refused}");
        assert!(
            !refused.contains("Example") && !refused.contains("already"),
            "{refused}"
        );
    }
}
