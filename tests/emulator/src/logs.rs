//! What the functions log, and the metrics in it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::functions::Function;
use crate::{Error, Stack};

/// A line of a function's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub function: Function,
    /// What it says.
    pub text: String,
}

/// A metric that the functions put into their logs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions, with their values.
    pub dimensions: BTreeSet<(String, String)>,
}

impl Stack {
    /// Everything that all functions have logged so far.
    pub async fn log(&self) -> Result<Vec<Line>, Error> {
        let mut lines = Vec::new();
        for function in Function::ALL {
            lines.extend(self.log_of(function).await?);
        }
        Ok(lines)
    }

    /// Everything that a function has logged so far; an invocation's lines come with its end.
    pub async fn log_of(&self, function: Function) -> Result<Vec<Line>, Error> {
        let mut lines = Vec::new();
        let mut next = Value::Null;
        loop {
            let mut wanted =
                json!({"logGroupName": format!("/aws/lambda/{}-{function}", self.name())});
            if !next.is_null() {
                wanted["nextToken"] = next;
            }
            let target = "Logs_20140328.FilterLogEvents";
            let mut answer = self.caller().operation("logs", target, &wanted).await?;
            let events = answer["events"].as_array().cloned().unwrap_or_default();
            lines.extend(events.iter().filter_map(|event| {
                Some(Line {
                    function,
                    text: event["message"].as_str()?.to_owned(),
                })
            }));
            next = answer["nextToken"].take();
            if next.is_null() {
                return Ok(lines);
            }
        }
    }
}

impl Line {
    /// Whether an invocation begins with this line.
    pub fn begins(&self) -> bool {
        self.text.starts_with("START RequestId:")
    }

    /// The metrics in this line: those of `CloudWatch`'s embedded metric format.
    pub fn metrics(&self) -> Vec<Metric> {
        let line: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let mut found = Vec::new();
        for directive in items(&line["_aws"]["CloudWatchMetrics"]) {
            for metric in items(&directive["Metrics"]) {
                let Some(name) = metric["Name"]
                    .as_str()
                    .filter(|name| !line[*name].is_null())
                else {
                    continue;
                };
                for names in items(&directive["Dimensions"]) {
                    let dimensions = items(names).iter().filter_map(|name| {
                        let name = name.as_str()?;
                        Some((name.to_owned(), line[name].as_str()?.to_owned()))
                    });
                    found.push(Metric {
                        namespace: directive["Namespace"]
                            .as_str()
                            .unwrap_or_default()
                            .to_owned(),
                        name: name.to_owned(),
                        dimensions: dimensions.collect(),
                    });
                }
            }
        }
        found
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line {
            function: Function::Poll,
            text: text.to_owned(),
        }
    }

    #[test]
    fn metrics_are_read_with_their_dimensions_and_only_where_there_is_a_value() {
        let metrics = line(
            r#"{"_aws":{"CloudWatchMetrics":[{"Namespace":"Stagecall","Dimensions":[["Stack","Tier"]],"Metrics":[{"Name":"EployCalls"},{"Name":"Missing"}]}]},"Stack":"s","Tier":"above","EployCalls":20}"#,
        )
        .metrics();
        let dimensions = [("Stack", "s"), ("Tier", "above")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let calls = Metric {
            namespace: "Stagecall".to_owned(),
            name: "EployCalls".to_owned(),
            dimensions: dimensions.into(),
        };
        assert_eq!(metrics, [calls]);
        assert_eq!(line("START RequestId: 1 Version: $LATEST").metrics(), []);
    }
}
