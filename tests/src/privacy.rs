//! Searches for personal data where none may be.

use stagecall_sandbox::control::MadeUp;

/// Every form in which a person's data could occur.
pub fn forms(person: &MadeUp) -> Vec<String> {
    let digits: String = person.mobile.chars().filter(char::is_ascii_digit).collect();
    let national = digits.trim_start_matches('0');
    vec![
        person.first_name.clone(),
        person.surname.clone(),
        person.email.clone(),
        person.email.replace('@', "%40"),
        person.mobile.clone(),
        // With +44 or 0 before it, or with other separators.
        national.to_owned(),
        format!("{} {}", &national[..4], &national[4..]),
    ]
}

/// The texts that occur in `bytes`, ignoring case.
pub fn found<'a>(bytes: &[u8], needles: &'a [String]) -> Vec<&'a str> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let there = |needle: &&String| text.contains(&needle.to_lowercase());
    needles.iter().filter(there).map(String::as_str).collect()
}
