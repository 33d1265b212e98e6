//! One weft takes the place of another on the same data folder, and no request is refused meanwhile.
//!
//! ```text
//!  successor                                  predecessor
//!  reads settings, looks at formats, probes drivers
//!  ask ─────────────────────────────────────► is it one of us? does it read what I write?
//!      ◄───────────────────────────── offer   the listening sockets, as descriptors
//!  are they the right ones? binds what it lacks
//!  go ──────────────────────────────────────► takes no more connections, answers what it has,
//!      ◄────────────────────────── released   closes store and journal; connections wait in the backlog
//!  opens them, adopts VMs, serves
//!  taken ───────────────────────────────────► ends
//! ```
//!
//! What always holds: until `go` nothing has changed; between `go` and `taken` both hold the listening
//! sockets, so that no connection is refused whichever dies; a predecessor whose successor goes before
//! `taken` opens the house again and serves; a successor whose predecessor goes opens what that one left.
//! The locks of store and journal, not this conversation, decide who owns the state.

mod cede;
mod succeed;
mod wire;

pub(crate) use cede::{Gate, Heir};
pub(crate) use succeed::{Predecessor, begin};

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The version of this conversation; it grows when a word changes its meaning.
const PROTOCOL: u32 = 1;

/// What is said, one line of JSON each. What is not known in a line is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// The successor is ready, and reads these formats.
    Ask { protocol: u32, version: String, pid: u32, reads: Formats },
    /// The predecessor hands over two listening sockets: of the API and of the metrics.
    Offer { protocol: u32, version: String, pid: u32, api: SocketAddr, metrics: SocketAddr },
    /// The successor will take over.
    Go,
    /// Store and journal are closed.
    Released,
    /// The successor serves.
    Taken,
    /// The predecessor goes on.
    Refused { why: String, fix: String },
}

/// Formats of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Formats {
    store: u64,
    records: u16,
    journal: u32,
}

impl Formats {
    /// What this weft reads and writes.
    const OURS: Self = Self {
        store: weft_store::embedded::FORMAT,
        records: weft_api::codec::FORMAT,
        journal: weft_host::journal::FORMAT,
    };

    /// Whether one that reads these reads what we have written.
    const fn cover_ours(self) -> bool {
        let ours = Self::OURS;
        self.store >= ours.store && self.records >= ours.records && self.journal >= ours.journal
    }
}
