//! Stand-in VMMs: programs that speak Firecracker's and Cloud Hypervisor's API and keep their rules.
//!
//! ```text
//!  client ── HTTP over a Unix socket ──► wire ──► the VMM's table of endpoints ──► its state machine
//!                 ▲                       │ faults: what goes wrong on request            │
//!                 └──────── reply ────────┘                              guest: a script on the serial line
//! ```
//!
//! A driver that is green on these is green against the written interface: strictness, order of calls,
//! limits, states, exit codes and files are those of the real programs. No guest code runs; a script answers
//! on the serial line, and snapshots carry its memory. `tests/differential.rs` sends the same requests to
//! the real programs where they are found, so that the two cannot drift apart unseen.
//!
//! What a stand-in is told from outside comes in its environment: [`version::VARIABLE`] names the version it
//! claims to be, [`faults::VARIABLE`] and [`faults::FILE_VARIABLE`] what shall go wrong.

pub mod cloud_hypervisor;
pub mod faults;
pub mod firecracker;
pub mod guest;
pub mod play;
pub mod shape;
pub mod version;
pub mod wire;
