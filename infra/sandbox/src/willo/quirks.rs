//! What nobody outside knows of Willo, as switches: each value is a plausible reading (shared/platforms/REFERENCE.md
//! §9), the default the likeliest one.

use serde::{Deserialize, Serialize};

/// The switches of a Willo account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent yes or no about another system"
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
    /// The time between these tries, in milliseconds.
    pub callback_retry_ms: u64,
    /// (f) For how long links to recordings are valid, in seconds; for ever if absent (§5).
    pub media_seconds: Option<u64>,
    /// Calls that the account may make in a second before it is throttled; no limit if absent (§8).
    pub calls_per_second: Option<u32>,
    /// (g) The `Retry-After` header when it is throttled, in seconds; none if absent (§8).
    pub retry_after: Option<u64>,
    /// (h) What `PATCH` takes as a stage (§9).
    pub stage_patch: StagePatch,
    /// How a participant shows its stage.
    pub stage_shape: StageShape,
    /// Whether the rows of the list of participants show where they stand.
    pub list_shows_status: bool,
    /// In which order participants are listed.
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

/// How the API key stands in `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// Alone.
    Bare,
    /// After `Bearer`.
    Bearer,
    /// Either way.
    Either,
}

/// What inviting an address to an interview again does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// 201 with the participant that was there; the candidate hears nothing.
    SameKey,
    /// 201 with the participant that was there; the candidate is written to again.
    SameKeySentAgain,
    /// 201 with another participant.
    NewKey,
    /// 400 in the shape of a validation error.
    BadRequest,
    /// 409.
    Conflict,
}

/// What becomes of an `external_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalId {
    /// Nothing, neither in a body nor in a filter.
    Ignored,
    /// It comes back and filters.
    Echoed,
    /// It comes back, but does not filter.
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
    /// All that reading the participant gives.
    Dump,
}

/// What `PATCH` takes as a stage.
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

/// How a participant shows its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageShape {
    /// `"Accepted"`
    Name,
    /// `{"key": …, "name": "Accepted"}`
    Object,
}

/// An order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The oldest first.
    OldestFirst,
    /// The newest first, so that rows wander while somebody pages.
    NewestFirst,
}
