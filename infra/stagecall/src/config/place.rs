//! Places in a TOML document, such as `tenant[0].eploy.base_url`.

use std::fmt;

use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The steps from the document to a value in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(Vec<Step>);

impl Place {
    /// Where reading `root` failed. What `root` does not have, such as the name of a variant, is left out.
    pub(super) fn of_error(path: &Path, root: &Value) -> Self {
        let mut place = Self::default();
        for segment in path {
            let next = match segment {
                Segment::Seq { index } => place.index(*index),
                Segment::Map { key } => place.key(key),
                Segment::Enum { variant } => place.key(variant),
                Segment::Unknown => break,
            };
            if next.value(root).is_none() {
                break;
            }
            place = next;
        }
        place
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The place of a key inside tables: dots separate the names.
    pub(super) fn keys(&self, dotted: &str) -> Self {
        dotted
            .split('.')
            .fold(self.clone(), |place, key| place.key(key))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The place of what holds this value; `None` for the document itself.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, before) = self.0.split_last()?;
        Some(Self(before.to_vec()))
    }

    /// The keys on the way, with `[]` for an element of a list.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.as_str(),
                Step::Index(_) => "[]",
            })
            .collect()
    }

    pub(super) fn value<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(*index),
        })
    }

    pub(super) fn value_mut<'a>(&self, root: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::Index(index) => value.get_mut(*index),
        })
    }

    /// Removes a value from its table.
    pub(super) fn take(&self, root: &mut Value) -> Option<Value> {
        let Some(Step::Key(key)) = self.0.last() else {
            return None;
        };
        let table = self.parent()?.value_mut(root)?.as_table_mut()?;
        table.remove(key)
    }

    /// Puts a value where there is none, with the tables around it. Returns it if that is impossible.
    pub(super) fn put(&self, root: &mut Value, value: Value) -> Result<(), Value> {
        let Some((Step::Key(key), before)) = self.0.split_last() else {
            return Err(value);
        };
        let parent = before.iter().try_fold(root, |value, step| match step {
            Step::Key(key) => Some(
                value
                    .as_table_mut()?
                    .entry(key)
                    .or_insert_with(|| Table::new().into()),
            ),
            Step::Index(index) => value.get_mut(*index),
        });
        match parent.and_then(Value::as_table_mut) {
            Some(table) if !table.contains_key(key) => {
                table.insert(key.clone(), value);
                Ok(())
            }
            _ => Err(value),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => to.write_str(key)?,
                Step::Key(key) => write!(to, ".{key}")?,
                Step::Index(index) => write!(to, "[{index}]")?,
            }
        }
        Ok(())
    }
}
