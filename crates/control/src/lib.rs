//! Control: the API's services, admission, and the desk where nodes report.
//!
//! ```text
//!  caller ─► Vms · Power · Devices · Snapshots · Consoles …   node ─► Placements
//!             │ decide (domain, pure)                           │ absorb (pure)
//!             ▼                                                 ▼
//!            commit at the revision that it was decided on ─► store
//!             ▲                                                 │ watch
//!             └── wait until reached ◄──── memory ◄─────────────┘
//!
//!  caller ─► Usage ─► sums ◄── ledger ◄── batches, each once ◄── UsageDesk ◄─ node
//!                 └─► records ───────────────────────────────► UsageReach ──► node
//! ```
//!
//! What always holds: only control writes the store, and memory is made by the store's watch alone, so
//! that a restart, another writer and the happy path are one path. A verb's effect, its events and the
//! answer to its request are one commit. Admission is never exceeded, however many race. A caller that
//! goes away loses nothing.
//!
//! What it does not know: how anything is stored, sent or run; it holds ports.

mod config;
mod consoles;
mod control;
mod core;
mod desk;
mod devices;
mod events;
mod feed;
mod fields;
mod figures;
mod files;
mod flow;
mod ids;
mod memory;
mod nodes;
mod page;
mod power;
mod refusal;
mod requests;
mod room;
mod snapshots;
mod state;
mod subjects;
mod sweep;
mod usage;
mod vms;
mod waiters;
mod watch;

pub use config::Config;
pub use control::{Control, open};
pub use usage::Metering;
