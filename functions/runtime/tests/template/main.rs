//! The template, checked against rules that no linter has, and against what the functions expect.

mod rules;
mod watch;
mod yaml;

use std::collections::BTreeSet;

use rules::{RULES, Rule, is_rate};
use serde_json::{Value, json};
use stagecall_runtime::Environment;

fn template() -> Value {
    yaml::read(include_str!("../../../../template.yaml"))
}

/// The violations of the rules.
fn broken(rules: &[Rule], template: &Value) -> Vec<String> {
    let broken = rules.iter().flat_map(|(rule, check)| {
        check(template)
            .into_iter()
            .map(move |by| format!("{rule}: {by}"))
    });
    broken.collect()
}

#[test]
fn the_template_follows_every_rule() {
    assert_eq!(broken(RULES, &template()), Vec::<String>::new());
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_rule_detects_a_violation() {
    let cases: &[(&str, &str, Value)] = &[
        (
            "every action",
            "/Resources/PollRole/Properties/Policies/0/PolicyDocument/Statement/2/Action/0",
            json!("dynamodb:*"),
        ),
        (
            "every action",
            "/Resources/PollRole/Properties/Policies/0/PolicyDocument/Statement/2/Action/0",
            json!("dynamodb:Scan"),
        ),
        (
            "every statement",
            "/Resources/PollRole/Properties/Policies/0/PolicyDocument/Statement/2/Resource",
            json!("*"),
        ),
        (
            "every statement",
            "/Resources/PollRole/Properties/Policies/0/PolicyDocument/Statement/5/Resource/0/Fn::Sub",
            json!("arn:aws:secretsmanager:eu-west-2:1:secret:*"),
        ),
        (
            "every function",
            "/Resources/PollFunction/Properties/Role",
            json!({"Fn::GetAtt": "ClockRole.Arn"}),
        ),
        (
            "every function",
            "/Resources/PollFunction/Properties/LoggingConfig/LogGroup/Ref",
            json!("Elsewhere"),
        ),
        (
            "a message",
            "/Resources/PollFunction/Properties/Timeout",
            json!(181),
        ),
        (
            "a message",
            "/Resources/PollQueue/Properties/VisibilityTimeout",
            Value::Null,
        ),
        (
            "only failed records",
            "/Resources/PollFunction/Properties/Events/Queue/Properties/FunctionResponseTypes",
            json!([]),
        ),
        (
            "only failed records",
            "/Resources/PollFunction/Properties/Events/Queue/Properties/ScalingConfig",
            json!({}),
        ),
        (
            "a function may set",
            "/Resources/PollRole/Properties/Policies/0/PolicyDocument/Statement/1/Action/2",
            json!("sqs:GetQueueAttributes"),
        ),
        (
            "a function that may enqueue",
            "/Resources/PollFunction/Properties/RecursiveLoop",
            json!("Terminate"),
        ),
        (
            "every queue",
            "/Resources/PollQueue/Properties/RedrivePolicy",
            Value::Null,
        ),
        (
            "every log",
            "/Resources/PollLog/Properties/RetentionInDays",
            Value::Null,
        ),
        (
            "every schedule",
            "/Resources/ClockFunction/Properties/Events/EveryMinute/Properties/ScheduleExpression",
            json!("rate(1 minutes)"),
        ),
        (
            "access logs",
            "/Resources/CallbackStage/Properties/AccessLogSettings/Format",
            json!(r#"{"r": "$context.routeKey", "p": "$context.path"}"#),
        ),
        (
            "access logs",
            "/Resources/CallbackStage/Properties/AccessLogSettings/Format",
            json!(r#"{"r": "$context.routeKey", "e": "$context.error.messageString"}"#),
        ),
        (
            "a change of a parameter",
            "/Resources/CallbackFunction/Properties/AutoPublishAliasAllProperties",
            json!(false),
        ),
        (
            "a change of a parameter",
            "/Resources/CallbackFunction/Properties/VersionDescription/Fn::Sub",
            json!("table ${Table}, log level ${LogLevel}"),
        ),
        (
            "access logs",
            "/Resources/CallbackStage/Properties/AccessLogSettings/Format",
            json!("$context.routeKey"),
        ),
        (
            "the table",
            "/Resources/Table/Properties/KeySchema/0/AttributeName",
            json!("id"),
        ),
        (
            "the table",
            "/Resources/Table/Properties/SSESpecification/SSEEnabled",
            json!(false),
        ),
        (
            "the table",
            "/Resources/Table/DeletionPolicy",
            json!("Delete"),
        ),
    ];
    for (rule, place, value) in cases {
        let mut template = template();
        *template
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("{place} does not exist")) = value.clone();
        let broken = broken(RULES, &template);
        assert!(
            broken.iter().any(|broken| broken.starts_with(rule)),
            "{place} = {value}: {broken:?}"
        );
    }
}

#[test]
fn a_rate_is_one_of_a_unit_or_many_of_units() {
    for right in ["rate(1 minute)", "rate(5 minutes)", "rate(1 hour)"] {
        assert!(is_rate(right), "{right}");
    }
    for wrong in [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(1minute)",
        "1 minute",
        "rate(1 year)",
    ] {
        assert!(!is_rate(wrong), "{wrong}");
    }
}

#[test]
fn the_functions_find_their_environment_in_the_template() {
    let template = template();
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    let value = |name: &str| {
        if name.starts_with("AWS_") {
            return Some("given by Lambda".to_owned());
        }
        let reference = variables[name]["Ref"].as_str()?;
        let default = template["Parameters"][reference]["Default"].as_str();
        Some(default.unwrap_or("set").to_owned())
    };
    let environment = Environment::read(value).unwrap();
    assert!(!environment.sandbox);
    assert_eq!(
        variables.as_object().unwrap().len(),
        9,
        "each variable is one that the functions read"
    );
}

/// A function that SAM would build itself, or that no build makes, would be deployed in an unknown state.
#[test]
fn every_function_is_deployed_from_where_all_are_built_at_once() {
    let script = include_str!("../../../../infra/deploy/build");
    let [command] = script
        .split("cargo lambda build")
        .skip(1)
        .collect::<Vec<_>>()[..]
    else {
        panic!("not one invocation of cargo");
    };
    let folder = command.split("--lambda-dir ").nth(1).unwrap();
    let folder = folder.split_whitespace().next().unwrap();
    let names = command.split("--package=stagecall-{").nth(1).unwrap();
    let names = names.split('}').next().unwrap();
    let expected: BTreeSet<String> = names
        .split(',')
        .map(|name| format!("{folder}/stagecall-{name}"))
        .collect();
    let template = template();
    let functions: Vec<_> = rules::of_type(&template, "AWS::Serverless::Function").collect();
    let deployed: BTreeSet<String> = functions
        .iter()
        .map(|(_, function)| {
            function["Properties"]["CodeUri"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(deployed, expected);
    assert_eq!(deployed.len(), functions.len());
    for (name, function) in functions {
        assert_eq!(function["Metadata"]["SkipBuild"], true, "{name}");
    }
}

#[test]
fn only_the_network_policy_of_aws_is_used() {
    let template = template().to_string();
    let lent = template.matches(":aws:policy/").count();
    assert_eq!(
        (
            lent,
            template.matches("AWSLambdaVPCAccessExecutionRole").count()
        ),
        (3, 3)
    );
}
