//! Telephone numbers as Willo wants them (E.164, REFERENCE.md §4), from whatever people typed into Eploy.

/// The number in E.164, or `None` if that would be a guess: a wrong number would send a candidate's invitation to a
/// stranger, a missing one only loses the text message.
pub(super) fn e164(typed: &str, country_code: &str) -> Option<String> {
    let mut digits = String::new();
    let mut international = false;
    // "+44 (0)7700 900123": the zero is for callers from inside the country.
    let typed = typed.trim().replace("(0)", "");
    for (at, letter) in typed.char_indices() {
        match letter {
            '0'..='9' => digits.push(letter),
            '+' if at == 0 => international = true,
            ' ' | '\u{a0}' | '-' | '.' | '(' | ')' => {}
            _ => return None,
        }
    }
    if !international && let Some(rest) = digits.strip_prefix("00") {
        digits = rest.to_owned();
        international = true;
    }
    if !international {
        let national = digits.strip_prefix('0')?;
        // In the United Kingdom only a mobile number can be recognised by its prefix and length.
        let certain = match country_code {
            "44" => national.starts_with('7') && national.len() == 10,
            _ => (7..=11).contains(&national.len()) && !national.starts_with('0'),
        };
        if !certain {
            return None;
        }
        digits = format!("{country_code}{national}");
    }
    let plausible = (8..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && (!digits.starts_with("44") || (digits.len() == 12 && !digits.starts_with("440")));
    plausible.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn british_mobile_numbers_become_international() {
        for typed in [
            "07700900123",
            "07700 900 123",
            " 07700-900123 ",
            "+447700900123",
            "+44 7700 900123",
            "+44 (0)7700 900123",
            "00447700900123",
            "(07700) 900.123",
        ] {
            assert_eq!(
                e164(typed, "44").as_deref(),
                Some("+447700900123"),
                "{typed}"
            );
        }
    }

    #[test]
    fn uncertain_numbers_are_left_out() {
        for typed in [
            "",
            "n/a",
            "7700900123",
            "0770090012",
            "077009001234",
            "020 7946 0123",
            "07700900123 / 07700900124",
            "07700900123 ext 4",
            "+4407700900123",
            "+44 7700 90012",
            "+12",
            "+0044770090012",
            "+1234567890123456",
            "0٧٧٠٠٩٠٠١٢٣",
        ] {
            assert_eq!(e164(typed, "44"), None, "{typed}");
        }
    }

    #[test]
    fn other_countries_need_their_own_code_or_the_settings() {
        assert_eq!(
            e164("+33 6 39 98 00 01", "44").as_deref(),
            Some("+33639980001")
        );
        assert_eq!(
            e164("06 39 98 00 01", "33").as_deref(),
            Some("+33639980001")
        );
        assert_eq!(e164("639980001", "33"), None);
    }
}
