//! Injected faults: the calls and callbacks that they hit, and how often.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The call is delayed before anything else happens. Adds up with other faults.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// 429 without an effect.
    TooMany {
        /// The `Retry-After` header, in seconds; none without it.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// An HTML error page without an effect.
    ErrorBefore {
        /// Its status, usually 5xx.
        status: u16,
    },
    /// An HTML error page although the call took effect.
    ErrorAfter {
        /// Its status, usually 5xx.
        status: u16,
    },
    /// The connection closes without an effect.
    DropBefore,
    /// The connection closes although the call took effect.
    DropAfter,
    /// The Eploy system's daily allowance is used up from this call on, until the next day (UTC) or until its count of
    /// calls is set.
    AllowanceSpent,
    /// The callback is never sent.
    CallbackLost,
    /// The callback is sent twice.
    CallbackTwice,
    /// The callback is sent late.
    CallbackLate {
        /// Milliseconds.
        ms: u64,
    },
}

impl Fault {
    /// Its name in records and counts, the same as its `kind`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::TooMany { .. } => "too_many",
            Self::ErrorBefore { .. } => "error_before",
            Self::ErrorAfter { .. } => "error_after",
            Self::DropBefore => "drop_before",
            Self::DropAfter => "drop_after",
            Self::AllowanceSpent => "allowance_spent",
            Self::CallbackLost => "callback_lost",
            Self::CallbackTwice => "callback_twice",
            Self::CallbackLate { .. } => "callback_late",
        }
    }

    fn is_of_callbacks(&self) -> bool {
        matches!(
            self,
            Self::CallbackLost | Self::CallbackTwice | Self::CallbackLate { .. }
        )
    }
}

/// How often a rule fires.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Each matching call with this probability, 0 to 1.
    Probability(f64),
    /// The next matching calls, of this number.
    Next(u64),
}

/// A fault and the calls that it hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// An operation or a prefix of one (`eploy.actions.create`, `willo.participants`, `willo.callback`), or a method and
    /// a prefix of a path (`POST /eploy/acme/api/actions`; `* /willo/` for any method).
    pub target: String,
    /// Only this Eploy system or platform account; all if absent.
    #[serde(default)]
    pub system: Option<String>,
    /// The fault.
    pub fault: Fault,
    /// How often it fires.
    pub when: When,
    /// The number of matching calls to skip first.
    #[serde(default)]
    pub skip: u64,
}

impl Rule {
    /// A rule for the next `count` calls of an operation.
    pub fn next(target: &str, count: u64, fault: Fault) -> Self {
        Self {
            target: target.to_owned(),
            system: None,
            fault,
            when: When::Next(count),
            skip: 0,
        }
    }

    /// A rule for every call of an operation, with a probability.
    pub fn now_and_then(target: &str, probability: f64, fault: Fault) -> Self {
        Self {
            when: When::Probability(probability),
            ..Self::next(target, 0, fault)
        }
    }

    fn hits(&self, at: &Target<'_>) -> bool {
        if self.system.as_deref().is_some_and(|name| name != at.system) {
            return false;
        }
        match self.target.split_once(' ') {
            Some((method, path)) => {
                (method == "*" || method.eq_ignore_ascii_case(at.method))
                    && at.path.starts_with(path)
            }
            None => at
                .operation
                .strip_prefix(self.target.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        }
    }
}

/// Rules that act together. For one call, latencies add up, and the first other rule that fires wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The seed of the probabilities; every rule has its own generator.
    pub seed: u64,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// The active faults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultState {
    /// The rules; those for the next calls with their remaining counts.
    pub rules: Vec<Rule>,
    /// How often each kind has been injected since the start.
    pub injected: BTreeMap<String, u64>,
}

/// What a rule is matched against.
pub(crate) struct Target<'a> {
    pub(crate) system: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

/// The faults of one call.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) latency: Duration,
    pub(crate) fault: Option<Fault>,
}

struct Armed {
    rule: Rule,
    random: fastrand::Rng,
}

/// The active rules, and the count of injected faults of each kind.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
    injected: BTreeMap<String, u64>,
}

impl Faults {
    /// Replaces the rules. The counts are kept.
    pub(crate) fn arm(&mut self, profile: Profile) {
        self.armed = (0..)
            .zip(profile.rules)
            .map(|(number, rule)| Armed {
                rule,
                random: fastrand::Rng::with_seed(
                    profile.seed.wrapping_mul(0x9e37_79b9).wrapping_add(number),
                ),
            })
            .collect();
    }

    /// The current rules and counts.
    pub(crate) fn state(&self) -> FaultState {
        FaultState {
            rules: self.armed.iter().map(|armed| armed.rule.clone()).collect(),
            injected: self.injected.clone(),
        }
    }

    /// Decides about a call.
    pub(crate) fn of_call(&mut self, at: &Target<'_>) -> Plan {
        self.decide(at, false)
    }

    /// Decides about a callback.
    pub(crate) fn of_callback(&mut self, at: &Target<'_>) -> Option<Fault> {
        self.decide(at, true).fault
    }

    fn decide(&mut self, at: &Target<'_>, callback: bool) -> Plan {
        let mut plan = Plan::default();
        for Armed { rule, random } in &mut self.armed {
            let latency = matches!(rule.fault, Fault::Latency { .. });
            if rule.fault.is_of_callbacks() != callback
                || (plan.fault.is_some() && !latency)
                || !rule.hits(at)
            {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            let fires = match &mut rule.when {
                When::Probability(probability) => random.f64() < *probability,
                When::Next(0) => false,
                When::Next(left) => {
                    *left -= 1;
                    true
                }
            };
            if !fires {
                continue;
            }
            *self
                .injected
                .entry(rule.fault.name().to_owned())
                .or_default() += 1;
            match rule.fault {
                Fault::Latency { ms } => plan.latency += Duration::from_millis(ms),
                ref fault => plan.fault = Some(fault.clone()),
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(rules: Vec<Rule>) -> Faults {
        let mut faults = Faults::default();
        faults.arm(Profile { seed: 3, rules });
        faults
    }

    const CREATE: Target<'_> = Target {
        system: "acme",
        operation: "eploy.actions.create",
        method: "POST",
        path: "/eploy/acme/api/actions",
    };

    #[test]
    fn a_target_is_an_operation_or_the_beginning_of_one_or_of_a_path() {
        for (target, hit) in [
            ("eploy.actions.create", true),
            ("eploy.actions", true),
            ("eploy", true),
            ("eploy.act", false),
            ("willo", false),
            ("POST /eploy/acme/api/actions", true),
            ("* /eploy/", true),
            ("PATCH /eploy/", false),
        ] {
            let mut faults = faults(vec![Rule::next(target, 1, Fault::DropAfter)]);
            assert_eq!(faults.of_call(&CREATE).fault.is_some(), hit, "{target}");
        }
    }

    #[test]
    fn next_runs_out_after_skipping() {
        let mut rule = Rule::next("eploy", 2, Fault::DropBefore);
        rule.skip = 1;
        let mut faults = faults(vec![rule]);
        let hits: Vec<_> = (0..5)
            .map(|_| faults.of_call(&CREATE).fault.is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.injected["drop_before"], 2);
    }

    #[test]
    fn latencies_add_up_and_the_first_other_fault_decides() {
        let mut faults = faults(vec![
            Rule::next("eploy", 9, Fault::Latency { ms: 5 }),
            Rule::next("eploy", 9, Fault::TooMany { retry_after: None }),
            Rule::next("eploy", 9, Fault::DropAfter),
            Rule::next("eploy", 9, Fault::Latency { ms: 7 }),
            Rule::next("eploy", 9, Fault::CallbackLost),
        ]);
        let plan = faults.of_call(&CREATE);
        assert_eq!(plan.latency, Duration::from_millis(12));
        assert_eq!(plan.fault, Some(Fault::TooMany { retry_after: None }));
        assert_eq!(faults.of_callback(&CREATE), Some(Fault::CallbackLost));
    }

    #[test]
    fn probabilities_come_from_the_seed() {
        let draw = || {
            let mut faults = faults(vec![Rule::now_and_then("eploy", 0.3, Fault::DropAfter)]);
            (0..1000)
                .map(|_| faults.of_call(&CREATE).fault.is_some())
                .collect::<Vec<_>>()
        };
        let drawn = draw();
        assert_eq!(drawn, draw());
        let hits = drawn.iter().filter(|hit| **hit).count();
        assert!((240..360).contains(&hits), "{hits}");
    }
}
