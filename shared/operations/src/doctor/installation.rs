//! Checks of what all tenants share: the store, due work, queues.

use jiff::SignedDuration;
use stagecall_core::tenant::Tenant;

use super::INSTALLATION;
use crate::actor::Actor;
use crate::finding::Finding;
use crate::installation::{Hosting, Installation};

/// The lag of due work that is still normal.
const MAX_LAG: SignedDuration = SignedDuration::from_mins(5);

/// Whether the store can be read and written, and hangs together. That the doctor was here is what is written.
pub(super) async fn store(
    on: &Installation,
    actor: &Actor,
    findings: &mut Vec<Finding>,
) -> Vec<Tenant> {
    let fix = match on.hosting {
        Hosting::Embedded => {
            "Check that the file's folder exists, has free space, and can be read and written by this user, and that this version of stagecall matches the file's"
        }
        Hosting::Serverless => {
            "Check the credentials and the region of this shell, and that the stack's table exists and is active"
        }
    };
    let wrong = |error: &dyn std::fmt::Display| {
        Finding::problem(
            INSTALLATION,
            "store",
            "stagecall.store",
            error.to_string(),
            fix,
        )
    };
    let tenants = match on.records.list_tenants().await {
        Ok(tenants) => tenants,
        Err(error) => {
            findings.push(wrong(&error));
            return Vec::new();
        }
    };
    match actor.record(on, "doctor", None, "installation").await {
        Ok(()) => findings.push(Finding::ok(
            INSTALLATION,
            "store",
            format!(
                "{} can be read and written; {} tenant(s)",
                on.name,
                tenants.len()
            ),
        )),
        Err(error) => findings.push(wrong(&error)),
    }
    if let Err(error) = on.records.verify().await {
        findings.push(wrong(&error));
    }
    tenants
}

/// Whether due work is processed: by the host's workers, or by schedules, queues and functions.
pub(super) async fn due(on: &Installation, findings: &mut Vec<Finding>) {
    let now = on.clock.now();
    match on.records.oldest_due(now).await {
        Ok(Some(since)) if now.duration_since(since) > MAX_LAG => findings.push(Finding::problem(
            INSTALLATION,
            "work",
            "stagecall.behind",
            format!("work has been due since {}", on.local(since)),
            match on.hosting {
                Hosting::Embedded => "Start the host: stagecall serve. If it runs, check its log, and give it more workers",
                Hosting::Serverless => "Check that the clock's schedule is enabled, the functions' alarms, and the dead letters",
            },
        )),
        Ok(_) => findings.push(Finding::ok(INSTALLATION, "work", "due work is processed")),
        Err(error) => findings.push(Finding::problem(
            INSTALLATION,
            "work",
            "stagecall.store",
            error.to_string(),
            "Check the store",
        )),
    }
}

/// Whether work failed as often as its queue allows.
pub(super) async fn dead_letters(on: &Installation, findings: &mut Vec<Finding>) {
    for dead in &on.dead_letters {
        let queue = dead.name();
        findings.push(match dead.count().await {
            Ok(0) => Finding::ok(INSTALLATION, "queues", format!("{queue}: no dead letters")),
            Ok(count) => Finding::problem(
                INSTALLATION,
                "queues",
                "stagecall.dead_letters",
                format!("{queue}: about {count} dead letters"),
                "Fix the cause, which the functions' logs show, then send them back: stagecall redrive",
            ),
            Err(error) => Finding::problem(
                INSTALLATION,
                "queues",
                "stagecall.store",
                error.to_string(),
                "Check the credentials and the region of this shell, and that the stack's queues exist",
            ),
        });
    }
}
