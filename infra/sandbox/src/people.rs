//! Candidates generated from a seed: pronounceable names that nobody has, addresses under `example.com` and
//! `example.org`, and telephone numbers from the range that Ofcom reserves for drama.

use serde::{Deserialize, Serialize};

/// A generated person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeUp {
    /// First name.
    pub first_name: String,
    /// Surname.
    pub surname: String,
    /// E-mail address; no two people share one.
    pub email: String,
    /// Mobile number in British format (`07700 900123`); numbers repeat after a thousand people.
    pub mobile: String,
}

/// All people generated so far.
pub(crate) struct People {
    random: fastrand::Rng,
    pub(crate) all: Vec<MadeUp>,
}

const ONSETS: [&str; 16] = [
    "Zarb", "Quil", "Vost", "Brem", "Thra", "Ysk", "Plov", "Drun", "Ketz", "Morv", "Fjel", "Grax",
    "Hulm", "Jorb", "Nyx", "Wimb",
];
const MIDDLES: [&str; 12] = [
    "el", "or", "un", "ist", "am", "ock", "iv", "esh", "ard", "ull", "yn", "eb",
];
const ENDINGS: [&str; 12] = [
    "wick", "dottir", "stane", "qvist", "mere", "thorpe", "zeck", "vale", "burn", "low", "fax",
    "by",
];
const FIRST_ENDINGS: [&str; 8] = ["a", "o", "ine", "us", "ara", "ix", "ette", "an"];

impl People {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            all: Vec::new(),
        }
    }

    /// The next person.
    pub(crate) fn next(&mut self) -> MadeUp {
        let number = self.all.len();
        let first_name = format!("{}{}", self.pick(&ONSETS), self.pick(&FIRST_ENDINGS));
        let surname = format!(
            "{}{}{}",
            self.pick(&ONSETS),
            self.pick(&MIDDLES),
            self.pick(&ENDINGS)
        );
        let host = self.pick(&["example.com", "example.org"]);
        let person = MadeUp {
            email: format!("{first_name}.{surname}{number}@{host}").to_lowercase(),
            mobile: format!("07700 900{:03}", number % 1000),
            first_name,
            surname,
        };
        self.all.push(person.clone());
        person
    }

    fn pick(&mut self, among: &[&'static str]) -> &'static str {
        among[self.random.usize(..among.len())]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_people_and_no_two_share_an_address() {
        let (mut first, mut again, mut others) = (People::new(7), People::new(7), People::new(8));
        for _ in 0..3000 {
            assert_eq!(first.next(), again.next());
            others.next();
        }
        assert_ne!(first.all, others.all);
        let addresses: HashSet<_> = first.all.iter().map(|person| &person.email).collect();
        assert_eq!(addresses.len(), 3000);
        assert!(first.all.iter().all(|person| {
            (person.email.ends_with("@example.com") || person.email.ends_with("@example.org"))
                && person.mobile.starts_with("07700 900")
                && person.mobile.len() == 12
        }));
    }
}
