//! The outside world in a history: recruiters, candidates, operators, and the platforms' calls.

use stagecall_core::tenant::{Answerable, Mapping, Reentry, Tenant, Vacancies};

use super::History;
use crate::event_queue::Event;
use crate::plan::{
    ELSEWHERE, HIRED, INTERVIEW, TEST, comments, interviews, one_vacancy, questions, tests, trigger,
};
use crate::world::acts::{Act, Callback, From};

impl History {
    /// A person outside acts.
    pub(super) fn act(&self, act: Act) {
        let scheduler = self.shared.scheduler.clone();
        if let Some(fault) = act.fault() {
            scheduler.fault(fault);
        }
        if let Act::Configure(tenant) = act {
            return self.configure(tenant);
        }
        if let Act::Erase(tenant) = act {
            return self.erase(tenant);
        }
        let now = scheduler.time(0).as_millisecond();
        let (description, callback) = {
            let mut world = self.world();
            let act = match act {
                Act::Progress => {
                    let (platform, at) = scheduler.draw(|rng| world.random_participant(rng));
                    // Some are quick: the next change comes while the last one is being reported.
                    for _ in 0..scheduler.draw(|rng| rng.u32(0..4)) {
                        let later = scheduler.draw(|rng| rng.u64(50..6_000));
                        scheduler.plan(later, Event::Act(Act::Again(platform, at)));
                    }
                    Act::Again(platform, at)
                }
                Act::Waver => {
                    let (tenant, at) = scheduler.draw(|rng| world.random_application(rng));
                    let away = scheduler.draw(|rng| rng.u64(20_000..600_000));
                    let back = away + scheduler.draw(|rng| rng.u64(60_000..1_200_000));
                    for (later, stage) in [(away, ELSEWHERE), (back, HIRED)] {
                        scheduler.plan(later, Event::Act(Act::MoveTo(tenant, at, stage)));
                    }
                    Act::MoveTo(tenant, at, HIRED)
                }
                act => act,
            };
            scheduler.draw(|rng| world.act(act, now, rng))
        };
        scheduler.record("outside", || description);
        if let Act::Rotate(tenant) = act {
            let later = scheduler.draw(|rng| rng.u64(0..900_000));
            scheduler.plan(later, Event::Act(Act::Follow(tenant)));
            if scheduler.draw(fastrand::Rng::bool) {
                scheduler.plan(0, Event::Act(Act::Renew(tenant)));
            }
        }
        if let Some(callback) = callback {
            self.call(&callback);
        }
    }

    /// Sends a callback. It may be lost, doubled or late.
    fn call(&self, callback: &Callback) {
        let scheduler = &self.shared.scheduler;
        let rates = scheduler.rates();
        if scheduler.chance(rates.callback_lost) {
            scheduler.fault("callback lost");
            return;
        }
        let mut copies = 1;
        if scheduler.chance(rates.callback_repeats) {
            scheduler.fault("callback repeated");
            copies = 2;
        }
        match callback.from {
            From::Platform => {}
            From::Stranger => scheduler.fault("callback forged"),
            From::Insider => scheduler.fault("callback made up"),
        }
        for _ in 0..copies {
            let later = scheduler.draw(|rng| rng.u64(1..2_000));
            scheduler.plan(later, Event::Call(callback.clone()));
        }
    }

    /// The operator erases a candidate here. Erasing them on the platform and in Eploy is up to others.
    fn erase(&self, at: usize) {
        let scheduler = &self.shared.scheduler;
        let candidate = {
            let world = self.world();
            let all = &world.eploys[at].applications;
            scheduler.draw(|rng| all[rng.usize(0..all.len())].candidate)
        };
        let tenant = self.first[at].id.clone();
        scheduler.record("operator", || format!("erases candidate {candidate}"));
        self.shared.oracle.erased_now(&tenant, candidate);
        let id = candidate.to_string().as_str().into();
        let memory = &self.shared.memory;
        memory.erase_candidate(&tenant, &id, scheduler.time(0));
    }

    /// The operator changes the configuration.
    fn configure(&self, at: usize) {
        let scheduler = &self.shared.scheduler;
        let first = &self.first[at];
        let all = self.shared.memory.configured();
        let Some(mut tenant) = all.into_iter().find(|tenant| tenant.id == first.id) else {
            return;
        };
        let what = match scheduler.draw(|rng| rng.u32(0..14)) {
            0 if !self.clocks_go_ahead => {
                tenant.paused = !tenant.paused;
                "pauses or resumes the tenant"
            }
            1 if !tenant.mappings.is_empty() => {
                tenant.mappings[0].paused = !tenant.mappings[0].paused;
                "pauses or resumes a mapping"
            }
            2 if tenant.mappings.len() >= first.mappings.len() => {
                tenant.mappings.pop();
                "removes a mapping"
            }
            2 | 3 => {
                tenant.mappings.clone_from(&first.mappings);
                "puts the mappings back"
            }
            4 => {
                tenant.hires = match tenant.hires {
                    Some(_) => None,
                    None => first.hires.clone(),
                };
                "removes the plan for hires or puts it back"
            }
            5 => {
                for mapping in &mut tenant.mappings {
                    mapping.report.texts.comments =
                        Some(comments("{{ platform }}: {{ headline }}"));
                }
                "changes a text"
            }
            6 => {
                tenant.eploy.daily_calls = 150;
                "lowers the allowance"
            }
            _ => scheduler.draw(|rng| edit(&mut tenant, at, rng)),
        };
        scheduler.record("operator", || format!("{what} ({})", tenant.id));
        self.shared.oracle.configured_now(&tenant);
        self.shared.memory.configure(&tenant);
    }
}

/// Changes one of a tenant's mappings, or reverts it. Returns a description of the change.
fn edit(tenant: &mut Tenant, at: usize, rng: &mut fastrand::Rng) -> &'static str {
    if tenant.mappings.is_empty() {
        return "finds no mapping to change";
    }
    let which = rng.usize(0..tenant.mappings.len());
    let mapping = &mut tenant.mappings[which];
    match rng.u32(0..8) {
        0 => {
            mapping.vacancies = match mapping.vacancies {
                Vacancies::All => one_vacancy(),
                Vacancies::Only(_) => Vacancies::All,
            };
            "changes a mapping's vacancies"
        }
        1 => {
            let stage = if mapping.triggers[0] == trigger(TEST) {
                INTERVIEW
            } else {
                TEST
            };
            if mapping.triggers.len() > 1 {
                mapping.triggers.remove(rng.usize(0..2));
            } else {
                mapping.triggers.push(trigger(stage));
            }
            "changes a mapping's triggers"
        }
        2 => {
            mapping.reentry = match mapping.reentry {
                Reentry::Once => Reentry::Again,
                Reentry::Again => Reentry::Once,
            };
            "changes whether a mapping invites again"
        }
        3 if mapping.assessment.account.as_str() == "wecp" => {
            let sends = mapping.options.get("send_email") == Some(&true.into());
            mapping
                .options
                .insert("send_email".to_owned(), (!sends).into());
            "changes a mapping's options"
        }
        3 | 4 => {
            let all = match mapping.assessment.account.as_str() {
                "wecp" => tests(at),
                _ => interviews(at),
            };
            let first = mapping.assessment.assessment.as_str() == all[0];
            mapping.assessment.assessment = all[usize::from(first)].as_str().into();
            "changes a mapping's assessment"
        }
        5 => {
            let all = questions(mapping.id.as_str());
            if let Some(question) = mapping.report.questions.get_mut(&Answerable::Percent) {
                *question = all[usize::from(question.as_str() == all[0])].into();
            }
            "changes a mapping's question"
        }
        6 => {
            let name = mapping.id.as_str();
            let renamed = name.strip_suffix("-x").map(str::to_owned);
            let renamed = renamed.unwrap_or_else(|| format!("{name}-x"));
            if tenant.mapping(&renamed.as_str().into()).is_some() {
                return "finds that the other name is taken";
            }
            tenant.mappings[which].id = renamed.as_str().into();
            "renames a mapping"
        }
        _ => {
            let same = Mapping {
                id: format!("{}-too", mapping.id).as_str().into(),
                ..mapping.clone()
            };
            match tenant.mappings.iter().position(|one| one.id == same.id) {
                Some(known) => {
                    tenant.mappings.remove(known);
                    "removes a mapping that wants what another wants"
                }
                None => {
                    tenant.mappings.push(same);
                    "adds a mapping that wants what another wants"
                }
            }
        }
    }
}
