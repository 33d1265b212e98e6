//! Firecracker: a machine of few devices on KVM, each of them asked for over its API before it starts.
//!
//! ```text
//!  probe ─► Facts ─► Capabilities, Chosen
//!                          │
//!  Order ─► config::plan (pure) ─► calls ── client ──► Firecracker's API
//!                          rules: what may be called when, since which version
//!                          machine::owner ◄── FIFOs: its log, its metrics ── Firecracker
//!                               └─► state, counters          its serial line ──► the console's log
//! ```
//!
//! Firecracker starts in a folder of the incarnation and knows its files by relative names there, so that a
//! snapshot names no path of this host and can be loaded where other files bear those names. Its serial
//! line is its standard input and output: a FIFO that never ends and the console's log itself, which both
//! live as long as it does, whoever watches.
//!
//! A guest ends its machine by resetting its processor; there is no power-off. So a reset that was asked
//! for counts as a power-off, and any other as a reset.

mod capabilities;
mod client;
mod config;
mod driver;
mod error;
mod folder;
mod machine;
mod model;
mod probe;
mod rules;
mod version;

pub use driver::{Firecracker, open};
pub use error::Error;

use std::path::PathBuf;

/// The driver's name.
pub const NAME: &str = "firecracker";

/// Where Firecracker is looked for.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its program; looked for in `search` where it is not given.
    pub program: Option<PathBuf>,
    /// Folders with programs, in order.
    pub search: Vec<PathBuf>,
    /// A folder of our own, for what was found.
    pub cache_dir: PathBuf,
}
