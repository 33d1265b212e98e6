//! Cloud Hypervisor: PCI guests on KVM, with everything that can be plugged while they run.
//!
//! ```text
//!  probe ─► Facts ─► Capabilities, Chosen
//!                          │
//!  Order ─► config (pure) ─► VmConfig ──► vm.create ─► vm.add-net (taps as open files) ─► vm.boot
//!             api.sock bound before, passed by number ──► cloud-hypervisor
//!             events, a FIFO, passed by number ◄────────────┘    │ stdin, stdout
//!                    │                                           ▼
//!              machine::owner ─► state, resets        a terminal, the console's log
//! ```
//!
//! A guest that powers off leaves the process where the version can (52 and newer), so that whoever holds
//! the machine then can tell how it ended; burial ends the process. What it does is told by its events:
//! nothing is asked again and again. All device ids are ours: `disk-NAME`, `nic-NAME`, `device-NAME`,
//! `group-NAME`, `vsock`.

mod capabilities;
mod client;
mod config;
mod console;
mod driver;
mod error;
mod event;
mod folder;
mod machine;
mod model;
mod probe;

pub use driver::{CloudHypervisor, open};
pub use error::Error;

use std::path::PathBuf;

/// The driver's name.
pub const NAME: &str = "cloud-hypervisor";

/// Where Cloud Hypervisor is looked for.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its program; looked for in `search` where it is not given.
    pub program: Option<PathBuf>,
    /// Folders with programs, in order.
    pub search: Vec<PathBuf>,
    /// A folder of our own, for what was found.
    pub cache_dir: PathBuf,
}
