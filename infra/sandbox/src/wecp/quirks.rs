//! What nobody outside knows of WeCP, as switches: each value is a plausible reading (shared/platforms/REFERENCE.md
//! §18), the default the likeliest one. Paths and names that the reference does not establish are here as texts.

use serde::{Deserialize, Serialize};

/// The switches of a WeCP account. Paths have no slash at their ends; `{test}`, `{candidate}`, `{group}` and `{interview}`
/// in them are ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent property of another system"
)]
pub struct Quirks {
    /// The status of a call with a wrong key or partner, 401 or 403 (§18).
    pub key_refused: u16,
    /// The body of that response.
    pub key_refused_body: KeyRefusedBody,
    /// What becomes of `X-WECP-Partner-Authorization` (§10).
    pub partner: Check,
    /// What becomes of `WECP-User-Email` (§10).
    pub acting_user: Check,
    /// The body of every other error (§17).
    pub error_body: ErrorBody,
    /// Where the tests are listed; inferred from the path of their candidates (§12).
    pub tests_path: String,
    /// The property that holds the list of tests; a bare array if absent.
    pub tests_in: Option<String>,
    /// The name of a test's id in that list.
    pub test_id_field: String,
    /// The name of a test's name in that list.
    pub test_name_field: String,
    /// Where a candidate is invited to a test, with `POST`; inferred, the path of their list (§12). Without
    /// `{test}`, the body names the test as `testId`.
    pub invite_path: String,
    /// How the body of an invitation holds the candidate.
    pub invite_body: InviteBody,
    /// The property that holds the candidates, if they are in a list.
    pub invite_list_field: String,
    /// The name of a candidate's name there.
    pub invite_name_field: String,
    /// The name of a candidate's address there.
    pub invite_email_field: String,
    /// The response to an invitation.
    pub invite_answer: InviteAnswer,
    /// Whether that answer has the candidate's `link` (§16: the link is unique and private).
    pub invite_link: bool,
    /// Whether `sendEmail: false` keeps the mail of a test's invitation back, as it does for interviews (§15).
    pub honours_send_email: bool,
    /// Where `metadata` comes back (§11); it is kept in any case.
    pub metadata: Metadata,
    /// Whether a body without `metadata` is rejected.
    pub requires_metadata: bool,
    /// The effect of inviting an address to a test again, or of scheduling it for an interview again.
    pub duplicate: Duplicate,
    /// What the list of candidates is where there are none (§13).
    pub empty_list: EmptyList,
    /// Whether the list of an unknown test returns an error; otherwise it looks empty.
    pub names_unknown_test: bool,
    /// Whether the list of candidates includes unfinished ones.
    pub list_unfinished: bool,
    /// Whether a candidate has a `status`, in the words of the product (§16: `Not started`).
    pub status_text: bool,
    /// The labels in `candidateDetails` (§13: free-form).
    pub form_labels: FormLabels,
    /// How `testDuration` is written.
    pub test_duration: TestDuration,
    /// Where `proctoringData` is (§14).
    pub proctoring: Proctoring,
    /// The value of fields that are not known yet, as for an unfinished candidate.
    pub not_known: NotKnown,
    /// What `POST ats/wecp/scheduleInterviews` does (§12).
    pub ats_schedule: Scheduling,
    /// What `POST orgs/{org}/groups/{group}/interviews/{interview}/scheduleInterviews` does (§12).
    pub org_schedule: Scheduling,
    /// Whether interviews and their candidates can be read; unknown.
    pub interview_reads: bool,
    /// The path of the list of interviews.
    pub interviews_path: String,
    /// The path of the candidates of an interview.
    pub interview_candidates_path: String,
    /// The path to add a candidate to a group with `POST`, and to list its candidates with `GET`; unknown. Without `{group}`,
    /// the body names the group as `groupId`, and there is no list. None if absent.
    pub group_path: Option<String>,
    /// The path to remove a candidate from a test or a group, with `DELETE`; none if absent, as it is unknown.
    pub removal_path: Option<String>,
    /// Calls that the account may make in a second before it is throttled; no limit if absent (§17).
    pub calls_per_second: Option<u32>,
    /// The `Retry-After` header when it is throttled, in seconds; none if absent.
    pub retry_after: Option<u64>,
    /// The body of callbacks, for an account that has a `callback_url` (§17: not established).
    pub callback_body: CallbackBody,
    /// The number of retries of a callback without a 2xx response.
    pub callback_retries: u32,
    /// The time between these attempts, in milliseconds.
    pub callback_retry_ms: u64,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            key_refused: 401,
            key_refused_body: KeyRefusedBody::Json,
            partner: Check::Checked,
            acting_user: Check::Checked,
            error_body: ErrorBody::Text,
            tests_path: "ats/wecp/tests".to_owned(),
            tests_in: None,
            test_id_field: "testId".to_owned(),
            test_name_field: "name".to_owned(),
            invite_path: "ats/wecp/tests/{test}/candidates".to_owned(),
            invite_body: InviteBody::Flat,
            invite_list_field: "candidates".to_owned(),
            invite_name_field: "name".to_owned(),
            invite_email_field: "email".to_owned(),
            invite_answer: InviteAnswer::Candidate,
            invite_link: true,
            honours_send_email: false,
            metadata: Metadata::Kept,
            requires_metadata: false,
            duplicate: Duplicate::NewId,
            empty_list: EmptyList::NotFound,
            names_unknown_test: true,
            list_unfinished: true,
            status_text: false,
            form_labels: FormLabels::English,
            test_duration: TestDuration::Clock,
            proctoring: Proctoring::Top,
            not_known: NotKnown::LeftOut,
            ats_schedule: Scheduling::Answered,
            org_schedule: Scheduling::Answered,
            interview_reads: true,
            interviews_path: "ats/wecp/interviews".to_owned(),
            interview_candidates_path: "ats/wecp/interviews/{interview}/candidates".to_owned(),
            group_path: Some("ats/wecp/groups/{group}/candidates".to_owned()),
            removal_path: None,
            calls_per_second: None,
            retry_after: Some(30),
            callback_body: CallbackBody::Ids,
            callback_retries: 0,
            callback_retry_ms: 500,
        }
    }
}

/// The body of a response that rejects the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRefusedBody {
    /// `{"message": "…"}`
    Json,
    /// Plain text.
    Text,
}

/// The handling of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Ignored.
    Ignored,
    /// Optional, but not wrong.
    Checked,
    /// Required and right.
    Required,
}

/// The body of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// Plain text.
    Text,
    /// `{"errorMessage": "…"}`
    ErrorMessage,
    /// `"…"`, as JSON.
    JsonString,
}

/// How the body of an invitation holds the candidate. `metadata` and `sendEmail` are at the top in any case, and may
/// be at a candidate of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteBody {
    /// `{"name": …, "email": …}`
    Flat,
    /// `{"candidates": [{"name": …, "email": …}]}`; a candidate may be an address alone.
    List,
    /// `{"candidateDetails": {"name": …, "email": …}}`
    Details,
}

/// The response to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteAnswer {
    /// `{"candidateId": …}`, of the first one if there are several.
    Candidate,
    /// `[{"candidateId": …}]`
    List,
    /// `{"message": "…"}`: the id has to be looked up.
    Message,
}

/// Where `metadata` is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metadata {
    /// Nowhere.
    Kept,
    /// At one candidate, and not in lists.
    Detail,
    /// Everywhere.
    Echoed,
}

/// The effect of inviting an address again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// The existing candidate, without notification. An interview moves to the new time.
    SameId,
    /// The existing candidate, who is notified again.
    SameIdSentAgain,
    /// Another candidate.
    NewId,
    /// 400.
    BadRequest,
    /// 409.
    Conflict,
}

/// The list without candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyList {
    /// 404 with `No candidate found`.
    NotFound,
    /// `[]`
    Array,
}

/// The labels of a test's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormLabels {
    /// `Name`, `Email`.
    English,
    /// `Full name`, `E-mail address`.
    EnglishLong,
    /// `Vollständiger Name`, `E-Mail-Adresse`.
    German,
    /// `नाम`, `ईमेल`.
    Hindi,
    /// `Name`, `Email`, and before them another person's address.
    SecondAddress,
    /// `Name` alone.
    NoAddress,
    /// None: the form is empty.
    None,
}

/// How `testDuration` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestDuration {
    /// `"01:30:00"`
    Clock,
    /// `90`
    Minutes,
    /// `5400`
    Seconds,
    /// `"5400000"`: milliseconds, as text.
    MillisecondsText,
    /// `"1 hour 30 minutes"`
    Words,
}

/// Where `proctoringData` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proctoring {
    /// At the top.
    Top,
    /// Under `raw`.
    Raw,
    /// Nowhere: the test was not proctored.
    None,
}

/// The value of fields that are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotKnown {
    /// Left out.
    LeftOut,
    /// `null`
    Null,
    /// Of numbers and durations 0, of texts an empty one, else `null`.
    Zero,
}

/// The effect of scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheduling {
    /// Schedules, and returns what was scheduled.
    Answered,
    /// Schedules, and returns `[]`.
    AnsweredEmpty,
    /// Schedules nothing, and returns `[]`.
    Nothing,
    /// The path does not exist.
    Absent,
}

/// The body of callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackBody {
    /// `{"candidateId", "quizId"}` or `{"_id", "interviewId"}`
    Ids,
    /// `{"event": "…", "data": {…}}` with all that reading the candidate gives.
    Wrapped,
    /// All that reading the candidate gives.
    Dump,
}
