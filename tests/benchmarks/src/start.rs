//! How long functions take to start, against the smallest one there is.

use std::path::{Path, PathBuf};

use crate::FUNCTIONS;
use crate::figure::{Aim, Figure};
use crate::process::Process;

/// How many times as long as the smallest function.
const MAX_RATIO: f64 = 3.0;

/// A port that nobody listens on: nothing is called before the first event.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Starts all in turns, so that whatever else the machine does meets all alike.
pub async fn measure(
    binary: impl Fn(&str) -> PathBuf,
    starts: usize,
) -> anyhow::Result<Vec<Figure>> {
    let hello = binary("hello");
    let mut smallest = Vec::new();
    let mut times = vec![Vec::new(); FUNCTIONS.len()];
    // The first starts read from the disk, and count for nobody.
    for turn in 0..=starts {
        let time = once(&hello).await?;
        if turn > 0 {
            smallest.push(time);
        }
        for (function, times) in FUNCTIONS.iter().zip(&mut times) {
            let time = once(&binary(function)).await?;
            if turn > 0 {
                times.push(time);
            }
        }
    }
    let smallest = median(smallest);
    let mut figures = vec![Figure::new("hello world: start", smallest, "ms", Aim::None)];
    for (function, times) in FUNCTIONS.iter().zip(times) {
        let time = median(times);
        let name = format!("{function}: start");
        figures.push(Figure::new(&name, time, "ms", Aim::None));
        let name = format!("{function}: start, as a multiple of hello world");
        figures.push(Figure::new(
            name,
            time / smallest,
            "×",
            Aim::AtMost(MAX_RATIO),
        ));
    }
    Ok(figures)
}

/// One start, in milliseconds.
async fn once(binary: &Path) -> anyhow::Result<f64> {
    let process = Process::start(binary, NOWHERE).await?;
    let init = process.init.as_secs_f64() * 1000.0;
    process.end().await?;
    Ok(init)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
