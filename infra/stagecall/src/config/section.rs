//! Reads a TOML table key by key, and collects all problems.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

pub(crate) struct Section<'a> {
    table: &'a Table,
    path: String,
    known: BTreeSet<String>,
}

impl<'a> Section<'a> {
    /// The table at `path`, the name that problems give it.
    pub(crate) fn new(table: &'a Table, path: impl Into<String>) -> Self {
        Self {
            table,
            path: path.into(),
            known: BTreeSet::new(),
        }
    }

    /// The full name of a key.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A required value. `right` describes a valid one.
    pub(crate) fn required<T: DeserializeOwned>(
        &mut self,
        key: &str,
        right: &str,
        problems: &mut Vec<String>,
    ) -> Option<T> {
        if self.table.contains_key(key) {
            return self.optional(key, right, problems);
        }
        self.known.insert(key.to_owned());
        problems.push(format!("{} is missing; give {right}", self.name(key)));
        None
    }

    /// An optional value.
    pub(crate) fn optional<T: DeserializeOwned>(
        &mut self,
        key: &str,
        right: &str,
        problems: &mut Vec<String>,
    ) -> Option<T> {
        self.known.insert(key.to_owned());
        let value = self.table.get(key)?;
        match value.clone().try_into() {
            Ok(value) => Some(value),
            Err(error) => {
                let what = error.message().trim_end().replace('\n', " ");
                problems.push(format!(
                    "{} is {} and cannot be used ({what}); give {right}",
                    self.name(key),
                    shown(value)
                ));
                None
            }
        }
    }

    /// Whether the key holds a string. Asking marks the key as known.
    pub(crate) fn is_text(&mut self, key: &str) -> bool {
        self.known.insert(key.to_owned());
        self.table.get(key).is_some_and(Value::is_str)
    }

    /// A table within this one; an empty one if it is left out.
    pub(crate) fn table(&mut self, key: &str, problems: &mut Vec<String>) -> Option<&'a Table> {
        self.known.insert(key.to_owned());
        match self.table.get(key)? {
            Value::Table(table) => Some(table),
            other => {
                problems.push(format!(
                    "{} is {}; it must be a table",
                    self.name(key),
                    shown(other)
                ));
                None
            }
        }
    }

    /// A list of tables within this one.
    pub(crate) fn tables(&mut self, key: &str, problems: &mut Vec<String>) -> Vec<&'a Table> {
        self.known.insert(key.to_owned());
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let list: Option<Vec<_>> = value
            .as_array()
            .map(|items| items.iter().map(Value::as_table).collect::<Option<_>>())
            .unwrap_or_default();
        list.unwrap_or_else(|| {
            problems.push(format!(
                "{} must be a list of tables: [[{}]]",
                self.name(key),
                self.name(key)
            ));
            Vec::new()
        })
    }

    /// Adds a problem for every key that was not read.
    pub(crate) fn finish(self, problems: &mut Vec<String>) {
        for key in self.table.keys() {
            if !self.known.contains(key) {
                let known: Vec<_> = self.known.iter().map(String::as_str).collect();
                problems.push(format!(
                    "{} is not a known key; known keys are {}",
                    self.name(key),
                    known.join(", ")
                ));
            }
        }
    }
}

/// A value as a problem shows it: its type, and its text if that is short.
fn shown(value: &Value) -> String {
    match value {
        Value::Table(_) => "a table".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => other.to_string(),
    }
}
