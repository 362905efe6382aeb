//! A candidate's personal data, on its way from Eploy to a platform and nowhere else.

use std::fmt;

/// Read from Eploy when an invitation is sent or looked up, passed to the platform, and dropped. It has no
/// serialisation and its debug form shows no content, so that it can reach neither the store nor a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Given name; empty if Eploy has none.
    pub first_name: String,
    /// Family name; empty if Eploy has none.
    pub last_name: String,
    /// E-mail address, if Eploy has one.
    pub email: Option<String>,
    /// Mobile (else other) telephone number as Eploy has it, if any.
    pub phone: Option<String>,
}

impl Person {
    /// First and last name with one space between; the e-mail's local part where Eploy has no name at all, because
    /// platforms require one (shared/platforms/REFERENCE.md §4: `name` is required).
    pub fn full_name(&self) -> String {
        let name = format!("{} {}", self.first_name.trim(), self.last_name.trim());
        let name = name.trim();
        if !name.is_empty() {
            return name.to_owned();
        }
        self.email
            .as_deref()
            .and_then(|email| email.split('@').next())
            .unwrap_or("Candidate")
            .to_owned()
    }

    /// Whether `other` is this person's e-mail address, as mail systems compare them in practice.
    pub fn has_email(&self, other: &str) -> bool {
        self.email
            .as_deref()
            .is_some_and(|email| email.trim().eq_ignore_ascii_case(other.trim()))
    }
}

/// Whether a character is invisible and part of no address: soft hyphens, zero-width characters, direction marks, the
/// byte order mark.
pub fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// An e-mail address without what is certainly not part of it: invisible characters, surrounding space, `mailto:` and
/// its parameters, angle brackets.
pub fn clean_email(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter(|char| !char.is_control() && !is_invisible(*char))
        .collect();
    let mut rest = visible.trim();
    if let Some(inner) = rest
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        rest = inner.trim();
    }
    if let Some((scheme, address)) = rest.split_once(':')
        && scheme.trim().eq_ignore_ascii_case("mailto")
    {
        let address = address
            .split_once('?')
            .map_or(address, |(address, _)| address);
        rest = address.trim();
    }
    rest.to_owned()
}

/// Why a text cannot be one e-mail address; `None` if it can.
pub fn email_problem(text: &str) -> Option<&'static str> {
    let Some((local, domain)) = text.split_once('@') else {
        return Some("it has no @");
    };
    if domain.contains('@') {
        return Some("it has more than one @");
    }
    if local.is_empty() || domain.is_empty() {
        return Some("a part of it is missing");
    }
    if text.contains(|char: char| char.is_whitespace() || char.is_control() || is_invisible(char)) {
        return Some("it has a space in it");
    }
    if text.contains([
        ',',
        ';',
        '<',
        '>',
        '(',
        ')',
        ':',
        '\\',
        '"',
        char::REPLACEMENT_CHARACTER,
    ]) {
        return Some("it has a character in it that addresses do not have");
    }
    None
}

impl fmt::Debug for Person {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Person(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(first_name: &str, last_name: &str, email: Option<&str>) -> Person {
        Person {
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            email: email.map(str::to_owned),
            phone: None,
        }
    }

    #[test]
    fn there_is_always_a_name_to_give() {
        let email = Some("robin.x@example.com");
        for (first_name, last_name, email, name) in [
            (" Robin ", "Example", email, "Robin Example"),
            ("Robin", "", email, "Robin"),
            ("", "Example", email, "Example"),
            (" ", "", email, "robin.x"),
            ("", "", None, "Candidate"),
        ] {
            assert_eq!(person(first_name, last_name, email).full_name(), name);
        }
    }

    #[test]
    fn what_is_certainly_no_part_of_an_address_is_taken_off() {
        for text in [
            "robin@example.com",
            " robin@example.com\u{a0}",
            "\u{feff}robin@exam\u{200b}ple.com\r\n",
            "mailto:robin@example.com",
            "MailTo: robin@example.com?subject=Hello",
            "<robin@example.com>",
        ] {
            let clean = clean_email(text);
            assert_eq!(
                (clean.as_str(), email_problem(&clean)),
                ("robin@example.com", None)
            );
        }
        for refused in [
            "",
            "robin",
            "robin@",
            "@example.com",
            "robin@example.com; sam@example.com",
            "robin@a@example.com",
            "robin @example.com",
            "Robin <robin@example.com>",
            "robin,sam@example.com",
            "r\u{fffd}bin@example.com",
        ] {
            assert!(email_problem(&clean_email(refused)).is_some(), "{refused}");
        }
        assert_eq!(email_problem("zoë.o'neil+jobs@bücher.example"), None);
    }

    #[test]
    fn an_address_is_the_same_in_capitals_and_between_spaces() {
        let robin = person("Robin", "", Some("Robin@example.com "));
        assert!(robin.has_email(" robin@Example.com"));
        assert!(!robin.has_email("robin@example.org"));
        assert!(!person("Robin", "", None).has_email(""));
    }
}
