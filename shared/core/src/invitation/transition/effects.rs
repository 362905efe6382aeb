//! Effects of a transition: domain events, work, and sweeps to be scheduled.

use jiff::Timestamp;

use crate::events::{DomainEvent, What};
use crate::invitation::{Effect, Invitation, NextTry, Part, Report, Schedule, State, Step};
use crate::work::Work;

/// The parts of a report that were given up, each with the kind of problem.
pub(super) fn given_up(report: &Report) -> impl Iterator<Item = (Part, &str)> {
    report.failures().filter_map(|(part, failure)| {
        let is_over = matches!(failure.next, NextTry::GivenUp(_));
        is_over.then_some((part, failure.failure.code.as_str()))
    })
}

/// The effects of a transition.
pub(super) fn effects(before: &Invitation, next: &Invitation, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut publish = |what| effects.push(Effect::Publish(DomainEvent { at: now, what }));
    let invitation = || next.key.clone();
    let moved =
        next.state.level() != before.state.level() || next.state.name() != before.state.name();
    if before.reference.is_none() && next.reference.is_some() {
        publish(What::Sent {
            invitation: invitation(),
        });
    } else if moved {
        match &next.state {
            State::Detected | State::Sending { .. } => {}
            State::Skipped(_) => publish(What::Skipped {
                invitation: invitation(),
            }),
            State::Failed(_) => publish(What::Failed {
                invitation: invitation(),
            }),
            state => publish(What::Progressed {
                invitation: invitation(),
                state: state.name().to_owned(),
            }),
        }
    }
    if next.state == State::Completed && next.revision > before.revision {
        publish(What::ResultReceived {
            invitation: invitation(),
            revision: next.revision,
        });
    }
    if next.report.revision > before.report.revision && next.forgotten_at.is_none() {
        publish(What::Reported {
            invitation: invitation(),
            revision: next.report.revision,
        });
    }
    for (part, code) in given_up(&next.report) {
        if !given_up(&before.report).any(|known| known == (part, code)) {
            publish(What::ReportFailed {
                invitation: invitation(),
                part: part.to_string(),
                code: code.to_owned(),
            });
        }
    }
    match &next.schedule {
        Schedule::At { at, step } if *at <= now && next.schedule != before.schedule => {
            effects.push(Effect::Queue(Work::step(next.key.clone(), *step)));
        }
        Schedule::Sweep { .. } if !matches!(before.schedule, Schedule::Sweep { .. }) => {
            effects.push(Effect::Watch(next.assessment.clone()));
        }
        _ => {}
    }
    // A delay is reported while sending is still being retried, so it cannot wait for the row's own schedule.
    if next.state.level() == 0 && next.revision > before.revision {
        effects.push(Effect::Queue(Work::step(next.key.clone(), Step::WriteBack)));
    }
    effects
}
