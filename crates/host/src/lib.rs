//! Linux: processes, cgroups, disks and the journal of claims.
//!
//! The one room that configures the kernel. Each module opens with a plain `Config` and answers one
//! port of `weft_ports`; nothing of the kernel's own words leaves it.
//!
//! ```text
//!  processes  launcher ─► program in its own session, cgroup and jail, found again by its claim
//!  journal    claims, group-committed to a checksummed append-only log
//!  meters     what running processes use, as the kernel counts it
//!  spool      what was used here, written down before anybody is told
//!  volumes    callers' paths vetted; our disks, folders and logs
//!  census     what is here of all that weft can make
//!  facts      what this machine is                tsc  how fast its counter runs
//!  doctor     what this host lets us do           peers  who is at the other end of a connection
//! ```
//!
//! What it does not know: what a VMM is, what an instance is for, who asks.

pub mod allocator;
pub mod census;
pub mod clock;
pub mod doctor;
mod error;
pub mod facts;
mod framing;
pub mod journal;
mod lock;
pub mod meters;
pub mod peers;
pub mod processes;
pub mod spool;
pub mod tsc;
pub mod volumes;

pub use error::Error;
