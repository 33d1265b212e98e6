//! QEMU: microvm, pc and q35, on KVM where it truly works and in software everywhere.
//!
//! ```text
//!  probe ─► Facts ─► Capabilities, Chosen
//!                          │
//!  Order ─► config (pure) ─► arguments ─► Processes::launch ─► QEMU
//!             sockets bound before, passed by number ──────────► │
//!                          machine::owner ◄──── QMP (client) ────┘
//!                               │
//!                               └─► state, resets
//! ```
//!
//! A guest that powers off or panics leaves QEMU paused, so that the reason can be read by whoever holds
//! the machine then; burial tells it to quit.

mod backing;
mod capabilities;
mod cell;
mod client;
mod config;
mod driver;
mod error;
mod folder;
mod guest_agent;
mod machine;
mod probe;

pub use crate::told::chain;
pub use driver::{Qemu, open};
pub use error::Error;

use std::path::PathBuf;

/// The driver's name.
pub const NAME: &str = "qemu";

/// Where QEMU is looked for.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its program; looked for in `search` where it is not given.
    pub program: Option<PathBuf>,
    /// Folders with programs, in order.
    pub search: Vec<PathBuf>,
    /// A folder of our own, for what was found.
    pub cache_dir: PathBuf,
    /// How fast the host's time stamp counter runs, in kHz, where that is known.
    pub tsc_khz: Option<u64>,
}
