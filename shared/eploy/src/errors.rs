//! Everything that can go wrong with Eploy, in one table: a stable code, how far the call got, whom it concerns, and what
//! is wrong and what to do in the words of Eploy's own screens (REFERENCE.md §2 and §18).

use std::fmt;

use stagecall_core::error::{CallError, ErrorScope, Phase, ProblemCode, System};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The configuration of the connection is invalid.
    Configuration,
    /// The operation needs a setting of the dialect.
    NotConfigured,
    /// The guard refuses the address.
    Guarded,
    /// There is no such host.
    HostUnknown,
    /// There is no connection: network or TLS.
    Unreachable,
    /// There is a server, but no Eploy API behind the address.
    NoApi,
    Redirected,
    /// Client id or secret are wrong.
    Credentials,
    /// The scopes asked for are not allotted.
    Scope,
    /// The user that the key runs as does not have exactly one role.
    Role,
    /// Our IP address is not allowed.
    IpForbidden,
    /// A token just issued is refused.
    TokenRefused,
    /// The API key or its user may not do this.
    Permission,
    /// This record may not be read or changed, while others of its kind may.
    RecordForbidden,
    /// Stagecall's share of the daily allowance is spent.
    AllowanceOurs,
    /// Eploy says that the allowance is spent.
    AllowanceEploy,
    /// Eploy asks to wait.
    Throttled,
    /// Stagecall's count of calls cannot be read or written, so no call may be made.
    AllowanceStore,
    /// The tenant's secret is missing or invalid.
    Secret,
    /// Stagecall's secret store does not answer.
    SecretStore,
    NoAnswer,
    TooLarge,
    /// Eploy failed.
    Server,
    /// The answer cannot be read.
    Unreadable,
    /// A success with something other than what was asked for.
    ErrorAnswer,
    /// A multi-page read makes no progress.
    PagesRepeat,
    /// A "not found" came as a web page. It may be from Eploy, or from another server in its place.
    WebPage,
    /// There is no such record.
    NotFound,
    /// A record, or its change, is refused.
    Rejected,
    /// A search is refused.
    SearchRejected,
    /// A search ignored its filter.
    FilterIgnored,
}

struct Row {
    code: ProblemCode,
    phase: Phase,
    scope: ErrorScope,
    problem: &'static str,
    remedy: &'static str,
}

impl Problem {
    /// Every kind, for documentation.
    pub const ALL: [Self; 31] = [
        Self::Configuration,
        Self::NotConfigured,
        Self::Guarded,
        Self::HostUnknown,
        Self::Unreachable,
        Self::NoApi,
        Self::Redirected,
        Self::Credentials,
        Self::Scope,
        Self::Role,
        Self::IpForbidden,
        Self::TokenRefused,
        Self::Permission,
        Self::RecordForbidden,
        Self::AllowanceOurs,
        Self::AllowanceEploy,
        Self::Throttled,
        Self::AllowanceStore,
        Self::Secret,
        Self::SecretStore,
        Self::NoAnswer,
        Self::TooLarge,
        Self::Server,
        Self::Unreadable,
        Self::ErrorAnswer,
        Self::PagesRepeat,
        Self::WebPage,
        Self::NotFound,
        Self::Rejected,
        Self::SearchRejected,
        Self::FilterIgnored,
    ];

    /// The stable name.
    pub fn code(self) -> ProblemCode {
        self.row().code
    }

    /// What is wrong, without a full stop.
    pub fn problem(self) -> &'static str {
        self.row().problem
    }

    /// What a person should do.
    pub fn remedy(self) -> &'static str {
        self.row().remedy
    }

    /// Whether `error` is of this kind.
    pub fn is(self, error: &CallError) -> bool {
        error.code == self.code()
    }

    /// The error of this kind. `detail` says more about this case, without personal data; it may be empty.
    pub(crate) fn error(self, operation: &'static str, detail: &str) -> CallError {
        let row = self.row();
        CallError {
            system: System::Eploy,
            operation,
            phase: row.phase,
            scope: row.scope,
            code: row.code,
            problem: if detail.is_empty() {
                row.problem.to_owned()
            } else {
                format!("{} ({detail})", row.problem)
            },
            remedy: row.remedy.to_owned(),
            retry_at: None,
        }
    }

    #[rustfmt::skip]
    #[allow(clippy::too_many_lines)] // A table.
    fn row(self) -> Row {
        use Phase::{NotSent, Refused, Throttled, Unknown};
        use ErrorScope::{Connection, Record};
        let (code, phase, scope, problem, remedy) = match self {
            Self::Configuration => ("eploy.configuration", NotSent, Connection,
                "the configuration of the Eploy connection is invalid",
                "Correct the settings named here"),
            Self::NotConfigured => ("eploy.not_configured", NotSent, Record,
                "this needs a setting of the Eploy dialect that is not set",
                "Set it, or take what needs it out of the mapping"),
            Self::Guarded => ("eploy.address_refused", NotSent, Connection,
                "the address of the Eploy system may not be called",
                "Set base_url to the https address of the Eploy system on the public internet, such as https://acme.eploy.net/"),
            Self::HostUnknown => ("eploy.host_unknown", NotSent, Connection,
                "there is no host of this name",
                "Check base_url: it must be the address at which you log in to Eploy, such as https://acme.eploy.net/"),
            Self::Unreachable => ("eploy.unreachable", NotSent, Record,
                "there is no connection to the Eploy system",
                "If it lasts, check base_url and whether Eploy can be reached from where Stagecall runs"),
            Self::NoApi => ("eploy.no_api", Refused, Connection,
                "there is no Eploy API at this address",
                "Check base_url: it must be the address at which you log in to Eploy (not the career site), and the API must be enabled on your Eploy system, which your Eploy Account Manager does"),
            Self::Redirected => ("eploy.redirected", Unknown, Connection,
                "the Eploy system answers with a redirect, which is not followed",
                "Check base_url: it must be the https address at which you log in to Eploy"),
            Self::Credentials => ("eploy.credentials", Refused, Connection,
                "Eploy does not accept the client id and secret",
                "Under Admin > Security Settings > API Keys, check that the key is still there and active, and store its Client ID and Client Secret again. The secret is shown only once: if it is lost, make a new key"),
            Self::Scope => ("eploy.scope", Refused, Connection,
                "the API key does not have the permissions that dialect.scope asks for",
                "Remove dialect.scope, or tick the same API Permissions on the key under Admin > Security Settings > API Keys"),
            Self::Role => ("eploy.role", Refused, Connection,
                "Eploy does not accept the Role of the API key's user",
                "Give the key's Run As User exactly one Role; a user with more than one cannot be used"),
            Self::IpForbidden => ("eploy.ip_forbidden", Refused, Connection,
                "Eploy does not accept calls from our IP address",
                "Open the API user in Eploy and add the address that Stagecall calls from under Restricted IP Access, as CIDR such as 203.0.113.7/32 (0.0.0.0/0 and ::/0 allow all). Without any range a key cannot connect at all"),
            Self::TokenRefused => ("eploy.token_refused", Refused, Connection,
                "Eploy refuses the token that it has just issued",
                "Under Admin > Security Settings > API Keys, check that the key and its Run As User are active"),
            Self::Permission => ("eploy.permission", Refused, Connection,
                "the API key may not do this",
                "Under Admin > Security Settings > API Keys, tick this permission under the key's API Permissions, and check that the Role and Admin Modules of its Run As User allow the same"),
            Self::RecordForbidden => ("eploy.record_forbidden", Refused, Record,
                "the API user may not read or change this record, while it may others",
                "Check that the Role of the API key's Run As User sees this record"),
            Self::AllowanceOurs => ("eploy.allowance_ours", Throttled, Connection,
                "the share of Eploy's daily call allowance that Stagecall keeps to is spent",
                "It is free again tomorrow. To have more, raise daily_calls, or poll less often with poll_seconds"),
            Self::AllowanceEploy => ("eploy.allowance_eploy", Throttled, Connection,
                "Eploy says that the daily call allowance is spent",
                "Compare today's count under Admin > Security Settings > API Keys with daily_calls: the allowance is shared by all keys. Lower daily_calls, or ask your Eploy Account Manager for another API Package"),
            Self::Throttled => ("eploy.throttled", Throttled, Record,
                "Eploy asks to wait before the next call",
                "If it happens often, raise poll_seconds"),
            Self::AllowanceStore => ("eploy.allowance_store", NotSent, Record,
                "Stagecall's own count of Eploy calls is not available, and no call is made uncounted",
                "If it lasts, check Stagecall's store"),
            Self::Secret => ("eploy.secret", NotSent, Connection,
                "the tenant's secret cannot be used",
                "Correct what is named here"),
            Self::SecretStore => ("eploy.secret_store", NotSent, Record,
                "Stagecall's store of secrets does not answer",
                "If it lasts, check that store"),
            Self::NoAnswer => ("eploy.no_answer", Unknown, Record,
                "Eploy did not answer",
                "If it lasts, see whether the Eploy system is up"),
            Self::TooLarge => ("eploy.answer_too_large", Unknown, Record,
                "Eploy's answer is too large",
                "Lower dialect.page_size"),
            Self::Server => ("eploy.server_error", Unknown, Record,
                "Eploy failed",
                "If it lasts, ask Eploy Support"),
            Self::Unreadable => ("eploy.answer_unreadable", Unknown, Record,
                "Eploy's answer cannot be read",
                "If it lasts, check base_url, and whether a proxy between Stagecall and Eploy answers in its place"),
            Self::ErrorAnswer => ("eploy.error_answer", Unknown, Record,
                "Eploy answers with success, but not with the requested data",
                "If it lasts, ask Eploy Support"),
            Self::PagesRepeat => ("eploy.pages_repeat", Refused, Connection,
                "Eploy returns the same page of a list repeatedly, so the list cannot be read to its end",
                "Ask Eploy Support how this Eploy pages its searches. Until then, raise dialect.page_size so far that everything comes on one page"),
            Self::WebPage => ("eploy.web_page", Unknown, Record,
                "a web page came in place of Eploy's answer",
                "If it lasts, check base_url, and whether a proxy between Stagecall and Eploy answers in its place"),
            Self::NotFound => ("eploy.not_found", Refused, Record,
                "Eploy has no such record",
                "It was deleted, or the API user's Role does not see it"),
            Self::Rejected => ("eploy.rejected", Refused, Record,
                "Eploy refuses this",
                "Check the ids that the mapping names (action type, outcomes, questions, stage, status, export package) against Eploy, and the settings of the dialect for this call"),
            Self::SearchRejected => ("eploy.search_rejected", Refused, Connection,
                "Eploy refuses the search",
                "Check the routes and the page size in the dialect"),
            Self::FilterIgnored => ("eploy.filter_ignored", Refused, Connection,
                "Eploy answers the search with other records than the requested ones",
                "The route for this search in the dialect is not one that this Eploy knows; correct it"),
        };
        Row { code, phase, scope, problem, remedy }
    }
}

/// The level of a permission, in the words of Eploy's screens (REFERENCE.md §2, documented P-MERGE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    View,
    Insert,
    Update,
}

/// A permission of an API key: which call needs which is inferred by name (REFERENCE.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The area, as Eploy's screens call it ("Actions").
    pub area: &'static str,
    pub level: Level,
}

impl Permission {
    pub(crate) const fn view(area: &'static str) -> Self {
        Self {
            area,
            level: Level::View,
        }
    }

    pub(crate) const fn insert(area: &'static str) -> Self {
        Self {
            area,
            level: Level::Insert,
        }
    }

    pub(crate) const fn update(area: &'static str) -> Self {
        Self {
            area,
            level: Level::Update,
        }
    }

    /// The scope that grants it (`actions.insert`).
    pub fn scope(self) -> String {
        let level = match self.level {
            Level::View => "read",
            Level::Insert => "insert",
            Level::Update => "update",
        };
        format!("{}.{level}", self.area.to_ascii_lowercase())
    }
}

impl fmt::Display for Permission {
    /// As the administrator sees it: `Actions: Insert`.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {:?}", self.area, self.level)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_code_and_a_remedy() {
        let codes: BTreeSet<_> = Problem::ALL.iter().map(|problem| problem.code()).collect();
        assert_eq!(codes.len(), Problem::ALL.len());
        for problem in Problem::ALL {
            assert!(problem.code().starts_with("eploy."), "{problem:?}");
            for text in [problem.problem(), problem.remedy()] {
                assert!(
                    !text.is_empty() && !text.ends_with('.'),
                    "{problem:?}: {text}"
                );
            }
        }
    }

    /// Nothing works without it, and nobody would be notified if it counted for a single record.
    #[test]
    fn a_missing_secret_concerns_the_whole_connection() {
        let error = Problem::Secret.error("poll", "there is no secret");
        assert_eq!(error.scope, ErrorScope::Connection);
        // A store that does not answer is tried again, and suspends no tenant.
        let error = Problem::SecretStore.error("poll", "it took too long");
        assert_eq!(error.scope, ErrorScope::Record);
    }

    #[test]
    fn a_permission_is_named_as_scope_and_as_on_the_screen() {
        let permission = Permission::insert("Actions");
        assert_eq!(permission.scope(), "actions.insert");
        assert_eq!(permission.to_string(), "Actions: Insert");
        assert_eq!(
            Permission::view("Applications").scope(),
            "applications.read"
        );
    }
}
