//! What must hold for the alarms.
#![allow(clippy::unwrap_used, reason = "a part of the tests")]

use serde_json::{Value, json};
use stagecall_runtime::measure::{NAMESPACE, RECORDS_FAILED};

use crate::broken;
use crate::rules::{Breaks, Rule, of_type};
use crate::yaml;

const RULES: &[Rule] = &[
    ("work that fails raises an alarm", failing_work),
    ("every alarm tells somebody", told),
];

fn watch() -> Value {
    yaml::read(include_str!("../../../../infra/deploy/watch.yaml"))
}

fn alarms(watch: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of_type(watch, "AWS::CloudWatch::Alarm").map(|(name, alarm)| (name, &alarm["Properties"]))
}

/// Functions that take from queues never fail as a whole, so Lambda's own metric of errors cannot stand for this one.
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

fn told(watch: &Value) -> Breaks {
    let silent =
        alarms(watch).filter(|(_, alarm)| alarm["AlarmActions"] != json!([{"Ref": "Topic"}]));
    silent.map(|(name, _)| name.clone()).collect()
}

#[test]
fn the_alarms_keep_every_rule() {
    assert_eq!(broken(RULES, &watch()), Vec::<String>::new());
}

#[test]
fn every_rule_notices_when_it_is_broken() {
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
