//! The account of a history: its digest, by which two runs of one seed are compared, the counts, the violations, and,
//! with `--print`, every line of it.

use std::collections::BTreeMap;

use crate::scheduler::{Millis, Running};

/// The account of a history.
#[derive(Default)]
pub struct Account {
    /// Whether every line is printed.
    pub aloud: bool,
    /// The number of effects that the code under test had outside.
    pub effects: u64,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// The violations of the promises.
    pub violations: Vec<String>,
    digest: u64,
    lines: u64,
}

impl Account {
    pub fn new(aloud: bool) -> Self {
        Self {
            aloud,
            digest: 0xcbf2_9ce4_8422_2325,
            ..Self::default()
        }
    }

    /// A digest of everything that happened, in order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Records an event.
    pub fn record(
        &mut self,
        now: Millis,
        running: Running,
        what: &str,
        detail: impl FnOnce() -> String,
    ) {
        self.mix(&now.to_be_bytes());
        self.mix(&running.job.to_be_bytes());
        self.mix(what.as_bytes());
        let detail = detail();
        self.mix(detail.as_bytes());
        self.lines += 1;
        if self.aloud {
            let (hours, rest) = (now / 3_600_000, now % 3_600_000);
            let (minutes, rest) = (rest / 60_000, rest % 60_000);
            let who = if running.job == 0 {
                "outside".to_owned()
            } else {
                format!("p{} #{}", running.process, running.job)
            };
            let gap = if detail.is_empty() { "" } else { ": " };
            println!(
                "{:>6} {hours:02}:{minutes:02}:{} {who:<9} {what}{gap}{detail}",
                self.lines,
                Seconds(rest)
            );
        }
    }

    /// Counts a fault.
    pub fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Records a violation.
    pub fn violate(&mut self, what: String) {
        if self.aloud {
            println!("VIOLATION: {what}");
        }
        self.violations.push(what);
    }
}

/// Milliseconds as seconds.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{:02}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}
