//! Checks the stack's logs and metrics.

use std::collections::BTreeSet;

use stagecall_emulator::{Function, Line, Metric, Stack};
use stagecall_tests::privacy::found;

use crate::member::Member;

/// The namespace of the functions' own metrics.
const OURS: &str = "Stagecall";

/// How often functions were invoked: by the schedule, by queues, over HTTP.
pub async fn invocations(stack: &Stack) -> (usize, usize, usize) {
    let (mut schedule, mut queue, mut http) = (0, 0, 0);
    for line in stack
        .log()
        .await
        .unwrap()
        .iter()
        .filter(|line| line.begins())
    {
        match line.function {
            Function::Clock => schedule += 1,
            Function::Poll | Function::Invite | Function::WriteBack => queue += 1,
            Function::Callback => http += 1,
        }
    }
    (schedule, queue, http)
}

/// Each alarm watches something that is there: a metric that the functions have measured, with the dimensions of the
/// alarm, or one of AWS's own about a function or a queue of the stack.
pub async fn metrics_for_the_alarms(stack: &Stack) {
    let log = stack.log().await.unwrap();
    let measured: BTreeSet<Metric> = log.iter().flat_map(Line::metrics).collect();
    let functions = Function::ALL.map(|function| format!("{}-{function}", stack.name()));
    let queues = ["poll", "invite", "result"].map(|queue| format!("{}-{queue}", stack.name()));
    let is_queue = |value: &str| {
        let home = value.strip_suffix("-dead").unwrap_or(value);
        queues.iter().any(|name| name == home)
    };
    let alarms = stack.alarms().await.unwrap();
    let of_ours = alarms
        .iter()
        .filter(|alarm| alarm.namespace == OURS)
        .count();
    assert!(of_ours >= 2 && alarms.len() >= 10, "{alarms:?}");
    for alarm in alarms {
        let names: Vec<&str> = alarm
            .dimensions
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let value = alarm.dimensions.first().map_or("", |(_, value)| value);
        let there = match (alarm.namespace.as_str(), names.as_slice()) {
            (OURS, _) => measured.contains(&Metric {
                namespace: OURS.to_owned(),
                name: alarm.metric.clone(),
                dimensions: alarm.dimensions.clone(),
            }),
            ("AWS/Lambda", ["FunctionName"]) => functions.iter().any(|name| name == value),
            ("AWS/SQS", ["QueueName"]) => is_queue(value),
            ("AWS/ApiGateway", ["ApiId"]) => stack.public_url().as_str().contains(value),
            _ => false,
        };
        assert!(
            there,
            "nothing measures what {alarm:?} watches; measured: {measured:#?}"
        );
    }
}

/// What a function logs if its role lacks an action.
const REFUSED: &str = "the role may not do this";

/// Log messages of failures without a retry: only the log shows them.
const FAILURES: [&str; 3] = [
    "events not published",
    "work not enqueued, it stays due",
    "retry times of failed records not set",
];

/// The allowed causes in this story, in which AWS is unreachable at times.
const OUTAGE_CAUSES: [&str; 4] = [
    "AWS took too long to answer",
    "AWS cannot be reached",
    "the answer of AWS was not understood",
    "no time left",
];

/// No function was refused anything, and every failure without consequences was caused by the AWS outage. So a missing
/// permission is noticed also where work continues without it.
pub async fn no_unexpected_failures(stack: &Stack) {
    let says = |line: &str, words: &[&str]| words.iter().any(|words| line.contains(words));
    for line in stack.log().await.unwrap() {
        let text = &line.text;
        let in_vain = says(text, &FAILURES) && !says(text, &OUTAGE_CAUSES);
        assert!(
            !in_vain && !text.contains(REFUSED),
            "{} says: {text}",
            line.function
        );
    }
}

/// None of these is in any function's log.
pub async fn nobody_in_the_logs(stack: &Stack, needles: &[String], members: &[&Member]) {
    let log = stack.log().await.unwrap();
    for line in &log {
        let there = found(line.text.as_bytes(), needles);
        assert!(
            there.is_empty(),
            "{there:?} in the log of {}: {}",
            line.function,
            line.text
        );
    }
    // The logs were read, and they tell of the tenants.
    for member in members {
        let name = member.tenant.id.as_str();
        assert!(
            log.iter().any(|line| line.text.contains(name)),
            "{name} is not in the logs"
        );
    }
}
