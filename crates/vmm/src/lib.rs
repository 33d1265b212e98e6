//! How each local VMM is started, spoken to and buried.
//!
//! ```text
//!  Config ──► open() ──► Opened { drivers: Vec<Arc<dyn Hypervisor>>, findings: Vec<Finding> }
//!                              │ launch(Order)
//!                              ▼
//!              arguments (pure) ─► Processes::launch ─► one task owns the VMM's socket ─► state, resets
//! ```
//!
//! Beyond this room nobody knows a word of any VMM: there is a driver's name, what it can do as
//! [`Capabilities`](weft_domain::capability::Capabilities), and the port. What a driver found about its
//! VMM is a [`Finding`], for `weft doctor` to show.
//!
//! What it does not know: how a process is confined (it is handed a `Processes`), where paths come from,
//! and why a machine is wanted.

mod cell;
pub mod cloud_hypervisor;
mod error;
mod finding;
pub mod firecracker;
mod growing;
mod http;
mod log;
mod open;
mod program;
pub mod qemu;
mod tap;
mod told;

pub use error::{Error, Vmm};
pub use finding::{Engine, Finding};
pub use open::{Config, Opened, open};
