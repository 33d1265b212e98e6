//! What can be opened while another weft holds the state: folders, the launcher, the drivers.
//!
//! It is done before a predecessor is asked to let go, so that nobody waits for it, and a host that lacks
//! something is told before anything has changed. It is kept over a hand-over that failed.

use crate::rooms::{Host, drivers, private_folder};
use crate::settings::Settings;
use anyhow::Result;
use std::sync::Arc;
use weft_ports::clock::{Clock, System};
use weft_ports::hypervisor::Hypervisor;
use weft_ports::meters::Meters;
use weft_ports::processes::Processes;
use weft_ports::sightings::Sightings;

/// What is open before the state is.
pub(crate) struct Ready {
    /// The clock of this machine.
    pub(crate) clock: Arc<dyn Clock>,
    /// Launches and finds processes.
    pub(crate) processes: Arc<dyn Processes>,
    /// Sees what is on this machine.
    pub(crate) sightings: Arc<dyn Sightings>,
    /// Reads what they use.
    pub(crate) meters: Arc<dyn Meters>,
    /// The drivers that were found.
    pub(crate) drivers: Vec<Arc<dyn Hypervisor>>,
}

impl Ready {
    /// Opens it.
    ///
    /// # Errors
    /// A folder cannot be made, or the host launches nothing.
    pub(crate) async fn of(settings: &Settings) -> Result<Self> {
        for folder in [&settings.data_dir, &settings.run_dir, &settings.cache_dir] {
            private_folder(folder)?;
        }
        let clock: Arc<dyn Clock> = Arc::new(System);
        let Host { processes, sightings, meters } = Host::open(settings)?;
        let opened = weft_vmm::open(drivers(settings), Arc::clone(&processes), Arc::clone(&clock)).await;
        Ok(Self { clock, processes, sightings, meters, drivers: opened.drivers })
    }
}
