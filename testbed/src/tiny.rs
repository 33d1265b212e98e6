//! weft-tiny on any real VMM, driven by hand with nothing of weft.
//!
//! ```text
//!  vmm ── which program, which machine, and whether it can run here
//!  Guest ── one process: lines out and in over the serial port, calls to the VMM's own API
//! ```
//!
//! Each guest has a folder of its own and its VMM is killed when it is dropped.

mod process;
mod vmm;

pub use process::Guest;
pub use vmm::{Accelerator, Vmm};

use std::path::Path;

/// Where the guest is that `weft-guest` built, if it can be built for this processor.
#[must_use]
pub fn kernel() -> Option<&'static Path> {
    weft_guest::ELF.map(|_| Path::new(weft_guest::PATH))
}
