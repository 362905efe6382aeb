//! The dialect: how one customer's Eploy behaves where REFERENCE.md leaves it open. Every setting has the likeliest
//! reading as its default, so that most customers need none.

mod readings;
mod settings;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stagecall_core::ports::ChangeFeed;

pub use readings::{
    ActionLookUpBy, AnswerValues, Dates, History, IdCasing, IdValues, MoveBody, NoteFormat,
    QuestionsBody, ReadBy, TokenRequest, Zone,
};

/// The settings of one Eploy. Each names the source of its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dialect {
    /// Records per page of a search, 1 to 1000. Documented page sizes are 1 to 500, the maximum is not established; 100
    /// is the safe choice (REFERENCE.md §7, documented P-GROS).
    pub page_size: u32,
    /// What Eploy's dates mean. Not established (REFERENCE.md §8), so unknown unless somebody found out.
    pub dates: Dates,
    /// How changes of stage are noticed. That one moves the modification date is the likeliest reading and not settled
    /// (REFERENCE.md §8).
    pub feed: ChangeFeed,
    /// Whether that is certain. Until then a stage scan looks for what the feed missed.
    pub feed_settled: bool,
    /// The route that filters the status history by date, such as `StatusHistory.CreationDate`. Not established
    /// (REFERENCE.md §8, inferred from the pattern); the feed `status_history` needs it.
    pub history_date_route: Option<String>,
    /// The route that filters applications by the id of their stage, such as `Application.Workflow.Stage`. Not
    /// established (REFERENCE.md §6); without it applications are compared here.
    pub stage_route: Option<String>,
    /// The route that filters applications by the id of their vacancy, such as `Vacancy.VacancyId`. That one exists is
    /// documented (REFERENCE.md §6, V-DOC), its name is not; without it applications are compared here.
    pub vacancy_route: Option<String>,
    /// Whether the value of `Equals` may be a list that means "any of". Documented only by N-HERD (REFERENCE.md
    /// §6); without it, a filter is used where there is one value and left out where there are several.
    pub filter_lists: bool,
    /// How an id is written as a filter's value. Texts are documented (REFERENCE.md §6, V-CONTACT and P-GROS).
    pub filter_ids: IdValues,
    /// How an id is written in a body. Numbers are documented (REFERENCE.md §14, N-HERD).
    pub body_ids: IdValues,
    /// The last letters of id blocks in requests: `CandidateId` or `CandidateID`. Both are documented, and case is
    /// evidently ignored (REFERENCE.md §4, inferred).
    pub id_casing: IdCasing,

    /// Whether the status history of an application can be read (REFERENCE.md §11, documented P-GROS).
    pub history: History,
    /// The route that filters the status history by application (inferred from the pattern of REFERENCE.md §6). If
    /// Eploy refuses or ignores it, the application itself is read instead.
    pub history_route: String,
    /// How one application is read (`GET` is inferred, REFERENCE.md §9; the search is documented, P-GROS).
    pub read_application: ReadBy,
    /// The route that finds one application by id (inferred from the pattern of REFERENCE.md §6).
    pub application_id_route: String,
    /// The route that finds a candidate's applications. That applications can be found so is documented (REFERENCE.md
    /// §6, V-DOC), the name only for another search (N-HERD).
    pub application_candidate_route: String,
    /// How one candidate is read (`GET`: N-HERD; the search: P-GROS; REFERENCE.md §9).
    pub read_candidate: ReadBy,
    /// The route that finds one candidate by id (REFERENCE.md §6, documented N-HERD).
    pub candidate_id_route: String,
    /// How one vacancy is read (`GET`: N-HERD; the search: V-VAC and P-GROS; REFERENCE.md §9).
    pub read_vacancy: ReadBy,
    /// The route that finds one vacancy by id (inferred from the pattern of REFERENCE.md §6).
    pub vacancy_id_route: String,

    /// How the token is asked for: JSON is documented by the vendor, a form works too (REFERENCE.md §1).
    pub token_request: TokenRequest,
    /// The scopes to ask for, separated by commas. Without it, the token has everything the API key allows
    /// (REFERENCE.md §2, documented V-TOKEN).
    pub scope: Option<String>,

    /// The names of an action's fields (REFERENCE.md §14, documented N-HERD).
    pub action_fields: ActionFields,
    /// How an action whose creation had an unknown outcome is looked for (REFERENCE.md §14: the search is
    /// documented by P-GROS but not proven).
    pub action_look_up: ActionLookUpBy,
    /// The route that filters actions by candidate (the name is documented for another search, REFERENCE.md §6,
    /// N-HERD).
    pub action_candidate_route: String,
    /// The route that filters actions by vacancy as well (inferred); without it they are compared by Stagecall, which a
    /// candidate's few actions allow.
    pub action_vacancy_route: Option<String>,
    /// The block that makes an action search return the type, such as `ActionType` (inferred). Without it the type is
    /// compared only if the response has it anyway.
    pub action_type_block: Option<String>,

    /// The body that moves an application: not shown by any source, three shapes are plausible (REFERENCE.md §13).
    pub move_body: MoveBody,
    /// The body that answers custom questions (REFERENCE.md §15: a hypothesis).
    pub questions_body: QuestionsBody,
    /// How the answers in it are written (inferred).
    pub question_answers: AnswerValues,

    /// The path below `/api/` that a note is posted to, with `{application}` in place of the id
    /// (`applications/{application}/notes`). Not established (REFERENCE.md §14); without it no note can be written.
    pub notes_path: Option<String>,
    /// The field of a note's body that holds its text (inferred).
    pub note_text_field: String,
    /// The field of a note's body that holds the application's id, where the path does not say it (inferred).
    pub note_application_field: Option<String>,
    /// Whether a note's text is plain or HTML (inferred).
    pub note_format: NoteFormat,

    /// The path below `/api/` that marks an application as exported (REFERENCE.md §16: a hypothesis).
    pub export_path: String,
    /// The field of its body that holds the export package (REFERENCE.md §16: a hypothesis).
    pub export_package_field: String,
    /// The field of its body that holds the application (REFERENCE.md §16: a hypothesis).
    pub export_application_field: String,

    /// The path below `/api/` of a list of options, with `{list}` in place of its id (REFERENCE.md §12, documented
    /// V-DOC).
    pub options_path: String,
    /// The path below `/api/` of the list of lists, such as `options/dropdown` (REFERENCE.md §12, inferred). With it
    /// the lists of stages and statuses are found by name.
    pub options_index_path: Option<String>,
    /// The id of the list of stages; not established (REFERENCE.md §12).
    pub stages_list: Option<String>,
    /// The name of the list of stages (REFERENCE.md §12, documented V-STAGE).
    pub stages_list_name: String,
    /// The id of the list of application statuses; not established (REFERENCE.md §12).
    pub statuses_list: Option<String>,
    /// The name of the list of application statuses (REFERENCE.md §12, documented V-STAGE).
    pub statuses_list_name: String,
    /// The id of the list of action types; not established (REFERENCE.md §12).
    pub action_types_list: Option<String>,
    /// The name of the list of action types (inferred).
    pub action_types_list_name: String,
    /// The id of the list of action outcomes; not established (REFERENCE.md §12).
    pub outcomes_list: Option<String>,
    /// The name of the list of action outcomes (inferred).
    pub outcomes_list_name: String,

    /// Whose midnight renews the daily allowance. Not established; the one customer whose code is public assumes local
    /// time (REFERENCE.md §18, P-GROS).
    pub allowance_day: Zone,
    /// Words, in lower case, that tell a 403 about a spent allowance from one about a permission (REFERENCE.md §18:
    /// status and text are not established). A 429 always means "not now".
    pub allowance_words: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            page_size: 100,
            dates: Dates::Unknown,
            feed: ChangeFeed::ModificationDate,
            feed_settled: false,
            history_date_route: None,
            stage_route: None,
            vacancy_route: None,
            filter_lists: false,
            filter_ids: IdValues::Text,
            body_ids: IdValues::Number,
            id_casing: IdCasing::Id,
            history: History::Readable,
            history_route: "Application.ApplicationId".to_owned(),
            read_application: ReadBy::Get,
            application_id_route: "Application.ApplicationId".to_owned(),
            application_candidate_route: "Candidate.CandidateID".to_owned(),
            read_candidate: ReadBy::Get,
            candidate_id_route: "Candidate.CandidateID".to_owned(),
            read_vacancy: ReadBy::Get,
            vacancy_id_route: "Vacancy.VacancyId".to_owned(),
            token_request: TokenRequest::Json,
            scope: None,
            action_fields: ActionFields::default(),
            action_look_up: ActionLookUpBy::Search,
            action_candidate_route: "Candidate.CandidateID".to_owned(),
            action_vacancy_route: None,
            action_type_block: None,
            move_body: MoveBody::WorkflowIds,
            questions_body: QuestionsBody::Array,
            question_answers: AnswerValues::Text,
            notes_path: None,
            note_text_field: "Text".to_owned(),
            note_application_field: None,
            note_format: NoteFormat::Text,
            export_path: "export".to_owned(),
            export_package_field: "ExportPackageId".to_owned(),
            export_application_field: "ApplicationId".to_owned(),
            options_path: "options/dropdown/{list}".to_owned(),
            options_index_path: None,
            stages_list: None,
            stages_list_name: "Application Stage Names".to_owned(),
            statuses_list: None,
            statuses_list_name: "Applications Statuses".to_owned(),
            action_types_list: None,
            action_types_list_name: "Action Types".to_owned(),
            outcomes_list: None,
            outcomes_list_name: "Action Outcomes".to_owned(),
            allowance_day: Zone::Uk,
            allowance_words: [
                "allowance",
                "quota",
                "daily limit",
                "usage limit",
                "limit exceeded",
                "too many",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }
}

/// The names of an action's fields when it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ActionFields {
    pub action_type: String,
    pub candidate: String,
    pub vacancy: String,
    pub company: String,
    /// The outcome.
    pub outcome: String,
    pub start: String,
    pub completion: String,
    pub comments: String,
    pub link: String,
}

impl Default for ActionFields {
    fn default() -> Self {
        Self {
            action_type: "ActionTypeId".to_owned(),
            candidate: "CandidateId".to_owned(),
            vacancy: "VacancyId".to_owned(),
            company: "CompanyId".to_owned(),
            outcome: "ActionOutcomeId".to_owned(),
            start: "StartDate".to_owned(),
            completion: "CompletionDate".to_owned(),
            comments: "CommentsHTML".to_owned(),
            link: "ExternalProviderURL".to_owned(),
        }
    }
}

impl Dialect {
    pub(crate) fn filter_id(&self, id: &str) -> Value {
        id_value(self.filter_ids, id)
    }

    pub(crate) fn body_id(&self, id: &str) -> Value {
        id_value(self.body_ids, id)
    }

    /// A block's name in this dialect's casing.
    pub(crate) fn block(&self, name: &str) -> String {
        match (self.id_casing, name.strip_suffix("Id")) {
            (IdCasing::Upper, Some(stem)) => format!("{stem}ID"),
            _ => name.to_owned(),
        }
    }
}

fn id_value(how: IdValues, id: &str) -> Value {
    match (how, id.parse::<u64>()) {
        // Only without loss: the id "007" is not the number 7.
        (IdValues::Number, Ok(number)) if number.to_string() == id => number.into(),
        _ => id.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_numbers_only_without_loss() {
        let dialect = Dialect::default();
        assert_eq!(dialect.body_id("42"), json!(42));
        assert_eq!(dialect.body_id("007"), json!("007"));
        assert_eq!(dialect.body_id("ab"), json!("ab"));
        assert_eq!(dialect.filter_id("42"), json!("42"));
    }
}
