//! What others ask of an owner, and how long it may be held up by what is asked.

use super::{Owner, Taken, Taking, Wish};
use crate::console::Hub;
use std::sync::Arc;
use tokio::sync::oneshot;
use weft_domain::instance::{Power, StopHow};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::Machine;

/// A question to an owner.
pub(crate) enum Ask {
    /// The console of the live machine.
    Console(oneshot::Sender<Result<Arc<Hub>, Fault>>),
    /// The live machine, for what does not touch its life and need not hold up its owner.
    Machine(oneshot::Sender<Result<Arc<dyn Machine>, Fault>>),
    /// That it be held and kept as it is now.
    Keep(Box<Taking>, oneshot::Sender<Result<Taken, Fault>>),
}

impl Owner {
    pub(super) async fn answer(&mut self, ask: Ask) {
        // A caller that went away needs no answer.
        match ask {
            Ask::Console(to) => drop(to.send(self.console().await)),
            Ask::Machine(to) => drop(to.send(self.lend())),
            Ask::Keep(taking, to) => drop(to.send(self.keep(&taking).await)),
        }
    }

    fn lend(&self) -> Result<Arc<dyn Machine>, Fault> {
        let live = self.up().map(|live| Arc::clone(&live.machine));
        live.ok_or_else(|| Fault::new(Reason::PhaseForbids, "the VM does not run").fix("boot it first"))
    }

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

    async fn console(&mut self) -> Result<Arc<Hub>, Fault> {
        let live = self.live.as_ref().ok_or_else(|| {
            Fault::new(Reason::ConsoleUnavailable, "the VM does not run, so it has no console")
                .fix("boot it; `weft vm logs` shows what it wrote before")
        })?;
        match &self.hub {
            Some(hub) if !hub.is_closed() => Ok(Arc::clone(hub)),
            Some(_) | None => {
                let hub = Arc::new(Hub::open(live.machine.console().await?, live.machine.state()));
                self.hub = Some(Arc::clone(&hub));
                Ok(hub)
            }
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
