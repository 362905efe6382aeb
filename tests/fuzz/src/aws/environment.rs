//! The environment of the functions.

use std::collections::BTreeMap;

use serde_json::Value;
use stagecall_runtime::Environment;

use crate::run::Target;

/// The variables, as a JSON object.
pub const TARGET: Target = Target {
    name: "environment",
    samples: &[
        r#"{"STAGECALL_STACK": "stagecall-dev", "STAGECALL_TABLE": "table", "STAGECALL_POLL_QUEUE": "https://sqs.example/poll", "STAGECALL_INVITE_QUEUE": "https://sqs.example/invite", "STAGECALL_RESULT_QUEUE": "https://sqs.example/result", "STAGECALL_BUS": "bus", "STAGECALL_SECRETS": "stagecall-dev", "AWS_REGION": "eu-west-2", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "whsec_secret", "AWS_SESSION_TOKEN": "opaque-token"}"#,
        r#"{"STAGECALL_STACK": "s", "STAGECALL_TABLE": "t", "STAGECALL_POLL_QUEUE": "p", "STAGECALL_INVITE_QUEUE": "i", "STAGECALL_RESULT_QUEUE": "r", "STAGECALL_BUS": "b", "STAGECALL_SECRETS": "s", "STAGECALL_SANDBOX": "true", "STAGECALL_TIMING": "{\"sweep_seconds\": 5, \"call_seconds\": 3.0, \"lease_seconds\": 5}", "AWS_REGION": "eu-west-2", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "whsec_secret", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}"#,
        r#"{"sweep_seconds": 5, "call_seconds": 90, "retry_seconds": -1, "lease_seconds": 1e300}"#,
    ],
    check: environment,
};

/// What the functions cannot do without.
const NEEDED: [&str; 10] = [
    "STAGECALL_STACK",
    "STAGECALL_TABLE",
    "STAGECALL_POLL_QUEUE",
    "STAGECALL_INVITE_QUEUE",
    "STAGECALL_RESULT_QUEUE",
    "STAGECALL_BUS",
    "STAGECALL_SECRETS",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
];

/// What no error and no log may have.
const SECRET: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// It is complete and its intervals go together, or every variable that is missing is named; no secret is repeated.
fn environment(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(value) = serde_json::from_slice::<Value>(input) else {
        return Ok(());
    };
    let mut variables: BTreeMap<String, String> = value
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    if !variables
        .keys()
        .any(|name| name.contains('_') && NEEDED.contains(&name.as_str()))
    {
        // Intervals alone, in an environment that is whole otherwise.
        for name in NEEDED {
            variables.insert(name.to_owned(), "whsec_secret".to_owned());
        }
        variables.insert("STAGECALL_TIMING".to_owned(), value.to_string());
        variables.insert("STAGECALL_STACK".to_owned(), "stack".to_owned());
    }
    let read = Environment::read(|name| variables.get(name).cloned());
    let is_missing = |name: &&str| {
        variables
            .get(*name)
            .is_none_or(|text| text.trim().is_empty())
    };
    let missing: Vec<&str> = NEEDED.into_iter().filter(|name| is_missing(name)).collect();
    let message = match &read {
        Ok(environment) => {
            if !missing.is_empty() {
                return Err(format!("it is taken for whole without {missing:?}"));
            }
            let problems = environment.timing.problems(environment.sandbox);
            if !problems.is_empty() {
                return Err(format!("intervals were accepted: {problems:?}"));
            }
            format!("{:?}", environment.aws.credentials)
        }
        Err(unusable) => {
            let message = unusable.to_string();
            if let Some(name) = missing.iter().find(|name| !message.contains(**name)) {
                return Err(format!("{name} is missing, and what is told is: {message}"));
            }
            message
        }
    };
    for name in SECRET {
        // What is short may be a part of anything.
        let secret = variables.get(name).filter(|secret| secret.trim().len() > 8);
        let elsewhere = |secret: &String| {
            let others = variables.iter().filter(|(other, _)| *other != name);
            others.into_iter().any(|(_, text)| text.contains(secret))
        };
        if let Some(secret) = secret
            && message.contains(secret)
            && !elsewhere(secret)
        {
            return Err(format!("{name} is repeated: {message}"));
        }
    }
    Ok(())
}
