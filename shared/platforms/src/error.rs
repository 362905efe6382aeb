//! A failed platform call, as an adapter sees it: classified by effect, like the core's [`CallError`], but without
//! clock and operation, which the driver adds.

use jiff::{SignedDuration, Timestamp};
use stagecall_core::error::{CallError, ErrorScope, Phase, ProblemCode, System};
use stagecall_core::timing::after;
use stagecall_http::Response;

use crate::problem;

/// What went wrong, and what may be assumed of the call's effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    /// What may be assumed of the call's effect.
    pub effect: Effect,
    pub scope: ErrorScope,
    /// The kind of problem, `platform.…`.
    pub code: ProblemCode,
    /// What went wrong, without a full stop, without personal data.
    pub problem: String,
    /// What a person should do, as a sentence.
    pub remedy: String,
    /// The earliest time of a retry, if the platform named one for a call that may have taken effect.
    pub wait: Option<Wait>,
}

/// What may be assumed of a call's effect. See [`Phase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// No effect: the request could not be built.
    NotSent,
    /// No effect: it was refused, and would be again.
    Refused,
    /// No effect: it came too soon; with the platform's wait.
    Throttled(Option<Wait>),
    Unknown,
}

/// The platform's wait before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    For(SignedDuration),
    /// Until this time.
    Until(Timestamp),
}

/// The maximum wait: an error in a platform's clock or header would otherwise stop a customer for good.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(24);

impl PlatformError {
    /// A request that cannot be built from its input.
    pub fn not_sent(code: ProblemCode, problem: impl Into<String>, remedy: &str) -> Self {
        Self::new(Effect::NotSent, code, problem, remedy)
    }

    /// A permanent refusal of this record.
    pub fn refused(code: ProblemCode, problem: impl Into<String>, remedy: &str) -> Self {
        Self::new(Effect::Refused, code, problem, remedy)
    }

    pub fn unreadable(problem: impl Into<String>) -> Self {
        Self::new(
            Effect::Unknown,
            problem::UNREADABLE.code,
            problem,
            problem::UNREADABLE.remedy,
        )
    }

    /// The meaning of a status on any platform that speaks plain HTTP. The platform's own explanation is not passed on:
    /// it may contain personal data.
    pub fn of_status(title: &str, answer: &Response) -> Self {
        let status = answer.status;
        match status {
            401 => Self::refused(
                problem::UNAUTHORIZED.code,
                format!("{title} does not accept the credentials (401)"),
                problem::UNAUTHORIZED.remedy,
            )
            .of_connection(),
            403 => Self::refused(
                problem::FORBIDDEN.code,
                format!("{title} does not permit this (403)"),
                problem::FORBIDDEN.remedy,
            )
            .of_connection(),
            404 => Self::refused(
                problem::NOT_FOUND.code,
                format!("{title} has no such record (404)"),
                problem::NOT_FOUND.remedy,
            ),
            429 => Self::new(
                Effect::Throttled(wait(answer)),
                problem::THROTTLED.code,
                format!("{title} asks to slow down (429)"),
                problem::THROTTLED.remedy,
            ),
            300..400 => Self::refused(
                problem::REDIRECTED.code,
                format!("{title} answers from another address ({status})"),
                problem::REDIRECTED.remedy,
            )
            .of_connection(),
            408 | 500.. => Self {
                wait: wait(answer),
                ..Self::new(
                    Effect::Unknown,
                    problem::UNAVAILABLE.code,
                    format!("{title} failed ({status})"),
                    problem::UNAVAILABLE.remedy,
                )
            },
            400..500 => Self::refused(
                problem::REFUSED.code,
                format!("{title} refuses the request ({status})"),
                problem::REFUSED.remedy,
            ),
            _ => Self::unreadable(format!("{title} answered with the status {status}")),
        }
    }

    /// The same, concerning the whole connection.
    pub fn of_connection(mut self) -> Self {
        self.scope = ErrorScope::Connection;
        self
    }

    fn new(effect: Effect, code: ProblemCode, problem: impl Into<String>, remedy: &str) -> Self {
        Self {
            effect,
            scope: ErrorScope::Record,
            code,
            problem: problem.into(),
            remedy: remedy.to_owned(),
            wait: None,
        }
    }

    /// The core's error. `back_off` is the wait after a platform asked to slow down without naming one.
    pub(crate) fn during(
        self,
        operation: &'static str,
        now: Timestamp,
        back_off: SignedDuration,
    ) -> CallError {
        let until = |wait: Wait| {
            let at = match wait {
                Wait::For(time) => after(now, time.min(MAX_WAIT)),
                Wait::Until(time) => time.min(after(now, MAX_WAIT)),
            };
            at.max(now)
        };
        let named = self.wait.map(until);
        let (phase, retry_at) = match self.effect {
            Effect::NotSent => (Phase::NotSent, named),
            Effect::Refused => (Phase::Refused, named),
            Effect::Unknown => (Phase::Unknown, named),
            Effect::Throttled(wait) => {
                let until = wait.map_or_else(|| after(now, back_off), until);
                (Phase::Throttled, Some(until))
            }
        };
        CallError {
            system: System::Platform,
            operation,
            phase,
            scope: self.scope,
            code: self.code,
            problem: self.problem,
            remedy: self.remedy,
            retry_at,
        }
    }
}

/// `Retry-After`, as seconds or as a date (RFC 9110 §10.2.3).
fn wait(answer: &Response) -> Option<Wait> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Wait::For(SignedDuration::from_secs(i64::from(seconds))));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Wait::Until(date.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    fn error(answer: &Response) -> CallError {
        PlatformError::of_status("Sample", answer).during(
            "test",
            now(),
            SignedDuration::from_secs(30),
        )
    }

    fn phase(answer: &Response) -> Phase {
        error(answer).phase
    }

    fn now() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn only_a_server_error_has_an_unknown_effect() {
        for status in [301, 302, 308, 400, 401, 403, 404, 405, 409, 415, 422] {
            assert_eq!(phase(&answer(status, &[])), Phase::Refused, "{status}");
        }
        for status in [408, 500, 502, 503, 504, 599, 100, 204] {
            assert_eq!(phase(&answer(status, &[])), Phase::Unknown, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_and_kept_within_bounds() {
        for (header, until) in [
            (Some("7"), "2026-11-22T09:00:07Z"),
            (
                Some("Sun, 22 Nov 2026 09:02:00 GMT"),
                "2026-11-22T09:02:00Z",
            ),
            (
                Some("Sun, 22 Nov 2026 08:00:00 GMT"),
                "2026-11-22T09:00:00Z",
            ),
            (Some("4000000000"), "2026-11-23T09:00:00Z"),
            (Some("soon"), "2026-11-22T09:00:30Z"),
            (None, "2026-11-22T09:00:30Z"),
        ] {
            let headers: Vec<_> = header.iter().map(|value| ("retry-after", *value)).collect();
            let error = error(&answer(429, &headers));
            assert_eq!(error.phase, Phase::Throttled, "{header:?}");
            assert_eq!(error.retry_at, Some(until.parse().unwrap()), "{header:?}");
        }
    }

    /// The outcome is unknown, but a look-up before that time is pointless.
    #[test]
    fn an_unavailable_platform_says_until_when() {
        let error = PlatformError::of_status("Sample", &answer(503, &[("retry-after", "120")]))
            .during("test", now(), SignedDuration::from_secs(30));
        assert_eq!(error.phase, Phase::Unknown);
        assert_eq!(
            error.retry_at,
            Some("2026-11-22T09:02:00Z".parse().unwrap())
        );
    }
}
