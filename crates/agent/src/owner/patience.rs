//! How long an owner may be held up by what it waits for.

use super::{Owner, Wish};
use weft_domain::instance::{Power, StopHow};
use weft_domain::{Fault, Reason};

impl Owner {
    /// Does this with the machine, unless it is to end by force meanwhile: a VMM that does not answer holds
    /// that up no longer than it takes to be told.
    pub(super) async fn unless_forced<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let mut wants = self.wants.clone();
        let forced = async {
            if wants.wait_for(is_forced).await.is_err() {
                // The agent ends, and gives what is begun its time.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            done = work => done,
            () = forced => Err(Fault::new(Reason::Away, "given up, as the VM is to be ended by force")),
        }
    }

    /// Does this unless it ends by this wish, or with the agent: a machine that is held for it must go on.
    pub(super) async fn unless<T>(
        &self,
        ends: fn(&Wish) -> bool,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut wants = self.wants.clone();
        let why = async {
            match wants.wait_for(ends).await {
                Ok(_) => "given up, as the VM is to be ended by force",
                Err(_) => "given up, as the agent ends",
            }
        };
        tokio::select! {
            done = work => done,
            why = why => Err(Fault::new(Reason::Away, why)),
        }
    }
}

/// Whether nothing of it should be left.
pub(super) fn is_gone(wish: &Wish) -> bool {
    wish.placed.as_ref().is_none_or(|placed| placed.desired.deleted)
}

/// Whether nothing should run any more, at once.
pub(super) fn is_forced(wish: &Wish) -> bool {
    wish.placed.as_ref().is_none_or(|placed| {
        let desired = &placed.desired;
        desired.stop == StopHow::Force && (desired.deleted || desired.power == Power::Off)
    })
}
