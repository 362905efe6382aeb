//! What may happen in a run of the model, and what is broken in it on purpose.

use stagecall_core::timing::Timing;

use crate::world::TICK;

/// What may happen.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What it shows.
    pub name: &'static str,
    /// Whether it begins when a result is reported, with that result's delivery due a second time, and not with the
    /// entry.
    pub sent: bool,
    /// How many workers there are. Each of them can stop at any step for any time and then go on, or die.
    pub workers: usize,
    /// The time limit of a call, in ticks: a request arrives before it is over, or never.
    pub call: u8,
    /// How long a claim holds, in ticks.
    pub lease: u8,
    /// After how many ticks a call of unknown outcome is looked up.
    pub settle: u8,
    /// After how many ticks of trouble the recruiter is told, and after how many an invitation is given up.
    pub patience: (u8, u8),
    /// The last version that the platform comes to: 2 is a result, 3 a re-score.
    pub versions: u32,
    /// Whether the application may leave the stage at any time.
    pub leaves: bool,
    /// Whether platform and Eploy may refuse for now, or for good.
    pub refusals: bool,
    /// What is broken on purpose, or allowed beyond what production excludes.
    pub broken: Option<Broken>,
}

/// A fault, put there to see it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Not a fault of production but its known gap: a sender is stopped between its last look at the clock and the first
    /// byte of its request, for longer than its lease, and then sends.
    LookAndSend,
    /// The same of a writer: between its last look at the clock and the first byte of its report.
    LookAndWrite,
    /// Not a fault of production but of the network: a report whose caller saw its connection break arrives later all
    /// the same.
    LateWrite,
    /// After a lease ran out, it is sent again without asking the platform.
    SkipLookUp,
    /// A call of unknown outcome is looked up before the time limit of a call is over, so that its request may still be
    /// on its way.
    ShortSettleTime,
    /// A sender calls without a look at the clock.
    IgnoreLease,
    /// A writer calls without a look at the clock.
    IgnoreWriterLease,
    /// A report counts as finished when its writer gives up.
    ForgetPutOff,
}

impl Setting {
    /// The times as production has them.
    pub fn timing(&self) -> Timing {
        let seconds = |ticks: u8| f64::from(ticks) * TICK.as_secs_f64();
        Timing {
            call_seconds: seconds(self.call),
            lease_seconds: seconds(self.lease),
            settle_seconds: seconds(self.settle),
            late_seconds: seconds(self.patience.0),
            give_up_seconds: seconds(self.patience.1),
            ..Timing::default()
        }
    }

    /// Whether this is broken.
    pub fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }
}
