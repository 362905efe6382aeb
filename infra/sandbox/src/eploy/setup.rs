//! What every system has from the beginning. The numbers of the first four lists are Eploy's own
//! (shared/eploy/REFERENCE.md §12); all others, and every id within a list, differ from customer to customer, and are
//! this sandbox's choice.

use super::model::StageKind::{Action, Application, Placement};
use super::model::{AnswerType, Asked, Named, Question, Stage, Workflow};

/// Vacancy Status.
pub(crate) const VACANCY_STATUSES: u64 = 50;
/// Export Packages.
pub(crate) const EXPORT_PACKAGES: u64 = 86;
/// Placement Status.
pub(crate) const PLACEMENT_STATUSES: u64 = 91;
/// File Types.
pub(crate) const FILE_TYPES: u64 = 193;
/// Application Stage Names.
pub(crate) const STAGE_NAMES: u64 = 60;
/// Applications Statuses.
pub(crate) const STATUSES: u64 = 61;
/// Action Types.
pub(crate) const ACTION_TYPES: u64 = 70;
/// Action Outcomes.
pub(crate) const OUTCOMES: u64 = 71;

/// The stage of new applications.
pub(crate) const FIRST_STAGE: u64 = 10;
/// The stage and status of an application that the candidate has withdrawn.
pub(crate) const WITHDRAWN: (u64, u64) = (17, 39);
/// The stage of hired candidates.
pub(crate) const OFFERS: u64 = 15;

/// A list of options.
pub(crate) struct List {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) options: Vec<Named>,
}

fn list(id: u64, name: &'static str, options: &[(u64, &str)]) -> List {
    List {
        id,
        name,
        options: options
            .iter()
            .map(|(id, name)| Named {
                id: *id,
                name: (*name).to_owned(),
                archived: None,
            })
            .collect(),
    }
}

pub(crate) fn lists() -> Vec<List> {
    vec![
        list(
            VACANCY_STATUSES,
            "Vacancy Status",
            &[
                (1, "Draft"),
                (2, "Awaiting Approval"),
                (3, "Live"),
                (4, "Closed"),
            ],
        ),
        list(
            EXPORT_PACKAGES,
            "Export Packages",
            &[(4, "New Starter Export"), (5, "Assessment Export")],
        ),
        list(
            PLACEMENT_STATUSES,
            "Placement Status",
            &[
                (3, "Offer Accepted"),
                (4, "Contract Accepted"),
                (6, "Onboarding Checked - Candidate Ready"),
            ],
        ),
        list(FILE_TYPES, "File Types", &[(2, "CV"), (3, "Cover Letter")]),
        list(
            STAGE_NAMES,
            "Application Stage Names",
            &[
                (10, "Application Review"),
                (11, "Shortlist"),
                (12, "Video Interview"),
                (13, "Skills Test"),
                (14, "Second Interview"),
                (OFFERS, "Offers & Placements"),
                (16, "Unsuccessful"),
                (WITHDRAWN.0, "Withdrawn"),
            ],
        ),
        list(
            STATUSES,
            "Applications Statuses",
            &[
                (30, "New"),
                (31, "In Review"),
                (34, "To Be Completed"),
                (35, "Completed"),
                (36, "Passed"),
                (37, "On Hold"),
                (38, "Rejected"),
                (WITHDRAWN.1, "Withdrawn"),
            ],
        ),
        list(
            ACTION_TYPES,
            "Action Types",
            &[
                (42, "Video Interview"),
                (43, "Skills Test"),
                (44, "Second Interview"),
            ],
        ),
        list(
            OUTCOMES,
            "Action Outcomes",
            &[
                (101, "Invited"),
                (102, "Started"),
                (103, "Completed"),
                (104, "Scored"),
                (105, "Expired"),
                (106, "Declined"),
                (107, "Undeliverable"),
                (108, "Cancelled"),
                (109, "Not Invited"),
                (110, "Proceed to Second Interview"),
                (111, "Unsuccessful"),
            ],
        ),
    ]
}

/// The statuses that send the candidate an e-mail.
pub(crate) const E_MAILING_STATUSES: [u64; 1] = [38];

pub(crate) fn stages() -> Vec<Stage> {
    let stage = |id, kind, statuses: &[u64]| Stage {
        id,
        kind,
        statuses: statuses.to_vec(),
    };
    vec![
        stage(FIRST_STAGE, Application, &[30, 31, 37]),
        stage(11, Application, &[31, 36, 37]),
        stage(12, Application, &[34, 35, 36, 37]),
        stage(13, Application, &[34, 35, 36, 37]),
        stage(14, Action, &[101, 103, 110, 111]),
        stage(OFFERS, Placement, &[3, 4, 6]),
        stage(16, Application, &[38]),
        stage(WITHDRAWN.0, Application, &[WITHDRAWN.1]),
    ]
}

pub(crate) fn workflows() -> Vec<Workflow> {
    vec![
        Workflow {
            id: 1,
            title: "Standard Recruitment".to_owned(),
            stages: vec![10, 11, 12, 13, 14, 15, 16, 17],
        },
        Workflow {
            id: 2,
            title: "Without Assessments".to_owned(),
            stages: vec![10, 11, 14, 15, 16, 17],
        },
    ]
}

pub(crate) fn questions() -> Vec<Question> {
    let question = |id, title: &str, kind| Question {
        id,
        of: Asked::Applications,
        title: title.to_owned(),
        kind,
    };
    vec![
        question(
            253,
            "Do you have the right to work in the UK?",
            AnswerType::Boolean,
        ),
        question(276, "Assessment Score", AnswerType::Number),
        question(277, "Assessment Link", AnswerType::Text),
        question(
            278,
            "Assessment State",
            AnswerType::Dropdown(
                ["Invited", "Started", "Completed", "Not completed"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
        ),
        question(307, "Assessment Date", AnswerType::Date),
    ]
}
