//! The settings that are explored, and what is expected of each.

use std::fmt;
use std::time::{Duration, Instant};

use stateright::{Checker as _, HasDiscoveries, Model as _};

use crate::life::{AT_MOST_ONE, COMES_TO_REST, Life};
use crate::setting::{Broken, Setting};

/// What the exploration assumes, and how far it goes.
pub const BOUNDS: &str = "\
One invitation, from its entry on. Time and attempts have no bound: worlds that differ in neither's effect are one.
Workers stop at any step for any time and continue, or die; the queue gives any worker any task at any time, or never.
Assumed: a request arrives within the time limit of a call from its first byte on, or never; what the platform has
  accepted, a look-up finds; a report whose connection breaks is written at that moment or never.
Left out: a worker stopped between its last look at the clock and the first byte of its request (shown as a gap below);
  clocks that differ; operators (retry, cancel); live interviews and pools; own expiry; several parts of one report.
";

/// A setting, and the promise that it must break, if any.
pub struct Run {
    /// What may happen.
    pub setting: Setting,
    /// The promise that must be found broken.
    pub breaks: Option<&'static str>,
}

/// The outcome of an exploration.
pub struct Shown {
    name: &'static str,
    unique: usize,
    generated: usize,
    depth: usize,
    took: Duration,
    missing: Vec<&'static str>,
    found: Vec<(&'static str, Vec<String>)>,
    expected: Option<&'static str>,
    pub as_expected: bool,
}

/// The smallest setting with everything in it.
pub fn small() -> Setting {
    Setting {
        name: "from the entry to the result",
        sent: false,
        workers: 2,
        call: 1,
        lease: 2,
        settle: 1,
        deadline_ticks: (2, 3),
        versions: 2,
        leaves: false,
        refusals: false,
        broken: None,
    }
}

/// Quick ones, for every test run.
pub fn quick() -> Vec<Run> {
    [
        Setting {
            name: "calls of two ticks",
            call: 2,
            lease: 3,
            settle: 2,
            versions: 1,
            ..small()
        },
        Setting {
            name: "a re-score, and a doubled delivery",
            sent: true,
            versions: 3,
            ..small()
        },
    ]
    .map(holds)
    .into()
}

/// All explored settings.
pub fn all() -> Vec<Run> {
    let mut runs = quick();
    runs.extend(
        [
            small(),
            Setting {
                name: "refusals, and the application leaves",
                versions: 1,
                refusals: true,
                leaves: true,
                ..small()
            },
            Setting {
                name: "two workers and a stale worker",
                workers: 3,
                versions: 1,
                ..small()
            },
        ]
        .map(holds),
    );
    runs.extend(broken());
    runs
}

/// A setting in which every promise must hold.
fn holds(setting: Setting) -> Run {
    Run {
        setting,
        breaks: None,
    }
}

/// The known gaps and the seeded faults. Each must be found.
pub fn broken() -> Vec<Run> {
    [
        (
            Broken::LookAndSend,
            "gap: stopped between clock and request",
            AT_MOST_ONE,
        ),
        (
            Broken::LookAndWrite,
            "gap: stopped between clock and report",
            COMES_TO_REST,
        ),
        (
            Broken::LateWrite,
            "gap: a broken report arrives later",
            COMES_TO_REST,
        ),
        (
            Broken::SkipLookUp,
            "fault: no look-up after a lease",
            AT_MOST_ONE,
        ),
        (
            Broken::ShortSettleTime,
            "fault: looked up while a request may arrive",
            AT_MOST_ONE,
        ),
        (
            Broken::IgnoreLease,
            "fault: the sender ignores its lease",
            AT_MOST_ONE,
        ),
        (
            Broken::IgnoreWriterLease,
            "fault: the writer ignores its lease",
            COMES_TO_REST,
        ),
        (
            Broken::ForgetPutOff,
            "fault: a broken report counts as written",
            COMES_TO_REST,
        ),
    ]
    .into_iter()
    .map(|(broken, name, breaks)| Run {
        setting: Setting {
            name,
            broken: Some(broken),
            ..small()
        },
        breaks: Some(breaks),
    })
    .collect()
}

/// Explores one setting.
pub fn explore(run: &Run) -> Shown {
    let started = Instant::now();
    let finish = match run.breaks {
        Some(expected) => HasDiscoveries::AnyOf([expected].into()),
        None => HasDiscoveries::AnyFailures,
    };
    let checker = Life::new(run.setting.clone())
        .checker()
        .finish_when(finish)
        .spawn_bfs()
        .join();
    let discoveries = checker.discoveries();
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for property in checker.model().properties() {
        let path = discoveries.get(property.name);
        match path {
            Some(path) if property.expectation.discovery_is_failure() => {
                let actions = path.clone().into_actions();
                let steps = actions.iter().map(|happens| format!("{happens:?}"));
                let mut steps: Vec<String> = steps.collect();
                steps.push(format!("{:?}", path.last_state()));
                found.push((property.name, steps));
            }
            None if !property.expectation.discovery_is_failure() => missing.push(property.name),
            _ => {}
        }
    }
    let as_expected = match run.breaks {
        None => found.is_empty() && missing.is_empty(),
        Some(expected) => found.iter().any(|(name, _)| *name == expected),
    };
    Shown {
        name: run.setting.name,
        unique: checker.unique_state_count(),
        generated: checker.state_count(),
        depth: checker.max_depth(),
        took: started.elapsed(),
        missing,
        found,
        expected: run.breaks,
        as_expected,
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            to,
            "{}: {} unique states, {} generated, depth {}, {:.1} s",
            self.name,
            self.unique,
            self.generated,
            self.depth,
            self.took.as_secs_f64()
        )?;
        match (self.as_expected, self.expected) {
            (true, None) => writeln!(to, "  every property holds"),
            (true, Some(expected)) => {
                let steps = self.found.iter().find(|(name, _)| *name == expected);
                let steps = steps.map_or(0, |(_, steps)| steps.len() - 1);
                writeln!(to, "  found, in {steps} steps: not \"{expected}\"")
            }
            (false, expected) => {
                if let Some(expected) = expected {
                    writeln!(to, "  NOT FOUND: \"{expected}\" should be broken here")?;
                }
                for name in &self.missing {
                    writeln!(to, "  NEVER: {name}")?;
                }
                for (name, steps) in &self.found {
                    writeln!(to, "  BROKEN: {name}")?;
                    for (number, step) in steps.iter().enumerate() {
                        writeln!(to, "    {:3} {step}", number + 1)?;
                    }
                }
                Ok(())
            }
        }
    }
}
