//! The environment variables that the template and Lambda set for every function, parsed.

use aws_sdk_dynamodb::config::Credentials;
use stagecall_aws::{Access, QueueUrls};
use stagecall_core::timing::Timing;

#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// The stack's name, a dimension of its metrics.
    pub stack: String,
    pub table: String,
    pub queues: QueueUrls,
    /// The name of the bus for domain events.
    pub bus: String,
    /// The prefix of the names of the tenants' secrets.
    pub secrets: String,
    /// Whether calls may go to loopback addresses and over http.
    pub sandbox: bool,
    pub timing: Timing,
    /// The AWS region and credentials. Set by Lambda, not by the template.
    pub aws: Access,
}

/// An invalid environment. Lists all problems.
#[derive(Debug, thiserror::Error)]
#[error("the environment is invalid: {}. Set it as template.yaml does", .0.join("; "))]
pub struct Unusable(pub Vec<String>);

impl Environment {
    pub fn of_process() -> Result<Self, Unusable> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables by name.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Unusable> {
        let mut reader = Reader {
            variable,
            problems: Vec::new(),
        };
        let sandbox = reader.flag("STAGECALL_SANDBOX");
        let environment = Self {
            stack: reader.text("STAGECALL_STACK"),
            table: reader.text("STAGECALL_TABLE"),
            queues: QueueUrls {
                poll: reader.text("STAGECALL_POLL_QUEUE"),
                invite: reader.text("STAGECALL_INVITE_QUEUE"),
                write_back: reader.text("STAGECALL_RESULT_QUEUE"),
            },
            bus: reader.text("STAGECALL_BUS"),
            secrets: reader.text("STAGECALL_SECRETS"),
            sandbox,
            timing: reader.timing("STAGECALL_TIMING", sandbox),
            aws: reader.access(),
        };
        if reader.problems.is_empty() {
            Ok(environment)
        } else {
            Err(Unusable(reader.problems))
        }
    }
}

/// Continues after a problem, so that all are reported at once.
struct Reader<V> {
    variable: V,
    problems: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing"));
            String::new()
        })
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.optional(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.problems
                    .push(format!("{name} is neither true nor false"));
                false
            }
        }
    }

    fn access(&mut self) -> Access {
        let (key, secret) = (
            self.text("AWS_ACCESS_KEY_ID"),
            self.text("AWS_SECRET_ACCESS_KEY"),
        );
        let session = self.optional("AWS_SESSION_TOKEN");
        Access {
            region: self.text("AWS_REGION"),
            credentials: Credentials::new(key, secret, session, None, "environment"),
            endpoint: self.optional("AWS_ENDPOINT_URL"),
        }
    }

    fn timing(&mut self, name: &str, sandbox: bool) -> Timing {
        let Some(text) = self.optional(name) else {
            return Timing::default();
        };
        match serde_json::from_str::<Timing>(&text) {
            Ok(timing) => {
                let problems = timing.problems(sandbox);
                self.problems.extend(
                    problems
                        .into_iter()
                        .map(|problem| format!("{name}: {problem}")),
                );
                timing
            }
            Err(error) => {
                self.problems.push(format!("{name}: {error}"));
                Timing::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn complete() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("STAGECALL_STACK", "stagecall-dev"),
            ("STAGECALL_TABLE", "table"),
            ("STAGECALL_POLL_QUEUE", "https://sqs.example/poll"),
            ("STAGECALL_INVITE_QUEUE", "https://sqs.example/invite"),
            ("STAGECALL_RESULT_QUEUE", "https://sqs.example/result"),
            ("STAGECALL_BUS", "bus"),
            ("STAGECALL_SECRETS", "stagecall-dev"),
            ("AWS_REGION", "eu-west-2"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
        ])
    }

    fn read(variables: &BTreeMap<&str, &str>) -> Result<Environment, Unusable> {
        Environment::read(|name| variables.get(name).map(ToString::to_string))
    }

    #[test]
    fn a_complete_environment_is_read_and_other_settings_have_defaults() {
        let environment = read(&complete()).unwrap();
        assert_eq!(environment.queues.write_back, "https://sqs.example/result");
        assert!(!environment.sandbox);
        assert_eq!(environment.timing, Timing::default());
    }

    #[test]
    fn intervals_can_be_set_one_by_one() {
        let mut variables = complete();
        variables.insert("STAGECALL_TIMING", r#"{"sweep_seconds": 5}"#);
        let timing = read(&variables).unwrap().timing;
        assert!((timing.sweep_seconds - 5.0).abs() < f64::EPSILON);
        assert!((timing.call_seconds - Timing::default().call_seconds).abs() < f64::EPSILON);
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let variables = BTreeMap::from([
            ("STAGECALL_STACK", " "),
            ("STAGECALL_TABLE", "table"),
            ("STAGECALL_SANDBOX", "perhaps"),
            (
                "STAGECALL_TIMING",
                r#"{"call_seconds": 90, "retry_seconds": -1}"#,
            ),
        ]);
        let problem = read(&variables).unwrap_err().to_string();
        for part in [
            "STAGECALL_STACK is missing",
            "STAGECALL_POLL_QUEUE is missing",
            "STAGECALL_INVITE_QUEUE is missing",
            "STAGECALL_RESULT_QUEUE is missing",
            "STAGECALL_BUS is missing",
            "STAGECALL_SECRETS is missing",
            "STAGECALL_SANDBOX is neither",
            "STAGECALL_TIMING: retry_seconds",
            "STAGECALL_TIMING: lease_seconds",
            "AWS_REGION is missing",
            "AWS_ACCESS_KEY_ID is missing",
            "AWS_SECRET_ACCESS_KEY is missing",
        ] {
            assert!(problem.contains(part), "{part} is not in: {problem}");
        }
        assert!(!problem.contains("STAGECALL_TABLE"), "{problem}");
    }
}
