//! What others ask of an owner.

use super::{Owner, Taken, Taking};
use crate::console::Hub;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::oneshot;
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
    /// That nothing be left inside its disks of the snapshot of this folder.
    Forget(PathBuf, oneshot::Sender<Result<(), Fault>>),
}

impl Owner {
    pub(super) async fn answer(&mut self, ask: Ask) {
        // A caller that went away needs no answer.
        match ask {
            Ask::Console(to) => drop(to.send(self.console().await)),
            Ask::Machine(to) => drop(to.send(self.lend())),
            Ask::Keep(taking, to) => drop(to.send(self.keep(&taking).await)),
            Ask::Forget(folder, to) => drop(to.send(self.forget(&folder).await)),
        }
    }

    fn lend(&self) -> Result<Arc<dyn Machine>, Fault> {
        let live = self.up().map(|live| Arc::clone(&live.machine));
        live.ok_or_else(|| Fault::new(Reason::PhaseForbids, "the VM does not run").fix("boot it first"))
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
