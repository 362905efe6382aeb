//! What nobody outside knows of WeCP, as switches: each value is a plausible reading (shared/platforms/REFERENCE.md
//! §18), the default the likeliest one. Paths and names that the reference does not establish are here as texts.

use serde::{Deserialize, Serialize};

/// The switches of a WeCP account. A path stands without a slash at its ends; `{test}`, `{candidate}`,
/// `{group}` and `{interview}` in it stand for ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent yes or no about another system"
)]
pub struct Quirks {
    /// The status of a call with a wrong key or partner, 401 or 403 (§18).
    pub key_refused: u16,
    /// And its body.
    pub key_refused_body: KeyRefusedBody,
    /// What becomes of `X-WECP-Partner-Authorization` (§10).
    pub partner: Check,
    /// What becomes of `WECP-User-Email` (§10).
    pub acting_user: Check,
    /// The body of every other error (§17).
    pub error_body: ErrorBody,
    /// Where the tests are listed; inferred from the path of their candidates (§12).
    pub tests_path: String,
    /// The property that the list of tests is in; a bare array if absent.
    pub tests_in: Option<String>,
    /// What a test's id is called in that list.
    pub test_id_field: String,
    /// What a test's name is called in that list.
    pub test_name_field: String,
    /// Where a candidate is invited to a test, with `POST`; inferred, the path of their list (§12). Without
    /// `{test}`, the body names the test as `testId`.
    pub invite_path: String,
    /// How the body of an invitation names the candidate.
    pub invite_body: InviteBody,
    /// The property that the candidates are in, if they are in a list.
    pub invite_list_field: String,
    /// What a candidate's name is called there.
    pub invite_name_field: String,
    /// What a candidate's address is called there.
    pub invite_email_field: String,
    /// What an invitation is answered with.
    pub invite_answer: InviteAnswer,
    /// Whether that answer has the candidate's `link` (§16: the link is unique and private).
    pub invite_link: bool,
    /// Whether `sendEmail: false` keeps the mail of a test's invitation back, as it does for interviews (§15).
    pub honours_send_email: bool,
    /// Where `metadata` comes back (§11); it is kept in any case.
    pub metadata: Metadata,
    /// Whether a body without `metadata` is refused.
    pub requires_metadata: bool,
    /// What inviting an address to a test again does, or scheduling it for an interview again.
    pub duplicate: Duplicate,
    /// What the list of candidates is where there are none (§13).
    pub empty_list: EmptyList,
    /// Whether the list of a test that does not exist says so; otherwise it is as if it were empty.
    pub names_unknown_test: bool,
    /// Whether the list of candidates has those who have not finished.
    pub list_unfinished: bool,
    /// Whether a candidate has a `status`, in the words of the product (§16: `Not started`).
    pub status_text: bool,
    /// The labels in `candidateDetails` (§13: free-form).
    pub form_labels: FormLabels,
    /// How `testDuration` is written.
    pub test_duration: TestDuration,
    /// Where `proctoringData` is (§14).
    pub proctoring: Proctoring,
    /// What stands where nothing is known yet, as with whoever has not finished.
    pub not_known: NotKnown,
    /// What `POST ats/wecp/scheduleInterviews` does (§12).
    pub ats_schedule: Scheduling,
    /// What `POST orgs/{org}/groups/{group}/interviews/{interview}/scheduleInterviews` does (§12).
    pub org_schedule: Scheduling,
    /// Whether interviews and their candidates can be read; nothing is known of it.
    pub interview_reads: bool,
    /// Where the interviews are listed.
    pub interviews_path: String,
    /// Where the candidates of an interview are listed.
    pub interview_candidates_path: String,
    /// Where a candidate is put into a group with `POST`, and where its candidates are listed with `GET`; nothing is known
    /// of it. Without `{group}`, the body names the group as `groupId`, and nothing is listed. Nowhere if absent.
    pub group_path: Option<String>,
    /// Where a candidate is removed from a test or a group, with `DELETE`; nowhere if absent, as nothing is known of it.
    pub removal_path: Option<String>,
    /// Calls that the account may make in a second before it is throttled; no limit if absent (§17).
    pub calls_per_second: Option<u32>,
    /// The `Retry-After` header when it is throttled, in seconds; none if absent.
    pub retry_after: Option<u64>,
    /// The body of callbacks, for an account that has a `callback_url` (§17: not established).
    pub callback_body: CallbackBody,
    /// How often a callback is sent again when it was not answered with 2xx.
    pub callback_retries: u32,
    /// The time between these tries, in milliseconds.
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

/// The body of an answer that refuses the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRefusedBody {
    /// `{"message": "…"}`
    Json,
    /// Plain text.
    Text,
}

/// What becomes of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Nobody looks at it.
    Ignored,
    /// It may be missing, but not wrong.
    Checked,
    /// It has to be there and right.
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

/// How the body of an invitation names the candidate. `metadata` and `sendEmail` stand at the top in any case, and
/// may stand at a candidate of a list.
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

/// What an invitation is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteAnswer {
    /// `{"candidateId": …}`, of the first one if there are several.
    Candidate,
    /// `[{"candidateId": …}]`
    List,
    /// `{"message": "…"}`: who wants the id has to look it up.
    Message,
}

/// Where `metadata` comes back.
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

/// What inviting an address again does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// The candidate that was there; nobody hears anything. An interview is at the new time.
    SameId,
    /// The candidate that was there; they are written to again.
    SameIdSentAgain,
    /// Another candidate.
    NewId,
    /// 400.
    BadRequest,
    /// 409.
    Conflict,
}

/// What a list without candidates is.
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

/// What stands where nothing is known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotKnown {
    /// Nothing.
    LeftOut,
    /// `null`
    Null,
    /// Of numbers and durations 0, of texts an empty one, else `null`.
    Zero,
}

/// What scheduling does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheduling {
    /// Schedules and answers with what it scheduled.
    Answered,
    /// Schedules and answers `[]`.
    AnsweredEmpty,
    /// Schedules nothing and answers `[]`.
    Nothing,
    /// There is no such path.
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
