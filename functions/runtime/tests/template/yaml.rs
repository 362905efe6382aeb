//! Templates as JSON: `!Ref x` becomes `{"Ref": "x"}`, `!Sub x` becomes `{"Fn::Sub": "x"}`.
#![allow(clippy::unwrap_used, reason = "a part of the tests")]

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value};

pub fn read(text: &str) -> Value {
    let documents = Yaml::load_from_str(text).unwrap();
    json(&documents[0])
}

fn json(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(value)) => value.as_ref().into(),
        Yaml::Sequence(nodes) => nodes.iter().map(json).collect(),
        Yaml::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| (key.as_str().unwrap().to_owned(), json(value)))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Tagged(tag, node) => {
            let name = match tag.suffix.as_ref() {
                short @ ("Ref" | "Condition") => short.to_owned(),
                function => format!("Fn::{function}"),
            };
            Value::Object(Map::from_iter([(name, json(node))]))
        }
        other => panic!("unexpected in a template: {other:?}"),
    }
}
