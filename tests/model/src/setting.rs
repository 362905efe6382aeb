//! What may happen in a run of the model, and which faults are seeded in it.

use stagecall_core::timing::Timing;

use crate::world::TICK;

/// What may happen.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    /// Whether it begins when a result is reported and that result's delivery is due a second time. By default it
    /// begins with the entry.
    pub sent: bool,
    /// The number of workers. Each can stop at any step for any time and then continue, or die.
    pub workers: usize,
    /// The time limit of a call, in ticks. A request arrives before it is over, or never.
    pub call: u8,
    /// The lease of a claim, in ticks.
    pub lease: u8,
    /// The ticks after which a call of unknown outcome is looked up.
    pub settle: u8,
    /// The ticks of failure after which it is reported to the recruiter, and after which an invitation is given up.
    pub deadline_ticks: (u8, u8),
    /// The last version that the platform reaches: 2 is a result, 3 a re-score.
    pub versions: u32,
    /// Whether the application may leave the stage at any time.
    pub leaves: bool,
    /// Whether platform and Eploy may refuse for now, or for good.
    pub refusals: bool,
    /// The seeded faults, and what is allowed beyond what production excludes.
    pub broken: Option<Broken>,
}

/// A seeded fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A known gap of production: a sender is stopped between its last look at the clock and the first byte of its
    /// request, for longer than its lease, and then sends.
    LookAndSend,
    /// The same for a writer: between its last look at the clock and the first byte of its report.
    LookAndWrite,
    /// A fault of the network: a report arrives after its caller saw the connection break.
    LateWrite,
    /// After a lease expired, the invitation is sent again without asking the platform.
    SkipLookUp,
    /// A call of unknown outcome is looked up before the call's time limit is over. Its request may still be in flight.
    ShortSettleTime,
    /// A sender calls without a look at the clock.
    IgnoreLease,
    /// A writer calls without a look at the clock.
    IgnoreWriterLease,
    /// A report counts as finished when its writer gives up.
    ForgetPutOff,
}

impl Setting {
    /// Production's intervals.
    pub fn timing(&self) -> Timing {
        let seconds = |ticks: u8| f64::from(ticks) * TICK.as_secs_f64();
        Timing {
            call_seconds: seconds(self.call),
            lease_seconds: seconds(self.lease),
            settle_seconds: seconds(self.settle),
            late_seconds: seconds(self.deadline_ticks.0),
            give_up_seconds: seconds(self.deadline_ticks.1),
            ..Timing::default()
        }
    }

    /// Whether this fault is seeded.
    pub fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }
}
