//! The handle of the room, and the loops that keep it alive.

use crate::config::Config;
use crate::core::Core;
use crate::{feed, sweep};
use std::future::Future;
use std::sync::Arc;
use weft_domain::{Fault, NodeId};
use weft_ports::clock::Clock;
use weft_ports::link::Reach;
use weft_ports::store::Store;

/// Control: implements the API's services and the desk of the nodes. Clones are the same control.
#[derive(Clone)]
pub struct Control {
    pub(crate) core: Arc<Core>,
}

/// Loads everything that the store has. Nothing is answered in full until [`Control::run`] is driven.
///
/// # Errors
/// The store cannot be read.
pub async fn open(config: Config, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Control, Fault> {
    let core = Core::open(config, store, clock).await?;
    Ok(Control { core: Arc::new(core) })
}

impl Control {
    /// Gives the way to a node's agent; a later one takes the place of an earlier one.
    pub fn attach_node(&self, node: NodeId, reach: Arc<dyn Reach>) {
        self.core.attach(node, reach);
    }

    /// Process ids of VMMs, on whichever node: whose connections are a guest's and no caller's.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let state = self.core.memory.read();
        state.instances.values().filter_map(|vm| vm.value.status.running.as_ref().map(|running| running.pid)).collect()
    }

    /// Ends streams, and lets verbs that wait answer what is, while the loops go on: what comes before an end
    /// that others wait for.
    pub fn hurry(&self) {
        self.core.closing.cancel();
    }

    /// Drives the loops until `shutdown` comes: memory fed by the store's watch, and what is no longer
    /// kept taken away. Then streams end, and verbs that wait answer what is.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let core = &self.core;
        tokio::select! {
            () = feed::follow(core.store.as_ref(), &core.memory) => {}
            () = sweep::run(core) => {}
            () = shutdown => {}
        }
        core.closing.cancel();
        core.detach();
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("revision", &self.core.memory.revision()).finish_non_exhaustive()
    }
}
