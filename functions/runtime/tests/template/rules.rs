//! Rules for the template that no linter has. Each returns the violations.
#![allow(clippy::unwrap_used, reason = "a part of the tests")]

use serde_json::Value;
use stagecall_aws::layout;

pub type Breaks = Vec<String>;

/// A rule in words, and the function that finds violations.
pub type Rule = (&'static str, fn(&Value) -> Breaks);

pub const RULES: &[Rule] = &[
    (
        "every action is named, and none goes over the whole table",
        actions,
    ),
    ("every statement is about resources of the stack", resources),
    ("every function has a role and a log of its own", functions),
    (
        "a message is not visible again while a function may have it",
        visibility,
    ),
    (
        "only failed records return, and concurrency is limited",
        mappings,
    ),
    ("a function may set when its failed records return", returns),
    (
        "a function that may enqueue to its own queue is not stopped for it",
        recursive_loops,
    ),
    ("every queue has its dead letters", dead_letters),
    ("every log has a retention", logs),
    ("every schedule can fire", schedules),
    ("a change of a parameter reaches the alias", versions),
    (
        "access logs are JSON and do not contain the path",
        access_logs,
    ),
    ("the table is as the store expects it, and safe", table),
];

pub fn of_type<'a>(
    template: &'a Value,
    kind: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let resources = template["Resources"].as_object().unwrap();
    resources
        .iter()
        .filter(move |(_, resource)| resource["Type"] == kind)
}

fn statements(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of_type(template, "AWS::IAM::Role").flat_map(|(name, role)| {
        let policies = role["Properties"]["Policies"].as_array().unwrap();
        let statements = policies
            .iter()
            .map(|policy| &policy["PolicyDocument"]["Statement"]);
        statements.flat_map(move |all| all.as_array().unwrap().iter().map(move |one| (name, one)))
    })
}

fn list(value: &Value) -> Vec<&Value> {
    value
        .as_array()
        .map_or_else(|| vec![value], |values| values.iter().collect())
}

fn actions(template: &Value) -> Breaks {
    let mut breaks = Breaks::new();
    for (role, statement) in statements(template) {
        for action in list(&statement["Action"]) {
            let action = action.as_str().unwrap_or("*");
            if action.contains('*')
                || action == "dynamodb:Scan"
                || action.starts_with("dynamodb:PartiQL")
            {
                breaks.push(format!("{role}: {action}"));
            }
        }
        if statement.get("NotAction").is_some() || statement.get("NotResource").is_some() {
            breaks.push(format!("{role}: everything but something"));
        }
    }
    for (name, function) in of_type(template, "AWS::Serverless::Function") {
        if function["Properties"].get("Policies").is_some() {
            breaks.push(format!("{name}: policies that are not in its role"));
        }
    }
    breaks
}

fn resources(template: &Value) -> Breaks {
    let mut breaks = Breaks::new();
    for (role, statement) in statements(template) {
        let secret = list(&statement["Action"]).iter().any(|action| {
            action
                .as_str()
                .is_some_and(|action| action.starts_with("secretsmanager:"))
        });
        for resource in list(&statement["Resource"]) {
            let own = if let Some(text) = resource["Fn::Sub"].as_str() {
                text.starts_with("${Table.Arn}/index/")
                    || text.ends_with(":secret:${AWS::StackName}/*")
            } else {
                resource["Fn::GetAtt"]
                    .as_str()
                    .is_some_and(|of| of.ends_with(".Arn"))
            };
            let fits = !secret
                || resource["Fn::Sub"]
                    .as_str()
                    .is_some_and(|text| text.contains(":secret:"));
            if !own || !fits {
                breaks.push(format!("{role}: {resource}"));
            }
        }
    }
    breaks
}

fn functions(template: &Value) -> Breaks {
    let mut roles: Vec<&Value> = Vec::new();
    let mut breaks = Breaks::new();
    for (name, function) in of_type(template, "AWS::Serverless::Function") {
        let role = &function["Properties"]["Role"];
        if !role.is_object() || roles.contains(&role) {
            breaks.push(format!("{name}: role {role}"));
        }
        roles.push(role);
        let log = &function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"];
        if !of_type(template, "AWS::Logs::LogGroup").any(|(group, _)| log == group) {
            breaks.push(format!("{name}: log {log}"));
        }
    }
    breaks
}

/// Every event source mapping, with its function and the name of its queue.
fn sources(template: &Value) -> Vec<(&String, &Value, &Value, &str)> {
    let mut sources = Vec::new();
    for (name, function) in of_type(template, "AWS::Serverless::Function") {
        for event in function["Properties"]["Events"]
            .as_object()
            .into_iter()
            .flat_map(|events| events.values())
        {
            if event["Type"] == "SQS" {
                let queue = event["Properties"]["Queue"]["Fn::GetAtt"]
                    .as_str()
                    .unwrap_or_default();
                sources.push((name, function, event, queue.trim_end_matches(".Arn")));
            }
        }
    }
    sources
}

fn visibility(template: &Value) -> Breaks {
    let sources = sources(template).into_iter();
    let too_short = sources.filter(|(_, function, _, queue)| {
        let timeout = function["Properties"]["Timeout"].as_u64().unwrap();
        let visible = template["Resources"][queue]["Properties"]["VisibilityTimeout"].as_u64();
        visible.is_none_or(|visible| visible < 6 * timeout)
    });
    too_short
        .map(|(name, _, _, queue)| format!("{queue} of {name}"))
        .collect()
}

fn mappings(template: &Value) -> Breaks {
    let sources = sources(template).into_iter();
    let unfit = sources.filter(|(_, _, event, _)| {
        let properties = &event["Properties"];
        let all_at_once =
            properties["FunctionResponseTypes"] != serde_json::json!(["ReportBatchItemFailures"]);
        all_at_once || properties["ScalingConfig"]["MaximumConcurrency"].is_null()
    });
    unfit
        .map(|(name, _, _, queue)| format!("{queue} of {name}"))
        .collect()
}

/// Whether a function's role lets it do this with a queue.
fn may(template: &Value, function: &Value, action: &str, queue: &str) -> bool {
    let role = function["Properties"]["Role"]["Fn::GetAtt"].as_str();
    let role = role.unwrap_or_default().trim_end_matches(".Arn");
    statements(template).any(|(of, statement)| {
        of == role
            && list(&statement["Action"]).contains(&&action.into())
            && list(&statement["Resource"])
                .iter()
                .any(|resource| resource["Fn::GetAtt"] == format!("{queue}.Arn"))
    })
}

fn returns(template: &Value) -> Breaks {
    let sources = sources(template).into_iter();
    let unable = sources.filter(|(_, function, _, queue)| {
        !may(template, function, "sqs:ChangeMessageVisibility", queue)
    });
    unable.map(|(name, ..)| name.clone()).collect()
}

fn recursive_loops(template: &Value) -> Breaks {
    let stopped = sources(template)
        .into_iter()
        .filter(|(_, function, _, queue)| {
            may(template, function, "sqs:SendMessage", queue)
                && function["Properties"]["RecursiveLoop"] != "Allow"
        });
    stopped.map(|(name, ..)| name.clone()).collect()
}

fn dead_letters(template: &Value) -> Breaks {
    let target = |queue: &Value| {
        let target =
            queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"].as_str()?;
        Some(target.trim_end_matches(".Arn").to_owned())
    };
    let queues: Vec<_> = of_type(template, "AWS::SQS::Queue").collect();
    let targets: Vec<_> = queues
        .iter()
        .filter_map(|(_, queue)| target(queue))
        .collect();
    let fits = |name: &String, queue: &Value| match target(queue) {
        Some(target) => queues.iter().any(|(name, _)| **name == target),
        None => targets.contains(name),
    };
    let unfit = queues.iter().filter(|(name, queue)| !fits(name, queue));
    unfit.map(|(name, _)| (*name).clone()).collect()
}

fn logs(template: &Value) -> Breaks {
    let groups = of_type(template, "AWS::Logs::LogGroup");
    let endless = groups.filter(|(_, group)| group["Properties"]["RetentionInDays"].is_null());
    endless.map(|(name, _)| name.clone()).collect()
}

fn schedules(template: &Value) -> Breaks {
    let mut breaks = Breaks::new();
    let mut schedules = 0;
    for (name, function) in of_type(template, "AWS::Serverless::Function") {
        for event in function["Properties"]["Events"]
            .as_object()
            .into_iter()
            .flat_map(|events| events.values())
        {
            if let Some(expression) = event["Properties"]["ScheduleExpression"].as_str() {
                schedules += 1;
                if !is_rate(expression) {
                    breaks.push(format!("{name}: {expression}"));
                }
            }
        }
    }
    if schedules == 0 {
        breaks.push("there is none".to_owned());
    }
    breaks
}

/// Whether this is a rate as EventBridge takes it: `rate(1 minute)`, `rate(5 minutes)`.
pub fn is_rate(expression: &str) -> bool {
    let inner = expression
        .strip_prefix("rate(")
        .and_then(|rest| rest.strip_suffix(')'));
    let Some((number, unit)) = inner.and_then(|inner| inner.split_once(' ')) else {
        return false;
    };
    match number.parse::<u32>() {
        Ok(1) => ["minute", "hour", "day"].contains(&unit),
        Ok(2..) => ["minutes", "hours", "days"].contains(&unit),
        _ => false,
    }
}

/// The parameters that must cause a new version, listed by hand: SAM compares only the template's text.
fn versions(template: &Value) -> Breaks {
    let globals = &template["Globals"]["Function"];
    let used = [&globals["LoggingConfig"], &globals["Environment"]].map(ToString::to_string);
    // Not `Timing`, which would be too long for a description.
    let parameters = template["Parameters"].as_object().unwrap().keys();
    let parameters: Vec<_> = parameters
        .filter(|name| name.as_str() != "Timing")
        .filter(|name| {
            used.iter()
                .any(|used| used.contains(&format!(r#"{{"Ref":"{name}"}}"#)))
        })
        .map(String::as_str)
        .chain(["Table"])
        .collect();
    let mut breaks = Breaks::new();
    for (name, function) in of_type(template, "AWS::Serverless::Function") {
        let properties = &function["Properties"];
        if properties["AutoPublishAlias"].is_null() {
            continue;
        }
        if properties["AutoPublishAliasAllProperties"] != true {
            breaks.push(format!("{name}: only its code causes a new version"));
        }
        let described = properties["VersionDescription"]["Fn::Sub"].as_str();
        let described = described.unwrap_or_default();
        let missing = parameters
            .iter()
            .filter(|parameter| !described.contains(&format!("${{{parameter}}}")));
        breaks.extend(missing.map(|parameter| format!("{name}: {parameter}")));
    }
    breaks
}

/// The variables allowed in an access log. Others could hold the path, and its last part is a token.
const ALLOWED: &[&str] = &[
    "$context.requestId",
    "$context.requestTime",
    "$context.routeKey",
    "$context.status",
    "$context.responseLength",
    "$context.responseLatency",
    // Not `messageString`, which brings its own quotation marks.
    "$context.error.message",
];

fn access_logs(template: &Value) -> Breaks {
    let mut breaks = Breaks::new();
    for (name, stage) in of_type(template, "AWS::ApiGatewayV2::Stage") {
        let format = stage["Properties"]["AccessLogSettings"]["Format"]
            .as_str()
            .unwrap_or_default();
        let Ok(Value::Object(fields)) = serde_json::from_str(format) else {
            breaks.push(format!("{name}: the format is not JSON: {format}"));
            continue;
        };
        let forbidden = fields
            .values()
            .filter(|value| !value.as_str().is_some_and(|value| ALLOWED.contains(&value)));
        breaks.extend(forbidden.map(|value| format!("{name}: {value}")));
        if !format.contains("$context.routeKey") {
            breaks.push(format!("{name}: no route"));
        }
    }
    breaks
}

fn table(template: &Value) -> Breaks {
    let mut breaks = Breaks::new();
    for (name, table) in of_type(template, "AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        let index = &properties["GlobalSecondaryIndexes"][0];
        for (place, is, should) in [
            (
                "partition key",
                &properties["KeySchema"][0]["AttributeName"],
                layout::PARTITION,
            ),
            (
                "sort key",
                &properties["KeySchema"][1]["AttributeName"],
                layout::SORT,
            ),
            ("index", &index["IndexName"], layout::INDEX),
            (
                "index partition key",
                &index["KeySchema"][0]["AttributeName"],
                layout::INDEX_PARTITION,
            ),
            (
                "index sort key",
                &index["KeySchema"][1]["AttributeName"],
                layout::INDEX_SORT,
            ),
            (
                "index projection",
                &index["Projection"]["NonKeyAttributes"][0],
                layout::WATCHED,
            ),
            (
                "expiry",
                &properties["TimeToLiveSpecification"]["AttributeName"],
                layout::EXPIRES,
            ),
            ("billing", &properties["BillingMode"], "PAY_PER_REQUEST"),
            ("deletion", &table["DeletionPolicy"], "Retain"),
            ("replacement", &table["UpdateReplacePolicy"], "Retain"),
        ] {
            if is != should {
                breaks.push(format!("{name}: {place} is {is} and should be {should}"));
            }
        }
        for (place, is) in [
            ("expiry", &properties["TimeToLiveSpecification"]["Enabled"]),
            (
                "recovery",
                &properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
            ),
            ("encryption", &properties["SSESpecification"]["SSEEnabled"]),
        ] {
            if is != true {
                breaks.push(format!("{name}: {place} is off"));
            }
        }
        if properties["DeletionProtectionEnabled"].is_null() {
            breaks.push(format!("{name}: it has no deletion protection"));
        }
    }
    breaks
}
