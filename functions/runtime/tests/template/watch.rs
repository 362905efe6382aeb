//! Rules for the alarms.
#![allow(clippy::unwrap_used, reason = "a part of the tests")]

use serde_json::{Value, json};
use stagecall_runtime::metrics::{NAMESPACE, RECORDS_FAILED};

use crate::rules::{Breaks, Rule, of_type};
use crate::{broken, template, yaml};

const RULES: &[Rule] = &[
    ("work that fails raises an alarm", failing_work),
    (
        "every queue raises an alarm when it is stuck and when it has dead letters",
        queues,
    ),
    ("every alarm notifies the topic", notifies),
];

fn watch() -> Value {
    yaml::read(include_str!("../../../../infra/deploy/watch.yaml"))
}

fn alarms(watch: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of_type(watch, "AWS::CloudWatch::Alarm").map(|(name, alarm)| (name, &alarm["Properties"]))
}

/// Functions that read from queues never fail as a whole, so Lambda's own metric of errors does not replace this one.
fn failing_work(watch: &Value) -> Breaks {
    let there = alarms(watch).any(|(_, alarm)| {
        alarm["Namespace"] == NAMESPACE
            && alarm["MetricName"] == RECORDS_FAILED
            && alarm["Dimensions"] == json!([{"Name": "Stack", "Value": {"Ref": "Stack"}}])
            && alarm["Threshold"] == 0
            && alarm["ComparisonOperator"] == "GreaterThanThreshold"
    });
    let missing = (!there).then(|| format!("none on {RECORDS_FAILED}"));
    missing.into_iter().collect()
}

/// By the names that the template gives the queues.
fn queues(watch: &Value) -> Breaks {
    let template = template();
    let watched = |metric: &str, queue: &str| {
        let dimensions = json!([{"Name": "QueueName", "Value": {"Fn::Sub": queue}}]);
        alarms(watch)
            .any(|(_, alarm)| alarm["MetricName"] == metric && alarm["Dimensions"] == dimensions)
    };
    let mut breaks = Breaks::new();
    for (name, queue) in of_type(&template, "AWS::SQS::Queue") {
        let gives_up = queue["Properties"]["RedrivePolicy"].is_null();
        let metric = if gives_up {
            "ApproximateNumberOfMessagesVisible"
        } else {
            "ApproximateAgeOfOldestMessage"
        };
        let queue = queue["Properties"]["QueueName"]["Fn::Sub"].as_str();
        let queue = queue.unwrap().replace("${AWS::StackName}", "${Stack}");
        if !watched(metric, &queue) {
            breaks.push(format!("{name}: none on {metric}"));
        }
    }
    breaks
}

fn notifies(watch: &Value) -> Breaks {
    let silent =
        alarms(watch).filter(|(_, alarm)| alarm["AlarmActions"] != json!([{"Ref": "Topic"}]));
    silent.map(|(name, _)| name.clone()).collect()
}

#[test]
fn the_alarms_follow_every_rule() {
    assert_eq!(broken(RULES, &watch()), Vec::<String>::new());
}

#[test]
fn the_readme_has_their_cost() {
    let many = alarms(&watch()).count();
    let cents = 10 * many;
    let cost = format!("{many} alarms ({}.{:02})", cents / 100, cents % 100);
    let about = include_str!("../../../../infra/deploy/README.md");
    assert!(about.contains(&cost), "infra/deploy/README.md: not {cost}");
}

#[test]
fn every_rule_detects_a_violation() {
    for (rule, place, value) in [
        (
            "work that fails",
            "/Resources/RecordsFailed/Properties/MetricName",
            json!("Records"),
        ),
        (
            "work that fails",
            "/Resources/RecordsFailed/Properties/Dimensions/0/Name",
            json!("Function"),
        ),
        (
            "every queue",
            "/Resources/ResultAge/Properties/Dimensions/0/Value/Fn::Sub",
            json!("${Stack}-results"),
        ),
        (
            "every queue",
            "/Resources/PollDeadLetters/Properties/MetricName",
            json!("ApproximateAgeOfOldestMessage"),
        ),
        (
            "every alarm",
            "/Resources/PollLag/Properties/AlarmActions",
            json!([]),
        ),
    ] {
        let mut watch = watch();
        *watch.pointer_mut(place).unwrap() = value;
        let broken = broken(RULES, &watch);
        assert!(
            broken.iter().any(|broken| broken.starts_with(rule)),
            "{place}: {broken:?}"
        );
    }
}
