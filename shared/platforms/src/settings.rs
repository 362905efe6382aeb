//! Settings and secrets, as a platform describes them.

use serde_json::Value;

pub struct Setting {
    pub key: &'static str,
    /// The allowed values.
    pub wants: Wants,
    /// Its effect, and the default.
    pub about: &'static str,
}

/// The allowed values of a setting.
pub enum Wants {
    /// `true` or `false`.
    Flag,
    OneOf(&'static [&'static str]),
    /// A whole number between these, both included.
    Whole(u64, u64),
    /// A text that passes the check, and the check in words.
    Text(fn(&str) -> bool, &'static str),
    /// Any value that passes the check, and the check in words.
    Value(fn(&Value) -> bool, &'static str),
}

pub struct Secret {
    /// Its name in the tenant's secret.
    pub key: &'static str,
    pub optional: bool,
    /// What it is and where a person gets it.
    pub about: &'static str,
}

impl Wants {
    pub(crate) fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Flag => value.is_boolean(),
            Self::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Self::Whole(least, most) => value
                .as_u64()
                .is_some_and(|number| (*least..=*most).contains(&number)),
            Self::Text(fits, _) => value.as_str().is_some_and(fits),
            Self::Value(fits, _) => fits(value),
        }
    }

    /// The allowed values, in words that follow "it must be".
    pub fn in_words(&self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::OneOf(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                words.join(" or ")
            }
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Text(_, what) | Self::Value(_, what) => (*what).to_owned(),
        }
    }
}
