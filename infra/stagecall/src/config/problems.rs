//! The problems of a file, each beginning with its place in the file.

use super::place::Place;

#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<String>,
    /// What could not be read: what follows from a stand-in there is no problem of its own.
    unread: Vec<String>,
    /// Keys of earlier versions: the present place, and the one in the file.
    moved: Vec<(String, String)>,
}

impl Problems {
    /// Problems at `present` are shown at `written`, which is the place in the file.
    pub(super) fn moved(&mut self, present: &Place, written: &impl ToString) {
        self.moved.push((present.to_string(), written.to_string()));
    }

    /// Adds a problem of a value that could not be read.
    pub(super) fn unread(&mut self, place: &Place, problem: &str) {
        let place = place.to_string();
        self.add(format!("{place}{problem}"));
        self.unread.push(place);
    }

    /// A value was replaced because of a problem inside it, which was added before.
    pub(super) fn replaced(&mut self, place: &Place) {
        self.unread.push(place.to_string());
    }

    /// Adds a problem, which begins with its place.
    pub(super) fn add(&mut self, problem: String) {
        if !self
            .unread
            .iter()
            .any(|place| rest(&problem, place).is_some())
        {
            self.found.push(problem);
        }
    }

    /// All problems, with the places that are in the file.
    pub(super) fn into_lines(self) -> Vec<String> {
        let mut lines = self.found;
        for line in &mut lines {
            // The last move first, because it may have moved what an earlier one had moved.
            for (present, written) in self.moved.iter().rev() {
                if let Some(rest) = rest(line, present) {
                    *line = format!("{written}{rest}");
                }
            }
        }
        lines
    }
}

/// What follows a place in a problem, if the problem is there or inside.
fn rest<'a>(problem: &'a str, place: &str) -> Option<&'a str> {
    let rest = problem.strip_prefix(place)?;
    let same = |sign: char| sign.is_alphanumeric() || sign == '-' || sign == '_';
    (!rest.starts_with(same)).then_some(rest)
}
