//! Looking for people's data where none may be.

use stagecall_sandbox::control::MadeUp;

/// Every form in which somebody's data could occur.
pub fn forms(person: &MadeUp) -> Vec<String> {
    let digits: String = person.mobile.chars().filter(char::is_ascii_digit).collect();
    let national = digits.trim_start_matches('0');
    vec![
        person.first_name.clone(),
        person.surname.clone(),
        person.email.clone(),
        person.email.replace('@', "%40"),
        person.mobile.clone(),
        // With +44 before it, with 0 before it, and whatever else one can think of.
        national.to_owned(),
        format!("{} {}", &national[..4], &national[4..]),
    ]
}

/// Which of these texts occur in `bytes`, in capitals or not.
pub fn found<'a>(bytes: &[u8], needles: &'a [String]) -> Vec<&'a str> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let there = |needle: &&String| text.contains(&needle.to_lowercase());
    needles.iter().filter(there).map(String::as_str).collect()
}
