//! What the owners of one agent share.

use crate::config::{Config, Ports};
use crate::figures::Figures;
use crate::files::Files;
use crate::layout::Layout;
use crate::looks::Looks;
use crate::orphans::Orphans;
use crate::sampler::Handle;
use crate::wards::Wards;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;
use weft_domain::instance::{Desired, StopHow};

/// What owners share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) ports: Ports,
    pub(crate) layout: Layout,
    pub(crate) figures: Figures,
    pub(crate) wards: Wards,
    /// Turns of taking up what a former agent left: all at once would need descriptors for all at once.
    pub(crate) adopting: Semaphore,
    pub(crate) orphans: Orphans,
    pub(crate) looks: Looks,
    pub(crate) files: Files,
    /// What measures usage while the agent runs.
    pub(crate) sampler: Mutex<Option<Handle>>,
}

impl Shared {
    /// The way to what measures usage, if anything does.
    pub(crate) fn sampler(&self) -> Option<Handle> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is wanted of an instance that is placed nowhere: that nothing of it is left.
pub(crate) fn nothing_left() -> Desired {
    Desired { deleted: true, stop: StopHow::Force, ..Desired::default() }
}
