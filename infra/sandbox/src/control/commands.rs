//! Every command of the control API, once: its name, its fields and its answer. The table makes the JSON message, the
//! client's method that sends it, and the call of the handler of the same name and signature in the sandbox.

use serde::Deserialize;
use serde_json::{Value, json, to_value};

use super::Problem;
use super::client::{Played, SandboxClient};
use super::{
    AccountInfo, AccountSettings, ApplicationView, ByHand, CallRecord, CallbackRecord,
    CandidateAct, Created, EditCandidate, FaultState, HrmsInfo, InvitationRecord, Judged, MadeUp,
    NewAnswer, NewApplications, NewOption, NewQuestion, NewTest, NewVacancy, NewWecpInterview,
    Part, ParticipantView, Profile, ReviewerAct, SystemInfo, SystemSettings, WebhookRecord,
    WecpInfo, WecpInterviewView, WecpReviewerAct, WecpSettings, WriteRecord,
};
use crate::state::SandboxState;

/// The type that a message holds for a parameter of this type.
macro_rules! held {
    (&str) => { String };
    (Option<&str>) => { Option<String> };
    (&[$of:ty]) => { Vec<$of> };
    (&$of:ty) => { $of };
    ($of:ty) => { $of };
}

/// What is held, as a parameter of this type.
macro_rules! lent {
    ($held:ident: Option<&str>) => {
        $held.as_deref()
    };
    ($held:ident: &$($of:tt)+) => {
        &$held
    };
    ($held:ident: $of:ty) => {
        $held
    };
}

macro_rules! commands {
    ($(
        $(#[$doc:meta])*
        $name:ident($($field:ident: [$($given:tt)+]),*) -> $answer:ty;
    )*) => {
        /// A command, tagged with its name.
        #[derive(Debug, Deserialize)]
        #[serde(tag = "command", deny_unknown_fields)]
        #[expect(non_camel_case_types, reason = "a command is called like its method")]
        pub(crate) enum Command {
            $($(#[$doc])* $name { $($field: held!($($given)+)),* },)*
        }

        impl SandboxState {
            /// Does what a command says. Returns the answer as JSON.
            pub(super) fn handle(&mut self, command: Command) -> Result<Value, Problem> {
                match command {
                    $(Command::$name { $($field),* } => {
                        let answer: $answer = self.$name($(lent!($field: $($given)+)),*)?;
                        Ok(to_value(answer)?)
                    })*
                }
            }
        }

        impl SandboxClient {
            $($(#[$doc])*
            pub async fn $name(&self, $($field: $($given)+),*) -> Played<$answer> {
                let command = json!({
                    "command": stringify!($name),
                    $((stringify!($field)): $field),*
                });
                self.send(&command).await
            })*
        }
    };
}

commands! {
    /// An Eploy system, created on first use.
    eploy(system: [&str]) -> SystemInfo;
    /// Changes an Eploy system.
    set_eploy(system: [&str], settings: [&SystemSettings]) -> SystemInfo;
    /// Sets switches of an Eploy system, given as a JSON object.
    switch_eploy(system: [&str], switches: [Value]) -> SystemInfo;
    /// Creates a vacancy.
    vacancy(system: [&str], new: [&NewVacancy]) -> u64;
    /// Creates applications.
    apply(system: [&str], new: [&NewApplications]) -> Vec<Created>;
    /// An application as a recruiter sees it.
    application(system: [&str], id: [u64]) -> ApplicationView;
    /// A recruiter moves applications to a stage and status, given by name or id; without a status, to the stage's first
    /// one.
    move_to(system: [&str], applications: [&[u64]], stage: [&str], status: [Option<&str>]) -> ();
    /// Candidates withdraw.
    withdraw(system: [&str], applications: [&[u64]]) -> ();
    /// Candidates are hired.
    hire(system: [&str], applications: [&[u64]]) -> ();
    /// Applications are deleted.
    remove(system: [&str], applications: [&[u64]]) -> ();
    /// A candidate is edited.
    edit_candidate(system: [&str], candidate: [u64], edit: [&EditCandidate]) -> ();
    /// Adds a custom question.
    question(system: [&str], new: [&NewQuestion]) -> u64;
    /// A recruiter answers a custom question.
    answer(system: [&str], new: [&NewAnswer]) -> ();
    /// Adds an option to a list, or renames or archives one.
    option(system: [&str], new: [&NewOption]) -> ();
    /// The judgement of every application of a system.
    judgement(system: [&str]) -> Vec<Judged>;

    /// A Willo account, created on first use.
    willo(account: [&str]) -> AccountInfo;
    /// Changes a Willo account.
    set_willo(account: [&str], settings: [&AccountSettings]) -> AccountInfo;
    /// Sets switches of a Willo account, given as a JSON object.
    switch_willo(account: [&str], switches: [Value]) -> AccountInfo;
    /// Creates an interview, and returns its key.
    interview(account: [&str], title: [&str]) -> String;
    /// Somebody invites a candidate in Willo itself; returns the participant's key.
    invite_by_hand(account: [&str], guest: [&ByHand]) -> String;
    /// All participants of an account, or those with an address; removed ones too.
    participants(account: [&str], email: [Option<&str>]) -> Vec<ParticipantView>;
    /// Candidates act.
    candidate(account: [&str], participants: [&[String]], act: [CandidateAct]) -> ();
    /// A reviewer acts.
    reviewer(account: [&str], participants: [&[String]], act: [&ReviewerAct]) -> ();

    /// A WeCP account, created on first use.
    wecp(account: [&str]) -> WecpInfo;
    /// Changes a WeCP account.
    set_wecp(account: [&str], settings: [&WecpSettings]) -> WecpInfo;
    /// Sets switches of a WeCP account, given as a JSON object.
    switch_wecp(account: [&str], switches: [Value]) -> WecpInfo;
    /// Creates a test, and returns its id.
    wecp_test(account: [&str], new: [&NewTest]) -> String;
    /// Somebody creates an interview in WeCP itself; returns its id.
    wecp_interview(account: [&str], new: [&NewWecpInterview]) -> String;
    /// All interviews of an account.
    wecp_interviews(account: [&str]) -> Vec<WecpInterviewView>;
    /// Somebody invites a candidate to a test in WeCP itself; returns the candidate's id.
    wecp_invite_by_hand(account: [&str], guest: [&ByHand]) -> String;
    /// All candidates of an account, of tests and interviews, or those with an address; removed ones too.
    wecp_participants(account: [&str], email: [Option<&str>]) -> Vec<ParticipantView>;
    /// Candidates act.
    wecp_candidate(account: [&str], participants: [&[String]], act: [CandidateAct]) -> ();
    /// A reviewer or an interviewer acts.
    wecp_reviewer(account: [&str], participants: [&[String]], act: [&WecpReviewerAct]) -> ();

    /// An HRMS, created on first use, and its webhook URL.
    hrms(name: [&str]) -> HrmsInfo;
    /// All people that the sandbox has generated.
    people() -> Vec<MadeUp>;
    /// The active faults, and the counts of injected ones.
    faults() -> FaultState;
    /// Replaces the active faults; an empty profile ends them.
    set_faults(profile: [&Profile]) -> FaultState;
    /// The calls that the simulators received, without the first `since`.
    calls(since: [usize]) -> Part<CallRecord>;
    /// The invitations that were sent, without the first `since`.
    invitations(since: [usize]) -> Part<InvitationRecord>;
    /// The attempts to deliver callbacks, without the first `since`.
    callbacks(since: [usize]) -> Part<CallbackRecord>;
    /// The writes to applications, without the first `since`.
    writes(since: [usize]) -> Part<WriteRecord>;
    /// The webhooks that an HRMS received, without the first `since`.
    webhooks(since: [usize]) -> Part<WebhookRecord>;
    /// The number of callbacks that are neither delivered nor given up.
    pending_callbacks() -> usize;
}
