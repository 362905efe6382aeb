//! A candidate's personal data, on its way from Eploy to a platform and nowhere else.

use std::fmt;

/// Read from Eploy when an invitation is sent or looked up, handed to the platform, and dropped. It has no
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
    /// platforms require one (reference willo §A.4: `name` is required).
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
    fn an_address_is_the_same_in_capitals_and_between_spaces() {
        let robin = person("Robin", "", Some("Robin@example.com "));
        assert!(robin.has_email(" robin@Example.com"));
        assert!(!robin.has_email("robin@example.org"));
        assert!(!person("Robin", "", None).has_email(""));
    }
}
