//! Dispatches work to its use case.

use stagecall_core::clock::Deadline;
use stagecall_core::error::Error;
use stagecall_core::usecases::{HireNotifier, Inviter, Poller, Receiver, Sweeper, WriteBack};
use stagecall_core::work::Work;
use tracing::Instrument as _;

pub(crate) struct Handler {
    pub(crate) poller: Poller,
    pub(crate) inviter: Inviter,
    pub(crate) sweeper: Sweeper,
    pub(crate) receiver: Receiver,
    pub(crate) write_back: WriteBack,
    pub(crate) announcer: HireNotifier,
}

impl Handler {
    /// Handles the work. An error is logged here; the work stays due and is enqueued again when its lease ends.
    pub(crate) async fn handle(&self, work: Work) {
        let (tenant, span) = (work.tenant().clone(), Work::span());
        work.record_in(&span);
        let handling = async {
            match self.dispatch(work).await {
                Ok(()) => {}
                Err(Error::UnknownTenant(_)) => {
                    tracing::warn!(%tenant, "work dropped, tenant unknown");
                }
                Err(error) => tracing::error!(%tenant, %error, "work failed"),
            }
        };
        handling.instrument(span).await;
    }

    async fn dispatch(&self, work: Work) -> Result<(), Error> {
        match work {
            Work::Poll { tenant } => self.poller.poll(&tenant, Deadline::NONE).await.map(drop),
            Work::Invite { key } => self.inviter.invite(&key, Deadline::NONE).await,
            Work::WriteBack {
                key,
                news,
                change_token,
            } => self.write_back.handle(&key, news, change_token).await,
            Work::Sweep { tenant, assessment } => {
                let swept = self
                    .sweeper
                    .sweep(&tenant, &assessment, Deadline::NONE)
                    .await;
                swept.map(drop)
            }
            Work::Announce { key } => self.announcer.announce(&key).await,
            Work::Delivery { tenant, id } => {
                self.receiver
                    .process_delivery(&self.write_back, &tenant, &id)
                    .await
            }
        }
    }
}
