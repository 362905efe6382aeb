//! The settings of a Willo connection.

use serde_json::Value;
use stagecall_core::tenant::Settings;

use crate::settings::{Secret, Setting, Wants};

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        key: "auth_scheme",
        wants: Wants::OneOf(&["none", "bearer"]),
        // Bare: seen live; Bearer: one help article (REFERENCE.md §2).
        about: "How the key is sent: bare (\"none\", the default) or after the word Bearer.",
    },
    Setting {
        key: "send_invite",
        wants: Wants::Flag,
        // Sent by a customer, effect unverified (REFERENCE.md §4).
        about: "Whether Willo is asked to send the invitation. Without it: not said, and Willo sends it.",
    },
    Setting {
        key: "country_code",
        wants: Wants::Text(
            |text| matches!(text.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.len() < 3 && rest.iter().all(u8::is_ascii_digit)),
            "a text of one to three digits, such as \"44\"",
        ),
        about: "The country that telephone numbers without one are of. Without it: \"44\".",
    },
    Setting {
        key: "follow_all_interviews",
        wants: Wants::Flag,
        about: "Whether Willo calls back for every interview of the account. Without it: for the mapped ones.",
    },
];

pub(super) static SECRETS: &[Secret] = &[Secret {
    key: "api_key",
    optional: false,
    // REFERENCE.md §2, documented.
    about: "the integration key of an Admin or Owner, from Integrations in Willo",
}];

/// The settings, read. They have been validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Send the key after the word Bearer.
    pub bearer: bool,
    /// The value of `send_invite`, if set.
    pub send_invite: Option<bool>,
    /// The country that telephone numbers without one are of.
    pub country_code: String,
    /// Call back for every interview.
    pub follow_all_interviews: bool,
}

impl Options {
    pub fn read(settings: &Settings) -> Self {
        let text = |key| settings.get(key).and_then(Value::as_str);
        let flag = |key| settings.get(key).and_then(Value::as_bool);
        Self {
            bearer: text("auth_scheme") == Some("bearer"),
            send_invite: flag("send_invite"),
            country_code: text("country_code").unwrap_or("44").to_owned(),
            follow_all_interviews: flag("follow_all_interviews").unwrap_or(false),
        }
    }
}
