//! What things are and which moves are lawful.
//!
//! This room holds nouns, laws and decisions and nothing else: no async, no I/O, no clock,
//! no randomness, no serialisation. Time and random bytes come in as arguments; answers are
//! data that can be printed, compared and tested by the thousand.
//!
//! ```text
//!  spec      what was asked        fault      how a refusal is told
//!  lifecycle phases and `next`     admission  what a node can still take
//!  converge  desired → steps       restart    when a dead instance lives again
//!  census    what is on a host, set against what is claimed
//!  usage     samples → windows, gaps and buckets, and the law between them
//! ```
//!
//! What it does not know: how anything is stored, sent, started or shown.

pub mod admission;
pub mod ask;
pub mod capability;
pub mod census;
pub mod converge;
pub mod event;
pub mod fault;
pub mod filter;
pub mod id;
pub mod instance;
pub mod label;
pub mod lifecycle;
pub mod machine;
pub mod name;
pub mod needs;
pub mod node;
pub mod object;
pub mod restart;
pub mod schedule;
pub mod snapshot;
pub mod spec;
pub mod time;
pub mod told;
pub mod until;
pub mod usage;

pub use fault::{Fault, Kind, Reason, Violation};
pub use id::{ClaimId, EventId, IncarnationId, InstanceId, NodeId, SnapshotId};
pub use instance::Instance;
pub use label::Labels;
pub use lifecycle::Phase;
pub use name::Name;
pub use spec::Spec;
pub use time::Time;
