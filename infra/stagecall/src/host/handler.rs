//! From a piece of work to its use case.

use stagecall_core::clock::Deadline;
use stagecall_core::error::Error;
use stagecall_core::usecases::{HireNotifier, Inviter, Poller, Receiver, Sweeper, WriteBack};
use stagecall_core::work::Work;

/// All use cases of a host.
pub(crate) struct Handler {
    pub(crate) poller: Poller,
    pub(crate) inviter: Inviter,
    pub(crate) sweeper: Sweeper,
    pub(crate) receiver: Receiver,
    pub(crate) write_back: WriteBack,
    pub(crate) announcer: HireNotifier,
}

impl Handler {
    /// Does the work. What fails is logged here, once, and stays due: it is handed out again when its lease is over.
    pub(crate) async fn handle(&self, work: Work) {
        let tenant = work.tenant().clone();
        if let Err(error) = self.dispatch(work).await {
            match error {
                Error::UnknownTenant(_) => {
                    tracing::warn!(%tenant, "work for a tenant that is not configured");
                }
                error => tracing::error!(%tenant, %error, "work failed and stays due"),
            }
        }
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
