//! Checks the daily call allowance: every call is taken from it, and no more than the day's.

use jiff::tz::TimeZone;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::Purpose;
use stagecall_http::{Method, Request};

use super::{MAX_CLOCK_SKEW, Oracle};
use crate::scheduler::Running;
use crate::world::World;

/// The ceilings of polls and of invitations, in percent of the day's allowance.
const MAX_POLL_PERCENT: u32 = 80;
const MAX_INVITE_PERCENT: u32 = 90;
/// The number of calls that a poll may make at once beyond its share: its floor.
const POLL_FLOOR: u64 = 2;

impl Oracle {
    /// Records that calls were taken from a tenant's allowance of a day. Returns the day's use.
    pub fn taken(&self, tenant: &TenantId, day: &str) -> u32 {
        let used = self.memory.used(tenant, day);
        let running = self.scheduler.running();
        let limit = self.limit(tenant, running);
        self.check(used <= limit, || {
            format!("{used} calls were taken from {tenant}'s allowance of {limit}")
        });
        let age = (self.scheduler.now() - running.begun).cast_signed();
        let (first, last) = (
            self.uk_day(-age - MAX_CLOCK_SKEW),
            self.uk_day(MAX_CLOCK_SKEW),
        );
        let right = (first.as_str()..=last.as_str()).contains(&day) || self.were_clocks_ahead();
        self.check(right, || format!("calls of {last} were taken from {day}"));
        used
    }

    /// Records that the running work may make this many calls, which brought the day's use to `used`.
    pub fn may_call(&self, calls: u32, used: u32) {
        let job = self.scheduler.running().job;
        let mut seen = self.seen();
        let held = seen.may_call.entry(job).or_default();
        held.extend((0..calls).map(|_| used));
    }

    /// Checks a call of the running work. One to Eploy must have been taken from the allowance by that very work, and within
    /// the share of its purpose.
    pub fn calls(&self, request: &Request) {
        let host = request.url.host_str().unwrap_or_default();
        if World::system(host) != "Eploy" {
            return;
        }
        let running = self.scheduler.running();
        let used = self
            .seen()
            .may_call
            .get_mut(&running.job)
            .and_then(Vec::pop);
        let Some(used) = used else {
            return self.violate(format!(
                "{host} was called more often than was taken from its allowance"
            ));
        };
        let Some((tenant, _)) = host.split_once('.') else {
            return;
        };
        let percent = share(running.purpose, request);
        let limit = self.limit(&tenant.into(), running);
        let within = u64::from(used) * 100 <= u64::from(limit) * u64::from(percent);
        self.check(
            within || self.is_floor(&tenant.into(), running),
            || {
                format!(
                    "{tenant}: {} brought the use of the day to {used} of {limit}, with a share of {percent} %",
                    in_words(running.purpose)
                )
            },
        );
    }

    /// Whether a call beyond the share is one of the few that polls may make in their interval, while there are calls.
    fn is_floor(&self, tenant: &TenantId, running: Running) -> bool {
        if running.purpose != Some(Purpose::Poll) {
            return false;
        }
        let interval = self
            .memory
            .configuration(tenant, |now| now.eploy.poll_seconds)
            .unwrap_or_default();
        let age = self.scheduler.now() - running.begun;
        let intervals = 1 + age / (u64::from(interval.max(1)) * 1000);
        let mut seen = self.seen();
        let calls = seen.beyond.entry(running.job).or_default();
        *calls += 1;
        *calls <= intervals * POLL_FLOOR
    }

    /// The largest allowance that a tenant has had since this work began, which may have read it then.
    fn limit(&self, tenant: &TenantId, running: Running) -> u32 {
        let now = self
            .memory
            .configuration(tenant, |now| now.eploy.daily_calls);
        let seen = self.seen();
        let before = seen.allowances.get(tenant).into_iter().flatten();
        before
            .filter(|(until, _)| *until >= running.begun)
            .map(|(_, calls)| *calls)
            .chain(now)
            .max()
            .unwrap_or(0)
    }

    /// The day at Eploy, on a clock with this offset from the world's, in milliseconds.
    fn uk_day(&self, apart: i64) -> String {
        const UK: TimeZone = jiff::tz::get!("Europe/London");
        self.scheduler.time(apart).to_zoned(UK).date().to_string()
    }
}

/// The ceiling of a call, in percent of the day's allowance. Inviting reads the application's stage and the candidate, and
/// then reports, for which all may be used.
fn share(purpose: Option<Purpose>, request: &Request) -> u32 {
    let path = request.url.path();
    let asks = path.ends_with("/statushistory/search")
        || path.contains("/candidates/")
        || (request.method == Method::Get && path.contains("/applications/"));
    match purpose {
        Some(Purpose::Poll) => MAX_POLL_PERCENT,
        Some(Purpose::Invite) if asks => MAX_INVITE_PERCENT,
        _ => 100,
    }
}

fn in_words(purpose: Option<Purpose>) -> &'static str {
    match purpose {
        Some(Purpose::Poll) => "a poll",
        Some(Purpose::Invite) => "an invitation",
        Some(Purpose::WriteBack) => "a report",
        None => "other work",
    }
}
