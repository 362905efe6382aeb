//! What one invitation's whole life costs in AWS's units. A test of the store counts it (`tests/it/dynamodb/cost.rs`) and
//! prints it; here it is read and held against what it should be.

use crate::figure::{Aim, Figure};

/// The most write units, read units and queue messages.
const MOST: [f64; 3] = [15.0, 10.0, 3.0];

/// Reads what the test printed.
pub fn measure(printed: &str) -> Vec<Figure> {
    let numbers = |label: &str| -> Vec<f64> {
        let mut lines = printed.lines();
        let line = lines.find_map(|line| line.strip_prefix(label));
        let words = line.unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let units = numbers("in all");
    let counted = [
        ("a life: writes", "units", units.first().copied()),
        ("a life: reads", "units", units.get(1).copied()),
        (
            "a life: queue messages",
            "messages",
            numbers("messages in all").first().copied(),
        ),
    ];
    let figures = counted.into_iter().zip(MOST);
    figures
        .map(|((name, unit, value), most)| match value {
            Some(value) => Figure::new(name, value, unit, Aim::AtMost(most)),
            None => {
                let why = "the test did not print it".to_owned();
                Figure::missing(name, why, unit, Aim::AtMost(most))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_test_printed_is_read() {
        let printed =
            "\nrunning 1 test\nclaimed      1   1\nin all      12   8\nmessages in all   3\n.\n";
        let figures = measure(printed);
        assert!(figures.iter().all(Figure::is_reached));
        let more = printed.replace("12", "16");
        assert!(!measure(&more).iter().all(Figure::is_reached));
        assert!(!measure("running 1 test").iter().any(Figure::is_reached));
    }
}
