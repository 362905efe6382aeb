//! What nobody outside knows of Willo, as switches: each value is a plausible reading (shared/platforms/REFERENCE.md
//! §9), the default the likeliest one.

use serde::{Deserialize, Serialize};

/// The switches of a Willo account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent property of another system"
)]
pub struct Quirks {
    /// (a) How the API key stands in `Authorization` (§2).
    pub authorization: Authorization,
    /// (b) What inviting an address to an interview again does (§4).
    pub duplicate: Duplicate,
    /// (c) Whether `external_id` comes back, and filters the list of participants (§3, §4).
    pub external_id: ExternalId,
    /// Whether `send_invite: false` keeps the invitation back (§4).
    pub honours_send_invite: bool,
    /// Whether the answer to an invitation, and the participant, has the candidate's link (§4).
    pub invite_link: bool,
    /// (d) The body of callbacks (§7).
    pub callback_body: CallbackBody,
    /// (e) How often a callback is sent again when it was not answered with 2xx (§7).
    pub callback_retries: u32,
    /// The time between these attempts, in milliseconds.
    pub callback_retry_ms: u64,
    /// (f) For how long links to recordings are valid, in seconds; for ever if absent (§5).
    pub media_seconds: Option<u64>,
    /// Calls that the account may make in a second before it is throttled; no limit if absent (§8).
    pub calls_per_second: Option<u32>,
    /// (g) The `Retry-After` header when it is throttled, in seconds; none if absent (§8).
    pub retry_after: Option<u64>,
    /// (h) What `PATCH` takes as a stage (§9).
    pub stage_patch: StagePatch,
    /// The format of a participant's stage.
    pub stage_shape: StageShape,
    /// Whether the rows of the list of participants have their state.
    pub list_shows_status: bool,
    /// The order of the list of participants.
    pub participants_order: Order,
    /// Whether recorded answers have transcripts (§5: depends on the plan).
    pub transcripts: bool,
    /// Whether a completed participant has a summary (§5).
    pub summary: bool,
    /// Whether a completed participant has a share link (§3: no call creates one).
    pub share_link: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            authorization: Authorization::Bare,
            duplicate: Duplicate::NewKey,
            external_id: ExternalId::Ignored,
            honours_send_invite: false,
            invite_link: true,
            callback_body: CallbackBody::Flat,
            callback_retries: 0,
            callback_retry_ms: 500,
            media_seconds: None,
            calls_per_second: None,
            retry_after: Some(30),
            stage_patch: StagePatch::Name,
            stage_shape: StageShape::Name,
            list_shows_status: true,
            participants_order: Order::OldestFirst,
            transcripts: true,
            summary: true,
            share_link: true,
        }
    }
}

/// The format of the API key in `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// Alone.
    Bare,
    /// After `Bearer`.
    Bearer,
    /// Either.
    Either,
}

/// The effect of inviting an address to an interview again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// 201 with the existing participant, without notification.
    SameKey,
    /// 201 with the existing participant, who is notified again.
    SameKeySentAgain,
    /// 201 with another participant.
    NewKey,
    /// 400 in the shape of a validation error.
    BadRequest,
    /// 409.
    Conflict,
}

/// The handling of an `external_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalId {
    /// Ignored in bodies and filters.
    Ignored,
    /// It is returned and filters.
    Echoed,
    /// It is returned, but does not filter.
    EchoedOnly,
}

/// The body of callbacks. None has the event's name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackBody {
    /// `{"key", "interview", "stage"}`
    Flat,
    /// `{"participant": {"key", …}, "interview": {"key"}}`
    Nested,
    /// `{"data": {…}}`
    Data,
    /// The same as reading the participant.
    Dump,
}

/// What `PATCH` accepts as a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StagePatch {
    /// Its name.
    Name,
    /// Its key.
    Key,
    /// Either.
    Either,
}

/// The format of a participant's stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageShape {
    /// `"Accepted"`
    Name,
    /// `{"key": …, "name": "Accepted"}`
    Object,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The oldest first.
    OldestFirst,
    /// The newest first, so that rows move between pages.
    NewestFirst,
}
