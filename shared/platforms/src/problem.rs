//! All errors of platform calls, in one table: a stable code, the problem, and the remedy. An error may have a more
//! specific problem and remedy; its code is always one of these.

use stagecall_core::error::ProblemCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable name.
    pub code: ProblemCode,
    /// What is wrong, without a full stop.
    pub problem: &'static str,
    /// What a person should do, as a sentence.
    pub remedy: &'static str,
}

macro_rules! problems {
    ($($name:ident = $code:literal: $problem:literal, $remedy:literal;)*) => {
        $(pub(crate) const $name: Problem = Problem { code: $code, problem: $problem, remedy: $remedy };)*

        pub static PROBLEMS: &[Problem] = &[$($name),*];
    };
}

problems! {
    SETTINGS = "platform.settings":
        "the settings of the connection are invalid",
        "Correct the connection's settings.";
    UNKNOWN_ACCOUNT = "platform.unknown_account":
        "the tenant has no platform account of that name",
        "Add it, or remove the mappings that name it.";
    NO_SECRET = "platform.no_secret":
        "the secret of the platform account lacks something, or has it with unprintable characters",
        "Store it in the tenant's secret.";
    SECRET_UNREAD = "platform.secret_unread":
        "the credentials could not be read",
        "If it lasts, see whether the secret store is up and permitted.";
    GUARDED = "platform.guarded_address":
        "the address may not be called: it is not https on the public internet",
        "Correct the connection's base_url; a sandbox on this machine needs the sandbox mode.";
    FOREIGN_ADDRESS = "platform.foreign_address":
        "a call would go outside the connection's address",
        "Check base_url; the platform's lists must not lead elsewhere.";
    OPTIONS = "platform.options":
        "the mapping does not say what the platform needs for it, or names an assessment of another kind",
        "Correct the mapping's options or its assessment.";
    CANNOT_MAKE = "platform.cannot_make":
        "the platform cannot create the kind of assessment that the mapping asks for",
        "Let the mapping name an existing assessment.";
    UNREACHABLE = "platform.unreachable":
        "there is no connection to the platform",
        "If it lasts, see whether the platform is up and reachable from here.";
    NO_ANSWER = "platform.no_answer":
        "the platform did not answer",
        "If it lasts, see whether the platform is up and reachable from here.";
    REDIRECTED = "platform.redirected":
        "the platform answers from another address",
        "Correct the connection's base_url; redirects are not followed.";
    NOT_THE_API = "platform.not_the_api":
        "the address does not answer as the platform's API",
        "Correct the connection's base_url.";
    UNREADABLE = "platform.unreadable":
        "the platform's answer cannot be read",
        "If it lasts, the platform's API has changed, or base_url leads somewhere else.";
    LIST_TOO_LONG = "platform.list_too_long":
        "the platform's list of invitations is too long to be read in the time there is",
        "See in the platform whether the candidate is invited. Use a new assessment for the next round of hiring.";
    UNAVAILABLE = "platform.unavailable":
        "the platform failed",
        "If it lasts, ask the platform's support.";
    UNAUTHORIZED = "platform.unauthorized":
        "the platform does not accept the credentials",
        "Make a new key in the platform account and store it as this connection's secret.";
    CALLER_REFUSED = "platform.caller_refused":
        "the platform does not accept who is calling, although it may know the key",
        "Check user_email, the API key and the partner credentials of the connection.";
    FORBIDDEN = "platform.forbidden":
        "the platform does not permit this",
        "Use the key of a user who may see and invite to every mapped assessment, or widen that user's rights.";
    THROTTLED = "platform.throttled":
        "the platform asks to slow down",
        "If it happens often, lower calls_per_second or ask the platform for a higher limit.";
    NOT_FOUND = "platform.not_found":
        "the platform has no such record",
        "Check that the assessment still exists on the platform and that the key's user may see it.";
    BAD_REFERENCE = "platform.bad_reference":
        "an id or reference is none of the platform's",
        "Nothing to do, unless it was entered by hand: then correct it.";
    REFUSED = "platform.refused":
        "the platform refuses the request",
        "Check the candidate's and the assessment's details against what the platform requires.";
    REFUSED_FIELDS = "platform.refused_fields":
        "the platform does not accept some of the candidate's details",
        "Check those details of the candidate in Eploy.";
    ASSESSMENT_REFUSED = "platform.assessment_refused":
        "the platform does not accept the assessment that the mapping names",
        "Check that it still exists on the platform, is open, and may be seen by the key's user.";
    LIST_WITHOUT_NAMES = "platform.list_without_names":
        "the platform's list does not identify its candidates, so nobody's absence can be concluded",
        "Look on the platform whether the candidate is invited; the key's user may lack the right to see addresses.";
    NO_CALLBACKS = "platform.no_callbacks":
        "this platform never calls back",
        "Nothing to do: its lists are read instead.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_kind_has_its_own_code_and_a_remedy() {
        let codes: BTreeSet<_> = PROBLEMS.iter().map(|problem| problem.code).collect();
        assert_eq!(codes.len(), PROBLEMS.len());
        for problem in PROBLEMS {
            assert!(problem.code.starts_with("platform."), "{}", problem.code);
            assert!(
                !problem.problem.ends_with('.') && problem.remedy.ends_with('.'),
                "{}",
                problem.code
            );
        }
    }

    /// The sources of this crate, without tests.
    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if !path.components().any(|part| part.as_os_str() == "tests") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_used_code_is_in_the_table() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let used: BTreeSet<&str> = all
            .iter()
            .flat_map(|text| text.split("\"platform.").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(used.len() >= PROBLEMS.len());
        for code in used {
            assert!(
                PROBLEMS
                    .iter()
                    .any(|problem| problem.code == format!("platform.{code}")),
                "platform.{code} is not in the table"
            );
        }
    }
}
